package graph

import (
	"cmp"
	"context"
	"slices"
)

// block is a block of several nodes.
type block struct {
	nodes  []uint32
	links  []uint32 // a number beyond the last link is of a must-link
	cannot []cannot
}

// cannot is a cannot-link within a block.
type cannot struct {
	block uint32
	pair  [2]uint32
}

// blocks are the contents of all such blocks, one after the other.
type blocks struct {
	ends   []blockEnds // by block; it begins where the one before ends
	nodes  []uint32
	links  []uint32
	cannot []cannot // ascending by block
}

type blockEnds struct{ nodes, links uint32 }

func (g *blocks) of(i uint32) block {
	var from blockEnds
	if i > 0 {
		from = g.ends[i-1]
	}
	to := g.ends[i]
	b := block{nodes: g.nodes[from.nodes:to.nodes], links: g.links[from.links:to.links]}
	if len(g.cannot) > 0 {
		at := func(i uint32) int {
			at, _ := slices.BinarySearchFunc(g.cannot, i, func(c cannot, i uint32) int { return cmp.Compare(c.block, i) })
			return at
		}
		b.cannot = g.cannot[at(i):at(i+1)]
	}
	return b
}

// none is the block of a lone node, and of a link that takes no part.
const none = ^uint32(0)

// group sorts nodes and links by block, by counting. Lone nodes are done with this.
func (s *Solution) group(ctx context.Context, p *Problem, workers int) (*blocks, error) {
	g := &blocks{}
	// Strict and Latest are not needed for themselves yet: they hold the number of the block of a root, and of any node.
	ofRoot, of := s.Strict, s.Latest
	if err := g.groupNodes(ctx, s.Block, ofRoot, of, workers); err != nil {
		return nil, err
	}
	m := len(p.Links.A)
	ofLink := make([]uint32, m+len(p.Must))
	err := each(ctx, m, chunk, workers, func(from, to int) error {
		for i := from; i < to; i++ {
			if ofLink[i] = none; s.Status[i] == Linked {
				ofLink[i] = of[p.Links.A[i]]
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i, pair := range p.Must {
		if ofLink[m+i] = none; s.Must[i] == Linked {
			ofLink[m+i] = of[pair[0]]
		}
	}
	if err := g.groupLinks(ctx, ofLink, workers); err != nil {
		return nil, err
	}
	for _, pair := range p.Cannot {
		if root := s.Block[pair[0]]; root == s.Block[pair[1]] {
			g.cannot = append(g.cannot, cannot{ofRoot[root], pair})
		}
	}
	slices.SortFunc(g.cannot, func(a, b cannot) int { return cmp.Compare(a.block, b.block) })
	return g, each(ctx, len(of), chunk, workers, func(from, to int) error {
		for v := from; v < to; v++ {
			if of[v] == none {
				s.Strict[v], s.Latest[v] = uint32(v), uint32(v)
			}
		}
		return nil
	})
}

// groupNodes numbers the blocks of several nodes, and sorts their nodes.
func (g *blocks) groupNodes(ctx context.Context, roots, ofRoot, of []uint32, workers int) error {
	n := len(roots)
	err := each(ctx, n, share(n, workers), workers, func(from, to int) error {
		sizes := ofRoot[from:to]
		for _, root := range roots[from:] { // a root is the first of its block
			if r := root - uint32(from); r < uint32(len(sizes)) {
				sizes[r]++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	nodes := uint32(0)
	for root, size := range ofRoot {
		if ofRoot[root] = none; size > 1 {
			ofRoot[root] = uint32(len(g.ends))
			g.ends = append(g.ends, blockEnds{nodes: nodes})
			nodes += size
		}
	}
	g.nodes = make([]uint32, nodes)
	return each(ctx, n, share(n, workers), workers, func(from, to int) error {
		mine := ofRoot[from:to]
		for v := from; v < n; v++ {
			r := roots[v] - uint32(from)
			if r >= uint32(len(mine)) {
				continue
			}
			b := mine[r]
			if of[v] = b; b != none {
				e := &g.ends[b]
				g.nodes[e.nodes] = uint32(v)
				e.nodes++
			}
		}
		return nil
	})
}

// groupLinks sorts links by their blocks.
func (g *blocks) groupLinks(ctx context.Context, of []uint32, workers int) error {
	blocks := len(g.ends)
	err := each(ctx, blocks, share(blocks, workers), workers, func(from, to int) error {
		mine := g.ends[from:to]
		for _, b := range of {
			if b -= uint32(from); b < uint32(len(mine)) {
				mine[b].links++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	links := uint32(0)
	for b := range g.ends {
		e := &g.ends[b]
		e.links, links = links, links+e.links
	}
	g.links = make([]uint32, links)
	return each(ctx, blocks, share(blocks, workers), workers, func(from, to int) error {
		mine := g.ends[from:to]
		for i, b := range of {
			if b -= uint32(from); b < uint32(len(mine)) {
				g.links[mine[b].links] = uint32(i)
				mine[b].links++
			}
		}
		return nil
	})
}
