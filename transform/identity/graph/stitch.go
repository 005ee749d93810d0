package graph

import (
	"context"
	"math"
	"sync"
)

// stitch is phase C: it solves the blocks, some thousand at a time.
func (s *Solution) stitch(ctx context.Context, p *Problem, g *blocks, workers int) error {
	traits := newTraits(p.Rules.Types)
	most := uint32(math.MaxUint32)
	if p.Rules.MaxSize > 0 {
		most = uint32(min(p.Rules.MaxSize, math.MaxInt32))
	}
	var mu sync.Mutex
	var looser []looser
	err := each(ctx, len(g.ends), 1<<12, workers, func(from, to int) error {
		st := stitcher{p: p, s: s, traits: traits, most: most}
		for block := from; block < to; block++ {
			st.solve(g.of(uint32(block)))
		}
		mu.Lock()
		defer mu.Unlock()
		looser = append(looser, st.looser...)
		return nil
	})
	if err != nil {
		return err
	}
	s.Loose = s.Latest
	if len(looser) > 0 {
		s.Loose = append([]uint32(nil), s.Latest...)
		for _, l := range looser {
			s.Loose[l.node] = l.representative
		}
	}
	return nil
}

// looser is a node whose profile is another under the loose stitching.
type looser struct{ node, representative uint32 }

// stitcher solves one block after the other. Within a block nodes are numbered anew, by their keys: so comparing numbers
// compares keys, and the smallest number of a cluster is its representative.
type stitcher struct {
	p      *Problem
	s      *Solution
	traits *traits
	most   uint32 // nodes of a profile
	looser []looser

	// Of the block.
	nodes    []uint32 // ascending by key
	clusters []cluster
	links    []link
	order    []ranked // of links
	cannot   [][2]uint32
	refused  []link // for a reason that may pass: size and bridge
}

// cluster is a tree of a union-find over a block's nodes, and is told by its root.
type cluster struct {
	tally  tally // this and size are right for a root only
	parent uint32
	size   uint32
	device bool // the node itself is one
}

// link is a link within a block, the node of the smaller number first.
type link struct {
	first int64
	a, b  uint32
	index uint32 // in the problem
	class uint8  // 0 for a must-link, else one more than the problem's
}

// solve sets all that the solution says of the nodes and links of a block.
func (st *stitcher) solve(b block) {
	st.number(b.nodes)
	st.sort(b.links)
	st.cannot = st.cannot[:0]
	for _, c := range b.cannot {
		st.cannot = append(st.cannot, [2]uint32{st.s.Latest[c.pair[0]], st.s.Latest[c.pair[1]]})
	}

	st.refused = st.refused[:0]
	strict := false
	for _, r := range st.order {
		l := &st.links[r.item]
		if !strict && l.class > lastStrict+1 {
			st.write(st.s.Strict)
			strict = true
		}
		status := st.try(l.a, l.b, st.most)
		if status == Size || status == Bridge {
			st.refused = append(st.refused, *l)
		}
		*st.status(l.index) = status
	}
	if !strict {
		st.write(st.s.Strict)
	}
	st.write(st.s.Latest)
	for _, v := range st.nodes {
		st.s.Block[v] = st.nodes[0]
	}
	if len(st.refused) > 0 {
		st.settle()
		st.loosen()
	}
}

// status is where a link's or must-link's is kept.
func (st *stitcher) status(link uint32) *Status {
	if m := uint32(len(st.s.Status)); link >= m {
		return &st.s.Must[link-m]
	}
	return &st.s.Status[link]
}

// settle looks again at the links that a device would have bridged: later ones may have joined the same profiles.
func (st *stitcher) settle() {
	for _, l := range st.refused {
		if st.root(l.a) == st.root(l.b) {
			*st.status(l.index) = Implied
		}
	}
}

// loosen goes on after the latest stitching with the links that were refused for size.
func (st *stitcher) loosen() {
	for _, l := range st.refused {
		if *st.status(l.index) == Size {
			st.try(l.a, l.b, math.MaxUint32)
		}
	}
	for i, v := range st.nodes {
		if r := st.nodes[st.root(uint32(i))]; r != st.s.Latest[v] {
			st.looser = append(st.looser, looser{v, r})
		}
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
	return Linked
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
		representative[v] = st.nodes[c.parent]
	}
}
