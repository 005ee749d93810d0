package world

import (
	"fmt"
	"time"
)

// bill is a subscription of an account while it is made.
type bill struct {
	acc      *account
	customer string
	sub      Subscription
	price    int64
	currency string
	wallet   *wallet
}

// month is the length of a paid period.
const month = 30 * day

// bill makes the payments of all accounts.
func (h *home) bill(d, payments dice) {
	for _, a := range h.accounts {
		if a.kind == before {
			h.billOld(d, payments, a)
		} else {
			h.billNew(d, payments, a)
		}
	}
}

// subscribe opens a subscription, with a customer of its own.
func (h *home) subscribe(d dice, a *account, w *wallet, at time.Time, family bool) *bill {
	b := &bill{acc: a, customer: h.token("cus_"), currency: currencies[a.country], wallet: w}
	b.price = prices[b.currency][btoi(family)]
	plan := "basic"
	if family {
		plan = "family"
	}
	c := Customer{ID: b.customer, Account: a.id, Created: at}
	if a.email != "" {
		c.Email = a.email
		h.planted("payments", "customer.email", "email", c.Email)
	}
	if a.phone != "" && d.chance(0.3) {
		c.Phone = "+7" + a.numberAt(at)
		h.planted("payments", "customer.phone", "phone", c.Phone)
	}
	if at.Before(h.end) {
		h.c.Customers = append(h.c.Customers, c)
	}
	b.sub = Subscription{ID: h.token("sub_"), Customer: b.customer, Account: a.id, Plan: plan, Created: at}
	return b
}

// becomes writes a version of the subscription.
func (h *home) becomes(b *bill, at time.Time, status string) {
	first := b.sub.Status == ""
	b.sub.Status, b.sub.Changed, b.sub.Visible = status, at, at
	if at.Before(h.end) {
		if first {
			h.c.Truth.Subscriptions = append(h.c.Truth.Subscriptions, TrueSubscription{b.sub.ID, b.sub.Account, b.sub.Created, !b.sub.TrialEnd.IsZero()})
		}
		h.c.Subscriptions = append(h.c.Subscriptions, b.sub)
	}
}

// billNew makes the payments that the experiment decides.
func (h *home) billNew(d, payments dice, a *account) {
	p := a.part
	o := p.outcomes[p.acts]
	met := p.exposed[0].at
	if p.regular && d.chance(triedBefore) {
		if at := a.registered.Add(d.within(0, 6*time.Hour)); at.Before(met) {
			h.freeDay(d, a, at, d.chance(0.3))
		}
	}
	if !o.First {
		switch {
		case d.chance(trialOfOther):
			h.freeDay(d, a, met.Add(d.within(0, 6*time.Hour)), false)
		case d.chance(failsForGood):
			at := met.Add(d.within(0, 30*time.Hour))
			b := h.subscribe(d, a, h.card(d, a, false), at, false)
			b.sub.PeriodStart, b.sub.PeriodEnd = at, at.Add(month)
			h.becomes(b, at, "past_due")
			h.pay(payments, b, at, "first_month", 3, false)
			b.sub.Canceled = at.Add(5 * day)
			h.becomes(b, b.sub.Canceled, "canceled")
		}
		return
	}
	w := h.card(d, a, p.partner)
	created := p.pays.Add(-2 * time.Second)
	if p.trial {
		created = p.pays.Add(-day)
	}
	b := h.subscribe(d, a, w, created, p.family)
	if p.trial {
		h.trial(b, created)
	}
	at := h.pay(payments, b, p.pays, "first_month", btoi(d.chance(failsFirst)), true)
	until := at.Add(month)
	h.period(b, at, until)
	if !o.Second {
		h.leave(d, b, until)
		a.subscribed = append(a.subscribed, span{met, until})
		return
	}
	h.pay(payments, b, p.again, "monthly", btoi(d.chance(failsFirst)), true)
	until = p.again.Add(month)
	h.period(b, p.again, until)
	h.cycles(d, payments, b, until, laterChurn, met)
}

// freeDay is a day for nothing, and no more.
func (h *home) freeDay(d dice, a *account, at time.Time, family bool) {
	b := h.subscribe(d, a, h.card(d, a, false), at, family)
	h.trial(b, at)
	b.sub.Canceled = at.Add(d.within(time.Hour, 23*time.Hour))
	h.becomes(b, b.sub.Canceled, "trialing")
	h.becomes(b, at.Add(day), "canceled")
}

// trial begins a subscription with a free day.
func (h *home) trial(b *bill, at time.Time) {
	b.sub.TrialEnd, b.sub.PeriodStart, b.sub.PeriodEnd = at.Add(day), at, at.Add(day)
	h.becomes(b, at, "trialing")
}

// period goes on with a paid month.
func (h *home) period(b *bill, at, until time.Time) {
	b.sub.PeriodStart, b.sub.PeriodEnd = at, until
	h.becomes(b, at, "active")
}

// leave cancels at the end of the period.
func (h *home) leave(d dice, b *bill, until time.Time) {
	from := b.sub.Changed
	b.sub.Canceled = from.Add(d.within(time.Hour, until.Sub(from)-time.Hour))
	h.becomes(b, b.sub.Canceled, "active")
	h.becomes(b, until, "canceled")
}

// billOld goes on with a subscription from before the first night; others of them have left.
func (h *home) billOld(d, payments dice, a *account) {
	if !d.chance(oldSubscribed) {
		return
	}
	last := h.start.Add(-d.within(0, min(month, h.start.Sub(a.registered)))) // the payment before the first night
	b := h.subscribe(d, a, h.card(d, a, false), last.Add(-d.within(0, time.Minute)), d.chance(0.3))
	b.sub.Created = a.registered.Add(min(time.Hour, last.Sub(a.registered))).Truncate(time.Second)
	h.period(b, last, last.Add(month))
	h.pay(payments, b, last, "monthly", 0, true)
	h.cycles(d, payments, b, last.Add(month), oldChurn, a.registered)
}

// cycles goes on month by month until the subscriber leaves, is deleted, cannot pay, or the nights end.
func (h *home) cycles(d, payments dice, b *bill, due time.Time, churn float64, since time.Time) {
	for ; due.Before(h.end); due = due.Add(month) {
		if gone := b.acc.deleted; d.chance(churn) || !gone.IsZero() && gone.Before(due) {
			h.leave(d, b, due)
			b.acc.subscribed = append(b.acc.subscribed, span{since, due})
			return
		}
		if !d.chance(failsFirst) {
			h.pay(payments, b, due, "monthly", 0, true)
			h.period(b, due, due.Add(month))
			continue
		}
		h.becomes(b, due, "past_due")
		recovers := d.chance(0.6)
		at := h.pay(payments, b, due, "monthly", 1+d.IntN(3), recovers)
		if !recovers {
			b.sub.Canceled = at.Add(time.Hour)
			h.becomes(b, b.sub.Canceled, "canceled")
			b.acc.subscribed = append(b.acc.subscribed, span{since, due})
			return
		}
		h.period(b, at, due.Add(month))
	}
	b.acc.subscribed = append(b.acc.subscribed, span{since, h.end})
}

// pay bills a period: an invoice, and charges of which some fail before one succeeds, if one does. It returns when the
// last was made.
func (h *home) pay(d dice, b *bill, at time.Time, plan string, fails int, succeeds bool) time.Time {
	in := Invoice{
		ID: h.token("in_"), Customer: b.customer, Account: b.acc.id, Subscription: b.sub.ID, Due: b.price, Currency: b.currency,
		Reason: "subscription_create", PeriodStart: at, PeriodEnd: at.Add(month), Created: at,
	}
	becomes := func(status string, at time.Time) {
		if !at.After(in.Changed) { // paid in the second in which it was opened
			at = in.Changed.Add(time.Second)
		}
		in.Status, in.Changed, in.Visible = status, at, at
		if at.Before(h.end) {
			h.c.Invoices = append(h.c.Invoices, in)
		}
	}
	if plan == "monthly" {
		in.Reason, in.Created = "subscription_cycle", at.Add(-time.Hour)
		becomes("draft", in.Created)
	}
	becomes("open", at)
	intent := h.token("pi_")
	charge := func(status string) Charge {
		return Charge{
			ID: h.token("ch_"), Customer: b.customer, Account: b.acc.id, PaymentIntent: intent, Invoice: in.ID,
			Subscription: b.sub.ID, Plan: plan, Amount: b.price, Currency: b.currency, Status: status, Card: b.wallet.card,
			Created: at, Changed: at, Visible: at,
		}
	}
	for n := range fails {
		if c := charge("failed"); at.Before(h.end) {
			h.c.Charges = append(h.c.Charges, c)
			in.Charge = c.ID
		}
		if n+1 < fails || succeeds {
			at = at.Add(d.within(time.Minute, 3*time.Hour))
		}
	}
	if !succeeds {
		becomes(among(d, []string{"void", "uncollectible"}), at.Add(day))
		return at
	}
	c := charge("succeeded")
	c.RRN, c.AuthCode = rrn(d, at), fmt.Sprintf("%06d", d.IntN(1_000_000))
	in.Charge, in.Paid, in.PaidAt = c.ID, b.price, at
	becomes("paid", at)
	if at.Before(h.end) {
		h.settle(d, b, c)
	}
	return at
}
