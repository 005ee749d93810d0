package results

import (
	"math"

	"crosslift/schemas/metric"
	"crosslift/transform/stats"
)

// arm is one variant of one metric.
type arm struct {
	n, matured int64
	values     stats.Sample // of ratios and quantiles: nothing
	pairs      stats.Pairs  // of ratios
	all        []float64    // of quantiles
}

// add adds a unit. Only ratios have denominators.
func (a *arm) add(m *metric.Metric, value, denominator float64, matured bool) error {
	a.n++
	if matured {
		a.matured++
	}
	switch m.Type {
	case metric.Ratio:
		return a.pairs.Add(value, denominator)
	case metric.Quantile:
		a.all = append(a.all, value)
		return nil
	}
	return a.values.Add(value)
}

// value is what a manager would call the arm's value.
func (a *arm) value(m *metric.Metric) float64 {
	switch m.Type {
	case metric.Ratio:
		return a.pairs.Ratio()
	case metric.Quantile:
		return stats.Quantile(a.all, m.Quantile)
	}
	return a.values.Mean()
}

// deviation is the standard deviation between units: NaN where there is none to tell.
func (a *arm) deviation(m *metric.Metric) float64 {
	switch m.Type {
	case metric.Ratio:
		return math.Sqrt(a.pairs.Variance())
	case metric.Quantile:
		return math.NaN()
	}
	return stats.Deviation(kind(m.Type), &a.values)
}

// compare compares a treatment with the control.
func compare(m *metric.Metric, control, treatment *arm, alpha float64) (stats.Comparison, error) {
	switch m.Type {
	case metric.Ratio:
		return stats.CompareRatio(&control.pairs, &treatment.pairs, alpha)
	case metric.Quantile:
		difference := treatment.value(m) - control.value(m)
		return stats.Comparison{DiffAbs: &difference}, nil
	}
	return stats.Compare(kind(m.Type), &control.values, &treatment.values, alpha)
}

// kind is what a metric of a type measures of a unit.
func kind(t metric.Type) stats.Kind {
	if t == metric.Proportion || t == metric.Retention {
		return stats.Proportion
	}
	return stats.Mean
}

// method names how arms are compared.
func method(t metric.Type) string {
	switch t {
	case metric.Ratio:
		return "delta"
	case metric.Quantile:
		return "quantile"
	case metric.Proportion, metric.Retention:
		return "z"
	}
	return "welch"
}
