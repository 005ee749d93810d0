package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadInput breaks one thing at a time: each is a clear line and an exit code, and nothing is published.
func TestBadInput(t *testing.T) {
	t.Parallel()
	day := "data/exposures/2026-11-04.csv"
	for name, c := range map[string]struct {
		change func(map[string]string)
		code   int
		says   string
	}{
		"a missing file": {func(f map[string]string) { delete(f, day) }, 14, "exposures/2026-11-04.csv"},
		"no folder of files": {func(f map[string]string) {
			for file := range f {
				if strings.HasPrefix(file, "data/") {
					delete(f, file)
				}
			}
		}, 14, "sources.files.root"},
		"wrong encoding":           {func(f map[string]string) { f[day] += "x,2026-11-04T10:00:00Z,control,\xc3\x28\n" }, 1, "encoding"},
		"a ragged line among many": {func(f map[string]string) { f[day] += "x,2026-11-04T10:00:00Z,control\n" }, 0, ""},
		"every line ragged":        {func(f map[string]string) { f[day] = "id,at,arm,user\n" + strings.Repeat("x,y\n", 5) }, 15, "5 of 5 rows"},
		"a column missing":         {func(f map[string]string) { f[day] = strings.Replace(f[day], "id,at,arm,user", "id,at,arm,customer", 1) }, 1, "user"},
		"an unknown variant":       {func(f map[string]string) { f[day] += "x,2026-11-04T10:00:00Z,surprise,user-x\n" }, 15, "surprise"},
		"a user without variant":   {func(f map[string]string) { f[day] += "x,2026-11-04T10:00:00Z,,user-x\n" }, 0, ""},
		"an empty day":             {func(f map[string]string) { f[day] = "id,at,arm,user\n" }, 0, ""},
		"a control arm without users": {func(f map[string]string) {
			for file := range f {
				if strings.HasPrefix(file, "data/exposures") {
					f[file] = strings.ReplaceAll(f[file], ",control,", ",cashback,")
				}
			}
		}, 12, "control"},
		"a metric without variance": {func(f map[string]string) {
			for file := range f {
				if strings.HasPrefix(file, "data/payments") {
					f[file] = strings.ReplaceAll(f[file], ",succeeded", ",failed")
				}
			}
		}, 12, "paid"},
		"a metric on a table that is not extracted": {func(f map[string]string) {
			f["metrics/paid.yaml"] = "name: paid\ntype: count\ntable: raw/viewing\nwindow: 2d\n"
		}, 2, "metrics/paid.yaml:3:8: table: no stream under sources fills raw/viewing"},
		"an unknown column": {func(f map[string]string) {
			f["metrics/paid.yaml"] = strings.Replace(f["metrics/paid.yaml"], "column: status", "column: state", 1)
		}, 2, `raw/payment has no column "state": did you mean "status"?`},
		"a filter of another type": {func(f map[string]string) {
			f["metrics/revenue.yaml"] = strings.Replace(f["metrics/revenue.yaml"], "{column: currency, op: =, value: RUB}", "{column: currency, op: =, value: RUB}, {column: amount_minor, op: '>', value: much}", 1)
		}, 2, "metrics/revenue.yaml:4:"},
		"several currencies": {func(f map[string]string) {
			f["metrics/revenue.yaml"] = strings.Replace(f["metrics/revenue.yaml"], ", {column: currency, op: =, value: RUB}", "", 1)
		}, 2, "amount_minor is money in several currencies"},
		"another experiment's name": {func(f map[string]string) {
			f["experiments/offer.yaml"] = strings.Replace(f["experiments/offer.yaml"], "name: offer", "name: offers", 1)
		}, 12, "no unit has been exposed from 2026-11-01 to 2026-11-04"},
		"an unknown key": {func(f map[string]string) { f["metrics/paid.yaml"] += "windov: 3d\n" }, 2, `metrics/paid.yaml:6:1: unknown key "windov"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := worldFiles(1)
			c.change(files)
			dir := project(t, "data", worldStreams, files)
			a := fails(t, c.code, c.says, dir, fourDays...)
			if c.code == 0 {
				return
			}
			if lines := strings.Count(strings.TrimSpace(after(a.stderr, "crosslift: ")), "\n"); c.code == 2 && lines > 0 {
				t.Errorf("more than one line:\n%s", a.stderr)
			}
			if c.code != 2 {
				if rows := decode[[]result](t, must(t, dir, "results", "-o", "json")); len(rows) != 0 {
					t.Errorf("%d rows were published", len(rows))
				}
			}
		})
	}
}

func after(text, mark string) string {
	_, rest, _ := strings.Cut(text, mark)
	return rest
}

// TestIdle says why an experiment's jobs have nothing to do: its nights have not begun, or are over.
func TestIdle(t *testing.T) {
	t.Parallel()
	files := worldFiles(1)
	files["experiments/offer.yaml"] = strings.Replace(files["experiments/offer.yaml"], "2026-11-01", "2026-12-01", 1)
	dir := project(t, "data", worldStreams, files)
	if a := must(t, dir, fourDays...); !strings.Contains(a.stdout, "1 idle: it starts on 2026-12-01") {
		t.Errorf("the run printed\n%s", a.stdout)
	}
	if a := must(t, dir, "status"); !strings.Contains(a.stdout, "idle: it starts on 2026-12-01") {
		t.Errorf("status printed\n%s", a.stdout)
	}
}

// TestCatchesUp reads the days that a source had not delivered when their nights ran, and the nights that nobody ran.
func TestCatchesUp(t *testing.T) {
	t.Parallel()
	undisturbed := world(t)
	must(t, undisturbed, fourDays...)
	want := contents(t, undisturbed)

	dir := world(t)
	must(t, dir, "run", "--day", "2026-11-01")
	day := filepath.Join(dir, "data/payments/2026-11-02.csv")
	if err := os.Rename(day, day+".late"); err != nil {
		t.Fatal(err)
	}
	fails(t, 14, "payments/2026-11-02.csv", dir, "run", "--day", "2026-11-02")
	fails(t, 14, "payments/2026-11-02.csv", dir, "run", "--day", "2026-11-04") // nothing is published without it
	for _, r := range decode[[]result](t, must(t, dir, "results", "-o", "json")) {
		if r.AsOf != "2026-11-01" {
			t.Errorf("published as of %s", r.AsOf)
		}
	}
	if err := os.Rename(day+".late", day); err != nil {
		t.Fatal(err)
	}
	must(t, dir, "run", "--day", "2026-11-04")
	got := contents(t, dir)
	for key, content := range want {
		if got[key] != content && !tellsOfNights(key) {
			t.Errorf("%s is not that of an undisturbed run", key)
		}
	}
}

// TestYesterdayStays breaks a day after a good one: its results stay published, and bi.data_freshness says why.
func TestYesterdayStays(t *testing.T) {
	t.Parallel()
	dir := world(t)
	must(t, dir, "backfill", "--from", "2026-11-01", "--to", "2026-11-03")
	before := must(t, dir, "results", "-o", "json").stdout
	day := filepath.Join(dir, "data/exposures/2026-11-04.csv")
	content, err := os.ReadFile(day)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"data/exposures/2026-11-04.csv": string(content) + "x,2026-11-04T10:00:00Z,surprise,user-x\n"})
	fails(t, 15, "surprise", dir, "run", "--day", "2026-11-04")
	if got := must(t, dir, "results", "-o", "json").stdout; got != before {
		t.Errorf("after a failed night:\n%s\nbefore:\n%s", got, before)
	}
	write(t, dir, map[string]string{"data/exposures/2026-11-04.csv": string(content)})
	must(t, dir, "run", "--day", "2026-11-04")
	for _, r := range decode[[]result](t, must(t, dir, "results", "-o", "json")) {
		if r.AsOf != "2026-11-04" {
			t.Errorf("after it was mended, the newest result is of %s", r.AsOf)
		}
	}
}
