package world

import (
	"slices"
	"strconv"
	"time"
)

// The kinds of account, by when they were registered.
const (
	before = iota // the first night
	during        // the days of entry
	after         // them
)

// account is a product's account while its household is made.
type account struct {
	id         string
	person     *person
	kind       int
	registered time.Time
	deleted    time.Time // zero: never
	email      string    // "" when not given
	phone      string    // ten digits; "" when not given
	former     string    // ten digits: its phone until it gave that number up; "" of most
	gaveUp     time.Time
	country    string
	row        Account  // the first version
	changes    []change // later ones, in any order
	touched    bool     // has been used during the nights
	subscribed []span
	second     bool // somebody's second account
	part       *participation
	contact    string // the CRM's id
	linked     []string
}

// change is what another version of an account changes.
type change struct {
	at    time.Time
	apply func(*Account)
}

type span struct{ from, to time.Time }

func (s span) holds(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }

// countries and what people pay in there.
var (
	countries  = []string{"RU", "BY", "KZ", "AM"}
	currencies = map[string]string{"RU": "RUB", "BY": "RUB", "AM": "RUB", "KZ": "KZT", "JP": "JPY", "KW": "KWD"}
)

// register makes an account of a person.
func (h *home) register(d dice, p *person, second bool) {
	a := &account{id: h.accountID(len(h.accounts)), person: p, second: second, country: h.country}
	switch x := d.Float64(); {
	case x < oldAccount && !second:
		a.kind = before
		a.registered = h.start.Add(-d.within(day, oldest))
		if d.chance(0.02) { // some of them live where money has no decimals, or three
			a.country = among(d, []string{"JP", "KW"})
		}
	case x > 1-lateAccount && h.entered.Before(h.end):
		a.kind = after
	default:
		a.kind = during
	}
	if d.chance(emailGiven) {
		a.email = address(d, p.name, a.id[1:])
	}
	if first := p.accounts; second && first[0].email != "" && a.email != "" && d.chance(0.4) {
		a.email = tagged(first[0].email, strconv.Itoa(len(h.accounts))) // the same mailbox, written in another way
	}
	if d.chance(sharedMailbox) {
		a.email = h.officeAddress()
	}
	if d.chance(phoneGiven) {
		a.phone = p.phone
	}
	p.accounts = append(p.accounts, a)
	h.accounts = append(h.accounts, a)
	if a.kind == before {
		h.found(d, a)
	}
}

// found fills an account's first version, and plans its later ones, once it is known when it was registered.
func (h *home) found(d dice, a *account) {
	at := a.registered
	h.changeNumbers(a)
	phone := ""
	if a.phone != "" {
		phone = written(d, a.numberAt(at))
	}
	a.row = Account{
		ID: a.id, Human: a.person.id, Household: h.id, Registered: at, Name: a.person.name, Country: a.country,
		MarketingConsent: asked(d), AnalyticsConsent: asked(d), Changed: at,
	}
	h.planted("productdb", "user.name", "name", a.row.Name)
	if a.email != "" {
		a.row.Email = typed(d, a.email)
		h.planted("productdb", "user.email", "email", a.row.Email)
		if d.chance(emailVerified) {
			a.then(at.Add(d.within(time.Minute, 2*time.Hour)), func(v *Account) { v.EmailVerified = true })
		}
	}
	if phone != "" {
		h.planted("productdb", "user.phone", "phone", phone)
		if a.former != "" || d.chance(0.7) {
			a.row.Phone = phone
		} else {
			a.then(at.Add(d.within(time.Hour, 10*day)), func(v *Account) { v.Phone = phone })
		}
	}
	if d.chance(consentFlips) {
		yes := d.chance(0.4)
		marketing := d.chance(0.5)
		a.then(h.start.Add(d.within(0, h.end.Sub(h.start))), func(v *Account) {
			if marketing {
				v.MarketingConsent = &yes
			} else {
				v.AnalyticsConsent = &yes
			}
		})
	}
	if d.chance(accountDeleted) {
		if last := h.start.Add(2 * h.end.Sub(h.start) / 3); last.After(at) && a.kind == before {
			a.deleted = last.Add(d.within(0, h.end.Sub(last)))
			a.then(a.deleted, func(v *Account) { v.Deleted = true })
		}
	}
	h.node(a.id, "account", a.id, a.person, at, h.end)
	if a.email != "" {
		h.node(a.email, "email", a.id, a.person, at, h.end)
	}
	switch {
	case a.former != "":
		h.node("+7"+a.former, "phone", a.id, a.person, at, a.gaveUp)
		h.node("+7"+a.phone, "phone", a.id, a.person, a.gaveUp, h.end)
		h.tellsNumber(d, a)
	case a.phone != "":
		h.node("+7"+a.phone, "phone", a.id, a.person, at, h.end)
	}
}

// then plans a version. What would happen before the account is registered does not.
func (a *account) then(at time.Time, apply func(*Account)) {
	if at.After(a.registered) {
		a.changes = append(a.changes, change{at, apply})
	}
}

// asked is a consent: yes, no, or never asked for.
func asked(d dice) *bool {
	x := d.Float64()
	if x > consentGranted+consentDenied {
		return nil
	}
	yes := x < consentGranted
	return &yes
}

// consents reports whether an account lets itself be analysed at an instant: who was never asked has not said no.
func (a *account) consents(at time.Time) bool {
	v := a.row
	for _, c := range a.changes {
		if !c.at.After(at) {
			c.apply(&v)
		}
	}
	return v.AnalyticsConsent == nil || *v.AnalyticsConsent
}

// versions writes what the product's table showed of each account.
func (h *home) versions(d dice) {
	for _, a := range h.accounts {
		slices.SortStableFunc(a.changes, func(x, y change) int { return x.at.Compare(y.at) })
		v := a.row
		v.Visible = h.commit(d, v.Changed, time.Time{})
		h.c.Accounts = append(h.c.Accounts, v)
		for _, c := range a.changes {
			if !c.at.Before(h.end) {
				break
			}
			c.apply(&v)
			v.Changed = maxTime(c.at, v.Changed.Add(time.Millisecond))
			v.Visible = h.commit(d, v.Changed, v.Visible)
			h.c.Accounts = append(h.c.Accounts, v)
		}
	}
}

// commit is when a row that was stamped at an instant could be read: now and then much later, past midnight too, but
// never before the version before it.
func (h *home) commit(d dice, at, last time.Time) time.Time {
	visible := at.Add(d.millis(5*time.Millisecond, 2*time.Second))
	if d.chance(lateCommit) {
		visible = at.Add(d.millis(time.Minute, 59*time.Minute))
	}
	if !visible.After(last) {
		visible = last.Add(time.Millisecond)
	}
	return visible
}
