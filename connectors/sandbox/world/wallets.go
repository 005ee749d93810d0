package world

import "fmt"

// wallet is a card with the bank's view of it.
type wallet struct {
	card   Card   // as the payment system shows it
	par    string // the card as its bank knows it: a payment account reference
	client string // the bank's pseudonym of its holder
	holder *person
}

// card is what an account pays with: its holder's card, the partner's, the one of the household's first account, or the
// one with which the call centre pays for whoever asks.
func (h *home) card(d dice, a *account, partner bool) *wallet {
	if !partner && d.chance(callCentreCard) {
		return h.callCentre()
	}
	if first := h.accounts[0]; a.person != first.person && first.person.main != nil && !partner && d.chance(sharedCard) {
		return first.person.main
	}
	p := a.person
	if partner && p.partner || !partner {
		if p.main == nil {
			p.main = h.wallet(d, p, p.partner)
		}
		return p.main
	}
	if p.deal == nil {
		p.deal = h.wallet(d, p, true)
	}
	return p.deal
}

func (h *home) wallet(d dice, p *person, partner bool) *wallet {
	w := &wallet{holder: p, par: h.token("")}
	w.card = Card{Fingerprint: w.par[:16], First6: among(d, []string{"415482", "546918", "220220", "427655"}), Last4: fmt.Sprintf("%04d", d.IntN(10000)), Partner: partner}
	w.par = "50" + code(mix(h.seed^uint64(len(h.wallets))^uint64(h.number)<<20), 11) + code(d.Uint64(), 16)
	if partner {
		w.card.First6 = "220012"
		w.client = "bc-" + code(mix(h.seed^uint64(h.number)<<8^uint64(len(h.wallets))^0xbc), 11)
	}
	h.wallets = append(h.wallets, w)
	return w
}
