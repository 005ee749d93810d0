package facts

import (
	"slices"
	"strconv"

	"crosslift/schemas/metric"
	"crosslift/warehouse/columns"
)

// condition gives the test of a condition over one row group. What can be asked of a dictionary is asked once a
// distinct value. A row without a value meets not_in and nothing else.
func condition(c *metric.Condition, v *columns.Vector) func(row int) bool {
	switch {
	case len(v.Index) > 0:
		meets := make([]bool, len(v.Strings))
		for i, s := range v.Strings {
			meets[i] = listed(c, s)
		}
		return func(row int) bool {
			at := v.Index[row]
			if at < 0 {
				return c.NotIn != nil
			}
			return meets[at]
		}
	case len(v.Bools) > 0:
		yes, no := listed(c, "true"), listed(c, "false")
		return present(c, v, func(row int) bool { return v.Bools[row] && yes || !v.Bools[row] && no })
	case len(v.Ints) > 0 && (c.In != nil || c.NotIn != nil):
		values := make([]int64, 0, len(c.In)+len(c.NotIn))
		for _, text := range slices.Concat(c.In, c.NotIn) {
			n, err := strconv.ParseInt(text, 10, 64)
			if err == nil { // validated with the metric
				values = append(values, n)
			}
		}
		return present(c, v, func(row int) bool { return slices.Contains(values, v.Ints[row]) == (c.In != nil) })
	case len(v.Ints) > 0:
		return present(c, v, func(row int) bool { return bounded(c, float64(v.Ints[row])) })
	}
	return present(c, v, func(row int) bool { return bounded(c, v.Floats[row]) })
}

func present(c *metric.Condition, v *columns.Vector, test func(row int) bool) func(row int) bool {
	if v.Present == nil {
		return test
	}
	return func(row int) bool {
		if !v.Present[row] {
			return c.NotIn != nil
		}
		return test(row)
	}
}

func listed(c *metric.Condition, value string) bool {
	if c.In != nil {
		return slices.Contains(c.In, value)
	}
	return !slices.Contains(c.NotIn, value)
}

func bounded(c *metric.Condition, x float64) bool {
	return (c.Min == nil || x >= *c.Min) && (c.Max == nil || x <= *c.Max)
}
