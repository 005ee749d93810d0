package graph

import "slices"

// shared is phase A: it finds the nodes beyond their cap. A node's degree is the greatest number of distinct neighbours
// of one unique namespace: an account and the CRM's contact of the same person count once each, and how often or by which
// sources a pair was seen does not count at all.
//
// Few nodes come near their cap. So first links are counted, which is at least the degree, and only for the nodes that
// exceed their cap by that are the neighbours listed and told apart.
func shared(p *Problem) []bool {
	is := make([]bool, len(p.Keys))
	copy(is, p.Shared)
	counts := countable(p.Rules.Types)
	links := make([]uint32, len(p.Keys))
	for i, a := range p.Links.A {
		b := p.Links.B[i]
		c := counts[p.Types[a]][p.Types[b]]
		if c == 0 || a == b {
			continue
		}
		links[a] += uint32(c & 1)
		links[b] += uint32(c >> 1)
	}
	// From here on links[v] is 0, or one more than the place of v among the suspects.
	var suspects, ends []uint32
	total := uint32(0)
	for v, n := range links {
		links[v] = 0
		if !is[v] && int(n) > p.Rules.Types[p.Types[v]].Cap {
			suspects = append(suspects, uint32(v))
			ends = append(ends, total)
			links[v] = uint32(len(suspects))
			total += n
		}
	}
	if total == 0 {
		return is
	}
	neighbours := make([]uint32, total)
	list := func(v, other uint32) {
		if s := links[v]; s != 0 {
			neighbours[ends[s-1]] = other
			ends[s-1]++
		}
	}
	for i, a := range p.Links.A {
		b := p.Links.B[i]
		if c := counts[p.Types[a]][p.Types[b]]; c != 0 && a != b {
			if c&1 != 0 {
				list(a, b)
			}
			if c>>1 != 0 {
				list(b, a)
			}
		}
	}
	from := uint32(0)
	for s, v := range suspects {
		is[v] = degree(p.Types, neighbours[from:ends[s]]) > p.Rules.Types[p.Types[v]].Cap
		from = ends[s]
	}
	return is
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

// countable says for a link between two types which of its ends it brings nearer to a cap: 1 the first, 2 the second.
func countable(types []Type) *[maxTypes][maxTypes]uint8 {
	counts := new([maxTypes][maxTypes]uint8)
	for i, a := range types {
		for j, b := range types {
			if a.Cap > 0 && b.Limit > 0 && !a.Outside && !b.Outside {
				counts[i][j] |= 1
				counts[j][i] |= 2
			}
		}
	}
	return counts
}
