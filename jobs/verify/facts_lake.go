package verify

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// stitchings are those that units are known under; metrics are held against the truth under the first two, the primary one
// under all.
var stitchings = []string{table.AsOfExposure, table.ByDevice, table.Strict, table.Latest, table.Loose}

// found is what the newest night says of the experiment.
type found struct {
	assignedBy string
	start      table.Day // of the experiment
	closes     table.Day // the last window of a unit
	night      table.Day
	end        table.Micros // of the night, exclusive
	units      map[string]map[identifier.ID]*table.UnitExposureRow
	whose      map[string]map[identifier.ID][]*table.UnitIdentifierRow // by stitching and identifier, in the order of time
	values     map[string]map[string]map[identifier.ID]*table.UnitMetricRow
	days       []*table.ExperimentDayRow
	exclusions []*table.ExclusionRow
	quality    []*table.ExposureQualityRow
	timeline   spans // by the methods session and span
}

// found reads the tables of the experiment's newest night, and the timeline that they were made with.
func (in Input) found(ctx context.Context) (*found, error) {
	h, err := in.last(ctx, table.UnitMetric)
	if err != nil {
		return nil, err
	}
	about := in.World.About()
	days, err := in.entryDays()
	if err != nil {
		return nil, err
	}
	f := &found{
		assignedBy: about.AssignedBy, start: about.First, closes: about.First + table.Day(days) - 1 + table.Day(longest(kinds...)/day), night: h.Day, end: table.MicrosOf(h.Day.Window(in.Zone).To),
		units: map[string]map[identifier.ID]*table.UnitExposureRow{}, whose: map[string]map[identifier.ID][]*table.UnitIdentifierRow{},
		values: map[string]map[string]map[identifier.ID]*table.UnitMetricRow{}, timeline: spans{},
	}
	for _, s := range stitchings {
		f.units[s], f.whose[s] = map[identifier.ID]*table.UnitExposureRow{}, map[identifier.ID][]*table.UnitIdentifierRow{}
	}
	for _, t := range []*table.Table{table.UnitExposure, table.UnitIdentifier, table.UnitMetric, table.ExperimentDay, table.Exclusion, table.ExposureQuality} {
		for row, err := range in.of(ctx, t, f.night) {
			if err != nil {
				return nil, err
			}
			f.add(row)
		}
	}
	when := h.Day
	for key := range h.Recipe.Inputs {
		if p, ok := lake.ParseKey(key); ok && p.Table == table.DeviceTimeline {
			when = p.Day
		}
	}
	for row, err := range in.of(ctx, table.DeviceTimeline, when) {
		if err != nil {
			return nil, err
		}
		if t := row.(*table.DeviceTimelineRow); t.Method == "session" || t.Method == "span" {
			f.timeline[t.Device] = append(f.timeline[t.Device], span{from: t.From, to: t.To - 1, account: t.Account})
		}
	}
	f.timeline.sort()
	return f, nil
}

// entryDays is for how many days the experiment takes units in.
func (in Input) entryDays() (int, error) {
	o, err := in.World.About().Options()
	return o.EntryDays(), err
}

// of reads one night of a table.
func (in Input) of(ctx context.Context, t *table.Table, night table.Day) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		p := lake.Partition{Table: t, Day: night}
		if t.ByExperiment {
			p.Experiment = world.Experiment
		}
		h, err := in.Lake.Head(ctx, p)
		if err != nil {
			yield(nil, fmt.Errorf("%s: %w", t, err))
			return
		}
		in.read(ctx, t, h)(yield)
	}
}

func (f *found) add(row any) {
	switch row := row.(type) {
	case *table.UnitExposureRow:
		f.units[row.Stitching][row.Unit] = row
	case *table.UnitIdentifierRow: // sorted by identifier and time
		f.whose[row.Stitching][row.Identifier] = append(f.whose[row.Stitching][row.Identifier], row)
	case *table.UnitMetricRow:
		if f.values[row.Metric] == nil {
			f.values[row.Metric] = map[string]map[identifier.ID]*table.UnitMetricRow{}
		}
		if f.values[row.Metric][row.Stitching] == nil {
			f.values[row.Metric][row.Stitching] = map[identifier.ID]*table.UnitMetricRow{}
		}
		f.values[row.Metric][row.Stitching][row.Unit] = row
	case *table.ExperimentDayRow:
		f.days = append(f.days, row)
	case *table.ExclusionRow:
		f.exclusions = append(f.exclusions, row)
	case *table.ExposureQualityRow:
		f.quality = append(f.quality, row)
	}
}

// unitOf is whose an identifier is at an instant.
func (f *found) unitOf(stitching string, id identifier.ID, at table.Micros) (unit identifier.ID, is bool) {
	for _, row := range f.whose[stitching][id] {
		if row.From == nil || *row.From <= at {
			unit, is = row.Unit, true
		}
	}
	return unit, is
}

// credited is the unit that something done with a device, in the name of an account or of none, counts for; see
// table.UnitIdentifierRow.
func (f *found) credited(stitching string, account, device identifier.ID, at table.Micros) (unit identifier.ID, is bool) {
	devices := f.assignedBy == world.ByDevice || stitching == table.ByDevice
	if devices && len(f.whose[stitching][device]) > 0 {
		return f.unitOf(stitching, device, at)
	}
	if !account.IsZero() {
		return f.unitOf(stitching, account, at)
	}
	if stitching != table.ByDevice {
		if user, known := f.timeline.at(device, at); known {
			return f.unitOf(stitching, user.account, at)
		}
	}
	if devices {
		return unit, false
	}
	return f.unitOf(stitching, device, at)
}

// members are the devices that are a unit's at all times.
func (f *found) members(stitching string) map[identifier.ID][]identifier.ID {
	of := map[identifier.ID][]identifier.ID{}
	for id, rows := range f.whose[stitching] {
		if i := slices.IndexFunc(rows, func(r *table.UnitIdentifierRow) bool { return r.From == nil }); i >= 0 && rows[i].IdentifierType == table.TypeDevice {
			of[rows[i].Unit] = append(of[rows[i].Unit], id)
		}
	}
	return of
}
