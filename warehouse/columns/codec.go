package columns

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"unsafe"

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
	row    reflect.Type // a pointer to the table's row type
	fields []field      // in the table's order
}

type field struct {
	column table.Column
	offset uintptr
	ptr    bool // an optional number, bool or time: the field is a pointer
}

// NewCodec compiles the codec of a table.
func NewCodec(t *table.Table) *Codec {
	c := &Codec{table: t, row: reflect.PointerTo(t.Row), fields: make([]field, len(t.Order))}
	for i, at := range t.Order {
		column := t.Columns[at]
		f := t.Row.Field(column.Field)
		c.fields[i] = field{column: column, offset: f.Offset, ptr: f.Type.Kind() == reflect.Pointer}
	}
	return c
}

// Append appends the encoding of a row, a pointer to the table's row type.
func (c *Codec) Append(dst []byte, row any) ([]byte, error) {
	if reflect.TypeOf(row) != c.row {
		return dst, fmt.Errorf("%s: a row of type %T instead of %s", c.table, row, c.row)
	}
	base := reflect.ValueOf(row).UnsafePointer()
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
