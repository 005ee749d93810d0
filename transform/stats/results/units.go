package results

import (
	"context"
	"fmt"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// units are the experiment's units in the order of their ids, with the arm each counts for; −1 for none.
type units struct {
	ids  []identifier.ID
	arms []int8
}

func readUnits(ctx context.Context, in Input) (*units, error) {
	u := &units{}
	var stitchings, ids, variants, crossovers columns.Vector
	for g := range in.Exposures.RowGroups() {
		if others(in.Exposures, g) {
			continue
		}
		for name, v := range map[string]*columns.Vector{"stitching": &stitchings, "unit_id": &ids, "variant": &variants, "crossover": &crossovers} {
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
			if stitchings.Strings[stitchings.Index[i]] != stitching {
				continue
			}
			arm := arms[variants.Index[i]]
			if crossovers.Bools[i] && in.Experiment.Crossover == experiment.Exclude {
				arm = -1
			}
			u.ids, u.arms = append(u.ids, ids.IDs[at]), append(u.arms, arm)
		}
	}
	return u, nil
}

// others reports a row group that holds rows of other stitchings only.
func others(f *columns.File, rowGroup int) bool {
	low, high, ok := f.StringBounds(rowGroup, "stitching")
	return ok && (low > stitching || high < stitching)
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
	var names, stitchings, ids, sums, divisors, matured columns.Vector
	for g := range in.UnitMetrics.RowGroups() {
		if others(in.UnitMetrics, g) {
			continue
		}
		for name, v := range map[string]*columns.Vector{
			"metric": &names, "stitching": &stitchings, "unit_id": &ids, "sum": &sums, "denominator": &divisors, "matured": &matured,
		} {
			if err := in.UnitMetrics.Vector(ctx, g, name, v); err != nil {
				return nil, fmt.Errorf("%s: %w", table.UnitMetric, err)
			}
		}
		for i, at := range ids.Index {
			m, ok := index[names.Strings[names.Index[i]]]
			if !ok || stitchings.Strings[stitchings.Index[i]] != stitching {
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
			if err := arms[m][units.arms[u]].add(in.Metrics[m], sums.Floats[i], divisors.Floats[i], matured.Bools[i]); err != nil {
				return nil, fmt.Errorf("metric %s: %w", in.Metrics[m].Name, err)
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
