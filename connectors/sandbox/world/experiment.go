package world

import (
	"math"
	"slices"
	"time"
)

// The experiment: 99 % cashback on the first month with a partner bank, offered to new subscribers.
const (
	Experiment = "cashback_99"
	Control    = "control"
	Treatment  = "offer"
)

// The windows of its metrics, in days after the first exposure. What an account does because of the experiment falls
// inside them.
const (
	firstWindow = 7
	payWindow   = 32
	watchWindow = 14
)

// arm holds the parameters that the offer changes. 99 % cashback makes many more people pay for a first month, of whom
// fewer stay; the injected effect is the difference between the arms.
type arm struct {
	name   string
	first  float64 // probability of paying a first month
	second float64 // of paying a second one, having paid the first
	family float64 // of the dearer plan, among those who pay
	viewer float64 // of watching anything
	more   float64 // of one more session after each, in the window
}

var arms = [2]arm{
	{Control, 0.220, 0.550, 0.300, 0.480, 0.700},
	{Treatment, 0.295, 0.452, 0.270, 0.520, 0.710},
}

// A session's length is log-normal, cut at a night's worth: a few people watch very much.
const (
	sessionMu    = 7.2 // of the logarithm of seconds: a median of 22 minutes
	sessionSigma = 1.15
	sessionMax   = 6 * 3600
)

// prices of the two plans in minor units.
var prices = map[string][2]int64{"RUB": {29900, 49900}, "KZT": {179400, 299400}, "JPY": {590, 980}, "KWD": {1750, 2900}}

// Outcome is what an account does in the windows of the metrics under one arm.
type Outcome struct {
	First, Second bool  // paid a first and a second month
	Revenue       int64 // minor units of roubles
	Watched       int64 // seconds
}

// participation is an account's part in the experiment.
type participation struct {
	arm      int       // of the account; of its first exposed device where devices are assigned
	acts     int       // the arm by whose parameters it behaves
	never    bool      // meets the offer
	regular  bool      // has been there for days when it does
	met      bool      // has met it
	exposed  []contact // ascending
	outcomes [2]Outcome
	family   bool // the dearer plan
	pays     time.Time
	again    time.Time
	trial    bool
	sessions []session
	partner  bool
}

// contact is a meeting with the offer.
type contact struct {
	at     time.Time
	gadget *gadget
}

// session is an evening's watching.
type session struct {
	at      time.Time
	seconds int64
}

// draws are what decides, whatever the arm, so that an account has an outcome under either.
type draws struct {
	first, second, family, viewer float64
	more                          []float64
	sessions                      []session
}

func (x draws) outcome(a arm, price func(family bool) int64) (o Outcome, n int) {
	o.First = x.first < a.first
	o.Second = o.First && x.second < a.second
	if o.First {
		o.Revenue = price(x.family < a.family) * int64(1+btoi(o.Second))
	}
	if x.viewer >= a.viewer {
		return o, 0
	}
	for n == 0 || n < len(x.sessions) && x.more[n-1] < a.more {
		o.Watched += x.sessions[n].seconds
		n++
	}
	return o, n
}

// enter draws when the new accounts are registered, what they are assigned, and what they do under either arm.
func (h *home) enter(d dice) {
	for _, a := range h.accounts {
		if a.kind == before {
			continue
		}
		from, to := h.start, h.entered
		if a.kind == after {
			from, to = h.entered, h.end
		}
		if a.second { // for the promotion, after the first account was
			from = maxTime(from, a.person.accounts[0].registered)
			to = maxTime(to, from.Add(2*day))
		}
		met := from.Add(d.within(time.Minute, to.Sub(from)))
		lag := d.within(20*time.Second, 80*time.Second)
		if d.chance(0.2) {
			lag = d.within(0, 2*day)
		}
		regular := h.AssignedBy == ByDevice && d.chance(regular)
		if regular {
			lag = d.within(day, 8*day)
		}
		a.registered = maxTime(met.Add(-lag), from.Add(d.millis(time.Second, 20*time.Second)))
		if a.registered.Before(h.end) {
			h.found(d, a)
			h.participate(d, a, met, regular)
		}
	}
	late := func(a *account) bool { return !a.registered.Before(h.end) }
	h.accounts = slices.DeleteFunc(h.accounts, late)
	for _, p := range h.people {
		p.accounts = slices.DeleteFunc(p.accounts, late)
	}
}

func (h *home) participate(d dice, a *account, met time.Time, regular bool) {
	p := &participation{arm: d.IntN(2), never: d.chance(0.03), regular: regular}
	a.part = p
	g := h.anyOf(d, a.person, toRegister)
	at := met
	again, elsewhere := 0.3, 0.25
	if regular { // comes by on whatever is at hand
		again, elsewhere = 0.7, 0.6
	}
	for n := 0; n == 0 || n < 4 && d.chance(again); n++ {
		if n > 0 {
			at = at.Add(d.within(time.Minute, 48*time.Hour))
			if d.chance(elsewhere) {
				g = h.anyOf(d, a.person, toBrowse)
			}
		}
		p.exposed = append(p.exposed, contact{at: at, gadget: g})
	}
	x := draws{first: d.Float64(), second: d.Float64(), family: d.Float64(), viewer: d.Float64()}
	const most = 64 // more sessions have a probability of 10⁻¹⁰
	for len(x.sessions) == 0 || len(x.more) < most && x.more[len(x.more)-1] < max(arms[0].more, arms[1].more) {
		// Rounded up or down at random, so that the mean of whole seconds is that of the model.
		seconds := min(math.Exp(sessionMu+sessionSigma*d.NormFloat64()), sessionMax)
		x.sessions = append(x.sessions, session{
			met.Add(d.within(0, watchWindow*day-sessionMax*time.Second-time.Hour)), int64(math.Floor(seconds + d.Float64())),
		})
		x.more = append(x.more, d.Float64())
	}
	p.trial = d.chance(trialOfPayer)
	if p.trial {
		p.pays = met.Add(24*time.Hour + d.within(0, 5*time.Hour))
	} else {
		p.pays = met.Add(d.within(0, 30*time.Hour))
	}
	p.again = p.pays.Add(30*day + d.within(0, 8*time.Hour))
	p.acts = h.acting(p)
	price := func(family bool) int64 {
		if currencies[a.country] != "RUB" {
			return 0
		}
		return prices["RUB"][btoi(family)]
	}
	for i := range arms {
		var n int
		if p.outcomes[i], n = x.outcome(arms[i], price); i == p.acts {
			p.family, p.sessions = x.family < arms[i].family, x.sessions[:n]
		}
	}
	p.partner = a.person.partner || p.acts == 1 && d.chance(partnerForDeal)
}

// acting is the arm by which an account behaves: the offer works wherever it was seen before it was time to pay.
func (h *home) acting(p *participation) int {
	if p.never {
		return 0
	}
	if h.AssignedBy == ByAccount {
		return p.arm
	}
	p.arm = h.variantOf(h.deviceAt(p.exposed[0].gadget, p.exposed[0].at))
	for _, e := range p.exposed {
		if e.at.Before(p.pays) && h.variantOf(h.deviceAt(e.gadget, e.at)) == 1 {
			return 1
		}
	}
	return 0
}

// variantOf draws the variant of a device: the same one whenever it asks.
func (h *home) variantOf(device string) int {
	x := h.seed ^ 0xab
	for i := range len(device) {
		x = mix(x ^ uint64(device[i]))
	}
	return int(x & 1)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
