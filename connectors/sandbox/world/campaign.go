package world

import "time"

// The campaign with the partner bank: 99 % of the first month's price back, at most 400 roubles, once a person.
const (
	Campaign     = "cashback_99"
	CashbackRate = 0.99
	CashbackCap  = 40000 // kopecks
	CashbackDue  = 5     // days in which the bank accrues; later is late
)

// expected is what an eligible payment should bring: rounded to the kopeck, half away from zero, then capped.
func expected(amount int64) int64 { return min(round(float64(amount)*CashbackRate), CashbackCap) }

// eligible says why a payment is not eligible, as it is known when it is captured; "" if it is.
func (h *home) eligible(a *account, c Charge) string {
	switch {
	case c.Created.Before(h.start):
		return "before_campaign"
	case c.Plan != "first_month":
		return "not_first_month"
	case a.part == nil || a.part.acts != 1:
		return "not_offered"
	case a.second:
		return "not_first_account"
	case !c.Card.Partner:
		return "not_partner_card"
	case c.Currency != "RUB":
		return "currency"
	}
	return ""
}

// bank writes what the partner bank has of a payment, if it was by the bank's card.
func (h *home) bank(d dice, b *bill, c Charge, losses []loss) {
	p := Payment{
		PaymentID: c.ID, Account: c.Account, CapturedAt: c.Created, AmountMinor: c.Amount, Currency: c.Currency, Plan: c.Plan,
		Reason: h.eligible(b.acc, c),
	}
	for _, l := range losses {
		p.LostMinor += l.amount
	}
	if p.Reason == "" {
		p.Eligible, p.ExpectedMinor = true, expected(c.Amount)
		p.NetMinor = p.ExpectedMinor - round(float64(p.ExpectedMinor)*float64(p.LostMinor)/float64(c.Amount))
	}
	if c.Card.Partner && !c.Created.Before(h.start.Add(-3*day)) {
		t := &till{home: h, d: d, w: b.wallet, c: c, purchase: h.book(d, b.wallet, c, losses)}
		switch {
		case p.Eligible:
			p.Bank = t.accrue(p.ExpectedMinor, losses)
		case c.Plan == "first_month" && c.Currency == "RUB" && d.chance(ineligibleBonus):
			p.Bank = t.unearned(expected(c.Amount))
		}
		p.Reversal = t.reversal
	}
	h.c.Truth.Payments = append(h.c.Truth.Payments, p)
}

// posting is when the bank pays out what was accrued at an instant: in the monthly run after at least five days, in the
// night to the 5th.
func (h *home) posting(accrued time.Time) time.Time {
	at := accrued.Add(5 * day).In(h.Zone)
	y, m, _ := at.Date()
	run := time.Date(y, m, 5, 2, 0, 0, 0, h.Zone)
	if run.Before(at) {
		run = time.Date(y, m+1, 5, 2, 0, 0, 0, h.Zone)
	}
	return run.UTC()
}
