// Package results turns an experiment's facts into its statistics: one row a metric and variant, under the stitching that
// decides.
package results

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/stats"
	"crosslift/warehouse/columns"
)

// Logic is raised when the same facts give other results.
const Logic = 3

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

// Build computes the results and emits a row for every metric and variant; the control's row has no differences.
// Units that met another variant are left out when the experiment excludes crossovers.
//
// Of a quantile only the arms' quantiles and their difference are told. Before any unit's window has closed a metric without variance is simply early, and its differences are absent; from
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
				Metric: metric.Name, Variant: variant.Name, Unit: unit(in.Experiment), Estimand: "itt", Method: method(metric.Type),
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

// unit is what the experiment's units are.
func unit(e *experiment.Experiment) string {
	if e.AssignedBy == experiment.Device {
		return "group"
	}
	return "profile"
}

// known is a number that exists; else nil.
func known(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

// fill completes a row with what the arms say.
func fill(row *table.ExperimentResultRow, m *metric.Metric, control, treatment *arm, isControl bool) error {
	row.N, row.Matured = treatment.n, treatment.matured
	row.Mean, row.Stddev = known(treatment.value(m)), known(treatment.deviation(m))
	if isControl {
		return nil
	}
	c, err := compare(m, control, treatment, row.Alpha)
	if err != nil {
		return fmt.Errorf("metric %s, variant %s: %w", m.Name, row.Variant, err)
	}
	if c.Problem != nil && (c.PValue == nil || c.DiffAbsLow == nil) && control.matured+treatment.matured > 0 {
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
