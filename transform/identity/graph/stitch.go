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

// stitcher solves one block after the other.
type stitcher struct {
	p      *Problem
	s      *Solution
	traits *traits
	most   uint32 // nodes of a profile
	looser []looser

	// Of the block. Its nodes are told by their places in nodes.
	nodes    []uint32
	clusters []cluster
	links    []link
	order    []ranked // in which the links are tried
	cannot   [][2]uint32
	refused  []link // for a reason that may pass: size and bridge
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
	first := st.first()
	for _, v := range st.nodes {
		st.s.Block[v] = first
	}
	st.settle()
	if len(st.refused) > 0 {
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

// settle looks again at the links that a device would have bridged: later ones may have joined the same profiles. It
// leaves those that were refused for size.
func (st *stitcher) settle() {
	size := st.refused[:0]
	for _, l := range st.refused {
		switch status := st.status(l.index); {
		case *status == Size:
			size = append(size, l)
		case st.root(l.a) == st.root(l.b):
			*status = Implied
		}
	}
	st.refused = size
}

// loosen goes on after the latest stitching with the links that were refused for size.
func (st *stitcher) loosen() {
	for _, l := range st.refused {
		st.try(l.a, l.b, math.MaxUint32)
	}
	for i, v := range st.nodes {
		if r := st.nodes[st.clusters[st.root(uint32(i))].least]; r != st.s.Latest[v] {
			st.looser = append(st.looser, looser{v, r})
		}
	}
}
