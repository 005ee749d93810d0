package verify

import (
	"cmp"
	"slices"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// entry is a unit that should be, as its exposures make it.
type entry struct {
	first     meeting
	met       int64
	crossover bool
	received  *table.Micros
	assigned  *table.Micros
	activated *table.Micros
	uncertain bool // its activation was made unreadable
}

// entries are the units that a world's exposures should come to under a stitching, given whose accounts and devices are.
func (f *found) entries(stitching string, w *lived) map[identifier.ID]*entry {
	of := func(m meeting) identifier.ID {
		id := m.account
		if f.assignedBy == world.ByDevice || stitching == table.ByDevice {
			id = m.device
		}
		if unit, is := f.unitOf(stitching, id, m.at); is {
			return unit
		}
		return id // no unit is called so: it is found to be missing
	}
	exposed := slices.SortedFunc(slices.Values(w.exposed), func(a, b meeting) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.variant, b.variant), cmp.Compare(a.platform, b.platform), cmp.Compare(a.country, b.country))
	})
	all := map[identifier.ID]*entry{}
	for _, m := range exposed {
		e := all[of(m)]
		if e == nil {
			e = &entry{first: m}
			all[of(m)] = e
		}
		e.met++
		e.crossover = e.crossover || m.variant != e.first.variant
		if m.variant != world.Control && e.received == nil {
			e.received = &m.at
		}
	}
	for _, m := range w.assigned {
		if e := all[of(m)]; e != nil && (e.assigned == nil || m.at < *e.assigned) {
			e.assigned = &m.at
		}
	}
	for _, d := range w.deeds[subscribed] {
		unit, is := f.credited(stitching, d.account, d.device, d.at)
		if e := all[unit]; is && e != nil && d.at >= e.first.at {
			e.uncertain = e.uncertain || d.damaged
			if e.activated == nil || d.at < *e.activated {
				e.activated = &d.at
			}
		}
	}
	return all
}

// holdUnits compares who is in the experiment, in which arm and since when.
func (f *found) holdUnits(r *report, w *lived) map[string]map[identifier.ID]*entry {
	entries := map[string]map[identifier.ID]*entry{}
	for _, s := range stitchings {
		want, got := f.entries(s, w), f.units[s]
		entries[s] = want
		var missing, strange, arm, when, more float64
		for id := range got {
			if want[id] == nil {
				strange++
			}
		}
		for id, e := range want {
			u := got[id]
			switch {
			case u == nil:
				missing++
			case u.Variant != e.first.variant:
				arm++
			case u.FirstExposedAt != e.first.at:
				when++
			case !e.is(u, f.assignedBy, s):
				more++
			}
		}
		n := int64(len(want))
		if s != table.AsOfExposure {
			r.exact("units, "+s+": missing, too many or other", missing+strange+arm+when+more, 0, n)
			continue
		}
		r.exact("units: missing", missing, 0, n)
		r.exact("units: too many", strange, 0, n)
		r.exact("units: in another arm", arm, 0, n)
		r.exact("units: exposed first at another instant", when, 0, n)
		r.exact("units: with other counts, times or places", more, 0, n)
	}
	return entries
}

// is compares what else is known of a unit. Assignments and activations are judged by what a unit was at its first exposure: of
// units of accounts that is what is theirs now too, under all stitchings but device; of units of devices the devices that they
// have claimed are, which have assignments.
func (e *entry) is(u *table.UnitExposureRow, assignedBy, stitching string) bool {
	accounts := assignedBy == world.ByAccount && stitching != table.ByDevice
	devices := assignedBy == world.ByDevice && (stitching == table.AsOfExposure || stitching == table.ByDevice)
	return u.Exposures == e.met && u.Crossover == e.crossover && u.Platform == e.first.platform && u.Country == e.first.country &&
		same(u.ReceivedAt, e.received) && (!accounts && !devices || same(u.AssignedAt, e.assigned)) &&
		(!accounts || e.uncertain || same(u.ActivatedAt, e.activated))
}

func same(a, b *table.Micros) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
