package columns

import (
	"context"
	"fmt"
	"io"
	"iter"
	"reflect"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// value is a cell as the Go type that stands for it in row types; nil when absent.
func value(a arrow.Array, i int) (any, error) {
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
		return table.Micros(a.Value(i)), nil
	case *array.Date32:
		return table.Day(a.Value(i)), nil
	case *array.FixedSizeBinary:
		if b := a.Value(i); len(b) == len(identifier.ID{}) {
			return identifier.ID(b), nil
		}
	case array.ExtensionArray:
		return value(a.Storage(), i)
	}
	return nil, fmt.Errorf("a column of type %s: not one that the lake's tables have", a.DataType())
}

// Cell is a cell for people and JSON: a string, number or bool, times, days and identifiers as text; nil when absent.
func Cell(a arrow.Array, i int) (any, error) {
	v, err := value(a, i)
	switch v := v.(type) {
	case table.Micros:
		return v.Time().Format("2006-01-02T15:04:05.999999Z07:00"), err
	case table.Day:
		return v.String(), err
	case identifier.ID:
		return v.String(), err
	}
	return v, err
}

// Each reads a file of a table row by row, each as a pointer to a new value of the table's row type. It is for
// checks and tools; what has to be fast reads batches or vectors.
func (f *File) Each(ctx context.Context, t *table.Table) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for batch, err := range f.Batches(ctx, t.ColumnNames()) {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range int(batch.NumRows()) {
				row, err := rowOf(t, batch, i)
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

func rowOf(t *table.Table, batch arrow.Record, i int) (any, error) {
	row := reflect.New(t.Row)
	for c, column := range t.Columns {
		v, err := value(batch.Column(c), i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", column.Name, err)
		}
		if v == nil {
			if !column.Optional {
				return nil, fmt.Errorf("%s: a required column has no value in row %d of a batch", column.Name, i)
			}
			continue
		}
		field, got := row.Elem().Field(column.Field), reflect.ValueOf(v)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		if !got.CanConvert(field.Type()) || got.Kind() != field.Kind() {
			return nil, fmt.Errorf("%s: a %s where a %s was expected", column.Name, got.Type(), field.Type())
		}
		field.Set(got.Convert(field.Type()))
	}
	return row.Interface(), nil
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
