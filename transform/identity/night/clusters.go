package night

import (
	"bytes"
	"cmp"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
)

// cluster is the identifiers of one profile, under one stitching.
type cluster struct {
	members []uint32 // ascending by what compareNodes says
	anchor  uint32
	profile identifier.ID
	account bool
}

// clusters groups the identifiers that are redone.
func (b *builder) clusters(of []uint32) []cluster {
	order := make([]uint32, 0, len(b.nodes))
	for i := range b.nodes {
		if b.nodes[i].redo && !b.solution.Shared[i] {
			order = append(order, uint32(i))
		}
	}
	slices.SortFunc(order, func(x, y uint32) int {
		return cmp.Or(cmp.Compare(of[x], of[y]), b.compareNodes(x, y))
	})
	var all []cluster
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && of[order[to]] == of[order[from]] {
			to++
		}
		members := order[from:to]
		anchor := members[0]
		all = append(all, cluster{
			members: members, anchor: anchor, account: b.nodes[anchor].typ == b.account,
			profile: identifier.Mint(identifier.Profile, b.nodes[anchor].id, 0),
		})
		from = to
	}
	return all
}

// compareNodes puts the anchor first: an account before all, then what was observed first. A payment's reference anchors
// nothing else than itself.
func (b *builder) compareNodes(x, y uint32) int {
	n, m := &b.nodes[x], &b.nodes[y]
	return cmp.Or(
		descending(n.typ == b.account, m.typ == b.account), descending(n.typ != b.reference, m.typ != b.reference),
		cmp.Compare(n.first, m.first), cmp.Compare(n.typ, m.typ), bytes.Compare(n.id[:], m.id[:]))
}

func descending(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return -1
	}
	return 1
}

// isProfile reports whether a cluster is a profile: it has an account, or more than one identifier.
func (b *builder) isProfile(c *cluster) bool {
	if c.account {
		return true
	}
	n := 0
	for _, m := range c.members {
		if b.nodes[m].typ != b.reference {
			n++
		}
	}
	return n > 1
}

// walk finds since when each identifier belongs with its cluster's anchor: the newest of the links on the way there, and
// no earlier than it was seen. Links weaker than the class are not taken.
func (b *builder) walk(clusters []cluster, class uint8) []table.Micros {
	const never = table.Micros(1<<63 - 1)
	since := make([]table.Micros, len(b.nodes))
	for i := range since {
		since[i] = never
	}
	neighbours := b.forest(class)
	var queue []uint32
	for i := range clusters {
		c := &clusters[i]
		since[c.anchor] = b.nodes[c.anchor].first
		queue = append(queue[:0], c.anchor)
		for len(queue) > 0 {
			x := queue[len(queue)-1]
			queue = queue[:len(queue)-1]
			for _, e := range neighbours(x) {
				if since[e.to] == never {
					since[e.to] = max(since[x], e.at)
					queue = append(queue, e.to)
				}
			}
		}
	}
	return since
}

type branch struct {
	to uint32
	at table.Micros
}

// forest gives the links that hold the clusters together, by identifier.
func (b *builder) forest(class uint8) func(uint32) []branch {
	start := make([]uint32, len(b.nodes)+1)
	accepted := func(each func(x, y uint32, at table.Micros)) {
		for k := range b.edges {
			if e := &b.edges[k]; b.solution.Status[k] == graph.Linked && e.class <= class {
				each(e.a, e.b, e.oldest)
			}
		}
		for k, pair := range b.worked(b.Decisions.Must) {
			if b.solution.Must[k] == graph.Linked {
				each(pair[0], pair[1], max(b.nodes[pair[0]].first, b.nodes[pair[1]].first))
			}
		}
	}
	accepted(func(x, y uint32, _ table.Micros) {
		start[x+1]++
		start[y+1]++
	})
	for i := range b.nodes {
		start[i+1] += start[i]
	}
	branches, next := make([]branch, start[len(b.nodes)]), slices.Clone(start)
	accepted(func(x, y uint32, at table.Micros) {
		branches[next[x]], branches[next[y]] = branch{y, at}, branch{x, at}
		next[x]++
		next[y]++
	})
	return func(x uint32) []branch { return branches[start[x]:start[x+1]] }
}
