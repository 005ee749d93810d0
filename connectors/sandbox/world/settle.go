package world

import "time"

// loss is money that goes back to the customer.
type loss struct {
	at      time.Time // when it is final
	amount  int64
	dispute bool // lost, not refunded
}

// settle writes a succeeded charge and everything that comes of it: its versions, refunds, a dispute, movements of the
// balance, what the bank books, and the truth about it.
func (h *home) settle(d dice, b *bill, c Charge) {
	if d.chance(0.01) { // some banks take a while
		pending := c
		pending.Status = "pending"
		c.Changed = c.Created.Add(d.within(time.Minute, 20*time.Minute))
		c.Visible = c.Changed
		h.c.Charges = append(h.c.Charges, pending)
		if !c.Changed.Before(h.end) {
			return
		}
	}
	c.BalanceTransaction = h.balance("charge", c.ID, c.Amount, round(float64(c.Amount)*cardFeeShare), c.Currency, c.Changed, c.Changed)
	h.show(&c, c.Changed, c.Changed)
	payer := b.acc.person
	if b.wallet.holder == nobody {
		payer = nobody
	}
	h.node(c.Card.Fingerprint, "card", c.Account, payer, c.Created, h.end)
	var losses []loss
	if d.chance(disputed) {
		losses = h.dispute(d, &c)
	} else if d.chance(refunded) {
		losses = h.refund(d, &c)
	}
	h.bank(d, b, c, losses)
}

// show writes a version of a charge; one that would happen after the last night is not written.
func (h *home) show(c *Charge, at, visible time.Time) {
	c.Changed, c.Visible = at, maxTime(visible, c.Visible)
	if at.Before(h.end) {
		h.c.Charges = append(h.c.Charges, *c)
	}
}

// balance writes a movement of the payment system's balance.
func (h *home) balance(kind, of string, amount, fee int64, currency string, at, visible time.Time) string {
	id := h.token("txn_")
	if at.Before(h.end) {
		h.c.Balances = append(h.c.Balances, Balance{
			ID: id, Of: of, Type: kind, Amount: amount, Fee: fee, Currency: currency, Created: at, Visible: visible,
			Available: at.Add(2 * day),
		})
	}
	return id
}

// refund gives money back: at once or in two parts, soon or in another month.
func (h *home) refund(d dice, c *Charge) (losses []loss) {
	at, left := c.Created.Add(6*time.Hour), c.Amount
	parts := 1
	full := d.chance(refundedFully)
	if !full && d.chance(0.25) {
		parts = 2
	}
	for range parts {
		at = at.Add(time.Minute + d.exponential(6*day))
		amount := left
		if !full {
			if amount = round(float64(left) * (0.2 + 0.4*d.Float64())); c.Currency == "KWD" {
				amount -= amount % 10 // networks know no thousandths
			}
		}
		r := Refund{
			ID: h.token("re_"), Charge: c.ID, Amount: amount, Currency: c.Currency, Created: at,
			Reason: among(d, []string{"requested_by_customer", "requested_by_customer", "duplicate", "fraudulent"}),
		}
		late := time.Duration(0)
		if d.chance(lateRefunds) {
			late = d.within(20*time.Hour, 50*time.Hour)
		}
		becomes := func(status string, at time.Time) {
			r.Status, r.Changed, r.Visible = status, at, at.Add(late)
			if at.Before(h.end) {
				h.c.Refunds = append(h.c.Refunds, r)
			}
		}
		switch {
		case d.chance(refundFails):
			becomes("pending", at)
			becomes("failed", at.Add(d.within(time.Hour, 2*day)))
			continue
		case d.chance(0.3):
			becomes("pending", at)
			at = at.Add(d.within(time.Minute, 2*day))
		}
		if !at.Before(h.end) {
			return losses
		}
		left -= amount
		c.Refunded += amount
		r.Balance = h.balance("refund", r.ID, -amount, 0, c.Currency, at, at.Add(late))
		becomes("succeeded", at)
		h.show(c, at, at.Add(late))
		losses = append(losses, loss{at: at, amount: amount})
	}
	return losses
}

// dispute takes a charge back, and gives it back where the dispute is won.
func (h *home) dispute(d dice, c *Charge) []loss {
	at := c.Created.Add(3*day + d.exponential(10*day))
	p := Dispute{
		ID: h.token("dp_"), Charge: c.ID, Amount: c.Amount, Currency: c.Currency, Created: at,
		Reason: among(d, []string{"fraudulent", "subscription_canceled", "product_not_received"}),
	}
	becomes := func(status string) {
		p.Status, p.Changed, p.Visible = status, at, at
		if at.Before(h.end) {
			p.Balances = append([]string(nil), p.Balances...)
			h.c.Disputes = append(h.c.Disputes, p)
		}
	}
	p.Balances = []string{h.balance("adjustment", p.ID, -c.Amount, fees[c.Currency], c.Currency, at, at)}
	becomes("needs_response")
	c.Disputed = true
	h.show(c, at, at)
	at = at.Add(d.within(time.Hour, 5*day))
	becomes("under_review")
	at = at.Add(d.within(5*day, 20*day))
	if d.chance(disputeWon) {
		p.Balances = append(p.Balances, h.balance("adjustment", p.ID, c.Amount, 0, c.Currency, at, at))
		becomes("won")
		return nil
	}
	becomes("lost")
	if !at.Before(h.end) {
		return nil
	}
	return []loss{{at: at, amount: c.Amount, dispute: true}}
}

// fees of a dispute.
var fees = map[string]int64{"RUB": 150000, "KZT": 700000, "JPY": 1500, "KWD": 4500}
