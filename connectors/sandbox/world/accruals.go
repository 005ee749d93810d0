package world

import (
	"fmt"
	"time"
)

// till is the bank's cashback for one payment.
type till struct {
	*home
	d        dice
	w        *wallet
	c        Charge
	purchase string // id of the bank's transaction
	reversal string // what came of a reversal that was due: done or missing
}

// accrue writes what the bank makes of an eligible payment, and says what that is.
func (t *till) accrue(amount int64, losses []loss) (kind string) {
	d := t.d
	kind = []string{"missing", "late", "wrong", "duplicate", "split", "right"}[d.pick(accrualMissing, accrualLate, accrualWrong,
		accrualDuplicate, accrualSplit, 1-accrualMissing-accrualLate-accrualWrong-accrualDuplicate-accrualSplit)]
	at := t.c.Created.Add(d.within(0, 3*day))
	switch kind {
	case "missing":
	case "late":
		t.live(t.accrual(amount, kind), t.c.Created.Add(d.within(6*day, 20*day)), losses)
	case "wrong":
		a := t.accrual(t.mistaken(amount), kind)
		t.live(a, at, losses)
	case "duplicate":
		t.live(t.accrual(amount, "right"), at, losses)
		again, later := t.accrual(amount, kind), at.Add(d.within(time.Hour, 5*day))
		if d.chance(0.5) {
			t.becomes(&again, "Accrued", "", later)
			t.becomes(&again, "Rejected", "DUPLICATE", later.Add(d.within(day, 4*day)))
		} else {
			t.live(again, later, losses)
		}
	case "split":
		part := round(float64(amount) * (0.3 + 0.4*d.Float64()))
		t.live(t.accrual(part, kind), at, losses)
		t.live(t.accrual(amount-part, kind), at.Add(d.within(0, day)), losses)
	default:
		if a := t.accrual(amount, kind); len(losses) == 0 && d.chance(reversedWrongly) {
			kind, a.Kind = "reversed", "reversed"
			t.becomes(&a, "Accrued", "", at)
			t.becomes(&a, "Reversed", "MANUAL", at.Add(d.within(day, 4*day)))
		} else {
			t.live(a, at, losses)
		}
	}
	return kind
}

// mistaken is another amount than the right one.
func (t *till) mistaken(amount int64) int64 {
	switch full := round(float64(t.c.Amount) * CashbackRate); t.d.IntN(3) {
	case 0:
		return round(float64(t.c.Amount) * 0.9) // the rate of another campaign
	case 1:
		if full > CashbackCap {
			return full // without the cap
		}
	}
	return amount - 1 - t.d.Int64N(99)
}

// unearned writes an accrual for a payment that is not eligible.
func (t *till) unearned(amount int64) string {
	a, at := t.accrual(amount, "ineligible"), t.c.Created.Add(t.d.within(0, 3*day))
	if t.d.chance(0.5) {
		t.live(a, at, nil)
	} else {
		t.becomes(&a, "Accrued", "", at)
		t.becomes(&a, "Rejected", "NOT_ELIGIBLE", at.Add(t.d.within(day, 4*day)))
	}
	return a.Kind
}

// accrual is a credit for the payment. Now and then the bank does not say by what it knows the purchase.
func (t *till) accrual(amount int64, kind string) Accrual {
	a := Accrual{
		ID: t.token("acc-"), Campaign: Campaign, Client: t.w.client, Card: t.w.masked(), RRN: t.c.RRN, AuthCode: t.c.AuthCode,
		Transaction: t.purchase, Purchased: t.c.Created.Add(time.Duration(t.d.IntN(5)) * time.Second), Purchase: t.c.Amount,
		Currency: t.c.Currency, Rate: fmt.Sprintf("%.4f", CashbackRate), CapApplied: amount == CashbackCap, Amount: amount,
		Direction: "credit", Payment: t.c.ID, Kind: kind,
	}
	if t.d.chance(0.15) {
		a.Transaction = ""
	}
	if t.d.chance(0.03) {
		a.RRN, a.AuthCode = "", ""
	}
	return a
}

// live takes an accrual from its making to its posting, or to its reversal for what was given back.
func (t *till) live(a Accrual, at time.Time, losses []loss) {
	t.becomes(&a, "Accrued", "", at)
	paid := t.posting(at)
	post := func(a *Accrual, at time.Time) {
		if at.Before(t.end) {
			direction := a.Direction
			a.Posting = t.transact(t.d, t.w, BankTransaction{
				Amount: a.Amount, Currency: a.Currency, Direction: direction, Info: "CASHBACK " + Campaign,
			}, at.Add(-41*time.Hour))
		}
		t.becomes(a, "Posted", "", at)
	}
	posted := false
	for _, l := range losses {
		due, reason := l.at.Add(t.d.within(day, 10*day)), "REFUNDED"
		if l.dispute {
			due, reason = l.at.Add(t.d.within(10*day, 60*day)), "CHARGEBACK"
		}
		due = maxTime(due, at.Add(time.Hour))
		if t.d.chance(reversalMissing) {
			t.reversal = "missing"
			continue
		}
		t.reversal = or(t.reversal, "done")
		if !posted && paid.Before(due) {
			post(&a, paid)
			posted = true
		}
		if l.amount == t.c.Amount {
			t.becomes(&a, "Reversed", reason, due)
			return
		}
		debit := t.accrual(round(float64(a.Amount)*float64(l.amount)/float64(t.c.Amount)), "reversal")
		debit.Direction, debit.ReversalOf, debit.CapApplied = "debit", a.ID, false
		t.becomes(&debit, "Accrued", reason, due)
		post(&debit, t.posting(due))
	}
	if !posted {
		post(&a, paid)
	}
}

// becomes writes the next revision of an accrual, and keeps the truth about it up to date.
func (t *till) becomes(a *Accrual, status, reason string, at time.Time) {
	at = maxTime(at, a.Changed.Add(time.Second)).Truncate(time.Second)
	a.Revision++
	a.Status, a.Reason, a.Changed = status, reason, at
	visible := at.Add(t.d.within(0, 30*time.Minute))
	if t.d.chance(0.05) {
		visible = at.Add(t.d.within(day, 3*day))
	}
	a.Visible = maxTime(visible, a.Visible.Add(time.Second))
	switch status {
	case "Accrued":
		a.Accrued = at
	case "Posted":
		a.Posted = at
	case "Reversed":
		a.Reversed = at
	}
	if at.Before(t.end) {
		t.home.c.Accruals = append(t.home.c.Accruals, *a)
		t.settled(a)
	}
}
