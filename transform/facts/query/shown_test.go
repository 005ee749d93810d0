package query_test

import (
	"fmt"
	"reflect"
	"strings"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// kept is a copy of a row that will be overwritten, and what its pointers point at too.
func kept(row *table.UnitMetricRow) *table.UnitMetricRow {
	c := reflect.New(table.UnitMetric.Row)
	for i := range c.Elem().NumField() {
		from, to := reflect.ValueOf(row).Elem().Field(i), c.Elem().Field(i)
		if from.Kind() == reflect.Pointer && !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			from, to = from.Elem(), to.Elem()
		}
		to.Set(from)
	}
	return c.Interface().(*table.UnitMetricRow)
}

// shown is a row with what its pointers point at.
func shown(row *table.UnitMetricRow) string {
	var b strings.Builder
	for _, c := range table.UnitMetric.Columns {
		if v, ok := get(table.UnitMetric, row, c.Name); ok {
			fmt.Fprintf(&b, "%s=%v ", c.Name, v)
		}
	}
	return b.String()
}

// described is an experiment and metrics of it, nearly as files would have them.
func described(e *experiment.Experiment, metrics ...*metric.Metric) string {
	end := "open"
	if e.End != nil {
		end = e.End.String()
	}
	text := fmt.Sprintf("experiment %s: assigned by %s, %s to %s, judged by %s", e.Name, e.AssignedBy, e.Start, end, strings.Join(e.Metrics(), ", "))
	for _, m := range metrics {
		text += fmt.Sprintf("\nname: %s\ntype: %s\n%s", m.Name, m.Type, events(m.Source))
		if m.Denominator != nil {
			text += "\ndenominator:\n  " + strings.ReplaceAll(events(*m.Denominator), "\n", "\n  ")
		}
		if m.Days != nil {
			text += fmt.Sprintf("\ndays: {from: %d, to: %d}", m.Days.From, m.Days.To)
		}
		if w := m.Winsorise; w != nil {
			text += fmt.Sprintf("\nwinsorise: {low: %v, high: %v, ignore_zeros: %t}", w.Low, w.High, w.IgnoreZeros)
		}
		for _, line := range []struct{ key, value string }{
			{"currency", m.Currency}, {"window", m.Window.String()}, {"delay", m.Delay.String()}, {"look_back", m.LookBack.String()},
			{"posting_lag", m.PostingLag.String()}, {"covariate", m.Covariate.String()},
		} {
			if line.value != "" && line.value != "0d" {
				text += "\n" + line.key + ": " + line.value
			}
		}
	}
	return text
}

// events is a source.
func events(s metric.Source) string {
	text := "table: " + s.Table + "\nfilter:"
	for _, f := range s.Filter {
		text += "\n  - " + test(f)
	}
	if s.Value.Given {
		text += "\nvalue: " + s.Value.String()
	}
	return text
}

// test is a filter.
func test(f metric.Filter) string {
	list := func(filters []metric.Filter) string {
		texts := make([]string, len(filters))
		for i, f := range filters {
			texts[i] = test(f)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	}
	switch {
	case f.All != nil:
		return "{all: " + list(f.All) + "}"
	case f.Any != nil:
		return "{any: " + list(f.Any) + "}"
	case f.Not != nil:
		return "{not: " + test(*f.Not) + "}"
	}
	return fmt.Sprintf("{column: %s, op: %q, value: %q}", f.Column, f.Op, f.Value)
}
