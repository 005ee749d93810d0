package columns

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// Find reads the rows that hold one of some identifiers in one of the named columns, in row order. It is for looking few
// of them up: row groups whose statistics rule all of them out are not read, of the others no more than those columns, and
// all columns only where a row was found. A file that is sorted by the column costs a row group or two for each identifier,
// any other one a pass over the column. Row groups for which skip, if any, is true are passed over.
func Find[Row any](ctx context.Context, f *File, t *table.Table, ids identifier.Set, skip func(rowGroup int) bool, columns ...string) ([]*Row, error) {
	if reflect.TypeFor[Row]() != t.Row {
		return nil, fmt.Errorf("%s: read into %T instead of %s", t, *new(Row), t.Row)
	}
	wanted := make([]identifier.ID, 0, len(ids))
	for id := range ids {
		wanted = append(wanted, id)
	}
	slices.SortFunc(wanted, compareIDs)
	found := make([][]*Row, f.RowGroups())
	vectors := sync.Pool{New: func() any { return new(Vector) }}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for rowGroup := range found {
		within := f.possible(rowGroup, wanted, columns)
		if len(within) == 0 || skip != nil && skip(rowGroup) {
			continue
		}
		g.Go(func() error {
			v := vectors.Get().(*Vector)
			defer vectors.Put(v)
			at, err := f.holding(ctx, rowGroup, wanted, within, v)
			if err != nil || len(at) == 0 {
				return err
			}
			r := newRowReader(f, t)
			if err := r.read(ctx, rowGroup); err != nil {
				return err
			}
			for _, i := range at {
				row := reflect.New(t.Row)
				r.fill(row.UnsafePointer(), i, true)
				found[rowGroup] = append(found[rowGroup], row.Interface().(*Row))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	return slices.Concat(found...), nil
}

// few identifiers are compared one by one.
const few = 8

// possible are the columns that may hold one of some identifiers, ascending, in a row group.
func (f *File) possible(rowGroup int, wanted []identifier.ID, columns []string) (within []string) {
	for _, column := range columns {
		low, high, ok := f.IDBounds(rowGroup, column)
		if ok {
			at, _ := slices.BinarySearchFunc(wanted, low, compareIDs)
			if at == len(wanted) || compareIDs(wanted[at], high) > 0 {
				continue
			}
		}
		within = append(within, column)
	}
	return within
}

// holding finds the rows of a row group that hold one of some identifiers, ascending. v is memory to read into.
func (f *File) holding(ctx context.Context, rowGroup int, wanted []identifier.ID, columns []string, v *Vector) (at []int, err error) {
	has := func(id identifier.ID) bool { return slices.Contains(wanted, id) }
	if len(wanted) > few {
		has = func(id identifier.ID) bool {
			_, found := slices.BinarySearchFunc(wanted, id, compareIDs)
			return found
		}
	}
	for _, column := range columns {
		if err := f.Vector(ctx, rowGroup, column, v); err != nil {
			return nil, err
		}
		hits := map[int32]bool{} // places in the dictionary
		for i := range v.IDs {
			if has(v.IDs[i]) {
				hits[int32(i)] = true
			}
		}
		if len(hits) == 0 {
			continue
		}
		for i, of := range v.Index {
			if hits[of] {
				at = append(at, i)
			}
		}
	}
	slices.Sort(at)
	return slices.Compact(at), nil
}

func compareIDs(x, y identifier.ID) int { return bytes.Compare(x[:], y[:]) }

// IDBounds gives the smallest and largest identifier of a column in a row group, from the footer's statistics; ok is
// false when there are none.
func (f *File) IDBounds(rowGroup int, column string) (low, high identifier.ID, ok bool) {
	least, most, ok := f.bounds(rowGroup, column)
	if !ok || least.Kind() != parquet.FixedLenByteArray || len(least.ByteArray()) != len(low) || len(most.ByteArray()) != len(high) {
		return low, high, false
	}
	return identifier.ID(least.ByteArray()), identifier.ID(most.ByteArray()), true
}

// StringBounds gives bounds of a column of strings in a row group, from the footer's statistics; ok is false when there
// are none.
func (f *File) StringBounds(rowGroup int, column string) (low, high string, ok bool) {
	least, most, ok := f.bounds(rowGroup, column)
	if !ok || least.Kind() != parquet.ByteArray {
		return "", "", false
	}
	return string(least.ByteArray()), string(most.ByteArray()), true
}

// Absent reports how many rows of a row group have no value in a column, from the footer's statistics.
func (f *File) Absent(rowGroup int, column string) int64 {
	if chunk := f.chunk(rowGroup, column); chunk != nil {
		return chunk.NullCount()
	}
	return 0
}

// bounds are the smallest and largest value of a column in a row group; ok is false when the footer has none.
func (f *File) bounds(rowGroup int, column string) (least, most parquet.Value, ok bool) {
	if chunk := f.chunk(rowGroup, column); chunk != nil {
		return chunk.Bounds()
	}
	return least, most, false
}

// chunk is a column of a row group in the file; nil where there is none.
func (f *File) chunk(rowGroup int, column string) *parquet.FileColumnChunk {
	leaf, err := f.column(column)
	if err != nil {
		return nil
	}
	chunk, _ := f.footer.RowGroups()[rowGroup].ColumnChunks()[leaf].(*parquet.FileColumnChunk)
	return chunk
}
