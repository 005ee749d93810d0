package world

import "time"

// gadget is a device while its household is made. A browser has incarnations: every time its cookies go, its id changes.
type gadget struct {
	number   int // in the household
	kind     string
	platform string
	model    string
	owner    *person     // nil: everybody's
	resets   []time.Time // of cookies, ascending
	since    time.Time   // when an app or a TV was installed
	consent  bool        // to analytics, of whoever holds it
	browser  int         // number among the browsers of the household
	place    string      // of one in public: its id; it knows no household

	// While the visits are gone through, in order of time:
	device  string // its id at the moment
	account *account
	last    *account // that was logged in, though it may be no longer
	session string
	seen    map[string]*Device
}

var models = map[string][]string{
	"ios":     {"iPhone 13", "iPhone 14", "iPhone 15", "iPad Air"},
	"android": {"Galaxy A54", "Redmi Note 12", "Pixel 7", "Galaxy Tab S8"},
	"tizen":   {"QE55Q60", "UE43AU7100"},
	"webos":   {"OLED55C3", "43UR78"},
	"web":     {"Chrome", "Safari", "Firefox", "Yandex"},
}

// own gives a household its devices.
func (h *home) own(d dice) {
	for _, p := range h.people {
		if d.chance(hasPhone) {
			h.gadget(d, p, "phone", among(d, []string{"ios", "android", "android"}))
		}
		if d.chance(hasTablet) {
			h.gadget(d, p, "tablet", among(d, []string{"ios", "android"}))
		}
		if d.chance(hasBrowser) || len(p.gadgets) == 0 {
			h.gadget(d, p, "web", "web")
		}
	}
	if d.chance(householdTV) {
		h.gadget(d, nil, "tv", among(d, []string{"tizen", "webos", "android"}))
	}
	if len(h.people) > 1 && d.chance(sharedBrowser) {
		h.gadget(d, nil, "web", "web")
	}
}

func (h *home) gadget(d dice, owner *person, kind, platform string) {
	g := &gadget{
		number: len(h.gadgets), kind: kind, platform: platform, model: among(d, models[platform]), owner: owner,
		since: h.start.Add(d.millis(-oldest, h.end.Sub(h.start)/3)), consent: !d.chance(consentRefused), seen: map[string]*Device{},
	}
	for _, other := range h.gadgets {
		g.browser += btoi(other.kind == "web")
	}
	if kind == "web" {
		monthly := 0.15
		if x := d.Float64(); x < cookieHeavy {
			monthly = 11.5
		} else if x < cookieHeavy+cookieChurn {
			monthly = 1.5
		}
		for at := h.start.Add(-day); at.Before(h.end); {
			at = at.Add(d.exponential(time.Duration(float64(30*day) / monthly)))
			g.resets = append(g.resets, at)
		}
	}
	h.gadgets = append(h.gadgets, g)
	if owner != nil {
		owner.gadgets = append(owner.gadgets, g)
	}
}

// deviceAt is the id that a gadget has at an instant.
func (h *home) deviceAt(g *gadget, at time.Time) string {
	if g.place != "" {
		return g.place
	}
	if g.kind != "web" {
		return h.installation(g.number)
	}
	n, made := 0, h.start.Add(-time.Duration(mix(h.seed^uint64(h.number*16+int64(g.browser)))%uint64(90*day)))
	for _, reset := range g.resets {
		if reset.After(at) {
			break
		}
		n, made = n+1, reset
	}
	return h.clientID(g.browser, n, made)
}

// meet writes a device's row when the product first sees it, and another version when something touches the row.
func (h *home) meet(d dice, g *gadget, id string, a *account, at time.Time) {
	if g.place != "" {
		return // the product has known it for long
	}
	row := g.seen[id]
	if row == nil {
		row = &Device{ID: id, Household: h.id, Type: g.kind, Platform: g.platform, Model: g.model, FirstSeen: at, Changed: at}
		if g.owner != nil {
			row.Human, row.Household = g.owner.id, g.owner.home
		}
		if a != nil {
			row.Account = a.id
		}
		g.seen[id] = row
		if g.kind != "web" && g.since.Before(h.start) && (a == nil || a.registered.Before(g.since)) {
			// It was there before the first night, and is touched now.
			row.FirstSeen, row.Changed = g.since, g.since
			row.Visible = h.commit(d, row.Changed, time.Time{})
			h.c.Devices = append(h.c.Devices, *row)
			row.Changed = at
		}
	} else if row.Changed.Equal(row.FirstSeen) && d.chance(deviceTouched) {
		row.Changed = at
	} else {
		return
	}
	row.Visible = h.commit(d, row.Changed, row.Visible)
	h.c.Devices = append(h.c.Devices, *row)
}

// anyOf is a device that a person uses: its own, or one of everybody's.
func (h *home) anyOf(d dice, p *person, weights map[string]float64) *gadget {
	var list []*gadget
	var weight []float64
	for _, g := range h.gadgets {
		if g.owner == p || g.owner == nil && p.borrows == nil {
			list, weight = append(list, g), append(weight, weights[g.kind])
		}
	}
	return list[d.pick(weight...)]
}

// What people use for what. Every person has a phone, a tablet or a browser.
var (
	toWatch    = map[string]float64{"tv": 5, "phone": 2, "tablet": 2, "web": 2}
	toBrowse   = map[string]float64{"tv": 0.2, "phone": 4, "tablet": 1, "web": 4}
	toRegister = map[string]float64{"phone": 3, "tablet": 1, "web": 4}
)
