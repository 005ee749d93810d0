package world

import (
	"fmt"
	"slices"
	"time"
)

// crm makes the contacts that somebody typed, and a deal for each subscription.
func (h *home) crm(d dice) {
	n := 0
	contactID := func() string {
		n++
		return fmt.Sprintf("%d", 100_000_000_000+int64(scramble32(uint32(h.number)<<4|uint32(n), h.seed^0xc4))*20+int64(n))
	}
	for _, a := range h.accounts {
		if d.chance(crmContact) {
			h.contact(d, a, contactID())
		}
	}
	for _, p := range h.people {
		if !p.adult || len(p.accounts) > 0 || !d.chance(crmLead) {
			continue
		}
		at := h.start.Add(d.millis(0, h.end.Sub(h.start)))
		c := Contact{ID: contactID(), Name: p.name, Phone: written(d, p.phone), Created: at, Changed: at, Visible: at}
		c.MarketingConsent, c.ConsentVersion = asked(d), "2026-08"
		h.planted("crm", "contact.phone", "phone", c.Phone)
		h.node(c.ID, "crm", "", p, at, h.end)
		h.node("+7"+p.phone, "phone", "", p, at, h.end)
		h.c.Contacts = append(h.c.Contacts, c)
	}
	for _, s := range h.subscriptions() {
		h.deal(d, s, contactID())
	}
}

// contact is an account's contact: typed a while after it was registered, corrected, consented, archived.
func (h *home) contact(d dice, a *account, id string) {
	at := maxTime(a.registered, h.start.Add(-90*day)).Add(d.millis(time.Minute, 3*day))
	if !at.Before(h.end) {
		return
	}
	c := Contact{
		ID: id, Name: a.person.name, MarketingConsent: a.row.MarketingConsent, AnalyticsConsent: a.row.AnalyticsConsent,
		ConsentVersion: among(d, []string{"2026-03", "2026-08"}), Created: at,
	}
	if d.chance(crmKnowsWho) {
		c.Account = a.id
	}
	a.contact = id
	h.node(id, "crm", a.id, a.person, at, h.end)
	if a.email != "" {
		c.Email = typed(d, a.email)
		if d.chance(emailTypo) {
			c.Email = mistyped(d, a.email)
			if d.chance(typoIsAlive) {
				c.Email = or(h.livingAddress(), c.Email)
			}
		}
		h.planted("crm", "contact.email", "email", c.Email)
	}
	if d.chance(0.6) {
		number := a.person.phone
		if a.former != "" {
			number = a.numberAt(at)
		} else {
			h.node("+7"+number, "phone", a.id, a.person, at, h.end)
		}
		c.Phone = written(d, number)
		h.planted("crm", "contact.phone", "phone", c.Phone)
	}
	type change struct {
		at    time.Time
		apply func()
	}
	changes := []change{{at, func() {}}}
	then := func(from time.Time, apply func()) {
		from = maxTime(from, at)
		if from.Before(h.end) {
			changes = append(changes, change{from.Add(d.millis(time.Second, h.end.Sub(from))), apply})
		}
	}
	if a.former != "" && c.Phone != "" && at.Before(a.gaveUp) && d.chance(crmCorrected) {
		number := written(d, a.phone)
		h.planted("crm", "contact.phone", "phone", number)
		then(a.gaveUp, func() { c.Phone = number })
	}
	if at.Before(h.start) || d.chance(0.15) { // everybody is asked again under new wording
		yes := d.chance(0.7)
		then(h.start, func() { c.MarketingConsent, c.ConsentVersion = &yes, "2026-08" })
	}
	if d.chance(consentFlips) {
		yes := d.chance(0.4)
		then(h.start, func() { c.AnalyticsConsent = &yes })
	}
	if d.chance(crmArchived) {
		then(h.start, func() { c.Archived = true })
	}
	slices.SortStableFunc(changes, func(x, y change) int { return x.at.Compare(y.at) })
	for _, change := range changes {
		change.apply()
		c.Changed = maxTime(change.at, c.Changed.Add(time.Millisecond))
		c.Visible = c.Changed
		h.c.Contacts = append(h.c.Contacts, c)
		if c.Archived {
			return // nobody works on it any more
		}
	}
}

// subscriptions are the household's, with all their versions: those of one id follow each other.
func (h *home) subscriptions() (all [][]Subscription) {
	for _, s := range h.c.Subscriptions[h.first.subscriptions:] {
		if n := len(all); n > 0 && all[n-1][0].ID == s.ID {
			all[n-1] = append(all[n-1], s)
		} else {
			all = append(all, []Subscription{s})
		}
	}
	return all
}

// deal follows a subscription of an account that the CRM has a contact of.
func (h *home) deal(d dice, versions []Subscription, id string) {
	i := slices.IndexFunc(h.accounts, func(a *account) bool { return a.id == versions[0].Account })
	if h.accounts[i].contact == "" {
		return
	}
	currency := currencies[h.accounts[i].country]
	v := Deal{
		ID: id, Contact: h.accounts[i].contact, Plan: versions[0].Plan, Currency: currency,
		Amount: prices[currency][btoi(versions[0].Plan == "family")],
	}
	for n, s := range versions {
		stage := map[string]string{"trialing": "trial", "active": "active", "past_due": "at_risk", "canceled": "churned"}[s.Status]
		at := s.Changed.Add(d.millis(time.Second, 10*time.Minute))
		if n == 0 {
			v.Created = at
		} else if stage == v.Stage {
			continue
		}
		if at = maxTime(at, v.Changed.Add(time.Millisecond)); !at.Before(h.end) {
			return
		}
		if v.Stage, v.Closed = stage, (time.Time{}); stage == "churned" {
			v.Closed = at
		}
		v.Changed, v.Visible = at, at
		h.c.Deals = append(h.c.Deals, v)
	}
}
