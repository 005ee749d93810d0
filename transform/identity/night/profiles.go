package night

import (
	"bytes"
	"maps"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
)

// The states of an id, and the kinds of change.
const (
	current = "current"
	merged  = "merged"  // its anchor is in another profile now
	retired = "retired" // its anchor is in none
	minted  = "minted"
	revived = "revived" // it was merged or retired, and is a profile again
	split   = "split"   // a profile of identifiers that were another's, which goes on
	moved   = "moved"   // an identifier went from one profile to another
)

// emitProfiles writes the profiles and the ids that were some, and what has changed about them.
func (b *builder) emitProfiles(clusters []cluster, m memberships, was *past) error {
	refusals := b.refusals()
	weakest := b.weakest()
	now := map[identifier.ID]bool{}
	for i := range clusters {
		c := &clusters[i]
		if c.profile.IsZero() {
			continue
		}
		now[c.profile] = true
		row := b.profileRow(c, refusals, weakest)
		b.quality.profile(row)
		b.summary.Profiles++
		if err := b.emit(table.Profile, row); err != nil {
			return err
		}
		if err := b.arrived(c, was); err != nil {
			return err
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(was.profiles), compareIDs) {
		if now[id] {
			continue
		}
		r := was.profiles[id]
		before := r.Status
		r.Status, r.AliasOf = retired, identifier.ID{}
		if at, known := b.number[r.Anchor]; known && !m[at].IsZero() {
			r.Status, r.AliasOf = merged, m[at]
		}
		r.Account, r.Identifiers, r.Devices, r.FirstAt, r.Refused, r.WeakestRule = identifier.ID{}, 0, 0, nil, 0, nil
		if err := b.emit(table.Profile, r); err != nil {
			return err
		}
		if before == current {
			if err := b.change(table.IdentityChangeRow{Level: "profile", Kind: r.Status, From: id, To: r.AliasOf}); err != nil {
				return err
			}
		}
	}
	return b.moves(m, now, was)
}

func compareIDs(x, y identifier.ID) int { return bytes.Compare(x[:], y[:]) }

func (b *builder) profileRow(c *cluster, refusals []int64, weakest map[uint32]int64) *table.ProfileRow {
	a := &b.nodes[c.anchor]
	row := &table.ProfileRow{Profile: c.profile, Anchor: a.id, AnchorType: b.types.name(a.typ), Status: current}
	if c.account {
		row.Account = a.id
	}
	first := a.first
	for _, x := range c.members {
		n := &b.nodes[x]
		first = min(first, n.first)
		row.Refused += refusals[x]
		if n.typ == b.reference {
			continue
		}
		row.Identifiers++
		if b.deviceLike(n.typ) {
			row.Devices++
		}
	}
	row.FirstAt = &first
	if class, some := weakest[b.solution.Latest[c.anchor]]; some {
		row.WeakestRule = &class
	}
	return row
}

// refusals counts the refused links of each identifier.
func (b *builder) refusals() []int64 {
	n := make([]int64, len(b.nodes))
	for i := range b.links {
		if l := &b.links[i]; refused(l.status) {
			n[l.x]++
			n[l.y]++
		}
	}
	return n
}

// weakest is the weakest class among the links that hold each profile together.
func (b *builder) weakest() map[uint32]int64 {
	w := map[uint32]int64{}
	for k := range b.edges {
		if e := &b.edges[k]; b.solution.Status[k] == graph.Linked {
			of := b.solution.Latest[e.a]
			w[of] = max(w[of], int64(e.class))
		}
	}
	return w
}

// arrived records how a profile came to be, when it was none last night.
func (b *builder) arrived(c *cluster, was *past) error {
	r := was.profiles[c.profile]
	if r != nil && r.Status == current {
		return nil
	}
	kind := minted
	if r != nil {
		kind = revived
	}
	from := map[identifier.ID]bool{}
	for _, x := range c.members {
		if old, known := was.profile[b.nodes[x].id]; known && old != c.profile {
			from[old] = true
		}
	}
	if len(from) == 0 {
		return b.change(table.IdentityChangeRow{Level: "profile", Kind: kind, To: c.profile})
	}
	if kind == minted {
		kind = split
	}
	for _, old := range slices.SortedFunc(maps.Keys(from), compareIDs) {
		if err := b.change(table.IdentityChangeRow{Level: "profile", Kind: kind, From: old, To: c.profile}); err != nil {
			return err
		}
	}
	return nil
}

// moves records the identifiers that went from one profile to another, where both were there before and are there now.
func (b *builder) moves(m memberships, now map[identifier.ID]bool, was *past) error {
	for x := range b.nodes {
		n := &b.nodes[x]
		old, known := was.profile[n.id]
		if !n.redo || !known || m[x].IsZero() || m[x] == old {
			continue
		}
		if n.typ == b.account {
			b.quality.renamed++
		}
		target := was.profiles[m[x]]
		if !now[old] || target == nil || target.Status != current {
			continue // the whole profile merged, or split
		}
		if err := b.change(table.IdentityChangeRow{
			Level: "profile", Kind: moved, From: old, To: m[x], Identifier: n.id, IdentifierType: b.types.name(n.typ),
		}); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) change(row table.IdentityChangeRow) error {
	b.quality.changes[row.Level+" "+row.Kind]++
	return b.emit(table.IdentityChange, &row)
}

// grouping joins profiles of one block into persons or households.
type grouping struct {
	parent []int // by cluster; itself: the root
}

func newGrouping(n int) *grouping {
	g := &grouping{parent: make([]int, n)}
	for i := range g.parent {
		g.parent[i] = i
	}
	return g
}

func (g *grouping) find(x int) int {
	for g.parent[x] != x {
		g.parent[x] = g.parent[g.parent[x]]
		x = g.parent[x]
	}
	return x
}

// join keeps the smaller root, so that the root of a group is its first profile in order of age.
func (g *grouping) join(x, y int) {
	x, y = g.find(x), g.find(y)
	g.parent[max(x, y)] = min(x, y)
}

// byAge are the profiles with an account, the oldest first.
func (b *builder) byAge(clusters []cluster) []cluster {
	var of []cluster
	for i := range clusters {
		if clusters[i].account {
			of = append(of, clusters[i])
		}
	}
	slices.SortFunc(of, func(x, y cluster) int { return b.compareProfiles(&x, &y) })
	return of
}
