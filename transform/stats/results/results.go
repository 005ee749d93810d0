// Package results turns an experiment's facts into its statistics: one row a metric and variant.
package results

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/stats"
	"crosslift/warehouse/columns"
)

// Logic is raised when the same facts give other results.
const Logic = 2

// Input is what the statistics of a night are computed from.
type Input struct {
	Experiment    *experiment.Experiment
	Metrics       []*metric.Metric
	IdentityNight table.Day
	Exposures     *columns.File // facts/exposure
	UnitMetrics   *columns.File // facts/unit_metric
}

// UnanswerableError says that a metric cannot be answered although units have matured: publishing would show nothing
// where a manager expects a number.
type UnanswerableError struct {
	Metric, Variant string
	Problem         error
}

func (e *UnanswerableError) Error() string {
	return fmt.Sprintf("metric %s, variant %s: %v", e.Metric, e.Variant, e.Problem)
}

func (e *UnanswerableError) Unwrap() error { return e.Problem }

// arm is one variant of one metric.
type arm struct {
	values  stats.Sample
	matured int64
}

// Build computes the results and emits a row for every metric and variant; the control's row has no differences.
// Units that met another variant are left out when the experiment excludes crossovers.
//
// Before any unit's window has closed a metric without variance is simply early, and its differences are absent; from
// then on it is an UnanswerableError, as is an arm without units.
func Build(ctx context.Context, in Input, emit func(*table.ExperimentResultRow) error) error {
	units, err := readUnits(ctx, in)
	if err != nil {
		return err
	}
	counts, weights := make([]int64, len(in.Experiment.Variants)), make([]float64, len(in.Experiment.Variants))
	for _, arm := range units.arms {
		if arm >= 0 {
			counts[arm]++
		}
	}
	for i, v := range in.Experiment.Variants {
		weights[i] = v.Weight
	}
	for i, n := range counts {
		if n == 0 {
			return &UnanswerableError{Metric: in.Metrics[0].Name, Variant: in.Experiment.Variants[i].Name,
				Problem: errors.New("no unit has been exposed to it yet: check the experiment's start, or wait")}
		}
	}
	srm, err := stats.SRM(counts, weights)
	if err != nil {
		return fmt.Errorf("sample ratio: %w", err)
	}
	arms, err := collect(ctx, in, units)
	if err != nil {
		return err
	}
	hash := in.Experiment.DefinitionHash(in.Metrics)
	for m, metric := range in.Metrics {
		control := index(in.Experiment, in.Experiment.Control)
		for v, variant := range in.Experiment.Variants {
			row := &table.ExperimentResultRow{
				Metric: metric.Name, Variant: variant.Name, Unit: "profile", Estimand: "itt", Method: method(metric.Type),
				Adjustment: "none", Stitching: stitching, Baseline: in.Experiment.Control, ValueUnit: metric.Unit,
				Alpha: in.Experiment.Alpha, SRMP: &srm, DefinitionHash: hash, IdentityNight: in.IdentityNight,
			}
			if err := fill(row, metric, arms[m][control], arms[m][v], v == control); err != nil {
				return err
			}
			if err := emit(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// index is a variant's place in the definition; −1 for an unknown one.
func index(e *experiment.Experiment, variant string) int {
	return slices.IndexFunc(e.Variants, func(v experiment.Variant) bool { return v.Name == variant })
}

// stitching is the one that decides.
const stitching = "as_of_exposure"

func method(t metric.Type) string {
	if t == metric.Proportion {
		return "z"
	}
	return "welch"
}

// fill completes a row with what the arms say.
func fill(row *table.ExperimentResultRow, m *metric.Metric, control, treatment *arm, isControl bool) error {
	row.N, row.Matured = treatment.values.N(), treatment.matured
	mean := treatment.values.Mean()
	row.Mean = &mean
	if stddev := stats.Deviation(stats.Kind(m.Type), &treatment.values); !math.IsNaN(stddev) {
		row.Stddev = &stddev
	}
	if isControl {
		return nil
	}
	c, err := stats.Compare(stats.Kind(m.Type), &control.values, &treatment.values, row.Alpha)
	if err != nil {
		return fmt.Errorf("metric %s, variant %s: %w", m.Name, row.Variant, err)
	}
	if untested := c.PValue == nil || c.DiffAbsLow == nil; untested && control.matured+treatment.matured > 0 {
		return &UnanswerableError{Metric: m.Name, Variant: row.Variant, Problem: c.Problem}
	}
	row.DiffAbs, row.DiffAbsLow, row.DiffAbsHigh = c.DiffAbs, c.DiffAbsLow, c.DiffAbsHigh
	row.DiffRel, row.DiffRelLow, row.DiffRelHigh = c.DiffRel, c.DiffRelLow, c.DiffRelHigh
	if c.DiffRel != nil {
		row.RelMethod = c.RelMethod
	}
	row.PValue = c.PValue
	return nil
}

// units are the experiment's units in the order of their ids, with the arm each counts for; −1 for none.
type units struct {
	ids  []identifier.ID
	arms []int8
}

func readUnits(ctx context.Context, in Input) (*units, error) {
	u := &units{}
	var ids, variants, crossovers columns.Vector
	for g := range in.Exposures.RowGroups() {
		for name, v := range map[string]*columns.Vector{"unit_id": &ids, "variant": &variants, "crossover": &crossovers} {
			if err := in.Exposures.Vector(ctx, g, name, v); err != nil {
				return nil, fmt.Errorf("%s: %w", table.UnitExposure, err)
			}
		}
		arms := make([]int8, len(variants.Strings))
		for i, name := range variants.Strings {
			at := index(in.Experiment, name)
			if at < 0 {
				return nil, fmt.Errorf("%s: variant %q is not in the definition of %s", table.UnitExposure, name, in.Experiment.Name)
			}
			arms[i] = int8(at)
		}
		for i, at := range ids.Index {
			arm := arms[variants.Index[i]]
			if crossovers.Bools[i] && in.Experiment.Crossover == experiment.Exclude {
				arm = -1
			}
			u.ids, u.arms = append(u.ids, ids.IDs[at]), append(u.arms, arm)
		}
	}
	return u, nil
}

// collect sums the facts by metric and arm. Both tables are sorted by unit within a metric, and the facts have a row
// for every unit, so that they are walked side by side.
func collect(ctx context.Context, in Input, units *units) ([][]*arm, error) {
	index := map[string]int{}
	arms := make([][]*arm, len(in.Metrics))
	for m, metric := range in.Metrics {
		index[metric.Name] = m
		for range in.Experiment.Variants {
			arms[m] = append(arms[m], &arm{})
		}
	}
	seen := make([]int, len(in.Metrics))
	var names, ids, sums, matured columns.Vector
	for g := range in.UnitMetrics.RowGroups() {
		for name, v := range map[string]*columns.Vector{"metric": &names, "unit_id": &ids, "sum": &sums, "matured": &matured} {
			if err := in.UnitMetrics.Vector(ctx, g, name, v); err != nil {
				return nil, fmt.Errorf("%s: %w", table.UnitMetric, err)
			}
		}
		for i, at := range ids.Index {
			m, ok := index[names.Strings[names.Index[i]]]
			if !ok {
				continue
			}
			u := seen[m]
			if u >= len(units.ids) || units.ids[u] != ids.IDs[at] {
				return nil, fmt.Errorf("%s and %s do not hold the same units: make both again with --force", table.UnitExposure, table.UnitMetric)
			}
			seen[m]++
			if units.arms[u] < 0 {
				continue
			}
			a := arms[m][units.arms[u]]
			if err := a.values.Add(sums.Floats[i]); err != nil {
				return nil, fmt.Errorf("metric %s: %w", in.Metrics[m].Name, err)
			}
			if matured.Bools[i] {
				a.matured++
			}
		}
	}
	for m, n := range seen {
		if n != len(units.ids) {
			return nil, fmt.Errorf("%s: metric %s has %d of %d units: make it again with --force", table.UnitMetric, in.Metrics[m].Name, n, len(units.ids))
		}
	}
	return arms, nil
}
