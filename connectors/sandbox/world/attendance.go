package world

import (
	"cmp"
	"slices"
	"time"
)

// use is an event that a source shows without an account.
type use struct {
	device  string
	at      time.Time
	person  *person
	account string // in whose name
}

// use keeps who caused such an event.
func (h *home) use(v visit, device string, at time.Time, a *account) {
	if v.noID {
		return
	}
	if a = h.inWhoseName(v, a); a != nil {
		h.uses = append(h.uses, use{device, at, v.person, a.id})
	} else {
		h.uses = append(h.uses, use{device, at, v.person, ""})
	}
}

// inWhoseName is the account that a visit counts for, if it is not known to be made with one: see Attendance.
func (h *home) inWhoseName(v visit, a *account) *account {
	p := v.person
	switch {
	case a != nil:
		return a
	case p.borrows != nil:
		return p.borrows
	case v.gadget.last != nil && v.gadget.last.person == p:
		return v.gadget.last
	case p.using != nil:
		return p.using
	case len(p.accounts) > 0:
		return p.accounts[0]
	case v.gadget.last != nil:
		return v.gadget.last
	case len(h.accounts) > 0:
		return h.accounts[0]
	}
	return nil
}

// attend writes the truth about those events.
func (h *home) attend() {
	slices.SortStableFunc(h.uses, func(a, b use) int { return cmp.Or(cmp.Compare(a.device, b.device), a.at.Compare(b.at)) })
	accounts := map[string]int{}
	for _, a := range h.accounts {
		for _, device := range a.linked {
			accounts[device]++
		}
	}
	for _, g := range h.places {
		accounts[g.place] = 2 // and many more
	}
	rows := h.c.Truth.Attended
	first := len(rows)
	for _, u := range h.uses {
		if n := len(rows); n > first {
			if last := &rows[n-1]; last.Device == u.device && last.Human == u.person.id && last.Account == u.account {
				last.To = u.at
				last.Events++
				continue
			}
		}
		rows = append(rows, Attendance{
			Device: u.device, From: u.at, To: u.at, Human: u.person.id, Household: u.person.home, Account: u.account,
			Shared: accounts[u.device] > 1, Events: 1,
		})
	}
	h.c.Truth.Attended = rows
}
