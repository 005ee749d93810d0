package graph

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"

	"bytes"
)

// stitch is phase C: it solves the blocks, some thousand at a time.
func (s *Solution) stitch(ctx context.Context, p *Problem, g *blocks, workers int) error {
	tallies := newTallies(p.Rules.Types)
	return each(ctx, len(g.ends), 1<<12, workers, func(from, to int) {
		st := stitcher{p: p, s: s, tallies: tallies}
		for block := from; block < to; block++ {
			st.solve(g.of(block))
		}
	})
}

// stitcher solves one block after the other. Within a block nodes are numbered anew, by their keys: so comparing numbers
// compares keys, and the smallest number of a cluster is its representative.
type stitcher struct {
	p       *Problem
	s       *Solution
	tallies *tallies
	// Of the block.
	nodes    []uint32 // ascending by key
	clusters []cluster
	links    []link
	cannot   [][2]uint32
	// Reused from block to block.
	keyed   []keyed
	refused []link // for size
}

// cluster is a tree of a union-find over a block's nodes, and is told by its root.
type cluster struct {
	tally  tally // this and size are right for a root only
	parent uint32
	size   uint32
}

// link is a link within a block, the node of the smaller number first.
type link struct {
	first int64
	class int16 // −1 for a must-link
	a, b  uint32
	index uint32 // in the problem
}

// compare is the order in which links are tried.
func (l link) compare(m link) int {
	switch {
	case l.class != m.class:
		return cmp.Compare(l.class, m.class)
	case l.first != m.first:
		return cmp.Compare(l.first, m.first)
	case l.a != m.a:
		return cmp.Compare(l.a, m.a)
	case l.b != m.b:
		return cmp.Compare(l.b, m.b)
	default:
		return cmp.Compare(l.index, m.index)
	}
}

// solve sets all that the solution says of the nodes and links of a block.
func (st *stitcher) solve(b block) {
	st.number(b.nodes)
	st.order(b.links)
	st.cannot = st.cannot[:0]
	for _, c := range b.cannot {
		st.cannot = append(st.cannot, [2]uint32{st.s.Latest[c.pair[0]], st.s.Latest[c.pair[1]]})
	}

	most := uint32(math.MaxUint32)
	if st.p.Rules.MaxSize > 0 {
		most = uint32(min(st.p.Rules.MaxSize, math.MaxInt32))
	}
	st.refused = st.refused[:0]
	strict := false
	for _, l := range st.links {
		if !strict && l.class > lastStrict {
			st.write(st.s.Strict)
			strict = true
		}
		status := st.try(l.a, l.b, most)
		if status == Size {
			st.refused = append(st.refused, l)
		}
		st.settle(l.index, status)
	}
	if !strict {
		st.write(st.s.Strict)
	}
	st.write(st.s.Latest)
	for _, l := range st.refused {
		st.try(l.a, l.b, math.MaxUint32)
	}
	st.write(st.s.Loose)
	for _, v := range st.nodes {
		st.s.Block[v] = st.nodes[0]
	}
}

// keyed is a node with the beginning of its key, which is nearly always enough to compare.
type keyed struct {
	prefix uint64
	node   uint32
}

// number makes each node a cluster of its own. Until the block is solved, Latest holds the numbers of its nodes.
func (st *stitcher) number(nodes []uint32) {
	keys := st.p.Keys
	st.keyed = st.keyed[:0]
	for _, v := range nodes {
		st.keyed = append(st.keyed, keyed{binary.BigEndian.Uint64(keys[v][:]), v})
	}
	sortFew(st.keyed, func(x, y keyed) int {
		if x.prefix != y.prefix {
			return cmp.Compare(x.prefix, y.prefix)
		}
		return bytes.Compare(keys[x.node][:], keys[y.node][:])
	})
	st.nodes, st.clusters = nodes, st.clusters[:0]
	for i, k := range st.keyed {
		nodes[i] = k.node
		st.s.Latest[k.node] = uint32(i)
		st.clusters = append(st.clusters, cluster{tally: st.tallies.one[st.p.Types[k.node]], parent: uint32(i), size: 1})
	}
}

// order collects the links and sorts them.
func (st *stitcher) order(links []uint32) {
	p, number := st.p, st.s.Latest
	st.links = st.links[:0]
	for _, i := range links {
		l := link{index: i}
		if m := uint32(len(p.Links.A)); i < m {
			l.class, l.first = int16(p.Links.Class[i]), p.Links.First[i]
			l.a, l.b = number[p.Links.A[i]], number[p.Links.B[i]]
		} else {
			l.class = -1
			l.a, l.b = number[p.Must[i-m][0]], number[p.Must[i-m][1]]
		}
		if l.a > l.b {
			l.a, l.b = l.b, l.a
		}
		st.links = append(st.links, l)
	}
	sortFew(st.links, link.compare)
}

// try joins the clusters of two nodes, or says why not. Size is the last reason to be looked at, so that a link that is
// refused for it would break nothing else.
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
	if x.size > 1 && st.device(a) || y.size > 1 && st.device(b) {
		return Bridge
	}
	sum := x.tally + y.tally
	if t, is := st.tallies.exceeded(sum); is {
		return LimitOf(t)
	}
	if x.size+y.size > most {
		return Size
	}
	y.parent = ra
	x.tally = sum
	x.size += y.size
	return Linked
}

func (st *stitcher) device(v uint32) bool { return st.p.Rules.Types[st.p.Types[st.nodes[v]]].Device }

// root halves the path on its way.
func (st *stitcher) root(v uint32) uint32 {
	for {
		p := st.clusters[v].parent
		if p == v {
			return v
		}
		pp := st.clusters[p].parent
		st.clusters[v].parent = pp
		v = pp
	}
}

func (st *stitcher) settle(link uint32, status Status) {
	if m := uint32(len(st.s.Status)); link < m {
		st.s.Status[link] = status
	} else {
		st.s.Must[link-m] = status
	}
}

// write says which cluster each node is in now.
func (st *stitcher) write(representative []uint32) {
	for i, v := range st.nodes {
		representative[v] = st.nodes[st.root(uint32(i))]
	}
}

// sortFew sorts what is nearly always short.
func sortFew[T any](s []T, compare func(x, y T) int) {
	if len(s) > 24 {
		slices.SortFunc(s, compare)
		return
	}
	for i := 1; i < len(s); i++ {
		x, at := s[i], i
		for ; at > 0 && compare(x, s[at-1]) < 0; at-- {
			s[at] = s[at-1]
		}
		s[at] = x
	}
}
