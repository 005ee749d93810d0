package columns

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// batch is rows on their way from the canonical encoding into columns.
type batch struct {
	bytes []byte // one row after the other
	ends  []int  // of the rows
	at    []int  // up to where each of them has been decoded
}

// add copies a row, and gives the copy.
func (b *batch) add(row []byte) []byte {
	at := len(b.bytes)
	b.bytes = append(b.bytes, row...)
	b.at, b.ends = append(b.at, at), append(b.ends, len(b.bytes))
	return b.bytes[at:]
}

func (b *batch) rows() int { return len(b.ends) }

func (b *batch) reset() { b.bytes, b.at, b.ends = b.bytes[:0], b.at[:0], b.ends[:0] }

// decode decodes a batch, column by column: values[i] gets those of the table's i-th column in file order, one a row. Strings
// and identifiers may share the batch's memory.
func (c *Codec) decode(b *batch, values [][]parquet.Value) error {
	for i := range c.fields {
		f := &c.fields[i]
		into := values[f.column.Field][:b.rows()]
		for row, at := range b.at {
			end := b.ends[row]
			if f.column.Optional {
				switch {
				case at == end:
					return c.torn(f)
				case b.bytes[at] == 0:
					into[row] = parquet.Value{}
					b.at[row]++
					continue
				}
				at++
			}
			n := f.value(b.bytes[at:end], &into[row])
			if n < 0 {
				return c.torn(f)
			}
			if f.column.Optional {
				into[row] = into[row].Level(0, 1, f.column.Field)
			}
			b.at[row] = at + n
		}
	}
	for row, at := range b.at {
		if rest := b.ends[row] - at; rest > 0 {
			return fmt.Errorf("%s: %d bytes after the end of a row", c.table, rest)
		}
	}
	return nil
}

// value decodes the value that b begins with, and gives the length of its encoding, −1 when b ends inside it.
func (f *field) value(b []byte, v *parquet.Value) int {
	switch f.column.Type {
	case table.Int, table.Timestamp:
		if len(b) >= 8 {
			*v = parquet.Int64Value(int64(binary.BigEndian.Uint64(b) ^ 1<<63))
			return 8
		}
	case table.Float:
		if len(b) >= 8 {
			*v = parquet.DoubleValue(unsortable(binary.BigEndian.Uint64(b)))
			return 8
		}
	case table.ID:
		if len(b) >= 16 {
			*v = parquet.FixedLenByteArrayValue(b[:16:16])
			return 16
		}
	case table.Date:
		if len(b) >= 4 {
			*v = parquet.Int32Value(int32(binary.BigEndian.Uint32(b) ^ 1<<31))
			return 4
		}
	case table.Bool:
		if len(b) >= 1 {
			*v = parquet.BooleanValue(b[0] == 1)
			return 1
		}
	case table.String:
		s, n := takeString(b)
		*v = parquet.ByteArrayValue(s)
		return n
	}
	return -1
}

// takeString decodes a string and gives the length of its encoding, −1 when it is not ended.
func takeString(b []byte) (s []byte, n int) {
	i := bytes.IndexByte(b, 0)
	if i >= 0 && i+1 < len(b) && b[i+1] == 1 { // nearly always: nothing escaped, no copy
		return b[:i:i], i + 2
	}
	for at := 0; ; {
		i := bytes.IndexByte(b[at:], 0)
		if i < 0 || at+i+1 >= len(b) {
			return nil, -1
		}
		s = append(s, b[at:at+i]...)
		if b[at+i+1] == 1 {
			return s, at + i + 2
		}
		s = append(s, 0)
		at += i + 2
	}
}

// values decodes one row into a value a column, in file order.
func (c *Codec) values(row []byte) ([]parquet.Value, error) {
	values, columns := make([]parquet.Value, len(c.fields)), make([][]parquet.Value, len(c.fields))
	for i := range columns {
		columns[i] = values[i : i+1]
	}
	one := batch{bytes: row, at: []int{0}, ends: []int{len(row)}}
	return values, c.decode(&one, columns)
}

// Row decodes a row into a new value of the table's row type, to which it gives a pointer.
func (c *Codec) Row(row []byte) (any, error) {
	values, err := c.values(row)
	if err != nil {
		return nil, err
	}
	decoded := reflect.New(c.table.Row)
	for i, v := range values {
		if v.IsNull() {
			continue
		}
		field := decoded.Elem().Field(i)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		switch c.table.Columns[i].Type {
		case table.String:
			field.SetString(string(v.ByteArray()))
		case table.ID:
			field.Set(reflect.ValueOf(identifier.ID(v.ByteArray())))
		case table.Float:
			field.SetFloat(v.Double())
		case table.Bool:
			field.SetBool(v.Boolean())
		case table.Date:
			field.SetInt(int64(v.Int32()))
		default:
			field.SetInt(v.Int64())
		}
	}
	return decoded.Interface(), nil
}

// Differs names the first column, in the table's order, in which two encoded rows differ; "" when they are equal or torn.
func (c *Codec) Differs(one, other []byte) string {
	x, err := c.values(one)
	if err != nil {
		return ""
	}
	y, err := c.values(other)
	if err != nil {
		return ""
	}
	for _, f := range c.fields {
		if !parquet.Equal(x[f.column.Field], y[f.column.Field]) {
			return f.column.Name
		}
	}
	return ""
}

func (c *Codec) torn(f *field) error {
	return fmt.Errorf("%s: an encoded row ends inside column %s", c.table, f.column.Name)
}
