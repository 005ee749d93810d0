// Package export writes an experiment's facts as one table for notebooks: a row a unit, with its variant and segments, and
// five columns a metric.
package export

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/facts"
	"crosslift/warehouse/columns"
)

// Input is what a table is made from.
type Input struct {
	Experiment *experiment.Experiment
	Metrics    []*metric.Metric // in the order of their columns
	Stitchings []string         // whose units are written, one after the other
	Exposures  *columns.File    // facts/exposure
	Facts      *columns.File    // facts/unit_metric, made from it
}

// Column is a column of the table.
type Column struct {
	Name string
	Type table.Type
}

// Columns are those of the table: of a unit, then of its metrics in their order. What a unit has no value for is absent, and
// so are all five of a metric that is not computed under the unit's stitching.
func (in Input) Columns() []Column {
	all := []Column{
		{"unit_id", table.ID}, {"stitching", table.String}, {"arm", table.String}, {"first_exposure_at", table.Timestamp},
		{"devices", table.Int}, {"platform", table.String}, {"country", table.String}, {"channel", table.String},
		{"plan", table.String}, {"newness", table.String}, {"crossover", table.Bool}, {"activated_at", table.Timestamp},
	}
	for _, m := range in.Metrics {
		all = append(all,
			Column{m.Name + "_numerator", table.Float}, Column{m.Name + "_denominator", table.Float}, // 1 where it is no ratio
			Column{m.Name + "_covariate", table.Float}, Column{m.Name + "_received", table.Bool}, Column{m.Name + "_matured", table.Bool})
	}
	return all
}

// Rows gives the table row by row, a value a column; a row is overwritten by the next one. Both files are sorted by unit
// within a stitching, and the facts have every unit in every metric, so that they are walked side by side: what is in memory
// is a row group a metric.
func (in Input) Rows(ctx context.Context) iter.Seq2[[]parquet.Value, error] {
	return func(yield func([]parquet.Value, error) bool) {
		for _, stitching := range in.Stitchings {
			if err := in.rows(ctx, stitching, func(row []parquet.Value) bool { return yield(row, nil) }); err != nil {
				if err != errEnough {
					yield(nil, err)
				}
				return
			}
		}
	}
}

// errEnough ends a scan.
var errEnough = errors.New("enough")

// rows gives the rows of one stitching.
func (in Input) rows(ctx context.Context, stitching string, yield func([]parquet.Value) bool) error {
	cursors := make([]*cursor, len(in.Metrics)) // nil for a metric that is not computed
	for i, m := range in.Metrics {
		if !slices.Contains(facts.Stitchings(in.Experiment, m), stitching) {
			continue
		}
		cursors[i] = newCursor(in.Facts, m.Name, stitching)
		if _, err := cursors[i].next(ctx); err != nil {
			return err
		}
	}
	var row []parquet.Value
	skip := func(rowGroup int) bool { return beside(in.Exposures, rowGroup, "stitching", stitching) }
	err := columns.Scan(ctx, in.Exposures, table.UnitExposure, skip, func(u *table.UnitExposureRow) error {
		if u.Stitching != stitching {
			return nil
		}
		row = appendUnit(row[:0], u)
		for i, c := range cursors {
			if c == nil {
				row = append(row, parquet.Value{}, parquet.Value{}, parquet.Value{}, parquet.Value{}, parquet.Value{})
				continue
			}
			if c.done || c.unit() != u.Unit {
				return in.torn(i)
			}
			row = c.append(row)
			if _, err := c.next(ctx); err != nil {
				return err
			}
		}
		if !yield(row) {
			return errEnough
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, c := range cursors {
		if c != nil && !c.done {
			return in.torn(i)
		}
	}
	return nil
}

// torn says that a metric's facts are of other units than the exposures.
func (in Input) torn(metric int) error {
	return fmt.Errorf("%s and %s do not hold the same units of metric %s: run the night again", table.UnitExposure, table.UnitMetric, in.Metrics[metric].Name)
}

// appendUnit appends the columns of a unit.
func appendUnit(row []parquet.Value, u *table.UnitExposureRow) []parquet.Value {
	row = append(row, parquet.FixedLenByteArrayValue(u.Unit[:]), text(u.Stitching), text(u.Variant), parquet.Int64Value(int64(u.FirstExposedAt)),
		parquet.Int64Value(u.Devices))
	for _, segment := range []string{u.Platform, u.Country, u.Channel, u.Plan, u.Newness} {
		row = append(row, text(segment))
	}
	row = append(row, parquet.BooleanValue(u.Crossover), parquet.Value{})
	if u.ActivatedAt != nil {
		row[len(row)-1] = parquet.Int64Value(int64(*u.ActivatedAt))
	}
	return row
}

// text is a string, absent when it is empty.
func text(s string) parquet.Value {
	if s == "" {
		return parquet.Value{}
	}
	return parquet.ByteArrayValue([]byte(s))
}
