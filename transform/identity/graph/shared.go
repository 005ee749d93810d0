package graph

import (
	"context"
	"slices"
)

// shared is phase A: it finds the nodes beyond their cap. A node's degree is the greatest number of distinct neighbours
// of one unique namespace: an account and the CRM's contact of the same person count once each, and how often or by which
// sources a pair was seen does not count at all.
//
// Few nodes come near their cap. So at first links are counted, which are at least the degree; and only for the suspects,
// which exceed their cap by that, the neighbours are listed and told apart. The scratch is of any content, a number a node.
func shared(ctx context.Context, p *Problem, scratch []uint32, workers int) ([]bool, error) {
	n := len(p.Keys)
	is := make([]bool, n)
	copy(is, p.Shared)
	counts := newCounting(p.Rules.Types)
	return is, each(ctx, n, share(n, workers), workers, func(from, to int) error {
		mine := scratch[from:to]
		clear(mine)
		counts.links(p, uint32(from), len(mine), func(v, _ uint32) { mine[v]++ })

		// From here on mine[v] is 0, or one more than v's place among the suspects.
		var suspects, ends []uint32
		total := uint32(0)
		for v, links := range mine {
			mine[v] = 0
			if node := from + v; !is[node] && int(links) > p.Rules.Types[p.Types[node]].Cap {
				suspects, ends = append(suspects, uint32(node)), append(ends, total)
				mine[v] = uint32(len(suspects))
				total += links
			}
		}
		if total == 0 {
			return nil
		}
		neighbours := make([]uint32, total)
		counts.links(p, uint32(from), len(mine), func(v, neighbour uint32) {
			if s := mine[v]; s > 0 {
				neighbours[ends[s-1]] = neighbour
				ends[s-1]++
			}
		})
		begin := uint32(0)
		for s, node := range suspects {
			is[node] = degree(p.Types, neighbours[begin:ends[s]]) > p.Rules.Types[p.Types[node]].Cap
			begin = ends[s]
		}
		return ctx.Err()
	})
}

// degree counts distinct neighbours, which it sorts, of the type that has most of them.
func degree(types []uint8, neighbours []uint32) int {
	slices.Sort(neighbours)
	var of [maxTypes]int
	most := 0
	for i, v := range neighbours {
		if i == 0 || neighbours[i-1] != v {
			of[types[v]]++
			most = max(most, of[types[v]])
		}
	}
	return most
}

// counting says of a link between nodes of two types which end it brings nearer to a cap.
type counting [maxTypes][maxTypes]struct{ a, b bool }

func newCounting(types []Type) *counting {
	c := new(counting)
	for i, a := range types {
		for j, b := range types {
			if a.Cap > 0 && b.Limit > 0 && !a.Outside && !b.Outside {
				c[i][j].a, c[j][i].b = true, true
			}
		}
	}
	return c
}

// links goes through the links that count for nodes from a first one on, and calls f with the number of the node after
// the first, and its neighbour.
func (c *counting) links(p *Problem, first uint32, nodes int, f func(v, neighbour uint32)) {
	b := p.Links.B[:len(p.Links.A)]
	for i, a := range p.Links.A {
		b := b[i]
		mineA, mineB := a-first < uint32(nodes), b-first < uint32(nodes)
		if !mineA && !mineB || a == b {
			continue
		}
		count := c[p.Types[a]][p.Types[b]]
		if count.a && mineA {
			f(a-first, b)
		}
		if count.b && mineB {
			f(b-first, a)
		}
	}
}
