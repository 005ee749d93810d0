package query

import (
	"fmt"
	"math"

	"crosslift/schemas/metric"
)

// valued writes every unit's value before it is bounded and, where a bound is a percentile, what the bounds are.
func (w *writer) valued() {
	win := w.Metric.Winsorise
	if win == nil {
		return
	}
	w.with("valued", "every unit's value, before it is bounded",
		"SELECT *, coalesce(total, 0)::DOUBLE AS value FROM units LEFT JOIN summed USING (stitching, unit_id)")
	low, high := percentile(win.Low, "low"), percentile(win.High, "high")
	if low == "" && high == "" {
		return
	}
	of, some := "the units' values", ""
	if win.IgnoreZeros {
		of, some = "the values that are not 0", "value <> 0"
	}
	w.with("bounds", "percentiles by nearest rank, of "+of, "SELECT stitching"+low+high, "FROM valued", where(some), "GROUP BY stitching")
}

// percentile writes the smallest value that so many percent of the values do not exceed. The rank is computed in integers,
// from millionths of a percent.
func percentile(b *metric.Bound, name string) string {
	if b == nil || b.Percent == 0 {
		return ""
	}
	return fmt.Sprintf(",\n  list(value ORDER BY value)[(%d * count(*) + 99999999) // 100000000] AS %s",
		int64(math.Round(b.Percent*1e6)), name)
}

// bounded writes a unit's value inside the bounds; a percentile of no values bounds nothing, as least and greatest pass NULL over.
func (w *writer) bounded() string {
	text := "value"
	bound := func(by string, b *metric.Bound, name string) {
		switch {
		case b == nil:
			return
		case b.Percent == 0:
			name = number(b.Value)
		}
		text = by + "(" + text + ", " + name + ")"
	}
	bound("greatest", w.Metric.Winsorise.Low, "low")
	bound("least", w.Metric.Winsorise.High, "high")
	return text + "::DOUBLE"
}
