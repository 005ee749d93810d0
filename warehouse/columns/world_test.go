package columns

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// randomRow fills a row of a table with values that are hard on an encoding.
func randomRow(r *rand.Rand, t *table.Table) any {
	row := reflect.New(t.Row)
	for _, c := range t.Columns {
		if c.Optional && r.IntN(3) == 0 {
			continue
		}
		field := row.Elem().Field(c.Field)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		switch c.Type {
		case table.String:
			field.SetString([]string{"a", "b", "a\x00", "a\x00b", "\x00", "\x00\x01", "ж", "zzzzzzzzzzzz"}[r.IntN(8)])
		case table.Int, table.Timestamp:
			field.SetInt([]int64{0, 1, -1, math.MinInt64, math.MaxInt64, r.Int64()}[r.IntN(6)])
		case table.Date:
			field.SetInt([]int64{0, -1, 20000, math.MinInt32, math.MaxInt32}[r.IntN(5)])
		case table.Float:
			field.SetFloat([]float64{0, math.Copysign(0, -1), 1, -1, math.MaxFloat64, math.SmallestNonzeroFloat64, r.NormFloat64()}[r.IntN(7)])
		case table.Bool:
			field.SetBool(r.IntN(2) == 0)
		case table.ID:
			var id identifier.ID
			id[0], id[15] = byte(1+r.IntN(2)), byte(r.IntN(4))
			field.Set(reflect.ValueOf(id))
		}
	}
	return row.Interface()
}

func random(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// written writes rows, and gives the file's bytes.
func written(t testing.TB, of *table.Table, rows []any) ([]byte, Summary) {
	t.Helper()
	var b bytes.Buffer
	s, err := WriteRows(&b, of, func(yield func(any) bool) {
		for _, row := range rows {
			if !yield(row) {
				return
			}
		}
	}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), s
}

func opened(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// less is the table's total order, column by column, in the plainest way.
func less(of *table.Table, a, b any) int {
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for _, at := range of.Order {
		c := of.Columns[at]
		if d := compareField(c, x.Field(c.Field), y.Field(c.Field)); d != 0 {
			return d
		}
	}
	return 0
}

func compareField(c table.Column, x, y reflect.Value) int {
	if c.Optional {
		switch {
		case x.IsZero() && y.IsZero():
			return 0
		case x.IsZero():
			return -1
		case y.IsZero():
			return 1
		}
	}
	if x.Kind() == reflect.Pointer {
		x, y = x.Elem(), y.Elem()
	}
	order := func(less, more bool) int {
		switch {
		case less:
			return -1
		case more:
			return 1
		}
		return 0
	}
	switch c.Type {
	case table.String:
		return order(x.String() < y.String(), x.String() > y.String())
	case table.Float:
		return order(x.Float() < y.Float(), x.Float() > y.Float())
	case table.Bool:
		return order(!x.Bool() && y.Bool(), x.Bool() && !y.Bool())
	case table.ID:
		a, b := x.Interface().(identifier.ID), y.Interface().(identifier.ID)
		return bytes.Compare(a[:], b[:])
	}
	return order(x.Int() < y.Int(), x.Int() > y.Int())
}

// text prints a row so that equal rows print alike; −0 is 0, as the lake has it.
func text(of *table.Table, row any) string {
	s := ""
	for _, c := range of.Columns {
		cell := of.Text(row, c)
		if c.Type == table.Float && cell == "-0" {
			cell = "0"
		}
		s += fmt.Sprintf("%s=%q ", c.Name, cell)
	}
	return s
}
