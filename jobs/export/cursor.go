package export

import (
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// cursor walks the rows of one metric and stitching.
type cursor struct {
	file              *columns.File
	metric, stitching string
	group, at         int // the row; group is that of the vectors
	done              bool

	metrics, stitchings, units, sums, divisors, covariates, received, matured columns.Vector
}

// newCursor stands before the first row.
func newCursor(f *columns.File, metric, stitching string) *cursor {
	return &cursor{file: f, metric: metric, stitching: stitching, group: -1}
}

// beside reports a row group whose values of a column are all others than one.
func beside(f *columns.File, rowGroup int, column, value string) bool {
	low, high, ok := f.StringBounds(rowGroup, column)
	return ok && (value < low || high < value)
}

// next goes to the next row; more is false when there is none.
func (c *cursor) next(ctx context.Context) (more bool, err error) {
	for c.at++; ; c.at++ {
		for c.at >= len(c.units.Index) {
			for c.group++; c.group < c.file.RowGroups(); c.group++ {
				if !beside(c.file, c.group, "metric", c.metric) && !beside(c.file, c.group, "stitching", c.stitching) {
					break
				}
			}
			if c.done = c.group >= c.file.RowGroups(); c.done {
				return false, nil
			}
			if err := c.read(ctx); err != nil {
				return false, fmt.Errorf("%s: %w", table.UnitMetric, err)
			}
			c.at = 0
		}
		if c.metrics.Strings[c.metrics.Index[c.at]] == c.metric && c.stitchings.Strings[c.stitchings.Index[c.at]] == c.stitching {
			return true, nil
		}
	}
}

func (c *cursor) read(ctx context.Context) error {
	for name, v := range map[string]*columns.Vector{
		"metric": &c.metrics, "stitching": &c.stitchings, "unit_id": &c.units, "sum": &c.sums, "denominator": &c.divisors,
		"covariate": &c.covariates, "received": &c.received, "matured": &c.matured,
	} {
		if err := c.file.Vector(ctx, c.group, name, v); err != nil {
			return err
		}
	}
	return nil
}

// unit is whose the row is.
func (c *cursor) unit() identifier.ID { return c.units.IDs[c.units.Index[c.at]] }

// append appends the row's columns.
func (c *cursor) append(row []parquet.Value) []parquet.Value {
	number := func(v *columns.Vector, absent parquet.Value) parquet.Value {
		if v.Present != nil && !v.Present[c.at] {
			return absent
		}
		return parquet.DoubleValue(v.Floats[c.at])
	}
	return append(row, parquet.DoubleValue(c.sums.Floats[c.at]), number(&c.divisors, parquet.DoubleValue(1)), number(&c.covariates, parquet.Value{}),
		parquet.BooleanValue(c.received.Bools[c.at]), parquet.BooleanValue(c.matured.Bools[c.at]))
}
