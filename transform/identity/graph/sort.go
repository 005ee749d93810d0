package graph

import (
	"cmp"
	"slices"
)

// ranked is something that is sorted by its rank.
type ranked struct {
	rank uint64
	item uint32
}

// sortRanked sorts what is nearly always short, and nearly always of different ranks; tie compares the items of equal ones.
func sortRanked(s []ranked, tie func(x, y uint32) int) {
	if len(s) > 40 {
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
