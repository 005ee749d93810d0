package graph

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// number sorts the nodes of a block by key, and makes each a cluster of its own. While the block is being solved, Latest
// holds the numbers of its nodes.
func (st *stitcher) number(nodes []uint32) {
	keys := st.p.Keys
	st.order = sized(st.order, len(nodes))
	for i, v := range nodes {
		st.order[i] = ranked{binary.BigEndian.Uint64(keys[v][:]), v}
	}
	sortRanked(st.order, func(v, w uint32) int { return bytes.Compare(keys[v][:], keys[w][:]) })
	st.nodes, st.clusters = nodes, sized(st.clusters, len(nodes))
	for i, r := range st.order {
		v, t := r.item, st.p.Types[r.item]
		nodes[i] = v
		st.s.Latest[v] = uint32(i)
		st.clusters[i] = cluster{tally: st.traits.one[t], parent: uint32(i), size: 1, device: st.traits.device[t]}
	}
}

// sort puts the links of a block in the order in which they are tried: (class, first, smaller key, greater key), and the
// one that comes first in the problem where all are equal.
func (st *stitcher) sort(links []uint32) {
	p, number, m := st.p, st.s.Latest, uint32(len(st.p.Links.A))
	st.links = sized(st.links, len(links))
	earliest, latest := int64(0), int64(0)
	for i, index := range links {
		l := &st.links[i]
		l.index = index
		if index < m {
			l.a, l.b = number[p.Links.A[index]], number[p.Links.B[index]]
			l.class, l.first = p.Links.Class[index]+1, p.Links.First[index]
		} else {
			pair := p.Must[index-m]
			l.a, l.b = number[pair[0]], number[pair[1]]
			l.class, l.first = 0, st.links[0].first
		}
		if l.a > l.b {
			l.a, l.b = l.b, l.a
		}
		if i == 0 {
			earliest, latest = l.first, l.first
		}
		earliest, latest = min(earliest, l.first), max(latest, l.first)
	}

	// The rank is class and time. Should the times of a block span more than 56 bits, it has only the upper ones.
	cut := max(0, bits.Len64(uint64(latest)-uint64(earliest))-56)
	st.order = sized(st.order, len(links))
	for i := range st.links {
		l := &st.links[i]
		st.order[i] = ranked{uint64(l.class)<<56 | (uint64(l.first)-uint64(earliest))>>cut, uint32(i)}
	}
	sortRanked(st.order, func(i, j uint32) int {
		x, y := &st.links[i], &st.links[j]
		return cmp.Or(cmp.Compare(x.first, y.first), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b), cmp.Compare(x.index, y.index))
	})
}

// sized is a slice of a length, of any content.
func sized[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }
