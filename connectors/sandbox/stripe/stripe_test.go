package stripe_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox/stripe"
	"crosslift/connectors/sandbox/stripe/stripetest"
)

// account serves the hand-made world at an instant, under the eyes of Stripe's specification.
func account(t *testing.T, now time.Time) *client {
	t.Helper()
	handler := stripe.Handler(stripetest.Build(t, stripetest.World()), stripe.Options{
		Key: stripetest.Key, Now: func() time.Time { return now },
	})
	server := httptest.NewServer(stripetest.NewJudge(t).Watch(t, handler))
	t.Cleanup(server.Close)
	return &client{server.URL, stripetest.Key}
}

type client struct{ url, key string }

type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (c *client) get(t *testing.T, path string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header}
	if err := json.Unmarshal(raw, &a.body); err != nil {
		t.Fatalf("%s: %v: %s", path, err, raw)
	}
	return a
}

// ids lists what a page shows.
func (a answer) ids() string {
	var ids []string
	data, _ := a.body["data"].([]any)
	for _, o := range data {
		ids = append(ids, o.(map[string]any)["id"].(string))
	}
	return strings.Join(ids, " ")
}

func (a answer) types() string {
	var types []string
	for _, o := range a.body["data"].([]any) {
		types = append(types, o.(map[string]any)["type"].(string))
	}
	return strings.Join(types, " ")
}

// TestLists shows every list newest first, as it is at the instant.
func TestLists(t *testing.T) {
	t.Parallel()
	late := account(t, stripetest.At(25, "00:00:00"))
	early := account(t, stripetest.At(3, "00:00:00"))
	day := func(n int) string {
		return fmt.Sprintf("created[gte]=%d&created[lt]=%d", stripetest.At(n, "00:00:00").Unix(), stripetest.At(n+1, "00:00:00").Unix())
	}
	for _, c := range []struct {
		at         *client
		path, want string
		more       bool
	}{
		{late, "charges", "ch_kwd ch_yen ch_slow ch_b2 ch_b1 ch_a1", false},
		{early, "charges", "ch_yen ch_slow ch_b2 ch_b1 ch_a1", false},
		{late, "charges?limit=2", "ch_kwd ch_yen", true},
		{late, "charges?limit=2&starting_after=ch_yen", "ch_slow ch_b2", true},
		{late, "charges?limit=2&starting_after=ch_b2", "ch_b1 ch_a1", false},
		{late, "charges?limit=2&ending_before=ch_b1", "ch_slow ch_b2", true},
		{late, "charges?limit=4&ending_before=ch_b2", "ch_kwd ch_yen ch_slow", false},
		{late, "charges?" + day(2), "ch_yen ch_slow ch_b2", false},
		{late, "charges?limit=1&starting_after=ch_kwd&" + day(2), "ch_yen", true},
		{late, "charges?" + day(8), "", false},
		{late, "charges?customer=cus_ann", "ch_a1", false},
		{late, "refunds", "re_a", false},
		{late, "disputes?charge=ch_yen", "dp_yen", false},
		{late, "subscriptions", "sub_b", false},
		{late, "subscriptions?status=all", "sub_a sub_b", false},
		{early, "subscriptions", "sub_a sub_b", false},
		{late, "subscriptions?status=canceled", "sub_a", false},
		{late, "invoices", "in_b1 in_a1", false},
		{late, "invoice_payments?payment[type]=payment_intent&payment[payment_intent]=pi_b1", "inpay_b1", false},
		{late, "invoice_payments?payment[type]=payment_intent&payment[payment_intent]=pi_yen", "", false},
		{late, "balance_transactions?type=charge&" + day(2), "txn_yen txn_b2", false},
		{early, "balance_transactions?type=refund", "", false},
		{late, "customers", "cus_ken cus_ann cus_bob", false},
		{late, "prices", "price_monthly price_first_month price_family price_basic", false},
	} {
		a := c.at.get(t, "/v1/"+c.path)
		if a.status != 200 || a.ids() != c.want || a.body["has_more"] != c.more || a.body["object"] != "list" {
			t.Errorf("%s: %d %q %v, expected %q %v", c.path, a.status, a.ids(), a.body["has_more"], c.want, c.more)
		}
	}
}

// TestObjects shows objects in Stripe's units, expanded where that is asked for.
func TestObjects(t *testing.T) {
	t.Parallel()
	c := account(t, stripetest.At(25, "00:00:00"))
	field := func(a answer, path ...string) any {
		var v any = a.body
		for _, name := range path {
			v = v.(map[string]any)[name]
		}
		return v
	}
	for _, x := range []struct {
		path string
		at   []string
		want any
	}{
		{"charges/ch_a1", []string{"amount"}, 29900.0},
		{"charges/ch_a1", []string{"amount_refunded"}, 9900.0},
		{"charges/ch_a1", []string{"customer"}, "cus_ann"},
		{"charges/ch_a1?expand[]=customer", []string{"customer", "metadata", "user_id"}, "u-ann"},
		{"charges/ch_a1?expand[0]=balance_transaction", []string{"balance_transaction", "net"}, 29003.0},
		{"charges/ch_yen", []string{"amount"}, 500.0},
		{"charges/ch_slow", []string{"amount"}, 70000.0}, // ISK in hundredths
		{"charges/ch_kwd", []string{"amount"}, 5120.0},
		{"charges/ch_b1", []string{"status"}, "failed"},
		{"charges/ch_b1", []string{"balance_transaction"}, nil},
		{"balance_transactions/txn_dp?expand[]=source", []string{"source", "status"}, "won"},
		{"subscriptions/sub_a", []string{"status"}, "canceled"},
		{"invoices/in_b1", []string{"parent", "subscription_details", "subscription"}, "sub_b"},
		{"prices/price_annual", []string{"error", "code"}, "resource_missing"},
		{"prices/price_basic", []string{"lookup_key"}, "basic"},
	} {
		if got := field(c.get(t, "/v1/"+x.path), x.at...); got != x.want {
			t.Errorf("%s %v: %v, expected %v", x.path, x.at, got, x.want)
		}
	}
}

// TestEvents tells every change once, for 30 days.
func TestEvents(t *testing.T) {
	t.Parallel()
	c := account(t, stripetest.At(25, "00:00:00"))
	for query, want := range map[string]string{
		"types[]=charge.succeeded&types[]=charge.failed&types[]=charge.pending&types[]=charge.refunded&types[]=charge.updated": "charge.succeeded charge.updated charge.refunded charge.succeeded charge.succeeded charge.pending charge.succeeded charge.failed charge.succeeded",
		"type=refund.*":             "refund.failed refund.created",
		"types[0]=charge.dispute.*": "charge.dispute.closed charge.dispute.updated charge.dispute.created",
		// Bob's subscription and its first renewal are older than 30 days, its second one is not.
		"type=customer.subscription.*": "customer.subscription.deleted customer.subscription.updated customer.subscription.updated customer.subscription.created",
		"type=invoice.*":               "invoice.paid invoice.created invoice.paid invoice.created",
	} {
		a := c.get(t, "/v1/events?limit=100&"+query)
		if got := strings.Fields(a.types()); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, expected %q", query, got, want)
		}
	}
	later := account(t, stripetest.At(34, "00:00:00"))
	if a := later.get(t, "/v1/events?type=refund.*"); a.types() != "refund.failed" {
		t.Errorf("after 30 days: %q", a.types())
	}
	first := c.get(t, "/v1/events?type=refund.*").body["data"].([]any)[1].(map[string]any)
	if status := first["data"].(map[string]any)["object"].(map[string]any)["status"]; status != "succeeded" {
		t.Errorf("the snapshot of a created refund: %v", status)
	}
}

// TestRefusals are in Stripe's words.
func TestRefusals(t *testing.T) {
	t.Parallel()
	c := account(t, stripetest.At(25, "00:00:00"))
	for _, x := range []struct {
		key, path   string
		status      int
		code, param string
	}{
		{"", "/v1/charges", 401, "", ""},
		{"rk_test_wrong", "/v1/charges", 401, "", ""},
		{c.key, "/v1/charges?colour=red", 400, "parameter_unknown", "colour"},
		{c.key, "/v1/charges?created[after]=1", 400, "parameter_unknown", "created[after]"},
		{c.key, "/v1/charges?status=failed", 400, "parameter_unknown", "status"},
		{c.key, "/v1/charges?limit=101", 400, "parameter_invalid_integer", "limit"},
		{c.key, "/v1/charges?limit=0", 400, "parameter_invalid_integer", "limit"},
		{c.key, "/v1/charges?created[gte]=yesterday", 400, "parameter_invalid_integer", "created[gte]"},
		{c.key, "/v1/charges?starting_after=ch_none", 400, "resource_missing", "starting_after"},
		{c.key, "/v1/charges?expand[]=customer", 400, "", "expand"},
		{c.key, "/v1/charges/ch_none", 404, "resource_missing", "id"},
		{c.key, "/v1/charges/ch_a1?limit=1", 400, "parameter_unknown", "limit"},
		{c.key, "/v1/unicorns", 404, "", ""},
		{c.key, "/v2/charges", 404, "", ""},
	} {
		a := (&client{c.url, x.key}).get(t, x.path)
		said, _ := a.body["error"].(map[string]any)
		code, _ := said["code"].(string)
		param, _ := said["param"].(string)
		if a.status != x.status || code != x.code || param != x.param || said["type"] != "invalid_request_error" ||
			!strings.HasPrefix(a.header.Get("Request-Id"), "req_") || a.header.Get("Stripe-Should-Retry") != "false" {
			t.Errorf("%s: %d %v %v", x.path, a.status, said, a.header)
		}
	}
	for status, want := range map[int]string{
		429: `"code":"rate_limit"`, 500: `"type":"api_error"`, 503: `"type":"api_error"`, 403: `"type":"invalid_request_error"`,
	} {
		if contentType, body := stripe.ErrorBody(status); contentType != "application/json" || !strings.Contains(body, want) {
			t.Errorf("%d: %s %s", status, contentType, body)
		}
	}
}

// TestReadOnly refuses to change anything.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	handler := stripe.Handler(stripetest.Build(t), stripe.Options{Key: stripetest.Key})
	r := httptest.NewRequest(http.MethodPost, "/v1/refunds", nil)
	r.Header.Set("Authorization", "Bearer "+stripetest.Key)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
