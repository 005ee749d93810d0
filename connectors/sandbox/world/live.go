package world

import (
	"slices"
	"strconv"
	"time"
)

// live goes through the visits in order of time: a device remembers who is logged in on it, and what sources see follows
// from that.
func (h *home) live(d, web dice) {
	slices.SortStableFunc(h.visits, func(a, b visit) int { return a.at.Compare(b.at) })
	next := make([]time.Time, len(h.visits)) // when the device is used again
	again := map[*gadget]time.Time{}
	for i, v := range slices.Backward(h.visits) {
		if next[i] = again[v.gadget]; next[i].IsZero() {
			next[i] = h.end
		}
		again[v.gadget] = v.at
	}
	for i, v := range h.visits {
		g := v.gadget
		device := h.deviceAt(g, v.at)
		if g.device != device || g.place != "" { // its cookies are gone, and its login with them; or strangers were there
			g.device, g.account, g.last = device, nil, nil
		}
		a, happens := h.whose(d, v)
		if !happens {
			continue
		}
		if a != nil && a.person == v.person {
			v.person.using = a
		}
		v.signIn = h.signsIn(d, v, a, next[i])
		h.logIn(d, g, a, v)
		h.meet(d, g, device, a, v.at)
		h.used(v, device, a)
		if v.noID {
			device = noID
		}
		h.watch(d, v, device, a)
		if a != nil && a.part != nil {
			h.assign(d, v, device, a)
		}
		if g.kind != "tv" {
			h.browse(web, v, device, a)
		}
		out := or(map[string]float64{"web": loggedOutWeb, "tv": loggedOutApp / 2}[g.kind], loggedOutApp)
		if g.place != "" {
			out = loggedOutPublic
		}
		if a != nil && d.chance(out) {
			at := v.at.Add(v.signIn + time.Duration(v.seconds)*time.Second + d.millis(30*time.Second, 10*time.Minute))
			if at.Before(next[i]) {
				h.logOut(d, g, at)
			}
		}
	}
	h.attend()
	c := h.c
	numbered(h, c.Logins[h.first.logins:], func(r *Login) (*int64, time.Time) { return &r.ID, r.At })
	numbered(h, c.Views[h.first.views:], func(r *View) (*int64, time.Time) { return &r.ID, r.At })
	numbered(h, c.Assignments[h.first.assignments:], func(r *Assignment) (*int64, time.Time) { return &r.ID, r.At })
	numbered(h, c.Exposures[h.first.exposures:], func(r *Exposure) (*int64, time.Time) { return &r.ID, r.At })
}

// whose is the account that a visit is made with, and whether it is made at all: others in the household watch with
// whatever account is logged in.
func (h *home) whose(d dice, v visit) (a *account, happens bool) {
	g, a := v.gadget, v.account
	if g.account != nil && !g.account.deleted.IsZero() && !v.at.Before(g.account.deleted) {
		g.account = nil
	}
	if a == nil && !v.guest && g.owner == nil && g.last != nil && g.last.person != v.person && len(v.person.accounts) > 0 && d.chance(putOff) {
		return nil, false
	}
	if a == nil && v.purpose == browse && g.kind == "web" && g.last == nil {
		if own := v.person.holds(v.at); own != nil && d.chance(asksAgain) {
			a = own
		}
	}
	if in := g.account; in != nil && in != a && g.owner == nil && !v.fixed && in.kind == before && (v.guest || a != nil && a.kind == before) {
		swap := switchBrowser
		if g.kind == "tv" {
			swap = switchTV
		}
		if v.guest || !d.chance(swap) {
			a = in
		}
	}
	return a, a != nil || !v.guest
}

// holds is the account that somebody has of its own at an instant, nil for none.
func (p *person) holds(at time.Time) *account {
	if p.using != nil {
		return p.using.at(at)
	}
	for _, a := range p.accounts {
		if a.at(at) != nil {
			return a
		}
	}
	return nil
}

// at is the account where it exists at an instant, else nil.
func (a *account) at(at time.Time) *account {
	if at.Before(a.registered) || !a.deleted.IsZero() && !at.Before(a.deleted) {
		return nil
	}
	return a
}

// signsIn is how long after the start of a visit an account is logged in that is not yet: browsers show a page first.
func (h *home) signsIn(d dice, v visit, a *account, next time.Time) time.Duration {
	if a == nil || a == v.gadget.account {
		return 0
	}
	if later := d.millis(15*time.Second, 2*time.Minute); v.gadget.kind == "web" && !v.fixed && d.chance(signsInLate) && v.at.Add(later).Before(next) {
		return later
	}
	return time.Second
}

// late reports whether a visit begins without the account that it is made with.
func (v visit) late() bool { return v.signIn > time.Second }

// logIn brings a device to an account, or to nobody.
func (h *home) logIn(d dice, g *gadget, a *account, v visit) {
	at := v.at
	switch {
	case a == nil:
		if g.account != nil && g.kind != "web" { // a browser's login just runs out
			if d.chance(staysLoggedIn) {
				return
			}
			h.logOut(d, g, at)
		}
		g.account = nil
		return
	case g.account == a:
		h.logged(d, g, at, "refresh")
		return
	case g.account != nil:
		h.logOut(d, g, at)
	}
	g.account, g.last, g.session = a, a, code(d.Uint64(), 11)
	h.logged(d, g, at.Add(v.signIn), "login")
	if !a.touched && a.kind == before { // it is asked for consent where it never was
		again := asked(d)
		a.then(at.Add(v.signIn+time.Second), func(v *Account) {
			if v.AnalyticsConsent == nil {
				v.AnalyticsConsent = again
			}
		})
	}
	a.touched = true
}

func (h *home) logOut(d dice, g *gadget, at time.Time) {
	h.logged(d, g, at, "logout")
	g.account = nil
}

func (h *home) logged(d dice, g *gadget, at time.Time, kind string) {
	if at.Before(h.end) {
		h.c.Logins = append(h.c.Logins, Login{
			At: at, Visible: h.commit(d, at, time.Time{}), Account: g.account.id, Device: g.device,
			Session: g.session, Kind: kind,
		})
	}
}

// used keeps the truth about who used a device.
func (h *home) used(v visit, device string, a *account) {
	id := ""
	if a != nil {
		id = a.id
		if len(a.linked) == 0 || !slices.Contains(a.linked, device) {
			a.linked = append(a.linked, device)
		}
	}
	h.node(device, "device", id, v.person, v.at, v.at)
}

// watch writes what is watched, in spans of at most half an hour.
func (h *home) watch(d dice, v visit, device string, a *account) {
	if v.purpose != watch || v.seconds == 0 {
		return
	}
	row := View{Device: device, Title: "title-" + strconv.Itoa(1+d.IntN(titles))}
	if a != nil {
		row.Account = a.id
	}
	at := v.at
	if v.gadget.kind == "web" {
		at = at.Add(v.signIn)
	}
	for left := v.seconds; left > 0 && at.Before(h.end); {
		row.Seconds = min(left, 1800-d.Int64N(600))
		row.At, row.Visible = at, h.commit(d, at.Add(time.Duration(row.Seconds)*time.Second), time.Time{})
		h.c.Views = append(h.c.Views, row)
		if a == nil {
			h.use(v, device, at, a)
		}
		left -= row.Seconds
		at = at.Add(time.Duration(row.Seconds) * time.Second)
	}
}

// assign writes what the experiment's system knows of a visit.
func (h *home) assign(d dice, v visit, device string, a *account) {
	unitType, unit, variant := h.AssignedBy, a.id, a.part.arm
	if unitType == ByDevice {
		unit, variant = device, h.variantOf(device)
	}
	at := v.at.Add(beforeOffer)
	if v.purpose == register && unitType == ByAccount || v.purpose == offer && unitType == ByDevice && !h.assigned[device] {
		made := v.at.Add(2 * time.Second)
		h.c.Assignments = append(h.c.Assignments, Assignment{
			At: made, Visible: h.commit(d, made, time.Time{}), Experiment: Experiment,
			UnitType: unitType, Unit: unit, Variant: arms[variant].name,
		})
	}
	if v.purpose != offer || !at.Before(h.end) {
		return
	}
	h.assigned[device] = true
	e := Exposure{
		At: at, Visible: h.commit(d, at, time.Time{}), Experiment: Experiment, UnitType: unitType, Unit: unit,
		Account: a.id, Device: device, Variant: arms[variant].name, Platform: v.gadget.platform, Country: a.country,
	}
	if v.gadget.kind == "tv" {
		e.Platform = "tv"
	}
	h.c.Exposures = append(h.c.Exposures, e)
	h.exposed(a, e)
}
