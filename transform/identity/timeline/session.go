package timeline

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"

	"crosslift/schemas/identifier"
)

// webSessions finds what the web sessions of a device say.
type webSessions struct {
	events  []event
	moments []moment
	claims  claims
	open    claims
}

// moment is the events of a session at one instant.
type moment struct {
	at          int64
	anonymous   bool
	first, last uint32 // the smallest and the greatest account; 0: none
}

// claim is what one session says in a span of time, and the authenticated event that it says it by.
type claim struct {
	from, to int64
	account  uint32
	before   bool  // the event is not after the span
	at       int64 // its time
	id       *identifier.ID
}

// pieces appends what the sessions among a device's events say, in order and without overlaps.
func (w *webSessions) pieces(into []piece, events []event, accounts []identifier.ID, reach int64) []piece {
	w.events, w.claims = w.events[:0], w.claims[:0]
	for _, e := range events {
		if e.session != 0 {
			w.events = append(w.events, e)
		}
	}
	slices.SortStableFunc(w.events, bySession) // stable: the events of one instant stay in the order of their accounts
	for from := 0; from < len(w.events); {
		to, anonymous := from, 0
		for ; to < len(w.events) && w.events[to].session == w.events[from].session; to++ {
			if w.events[to].account == 0 {
				anonymous++
			}
		}
		if anonymous > 0 && anonymous < to-from {
			w.session(w.events[from:to], accounts, reach)
		}
		from = to
	}
	return w.resolve(into)
}

// session adds the claims of one session.
func (w *webSessions) session(events []event, accounts []identifier.ID, reach int64) {
	w.moments = w.moments[:0]
	for _, e := range events {
		if n := len(w.moments); n == 0 || w.moments[n-1].at != e.at {
			w.moments = append(w.moments, moment{at: e.at})
		}
		m := &w.moments[len(w.moments)-1]
		if e.account == 0 {
			m.anonymous = true
			continue
		}
		if m.first == 0 {
			m.first = e.account
		}
		m.last = e.account
	}
	before, after := -1, 0 // the authenticated moments around
	for i, m := range w.moments {
		if m.last != 0 {
			before = i
		}
		for after = max(after, i+1); after < len(w.moments) && w.moments[after].last == 0; {
			after++
		}
		to := m.at
		if m.anonymous {
			to++
		}
		if i+1 < len(w.moments) {
			if next := w.moments[i+1]; next.at-m.at <= reach && (m.anonymous || next.anonymous) {
				to = next.at
			}
		}
		from := m.at
		if before >= 0 {
			b := w.moments[before]
			w.claim(claim{from: from, to: min(to, b.at+reach), account: b.last, before: true, at: b.at, id: &accounts[b.last]})
			from = max(from, b.at+reach)
		}
		if after < len(w.moments) {
			a := w.moments[after]
			w.claim(claim{from: max(from, a.at-reach), to: to, account: a.first, at: a.at, id: &accounts[a.first]})
		}
	}
}

// claim adds a claim, joining it with what it continues.
func (w *webSessions) claim(c claim) {
	if c.from >= c.to {
		return
	}
	if n := len(w.claims); n > 0 {
		last := &w.claims[n-1]
		if last.to == c.from && last.account == c.account && last.before == c.before && last.at == c.at {
			last.to = c.to
			return
		}
	}
	w.claims = append(w.claims, c)
}

// resolve appends, for every instant, what the best claim there says.
func (w *webSessions) resolve(into []piece) []piece {
	slices.SortFunc(w.claims, func(a, b claim) int { return cmp.Compare(a.from, b.from) })
	w.open = w.open[:0]
	for next, t := 0, int64(0); ; {
		for len(w.open) > 0 && w.open[0].to <= t {
			heap.Pop(&w.open)
		}
		if len(w.open) == 0 {
			if next == len(w.claims) {
				return into
			}
			t = w.claims[next].from
		}
		for ; next < len(w.claims) && w.claims[next].from <= t; next++ {
			heap.Push(&w.open, w.claims[next])
		}
		until := w.open[0].to
		if next < len(w.claims) {
			until = min(until, w.claims[next].from)
		}
		into = add(into, piece{t, until, w.open[0].account})
		t = until
	}
}

// claims is a heap with the best claim first.
type claims []claim

func (c claims) Len() int      { return len(c) }
func (c claims) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c *claims) Push(x any)   { *c = append(*c, x.(claim)) }

func (c *claims) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// Less prefers the latest event by then, else the first one after, in the total order of events.
func (c claims) Less(i, j int) bool {
	a, b := c[i], c[j]
	if a.before != b.before {
		return a.before
	}
	later := cmp.Or(cmp.Compare(a.at, b.at), bytes.Compare(a.id[:], b.id[:]))
	if a.before {
		return later > 0
	}
	return later < 0
}
