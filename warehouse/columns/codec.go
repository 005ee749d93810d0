package columns

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"unsafe"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// Codec encodes the rows of one table canonically: equal rows have equal bytes, and comparing the bytes of two rows
// compares the rows in the table's total order. So one encoding serves sorting, spilling, finding duplicates and the
// content hash, and none of them can disagree.
//
// The columns follow each other in the table's order. An optional column starts with 0x00 (absent) or 0x01. Then:
// integers, times and dates big-endian with the sign bit flipped; floats as IEEE 754 bits, flipped so that they sort
// as numbers, with −0 as 0; bools one byte; identifiers 16 bytes; strings with 0x00 as 0x00 0xFF, ended by 0x00 0x01.
type Codec struct {
	table  *table.Table
	fields []field
}

type field struct {
	column table.Column
	offset uintptr
	ptr    bool // an optional number, bool or time: the field is a pointer
}

// NewCodec compiles the codec of a table.
func NewCodec(t *table.Table) *Codec {
	c := &Codec{table: t, fields: make([]field, len(t.Order))}
	for i, at := range t.Order {
		column := t.Columns[at]
		f := t.Row.Field(column.Field)
		c.fields[i] = field{column: column, offset: f.Offset, ptr: f.Type.Kind() == reflect.Pointer}
	}
	return c
}

// Append appends the encoding of a row, a pointer to the table's row type.
func (c *Codec) Append(dst []byte, row any) ([]byte, error) {
	v := reflect.ValueOf(row)
	if v.Kind() != reflect.Pointer || v.Type().Elem() != c.table.Row {
		return dst, fmt.Errorf("%s: a row of type %T instead of *%s", c.table, row, c.table.Row)
	}
	base := v.UnsafePointer()
	for i := range c.fields {
		f := &c.fields[i]
		p := unsafe.Add(base, f.offset)
		if f.column.Optional {
			if f.ptr {
				p = *(*unsafe.Pointer)(p)
			}
			if p == nil || !f.ptr && f.zero(p) {
				dst = append(dst, 0)
				continue
			}
			dst = append(dst, 1)
		}
		switch f.column.Type {
		case table.String:
			dst = appendString(dst, *(*string)(p))
		case table.Int, table.Timestamp:
			dst = binary.BigEndian.AppendUint64(dst, uint64(*(*int64)(p))^1<<63)
		case table.Date:
			dst = binary.BigEndian.AppendUint32(dst, uint32(*(*int32)(p))^1<<31)
		case table.Float:
			x := *(*float64)(p)
			if math.IsNaN(x) {
				return dst, fmt.Errorf("%s: %s: not a number", c.table, f.column.Name)
			}
			dst = binary.BigEndian.AppendUint64(dst, sortable(x))
		case table.Bool:
			dst = append(dst, *(*byte)(p))
		case table.ID:
			dst = append(dst, (*identifier.ID)(p)[:]...)
		}
	}
	return dst, nil
}

// zero reports an absent string or identifier, the optional types that are not pointers.
func (f *field) zero(p unsafe.Pointer) bool {
	if f.column.Type == table.String {
		return *(*string)(p) == ""
	}
	return (*identifier.ID)(p).IsZero()
}

func appendString(dst []byte, s string) []byte {
	for {
		i := bytes.IndexByte(unsafe.Slice(unsafe.StringData(s), len(s)), 0)
		if i < 0 {
			break
		}
		dst = append(append(dst, s[:i]...), 0, 0xFF)
		s = s[i+1:]
	}
	return append(append(dst, s...), 0, 1)
}

// sortable maps a float to an integer of the same order.
func sortable(x float64) uint64 {
	bits := math.Float64bits(x + 0) // −0 becomes 0
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

func unsortable(bits uint64) float64 {
	if bits>>63 == 1 {
		return math.Float64frombits(bits &^ (1 << 63))
	}
	return math.Float64frombits(^bits)
}

// values decodes a row into one parquet value a column, values[i] belonging to the table's i-th column in file order.
// Strings may share the row's memory.
func (c *Codec) values(row []byte, values []parquet.Value) error {
	rest := row
	for i := range c.fields {
		f := &c.fields[i]
		at := f.column.Field
		level := 0
		if f.column.Optional {
			if len(rest) == 0 {
				return c.torn(f)
			}
			if rest[0] == 0 {
				values[at] = parquet.NullValue().Level(0, 0, at)
				rest = rest[1:]
				continue
			}
			rest, level = rest[1:], 1
		}
		var v parquet.Value
		switch size := fixedSize(f.column.Type); {
		case size == 0:
			s, n := takeString(rest)
			if n < 0 {
				return c.torn(f)
			}
			v, rest = parquet.ByteArrayValue(s), rest[n:]
		case len(rest) < size:
			return c.torn(f)
		default:
			v, rest = fixedValue(f.column.Type, rest), rest[size:]
		}
		values[at] = v.Level(0, level, at)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%s: %d bytes after the end of a row", c.table, len(rest))
	}
	return nil
}

// Row decodes a row into a new value of the table's row type, to which it gives a pointer.
func (c *Codec) Row(row []byte) (any, error) {
	values := make([]parquet.Value, len(c.fields))
	if err := c.values(row, values); err != nil {
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
	x, y := make([]parquet.Value, len(c.fields)), make([]parquet.Value, len(c.fields))
	if c.values(one, x) != nil || c.values(other, y) != nil {
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

// fixedSize is the encoded size of a type, 0 for strings.
func fixedSize(t table.Type) int {
	switch t {
	case table.Int, table.Timestamp, table.Float:
		return 8
	case table.Date:
		return 4
	case table.Bool:
		return 1
	case table.ID:
		return 16
	}
	return 0
}

func fixedValue(t table.Type, b []byte) parquet.Value {
	switch t {
	case table.Int, table.Timestamp:
		return parquet.Int64Value(int64(binary.BigEndian.Uint64(b) ^ 1<<63))
	case table.Date:
		return parquet.Int32Value(int32(binary.BigEndian.Uint32(b) ^ 1<<31))
	case table.Float:
		return parquet.DoubleValue(unsortable(binary.BigEndian.Uint64(b)))
	case table.Bool:
		return parquet.BooleanValue(b[0] == 1)
	default:
		return parquet.FixedLenByteArrayValue(b[:16:16])
	}
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
