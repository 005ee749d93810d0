package ga

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/sandbox/bigquery"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
)

// TestConfig finds what is wrong with settings, where it is.
func TestConfig(t *testing.T) {
	t.Parallel()
	const good = `
project: cinema
dataset: analytics_123
credentials: ${KEY}
property_zone: Europe/Moscow
`
	env := func(string) (string, bool) { return "{}", true }
	var c Config
	if err := strictyaml.Decode("x.yaml", []byte(good), env, &c); err != nil {
		t.Fatal(err)
	}
	if c.Endpoint != publicEndpoint || c.PageSize != 10_000 || *c.Restatement != 3 || c.Intraday || c.Params != nil {
		t.Errorf("defaults: %+v", c)
	}
	for change, want := range map[string]string{
		"project: a b":                     "project: expected the id",
		"dataset: analytics-1":             "dataset: expected the export's dataset",
		"property_zone: Moscow":            `property_zone: "Moscow" is no time zone`,
		"url: http://bq.example.com/":      "url: expected https",
		"url: https://u:p@example.com/":    "url: expected an address",
		"params: [a b]":                    "params.0: expected a parameter's key",
		"params: [a]\ndrop: [a]":           "params.0: a is among those to drop",
		"phone_region: XX":                 "phone_region: expected the ISO 3166-1 code",
		"page_size: 1000000":               "page_size: expected a number of rows from 1 to 100000",
		"restatement: -1":                  "restatement: expected a number of days from 0",
		"url: http://127.0.0.1:8080/bq/v2": "",
	} {
		key, _, _ := strings.Cut(change, ":")
		var lines []string
		for line := range strings.Lines(good) {
			if !strings.HasPrefix(line, key+":") {
				lines = append(lines, line)
			}
		}
		var c Config
		err := strictyaml.Decode("x.yaml", []byte(strings.Join(lines, "")+change+"\n"), env, &c)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", change, err, want)
		}
	}
	if _, err := New(Config{Project: "p", Dataset: "d", Credentials: secret.New("no key"), PropertyZone: "UTC"}, connectors.Env{Zone: time.UTC, Now: time.Now}); err == nil ||
		strings.Contains(err.Error(), "no key") {
		t.Errorf("a key file that is none: %v", err)
	}
}

// TestDefinition: what decides the rows is in it, and nothing else.
func TestDefinition(t *testing.T) {
	t.Parallel()
	define := func(tune func(*Config)) string {
		return newLab(t, worldtest.NewMemory(time.UTC), func(c *Config, _ *bigquery.Options, _ *connectors.Env) {
			if tune != nil {
				tune(c)
			}
		}).stream().Definition()
	}
	plain := define(nil)
	days := 5
	for name, tune := range map[string]func(*Config){
		"page_size":   func(c *Config) { c.PageSize = 7 },
		"restatement": func(c *Config) { c.Restatement = &days },
		"drop":        func(c *Config) { c.Drop = []string{"x"} },
		"order":       func(c *Config) { c.Params = []string{"page_title", "page_location", "page_title"} },
	} {
		if define(tune) != plain {
			t.Errorf("%s changes the definition", name)
		}
	}
	for name, tune := range map[string]func(*Config){
		"params":        func(c *Config) { c.Params = append(c.Params, "x") },
		"property_zone": func(c *Config) { c.PropertyZone = "Asia/Tokyo" },
		"intraday":      func(c *Config) { c.Intraday = true },
		"phone_region":  func(c *Config) { c.PhoneRegion = "DE" },
		"dataset":       func(c *Config) { c.Dataset = "analytics_2" },
	} {
		if define(tune) == plain {
			t.Errorf("%s does not change the definition", name)
		}
	}
}

// TestCheck says of each thing whether it is as it should be, and what to do.
func TestCheck(t *testing.T) {
	t.Parallel()
	answer := func(status int, reason string) func(int, http.ResponseWriter, *http.Request) bool {
		return func(_ int, w http.ResponseWriter, _ *http.Request) bool { refuse(w, status, reason, "no"); return true }
	}
	for name, c := range map[string]struct {
		tune  func(*Config, *bigquery.Options, *connectors.Env)
		fault func(int, http.ResponseWriter, *http.Request) bool
		want  string // what: problem, remedy
	}{
		"all is well": {nil, nil, "dataset analytics_1|clock|stream ga/events"},
		"no permission": {nil, func(_ int, w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/token" {
				refuse(w, 403, "accessDenied", "Access Denied")
			}
			return r.URL.Path != "/token"
		}, "dataset analytics_1: Data Viewer → give the service account|clock"},
		"no token": {nil, answer(400, ""), "dataset analytics_1: token → give the service account|clock"},
		"no dataset": {func(c *Config, _ *bigquery.Options, _ *connectors.Env) { c.Dataset = "analytics_2" }, nil,
			"dataset analytics_2: not found → check project and dataset|clock"},
		"another zone": {func(c *Config, _ *bigquery.Options, _ *connectors.Env) { c.PropertyZone = "Asia/Tokyo" }, nil,
			"dataset analytics_1|clock|stream ga/events: outside its day in Asia/Tokyo → set property_zone"},
		"another clock": {func(_ *Config, o *bigquery.Options, e *connectors.Env) {
			o.Wall = func() time.Time { return time.Now().Add(time.Hour) }
			e.Now = o.Wall
		}, nil, "dataset analytics_1|clock: ahead of ours by -1h → set this machine's clock|stream ga/events"},
		"no export": {func(_ *Config, o *bigquery.Options, _ *connectors.Env) { o.Columns = bigquery.Columns()[:2] }, nil,
			"dataset analytics_1|clock|stream ga/events: no column event_params → look at the table"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := aDay(t)
			add(t, w, exported(utc("2026-11-03T16:00"), ""), time.Time{}, time.Time{})
			l := newLab(t, w, c.tune)
			l.intercept(c.fault)
			var got []string
			for _, f := range l.Check(t.Context()) {
				text := f.What
				if f.Problem != nil {
					text += fmt.Sprintf(": %v → %s", f.Problem, f.Remedy)
				}
				got = append(got, text)
			}
			parts := strings.Split(c.want, "|")
			ok := len(parts) == len(got)
			for i := range min(len(parts), len(got)) {
				what, rest, _ := strings.Cut(parts[i], ": ")
				problem, remedy, _ := strings.Cut(rest, " → ")
				ok = ok && strings.HasPrefix(got[i], what) && strings.Contains(got[i], problem) && strings.Contains(got[i], remedy) &&
					(problem == "") == (got[i] == what)
			}
			if !ok {
				t.Errorf("%s\nexpected %s", strings.Join(got, "|"), c.want)
			}
		})
	}
	l := newLab(t, worldtest.NewMemory(time.UTC), nil)
	if found := l.Check(t.Context()); found[len(found)-1].Problem == nil {
		t.Errorf("without a table: %v", found)
	}
	l.intercept(answer(404, "notFound"))
	if _, err := l.stream().Inputs(t.Context(), dayOf(t, day)); !errors.Is(err, connectors.ErrDown) {
		t.Errorf("%v", err)
	}
}
