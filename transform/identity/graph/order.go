package graph

import (
	"bytes"
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// link is a link within a block.
type link struct {
	first int64
	a, b  uint32
	index uint32 // in the problem
	class uint8  // 0 for a must-link, else one more than the problem's
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
	return cmp.Or(cmp.Compare(x.first, y.first), st.compare(xLess, yLess), st.compare(xMore, yMore),
		cmp.Compare(x.index, y.index))
}

// byKey are the ends of a link, the smaller key first.
func (st *stitcher) byKey(l *link) (less, more uint32) {
	if st.compare(l.a, l.b) > 0 {
		return l.b, l.a
	}
	return l.a, l.b
}

// ranked is something that is sorted by its rank.
type ranked struct {
	rank uint64
	item uint32
}

// sortRanked sorts what is nearly always short, and nearly always of different ranks; tie compares the items of equal
// ones.
func sortRanked(s []ranked, tie func(x, y uint32) int) {
	if len(s) > 100 {
		slices.SortFunc(s, func(x, y ranked) int { return cmp.Compare(x.rank, y.rank) })
	} else {
		for i := 1; i < len(s); i++ {
			x, at := s[i], i
			for ; at > 0 && x.rank < s[at-1].rank; at-- {
				s[at] = s[at-1]
			}
			s[at] = x
		}
	}
	for from := 0; from+1 < len(s); {
		to := from + 1
		for to < len(s) && s[to].rank == s[from].rank {
			to++
		}
		if to > from+1 {
			slices.SortFunc(s[from:to], func(x, y ranked) int { return tie(x.item, y.item) })
		}
		from = to
	}
}

// sized is a slice of a length, of any content.
func sized[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
