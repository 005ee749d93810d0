package payments

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crosslift/connectors/sandbox/stripe/stripetest"
)

// chargeWith is a charge as Stripe sends it, with some fields in other words; a field of "" is left out.
func chargeWith(fields ...string) string {
	o := map[string]string{
		"id": `"ch_1"`, "object": `"charge"`, "created": `1793620000`, "amount": `1000`, "currency": `"eur"`, "status": `"succeeded"`,
		"customer": `{"id":"cus_1","object":"customer","email":"ann.smith@gmail.com","metadata":{"user_id":"u-ann"}}`,
		"metadata": `{}`, "payment_method_details": `{"type":"card","card":{"fingerprint":"fpAnn","last4":"4242"}}`,
	}
	for i := 0; i < len(fields); i += 2 {
		o[fields[i]] = fields[i+1]
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if o[name] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", name, o[name]))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// lists serves objects as the charges of whatever day is asked for.
func lists(t *testing.T, objects ...string) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := ""
		if r.URL.Path == "/v1/charges" {
			data = strings.Join(objects, ",")
		}
		fmt.Fprintf(w, `{"object":"list","url":"%s","has_more":false,"data":[%s]}`, r.URL.Path, data)
	}))
	t.Cleanup(server.Close)
	return server
}

// TestObjects reads objects of which something is odd, and says why those that cannot be rows are none.
func TestObjects(t *testing.T) {
	t.Parallel()
	const good = "ch_1 @ d2 12:46:40 paid d2 12:46:40 1000 EUR succeeded - - - u-ann fpAnn fingerprint - - stripe"
	row := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, c := range []struct{ object, row, reason string }{
		{chargeWith(), good, ""},
		{chargeWith("metadata", `{"plan":"annual"}`), row("succeeded -", "succeeded annual"), ""},
		{chargeWith("currency", `"mga"`), row("1000 EUR", "100000 MGA"), ""},
		{chargeWith("status", `"pending"`, "customer", `"cus_1"`), "ch_1 @ d2 12:46:40 paid d2 12:46:40 1000 EUR pending - - - - fpAnn fingerprint - - stripe", ""},
		{chargeWith("customer", `{"id":"cus_1","object":"customer","deleted":true}`, "metadata", `{"user_id":"u-bob"}`), row("u-ann", "u-bob"), ""},
		{chargeWith("customer", `{"id":"cus_1","metadata":{"user_id":"null"}}`), row("u-ann", "-"), ""}, // a placeholder
		{chargeWith("payment_method_details", `{"type":"card","card":{"fingerprint":"4242424242424242"}}`), row("fpAnn fingerprint", "- -"), ""},
		{chargeWith("payment_method_details", `{"type":"sepa_debit","sepa_debit":{"last4":"3000"}}`), row("fpAnn fingerprint", "- -"), ""},
		{chargeWith("payment_method_details", `null`), row("fpAnn fingerprint", "- -"), ""},

		{chargeWith("captured", "true", "amount_captured", "600"), row("1000 EUR", "600 EUR"), ""},
		{chargeWith("captured", "false", "amount_captured", "0"), good, ""},
		// What comes with a charge is broken: the charge is not.
		{chargeWith("balance_transaction", `{"id":"txn_1","amount":"x"}`), good, ""},
		{chargeWith("balance_transaction", `{"id":"txn_1","amount":"x"}`, "customer", `{"id":"cus_1","metadata":7}`), row("u-ann", "-"), ""},

		{chargeWith("id", ""), "", "id: required, but empty"},
		{chargeWith("id", "7"), "", "id: expected text"},
		{chargeWith("amount", ""), "", "amount: required, but empty"},
		{chargeWith("amount", "null"), "", "amount: required, but empty"},
		{chargeWith("amount", `"ann.smith@gmail.com"`), "", "amount: expected a whole number"},
		{chargeWith("amount", `10.5`), "", "amount: expected a whole number"},
		{chargeWith("amount", `1e30`), "", "amount: expected a whole number"},
		{chargeWith("amount", `9223372036854775807`, "currency", `"mga"`), "", "amount: the number is too large"},
		{chargeWith("amount", `150`, "currency", `"isk"`), "", "amount: expected a whole number of the currency's minor unit"},
		{chargeWith("currency", `"ann"`), "", "currency: expected an ISO 4217 currency code, such as EUR"},
		{chargeWith("currency", `""`), "", "currency: required, but empty"},
		{chargeWith("created", `"yesterday"`), "", "created: expected a whole number"},
		{chargeWith("created", `-5`), "", "created: expected seconds since 1970"},
		{chargeWith("created", `1793000000`), "", "created: outside of the day that was asked for"},
		{chargeWith("created", ``), "", "created: required, but empty"},
		{chargeWith("status", ``), "", "status: required, but empty"},
		{chargeWith("object", `"refund"`), "", "object: expected a charge"},
		{`"ch_1"`, "", "expected an object"},
		{`null`, "", "expected an object"},
		{`[1]`, "", "expected an object"},
		{chargeWith("metadata", `{"plan":7}`), "", "metadata: expected text"},
	} {
		s := open(t, lists(t, c.object).URL, func() time.Time { return stripetest.At(3, "03:00:00") })
		r := read(t, s, "charges", 2, "", nil)
		got, reason := strings.Join(r.rows, "\n"), ""
		for _, x := range r.rejected {
			reason += x.Reason
			alone := strings.Replace(c.object, `{"id":"cus_1","object":"customer","email":"ann.smith@gmail.com","metadata":{"user_id":"u-ann"}}`, `"cus_1"`, 1)
			if x.Where.File != "/v1/charges" || x.Where.Position != 1 || string(x.Where.Raw) != alone || x.Where.Fields != nil {
				t.Errorf("%s: origin %+v", c.object, x.Where)
			}
		}
		if r.err != nil || got != c.row || reason != c.reason {
			t.Errorf("%s: %v\n%q %q, expected\n%q %q", c.object, r.err, got, reason, c.row, c.reason)
		}
	}
}

// TestDrift announces a field once an extract, by its name only, and by no name that may hold something.
func TestDrift(t *testing.T) {
	t.Parallel()
	s := open(t, lists(t,
		chargeWith("id", `"ch_1"`, "loyalty_tier", `"gold"`, "ann.smith@gmail.com", `1`, "invoice", `"in_1"`),
		chargeWith("id", `"ch_2"`, "loyalty_tier", `"ann.smith@gmail.com"`),
	).URL, func() time.Time { return stripetest.At(3, "03:00:00") })
	r := read(t, s, "charges", 2, "", nil)
	if want := map[string]int{"loyalty_tier": 1, "(unprintable)": 1}; r.err != nil || !maps.Equal(r.fields, want) {
		t.Errorf("%v, %v, expected %v", r.err, r.fields, want)
	}
}

// TestMinor turns Stripe's amounts into minor units of ISO 4217.
func TestMinor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		currency string
		amount   int64
		want     int64
		err      bool
	}{
		{"eur", 1000, 1000, false},
		{"rub", -29900, -29900, false},
		{"jpy", 500, 500, false},     // no decimals, anywhere
		{"isk", 500, 5, false},       // none in ISO 4217, two at Stripe
		{"ugx", 120000, 1200, false}, // the same
		{"isk", 501, 0, true},
		{"mga", 5, 500, false}, // two in ISO 4217, none at Stripe
		{"kwd", 5120, 5120, false},
		{"bhd", 10, 10, false},
		{"huf", 99900, 99900, false},
		{"iqd", 1000, 0, true}, // Stripe does not describe it
		{"clf", 1, 0, true},
		{"xau", 1, 0, true},
		{"", 1, 0, true},
	} {
		got := c.amount
		code, err := minor(c.currency, &got)
		if (err != nil) != c.err || err == nil && (got != c.want || code != strings.ToUpper(c.currency)) {
			t.Errorf("%d %s: %d %s, %v, expected %d", c.amount, c.currency, got, code, err, c.want)
		}
	}
}

// TestPlans names a plan by metadata, else by what the settings say of the price.
func TestPlans(t *testing.T) {
	t.Parallel()
	price := `{"id":"price_first_month","object":"price","lookup_key":%s,"nickname":"First month"}`
	for _, c := range []struct{ setting, lookup, want string }{
		{"", `"first"`, "first"},
		{"", `null`, "price_first_month"},
		{"nickname", `"first"`, "First month"},
		{"id", `"first"`, "price_first_month"},
	} {
		var asked atomic.Int32
		a := serveAlone(t, stripetest.Build(t, stripetest.World()), func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/v1/prices/") {
					asked.Add(1)
					fmt.Fprintf(w, price, c.lookup)
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		s := a.open(t, func(o *Config) { o.PlanPrice, o.PlanKey = c.setting, "tariff" })
		r := read(t, s, "charges", 1, "", nil)
		if r.err != nil || len(r.rows) != 2 || !strings.Contains(r.rows[0], " succeeded "+c.want+" sub_a") || asked.Load() != 1 && asked.Load() != 2 {
			t.Errorf("%+v: %v, %d times asked\n%s", c, r.err, asked.Load(), strings.Join(r.rows, "\n"))
		}
	}
}
