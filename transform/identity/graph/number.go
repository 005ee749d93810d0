package graph

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// number gives the nodes of a block small numbers, and makes each a cluster of its own. While the block is being solved,
// Latest holds these numbers.
func (st *stitcher) number(nodes []uint32) {
	st.nodes, st.clusters = nodes, sized(st.clusters, len(nodes))
	for i, v := range nodes {
		t := st.p.Types[v]
		st.s.Latest[v] = uint32(i)
		st.clusters[i] = cluster{
			tally: st.traits.one[t], device: st.traits.device[t],
			key: binary.BigEndian.Uint64(st.p.Keys[v][:]), parent: uint32(i), least: uint32(i), size: 1,
		}
	}
}

// compare compares the keys of two nodes.
func (st *stitcher) compare(v, w uint32) int {
	return bytes.Compare(st.p.Keys[st.nodes[v]][:], st.p.Keys[st.nodes[w]][:])
}

// sort puts the links of a block in the order in which they are tried: (class, first, smaller key, greater key), and the
// one that comes first in the problem where all are equal.
func (st *stitcher) sort(links []uint32) {
	p, number, m := st.p, st.s.Latest, uint32(len(st.p.Links.A))
	st.links = sized(st.links, len(links))
	earliest, latest := int64(math.MaxInt64), int64(math.MinInt64)
	for i, index := range links {
		l := &st.links[i]
		l.index = index
		if index < m {
			l.a, l.b = number[p.Links.A[index]], number[p.Links.B[index]]
			l.class, l.first = p.Links.Class[index]+1, p.Links.First[index]
			earliest, latest = min(earliest, l.first), max(latest, l.first)
		} else {
			pair := p.Must[index-m]
			l.a, l.b = number[pair[0]], number[pair[1]]
			l.class, l.first = 0, math.MinInt64
		}
	}

	// The rank is class and time. Should the times of a block span more than 56 bits, it has only their upper ones.
	cut := max(0, bits.Len64(uint64(latest)-uint64(earliest))-56)
	st.order = sized(st.order, len(links))
	for i := range st.links {
		l := &st.links[i]
		st.order[i].item = uint32(i)
		if st.order[i].rank = 0; l.class > 0 {
			st.order[i].rank = uint64(l.class)<<56 | (uint64(l.first)-uint64(earliest))>>cut
		}
	}
	sortRanked(st.order, func(i, j uint32) int { return st.tie(&st.links[i], &st.links[j]) })
}

// tie compares links of equal rank.
func (st *stitcher) tie(x, y *link) int {
	xLess, xMore := st.byKey(x)
	yLess, yMore := st.byKey(y)
	return cmp.Or(cmp.Compare(x.first, y.first), st.compare(xLess, yLess), st.compare(xMore, yMore), cmp.Compare(x.index, y.index))
}

// byKey are the ends of a link, the smaller key first.
func (st *stitcher) byKey(l *link) (less, more uint32) {
	if st.compare(l.a, l.b) > 0 {
		return l.b, l.a
	}
	return l.a, l.b
}

// sized is a slice of a length, of any content.
func sized[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
