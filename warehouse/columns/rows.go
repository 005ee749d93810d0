package columns

import (
	"context"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// Cell is a cell of an Arrow batch for people and JSON: a string, number or bool, times, days and identifiers as text;
// nil when absent.
func Cell(a arrow.Array, i int) (any, error) {
	if a.IsNull(i) {
		return nil, nil
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i), nil
	case *array.Int64:
		return a.Value(i), nil
	case *array.Float64:
		return a.Value(i), nil
	case *array.Boolean:
		return a.Value(i), nil
	case *array.Timestamp:
		return table.Micros(a.Value(i)).Time().Format("2006-01-02T15:04:05.999999Z07:00"), nil
	case *array.Date32:
		return table.Day(a.Value(i)).String(), nil
	case *array.FixedSizeBinary:
		if b := a.Value(i); len(b) == len(identifier.ID{}) {
			return identifier.ID(b).String(), nil
		}
	case array.ExtensionArray:
		return Cell(a.Storage(), i)
	}
	return nil, fmt.Errorf("a column of type %s: not one that the lake's tables have", a.DataType())
}

// Each reads a file of a table row by row, each as a pointer to a new value of the table's row type. It is for checks
// and tools, and takes damaged files; what has to be fast scans, or reads batches or vectors.
func (f *File) Each(ctx context.Context, t *table.Table) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		r := newRowReader(f, t)
		for g := range f.RowGroups() {
			if err := r.read(ctx, g); err != nil {
				yield(nil, err)
				return
			}
			for at := range r.rows {
				row := reflect.New(t.Row)
				r.fill(row.UnsafePointer(), at, true)
				if !yield(row.Interface(), nil) {
					return
				}
			}
		}
	}
}

// Scan reads a file of a table row by row into one value of the table's row type, which each must not keep: it is
// overwritten by the next row, and what its pointers point at too. Row groups for which skip, if any, is true are passed over.
func Scan[Row any](ctx context.Context, f *File, t *table.Table, skip func(rowGroup int) bool, each func(*Row) error) error {
	if reflect.TypeFor[Row]() != t.Row {
		return fmt.Errorf("%s: read into %T instead of %s", t, *new(Row), t.Row)
	}
	r := newRowReader(f, t)
	var row Row
	for g := range f.RowGroups() {
		if skip != nil && skip(g) {
			continue
		}
		if err := r.read(ctx, g); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		for at := range r.rows {
			r.fill(unsafe.Pointer(&row), at, false)
			if err := each(&row); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowReader turns the columns of a row group into rows.
type rowReader struct {
	file    *File
	table   *table.Table
	fields  []field // in the order of the file's columns
	vectors []Vector
	rows    int // of the row group
}

func newRowReader(f *File, t *table.Table) *rowReader {
	r := &rowReader{file: f, table: t, vectors: make([]Vector, len(t.Columns))}
	for _, c := range t.Columns {
		of := t.Row.Field(c.Field)
		r.fields = append(r.fields, field{column: c, offset: of.Offset, ptr: of.Type.Kind() == reflect.Pointer})
	}
	return r
}

func (r *rowReader) read(ctx context.Context, rowGroup int) error {
	r.rows = int(r.file.RowGroupRows(rowGroup))
	for i, c := range r.table.Columns {
		if err := r.file.Vector(ctx, rowGroup, c.Name, &r.vectors[i]); err != nil {
			return err
		}
		if err := r.vectors[i].fits(c, r.rows); err != nil {
			return err
		}
	}
	return nil
}

// fill writes every field of a row. The pointers of optional values point into the vectors, or, for a row that is kept,
// at copies.
func (r *rowReader) fill(row unsafe.Pointer, at int, kept bool) {
	for i := range r.fields {
		f, v := &r.fields[i], &r.vectors[i]
		p := unsafe.Add(row, f.offset)
		absent := v.Present != nil && !v.Present[at]
		switch {
		case f.ptr && absent:
			*(*unsafe.Pointer)(p) = nil
		case f.ptr && (kept || f.column.Type == table.Date):
			value := reflect.New(r.table.Row.Field(f.column.Field).Type.Elem())
			v.value(value.UnsafePointer(), f.column.Type, at, absent)
			*(*unsafe.Pointer)(p) = value.UnsafePointer()
		case f.ptr:
			*(*unsafe.Pointer)(p) = v.place(f.column.Type, at)
		default:
			v.value(p, f.column.Type, at, absent)
		}
	}
}

// place is where a row's number, time or bool lies.
func (v *Vector) place(t table.Type, at int) unsafe.Pointer {
	switch t {
	case table.Float:
		return unsafe.Pointer(&v.Floats[at])
	case table.Bool:
		return unsafe.Pointer(&v.Bools[at])
	}
	return unsafe.Pointer(&v.Ints[at])
}

// value copies a row's value to where a field of its type lies; a zero where there is none.
func (v *Vector) value(p unsafe.Pointer, t table.Type, at int, absent bool) {
	switch t {
	case table.String:
		if *(*string)(p) = ""; !absent {
			*(*string)(p) = v.Strings[v.Index[at]]
		}
	case table.ID:
		if *(*identifier.ID)(p) = (identifier.ID{}); !absent {
			*(*identifier.ID)(p) = v.IDs[v.Index[at]]
		}
	case table.Float:
		*(*float64)(p) = v.Floats[at]
	case table.Bool:
		*(*bool)(p) = v.Bools[at]
	case table.Date:
		*(*int32)(p) = int32(v.Ints[at])
	default:
		*(*int64)(p) = v.Ints[at]
	}
}

// fits checks that a vector holds a column of the contract: its type, and a value for every row where one is required.
func (v *Vector) fits(c table.Column, rows int) error {
	length := map[table.Type]int{
		table.String: len(v.Index), table.ID: len(v.Index), table.Int: len(v.Ints), table.Timestamp: len(v.Ints),
		table.Date: len(v.Ints), table.Float: len(v.Floats), table.Bool: len(v.Bools),
	}[c.Type]
	if length != rows || c.Type == table.String && v.IDs != nil && len(v.Strings) == 0 && len(v.IDs) > 0 || c.Type == table.ID && len(v.Strings) > 0 {
		return fmt.Errorf("column %s: its values are no %ss", c.Name, c.Type)
	}
	if v.Present != nil && !c.Optional && slices.Contains(v.Present, false) {
		return fmt.Errorf("column %s: required, but some rows have no value", c.Name)
	}
	return nil
}

// WriteRows writes a file of rows that come in any order, each a pointer to the table's row type. It sorts in memory
// and in dir, and is for small tables and tests; a lake's draft does the same within a bound.
func WriteRows(w io.Writer, t *table.Table, rows iter.Seq[any], dir string) (Summary, error) {
	codec, sorter, out := NewCodec(t), NewSorter(64<<20, dir), NewWriter(w, t)
	defer sorter.Close()
	var encoded []byte
	for row := range rows {
		var err error
		if encoded, err = codec.Append(encoded[:0], row); err != nil {
			return Summary{}, err
		}
		if err := sorter.Add(encoded); err != nil {
			return Summary{}, err
		}
	}
	for row, err := range sorter.Rows() {
		if err != nil {
			return Summary{}, err
		}
		if err := out.Write(row); err != nil {
			return Summary{}, err
		}
	}
	return out.Close(func(Summary) map[string]string { return nil })
}
