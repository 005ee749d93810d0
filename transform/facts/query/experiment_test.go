package query_test

import (
	"fmt"
	"path/filepath"
	"slices"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// stitchings are all there are.
var stitchings = []string{"as_of_exposure", "device", "strict", "latest", "loose"}

// trial is a random experiment: its units and identifiers are in the lake.
type trial struct {
	*experiment.Experiment
	metrics     []*metric.Metric
	units       []*table.UnitExposureRow
	identifiers []*table.UnitIdentifierRow

	exposureFile, identifierFile *columns.File
}

// newTrial makes an experiment that is judged by metrics, the first of which decides.
func (l *lake) newTrial(n int, ended bool, metrics ...*metric.Metric) *trial {
	x := &trial{metrics: metrics, Experiment: &experiment.Experiment{
		Name: fmt.Sprintf("trial_%d", n), AssignedBy: one(l.r, experiment.Account, experiment.Device),
		Variants: []experiment.Variant{{Name: "control", Weight: 1}, {Name: "offer", Weight: 1}}, Control: "control",
		Start: l.first, Crossover: one(l.r, experiment.First, experiment.Exclude), Primary: metrics[0].Name,
	}}
	for _, m := range metrics[1:] {
		x.Secondary = append(x.Secondary, m.Name)
	}
	if ended {
		x.End = new(l.first + table.Day(l.r.IntN(days)))
	}
	if err := x.Validate(); err != nil {
		l.t.Fatal(err)
	}
	for _, s := range stitchings {
		l.expose(x, s)
	}
	in := filepath.Join("experiment="+x.Name, "dt="+l.night.String())
	x.exposureFile = l.write(table.UnitExposure, filepath.Join(table.UnitExposure.Path(), in), anys(x.units))
	x.identifierFile = l.write(table.UnitIdentifier, filepath.Join(table.UnitIdentifier.Path(), in), anys(x.identifiers))
	return x
}

// expose makes the units of a stitching, and says whose the identifiers are: always, or at each time somebody else's.
func (l *lake) expose(x *trial, stitching string) {
	var ids []identifier.ID
	if stitching == "device" {
		for _, d := range l.devices {
			if l.chance(0.7) {
				ids = append(ids, d)
			}
		}
	} else if l.chance(0.95) {
		for range 2 + l.r.IntN(7) {
			ids = append(ids, l.id())
		}
	}
	exposures := l.exposures(x)
	for _, id := range ids {
		at := one(l.r, exposures...)
		row := &table.UnitExposureRow{
			Stitching: stitching, Unit: id, UnitType: "profile", Variant: one(l.r, "control", "offer"), FirstExposedAt: at,
			Exposures: 1, Crossover: l.chance(0.2), Linked: true, Devices: 1,
		}
		if l.chance(0.6) {
			row.ReceivedAt = new(at + one(l.r, 0, hour, 12*hour, 24*hour, 48*hour))
		}
		x.units = append(x.units, row)
	}
	if len(ids) == 0 {
		return
	}
	add := func(kind string, id identifier.ID, from *table.Micros, unit identifier.ID) {
		x.identifiers = append(x.identifiers, &table.UnitIdentifierRow{Stitching: stitching, IdentifierType: kind, Identifier: id, From: from, Unit: unit})
	}
	several := func(kind string, id identifier.ID) {
		var from []table.Micros
		for range 1 + l.r.IntN(5) {
			from = append(from, l.at())
		}
		slices.Sort(from)
		for i, at := range slices.Compact(from) {
			if i == 0 && l.chance(0.5) {
				add(kind, id, nil, one(l.r, ids...))
				continue
			}
			add(kind, id, &at, one(l.r, ids...))
		}
	}
	linked := x.AssignedBy == experiment.Device || stitching == "device" // accounts come to be somebody's
	for _, account := range l.accounts {
		switch {
		case l.chance(0.2):
		case linked && l.chance(0.6):
			several("account", account)
		default:
			add("account", account, nil, one(l.r, ids...))
		}
	}
	for _, d := range l.devices {
		switch {
		case stitching == "device":
			if slices.Contains(ids, d) {
				add("device", d, nil, d)
			}
		case x.AssignedBy == experiment.Account && !slices.Contains([]string{"latest", "loose"}, stitching):
		case l.chance(0.5):
			add("device", d, nil, one(l.r, ids...))
		}
	}
}

// exposures are the instants at which the experiment exposes.
func (l *lake) exposures(x *trial) []table.Micros {
	from, to := table.MicrosOf(x.Start.Window(l.zone).From), l.end()
	if x.End != nil {
		to = min(to, table.MicrosOf(x.End.Window(l.zone).To))
	}
	inside := slices.DeleteFunc(slices.Clone(l.instants), func(at table.Micros) bool { return at < from || at >= to })
	return append(inside, from)
}

func anys[T any](rows []*T) []any {
	list := make([]any, len(rows))
	for i, row := range rows {
		list[i] = row
	}
	return list
}
