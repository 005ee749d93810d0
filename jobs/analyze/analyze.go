package analyze

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

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
		return nil, fmt.Errorf("%s: control %q is not among the variants of column %s: %s",
			name, o.Control, o.Variant, list(a.names()))
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
		if at, err = ParseTime(cell(2)); err != nil {
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
