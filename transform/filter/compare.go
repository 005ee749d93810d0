package filter

import (
	"math"
	"slices"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// compare is a comparison of a column of numbers, times, dates or bools.
func (n *node) compare(v *columns.Vector) bound {
	var b bound
	switch {
	case n.op == metric.IsNull:
		if v.Present == nil {
			return constant(false)
		}
		return bound{test: func(row int) bool { return !v.Present[row] }}
	case n.column.Type == table.Bool:
		b = bools(n, v.Bools)
	case n.column.Type == table.Float:
		b = floats(n, v.Floats)
	default:
		b = ints(n, v.Ints)
	}
	present := v.Present
	switch {
	case present == nil || b.test == nil && !b.always:
		return b
	case b.test == nil:
		return bound{test: func(row int) bool { return present[row] }}
	}
	return bound{test: func(row int) bool { return present[row] && b.test(row) }}
}

func bools(n *node, values []bool) bound {
	yes, no := n.op == metric.NotEqual, n.op == metric.NotEqual
	for _, o := range n.operands {
		if o.Bool {
			yes = n.op != metric.NotEqual
		} else {
			no = n.op != metric.NotEqual
		}
	}
	switch {
	case yes == no:
		return constant(yes)
	case yes:
		return bound{test: func(row int) bool { return values[row] }}
	}
	return bound{test: func(row int) bool { return !values[row] }}
}

func floats(n *node, values []float64) bound {
	x := n.operands[0].Float
	low, high := math.Inf(-1), math.Inf(1)
	switch n.op {
	case metric.NotEqual:
		return bound{test: func(row int) bool { return values[row] != x }}
	case metric.In:
		return listed(values, n.operands, func(o metric.Operand) float64 { return o.Float })
	case metric.Equal:
		low, high = x, x
	case metric.Less:
		return bound{test: func(row int) bool { return values[row] < x }}
	case metric.More:
		return bound{test: func(row int) bool { return values[row] > x }}
	case metric.AtMost:
		high = x
	case metric.AtLeast:
		low = x
	case metric.Between:
		low, high = x, n.operands[1].Float
	}
	return bound{test: func(row int) bool { return low <= values[row] && values[row] <= high }}
}

func ints(n *node, values []int64) bound {
	x := n.operands[0].Int
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch n.op {
	case metric.NotEqual:
		return bound{test: func(row int) bool { return values[row] != x }}
	case metric.In:
		return listed(values, n.operands, func(o metric.Operand) int64 { return o.Int })
	case metric.Equal:
		low, high = x, x
	case metric.Less:
		if x == low {
			return constant(false)
		}
		high = x - 1
	case metric.More:
		if x == high {
			return constant(false)
		}
		low = x + 1
	case metric.AtMost:
		high = x
	case metric.AtLeast:
		low = x
	case metric.Between:
		low, high = x, n.operands[1].Int
	}
	width := uint64(high) - uint64(low)
	return bound{test: func(row int) bool { return uint64(values[row])-uint64(low) <= width }}
}

// few operands are compared one by one.
const few = 8

// listed is the test of in.
func listed[T int64 | float64](values []T, operands []metric.Operand, of func(metric.Operand) T) bound {
	wanted := make([]T, len(operands))
	for i, o := range operands {
		wanted[i] = of(o)
	}
	if len(wanted) <= few {
		return bound{test: func(row int) bool { return slices.Contains(wanted, values[row]) }}
	}
	slices.Sort(wanted)
	return bound{test: func(row int) bool {
		_, found := slices.BinarySearch(wanted, values[row])
		return found
	}}
}
