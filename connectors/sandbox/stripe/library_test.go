package stripe_test

import (
	"strings"
	"testing"

	library "github.com/stripe/stripe-go/v85"

	"crosslift/connectors/sandbox/stripe/stripetest"
)

// TestLibrary pages through lists with Stripe's own library as it is.
func TestLibrary(t *testing.T) {
	t.Parallel()
	account := account(t, stripetest.At(25, "00:00:00"))
	client := library.NewClient(stripetest.Key, library.WithBackends(library.NewBackendsWithConfig(&library.BackendConfig{
		URL: &account.url, MaxNetworkRetries: library.Int64(0), LeveledLogger: &library.LeveledLogger{Level: library.LevelNull},
	})))
	params := &library.ChargeListParams{CreatedRange: &library.RangeQueryParams{
		GreaterThanOrEqual: stripetest.At(1, "00:00:00").Unix(), LesserThan: stripetest.At(4, "00:00:00").Unix(),
	}}
	params.Limit = library.Int64(2)
	params.AddExpand("data.customer")
	var got []string
	for c, err := range client.V1Charges.List(t.Context(), params).All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.ID+" "+c.Customer.Metadata["user_id"])
	}
	if want := "ch_yen u-ken, ch_slow u-ken, ch_b2 u-bob, ch_b1 u-bob, ch_a1 u-ann"; strings.Join(got, ", ") != want {
		t.Errorf("%q, expected %s", got, want)
	}
	_, err := client.V1Refunds.Retrieve(t.Context(), "re_none", nil)
	if said, ok := err.(*library.Error); !ok || said.Code != library.ErrorCodeResourceMissing || said.Param != "id" || said.RequestID == "" {
		t.Errorf("%v", err)
	}
}
