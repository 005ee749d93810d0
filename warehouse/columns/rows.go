package columns

import (
	"context"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"

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
// and tools, and takes damaged files; what has to be fast reads batches or vectors.
func (f *File) Each(ctx context.Context, t *table.Table) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		vectors := make([]Vector, len(t.Columns))
		for g := range f.RowGroups() {
			for i, c := range t.Columns {
				err := f.Vector(ctx, g, c.Name, &vectors[i])
				if err == nil {
					err = vectors[i].fits(c, int(f.RowGroupRows(g)))
				}
				if err != nil {
					yield(nil, err)
					return
				}
			}
			for at := range int(f.RowGroupRows(g)) {
				row := reflect.New(t.Row)
				for i, c := range t.Columns {
					vectors[i].set(row.Elem().Field(c.Field), c, at)
				}
				if !yield(row.Interface(), nil) {
					return
				}
			}
		}
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

// set puts a row's value into the field of its column.
func (v *Vector) set(field reflect.Value, c table.Column, row int) {
	if v.Present != nil && !v.Present[row] {
		return
	}
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	switch c.Type {
	case table.String:
		field.SetString(v.Strings[v.Index[row]])
	case table.ID:
		field.Set(reflect.ValueOf(v.IDs[v.Index[row]]))
	case table.Float:
		field.SetFloat(v.Floats[row])
	case table.Bool:
		field.SetBool(v.Bools[row])
	default:
		field.SetInt(v.Ints[row])
	}
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
