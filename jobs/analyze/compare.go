package analyze

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"crosslift/transform/stats"
)

// names lists the variants, the control first, then by name.
func (a *analysis) names() []string {
	names := slices.Sorted(maps.Keys(a.variants))
	if i := slices.Index(names, a.Control); i > 0 {
		copy(names[1:i+1], names[:i])
		names[0] = a.Control
	}
	return names
}

// report compares what was read.
func (a *analysis) report(file string) (*Report, error) {
	r := &Report{alpha: a.Alpha, SRM: SRM{Counts: map[string]int64{}}}
	seen := make([]int64, len(a.variants))
	for i, v := range a.variant {
		if a.crossed[i] {
			r.Exclusions.Crossover++
		}
		if a.counts(i) {
			seen[v]++
		}
	}
	names := a.names()
	counts, weights := make([]int64, len(names)), make([]float64, len(names))
	for i, name := range names { // in this order, whatever that of the rows: a sum's rounding may depend on it
		counts[i], weights[i] = seen[a.variants[name]], 1
		r.SRM.Counts[name] = counts[i]
	}
	var problems []string
	if p, err := stats.SRM(counts, weights); err == nil {
		r.SRM.PValue = &p
		if p < 0.001 {
			r.note("the variants' units do not look like equal shares (p = %s): something loses or adds units in one of "+
				"them, and the results may be biased", probability(p))
		}
	}
	if len(names) == 1 {
		problems = append(problems, fmt.Sprintf("column %s holds one variant only, %s: nothing to compare",
			a.Variant, names[0]))
	}
	if r.Exclusions.Crossover > 0 && a.Crossover == First && a.Time == "" {
		r.note("units seen in several variants: %d; each counts in the one that comes first in the file, or, with "+
			"--time, first in time", r.Exclusions.Crossover)
	}
	for m := range a.Metrics {
		failures, err := a.compare(r, m, names)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		problems = append(problems, failures...)
	}
	switch len(problems) {
	case 0:
		return r, nil
	case 1:
		return r, fmt.Errorf("%s: %s", file, problems[0])
	}
	return r, fmt.Errorf("%s: %s (and %d more without an answer)", file, problems[0], len(problems)-1)
}

// counts says whether a unit is part of the comparison.
func (a *analysis) counts(i int) bool { return !a.crossed[i] || a.Crossover == First }

// compare adds a metric's rows to the report, and returns which comparisons could not be answered.
func (a *analysis) compare(r *Report, m int, names []string) (problems []string, err error) {
	metric := a.Metrics[m]
	samples := make([]stats.Sample, len(a.variants))
	for i, v := range a.variant {
		if a.counts(i) {
			if err := samples[v].Add(a.outcomes[m].value(metric.Type, i)); err != nil {
				return nil, fmt.Errorf("%s: the rows of a unit add up to more than a number can hold", metric.Column)
			}
		}
	}
	control := &samples[a.variants[a.Control]]
	for _, name := range names {
		s := &samples[a.variants[name]]
		row := Result{Metric: metric.Name, Variant: name, Baseline: a.Control, N: s.N(), SRMP: r.SRM.PValue}
		row.Mean, row.StdDev = figure(s.Mean()), figure(stats.Deviation(metric.Type, s))
		c, err := stats.Compare(metric.Type, control, s, a.Alpha)
		if err != nil {
			return nil, fmt.Errorf("metric %s: %w", metric.Name, err)
		}
		row.Method = c.Method
		if name != a.Control {
			row.DiffAbs, row.DiffAbsLow, row.DiffAbsHigh = c.DiffAbs, c.DiffAbsLow, c.DiffAbsHigh
			row.DiffRel, row.DiffRelLow, row.DiffRelHigh = c.DiffRel, c.DiffRelLow, c.DiffRelHigh
			row.PValue = c.PValue
			switch {
			case c.Problem == nil:
			case c.DiffAbsLow == nil || c.PValue == nil:
				problems = append(problems, fmt.Sprintf("metric %s, variant %s: %s", metric.Name, name, c.Problem))
			default:
				r.note("metric %s, variant %s: %s", metric.Name, name, c.Problem)
			}
		}
		r.Results = append(r.Results, row)
	}
	return problems, nil
}

// figure is x, or nil where x is not a number that exists.
func figure(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// list prints names for a message, not too many of them.
func list(names []string) string {
	const most = 10
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
