package verify

import (
	"cmp"
	"slices"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// visits are the first events that web analytics has of somebody.
type visits struct {
	account map[identifier.ID]deed // that count for the account that they are shown with
	device  map[identifier.ID]deed // that count for their device
	by      map[identifier.ID]deed // in an account's name, be it shown or not
}

// firstVisits finds them. Where devices are assigned an event is its device's, where that is of a unit; else only one without an
// account is.
func (f *found) firstVisits(w *lived) visits {
	v := visits{map[identifier.ID]deed{}, map[identifier.ID]deed{}, map[identifier.ID]deed{}}
	take := func(to map[identifier.ID]deed, id identifier.ID, d deed) {
		if was, known := to[id]; !id.IsZero() && (!known || earlier(d, was)) {
			to[id] = d
		}
	}
	ofUnits := map[identifier.ID]bool{}
	if f.assignedBy == world.ByDevice {
		for _, devices := range f.members(table.AsOfExposure) {
			for _, d := range devices {
				ofUnits[d] = true
			}
		}
	}
	for _, d := range w.sights {
		take(v.by, d.by, d)
		if d.account.IsZero() || ofUnits[d.device] {
			take(v.device, d.device, d)
		} else {
			take(v.account, d.account, d)
		}
	}
	return v
}

// of is the first event of an account or devices.
func (v visits) of(account identifier.ID, devices []identifier.ID) deed {
	first, known := v.account[account]
	for _, id := range devices {
		if d, is := v.device[id]; is && (!known || earlier(d, first)) {
			first, known = d, true
		}
	}
	return first
}

func earlier(a, b deed) bool {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.channel, b.channel)) < 0
}

// newestPlans are the plans that accounts had before their first exposure: of a subscription, else of a payment.
func (w *lived) newestPlans(homes map[identifier.ID]*home) map[identifier.ID]deed {
	all := map[identifier.ID]deed{}
	for _, stream := range []string{"charges", "subscriptions"} { // these stand above those
		newest := map[identifier.ID]deed{}
		for _, d := range w.plans[stream] {
			if h := homes[d.account]; h == nil || d.at >= h.at {
				continue
			}
			was, known := newest[d.account]
			if d.damaged = d.damaged || was.damaged; known && (was.at > d.at || was.at == d.at && was.plan < d.plan) {
				d.at, d.plan = was.at, was.plan
			}
			newest[d.account] = d
		}
		for account, d := range newest {
			d.damaged = d.damaged || all[account].damaged
			all[account] = d
		}
	}
	return all
}

// beginnings are when accounts and devices were there first, by their names.
type beginnings struct {
	truly map[string]table.Micros
	// told is as far as sources still tell it: who was logged in with what and, of a device that nobody was logged in on, its row
	// in the product. If that has changed before the history is read, it tells of the last change only.
	told map[string]table.Micros
}

// beginnings finds them.
func (in Input) beginnings() (b beginnings, err error) {
	b = beginnings{map[string]table.Micros{}, map[string]table.Micros{}}
	put := func(to map[string]table.Micros, name string, at table.Micros) {
		if was, known := to[name]; !known || at < was {
			to[name] = at
		}
	}
	nodes, err := world.ReadNodes(in.World.Dir())
	if err != nil {
		return b, err
	}
	for _, n := range nodes {
		if n.Type != string(identifier.Account) && n.Type != string(identifier.Device) {
			continue
		}
		put(b.truly, n.Node, table.MicrosOf(n.From))
		if n.Account != "" {
			put(b.told, n.Node, table.MicrosOf(n.From))
		}
	}
	broken, err := in.damaged()
	if err != nil {
		return b, err
	}
	rows, err := in.World.Current("product", "devices", in.History)
	if err != nil {
		return b, err
	}
	versions, err := in.World.Versions("product", "devices", in.At)
	if err != nil {
		return b, err
	}
	rows = slices.Clone(rows)
	for _, v := range versions {
		if v.Visible.After(in.History) {
			rows = append(rows, v)
		}
	}
	for i := range rows {
		if r := &rows[i]; in.window(r) && !broken.has("product", "devices", r) {
			put(b.told, r.ID, table.MicrosOf(r.At))
		}
	}
	return b, nil
}

// of is whether somebody's account or one of its devices had been there a day before its first exposure.
func (b beginnings) of(h *home, since map[string]table.Micros) string {
	for _, name := range append([]string{h.truth.Account}, h.truth.Devices...) {
		if at, known := since[name]; known && h.dayBefore(at) {
			return "returning"
		}
	}
	return "new"
}
