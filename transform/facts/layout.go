package facts

import (
	"context"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// stretch is rows of a row group that belong together: [from, to), and where they come in the list that is made of all such.
type stretch struct {
	list     int
	from, to int
	at       int
}

// layout says how rows are to be split into lists by one or two columns of text, by row group, and how long the lists get: so
// that these can be made at once and filled by several goroutines. A negative list is none.
func layout(ctx context.Context, f *columns.File, t *table.Table, workers, lists int, names []string, list func(texts []string) int) ([][]stretch, []int, error) {
	groups := make([][]stretch, f.RowGroups())
	err := scan(ctx, f, t, workers, names, nil, func(g int, v []columns.Vector) error {
		texts := make([]string, len(v))
		index := v[0].Index
		for from, to := 0, 0; from < len(index); from = to {
			to = from + 1
			for to < len(index) && !slices.ContainsFunc(v, func(v columns.Vector) bool { return v.Index[to] != v.Index[from] }) {
				to++
			}
			for i := range v {
				texts[i] = v[i].Strings[v[i].Index[from]]
			}
			if l := list(texts); l >= 0 {
				groups[g] = append(groups[g], stretch{list: l, from: from, to: to})
			}
		}
		return nil
	})
	lengths := make([]int, lists)
	for g := range groups {
		for i := range groups[g] {
			s := &groups[g][i]
			s.at = lengths[s.list]
			lengths[s.list] += s.to - s.from
		}
	}
	return groups, lengths, err
}

// identifiers are those of some rows, each of which has one; spare is memory that may be used.
func identifiers(v *columns.Vector, from, to int, spare *[]identifier.ID) []identifier.ID {
	if len(v.IDs) == len(v.Index) && int(v.Index[from]) == from && int(v.Index[to-1]) == to-1 && slices.IsSorted(v.Index[from:to]) {
		return v.IDs[from:to] // each row has its own entry
	}
	*spare = (*spare)[:0]
	for _, at := range v.Index[from:to] {
		*spare = append(*spare, v.IDs[at])
	}
	return *spare
}
