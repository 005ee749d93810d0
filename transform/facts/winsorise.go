package facts

import (
	"math"
	"slices"

	"crosslift/schemas/metric"
)

// capped reports whether a metric's values are winsorised.
func (m *measure) capped() bool {
	if m.Winsorise == nil || m.Winsorise.Low == nil && m.Winsorise.High == nil {
		return false
	}
	switch m.Type {
	case metric.Mean, metric.Count, metric.CountDistinct, metric.Ratio:
		return true
	}
	return false
}

// percentiles reports whether the bounds depend on all units' values.
func (m *measure) percentiles() bool {
	return m.capped() && (m.Winsorise.Low != nil && m.Winsorise.Low.Percent > 0 || m.Winsorise.High != nil && m.Winsorise.High.Percent > 0)
}

// collect keeps the values of a part's units that percentiles are taken of.
func (v *view) collect(at int, s *sheet, p part) {
	m := v.measures[at]
	v.each(at, s, p, func(d *did) error { //nolint:errcheck // it has none
		if x := m.worth(d, at); x != 0 || !m.Winsorise.IgnoreZeros {
			v.values[at] = append(v.values[at], x)
		}
		return nil
	})
}

// caps are the bounds of a metric, given the values that percentiles are taken of.
func (m *measure) caps(values []float64) (low, high float64) {
	slices.Sort(values)
	bound := func(b *metric.Bound, without float64) float64 {
		switch {
		case b == nil || b.Percent > 0 && len(values) == 0:
			return without
		case b.Percent == 0:
			return b.Value
		}
		return values[rank(b.Percent, len(values))-1]
	}
	return bound(m.Winsorise.Low, math.Inf(-1)), bound(m.Winsorise.High, math.Inf(1))
}

// rank is the nearest one of a percentile among n values, from 1 on, by whole numbers: a percentile has six decimals at most.
func rank(percent float64, n int) int {
	const all = 100_000_000
	p := int(math.Round(percent * 1e6))
	return max(1, (p*n+all-1)/all)
}
