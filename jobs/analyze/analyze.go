package analyze

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"crosslift/connectors/files"
	"crosslift/transform/stats"
	"crosslift/transform/stats/exact"
)

// A column with more values than this is no column of variants.
const mostVariants = 1000

// Run reads all records of a file, which messages call by its name, and compares the variants. Its memory grows with
// the number of units, not of rows. The report depends on the order of the rows only where the options let it: in which
// variant a unit counts that was seen in several.
//
// Bad input is an error that names line and column, without a report. When a part of an otherwise good answer does not
// exist, such as a test of a metric without variance, Run returns both: the report with nulls, and in one line why.
func Run(ctx context.Context, name string, r *files.Reader, o Options) (*Report, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	a := analysis{Options: o, units: newUnits(), variants: map[string]uint16{}, outcomes: make([]outcome, len(o.Metrics))}
	if err := r.Select(a.columns()...); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for n := 1; ; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		record, err := r.Next()
		if err == io.EOF {
			break
		}
		var broken *files.RecordError
		if errors.As(err, &broken) {
			return nil, fmt.Errorf("%s %w", name, err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if column, err := a.add(record); err != nil {
			place := "line"
			if record.Raw == nil {
				place = "row"
			}
			return nil, fmt.Errorf("%s %s %d: %s: %w", name, place, record.Position, column, err)
		}
	}
	if len(a.units.ends) == 0 {
		return nil, fmt.Errorf("%s: no rows to analyse", name)
	}
	if _, ok := a.variants[o.Control]; !ok {
		return nil, fmt.Errorf("%s: control %q is not among the variants of column %s: %s", name, o.Control, o.Variant, list(a.names()))
	}
	return a.report(name)
}

// analysis is the state of a run: arrays with one place a unit.
type analysis struct {
	Options
	units    *units
	variants map[string]uint16 // numbers of the variants, as they appear
	variant  []uint16          // the one that counts
	since    []int64           // when it was seen; only with a time column
	crossed  []bool            // seen in several
	outcomes []outcome         // of each metric
	cells    []int             // the place among the selected columns of unit, variant, time, metrics
}

// outcome is what the units did: one of the two is in use.
type outcome struct {
	did []bool
	sum exact.Vector
}

// columns lists the columns to read, each once.
func (a *analysis) columns() (columns []string) {
	all := []string{a.Unit, a.Variant, a.Time}
	for _, m := range a.Metrics {
		all = append(all, m.Column)
	}
	for _, c := range all {
		if c == "" { // no time column
			a.cells = append(a.cells, -1)
			continue
		}
		i := slices.Index(columns, c)
		if i < 0 {
			i, columns = len(columns), append(columns, c)
		}
		a.cells = append(a.cells, i)
	}
	return columns
}

var errEmpty = errors.New("empty")

// add takes a record in. Its error belongs to the column that it returns.
func (a *analysis) add(record files.Record) (column string, err error) {
	cell := func(i int) []byte {
		value, _ := record.Cell(a.cells[i])
		return value
	}
	key, variant := cell(0), cell(1)
	if len(key) == 0 {
		return a.Unit, fmt.Errorf("%w: expected the unit", errEmpty)
	}
	if len(variant) == 0 {
		return a.Variant, fmt.Errorf("%w: expected the variant", errEmpty)
	}
	v, ok := a.variants[string(variant)]
	if !ok {
		if len(a.variants) == mostVariants {
			return a.Variant, fmt.Errorf("more than %d variants: is it the right column?", mostVariants)
		}
		v = uint16(len(a.variants))
		a.variants[string(variant)] = v
	}
	var at int64
	if a.Time != "" {
		if at, err = parseTime(cell(2)); err != nil {
			return a.Time, err
		}
	}
	i, isNew := a.units.index(key)
	if isNew {
		a.variant = append(a.variant, v)
		a.crossed = append(a.crossed, false)
		if a.Time != "" {
			a.since = append(a.since, at)
		}
	}
	a.crossed[i] = a.crossed[i] || v != a.variant[i]
	if a.Time != "" && at < a.since[i] {
		a.variant[i], a.since[i] = v, at
	}
	for m := range a.Metrics {
		value := cell(3 + m)
		if len(value) == 0 {
			return a.Metrics[m].Column, fmt.Errorf("%w: expected a value in every row, such as 0 for none", errEmpty)
		}
		if err := a.outcomes[m].add(a.Metrics[m].Type, i, value); err != nil {
			return a.Metrics[m].Column, err
		}
	}
	return "", nil
}

func (o *outcome) add(kind stats.Kind, i int, cell []byte) error {
	if kind == stats.Proportion {
		did, err := parseBool(cell)
		if i == len(o.did) {
			o.did = append(o.did, did)
		} else {
			o.did[i] = o.did[i] || did
		}
		return err
	}
	x, err := parseNumber(cell)
	if err == nil {
		o.sum.Add(i, x)
	}
	return err
}

func (o *outcome) value(kind stats.Kind, i int) float64 {
	switch {
	case kind == stats.Mean:
		return o.sum.At(i)
	case o.did[i]:
		return 1
	}
	return 0
}

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
		problems = append(problems, fmt.Sprintf("column %s holds one variant only, %s: nothing to compare", a.Variant, names[0]))
	}
	if r.Exclusions.Crossover > 0 && a.Crossover == First && a.Time == "" {
		r.note("units seen in several variants: %d; each counts in the one that comes first in the file, or, with --time, "+
			"first in time", r.Exclusions.Crossover)
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
		row.Mean, row.StdDev = figure(s.Mean()), figure(deviation(metric.Type, s))
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

// deviation is the standard deviation between the units of a sample.
func deviation(kind stats.Kind, s *stats.Sample) float64 {
	if kind == stats.Proportion {
		return math.Sqrt(s.Mean() * (1 - s.Mean()))
	}
	return math.Sqrt(s.Variance())
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
