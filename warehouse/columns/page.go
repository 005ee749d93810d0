package columns

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"

	"crosslift/schemas/identifier"
)

// page appends a page. known is the chunk's dictionary as far as it has been taken over.
func (v *Vector) page(page parquet.Page, typ parquet.Type, known *parquet.Dictionary) error {
	rows, data, dict := int(page.NumRows()), page.Data(), page.Dictionary()
	var levels []byte // of a page in which some rows have no value: 0 for these
	if page.NumNulls() > 0 {
		levels = page.DefinitionLevels()
	}
	start, kind := v.rows(), typ.Kind()
	switch {
	case dict != nil && (kind == parquet.ByteArray || kind == parquet.FixedLenByteArray):
		if *known != dict {
			if err := v.dictionary(dict); err != nil {
				return err
			}
			*known = dict
		}
		if err := v.places(data.Int32(), dict.Len()); err != nil {
			return err
		}
	case dict != nil:
		if err := v.looked(dict, data.Int32()); err != nil {
			return err
		}
	default:
		if err := v.plain(data, rows-int(page.NumNulls())); err != nil {
			return err
		}
	}
	if levels != nil {
		v.spread(kind, start, levels)
	}
	if levels != nil || v.Present != nil {
		v.mark(start, rows, levels)
	}
	if v.rows() != start+rows {
		return fmt.Errorf("a page of %d rows holds %d values: repeated columns cannot be read", rows, v.rows()-start)
	}
	return nil
}

// places appends places in a dictionary of so many entries, the last that was taken over.
func (v *Vector) places(index []int32, entries int) error {
	most := uint32(0)
	for _, at := range index {
		most = max(most, uint32(at))
	}
	if len(index) > 0 && int64(most) >= int64(entries) {
		return fmt.Errorf("damaged: value %d of a dictionary of %d", int32(most), entries)
	}
	start, base := len(v.Index), int32(v.distinct()-entries)
	v.Index = append(v.Index, index...)
	if base > 0 {
		for i := range v.Index[start:] {
			v.Index[start+i] += base
		}
	}
	return nil
}

// rows is how many rows have been read so far.
func (v *Vector) rows() int { return max(len(v.Index), len(v.Ints), len(v.Floats), len(v.Bools)) }

// distinct is the size of the dictionary.
func (v *Vector) distinct() int { return max(len(v.Strings), len(v.IDs)) }

// dictionary takes over a chunk's dictionary of strings or identifiers.
func (v *Vector) dictionary(dict parquet.Dictionary) error {
	return v.distinctValues(dict.Page().Data())
}

func (v *Vector) distinctValues(data encoding.Values) error {
	switch data.Kind() {
	case encoding.ByteArray:
		values, offsets := data.ByteArray()
		text := string(values)
		for i := 0; i+1 < len(offsets); i++ {
			v.Strings = append(v.Strings, text[offsets[i]:offsets[i+1]])
		}
	case encoding.FixedLenByteArray:
		values, size := data.FixedLenByteArray()
		if size != len(identifier.ID{}) {
			return fmt.Errorf("values of %d bytes: expected identifiers of 16", size)
		}
		if n := len(values) / size; n > 0 {
			v.IDs = append(v.IDs, unsafe.Slice((*identifier.ID)(unsafe.Pointer(&values[0])), n)...)
		}
	default:
		return fmt.Errorf("a dictionary of a type that the lake's tables do not have")
	}
	return nil
}

// looked appends the values of a dictionary page of numbers.
func (v *Vector) looked(dict parquet.Dictionary, index []int32) error {
	for _, at := range index {
		if at < 0 || int(at) >= dict.Len() {
			return fmt.Errorf("damaged: value %d of a dictionary of %d", at, dict.Len())
		}
		switch value := dict.Index(at); value.Kind() {
		case parquet.Int32:
			v.Ints = append(v.Ints, int64(value.Int32()))
		case parquet.Int64:
			v.Ints = append(v.Ints, value.Int64())
		case parquet.Double:
			v.Floats = append(v.Floats, value.Double())
		case parquet.Float:
			v.Floats = append(v.Floats, float64(value.Float()))
		default:
			return fmt.Errorf("values of type %s: not one that the lake's tables have", value.Kind())
		}
	}
	return nil
}

// plain appends the count values of a page without dictionary.
func (v *Vector) plain(data encoding.Values, count int) error {
	switch data.Kind() {
	case encoding.Int32:
		for _, x := range data.Int32() {
			v.Ints = append(v.Ints, int64(x))
		}
	case encoding.Int64:
		v.Ints = append(v.Ints, data.Int64()...)
	case encoding.Double:
		v.Floats = append(v.Floats, data.Double()...)
	case encoding.Float:
		for _, x := range data.Float() {
			v.Floats = append(v.Floats, float64(x))
		}
	case encoding.Boolean:
		bits := data.Boolean()
		for i := range count {
			v.Bools = append(v.Bools, bits[i/8]>>(i%8)&1 == 1)
		}
	default: // strings and identifiers: each value is its own entry of the dictionary
		from := v.distinct()
		if data.Kind() == encoding.FixedLenByteArray {
			v.IDs = slices.Grow(v.IDs, max(0, cap(v.Index)-len(v.IDs))) // as many as there are rows, at most
		}
		if err := v.distinctValues(data); err != nil {
			return err
		}
		for at := from; at < v.distinct(); at++ {
			v.Index = append(v.Index, int32(at))
		}
	}
	return nil
}

// spread moves the values read since start to the rows that have one.
func (v *Vector) spread(kind parquet.Kind, start int, levels []byte) {
	switch kind {
	case parquet.ByteArray, parquet.FixedLenByteArray:
		v.Index = spread(v.Index, start, levels, -1)
	case parquet.Int32, parquet.Int64:
		v.Ints = spread(v.Ints, start, levels, 0)
	case parquet.Float, parquet.Double:
		v.Floats = spread(v.Floats, start, levels, 0)
	case parquet.Boolean:
		v.Bools = spread(v.Bools, start, levels, false)
	}
}

// mark notes which of a page's rows have a value.
func (v *Vector) mark(start, rows int, levels []byte) {
	present := slices.Grow(v.present[:len(v.Present)], start+rows-len(v.Present))
	for len(present) < start {
		present = append(present, true)
	}
	present = present[:start+rows]
	for i := range present[start:] {
		present[start+i] = levels == nil || levels[i] > 0
	}
	v.Present, v.present = present, present
}

// spread makes room for the rows without a value, from the back so that nothing is overwritten.
func spread[T any](values []T, start int, levels []byte, absent T) []T {
	from, end := len(values), start+len(levels)
	values = slices.Grow(values, max(0, end-from))[:max(end, from)]
	for to := len(levels) - 1; to >= 0; to-- {
		if levels[to] > 0 {
			from--
			values[start+to] = values[from]
		} else {
			values[start+to] = absent
		}
	}
	return values
}
