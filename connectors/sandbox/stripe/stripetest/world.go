// Package stripetest is for tests of and against the sandbox's Stripe: a world made by hand, Stripe's own specification as
// a judge of requests and answers, and stripe-mock.
package stripetest

import (
	"fmt"
	"testing"
	"time"

	"crosslift/connectors/sandbox/stripe"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/table"
)

// Key is the bearer of the account.
const Key = "rk_test_sandbox"

// Zone is the business's. First is the first day of the hand-made world.
var (
	Zone     = must(time.LoadLocation("Europe/Berlin"))
	First, _ = table.ParseDay("2026-11-01")
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// At is an instant of the n-th day, from 1, in the business's zone.
func At(day int, clock string) time.Time {
	return must(time.ParseInLocation("2006-01-02 15:04:05", (First+table.Day(day)-1).String()+" "+clock, Zone))
}

// World is an account made by hand: two subscribers, one of them in trial, and a buyer from Japan.
//
//	day 1  Ann subscribes with a trial and pays the first month; Bob's second month is declined; Bob subscribed long ago
//	day 2  Bob's retry succeeds; a purchase in yen a second before midnight; another one is pending
//	day 3  the pending one succeeds; a part of Ann's payment is refunded; her trial ends
//	day 4  the yen are disputed
//	day 5  Ann's refund fails after all; the dispute is under review; a payment in dinars
//	day 7  the dispute is won
//	day 20 Ann cancels
func World() *world.Chunk {
	ann := world.Card{Fingerprint: "fpAnn", First6: "424242", Last4: "4242", Partner: true}
	bob := world.Card{Fingerprint: "fpBob", First6: "555555", Last4: "4444"}
	old := At(1, "09:00:00").AddDate(0, 0, -60)

	c := &world.Chunk{Customers: []world.Customer{
		{ID: "cus_ann", Account: "u-ann", Email: "ann.smith@gmail.com", Phone: "+4930901820", Created: At(1, "09:59:00")},
		{ID: "cus_bob", Account: "u-bob", Email: "bob@mail.ru", Phone: "+79161234567", Created: old},
		{ID: "cus_ken", Account: "u-ken", Created: At(2, "12:00:00")},
	}}

	a1 := world.Charge{
		ID: "ch_a1", Customer: "cus_ann", Account: "u-ann", PaymentIntent: "pi_a1", Invoice: "in_a1", Subscription: "sub_a",
		Plan: "first_month", Amount: 29900, Currency: "RUB", Status: "succeeded", Card: ann, RRN: "630512345678", AuthCode: "A1B2C3",
		Created: At(1, "10:00:00"), BalanceTransaction: "txn_a1",
	}
	b1 := world.Charge{
		ID: "ch_b1", Customer: "cus_bob", Account: "u-bob", PaymentIntent: "pi_b1", Invoice: "in_b1", Subscription: "sub_b",
		Plan: "monthly", Amount: 59900, Currency: "RUB", Status: "failed", Card: bob, Created: At(1, "11:00:00"),
	}
	b2 := b1
	b2.ID, b2.Status, b2.Created, b2.BalanceTransaction = "ch_b2", "succeeded", At(2, "11:00:00"), "txn_b2"
	b2.RRN, b2.AuthCode = "630612345678", "B2C3D4"
	yen := world.Charge{
		ID: "ch_yen", Customer: "cus_ken", Account: "u-ken", PaymentIntent: "pi_yen", Amount: 500, Currency: "JPY",
		Status: "succeeded", Card: world.Card{Fingerprint: "fpKen", First6: "356600", Last4: "0505"},
		Created: At(2, "23:59:59"), BalanceTransaction: "txn_yen",
	}
	slow := world.Charge{
		ID: "ch_slow", Customer: "cus_ken", Account: "u-ken", PaymentIntent: "pi_slow", Amount: 700, Currency: "ISK",
		Status: "pending", Created: At(2, "12:00:00"),
	}
	kwd := world.Charge{
		ID: "ch_kwd", Customer: "cus_ken", Account: "u-ken", PaymentIntent: "pi_kwd", Amount: 5120, Currency: "KWD",
		Status: "succeeded", Created: At(5, "08:00:00"), BalanceTransaction: "txn_kwd",
	}
	charge := func(x world.Charge, at time.Time) { x.Changed, x.Visible = at, at; c.Charges = append(c.Charges, x) }
	for _, x := range []world.Charge{a1, b1, b2, yen, slow, kwd} {
		charge(x, x.Created)
	}
	slow.Status, slow.BalanceTransaction = "succeeded", "txn_slow"
	charge(slow, At(3, "12:00:00"))
	a1.Refunded = 9900
	charge(a1, At(3, "15:00:00"))
	yen.Disputed = true
	charge(yen, At(4, "10:00:00"))

	refund := world.Refund{
		ID: "re_a", Charge: "ch_a1", Amount: 9900, Currency: "RUB", Status: "succeeded", Reason: "requested_by_customer",
		Created: At(3, "15:00:00"), Changed: At(3, "15:00:00"), Visible: At(3, "15:00:00"), Balance: "txn_re",
	}
	failed := refund
	failed.Status, failed.Changed, failed.Visible = "failed", At(5, "06:00:00"), At(5, "06:00:00")
	c.Refunds = []world.Refund{refund, failed}

	for _, v := range []struct {
		status string
		at     time.Time
		moves  []string
	}{
		{"needs_response", At(4, "10:00:00"), []string{"txn_dp"}},
		{"under_review", At(5, "10:00:00"), []string{"txn_dp"}},
		{"won", At(7, "10:00:00"), []string{"txn_dp", "txn_won"}},
	} {
		c.Disputes = append(c.Disputes, world.Dispute{
			ID: "dp_yen", Charge: "ch_yen", Amount: 500, Currency: "JPY", Status: v.status, Reason: "fraudulent",
			Created: At(4, "10:00:00"), Changed: v.at, Visible: v.at, Balances: v.moves,
		})
	}

	sub := world.Subscription{
		ID: "sub_a", Customer: "cus_ann", Account: "u-ann", Plan: "basic", Status: "trialing", Created: At(1, "10:00:00"),
		TrialEnd: At(3, "10:00:00"), PeriodStart: At(1, "10:00:00"), PeriodEnd: At(3, "10:00:00"),
	}
	subscription := func(x world.Subscription, at time.Time) {
		x.Changed, x.Visible = at, at
		c.Subscriptions = append(c.Subscriptions, x)
	}
	subscription(sub, sub.Created)
	sub.Status, sub.PeriodStart, sub.PeriodEnd = "active", At(3, "10:00:00"), At(33, "10:00:00")
	subscription(sub, At(3, "10:00:00"))
	sub.Status, sub.Canceled = "canceled", At(20, "10:00:00")
	subscription(sub, At(20, "10:00:00"))
	sub = world.Subscription{
		ID: "sub_b", Customer: "cus_bob", Account: "u-bob", Plan: "family", Status: "active", Created: old,
		PeriodStart: old, PeriodEnd: old.AddDate(0, 0, 30),
	}
	subscription(sub, old)
	for _, at := range []time.Time{old.AddDate(0, 0, 30), At(1, "11:00:00")} {
		sub.PeriodStart, sub.PeriodEnd = at, at.AddDate(0, 0, 30)
		subscription(sub, at)
	}

	invoice := world.Invoice{
		ID: "in_a1", Customer: "cus_ann", Account: "u-ann", Subscription: "sub_a", Due: 29900, Currency: "RUB", Status: "open",
		Reason: "subscription_create", PeriodStart: At(1, "10:00:00"), PeriodEnd: At(31, "10:00:00"), Created: At(1, "10:00:00"),
	}
	bill := func(x world.Invoice, at time.Time) { x.Changed, x.Visible = at, at; c.Invoices = append(c.Invoices, x) }
	bill(invoice, invoice.Created)
	invoice.Status, invoice.Paid, invoice.PaidAt, invoice.Charge = "paid", 29900, At(1, "10:00:02"), "ch_a1"
	bill(invoice, At(1, "10:00:02"))
	invoice = world.Invoice{
		ID: "in_b1", Customer: "cus_bob", Account: "u-bob", Subscription: "sub_b", Due: 59900, Currency: "RUB", Status: "open",
		Reason: "subscription_cycle", PeriodStart: At(1, "11:00:00"), PeriodEnd: At(31, "11:00:00"), Created: At(1, "10:59:00"),
		Charge: "ch_b1",
	}
	bill(invoice, invoice.Created)
	invoice.Status, invoice.Paid, invoice.PaidAt, invoice.Charge = "paid", 59900, At(2, "11:00:01"), "ch_b2"
	bill(invoice, At(2, "11:00:01"))

	for _, m := range []world.Balance{
		{ID: "txn_a1", Of: "ch_a1", Type: "charge", Amount: 29900, Fee: 897, Currency: "RUB", Created: At(1, "10:00:00")},
		{ID: "txn_b2", Of: "ch_b2", Type: "charge", Amount: 59900, Fee: 1797, Currency: "RUB", Created: At(2, "11:00:00")},
		{ID: "txn_yen", Of: "ch_yen", Type: "charge", Amount: 500, Fee: 18, Currency: "JPY", Created: At(2, "23:59:59")},
		{ID: "txn_slow", Of: "ch_slow", Type: "charge", Amount: 700, Fee: 21, Currency: "ISK", Created: At(3, "12:00:00")},
		{ID: "txn_re", Of: "re_a", Type: "refund", Amount: -9900, Currency: "RUB", Created: At(3, "15:00:00")},
		{ID: "txn_dp", Of: "dp_yen", Type: "adjustment", Amount: -500, Fee: 1500, Currency: "JPY", Created: At(4, "10:00:00")},
		{ID: "txn_kwd", Of: "ch_kwd", Type: "charge", Amount: 5120, Fee: 150, Currency: "KWD", Created: At(5, "08:00:00")},
		{ID: "txn_won", Of: "dp_yen", Type: "adjustment", Amount: 500, Currency: "JPY", Created: At(7, "10:00:00")},
	} {
		m.Visible, m.Available = m.Created, m.Created.AddDate(0, 0, 2)
		c.Balances = append(c.Balances, m)
	}
	return c
}

// Many is n charges of one day, a few a second, as world.World is: for pages.
func Many(n int, day int) *world.Chunk {
	c := &world.Chunk{Customers: []world.Customer{{ID: "cus_x", Account: "u-x", Created: At(day, "00:00:00")}}}
	for i := range n {
		at := At(day, "01:00:00").Add(time.Duration(i/3) * time.Second)
		id := fmt.Sprintf("%05d", (i*7919)%100000) // ids are in no order of time
		c.Charges = append(c.Charges, world.Charge{
			ID: "ch_" + id, Customer: "cus_x", Account: "u-x", PaymentIntent: "pi_" + id, Invoice: "in_" + id, Amount: int64(100 + i),
			Currency: "EUR", Status: "succeeded", Card: world.Card{Fingerprint: "fp" + id}, Created: at, Changed: at, Visible: at,
			BalanceTransaction: "txn_" + id,
		})
		c.Invoices = append(c.Invoices, world.Invoice{
			ID: "in_" + id, Customer: "cus_x", Account: "u-x", Subscription: "sub_" + id, Charge: "ch_" + id, Due: int64(100 + i),
			Paid: int64(100 + i), Currency: "EUR", Status: "paid", Reason: "subscription_cycle", PeriodStart: at,
			PeriodEnd: at.AddDate(0, 1, 0), Created: at, PaidAt: at, Changed: at, Visible: at,
		})
		c.Balances = append(c.Balances, world.Balance{
			ID: "txn_" + id, Of: "ch_" + id, Type: "charge", Amount: int64(100 + i), Fee: 3, Currency: "EUR", Created: at, Visible: at,
		})
	}
	return c
}

// Build keeps chunks in memory, as the sandbox's Stripe writes them.
func Build(t testing.TB, chunks ...*world.Chunk) *worldtest.Memory {
	t.Helper()
	m := worldtest.NewMemory(Zone)
	for _, c := range chunks {
		if err := stripe.Builder().Build(c, m); err != nil {
			t.Fatal(err)
		}
	}
	return m
}
