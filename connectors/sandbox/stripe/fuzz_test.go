package stripe_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"crosslift/connectors/sandbox/stripe"
	"crosslift/connectors/sandbox/stripe/stripetest"
)

// FuzzQuery: whatever is asked for is answered or refused, and never breaks the account.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{
		"limit=3&starting_after=ch_yen", "created[gte]=1793620000&created[lt]=1793700000&expand[]=data.customer",
		"types[0]=charge.*&types[]=refund.created", "payment[type]=payment_intent&payment[payment_intent]=pi_a1",
		"status=all&ending_before=sub_b", "created=1&created[gt]=-9223372036854775808", "expand[", "a[b][c]=1",
	} {
		for _, path := range []string{"charges", "events", "subscriptions", "invoice_payments", "charges/ch_a1", "prices"} {
			f.Add(path, q)
		}
	}
	handler := stripe.Handler(stripetest.Build(f, stripetest.World()), stripe.Options{
		Key: stripetest.Key, Now: func() time.Time { return stripetest.At(25, "00:00:00") },
	})
	f.Fuzz(func(t *testing.T, path, query string) {
		r := httptest.NewRequest(http.MethodGet, "/v1/", nil)
		r.URL = &url.URL{Path: "/v1/" + path, RawQuery: query}
		r.Header.Set("Authorization", "Bearer "+stripetest.Key)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s?%s: %d %s", path, query, w.Code, w.Body)
		}
	})
}
