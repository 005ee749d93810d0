package payments

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/sandbox/stripe/stripetest"
	"crosslift/schemas/table"
)

// TestTotals are by Stripe's own books: what the balance says of the day, and what it cannot know as it was read.
func TestTotals(t *testing.T) {
	t.Parallel()
	a := serve(t, stripetest.Build(t, stripetest.World()))
	s := a.open(t)
	for _, c := range []struct {
		kind string
		day  int
		want string
	}{
		{"charges", 1, "rows 2, RUB 89800"}, // 59900 of them failed: no balance transaction has them
		{"charges", 2, "rows 3, ISK 700, JPY 500, RUB 59900"},
		{"charges", 3, "rows 2, ISK 700, RUB 29900"},
		{"charges", 6, "rows 0"},
		{"refunds", 3, "rows 1, RUB 9900"},
		{"disputes", 7, "rows 1"},
		{"balance_transactions", 3, "rows 2"},
	} {
		r := read(t, s, c.kind, c.day, "", nil)
		var got []string
		for _, total := range r.totals {
			if total.Measure == connectors.Rows {
				got = append(got, fmt.Sprintf("rows %d", total.Value))
			} else {
				got = append(got, fmt.Sprintf("%s %d", total.Currency, total.Value))
			}
		}
		if r.err != nil || strings.Join(got, ", ") != c.want {
			t.Errorf("%s of day %d: %v, %q, expected %q", c.kind, c.day, r.err, got, c.want)
		}
	}
}

// TestDoubt: where a balance transaction cannot be read, no sum is told; the rows are there.
func TestDoubt(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{`{"available_on"`, `{"amount":"unknown","available_on"`} {
		a := serveAlone(t, stripetest.Build(t, stripetest.World()), each(1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			recorded := passed(next, w, r)
			w.WriteHeader(recorded.Code)
			w.Write(bytes.ReplaceAll(recorded.Body.Bytes(), []byte(`{"amount":59900,"available_on"`), []byte(broken)))
		}))
		r := read(t, a.open(t), "charges", 2, "", nil)
		if r.err != nil || len(r.rows) != 3 || len(r.rejected) > 0 || !slices.Equal(r.totals, []connectors.Total{{Measure: connectors.Rows, Value: 3}}) {
			t.Errorf("%s: %v, %q, %v, %v", broken, r.err, r.rows, r.rejected, r.totals)
		}
	}
}

// TestLaterLoss: a charge is told as it was on its day, while what has become of it since has lost a field. The balance vouches
// for it all the same, and it counts once.
func TestLaterLoss(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"currency", "amount"} {
		a := serveAlone(t, stripetest.Build(t, stripetest.World()), each(1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			recorded := passed(next, w, r)
			var p map[string]any
			body := recorded.Body.Bytes()
			if r.URL.Path == "/v1/charges" && json.Unmarshal(body, &p) == nil {
				for _, o := range p["data"].([]any) {
					if charge := o.(map[string]any); charge["id"] == "ch_a1" {
						delete(charge, lost)
					}
				}
				body, _ = json.Marshal(p)
			}
			w.WriteHeader(recorded.Code)
			w.Write(body)
		}))
		r := read(t, a.open(t), "charges", 1, "", nil)
		want := []connectors.Total{{Measure: connectors.Rows, Value: 2}, {Measure: "amount_minor", Currency: "RUB", Value: 89800}}
		if r.err != nil || len(r.rows) != 2 || len(r.rejected) > 0 || !slices.Equal(r.totals, want) {
			t.Errorf("%s: %v, %q, %v, %v", lost, r.err, r.rows, r.rejected, r.totals)
		}
	}
}

// TestLostCharge is found by the totals: the list hides a charge that the balance has.
func TestLostCharge(t *testing.T) {
	t.Parallel()
	a := serve(t, stripetest.Build(t, stripetest.World()), each(1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorded := passed(next, w, r)
		var p map[string]any
		body := recorded.Body.Bytes()
		if r.URL.Path == "/v1/charges" && json.Unmarshal(body, &p) == nil {
			p["data"] = slices.DeleteFunc(p["data"].([]any), func(o any) bool { return o.(map[string]any)["id"] == "ch_b2" })
			body, _ = json.Marshal(p)
		}
		w.WriteHeader(recorded.Code)
		w.Write(body)
	}))
	a.clock.Set(stripetest.At(3, "03:00:00"))
	sink := &connectorstest.Sink[table.PaymentRow]{Table: table.Payment, Window: day(2).Window(stripetest.Zone)}
	if err := streamOf(t, a.open(t), "charges").Extract(t.Context(), day(2), nil, sink); err != nil {
		t.Fatal(err)
	}
	landed := int64(0)
	for _, r := range sink.Rows {
		if r.Currency == "RUB" {
			landed += r.AmountMinor
		}
	}
	if !slices.Contains(sink.Totals, connectors.Total{Measure: "amount_minor", Currency: "RUB", Value: 59900}) || landed != 0 {
		t.Errorf("landed %d of %v", landed, sink.Totals)
	}
}

// TestCaptured sums what was captured of an authorisation, and nothing where that came in parts.
func TestCaptured(t *testing.T) {
	t.Parallel()
	for moved, want := range map[string][]connectors.Total{
		"600": {{Measure: connectors.Rows, Value: 1}, {Measure: "amount_minor", Currency: "EUR", Value: 600}},
		"300": {{Measure: connectors.Rows, Value: 1}},
	} {
		transaction := `{"id":"txn_1","object":"balance_transaction","type":"charge","currency":"eur","created":1793620000,"amount":` + moved
		charge := chargeWith("captured", "true", "amount_captured", "600", "balance_transaction", transaction+`,"source":"ch_1"}`)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			data := map[string]string{"/v1/charges": charge}[r.URL.Path]
			if r.URL.Query().Get("type") == "charge" {
				data = transaction + `,"source":` + charge + `}`
			}
			fmt.Fprintf(w, `{"object":"list","has_more":false,"data":[%s]}`, data)
		}))
		r := read(t, open(t, server.URL, func() time.Time { return stripetest.At(3, "03:00:00") }), "charges", 2, "", nil)
		server.Close()
		if r.err != nil || len(r.rows) != 1 || !strings.Contains(r.rows[0], " 600 EUR ") || !slices.Equal(r.totals, want) {
			t.Errorf("%s: %v, %q, %v, expected %v", moved, r.err, r.rows, r.totals, want)
		}
	}
}
