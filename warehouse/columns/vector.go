package columns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// Vector is one column of one row group in memory, the form in which the hot path reads. Strings and identifiers are
// places in a dictionary, so that what is asked of a value is asked once a distinct value.
type Vector struct {
	Index   []int32         // of strings and identifiers: each row's place in the dictionary, −1 when absent
	Strings []string        // the dictionary of a string column; values may stand in it more than once
	IDs     []identifier.ID // the dictionary of an identifier column; likewise
	Ints    []int64         // integers, times in microseconds, dates in days
	Floats  []float64
	Bools   []bool
	Present []bool // whether a row has a value; nil: every row has one

	present []bool // memory for Present
}

// Vector reads a column of a row group into v, whose memory is used again. Rows without a value hold a zero, and −1
// in Index.
func (f *File) Vector(ctx context.Context, rowGroup int, column string, v *Vector) error {
	leaf, err := f.column(column)
	if err != nil {
		return err
	}
	*v = Vector{Index: v.Index[:0], Strings: v.Strings[:0], IDs: v.IDs[:0], Ints: v.Ints[:0], Floats: v.Floats[:0], Bools: v.Bools[:0], present: v.present[:0]}
	err = guarded(func() error {
		group := f.footer.RowGroups()[rowGroup]
		return v.read(ctx, group.ColumnChunks()[leaf], group.NumRows())
	})
	if err != nil {
		return fmt.Errorf("column %s, row group %d: %w", column, rowGroup, err)
	}
	return nil
}

// VectorOf reads a column as Vector does, and makes sure that it holds what the table's contract says: values of its type, and
// one in every row where one is required.
func (f *File) VectorOf(ctx context.Context, t *table.Table, rowGroup int, column string, v *Vector) error {
	c, known := t.Column(column)
	if !known {
		return fmt.Errorf("%s has no column %q", t, column)
	}
	if err := f.Vector(ctx, rowGroup, column, v); err != nil {
		return err
	}
	return v.fits(c, int(f.RowGroupRows(rowGroup)))
}

func (v *Vector) read(ctx context.Context, chunk parquet.ColumnChunk, rows int64) error {
	pages := chunk.Pages()
	defer pages.Close()
	var known parquet.Dictionary
	v.grow(chunk.Type().Kind(), int(min(rows, mostAtOnce)))
	for left := rows; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("it ends after %d of %d rows", rows-left, rows)
		}
		if err != nil {
			return err
		}
		if err := v.page(page, chunk.Type(), &known); err != nil {
			return err
		}
		left -= page.NumRows()
		parquet.Release(page)
	}
	return nil
}

// mostAtOnce is for how many rows memory is taken on a footer's word.
const mostAtOnce = 8 * rowGroupRows

// grow makes room for a column's rows.
func (v *Vector) grow(kind parquet.Kind, rows int) {
	switch kind {
	case parquet.ByteArray, parquet.FixedLenByteArray:
		v.Index = slices.Grow(v.Index, rows)
	case parquet.Int32, parquet.Int64:
		v.Ints = slices.Grow(v.Ints, rows)
	case parquet.Float, parquet.Double:
		v.Floats = slices.Grow(v.Floats, rows)
	case parquet.Boolean:
		v.Bools = slices.Grow(v.Bools, rows)
	}
}

// RowGroupRows is the number of rows of a row group.
func (f *File) RowGroupRows(rowGroup int) int64 { return f.footer.RowGroups()[rowGroup].NumRows() }

// IntBounds gives the smallest and largest value of a column of integers, times or dates in a row group, from the
// footer's statistics; ok is false when there are none.
func (f *File) IntBounds(rowGroup int, column string) (low, high int64, ok bool) {
	least, most, ok := f.bounds(rowGroup, column)
	if !ok {
		return 0, 0, false
	}
	switch least.Kind() {
	case parquet.Int32:
		return int64(least.Int32()), int64(most.Int32()), true
	case parquet.Int64:
		return least.Int64(), most.Int64(), true
	}
	return 0, 0, false
}
