// Package facts says what each unit of an experiment did: one row a unit and metric, by one pass over the event columns for
// all experiments and metrics.
//
// The pass goes from an identifier in a row group's dictionary to its number, from there to the unit whose events are its, and
// through window and filter into sums that are arrays by unit. Nothing that is added depends on the order of adding: counts and
// integers, exact sums of floats, earliest and latest times, sets. So neither the order of rows, nor how they are split between
// row groups, workers and ranges of units changes a bit of what comes out.
package facts

import (
	"context"
	"fmt"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Logic is raised when the same events give other facts.
const Logic = 3

// Input is what the facts of a night are made from.
type Input struct {
	Night       table.Day
	End         time.Time      // of the night, exclusive: what comes later is not known
	Zone        *time.Location // the business's
	Memory      int64          // bytes that the pass may take; units are worked in so many ranges as that takes. 0: all at once
	Experiments []Experiment
	Events      map[string][]Day // by table path, every table that a metric reads
	Rates       []*columns.File  // days of raw/rate, until the night
	Timeline    *columns.File    // core/device_timeline of the night
}

// Experiment is one of them, and where its rows go, one call at a time: the facts in the order of their table, once for each range
// that units are worked in, the others in no order.
type Experiment struct {
	*experiment.Experiment
	Metrics     []*metric.Metric
	Exposures   *columns.File // facts/exposure
	Identifiers *columns.File // facts/unit_identifier
	// First is by table path the first day that is read for this experiment, of what others read too; it has none of a table
	// that is not there. Nil: the first of Events.
	First map[string]table.Day

	Unit      func(*table.UnitMetricRow) error // overwritten by the next one
	Day       func(*table.ExperimentDayRow) error
	Exclusion func(*table.ExclusionRow) error
}

// Day is a partition of events.
type Day struct {
	Day  table.Day
	File *columns.File
}

// Stitchings are those that a metric of an experiment is computed under: as_of_exposure and device, and for the primary one
// strict, latest and loose too.
func Stitchings(e *experiment.Experiment, m *metric.Metric) []string {
	if m.Name == e.Primary {
		return []string{table.AsOfExposure, table.ByDevice, table.Strict, table.Latest, table.Loose}
	}
	return []string{table.AsOfExposure, table.ByDevice}
}

// Counts say how much was read.
type Counts struct {
	Units int64 // under the stitching that decides
	Rows  int64 // events looked at
	Hits  int64 // events of units, before windows and filters
}

// Build makes the facts of all experiments in one pass. What is wrong with one experiment only, such as amounts in a currency
// without a rate, is its error in failed, by place, and leaves the others alone.
func Build(ctx context.Context, in Input, workers int) (counts Counts, failed []error, err error) {
	b := &builder{Input: in, workers: max(workers, 1), end: in.End.UnixMicro(), failed: make([]error, len(in.Experiments))}
	if err := b.prepare(ctx); err != nil {
		return b.counts, b.failed, fmt.Errorf("facts: %w", err)
	}
	if err := b.pass(ctx); err != nil {
		return b.counts, b.failed, fmt.Errorf("facts: %w", err)
	}
	return b.counts, b.failed, nil
}
