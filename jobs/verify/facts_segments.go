package verify

import (
	"slices"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// holdSegments compares what is said of the units that exposed accounts made: whether they were linked, where their first visit
// came from, their plan, and whether they were known a day before.
//
// Where a unit has the very devices that its account had been logged in on, all of it follows from what was done with these and
// in the account's name, and must be so; but for a newcomer who is said to have been known, since an address or a number of its
// was: of somebody else, or of a contact that it was mistyped into. Of the others a device was put down to somebody else who was
// logged in on it.
func (f *found) holdSegments(r *report, w *lived, homes map[identifier.ID]*home, units map[identifier.ID]*entry, since beginnings) {
	first, plans := f.firstVisits(w), w.newestPlans(homes)
	members := f.members(table.AsOfExposure)
	var channel, plan, returning, newcomer, ofPerson, newPerson part
	linked := map[string]*part{world.Control: {}, world.Treatment: {}}
	for account, h := range homes {
		unit := h.unit[table.AsOfExposure]
		u := f.units[table.AsOfExposure][unit]
		if e := units[unit]; u == nil || e == nil || e.first.at != h.at {
			continue // somebody else's exposure made the unit
		}
		if len(h.knew) > 0 && linked[h.truth.Arm] != nil {
			linked[h.truth.Arm].add(u.Linked, 1)
		}
		ofPerson.add(u.Channel == h.before(first.by[account]), 1)
		newPerson.add(u.Newness == since.of(h, since.truly), 1)
		if !f.has(u, h, account, members[unit]) {
			continue
		}
		channel.add(u.Channel == h.before(first.of(account, h.knew)), 1)
		if p := plans[account]; !p.damaged {
			plan.add(u.Plan == p.plan, 1)
		}
		if since.of(h, since.told) == "returning" {
			returning.add(u.Newness == "returning", 1)
		} else {
			newcomer.add(u.Newness == "new", 1)
		}
	}
	for _, c := range []struct {
		name string
		part part
	}{
		{"units of the channel that their first visit came from", channel}, {"units of the plan that they had", plan},
		{"units known a day before, said to be returning", returning},
	} {
		if c.part.n > 0 {
			r.exact(c.name, c.part.share(), 1, c.part.n)
		}
	}
	r.share("units not known a day before, said to be new", newcomer.share(), ">=", 0.97, newcomer.n)
	least := 0.98 // where devices are assigned only what is there for everybody, and is used by too many, is linked to nobody
	if f.assignedBy == world.ByAccount {
		least = 0.85 // a device is one account's
	}
	for _, arm := range []string{world.Control, world.Treatment} {
		r.share("units of "+arm+" that were linked, of those whose account was", linked[arm].share(), ">=", least, linked[arm].n)
	}
	// Much of what accounts' people did before they had them was on devices that nobody can know to be theirs.
	r.share("units of the channel of their account's first visit", ofPerson.share(), ">=", 0.7, ofPerson.n)
	r.share("units that are new or returning as their account was", newPerson.share(), ">=", 0.85, newPerson.n)
}

// before is where a visit came from, if it was before the first exposure.
func (h *home) before(visit deed) string {
	if visit.at >= h.at {
		return ""
	}
	return visit.channel
}

// dayBefore reports whether an instant lies a day or more before the first exposure.
func (h *home) dayBefore(at table.Micros) bool { return at <= h.at-table.Micros(day.Microseconds()) }

// has reports whether a unit is its account's, with the very devices that this had been logged in on by its first exposure. Where
// accounts are assigned it is not told which they are.
func (f *found) has(u *table.UnitExposureRow, h *home, account identifier.ID, members []identifier.ID) bool {
	if f.assignedBy == world.ByAccount {
		return u.Devices == int64(len(h.knew))
	}
	rows := f.whose[table.AsOfExposure][account]
	strange := func(d identifier.ID) bool { return !slices.Contains(h.knew, d) }
	return len(rows) > 0 && rows[0].From == nil && rows[0].Unit == u.Unit && len(members) == len(h.knew) && !slices.ContainsFunc(members, strange)
}
