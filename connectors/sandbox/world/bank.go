package world

import (
	"fmt"
	"strings"
	"time"
)

// masked is the card as its bank shows it.
func (w *wallet) masked() Card {
	return Card{Fingerprint: w.par, First6: w.card.First6, Last4: w.card.Last4, Partner: true}
}

// book writes the bank's transactions of a purchase and of what is given back, and returns the purchase's id.
func (h *home) book(d dice, w *wallet, c Charge, losses []loss) string {
	h.node(w.client, "bank_client", c.Account, w.holder, c.Created, h.end)
	for _, l := range losses {
		h.transact(d, w, BankTransaction{
			RRN: c.RRN, AuthCode: c.AuthCode, Amount: l.amount, Currency: c.Currency, Direction: "credit", Merchant: "4899", Info: "VOZVRAT KINO",
		}, l.at)
	}
	return h.transact(d, w, BankTransaction{
		RRN: c.RRN, AuthCode: c.AuthCode, Amount: c.Amount, Currency: c.Currency, Direction: "debit", Merchant: "4899", Info: h.text(d, w, "OPLATA KINO"),
	}, c.Created)
}

// text is a bank's free text: people's names and numbers stand in it.
func (h *home) text(d dice, w *wallet, what string) string {
	if !d.chance(plantedText) {
		return what
	}
	kind, value := "name", strings.ToUpper(w.holder.name)
	switch d.IntN(3) {
	case 0:
		kind, value = "phone", "+7"+w.holder.phone
	case 1:
		kind, value = "card", cardNumber(d)
	}
	h.planted("bank", "transaction.info", kind, value)
	return what + " " + value
}

// transact writes the versions of a transaction: pending at once, booked in the night after or the one after that. It
// returns the id of the booked one.
func (h *home) transact(d dice, w *wallet, t BankTransaction, at time.Time) string {
	t.Client, t.Card = w.client, w.masked()
	id := h.token("btx-")
	booked := at.Add(d.within(4*time.Hour, 40*time.Hour))
	if d.chance(0.85) {
		pending := t
		pending.ID, pending.Status, pending.Booked, pending.Value = id, "Pending", at, at
		pending.Visible = at.Add(d.within(time.Second, 10*time.Minute))
		if d.chance(0.2) { // without an id it cannot be recognised: it goes when the booked one comes
			pending.ID, pending.Withdrawn = "", booked
		}
		if d.chance(0.01) {
			pending.Withdrawn = time.Time{}
			if pending.ID == "" {
				pending.ID = id
			}
			h.transaction(pending)
			t.ID, t.Status, t.Booked, t.Value, t.Visible = id, "Rejected", booked, booked, booked
			h.transaction(t)
			id, booked = h.token("btx-"), booked.Add(time.Minute) // tried again
		} else {
			h.transaction(pending)
		}
	}
	t.ID, t.Status, t.Booked, t.Value = id, "Booked", booked, booked
	t.Visible = booked
	h.transaction(t)
	return id
}

func (h *home) transaction(t BankTransaction) {
	if t.Booked.Before(h.end) {
		h.c.Transactions = append(h.c.Transactions, t)
	}
}

// elsewhere is what the partner's clients do with their cards beside us, and cashback that the bank puts down to us for
// a purchase that is not ours.
func (h *home) elsewhere(d dice) {
	shops := [...][2]string{{"5411", "PYATEROCHKA"}, {"5812", "KAFE"}, {"4121", "TAXI"}, {"5912", "APTEKA"}, {"6012", "PEREVOD"}}
	for _, w := range h.wallets {
		if !w.card.Partner {
			continue
		}
		nights := h.end.Sub(h.start)
		for range d.poisson(0.15 * float64(h.Nights)) {
			shop := among(d, shops[:])
			at := h.start.Add(d.within(0, nights))
			h.transact(d, w, BankTransaction{
				RRN: rrn(d, at), AuthCode: fmt.Sprintf("%06d", d.IntN(1_000_000)), Amount: 5000 + d.Int64N(500_000), Currency: "RUB",
				Direction: "debit", Merchant: shop[0], Info: h.text(d, w, shop[1]),
			}, at)
		}
		if d.chance(foreignBonus) {
			at := h.start.Add(d.within(0, nights))
			t := &till{home: h, d: d, w: w, c: Charge{
				Amount: 29900, Currency: "RUB", Created: at, RRN: rrn(d, at), AuthCode: fmt.Sprintf("%06d", d.IntN(1_000_000)),
			}}
			t.live(t.accrual(expected(29900), "foreign"), at.Add(d.within(0, 3*day)), nil)
		}
	}
}
