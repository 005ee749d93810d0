package ga

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/rest"
	"crosslift/connectors/sandbox/bigquery"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
	"crosslift/schemas/table"
)

// add files a row of an export under at or, where that is zero, under the time that it says.
func add(t testing.TB, w world.Writer, row string, at, visible time.Time) {
	t.Helper()
	var e struct {
		At string `json:"event_timestamp"`
	}
	if err := json.Unmarshal([]byte(row), &e); err != nil {
		t.Fatal(err)
	}
	if micros, err := strconv.ParseInt(e.At, 10, 64); err == nil && at.IsZero() {
		at = time.UnixMicro(micros).UTC()
	}
	if visible.IsZero() {
		visible = at
	}
	if err := w.Write(bigquery.Source, bigquery.Stream, world.Record{ID: strconv.FormatInt(at.UnixMicro(), 10), At: at, Visible: visible, Object: json.RawMessage(row)}); err != nil {
		t.Fatal(err)
	}
}

// lab is a sandbox and the source that reads it.
type lab struct {
	*source
	clock  *worldtest.Clock
	config Config
	log    *bytes.Buffer

	mu     sync.Mutex
	asked  []string                                                 // the paths with queries
	before func(n int, w http.ResponseWriter, r *http.Request) bool // answers itself where it reports true; nil: never
}

const (
	project = "cinema"
	dataset = "analytics_1"
	digits  = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
)

// newLab serves a world whose business is in UTC, as is the property.
func newLab(t testing.TB, w world.Reader, tune func(*Config, *bigquery.Options, *connectors.Env)) *lab {
	t.Helper()
	l := &lab{clock: worldtest.NewClock(time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC)), log: &bytes.Buffer{}}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.asked = append(l.asked, r.URL.String())
		n, before := len(l.asked), l.before
		l.mu.Unlock()
		if before == nil || !before(n, w, r) {
			handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	file, err := bigquery.NewServiceAccount(project, server.URL+"/token")
	if err != nil {
		t.Fatal(err)
	}
	account, err := bigquery.ReadAccount(file)
	if err != nil {
		t.Fatal(err)
	}
	key, err := identifier.ParseKey("k1:" + digits)
	if err != nil {
		t.Fatal(err)
	}
	o := bigquery.Options{Project: project, Dataset: dataset, Account: account, Zone: time.UTC, Now: l.clock.Now}
	env := connectors.Env{
		Key: key, Zone: time.UTC, Now: time.Now, Log: slog.New(slog.NewJSONHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	l.config = Config{
		Project: project, Dataset: dataset, Credentials: secret.New(string(file)), PropertyZone: "UTC",
		Endpoint: server.URL + "/bigquery/v2/", Params: []string{"page_location", "page_title"},
	}
	if tune != nil {
		tune(&l.config, &o, &env)
	}
	handler = bigquery.Handler(w, o)
	l.source, err = open(l.config, env, rest.Retry{Tries: 4, First: time.Millisecond, Most: 5 * time.Millisecond}, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.source.Close() })
	return l
}

// intercept answers some requests instead of the sandbox. n counts requests from 1.
func (l *lab) intercept(before func(n int, w http.ResponseWriter, r *http.Request) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked, l.before = nil, before
}

func (l *lab) stream() connectors.Stream { return l.Streams()[0] }

func (l *lab) sink(day table.Day) *connectorstest.Sink[table.WebEventRow] {
	return &connectorstest.Sink[table.WebEventRow]{Table: table.WebEvent, Window: day.Window(l.env.Zone)}
}

// extract reads a day as a night does.
func (l *lab) extract(t testing.TB, text string) (*connectorstest.Sink[table.WebEventRow], error) {
	t.Helper()
	day := dayOf(t, text)
	sink := l.sink(day)
	inputs, err := l.stream().Inputs(t.Context(), day)
	if err != nil {
		return sink, err
	}
	return sink, l.stream().Extract(t.Context(), day, inputs, sink)
}

func dayOf(t testing.TB, text string) table.Day {
	t.Helper()
	day, err := table.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return day
}

// realRows are the rows of Google's public sample of a GA4 export.
func realRows(t testing.TB) []string {
	t.Helper()
	root := os.Getenv("CROSSLIFT_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	f, err := os.Open(filepath.Join(root, "ga4", "ga4_obfuscated_sample_ecommerce.sample.ndjson.gz"))
	if err != nil {
		t.Skip("the GA4 sample is not here: set CROSSLIFT_DATA to the folder of the data sets")
	}
	defer f.Close()
	plain, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for lines := bufio.NewReader(plain); ; {
		line, err := lines.ReadString('\n')
		if line != "" {
			rows = append(rows, line)
		}
		if err != nil {
			return rows
		}
	}
}

// sameRow compares rows by what they hold.
func sameRow(a, b table.WebEventRow) bool {
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && bytes.Equal(x, y)
}
