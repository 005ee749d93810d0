package filter_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns/columnstest"
)

// Few values, so that comparisons often hit; those at the ends of their types among them.
var (
	texts   = []string{"a", "ab", "abc", "b", "B", "é", "RUB", "KZT", "\U0001F600", "a\x00"}
	numbers = []int64{math.MinInt64, -1, 0, 1, 2, 3, 1_000_000, math.MaxInt64 - 1, math.MaxInt64}
	floats  = []float64{-math.MaxFloat64, -1.5, 0, 5e-324, 0.1, 1, 1e15, math.MaxFloat64}
	instant = []int64{-1, 0, 1_700_000_000_000_000, 1_700_000_000_000_001, 1_700_000_001_000_000}
	days    = []int64{-1, 0, 20_000, 20_001}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// randomRow fills a row; a third of what may be absent is.
func randomRow(r *rand.Rand, of *table.Table) any {
	row := reflect.New(of.Row)
	for _, c := range of.Columns {
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
			field.SetString(pick(r, texts))
		case table.Int:
			field.SetInt(pick(r, numbers))
		case table.Float:
			field.SetFloat(pick(r, floats))
		case table.Bool:
			field.SetBool(r.IntN(2) == 0)
		case table.Timestamp:
			field.SetInt(pick(r, instant))
		case table.Date:
			field.SetInt(pick(r, days))
		case table.ID:
			field.Set(reflect.ValueOf(identifier.ID{byte(1 + r.IntN(3))}))
		}
	}
	return row.Interface()
}

// operand writes a value of a column's type in one of its spellings.
func operand(r *rand.Rand, c table.Column) string {
	switch c.Type {
	case table.Int:
		return strconv.FormatInt(pick(r, numbers), 10) + pick(r, []string{"", ".0"})
	case table.Float:
		return strconv.FormatFloat(pick(r, floats), pick(r, []byte("gef")), -1, 64)
	case table.Bool:
		return pick(r, []string{"true", "false"})
	case table.Timestamp:
		zone := time.FixedZone("", 3600*(r.IntN(24)-12))
		return time.UnixMicro(pick(r, instant)).In(zone).Format(time.RFC3339Nano)
	case table.Date:
		return time.Unix(pick(r, days)*86400, 0).UTC().Format(time.DateOnly)
	}
	if c.Unit == "currency" {
		return pick(r, []string{"RUB", "KZT"})
	}
	return pick(r, texts)
}

// randomFilter invents a filter that fits a table, of some depth at most.
func randomFilter(r *rand.Rand, of *table.Table, depth int) metric.Filter {
	if depth > 1 && r.IntN(2) == 0 {
		list := make([]metric.Filter, 1+r.IntN(4))
		for i := range list {
			list[i] = randomFilter(r, of, depth-1)
		}
		return pick(r, []metric.Filter{{All: list}, {Any: list}, {Not: &list[0]}})
	}
	for {
		c := pick(r, of.Columns)
		f := metric.Filter{Column: c.Name, Op: pick(r, metric.Ops)}
		switch f.Op {
		case metric.IsNull:
		case metric.In:
			for range 1 + r.IntN(12) {
				f.Value = append(f.Value, operand(r, c))
			}
		case metric.Between:
			f.Value = metric.Operands{operand(r, c), operand(r, c)}
		default:
			f.Value = metric.Operands{operand(r, c)}
		}
		if metric.CheckFilters(of, []metric.Filter{f}) == nil {
			return f
		}
	}
}

// holds is the meaning of a filter, as its documentation says it: a row by itself, numbers as fractions, nothing prepared.
func holds(f *metric.Filter, of *table.Table, row any) bool {
	switch {
	case f.All != nil:
		return !slices.ContainsFunc(f.All, func(inner metric.Filter) bool { return !holds(&inner, of, row) })
	case f.Any != nil:
		return slices.ContainsFunc(f.Any, func(inner metric.Filter) bool { return holds(&inner, of, row) })
	case f.Not != nil:
		return !holds(f.Not, of, row)
	}
	c, _ := of.Column(f.Column)
	v := reflect.ValueOf(row).Elem().Field(c.Field)
	absent := c.Optional && v.IsZero()
	if absent || f.Op == metric.IsNull {
		return absent && f.Op == metric.IsNull
	}
	v = reflect.Indirect(v)
	compared := func(i int) int { return compared(c.Type, v, f.Value[i]) }
	switch f.Op {
	case metric.Equal:
		return compared(0) == 0
	case metric.NotEqual:
		return compared(0) != 0
	case metric.Less:
		return compared(0) < 0
	case metric.AtMost:
		return compared(0) <= 0
	case metric.More:
		return compared(0) > 0
	case metric.AtLeast:
		return compared(0) >= 0
	case metric.Between:
		return compared(0) >= 0 && compared(1) <= 0
	case metric.HasPrefix:
		return strings.HasPrefix(v.String(), f.Value[0])
	case metric.In:
		for i := range f.Value {
			if compared(i) == 0 {
				return true
			}
		}
		return false
	}
	panic("an operator without a meaning: " + f.Op)
}

// compared is how a value stands to an operand: before it, at it or after it.
func compared(of table.Type, v reflect.Value, text string) int {
	switch of {
	case table.String:
		return strings.Compare(v.String(), text)
	case table.Bool:
		return strings.Compare(strconv.FormatBool(v.Bool()), text)
	case table.Timestamp:
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			panic(err)
		}
		return time.UnixMicro(v.Int()).Compare(at)
	case table.Date:
		day, err := time.Parse(time.DateOnly, text)
		if err != nil {
			panic(err)
		}
		return time.Unix(v.Int()*86400, 0).Compare(day)
	}
	x, value := new(big.Rat), new(big.Rat)
	if _, ok := x.SetString(text); !ok {
		panic(text)
	}
	if of == table.Float {
		f, _ := x.Float64() // columns hold float64, and so an operand is the nearest one
		x.SetFloat64(f)
		return value.SetFloat64(v.Float()).Cmp(x)
	}
	return value.SetInt64(v.Int()).Cmp(x)
}

// TestFilterAgainstRows holds filters of every operator and nesting, over dictionaries and plain pages, with and without
// values, against their meaning row by row.
func TestFilterAgainstRows(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	type comparison struct {
		op metric.Op
		of table.Type
	}
	hit := map[comparison]bool{}
	// Between them, they have columns of all types, required and optional, with a dictionary and plain.
	for _, of := range []*table.Table{table.WebEvent, table.BankAccrual, table.ExperimentDay, table.ProductUser, table.Payment} {
		for range 3 {
			rows := make([]any, r.IntN(200))
			for i := range rows {
				rows[i] = randomRow(r, of)
			}
			f := columnstest.AnyFile(t, of, rows...)
			rows = rows[:0] // in the order of the file
			for row, err := range f.Each(t.Context(), of) {
				if err != nil {
					t.Fatal(err)
				}
				rows = append(rows, row)
			}
			for range 100 {
				list := make([]metric.Filter, r.IntN(4))
				for i := range list {
					list[i] = randomFilter(r, of, 4)
				}
				got := met(t, of, f, list)
				if len(got) != len(rows) {
					t.Fatalf("seed %d: %d answers for %d rows", seed, len(got), len(rows))
				}
				for i, row := range rows {
					want := holds(&metric.Filter{All: list}, of, row)
					if got[i] != want {
						t.Fatalf("seed %d: %s: %+v of row %d: got %t, want %t", seed, of, list, i, got[i], want)
					}
					if want && len(list) == 1 {
						c, _ := of.Column(list[0].Column)
						hit[comparison{list[0].Op, c.Type}] = true
					}
				}
			}
		}
	}
	for _, op := range metric.Ops {
		if !hit[comparison{op, table.String}] {
			t.Errorf("seed %d: no row has met %q alone", seed, op)
		}
	}
}
