package postgres

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// encoder writes rows of Arrow batches as lines of COPY's text format (PostgreSQL documentation, COPY, "File Formats"):
// fields separated by tabs, \N for null, and a backslash before what would be mistaken for either.
type encoder struct {
	contract *table.Table
	prefix   string // the first field of every line
	cells    []cell // of the bound batch, in the contract's order
}

// cell appends the text of a column's i-th value, which is not null.
type cell struct {
	name   string
	array  arrow.Array
	append func(dst []byte, i int) ([]byte, error)
}

// bind prepares for the rows of a batch, whose columns must be those of the contract, in any order.
func (e *encoder) bind(batch arrow.Record) error {
	for _, f := range batch.Schema().Fields() {
		if _, ok := e.contract.Column(f.Name); !ok {
			return fmt.Errorf("column %s is not in %s", f.Name, e.contract)
		}
	}
	e.cells = e.cells[:0]
	for _, c := range e.contract.Columns {
		at := batch.Schema().FieldIndices(c.Name)
		if len(at) != 1 {
			return fmt.Errorf("column %s of %s: found %d times", c.Name, e.contract, len(at))
		}
		a := batch.Column(at[0])
		if extension, ok := a.(array.ExtensionArray); ok {
			a = extension.Storage()
		}
		f := appender(c.Type, a)
		if f == nil {
			return fmt.Errorf("column %s of %s: %s where a column of type %s was expected",
				c.Name, e.contract, a.DataType(), c.Type)
		}
		e.cells = append(e.cells, cell{c.Name, a, f})
	}
	return nil
}

// row appends a line.
func (e *encoder) row(dst []byte, i int) (_ []byte, err error) {
	dst = append(dst, e.prefix...)
	for _, c := range e.cells {
		dst = append(dst, '\t')
		if c.array.IsNull(i) {
			dst = append(dst, '\\', 'N')
			continue
		}
		if dst, err = c.append(dst, i); err != nil {
			return dst, fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	return append(dst, '\n'), nil
}

// appender gives the text encoding of a column, or nil where the array is not of the type.
func appender(t table.Type, a arrow.Array) func(dst []byte, i int) ([]byte, error) {
	switch a := a.(type) {
	case *array.String:
		if t == table.String {
			return func(dst []byte, i int) ([]byte, error) { return appendText(dst, a.Value(i)) }
		}
	case *array.Int64:
		if t == table.Int {
			return func(dst []byte, i int) ([]byte, error) { return strconv.AppendInt(dst, a.Value(i), 10), nil }
		}
	case *array.Float64:
		if t == table.Float {
			return func(dst []byte, i int) ([]byte, error) { return appendFloat(dst, a.Value(i)), nil }
		}
	case *array.Boolean:
		if t == table.Bool {
			return func(dst []byte, i int) ([]byte, error) {
				if a.Value(i) {
					return append(dst, 't'), nil
				}
				return append(dst, 'f'), nil
			}
		}
	case *array.Timestamp:
		if unit := a.DataType().(*arrow.TimestampType).Unit; t == table.Timestamp && unit == arrow.Microsecond {
			return func(dst []byte, i int) ([]byte, error) {
				return appendTime(dst, time.UnixMicro(int64(a.Value(i))), "2006-01-02 15:04:05.999999+00")
			}
		}
	case *array.Date32:
		if t == table.Date {
			return func(dst []byte, i int) ([]byte, error) {
				return appendTime(dst, time.Unix(int64(a.Value(i))*86400, 0), time.DateOnly)
			}
		}
	case *array.FixedSizeBinary:
		if size := a.DataType().(*arrow.FixedSizeBinaryType).ByteWidth; t == table.ID && size == len(identifier.ID{}) {
			return func(dst []byte, i int) ([]byte, error) {
				return append(dst, identifier.ID(a.Value(i)).String()...), nil
			}
		}
	}
	return nil
}

// appendText escapes a string. Postgres' text holds every character but NUL.
func appendText(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, errors.New("not UTF-8")
	}
	start := 0
	for i := range len(s) {
		var escaped byte
		switch s[i] {
		case '\\':
			escaped = '\\'
		case '\t':
			escaped = 't'
		case '\n':
			escaped = 'n'
		case '\r':
			escaped = 'r'
		case 0:
			return dst, errors.New("a NUL character, which Postgres cannot hold")
		default:
			continue
		}
		dst = append(append(dst, s[start:i]...), '\\', escaped)
		start = i + 1
	}
	return append(dst, s[start:]...), nil
}

// appendFloat writes the shortest text that gives the same double again.
func appendFloat(dst []byte, x float64) []byte {
	switch {
	case math.IsInf(x, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(x, -1):
		return append(dst, "-Infinity"...)
	}
	return strconv.AppendFloat(dst, x, 'g', -1, 64) // NaN as NaN
}

// appendTime writes times of the years 1 to 9999, which both sides write alike.
func appendTime(dst []byte, t time.Time, layout string) ([]byte, error) {
	t = t.UTC()
	if year := t.Year(); year < 1 || year > 9999 {
		return dst, fmt.Errorf("the year %d: expected one from 1 to 9999", year)
	}
	return t.AppendFormat(dst, layout), nil
}
