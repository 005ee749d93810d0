package exposure

import (
	"bytes"
	"cmp"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// The types of unit.
const (
	typeProfile = "profile"
	typeGroup   = "group"
	typeDevice  = "device"
)

// cohort is the units under one stitching.
type cohort struct {
	stitching string
	by        identifier.Kind // whose exposures are the units'

	ids      []identifier.ID // of the units
	first    uint32          // the subject that the first of them is judged by; the others follow
	profiles int             // so many are profiles; the others are of the type typ
	typ      string

	// By number, whose the events of accounts and devices are from ever on; none, and beyond the end nobody's.
	accounts, devices []uint32
}

func (c *cohort) account(n uint32) uint32 { return at(c.accounts, n) }
func (c *cohort) device(n uint32) uint32  { return at(c.devices, n) }

func at(list []uint32, n uint32) uint32 {
	if int(n) < len(list) {
		return list[n]
	}
	return none
}

// put notes whose an identifier's events are.
func put(list *[]uint32, n, unit uint32) {
	for int(n) >= len(*list) {
		*list = append(*list, none)
	}
	(*list)[n] = unit
}

// tallies are those of the units.
func (b *builder) tallies(c *cohort) []tally {
	all, p := make([]tally, len(c.ids)), b.people(c.by)
	of := c.devices
	if c.by == identifier.Account {
		of = c.accounts
	}
	for n := range p.tallies {
		if u := at(of, uint32(n)); u != none {
			all[u].and(&p.tallies[n], &b.texts)
		}
	}
	return all
}

// separate makes each exposed device a unit that has no profile.
func (b *builder) separate(c *cohort, profiles []identifier.ID) (leads []uint32) {
	for n := range b.devices.tallies {
		if profiles == nil || profiles[n].IsZero() {
			put(&c.devices, uint32(n), uint32(len(c.ids)))
			c.ids, leads = append(c.ids, b.devices.ids[n]), append(leads, uint32(n))
		}
	}
	return leads
}

// unite makes units of those who were exposed and have a profile, and gives who was exposed first of each.
func (b *builder) unite(c *cohort, profiles []identifier.ID) (leads []uint32) {
	p, units := b.people(c.by), map[identifier.ID]uint32{}
	list := &c.devices
	if c.by == identifier.Account {
		list = &c.accounts
	}
	for n, profile := range profiles {
		if profile.IsZero() {
			continue
		}
		u, known := units[profile]
		switch {
		case !known:
			u = uint32(len(c.ids))
			units[profile] = u
			c.ids, leads = append(c.ids, profile), append(leads, uint32(n))
		case p.compare(uint32(n), leads[u]) < 0:
			leads[u] = uint32(n)
		}
		put(list, uint32(n), u)
	}
	c.profiles = len(c.ids)
	return leads
}

// compare puts who was exposed first first.
func (p *people) compare(x, y uint32) int {
	return cmp.Or(cmp.Compare(p.tallies[x].first.at, p.tallies[y].first.at), bytes.Compare(p.ids[x][:], p.ids[y][:]))
}

// emitUnits gives the rows of a cohort's units, but for those that are not eligible.
func (b *builder) emitUnits(c *cohort, tallies []tally) error {
	for u := range c.ids {
		s, t := c.first+uint32(u), &tallies[u]
		if !b.isEligible(s) {
			continue
		}
		of := b.subjects[s]
		row := table.UnitExposureRow{
			Stitching: c.stitching, Unit: c.ids[u], UnitType: c.typ, Variant: b.Experiment.Variants[t.first.variant].Name,
			FirstExposedAt: table.Micros(t.first.at), ReceivedAt: instant(t.received), AssignedAt: when(b.traits.assigned, s),
			Exposures: t.exposures, Crossover: t.crossover, Linked: b.linked(c, of), Devices: int64(of.to - of.mid),
			Platform: b.texts.text(t.first.platform), Country: b.texts.text(t.first.country),
			Channel: b.told(b.traits.channel, s), Plan: cmp.Or(b.told(b.traits.plan, s), b.told(b.traits.paidPlan, s)), Newness: "new",
		}
		if u < c.profiles {
			row.UnitType = typeProfile
		}
		if b.traits.activated != nil {
			row.ActivatedAt = instant(b.traits.activated[s])
		}
		if b.members.returning(of) {
			row.Newness = "returning"
		}
		if err := b.out.Unit(&row); err != nil {
			return err
		}
	}
	return nil
}

// linked reports whether a unit was linked to anything: an account to a device, a device to an account or another device.
func (b *builder) linked(c *cohort, s subject) bool {
	if c.by == identifier.Account {
		return s.to > s.mid
	}
	return s.mid > s.from || s.to-s.mid > 1
}

func instant(at int64) *table.Micros {
	if at == never {
		return nil
	}
	m := table.Micros(at)
	return &m
}

// when is when something was told about a subject, and told what.
func when(all []told, s uint32) *table.Micros {
	if all == nil {
		return nil
	}
	return instant(all[s].at)
}

func (b *builder) told(all []told, s uint32) string {
	if all == nil {
		return ""
	}
	return b.texts.text(all[s].text)
}

// order lists who was exposed, the first first.
func (p *people) order() []uint32 {
	order := make([]uint32, len(p.tallies))
	for n := range order {
		order[n] = uint32(n)
	}
	slices.SortFunc(order, p.compare)
	return order
}
