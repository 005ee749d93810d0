package ga

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/sandbox/bigquery"
	"crosslift/connectors/sandbox/world/worldtest"
)

const day = "2026-11-03"

// aDay is 25 events of a day, one every half hour.
func aDay(t testing.TB) *worldtest.Memory {
	t.Helper()
	w := worldtest.NewMemory(time.UTC)
	for i := range 25 {
		at := utc("2026-11-03T08:00").Add(time.Duration(i) * 30 * time.Minute)
		add(t, w, exported(at, fmt.Sprintf(`"event_bundle_sequence_id":"%d"`, i)), time.Time{}, time.Time{})
	}
	return w
}

func smallPages(c *Config, _ *bigquery.Options, _ *connectors.Env) { c.PageSize = 10 }

// refuse answers as Google does.
func refuse(w http.ResponseWriter, status int, reason, message string) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{
		"code": status, "message": message, "errors": []any{map[string]string{"reason": reason, "message": message}},
	}})
}

// isRows reports whether a request is for rows.
func isRows(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/data") }

// cut sends an answer's beginning and drops the connection.
func cut(w http.ResponseWriter, length string) {
	if length != "" {
		w.Header().Set("Content-Length", length)
	}
	w.Write([]byte(`{"totalRows":"25","rows":[{"f":[{"v":"page`))
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// TestSurvived: what passes by itself costs no row and none comes twice.
func TestSurvived(t *testing.T) {
	t.Parallel()
	once := func(answer func(http.ResponseWriter)) func(int, http.ResponseWriter, *http.Request) bool {
		return func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n%2 == 0 {
				answer(w)
			}
			return n%2 == 0
		}
	}
	for name, fault := range map[string]func(int, http.ResponseWriter, *http.Request) bool{
		"503":        once(func(w http.ResponseWriter) { refuse(w, 503, "backendError", "Try again") }),
		"500":        once(func(w http.ResponseWriter) { w.WriteHeader(500) }),
		"429":        once(func(w http.ResponseWriter) { w.Header().Set("Retry-After", "0"); w.WriteHeader(429) }),
		"rate limit": once(func(w http.ResponseWriter) { refuse(w, 403, "rateLimitExceeded", "Exceeded rate limits") }),
		"cut":        once(func(w http.ResponseWriter) { cut(w, "") }),
		"ends early": once(func(w http.ResponseWriter) { w.Write([]byte(`{"totalRows":"25","rows":[{"f":[{"v":"pa`)) }),
		"cut short":  once(func(w http.ResponseWriter) { cut(w, "5000") }),
		"401": func() func(int, http.ResponseWriter, *http.Request) bool {
			var refused atomic.Bool
			return func(n int, w http.ResponseWriter, r *http.Request) bool {
				if isRows(r) && refused.CompareAndSwap(false, true) {
					refuse(w, 401, "authError", "Invalid Credentials")
					return true
				}
				return false
			}
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, aDay(t), smallPages)
			l.intercept(fault)
			sink, err := l.extract(t, day)
			if err != nil {
				t.Fatal(err)
			}
			ids := map[string]bool{}
			for _, r := range sink.Rows {
				ids[r.SourceID] = true
			}
			if len(sink.Rows) != 25 || len(ids) != 25 || sink.Totals[0].Value != 25 || len(sink.Cursors) != 3 {
				t.Errorf("%d rows, %d ids, totals %v, %d pages", len(sink.Rows), len(ids), sink.Totals, len(sink.Cursors))
			}
		})
	}
}

// TestFailed: what does not pass ends the extract, with what it means and where it was; nothing of Google's message that
// could be personal is told.
func TestFailed(t *testing.T) {
	t.Parallel()
	rows := func(status int, reason, message string) func(int, http.ResponseWriter, *http.Request) bool {
		return func(n int, w http.ResponseWriter, r *http.Request) bool {
			if !isRows(r) || r.URL.Query().Get("pageToken") == "" {
				return false
			}
			if status == 200 {
				w.Write([]byte(message))
			} else {
				refuse(w, status, reason, message)
			}
			return true
		}
	}
	body := func(text string) func(int, http.ResponseWriter, *http.Request) bool { return rows(200, "", text) }
	for name, c := range map[string]struct {
		fault func(int, http.ResponseWriter, *http.Request) bool
		kind  error
		want  string
	}{
		"503 for ever": {rows(503, "backendError", "of ann@mail.ru"), connectors.ErrDown,
			"ga/events 2026-11-03: table events_20261103: page 2, from row 11: 503 Service Unavailable: of [redacted]: the source is down"},
		"rate limit for ever": {rows(403, "rateLimitExceeded", "Slow down"), connectors.ErrDown, "403 Forbidden: Slow down: the source is down"},
		"no permission":       {rows(403, "accessDenied", "Access Denied"), connectors.ErrDown, "the service account needs the role BigQuery Data Viewer on the dataset"},
		"401 for ever":        {rows(401, "authError", "Invalid Credentials"), connectors.ErrDown, "check the key file in credentials"},
		"400":                 {rows(400, "invalid", "no"), connectors.ErrContract, "400 Bad Request: no"},
		"no JSON":             {body(`<html>+7 916 123-45-67</html>`), connectors.ErrContract, "not the JSON that is documented"},
		"ends early":          {body(`{"totalRows":"25","rows":[{"f":[`), connectors.ErrDown, "the answer was cut off"},
		"a row is no row":     {body(`{"totalRows":"25","rows":[{"x":1}]}`), connectors.ErrContract, "not the JSON that is documented"},
		"rows are no list":    {body(`{"totalRows":"25","rows":{}}`), connectors.ErrContract, "not the JSON that is documented"},
		"too few":             {body(`{"totalRows":"25","rows":[]}`), connectors.ErrDown, "it is said to have 25 rows, but 10 were read"},
		"nothing, and more":   {body(`{"totalRows":"25","pageToken":"x"}`), connectors.ErrContract, "empty, though more is said to follow"},
		"other total":         {body(`{"totalRows":"26","rows":[]}`), connectors.ErrDown, "it was changed since the plan was made"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, aDay(t), smallPages)
			l.intercept(c.fault)
			start := time.Now()
			_, err := l.extract(t, day)
			if !errors.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("%v\nexpected %s", err, c.want)
			}
			if strings.Contains(fmt.Sprint(err), "ann@") || strings.Contains(fmt.Sprint(err), "916") || time.Since(start) > 3*time.Second {
				t.Errorf("after %s: %v", time.Since(start), err)
			}
		})
	}
}

// TestStale: a page that was sent before is asked for again, and given up when it stays.
func TestStale(t *testing.T) {
	t.Parallel()
	l := newLab(t, aDay(t), smallPages)
	stale := func(always bool) func(int, http.ResponseWriter, *http.Request) bool {
		var pages atomic.Int32
		return func(_ int, _ http.ResponseWriter, r *http.Request) bool {
			if !isRows(r) {
				return false
			}
			if n := pages.Add(1); n == 2 || always && n > 2 {
				query := r.URL.Query()
				query.Del("pageToken")
				r.URL.RawQuery = query.Encode()
			}
			return false
		}
	}
	l.intercept(stale(false))
	if sink, err := l.extract(t, day); err != nil || len(sink.Rows) != 25 {
		t.Errorf("%d rows, %v", len(sink.Rows), err)
	}
	l.intercept(stale(true))
	if sink, err := l.extract(t, day); !errors.Is(err, errStale) || len(sink.Rows) != 10 || len(sink.Cursors) != 1 {
		t.Errorf("%d rows, %v", len(sink.Rows), err)
	}
}

// TestDeadline: a service that does not answer is down when the deadline is over.
func TestDeadline(t *testing.T) {
	t.Parallel()
	l := newLab(t, aDay(t), nil)
	l.service.deadline = 50 * time.Millisecond
	l.intercept(func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Second):
		}
		return true
	})
	if _, err := l.extract(t, day); !errors.Is(err, connectors.ErrDown) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.stream().Inputs(ctx, dayOf(t, day)); !errors.Is(err, context.Canceled) || errors.Is(err, connectors.ErrDown) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestPending: a table that is not there is waited for. An intraday one stands in where it is allowed to.
func TestPending(t *testing.T) {
	t.Parallel()
	l := newLab(t, aDay(t), nil)
	l.clock.Set(utc("2026-11-03T12:10"))
	_, err := l.extract(t, day)
	if !errors.Is(err, connectors.ErrDown) || !strings.Contains(err.Error(), "table events_20261103: not delivered yet, pending") {
		t.Errorf("%v", err)
	}
	l.config.Intraday, l.source.config.Intraday = true, true
	sink, err := l.extract(t, day)
	if err != nil || len(sink.Rows) != 9 {
		t.Fatalf("%d rows, %v", len(sink.Rows), err)
	}
	early := sink.Rows[0]
	inputs, err := l.stream().Inputs(t.Context(), dayOf(t, day))
	if err != nil || len(inputs) != 1 || inputs[0].Name != "events_intraday_20261103" {
		t.Errorf("%v, %v", inputs, err)
	}
	l.clock.Set(utc("2026-11-04T12:00"))
	sink, err = l.extract(t, day)
	if err != nil || len(sink.Rows) != 25 || sink.Rows[0] != early {
		t.Errorf("%d rows, %v", len(sink.Rows), err)
	}
	if err := l.stream().Extract(t.Context(), dayOf(t, day), inputs, sink); !errors.Is(err, errChanged) {
		t.Errorf("planned for the intraday table: %v", err)
	}
}

// TestRestated: late events give a day other inputs; a table that changes while it is read fails the extract.
func TestRestated(t *testing.T) {
	t.Parallel()
	w := aDay(t)
	add(t, w, exported(utc("2026-11-03T09:10"), ""), time.Time{}, utc("2026-11-06T09:00"))
	l := newLab(t, w, smallPages)
	l.clock.Set(utc("2026-11-04T12:00"))
	stream := l.stream()
	before, err := stream.Inputs(t.Context(), dayOf(t, day))
	if err != nil {
		t.Fatal(err)
	}
	l.clock.Set(utc("2026-11-05T12:00"))
	if again, err := stream.Inputs(t.Context(), dayOf(t, day)); err != nil || !slices.Equal(before, again) {
		t.Errorf("nothing changed: %v, %v, %v", before, again, err)
	}
	var rows atomic.Int32
	l.intercept(func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		if isRows(r) {
			if rows.Add(1) == 2 {
				l.clock.Set(utc("2026-11-06T12:00"))
			}
		}
		return false
	})
	sink := l.sink(dayOf(t, day))
	if err := stream.Extract(t.Context(), dayOf(t, day), before, sink); !errors.Is(err, errChanged) || len(sink.Totals) > 0 {
		t.Errorf("changed while it was read: %v", err)
	}
	if sink, err := l.extract(t, day); err != nil || len(sink.Rows) != 26 {
		t.Errorf("%d rows, %v", len(sink.Rows), err)
	}
	if stream.Restatement() != 3 || !stream.Versioned() {
		t.Error("the export is rewritten for three days, and its states can be told apart")
	}
}

// TestResumed: an extract that breaks off anywhere goes on at its last page, over all its tables, and ends with the same
// rows and totals.
func TestResumed(t *testing.T) {
	t.Parallel()
	w := aDay(t)
	for i := range 25 {
		add(t, w, exported(utc("2026-11-02T13:00").Add(time.Duration(i)*20*time.Minute), ""), time.Time{}, time.Time{})
	}
	moscow, err := loadZone("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, w, func(c *Config, _ *bigquery.Options, e *connectors.Env) { c.PageSize, e.Zone = 4, moscow })
	whole, err := l.extract(t, day)
	if err != nil || len(whole.Rows) == 0 {
		t.Fatal(err)
	}
	d := dayOf(t, day)
	inputs, err := l.stream().Inputs(t.Context(), d)
	if err != nil || len(inputs) != 2 {
		t.Fatal(inputs, err)
	}
	stop := errors.New("stopped")
	for at := range whole.Rows {
		first := l.sink(d)
		kept := 0
		first.Fail = func(rows int) error {
			if rows == at {
				return stop
			}
			return nil
		}
		if err := l.stream().Extract(t.Context(), d, inputs, first); !errors.Is(err, stop) {
			t.Fatalf("stopped at row %d: %v", at, err)
		}
		second := l.sink(d)
		if n := len(first.Cursors); n > 0 {
			second.From = first.Cursors[n-1]
		}
		if err := l.stream().Extract(t.Context(), d, inputs, second); err != nil {
			t.Fatalf("resumed at %s: %v", second.From, err)
		}
		kept = len(whole.Rows) - len(second.Rows)
		if kept < 0 || kept > at || !slices.EqualFunc(append(first.Rows[:kept:kept], second.Rows...), whole.Rows, sameRow) {
			t.Errorf("stopped at row %d: %d rows before and %d after make not the whole", at, len(first.Rows), len(second.Rows))
		}
		if !slices.Equal(second.Totals, whole.Totals) {
			t.Errorf("stopped at row %d: totals %v, expected %v", at, second.Totals, whole.Totals)
		}
	}
	for _, cursor := range whole.Cursors {
		sink := l.sink(d)
		sink.From = cursor
		if err := l.stream().Extract(t.Context(), d, inputs, sink); err != nil || !slices.Equal(sink.Totals, whole.Totals) {
			t.Errorf("resumed at %s: %v, %v", cursor, err, sink.Totals)
		}
	}
	for _, foreign := range []string{"x", `{"table":"events_20261103","state":"other"}`, `{"table":"events_20260101","state":""}`} {
		sink := l.sink(d)
		sink.From = foreign
		if err := l.stream().Extract(t.Context(), d, inputs, sink); !errors.Is(err, errResume) {
			t.Errorf("resumed at %s: %v", foreign, err)
		}
	}
}

// TestDrift: columns and parameters that are not known are announced once, and by a name that tells nothing of persons.
func TestDrift(t *testing.T) {
	t.Parallel()
	w := worldtest.NewMemory(time.UTC)
	for i := range 3 {
		params := `"event_params":[{"key":"shelf","value":{"string_value":"x"}},{"key":"ann@mail.ru","value":{}},{"key":"79161234567","value":{}},` +
			`{"key":"page_title","value":{"string_value":"t"}},{"key":"quiet","value":{"string_value":"x"}}]`
		add(t, w, exported(utc("2026-11-03T12:00").Add(time.Duration(i)*time.Hour), params+`,"mood":"blue","geo":{"planet":"Earth","country":"Peru"}`),
			time.Time{}, time.Time{})
	}
	l := newLab(t, w, func(c *Config, o *bigquery.Options, _ *connectors.Env) {
		c.Drop = []string{"quiet"}
		o.Columns = append(bigquery.Columns(), bigquery.Field{Name: "mood", Type: "STRING", Mode: "NULLABLE"})
		for i := range o.Columns {
			if f := &o.Columns[i]; f.Name == "geo" {
				f.Fields = append(f.Fields, bigquery.Field{Name: "planet", Type: "STRING", Mode: "NULLABLE"})
			}
		}
	})
	sink, err := l.extract(t, day)
	if err != nil || len(sink.Rows) != 3 || sink.Rows[0].Country != "PE" || sink.Rows[0].Params != `{"page_title":"t"}` {
		t.Fatalf("%v, %v", sink.Rows, err)
	}
	want := map[string]int{"mood": 1, "geo.planet": 1, "event_params.shelf": 1, "event_params.(unprintable)": 2}
	if fmt.Sprint(sink.Fields) != fmt.Sprint(want) {
		t.Errorf("announced %v, expected %v", sink.Fields, want)
	}
}

// TestWholeRows: a server that knows no selectedFields sends whole rows, which are read alike.
func TestWholeRows(t *testing.T) {
	t.Parallel()
	l := newLab(t, aDay(t), nil)
	some, err := l.extract(t, day)
	if err != nil {
		t.Fatal(err)
	}
	l.intercept(func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		if isRows(r) && query.Get("selectedFields") == "" {
			t.Error("no fields were selected")
		}
		query.Del("selectedFields")
		r.URL.RawQuery = query.Encode()
		return false
	})
	whole, err := l.extract(t, day)
	if err != nil || !slices.EqualFunc(some.Rows, whole.Rows, sameRow) {
		t.Errorf("%d rows, %d whole ones: %v", len(some.Rows), len(whole.Rows), err)
	}
}

// TestNoExport: a table that is no export breaks the contract.
func TestNoExport(t *testing.T) {
	t.Parallel()
	l := newLab(t, aDay(t), func(_ *Config, o *bigquery.Options, _ *connectors.Env) {
		o.Columns = bigquery.Columns()[:2]
	})
	if _, err := l.extract(t, day); !errors.Is(err, connectors.ErrContract) || !strings.Contains(err.Error(), "no column event_params") {
		t.Errorf("%v", err)
	}
}
