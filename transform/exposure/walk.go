package exposure

import (
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// walk makes units of devices as of their first exposures, in the order of those. A device that a unit has claimed is that
// unit's; any other makes a unit, which claims it and what is not yet claimed of its group.
func (b *builder) walk() *cohort {
	c := &cohort{stitching: table.AsOfExposure, by: identifier.Device, typ: typeGroup}
	claimed := func(d uint32) bool { return c.device(d) != none }
	taken := map[identifier.ID]struct{}{}
	for _, n := range b.devices.order() {
		if claimed(n) {
			continue
		}
		g := &b.devices.groups[n]
		id, s := g.id, g.subject
		if _, is := taken[id]; is {
			id = identifier.Mint(identifier.Profile, b.devices.ids[n], 0)
		}
		taken[id] = struct{}{}
		if slices.ContainsFunc(b.members.devices(s), claimed) {
			s = b.members.without(s, claimed)
		}
		for _, d := range b.members.devices(s) {
			put(&c.devices, d, uint32(len(c.ids)))
		}
		c.ids, b.subjects = append(c.ids, id), append(b.subjects, s)
	}
	b.rosters = append(b.rosters, b.newRoster(c))
	return c
}

// without leaves devices out of a subject.
func (m *members) without(s subject, device func(d uint32) bool) subject {
	left := s
	left.from = m.len()
	for i := s.from; i < s.mid; i++ {
		m.add(m.of[i], m.known[i])
	}
	left.mid = m.len()
	for i := s.mid; i < s.to; i++ {
		if !device(m.of[i]) {
			m.add(m.of[i], m.known[i])
		}
	}
	left.to = m.len()
	return left
}
