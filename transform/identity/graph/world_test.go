package graph

import (
	"encoding/binary"
	"math/rand/v2"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// world is a problem of about m links as identity sees them: people with an account, e-mail, phone, card, the CRM's
// contact, the bank's client, apps and cookies, several to a household with its television and browser; family cards and
// phones, people with two contacts, and public devices. There are half as many nodes again as links, a third of them
// without any, as most cookies are. Numbered by household, much as a compaction leaves them, or shuffled; links come
// household by household.
func world(m int, byBlock bool) *Problem {
	r := rand.New(rand.NewPCG(1, uint64(m)))
	w := &worldMaker{r: r, p: &Problem{Rules: DefaultRules()}}
	for range 1 + m/20_000 {
		w.public = append(w.public, w.node(typeTV), w.node(typeCard), w.node(typeEmail))
	}
	for len(w.p.Links.A) < m {
		w.household()
	}
	p := w.p
	if byBlock {
		return p
	}
	number := make([]uint32, len(p.Keys))
	for i, to := range r.Perm(len(number)) {
		number[i] = uint32(to)
	}
	keys, types := make([]identifier.ID, len(number)), make([]uint8, len(number))
	for v, to := range number {
		keys[to], types[to] = p.Keys[v], p.Types[v]
	}
	p.Keys, p.Types = keys, types
	for i := range p.Links.A {
		p.Links.A[i], p.Links.B[i] = number[p.Links.A[i]], number[p.Links.B[i]]
	}
	return p
}

// The types of DefaultRules.
var (
	typeAccount     = mustType(table.TypeAccount)
	typeEmail       = mustType(table.TypeEmail)
	typeEmailFolded = mustType(table.TypeEmailFolded)
	typePhone       = mustType(table.TypePhone)
	typeCard        = mustType(table.TypeCard)
	typeCRM         = mustType(table.TypeCRM)
	typeBankClient  = mustType(table.TypeBankClient)
	typeApp         = mustType(table.TypeApp)
	typeCookie      = mustType(table.TypeCookie)
	typeTV          = mustType(table.TypeTV)
	typeBrowser     = mustType(table.TypeBrowser)
)

func mustType(name string) uint8 {
	t, ok := DefaultRules().Type(name)
	if !ok {
		panic("no type " + name)
	}
	return t
}

type worldMaker struct {
	r      *rand.Rand
	p      *Problem
	public []uint32
}

func (w *worldMaker) node(t uint8) uint32 {
	var id identifier.ID
	binary.BigEndian.PutUint64(id[:8], w.r.Uint64())
	binary.BigEndian.PutUint64(id[8:], w.r.Uint64())
	w.p.Keys = append(w.p.Keys, id)
	w.p.Types = append(w.p.Types, t)
	return uint32(len(w.p.Keys) - 1)
}

func (w *worldMaker) link(a, b uint32, class uint8) {
	l := &w.p.Links
	l.A, l.B, l.Class = append(l.A, a), append(l.B, b), append(l.Class, class)
	l.First = append(l.First, 1.7e15+w.r.Int64N(90*86400)*1e6)
}

func (w *worldMaker) one(in int) bool { return w.r.IntN(in) == 0 }

func (w *worldMaker) household() {
	tv, browser, card, phone := w.node(typeTV), w.node(typeBrowser), w.node(typeCard), w.node(typePhone)
	for range 1 + w.r.IntN(4) {
		account, email := w.node(typeAccount), w.node(typeEmail)
		w.link(account, email, table.RuleVerified)
		w.link(email, w.node(typeEmailFolded), table.RuleTyped)
		if !w.one(8) {
			phone = w.node(typePhone)
		}
		w.link(account, phone, table.RuleAccount)
		if !w.one(5) {
			card = w.node(typeCard)
		}
		w.link(account, card, table.RuleCard)
		if w.one(2) {
			client := w.node(typeBankClient)
			w.link(client, card, table.RuleAccount)
			w.link(client, phone, table.RuleAccount)
		}
		for range w.r.IntN(3) {
			contact := w.node(typeCRM)
			w.link(contact, email, table.RuleTyped)
			w.link(contact, phone, table.RuleTyped)
		}
		for range w.r.IntN(3) {
			w.link(account, w.node(typeApp), table.RuleApp)
		}
		for range w.r.IntN(5) {
			cookie := w.node(typeCookie)
			w.link(account, cookie, table.RuleCookie)
			if w.one(4) {
				w.link(cookie, w.node(typeApp), table.RuleCookie)
			}
		}
		for range w.r.IntN(14) {
			w.node(typeCookie) // never logged in
		}
		w.link(account, tv, table.RuleShared)
		if w.one(2) {
			w.link(browser, account, table.RuleShared)
		}
		if w.one(3) { // another source knows it too
			w.link(email, account, table.RuleTyped)
		}
		if w.one(15) {
			w.link(account, w.public[w.r.IntN(len(w.public))], table.RuleTyped)
		}
	}
	if w.one(50) {
		w.link(tv, w.public[0], table.RuleShared)
		w.link(w.public[0], w.public[1], table.RuleShared)
		w.link(w.public[2], browser, table.RuleShared)
	}
}
