package graph

import "encoding/binary"

// cluster is a tree of a union-find over a block's nodes, told by its root, which is the smallest number. Of a node that
// is no root only parent and device hold.
type cluster struct {
	tally  tally
	key    uint64 // the beginning of the least node's key, which is nearly always enough to compare
	parent uint32
	least  uint32 // the node with the smallest key
	size   uint32
	device bool // the node itself is one
}

// number gives the nodes of a block small numbers, and makes each a cluster of its own. While the block is being solved,
// Latest holds these numbers.
func (st *stitcher) number(nodes []uint32) {
	st.nodes, st.clusters = nodes, sized(st.clusters, len(nodes))
	for i, v := range nodes {
		t := st.p.Types[v]
		st.s.Latest[v] = uint32(i)
		c := &st.clusters[i]
		c.tally, c.device = st.traits.one[t], st.traits.device[t]
		c.key = binary.BigEndian.Uint64(st.p.Keys[v][:])
		c.parent, c.least, c.size = uint32(i), uint32(i), 1
	}
}

// try joins the clusters of two nodes, or says why not. Size is the last reason to be looked at, so that a link that is
// refused for it breaks no other rule.
func (st *stitcher) try(a, b, most uint32) Status {
	ra, rb := st.root(a), st.root(b)
	if ra == rb {
		return Implied
	}
	if rb < ra {
		a, b, ra, rb = b, a, rb, ra
	}
	x, y := &st.clusters[ra], &st.clusters[rb]
	for _, c := range st.cannot {
		if r0, r1 := st.root(c[0]), st.root(c[1]); r0 == ra && r1 == rb || r0 == rb && r1 == ra {
			return Cannot
		}
	}
	if x.size > 1 && st.clusters[a].device || y.size > 1 && st.clusters[b].device {
		return Bridge
	}
	sum := x.tally + y.tally
	if t, is := st.traits.exceeded(sum); is {
		return LimitOf(t)
	}
	if x.size+y.size > most {
		return Size
	}
	y.parent = ra
	x.tally, x.size = sum, x.size+y.size
	if st.before(y, x) {
		x.key, x.least = y.key, y.least
	}
	return Linked
}

// before compares the least nodes of two clusters.
func (st *stitcher) before(x, y *cluster) bool {
	return x.key < y.key || x.key == y.key && st.compare(x.least, y.least) < 0
}

// first is the node with the smallest key of all.
func (st *stitcher) first() uint32 {
	first := &st.clusters[0]
	for i := range st.clusters {
		if c := &st.clusters[i]; st.before(c, first) {
			first = c
		}
	}
	return st.nodes[first.least]
}

// root halves the path on its way.
func (st *stitcher) root(v uint32) uint32 {
	c := st.clusters
	for c[v].parent != v {
		c[v].parent = c[c[v].parent].parent
		v = c[v].parent
	}
	return v
}

// write says which cluster each node is in now. A parent has the smaller number, so its own is the root already.
func (st *stitcher) write(representative []uint32) {
	for i, v := range st.nodes {
		c := &st.clusters[i]
		c.parent = st.clusters[c.parent].parent
		representative[v] = st.nodes[st.clusters[c.parent].least]
	}
}
