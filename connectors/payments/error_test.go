package payments

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/sandbox/stripe/stripetest"
)

const planted = "ann.smith@gmail.com"

// TestErrors says what a failed extract means, and nothing personal.
func TestErrors(t *testing.T) {
	t.Parallel()
	stripeSays := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Request-Id", "req_abc")
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		})
	}
	refusal := `{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":"x","message":"Received ` + planted + `",` +
		`"payment_intent":{"id":"pi_1","object":"payment_intent","receipt_email":"` + planted + `"}}}`
	for _, c := range []struct {
		name   string
		answer http.Handler
		means  error
		says   string
	}{
		{"a key that is revoked", stripeSays(401, `{"error":{"type":"invalid_request_error","message":"Invalid API Key provided: rk_live_****"}}`),
			connectors.ErrDown, "payments: charges 2026-11-02: page 1 of what was created: GET /v1/charges: 401 invalid_request_error: Invalid API Key provided: rk_live_**** (req_abc)"},
		{"a permission that is missing", stripeSays(403, `{"error":{"type":"invalid_request_error","message":"no"}}`), connectors.ErrDown, "403"},
		{"our own mistake", stripeSays(400, refusal), nil,
			"GET /v1/charges: 400 invalid_request_error parameter_unknown of x: Received [redacted] (req_abc)"},
		{"trouble", stripeSays(500, `{"error":{"type":"api_error","message":"oops"}}`), connectors.ErrDown, "500 api_error: oops"},
		{"a proxy's page", stripeSays(502, `<html>`+planted+`</html>`), connectors.ErrDown, "GET /v1/charges"},
		{"a page that says yes", stripeSays(200, `<html>`+planted+`</html>`), connectors.ErrContract, "expected a list or an object in JSON"},
		{"something else", stripeSays(200, `{"object":"balance","data":"`+planted+`"}`), connectors.ErrContract, "expected a list or an object in JSON"},
		{"no list", stripeSays(200, `{"object":"`+planted+`"}`), connectors.ErrContract, "expected a list with has_more"},
		{"a list without an end", stripeSays(200, `{"object":"list","has_more":true,"data":[]}`), connectors.ErrContract, "expected a list with has_more"},
		{"an answer that is always cut off", stripeSays(200, `{"object":"list","has_mo`), connectors.ErrDown, "the answer broke off"},
		{"an empty answer", stripeSays(200, ``), connectors.ErrDown, "the answer broke off"},
		{"a list that repeats itself", stripeSays(200, `{"object":"list","has_more":true,"data":[{"id":"ch_1","object":"charge","created":1793600000}]}`),
			connectors.ErrContract, "again and again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v1/charges" {
					c.answer.ServeHTTP(w, r)
					return
				}
				fmt.Fprint(w, `{"object":"list","has_more":false,"data":[]}`)
			}))
			defer server.Close()
			s := open(t, server.URL, func() time.Time { return stripetest.At(3, "03:00:00") })
			r := read(t, s, "charges", 2, "", nil)
			switch {
			case r.err == nil:
				t.Fatal("no error")
			case c.means != nil && !errors.Is(r.err, c.means),
				c.means == nil && (errors.Is(r.err, connectors.ErrDown) || errors.Is(r.err, connectors.ErrContract)):
				t.Errorf("it means something else: %v", r.err)
			case !strings.Contains(r.err.Error(), c.says) || strings.Contains(r.err.Error(), "ann"):
				t.Errorf("%v\nexpected %s", r.err, c.says)
			}
		})
	}
}

// TestDown: nobody listens.
func TestDown(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	s := open(t, server.URL, time.Now)
	if r := read(t, s, "refunds", 2, "", nil); !errors.Is(r.err, connectors.ErrDown) || strings.Contains(r.err.Error(), "limit=") {
		t.Errorf("%v", r.err)
	}
}

// TestCanceled: an extract ends with its context, which is no fault of the source.
func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	s := open(t, server.URL, time.Now)
	err := streamOf(t, s, "invoices").Extract(ctx, day(2), nil, &problems{})
	if !errors.Is(err, context.Canceled) || errors.Is(err, connectors.ErrDown) {
		t.Errorf("%v", err)
	}
}

// TestBrokenEvent: an event that names no object is rejected on its day, as a row is that cannot be read; one of no time
// belongs to no day, and stops it.
func TestBrokenEvent(t *testing.T) {
	t.Parallel()
	opened := func(event string) connectors.Source {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			data := ""
			if r.URL.Path == "/v1/events" {
				data = event
			}
			fmt.Fprintf(w, `{"object":"list","has_more":false,"data":[%s]}`, data)
		}))
		t.Cleanup(server.Close)
		return open(t, server.URL, func() time.Time { return stripetest.At(4, "03:00:00") })
	}
	event := `{"id":"evt_1","object":"event","created":1793620000,"data":{"object":{"id":null}}}`
	s := opened(event)
	for n, want := range map[int]int{1: 0, 2: 1, 3: 0} {
		r := read(t, s, "charges", n, "", nil)
		if r.err != nil || len(r.rejected) != want || want == 1 && (r.rejected[0].Where.File != "/v1/events" ||
			string(r.rejected[0].Where.Raw) != event || r.totals[0].Value != 1) {
			t.Errorf("day %d: %+v", n, r)
		}
	}
	r := read(t, opened(`{"id":"evt_1","object":"event","created":"today","data":{"object":{"id":"ch_1"}}}`), "charges", 2, "", nil)
	if !errors.Is(r.err, connectors.ErrContract) || !strings.Contains(r.err.Error(), "events: GET /v1/events: an event has no time") {
		t.Errorf("%v", r.err)
	}
}

// TestPersonal searches everything that the connector lets out for what it must not know: rows, reasons, cursors, log.
func TestPersonal(t *testing.T) {
	t.Parallel()
	w := stripetest.World()
	w.Charges[0].Currency = "ann" // rejected
	a := serveAlone(t, stripetest.Build(t, w))
	var out strings.Builder
	c := Config{Key: secretOf(stripetest.Key), Account: "acct_1", URL: a.url}
	s, err := New(c, connectors.Env{
		Key: key, Zone: stripetest.Zone, Now: a.clock.Now,
		Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range s.Streams() {
		for n := 1; n <= 7; n++ {
			sink := &heard{&out}
			if err := stream.Extract(t.Context(), day(n), nil, sink); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(out.String()) < 10000 {
		t.Errorf("only %d bytes were heard", out.Len())
	}
	for _, secret := range []string{"ann.smith", "gmail", "bob@mail", "4930901820", "9161234567", "u-ann", "u-bob", "fpAnn", "630512345678", "rk_test"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s was let out", secret)
		}
	}
}

// heard is a sink that writes down everything but the bytes of rejected rows, of which only a hash is kept.
type heard struct{ out *strings.Builder }

func (h *heard) Row(row any, o connectors.Origin) error {
	fmt.Fprintf(h.out, "%+v %s %d %v\n", row, o.File, o.Position, o.Fields)
	return nil
}

func (h *heard) Reject(o connectors.Origin, reason string) error {
	fmt.Fprintln(h.out, o.File, o.Fields, reason)
	return nil
}

func (h *heard) Resume() string { return "" }

func (h *heard) Page(cursor string) error {
	fmt.Fprintln(h.out, cursor)
	return nil
}

func (h *heard) Total(total connectors.Total) error {
	fmt.Fprintln(h.out, total)
	return nil
}

func (h *heard) Unclassified(field string) { fmt.Fprintln(h.out, field) }

// TestCursor refuses what no extract of ours has written.
func TestCursor(t *testing.T) {
	t.Parallel()
	a := serveAlone(t, stripetest.Build(t))
	for _, from := range []string{"ch_1", "{}x", `{"phase":"later"}`, `{"objects":-1}`} {
		if r := read(t, a.open(t), "charges", 2, from, nil); r.err == nil || !strings.Contains(r.err.Error(), "from its beginning") {
			t.Errorf("%s: %v", from, r.err)
		}
	}
}

// TestCheck finds what a night would meet.
func TestCheck(t *testing.T) {
	t.Parallel()
	good := serve(t, stripetest.Build(t, stripetest.World()))
	good.clock.Set(time.Now())
	findings := good.open(t).Check(t.Context())
	if len(findings) != 2+6+3 {
		t.Errorf("%d findings", len(findings))
	}
	for _, f := range findings {
		if f.Problem != nil || f.What == "" || f.Remedy == "" {
			t.Errorf("%+v", f)
		}
	}

	problem := func(s connectors.Source) string {
		var texts []string
		for _, f := range s.Check(t.Context()) {
			if f.Problem != nil {
				texts = append(texts, f.What+": "+f.Problem.Error())
			}
		}
		return strings.Join(texts, "\n")
	}
	wrong := good.open(t, func(c *Config) { c.Key = secretOf("rk_test_wrong") })
	if got := problem(wrong); !strings.HasPrefix(got, "key: GET /v1/balance_transactions: 401") || strings.Contains(got, "\n") {
		t.Errorf("a wrong key: %s", got)
	}
	hidden := serveAlone(t, stripetest.Build(t, stripetest.World()), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/disputes" {
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `{"error":{"type":"invalid_request_error","message":"The key lacks rak_dispute_read"}}`)
				return
			}
			if r.URL.Path == "/v1/refunds" {
				fmt.Fprint(w, `{"object":"list","has_more":false,"data":[{"id":"re_1","object":"refund","created":1}]}`)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	if got := problem(hidden.open(t)); !strings.Contains(got, "stream disputes: GET /v1/disputes: 403") ||
		!strings.Contains(got, "stream refunds: 1 of the newest 1 objects break the contract of raw/refund: amount: required, but empty") {
		t.Errorf("no permission: %s", got)
	}
	late := open(t, good.url, func() time.Time { return time.Now().Add(-time.Hour) })
	if got := problem(late); !strings.HasPrefix(got, "clock: it is ") {
		t.Errorf("the clock: %s", got)
	}
}
