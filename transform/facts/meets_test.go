package facts_test

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// meets holds a row against a filter.
func meets(t *table.Table, row any, f metric.Filter) bool {
	holds := func(f metric.Filter) bool { return meets(t, row, f) }
	switch {
	case f.All != nil:
		return !slices.ContainsFunc(f.All, func(f metric.Filter) bool { return !holds(f) })
	case f.Any != nil:
		return slices.ContainsFunc(f.Any, holds)
	case f.Not != nil:
		return !holds(*f.Not)
	}
	v := value(t, row, f.Column)
	if v == nil || f.Op == metric.IsNull {
		return v == nil && f.Op == metric.IsNull
	}
	against := func(i int) int {
		switch v := v.(type) {
		case string:
			return strings.Compare(v, f.Value[i])
		case int64:
			if c, _ := t.Column(f.Column); c.Type == table.Timestamp {
				at, _ := time.Parse(time.RFC3339, f.Value[i])
				return cmp.Compare(v, at.UnixMicro())
			}
			x, _ := strconv.ParseInt(f.Value[i], 10, 64)
			return cmp.Compare(v, x)
		case float64:
			x, _ := strconv.ParseFloat(f.Value[i], 64)
			return cmp.Compare(v, x)
		case bool:
			return strings.Compare(strconv.FormatBool(v), f.Value[i])
		}
		panic("a type without operators")
	}
	switch f.Op {
	case metric.Equal:
		return against(0) == 0
	case metric.NotEqual:
		return against(0) != 0
	case metric.Less:
		return against(0) < 0
	case metric.AtMost:
		return against(0) <= 0
	case metric.More:
		return against(0) > 0
	case metric.AtLeast:
		return against(0) >= 0
	case metric.Between:
		return against(0) >= 0 && against(1) <= 0
	case metric.HasPrefix:
		return strings.HasPrefix(v.(string), f.Value[0])
	}
	for i := range f.Value {
		if against(i) == 0 {
			return true
		}
	}
	return false
}
