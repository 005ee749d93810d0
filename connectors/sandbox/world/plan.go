package world

import "time"

// visit is somebody using a device for something.
type visit struct {
	at      time.Time
	gadget  *gadget
	person  *person
	account *account // that it has to be with; nil: nobody's
	purpose purpose
	seconds int64         // watched
	guest   bool          // watches with whatever account the device is logged in with
	signIn  time.Duration // after the start of the visit, if the account is not logged in yet
	fixed   bool          // the experiment's: nobody else's account will do
	noID    bool          // views and web events have no device's id
}

type purpose int

const (
	browse purpose = iota
	watch
	register // an account
	offer    // is met
	checkout
)

// How long after the start of a visit the offer is met, and the payment made.
const (
	beforeOffer  = 5 * time.Second
	beforePaying = 20 * time.Second
)

func (h *home) visit(v visit) {
	if !v.at.Before(h.start) && v.at.Before(h.end) && (v.account == nil || v.account.deleted.IsZero() || v.at.Before(v.account.deleted)) {
		h.visits = append(h.visits, v)
	}
}

// plan draws who uses which device when, and for what.
func (h *home) plan(d dice) {
	hosts := false
	for _, a := range h.accounts {
		hosts = hosts || a.kind == before
		if a.kind == before {
			h.habits(d, a, span{h.start, h.end}, 1.8, 0.5)
		} else {
			h.newcomer(d, a)
		}
	}
	for _, p := range h.people {
		rate := 0.05 * h.Scale
		if len(p.accounts) == 0 {
			rate = 0.1 * h.Scale
		}
		for day := range h.Nights {
			for range d.poisson(rate) { // looks around as nobody in particular
				v := visit{at: h.someTime(d, day), gadget: h.anyOf(d, p, toBrowse), person: p}
				if d.chance(0.15) {
					v.purpose, v.seconds = watch, 20+d.Int64N(160) // trailers
				}
				h.visit(v)
			}
		}
		if a := p.borrows; a != nil {
			for day := range h.Nights {
				for range d.poisson(0.5 * h.Scale) {
					h.visit(visit{at: h.someTime(d, day), gadget: h.anyOf(d, p, toWatch), person: p, account: a, purpose: watch, seconds: d.watched()})
				}
			}
		}
		if len(p.accounts) > 0 || p.borrows != nil || !hosts {
			continue
		}
		for day := range h.Nights {
			for range d.poisson(0.3 * h.Scale) {
				h.visit(visit{
					at: h.someTime(d, day), gadget: h.anyOf(d, p, toWatch), person: p, purpose: watch, seconds: d.watched(), guest: true,
				})
			}
		}
	}
}

// watched is the length of an evening's watching.
func (d dice) watched() int64 {
	return int64(min(60+d.exponential(35*time.Minute).Seconds(), sessionMax))
}

// habits are the visits of an account's holder day by day: much watching while it is subscribed.
func (h *home) habits(d dice, a *account, during span, watching, browsing float64) {
	for day, w := range h.days {
		if !w.To.After(during.from) || !w.From.Before(during.to) {
			continue
		}
		rate := watching / 30 // without a subscription there is little to see
		for _, s := range a.subscribed {
			if s.holds(w.From) {
				rate = watching
			}
		}
		for range d.poisson(rate * h.Scale) {
			v := visit{at: h.someTime(d, day), gadget: h.anyOf(d, a.person, toWatch), person: a.person, account: a, purpose: watch, seconds: d.watched()}
			openly := watchedOpenly
			if v.gadget.kind == "tv" {
				openly = watchedOpenlyTV
			}
			if d.chance(openly) {
				v.account = nil
			}
			if during.holds(v.at) {
				h.visit(v)
			}
		}
		for range d.poisson(browsing * h.Scale) {
			g := h.anyOf(d, a.person, toBrowse)
			v := visit{at: h.someTime(d, day), gadget: g, person: a.person}
			rate := map[string]float64{"web": loggedInWeb, "tv": loggedInTV}[g.kind]
			if g.kind == "web" && g.owner == nil {
				rate = loggedInShared
			}
			if d.chance(rate) || g.kind != "web" && d.chance(loggedInApp) {
				v.account = a
			}
			if during.holds(v.at) {
				h.visit(v)
			}
		}
	}
}

// newcomer plans what an account of the experiment does: comes by, is registered, meets the offer, pays, watches.
func (h *home) newcomer(d dice, a *account) {
	p := a.part
	first := p.exposed[0]
	for range d.poisson(0.6) { // before it has an account
		h.visit(visit{at: a.registered.Add(-d.millis(time.Minute, 6*day)), gadget: first.gadget, person: a.person})
	}
	h.visit(visit{at: a.registered, gadget: first.gadget, person: a.person, account: a, purpose: register, fixed: true})
	if there := first.at.Sub(a.registered); p.regular && there > time.Hour {
		for _, g := range a.person.gadgets {
			h.visit(visit{at: a.registered.Add(d.within(time.Minute, there)), gadget: g, person: a.person, account: a, fixed: true})
		}
	}
	for _, e := range p.exposed {
		if !p.never {
			h.visit(visit{at: e.at.Add(-beforeOffer), gadget: e.gadget, person: a.person, account: a, purpose: offer, fixed: true})
		}
	}
	if p.outcomes[p.acts].First {
		h.visit(visit{at: p.pays.Add(-beforePaying), gadget: first.gadget, person: a.person, account: a, purpose: checkout, fixed: true})
	}
	for _, s := range p.sessions {
		h.visit(visit{
			at: s.at, gadget: h.anyOf(d, a.person, toWatch), person: a.person, account: a, purpose: watch, seconds: s.seconds, fixed: true,
		})
	}
	h.habits(d, a, span{a.registered, first.at.Add(watchWindow * day)}, 0, 0.2)
	h.habits(d, a, span{first.at.Add(watchWindow * day), h.end}, 0.9, 0.3)
}
