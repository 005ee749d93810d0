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
	f, err := newForest(ctx, s.Block, workers)
	if err != nil {
		return err
	}
	err = each(ctx, len(p.Links.A), chunk, workers, func(from, to int) error {
		var a, b [256]uint32 // ends of links that join
		joining := 0
		for i := from; i < to; i++ {
			a[joining], b[joining] = p.Links.A[i], p.Links.B[i]
			if s.Status[i] = s.apart(p, a[joining], b[joining]); s.Status[i] == Linked {
				joining++
			}
			if joining == len(a) || i == to-1 {
				f.join(a[:joining], b[:joining])
				joining = 0
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, pair := range p.Must {
		if s.Must[i] = s.apart(p, pair[0], pair[1]); s.Must[i] == Linked {
			f.join(pair[:1], pair[1:])
		}
	}
	return f.flatten(ctx, workers)
}

// apart says why a link takes no part in phase C; Linked if it does.
func (s *Solution) apart(p *Problem, a, b uint32) Status {
	switch {
	case p.Rules.Types[p.Types[a]].Outside || p.Rules.Types[p.Types[b]].Outside:
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
func (s *Solution) group(ctx context.Context, p *Problem, workers int) (*blocks, error) {
	n := len(s.Block)
	g := &blocks{}
	// By root: the number of nodes in its block, then the place of the block. Strict is not needed for itself yet.
	at := s.Strict
	// byRoot gives each worker the blocks with roots in a range.
	byRoot := func(f func(root, nodes uint32)) error {
		return each(ctx, n, share(n, workers), workers, func(from, to int) error {
			f(uint32(from), uint32(to-from))
			return nil
		})
	}
	err := byRoot(func(from, nodes uint32) {
		for _, root := range s.Block {
			if root-from < nodes {
				at[root]++
			}
		}
	})
	if err != nil {
		return nil, err
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
	err = byRoot(func(from, nodes uint32) {
		for v, root := range s.Block {
			if root-from >= nodes {
				continue
			}
			if at[root] == lone {
				s.Strict[v], s.Latest[v] = root, root
				continue
			}
			e := &g.ends[at[root]]
			g.nodes[e.nodes] = uint32(v)
			e.nodes++
		}
		for _, a := range s.taking(p) {
			if root := s.Block[a]; root-from < nodes {
				g.ends[at[root]].links++
			}
		}
	})
	if err != nil {
		return nil, err
	}
	links := uint32(0)
	for i := range g.ends {
		e := &g.ends[i]
		e.links, links = links, links+e.links
	}
	g.links = make([]uint32, links)
	err = byRoot(func(from, nodes uint32) {
		for i, a := range s.taking(p) {
			if root := s.Block[a]; root-from < nodes {
				e := &g.ends[at[root]]
				g.links[e.links] = i
				e.links++
			}
		}
	})
	if err != nil {
		return nil, err
	}

	for _, pair := range p.Cannot {
		if root := s.Block[pair[0]]; root == s.Block[pair[1]] {
			g.cannot = append(g.cannot, blockCannot{int(at[root]), pair})
		}
	}
	slices.SortFunc(g.cannot, func(a, b blockCannot) int { return cmp.Compare(a.block, b.block) })
	return g, nil
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
