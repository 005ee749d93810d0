package payments

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox/stripe/stripetest"
)

// The rows of the hand-made world, as texts.
const (
	a1Paid  = "ch_a1 @ d1 10:00:00 paid d1 10:00:00 29900 RUB succeeded first_month sub_a in_a1 u-ann fpAnn fingerprint 630512345678 A1B2C3 stripe"
	b1Fails = "ch_b1 @ d1 11:00:00 paid d1 11:00:00 59900 RUB failed monthly sub_b in_b1 u-bob fpBob fingerprint - - stripe"
	b2Paid  = "ch_b2 @ d2 11:00:00 paid d2 11:00:00 59900 RUB succeeded monthly sub_b in_b1 u-bob fpBob fingerprint 630612345678 B2C3D4 stripe"
	yenPaid = "ch_yen @ d2 23:59:59 paid d2 23:59:59 500 JPY succeeded - - - u-ken fpKen fingerprint - - stripe"

	slowPending = "ch_slow @ d2 12:00:00 paid d2 12:00:00 700 ISK pending - - - u-ken - - - - stripe"
	slowLater   = "ch_slow @ d2 12:00:00 paid d3 12:00:00 700 ISK succeeded - - - u-ken - - - - stripe"
	slowPaid    = "ch_slow @ d3 12:00:00 paid d3 12:00:00 700 ISK succeeded - - - u-ken - - - - stripe"

	a1Refunded  = "ch_a1 @ d3 15:00:00 paid d1 10:00:00 29900 RUB succeeded first_month sub_a in_a1 u-ann fpAnn fingerprint 630512345678 A1B2C3 stripe"
	yenDisputed = "ch_yen @ d4 10:00:00 paid d2 23:59:59 500 JPY succeeded - - - u-ken fpKen fingerprint - - stripe"
	kwdPaid     = "ch_kwd @ d5 08:00:00 paid d5 08:00:00 5120 KWD succeeded - - - u-ken - - - - stripe"

	refunded      = "re_a @ d3 15:00:00 ch_a1 d3 15:00:00 9900 RUB succeeded requested_by_customer stripe"
	refundedLater = "re_a @ d3 15:00:00 ch_a1 d3 15:00:00 9900 RUB failed requested_by_customer stripe"
	refundFailed  = "re_a @ d5 06:00:00 ch_a1 d3 15:00:00 9900 RUB failed requested_by_customer stripe"

	disputed      = "dp_yen @ d4 10:00:00 ch_yen d4 10:00:00 500 JPY needs_response fraudulent stripe"
	disputedLater = "dp_yen @ d4 10:00:00 ch_yen d4 10:00:00 500 JPY won fraudulent stripe"
	reviewed      = "dp_yen @ d5 10:00:00 ch_yen d4 10:00:00 500 JPY under_review fraudulent stripe"
	won           = "dp_yen @ d7 10:00:00 ch_yen d4 10:00:00 500 JPY won fraudulent stripe"

	trial      = "sub_a @ d1 10:00:00 u-ann basic trialing from d1 10:00:00 trial d3 10:00:00 period d1 10:00:00 d3 10:00:00 canceled - stripe"
	trialLater = "sub_a @ d1 10:00:00 u-ann basic canceled from d1 10:00:00 trial d3 10:00:00 period d3 10:00:00 d33 10:00:00 canceled d20 10:00:00 stripe"
	active     = "sub_a @ d3 10:00:00 u-ann basic active from d1 10:00:00 trial d3 10:00:00 period d3 10:00:00 d33 10:00:00 canceled - stripe"
	canceled   = "sub_a @ d20 10:00:00 u-ann basic canceled from d1 10:00:00 trial d3 10:00:00 period d3 10:00:00 d33 10:00:00 canceled d20 10:00:00 stripe"
	renewed    = "sub_b @ d1 11:00:00 u-bob family active from d-59 09:00:00 trial - period d1 11:00:00 d31 11:00:00 canceled - stripe"

	billedA      = "in_a1 @ d1 10:00:02 d1 10:00:00 u-ann sub_a 29900 29900 RUB paid subscription_create period d1 10:00:00 d31 10:00:00 paid d1 10:00:02 stripe"
	billedB      = "in_b1 @ d1 10:59:00 d1 10:59:00 u-bob sub_b 59900 0 RUB open subscription_cycle period d1 11:00:00 d31 11:00:00 paid - stripe"
	billedBLater = "in_b1 @ d1 10:59:00 d1 10:59:00 u-bob sub_b 59900 59900 RUB paid subscription_cycle period d1 11:00:00 d31 11:00:00 paid d2 11:00:01 stripe"
	paidB        = "in_b1 @ d2 11:00:01 d1 10:59:00 u-bob sub_b 59900 59900 RUB paid subscription_cycle period d1 11:00:00 d31 11:00:00 paid d2 11:00:01 stripe"
)

// TestDays reads the hand-made world day by day: nightly, three hours after the end of each day, and all of it at once
// on day 25, which gives the same where the events are written in the library's API version. Where they are not, what
// an object was before it changed again is lost. See the package's comment for the rule.
func TestDays(t *testing.T) {
	t.Parallel()
	w := stripetest.Build(t, stripetest.World())
	for _, c := range []struct {
		kind          string
		day           int
		nightly, late []string // late: of events in another version; nil: the same as nightly
	}{
		{"charges", 1, []string{a1Paid, b1Fails}, nil},
		{"charges", 2, []string{b2Paid, slowPending, yenPaid}, []string{b2Paid, slowLater, yenPaid}},
		{"charges", 3, []string{a1Refunded, slowPaid}, nil},
		{"charges", 4, []string{yenDisputed}, nil},
		{"charges", 5, []string{kwdPaid}, nil},
		{"charges", 6, nil, nil},
		{"refunds", 3, []string{refunded}, []string{refundedLater}},
		{"refunds", 4, nil, nil},
		{"refunds", 5, []string{refundFailed}, nil},
		{"disputes", 4, []string{disputed}, []string{disputedLater}},
		{"disputes", 5, []string{reviewed}, []string{}}, // its state of that day is lost
		{"disputes", 7, []string{won}, nil},
		{"subscriptions", 1, []string{trial, renewed}, []string{trialLater, renewed}},
		{"subscriptions", 2, nil, nil},
		{"subscriptions", 3, []string{active}, []string{}},
		{"subscriptions", 20, []string{canceled}, nil},
		{"invoices", 1, []string{billedA, billedB}, []string{billedA, billedBLater}},
		{"invoices", 2, []string{paidB}, nil},
		{"balance_transactions", 2, []string{
			"txn_b2 @ d2 11:00:00 d4 11:00:00 charge ch_b2 59900 1797 58103 RUB stripe",
			"txn_yen @ d2 23:59:59 d4 23:59:59 charge ch_yen 500 18 482 JPY stripe",
		}, nil},
		{"balance_transactions", 3, []string{
			"txn_re @ d3 15:00:00 d5 15:00:00 refund re_a -9900 0 -9900 RUB stripe",
			"txn_slow @ d3 12:00:00 d5 12:00:00 charge ch_slow 700 21 679 ISK stripe",
		}, nil},
		{"balance_transactions", 4, []string{"txn_dp @ d4 10:00:00 d6 10:00:00 adjustment dp_yen -500 1500 -2000 JPY stripe"}, nil},
		{"balance_transactions", 5, []string{"txn_kwd @ d5 08:00:00 d7 08:00:00 charge ch_kwd 5120 150 4970 KWD stripe"}, nil},
	} {
		if c.late == nil {
			c.late = c.nightly
		}
		for _, night := range []struct {
			at      int
			version string
			want    []string
		}{{c.day + 1, "", c.nightly}, {25, "", c.nightly}, {c.day + 1, "2019-12-03", c.nightly}, {25, "2019-12-03", c.late}} {
			a := serveAlone(t, w, inVersion(night.version))
			if night.version == "" {
				a = serve(t, w)
			}
			a.clock.Set(stripetest.At(night.at, "03:00:00"))
			got := read(t, a.open(t), c.kind, c.day, "", nil)
			slices.Sort(night.want)
			if got.err != nil || !slices.Equal(got.rows, night.want) || len(got.rejected) > 0 || len(got.fields) > 0 {
				t.Errorf("%s of day %d, read on day %d, events of %q: %v\n%s\nexpected\n%s\nrejected %v, new fields %v", c.kind, c.day, night.at, night.version, got.err,
					strings.Join(got.rows, "\n"), strings.Join(night.want, "\n"), got.rejected, got.fields)
			}
		}
	}
}

// inVersion makes the account write its events in another API version than the library's.
func inVersion(version string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if version == "" {
			return next
		}
		return each(1, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			recorded := passed(next, w, r)
			w.WriteHeader(recorded.Code)
			w.Write(bytes.ReplaceAll(recorded.Body.Bytes(), []byte(`"api_version":"2026-03-25.dahlia"`), []byte(`"api_version":"`+version+`"`)))
		})(next)
	}
}

// TestLate: a refund that shows up two days after the time it is dated by is found when its day is read again.
func TestLate(t *testing.T) {
	t.Parallel()
	w := stripetest.World()
	for i := range w.Refunds {
		w.Refunds[i].Visible = w.Refunds[i].Changed.Add(50 * time.Hour)
	}
	a := serveAlone(t, stripetest.Build(t, w))
	for now, want := range map[int][]string{4: nil, 5: nil, 6: {refunded}, 8: {refunded}} {
		a.clock.Set(stripetest.At(now, "12:00:00"))
		if got := read(t, a.open(t), "refunds", 3, "", nil); got.err != nil || !slices.Equal(got.rows, want) {
			t.Errorf("on day %d: %v, %q, expected %q", now, got.err, got.rows, want)
		}
	}
}

// TestOld reads days that the feed does not reach: what was created in them, as it is now.
func TestOld(t *testing.T) {
	t.Parallel()
	a := serve(t, stripetest.Build(t, stripetest.World()))
	a.clock.Set(stripetest.At(45, "03:00:00"))
	s := a.open(t)
	for _, c := range []struct {
		kind string
		day  int
		want []string
	}{
		{"charges", 1, []string{a1Paid, b1Fails}},
		{"charges", 3, nil}, // it is known that something changed on this day no more
		{"subscriptions", 1, []string{trialLater}},
		{"subscriptions", 20, []string{canceled}},
		{"subscriptions", -59, []string{strings.Replace(renewed, "@ d1 11:00:00", "@ d-59 09:00:00", 1)}},
	} {
		if got := read(t, s, c.kind, c.day, "", nil); got.err != nil || !slices.Equal(got.rows, c.want) {
			t.Errorf("%s of day %d: %v\n%s\nexpected\n%s", c.kind, c.day, got.err, strings.Join(got.rows, "\n"), strings.Join(c.want, "\n"))
		}
	}
}
