package graph

import (
	"cmp"
	"context"
	"iter"
	"slices"
)

// block is phase B: it sets Block to the smallest number, for now, of the nodes that are connected by links without a
// shared or outside end. The status of the links that take no part in phase C is final with this; the others are Linked.
func (s *Solution) block(ctx context.Context, p *Problem, workers int) error {
	f := newForest(s.Block)
	outside := make([]bool, len(p.Rules.Types))
	for i, t := range p.Rules.Types {
		outside[i] = t.Outside
	}
	status := func(a, b uint32) Status {
		switch {
		case outside[p.Types[a]] || outside[p.Types[b]]:
			return Outside
		case s.Shared[a] && s.Shared[b]:
			return SharedBoth
		case s.Shared[a]:
			return SharedA
		case s.Shared[b]:
			return SharedB
		case a == b:
			return Implied
		default:
			return Linked
		}
	}
	err := each(ctx, len(p.Links.A), chunk, workers, func(from, to int) {
		a, b := make([]uint32, 0, chunk), make([]uint32, 0, chunk)
		for i := from; i < to; i++ {
			if s.Status[i] = status(p.Links.A[i], p.Links.B[i]); s.Status[i] == Linked {
				a, b = append(a, p.Links.A[i]), append(b, p.Links.B[i])
			}
		}
		f.join(a, b)
	})
	if err != nil {
		return err
	}
	for i, pair := range p.Must {
		if s.Must[i] = status(pair[0], pair[1]); s.Must[i] == Linked {
			f.join(pair[:1], pair[1:])
		}
	}
	return each(ctx, len(f), chunk, workers, f.flatten)
}

// blocks are the nodes and links of the blocks of several nodes, one block after the other.
type blocks struct {
	ends   []blockEnds // where a block ends in both; it begins where the one before ends
	nodes  []uint32
	links  []uint32      // a number beyond the last link is of a must-link
	cannot []blockCannot // ascending by block
}

type blockEnds struct{ nodes, links uint32 }

// blockCannot is a cannot-link within a block.
type blockCannot struct {
	block int
	pair  [2]uint32
}

// lone marks the root of a block of one node.
const lone = ^uint32(0)

// group sorts nodes and links by block, by counting. Lone nodes are done with this.
func (s *Solution) group(p *Problem) *blocks {
	g := &blocks{}
	// By root: at first the number of nodes in its block, then the place of the block.
	at := make([]uint32, len(s.Block))
	for _, root := range s.Block {
		at[root]++
	}
	nodes := uint32(0)
	for root, size := range at {
		if at[root] = lone; size > 1 {
			at[root] = uint32(len(g.ends))
			g.ends = append(g.ends, blockEnds{nodes: nodes})
			nodes += size
		}
	}
	g.nodes = make([]uint32, nodes)
	for v, root := range s.Block {
		if at[root] == lone {
			s.Strict[v], s.Latest[v], s.Loose[v] = root, root, root
			continue
		}
		e := &g.ends[at[root]]
		g.nodes[e.nodes] = uint32(v)
		e.nodes++
	}

	for _, a := range s.taking(p) {
		g.ends[at[s.Block[a]]].links++
	}
	links := uint32(0)
	for i := range g.ends {
		e := &g.ends[i]
		e.links, links = links, links+e.links
	}
	g.links = make([]uint32, links)
	for i, a := range s.taking(p) {
		e := &g.ends[at[s.Block[a]]]
		g.links[e.links] = i
		e.links++
	}

	for _, pair := range p.Cannot {
		if root := s.Block[pair[0]]; root == s.Block[pair[1]] {
			g.cannot = append(g.cannot, blockCannot{int(at[root]), pair})
		}
	}
	slices.SortFunc(g.cannot, func(a, b blockCannot) int { return cmp.Compare(a.block, b.block) })
	return g
}

// taking goes through the links and must-links that take part in phase C, with an end of each.
func (s *Solution) taking(p *Problem) iter.Seq2[uint32, uint32] {
	return func(yield func(uint32, uint32) bool) {
		for i, status := range s.Status {
			if status == Linked && !yield(uint32(i), p.Links.A[i]) {
				return
			}
		}
		for i, status := range s.Must {
			if status == Linked && !yield(uint32(len(s.Status)+i), p.Must[i][0]) {
				return
			}
		}
	}
}

// block is one of them.
type block struct {
	nodes, links []uint32
	cannot       []blockCannot
}

func (g *blocks) of(i int) block {
	var from blockEnds
	if i > 0 {
		from = g.ends[i-1]
	}
	to := g.ends[i]
	b := block{nodes: g.nodes[from.nodes:to.nodes], links: g.links[from.links:to.links]}
	if len(g.cannot) > 0 {
		at := func(i int) int {
			at, _ := slices.BinarySearchFunc(g.cannot, i, func(c blockCannot, i int) int { return cmp.Compare(c.block, i) })
			return at
		}
		b.cannot = g.cannot[at(i):at(i+1)]
	}
	return b
}
