package graph

import (
	"context"
	"slices"
)

// findShared is phase A: it finds the nodes beyond their cap. A node's degree is the greatest number of distinct neighbours
// of one unique namespace: an account and the CRM's contact of the same person count once each, and how often or by which
// sources a pair was seen does not count at all.
//
// Few nodes come near their cap. So at first links are counted, which are at least the degree; and only for the suspects,
// which exceed their cap by that, the neighbours are listed and told apart. The scratch is of any content, a number a node.
func findShared(ctx context.Context, p *Problem, scratch []uint32, workers int) ([]bool, error) {
	n := len(p.Keys)
	is := make([]bool, n)
	copy(is, p.Shared)
	counts := newCounting(p.Rules.Types)
	return is, each(ctx, n, share(n, workers), workers, func(from, to int) error {
		mine := scratch[from:to]
		clear(mine)
		eachEnd(p, uint32(from), uint32(to-from), func(v, neighbour uint32) {
			if counts[p.Types[from+int(v)]][p.Types[neighbour]] {
				mine[v]++
			}
		})

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
		list := func(v, neighbour uint32) {
			if s := mine[v]; s > 0 && counts[p.Types[suspects[s-1]]][p.Types[neighbour]] {
				neighbours[ends[s-1]] = neighbour
				ends[s-1]++
			}
		}
		eachEnd(p, uint32(from), uint32(to-from), list)
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

// counting says whether a node's neighbours count towards its cap, by the types of both.
type counting [maxTypes][maxTypes]bool

func newCounting(types []Type) *counting {
	c := new(counting)
	for i, t := range types {
		for j, neighbour := range types {
			c[i][j] = t.Cap > 0 && !t.Outside && neighbour.Limit > 0 && !neighbour.Outside
		}
	}
	return c
}

// eachEnd calls f for the ends of links that are among some nodes, with their place among these and the other end.
func eachEnd(p *Problem, first, nodes uint32, f func(v, neighbour uint32)) {
	b := p.Links.B[:len(p.Links.A)]
	for i, a := range p.Links.A {
		b := b[i]
		if a == b {
			continue
		}
		if v := a - first; v < nodes {
			f(v, b)
		}
		if v := b - first; v < nodes {
			f(v, a)
		}
	}
}
