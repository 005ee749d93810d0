package graph

import (
	"context"
	"iter"
	"math"
	"slices"
)

// findShared is phase A: it finds the nodes beyond their cap. A node's degree is the greatest number of distinct
// neighbours of one unique namespace: an account and the CRM's contact of the same person count once each, and how often
// or by which sources a pair was seen does not count at all.
//
// Few nodes come near their cap. So at first links are counted, which are at least the degree; and only for the suspects,
// which exceed their cap by that, the neighbours are listed and told apart. The scratch is of any content, a number a
// node.
func findShared(ctx context.Context, p *Problem, scratch []uint32, workers int) ([]bool, error) {
	n := len(p.Keys)
	is := make([]bool, n)
	copy(is, p.Shared)
	counts, caps := newCounting(p.Rules.Types), new([maxTypes]uint32)
	for i, t := range p.Rules.Types {
		if caps[i] = math.MaxUint32; t.Cap > 0 {
			caps[i] = uint32(min(t.Cap, math.MaxUint32))
		}
	}
	return is, each(ctx, n, share(n, workers), workers, func(from, to int) error {
		mine := scratch[from:to]
		clear(mine)
		for v, neighbour := range ends(p, from, to) {
			if counts[p.Types[v]][p.Types[neighbour]] {
				mine[v-uint32(from)]++
			}
		}

		// From here on mine is 0, or one more than the node's place among the suspects.
		var suspects, listed []uint32 // listed is where a suspect's neighbours begin, and where they end once listed
		total := uint32(0)
		for v, links := range mine {
			mine[v] = 0
			if node := from + v; links > caps[p.Types[node]] && !is[node] {
				suspects, listed = append(suspects, uint32(node)), append(listed, total)
				mine[v] = uint32(len(suspects))
				total += links
			}
		}
		if total == 0 {
			return nil
		}
		neighbours := make([]uint32, total)
		for v, neighbour := range ends(p, from, to) {
			if s := mine[v-uint32(from)]; s > 0 && counts[p.Types[v]][p.Types[neighbour]] {
				neighbours[listed[s-1]] = neighbour
				listed[s-1]++
			}
		}
		begin := uint32(0)
		for s, v := range suspects {
			is[v] = degree(p.Types, neighbours[begin:listed[s]]) > caps[p.Types[v]]
			begin = listed[s]
		}
		return ctx.Err()
	})
}

// degree counts distinct neighbours, which it sorts, of the type that has most of them.
func degree(types []uint8, neighbours []uint32) uint32 {
	slices.Sort(neighbours)
	var of [maxTypes]uint32
	most := uint32(0)
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

// ends goes through the ends of links that are among the nodes from…to−1, with the other end.
func ends(p *Problem, from, to int) iter.Seq2[uint32, uint32] {
	return func(yield func(v, neighbour uint32) bool) {
		first, nodes := uint32(from), uint32(to-from)
		for i, a := range p.Links.A {
			b := p.Links.B[i]
			if a == b {
				continue
			}
			if a-first < nodes && !yield(a, b) || b-first < nodes && !yield(b, a) {
				return
			}
		}
	}
}
