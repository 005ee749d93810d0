package query

import (
	"strings"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// condition writes a filter that fits the table. In SQL a comparison with NULL is neither true nor false; AND, OR and WHERE take
// that for false, as filters do, and only where something is turned round it must be said.
func condition(t *table.Table, f metric.Filter) string {
	switch {
	case f.All != nil:
		return joined(t, f.All, " AND ")
	case f.Any != nil:
		return joined(t, f.Any, " OR ")
	case f.Not != nil:
		return "(" + condition(t, *f.Not) + ") IS NOT TRUE"
	}
	c, _ := t.Column(f.Column)
	values := make([]string, len(f.Value))
	for i, v := range f.Value {
		values[i] = operand(c, v)
	}
	switch f.Op {
	case metric.IsNull:
		return c.Name + " IS NULL"
	case metric.In:
		return c.Name + " IN (" + strings.Join(values, ", ") + ")"
	case metric.Between:
		return c.Name + " BETWEEN " + values[0] + " AND " + values[1]
	case metric.HasPrefix:
		return "starts_with(" + c.Name + ", " + values[0] + ")"
	}
	return c.Name + " " + string(f.Op) + " " + values[0] // the others are called in SQL as they are here
}

// joined writes filters of which all or one must hold.
func joined(t *table.Table, filters []metric.Filter, by string) string {
	texts := make([]string, len(filters))
	for i, f := range filters {
		texts[i] = condition(t, f)
	}
	if len(texts) == 1 {
		return texts[0]
	}
	return "(" + strings.Join(texts, by) + ")"
}
