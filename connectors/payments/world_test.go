package payments

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/rest"
	"crosslift/connectors/sandbox/stripe"
	"crosslift/connectors/sandbox/stripe/stripetest"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/secret"
	"crosslift/schemas/table"
)

var key = func() identifier.Key {
	k, err := identifier.NewKey("test", []byte("0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	return k
}()

// account is a Stripe account of the sandbox whose time can be set.
type account struct {
	url   string
	clock *worldtest.Clock
}

// serve serves a world through some faults. Requests and answers are held against Stripe's specification.
func serve(t testing.TB, w world.Reader, faults ...func(http.Handler) http.Handler) *account {
	t.Helper()
	judge := stripetest.NewJudge(t)
	judged := func(next http.Handler) http.Handler { return judge.Watch(t, next) }
	return serveAlone(t, w, append([]func(http.Handler) http.Handler{judged}, faults...)...)
}

// serveAlone serves without the judge, which takes longer than all else.
func serveAlone(t testing.TB, w world.Reader, faults ...func(http.Handler) http.Handler) *account {
	t.Helper()
	a := &account{clock: worldtest.NewClock(stripetest.At(25, "03:00:00"))}
	handler := stripe.Handler(w, stripe.Options{Key: stripetest.Key, Now: a.clock.Now})
	for _, f := range faults {
		handler = f(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

// open makes the source under test, which does not wait long between tries.
func open(t testing.TB, url string, now func() time.Time, settings ...func(*Config)) connectors.Source {
	t.Helper()
	c := Config{
		Key: secret.New(stripetest.Key), Account: "acct_1", URL: url, PerSecond: new(1e6),
		retry: rest.Retry{First: time.Microsecond, Most: time.Millisecond},
	}
	for _, set := range settings {
		set(&c)
	}
	s, err := New(c, connectors.Env{Key: key, Zone: stripetest.Zone, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (a *account) open(t testing.TB, settings ...func(*Config)) connectors.Source {
	return open(t, a.url, a.clock.Now, settings...)
}

func streamOf(t testing.TB, s connectors.Source, kind string) connectors.Stream {
	t.Helper()
	for _, stream := range s.Streams() {
		if stream.Name() == "payments/"+kind {
			return stream
		}
	}
	t.Fatalf("no stream %s", kind)
	return nil
}

func day(n int) table.Day { return stripetest.First + table.Day(n) - 1 }

// result is what an extract gave.
type result struct {
	rows     []string
	rejected []connectorstest.Rejection
	cursors  []string
	totals   []connectors.Total
	fields   map[string]int
	err      error
}

// read extracts a day from a cursor; fail may end it.
func read(t testing.TB, s connectors.Source, kind string, n int, from string, fail func(rows int) error) result {
	t.Helper()
	stream := streamOf(t, s, kind)
	switch kind {
	case "charges":
		return extracted(t, stream, n, from, fail, payments)
	case "refunds":
		return extracted(t, stream, n, from, fail, refunds)
	case "disputes":
		return extracted(t, stream, n, from, fail, disputes)
	case "subscriptions":
		return extracted(t, stream, n, from, fail, subscriptions)
	case "invoices":
		return extracted(t, stream, n, from, fail, invoices)
	}
	return extracted(t, stream, n, from, fail, balances)
}

func extracted[Row any](
	t testing.TB, stream connectors.Stream, n int, from string, fail func(int) error, show func(Row) string,
) result {
	sink := &connectorstest.Sink[Row]{Table: stream.Table(), Window: day(n).Window(stripetest.Zone), From: from, Fail: fail}
	err := stream.Extract(t.Context(), day(n), nil, sink)
	r := result{rejected: sink.Rejected, cursors: sink.Cursors, totals: sink.Totals, fields: sink.Fields, err: err}
	for _, row := range sink.Rows {
		r.rows = append(r.rows, show(row))
	}
	slices.Sort(r.rows)
	return r
}

// The rows as texts: instants as day and clock, identifiers as the names that they are hashes of.

func at(m table.Micros) string {
	t := m.Time().In(stripetest.Zone)
	text := t.Format("15:04:05")
	return fmt.Sprintf("d%d %s", table.DayOf(t, stripetest.Zone)-stripetest.First+1, text)
}

func maybe(m *table.Micros) string {
	if m == nil {
		return "-"
	}
	return at(*m)
}

func who(id identifier.ID) string {
	if id.IsZero() {
		return "-"
	}
	for _, name := range []string{"u-ann", "u-bob", "u-ken", "u-x"} {
		if h, _ := key.Hash(identifier.Account, name); h == id {
			return name
		}
	}
	for _, name := range []string{"630512345678", "630612345678"} {
		if h, _ := key.Hash(identifier.Reference, name); h == id {
			return name
		}
	}
	for _, name := range []string{"fpAnn", "fpBob", "fpKen"} {
		if h, _ := key.Hash(identifier.Card, "stripe/acct_1/"+name); h == id {
			return name
		}
	}
	return "somebody"
}

func line(parts ...any) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = cmp.Or(fmt.Sprint(p), "-")
	}
	return strings.Join(texts, " ")
}

func payments(r table.PaymentRow) string {
	return line(r.SourceID, "@", at(r.ChangedAt), "paid", at(r.PaidAt), r.AmountMinor, r.Currency, r.Status, r.Plan, r.SubscriptionID,
		r.InvoiceID, who(r.Account), who(r.Card), r.CardKind, who(r.RRN), r.AuthCode, r.System)
}

func refunds(r table.RefundRow) string {
	return line(r.SourceID, "@", at(r.ChangedAt), r.PaymentID, at(r.CreatedAt), r.AmountMinor, r.Currency, r.Status, r.Reason, r.System)
}

func disputes(r table.DisputeRow) string {
	return line(r.SourceID, "@", at(r.ChangedAt), r.PaymentID, at(r.CreatedAt), r.AmountMinor, r.Currency, r.Status, r.Reason, r.System)
}

func subscriptions(r table.SubscriptionRow) string {
	return line(r.SourceID, "@", at(r.ChangedAt), who(r.Account), r.Plan, r.Status, "from", at(r.StartedAt), "trial", maybe(r.TrialEndAt),
		"period", maybe(r.PeriodStartAt), maybe(r.PeriodEndAt), "canceled", maybe(r.CanceledAt), r.System)
}

func invoices(r table.InvoiceRow) string {
	return line(r.SourceID, "@", at(r.ChangedAt), at(r.CreatedAt), who(r.Account), r.SubscriptionID, r.DueMinor, r.PaidMinor, r.Currency,
		r.Status, r.Reason, "period", maybe(r.PeriodStartAt), maybe(r.PeriodEndAt), "paid", maybe(r.PaidAt), r.System)
}

func balances(r table.BalanceTransactionRow) string {
	return line(r.SourceID, "@", at(r.CreatedAt), maybe(r.AvailableAt), r.Type, r.OfID, r.AmountMinor, r.FeeMinor, r.NetMinor,
		r.Currency, r.System)
}
