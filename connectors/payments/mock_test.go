package payments

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/sandbox/stripe/stripetest"
	"crosslift/schemas/table"
)

// TestMock sends every request that the connector has to stripe-mock, Stripe's own stand-in, which refuses what its
// specification does not know, and reads its fixtures. They are of one second in 2009, whatever is asked for.
func TestMock(t *testing.T) {
	t.Parallel()
	mock := stripetest.Mock(t)
	judge := stripetest.NewJudge(t)
	var mu sync.Mutex
	asked := map[string]int{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := judge.Request(r); err != nil {
			t.Errorf("request %s: %v", r.URL, err)
		}
		mu.Lock()
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
		asked[first]++
		mu.Unlock()
		forward, err := http.NewRequestWithContext(r.Context(), r.Method, mock+r.URL.RequestURI(), nil)
		if err != nil {
			t.Error(err)
			return
		}
		forward.Header = r.Header
		response, err := http.DefaultTransport.RoundTrip(forward)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Error(err)
		}
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", r.URL, response.StatusCode, body)
		}
		w.WriteHeader(response.StatusCode)
		w.Write(body)
	}))
	t.Cleanup(proxy.Close)

	second := time.Unix(1234567890, 0)
	then := table.DayOf(second, stripetest.Zone)
	s := open(t, proxy.URL, func() time.Time { return second.Add(30 * time.Hour) },
		func(c *Config) { c.Key = secretOf("sk_test_123") })
	for _, stream := range s.Streams() {
		sink := &counted{Discard: connectorstest.Discard{}}
		if err := stream.Extract(t.Context(), then, nil, sink); err != nil {
			t.Errorf("%s: %v", stream.Name(), err)
		}
		if sink.rows != 1 {
			t.Errorf("%s: %d rows, rejected: %q", stream.Name(), sink.rows, sink.reasons)
		}
	}
	for _, f := range s.Check(t.Context()) {
		if f.Problem != nil && f.What != "clock" {
			t.Errorf("%s: %v", f.What, f.Problem)
		}
	}
	mu.Lock()
	for _, list := range strings.Fields("charges refunds disputes subscriptions invoices balance_transactions events invoice_payments prices") {
		if asked[list] == 0 {
			t.Errorf("nothing was asked of %s", list)
		}
	}
	mu.Unlock()

	// One by one, as what was changed is read, with what comes with it.
	api := s.(*source).api
	for _, k := range kinds() {
		if _, err := api.get(t.Context(), k.path, "id_1", k.expand...); err != nil {
			t.Errorf("%s: %v", k.path, err)
		}
	}
	if _, err := api.get(t.Context(), "/v1/prices", "price_1"); err != nil {
		t.Error(err)
	}
	if _, err := api.list(t.Context(), "/v1/invoice_payments", billOfIntent("pi_1"), "inpay_1"); err != nil {
		t.Error(err)
	}
}

// counted is a sink that counts.
type counted struct {
	connectorstest.Discard
	rows    int
	reasons []string
}

func (c *counted) Row(any, connectors.Origin) error { c.rows++; return nil }

func (c *counted) Reject(_ connectors.Origin, reason string) error {
	c.reasons = append(c.reasons, reason)
	return nil
}
