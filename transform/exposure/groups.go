package exposure

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/moment"
	"crosslift/transform/identity/trait"
)

// group is what an account or a device belonged to at its first exposure.
type group struct {
	subject
	id identifier.ID
}

// subject is what says something about a unit, as of an instant: accounts, and devices.
type subject struct {
	at            int64
	from, mid, to uint32 // in members: its accounts until mid, then its devices. Whose group it is stands first among its own
	returning     bool   // an identifier of another kind had been observed a day before
}

// members are the accounts and devices of groups, by number; of each, whether it had been observed a day before.
type members struct {
	of    []uint32
	known []bool
}

func (m *members) add(n uint32, known bool) {
	m.of, m.known = append(m.of, n), append(m.known, known)
}

func (m *members) len() uint32 { return uint32(len(m.of)) }

func (m *members) accounts(s subject) []uint32 { return m.of[s.from:s.mid] }
func (m *members) devices(s subject) []uint32  { return m.of[s.mid:s.to] }

// returning reports whether something of a subject had been observed a day before.
func (m *members) returning(s subject) bool {
	return s.returning || slices.Contains(m.known[s.from:s.to], true)
}

// alone is of a device's group what it has when every device is one for itself.
func (s subject) alone() subject {
	s.to = s.mid + 1
	return s
}

// who is an account or a device whose group is asked for.
type who struct {
	kind  identifier.Kind
	n     uint32
	block identifier.ID // where its links lie
}

// askedAtOnce is for how many identifiers links are held at a time, and answeredAtOnce how many groups as moment gives them.
const (
	askedAtOnce    = 1 << 19
	answeredAtOnce = 1 << 15
)

// askGroups finds the groups of accounts and devices as of their first exposures. It is their blocks that they are asked in the
// order of: so the links that are held at a time are few, and what is close in memory is of the same people.
func (b *builder) askGroups(ctx context.Context, all []who) error {
	slices.SortFunc(all, func(x, y who) int {
		return cmp.Or(bytes.Compare(x.block[:], y.block[:]), cmp.Compare(x.kind, y.kind), cmp.Compare(x.n, y.n))
	})
	b.accounts.groups, b.devices.groups = make([]group, len(b.accounts.tallies)), make([]group, len(b.devices.tallies))
	for part := range slices.Chunk(all, askedAtOnce) {
		in := moment.Input{Links: b.Links, Rules: b.Rules, Decisions: b.Decisions}
		queries := make([]moment.Query, len(part))
		for i, w := range part {
			p := b.people(w.kind)
			queries[i] = moment.Query{ID: p.ids[w.n], At: table.Micros(p.tallies[w.n].first.at)}
			in.IDs, in.Until = append(in.IDs, queries[i].ID), max(in.Until, queries[i].At)
		}
		links, err := moment.Open(ctx, in, b.workers)
		if err != nil {
			return err
		}
		for len(part) > 0 {
			n := min(answeredAtOnce, len(part))
			groups, err := links.Groups(ctx, queries[:n], b.workers)
			if err != nil {
				return err
			}
			for i, w := range part[:n] {
				b.people(w.kind).groups[w.n] = b.gather(w, int64(queries[i].At), &groups[i])
			}
			part, queries = part[n:], queries[n:]
		}
	}
	return nil
}

// gather keeps a group.
func (b *builder) gather(w who, at int64, of *moment.Group) group {
	g := group{subject{at: at, from: b.members.len()}, of.ID}
	own := b.people(w.kind).ids[w.n]
	known := func(m *moment.Member) bool {
		return m.Type != "" && int64(m.FirstAt) <= at-(24*time.Hour).Microseconds()
	}
	add := func(kind identifier.Kind) {
		place := int(b.members.len())
		if kind == w.kind {
			b.members.add(w.n, false)
		}
		for i := range of.Members {
			switch m := &of.Members[i]; {
			case m.ID == own:
				if kind == w.kind {
					b.members.known[place] = known(m)
				}
			case kindOf(m) == kind:
				b.members.add(b.people(kind).number(m.ID), known(m))
			}
		}
	}
	add(identifier.Account)
	g.mid = b.members.len()
	add(identifier.Device)
	g.to = b.members.len()
	g.returning = slices.ContainsFunc(of.Members, func(m moment.Member) bool {
		return m.ID != own && kindOf(&m) == "" && known(&m)
	})
	return g
}

// kindOf tells accounts and devices from other members.
func kindOf(m *moment.Member) identifier.Kind {
	if m.Type == table.TypeAccount {
		return identifier.Account
	}
	if trait.Openness(m.Type) > 0 {
		return identifier.Device
	}
	return ""
}

func (b *builder) people(kind identifier.Kind) *people {
	if kind == identifier.Account {
		return &b.accounts
	}
	return &b.devices
}
