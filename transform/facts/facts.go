// Package facts says what each unit of an experiment did: one row a unit and metric, by one pass over the event columns.
package facts

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/identity"
	"crosslift/warehouse/columns"
)

// Logic is raised when the same events give other facts.
const Logic = 2

// Input is what the facts of a night are made from.
type Input struct {
	Experiment *experiment.Experiment
	Metrics    []*metric.Metric
	Night      table.Day
	End        time.Time        // of the night, exclusive: what comes later is not known
	Exposures  *columns.File    // facts/exposure
	Events     map[string][]Day // by table path
	Profiles   *identity.Profiles
}

// Day is a partition of events.
type Day struct {
	Day  table.Day
	File *columns.File
}

// Counts say how much was read.
type Counts struct {
	Units int64
	Rows  int64 // events looked at
	Hits  int64 // events of units, before windows and filters
}

// Build emits a row for each metric and unit, in no order, also for those that did nothing. An event counts when it
// meets the metric's filter and its time lies in [first exposure, first exposure + window), a window's day being 24
// hours. Of a table of changes, the newest row of a source's key stands for all of them.
//
// The pass goes from dictionary value to profile to unit, then through window and filter into dense arrays. Row groups
// are decoded by several workers and added in a fixed order, so that sums are the same bits however many there are.
func Build(ctx context.Context, in Input, workers int, emit func(*table.UnitMetricRow) error) (Counts, error) {
	u, err := readUnits(ctx, in)
	if err != nil {
		return Counts{}, err
	}
	counts := Counts{Units: int64(len(u.ids))}
	tallies := make([]*tally, len(in.Metrics))
	for i, m := range in.Metrics {
		tallies[i] = newTally(m, len(u.ids))
	}
	for path, days := range in.Events {
		p := pass{table: table.Named(path), units: u, end: in.End.UnixMicro()}
		for i, m := range in.Metrics {
			if m.Table == path {
				p.tallies = append(p.tallies, tallies[i])
			}
		}
		if p.table == nil || len(p.tallies) == 0 {
			return counts, fmt.Errorf("facts: no metric reads %s", path)
		}
		if err := p.run(ctx, days, workers, &counts); err != nil {
			return counts, fmt.Errorf("facts: %s: %w", path, err)
		}
	}
	for _, t := range tallies {
		if err := t.emit(u, in.End.UnixMicro(), emit); err != nil {
			return counts, err
		}
	}
	return counts, nil
}

// units are the experiment's units, ascending by id, with the time of their first exposure.
type units struct {
	ids              []identifier.ID
	first            []int64
	earliest, latest int64 // of first
	profiles         *identity.Profiles
}

func readUnits(ctx context.Context, in Input) (*units, error) {
	u := &units{profiles: in.Profiles}
	var ids, first columns.Vector
	for g := range in.Exposures.RowGroups() {
		if err := in.Exposures.Vector(ctx, g, "unit_id", &ids); err != nil {
			return nil, fmt.Errorf("%s: %w", table.UnitExposure, err)
		}
		if err := in.Exposures.Vector(ctx, g, "first_exposed_at", &first); err != nil {
			return nil, fmt.Errorf("%s: %w", table.UnitExposure, err)
		}
		for row, at := range ids.Index {
			u.ids, u.first = append(u.ids, ids.IDs[at]), append(u.first, first.Ints[row])
		}
	}
	if len(u.first) > 0 {
		u.earliest, u.latest = slices.Min(u.first), slices.Max(u.first)
	}
	if !slices.IsSortedFunc(u.ids, compare) {
		return nil, fmt.Errorf("%s: units are not in order", table.UnitExposure)
	}
	return u, nil
}

func compare(a, b identifier.ID) int { return bytes.Compare(a[:], b[:]) }

// of gives the unit of each account of a dictionary; −1 for those that are in nobody's arm.
func (u *units) of(accounts []identifier.ID) []int32 {
	found := make([]int32, len(accounts))
	for i, account := range accounts {
		found[i] = -1
		if profile, ok := u.profiles.Of(identifier.Account, account); ok {
			if at, ok := slices.BinarySearchFunc(u.ids, profile, compare); ok {
				found[i] = int32(at)
			}
		}
	}
	return found
}

// tally is the facts of one metric, in dense arrays by unit.
type tally struct {
	metric      *metric.Metric
	window      int64     // µs
	sum, lost   []float64 // Neumaier's compensated sum; of means
	count       []int64
	first, last []int64
}

func newTally(m *metric.Metric, units int) *tally {
	t := &tally{metric: m, window: m.Window.Duration().Microseconds(), count: make([]int64, units), first: make([]int64, units), last: make([]int64, units)}
	if m.Type == metric.Mean {
		t.sum, t.lost = make([]float64, units), make([]float64, units)
	}
	return t
}

// add counts an event of a unit.
func (t *tally) add(unit int32, at int64, value float64) {
	if t.count[unit] == 0 || at < t.first[unit] {
		t.first[unit] = at
	}
	if t.count[unit] == 0 || at > t.last[unit] {
		t.last[unit] = at
	}
	t.count[unit]++
	if t.sum == nil {
		return
	}
	// A. Neumaier, ZAMM 54 (1974): what each addition rounds away is kept beside the sum.
	s := t.sum[unit] + value
	if math.Abs(t.sum[unit]) >= math.Abs(value) {
		t.lost[unit] += (t.sum[unit] - s) + value
	} else {
		t.lost[unit] += (value - s) + t.sum[unit]
	}
	t.sum[unit] = s
}

func (t *tally) emit(u *units, end int64, emit func(*table.UnitMetricRow) error) error {
	for i, id := range u.ids {
		row := &table.UnitMetricRow{
			Metric: t.metric.Name, Stitching: identity.AsOfExposure, Unit: id, Count: t.count[i], Matured: u.first[i]+t.window <= end,
		}
		if t.count[i] > 0 {
			first, last := table.Micros(t.first[i]), table.Micros(t.last[i])
			row.FirstAt, row.LastAt = &first, &last
		}
		if t.sum != nil {
			row.Sum = t.sum[i] + t.lost[i]
		} else if t.count[i] > 0 {
			row.Sum = 1
		}
		if err := emit(row); err != nil {
			return err
		}
	}
	return nil
}

// newestFirst orders days so that, of a table of changes, the newest state of a key is met first.
func newestFirst(days []Day) []Day {
	return slices.SortedFunc(slices.Values(days), func(a, b Day) int { return cmp.Compare(b.Day, a.Day) })
}
