package catalog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/transform/exposure"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake"
)

// outside is for how many days before its start an experiment's exposures are read, so that those outside are counted.
const outside = 7

func (c campaign) exposure(log *slog.Logger) *jobs.Job {
	j := c.job("exposure", exposure.Logic, c.definitions(c.experiment.UnitsHash(), c.identity.links()))
	j.Writes = []*table.Table{table.UnitExposure, table.UnitIdentifier, table.ExposureQuality}
	seen := span{c.experiment.Start - outside, open}
	var read spans
	read.add(table.Exposure, seen)
	if c.filled(table.Assignment) {
		read.add(table.Assignment, seen)
	}
	events := exposure.Tables(c.experiment, c.filled)
	for _, e := range events {
		read.add(e.Table, span{c.since(e.Before), open})
	}
	j.Reads = append(read.reads(), jobs.Read{Table: table.ProfileIdentifier}, jobs.Read{Table: table.IdentityLink})
	j.Make = func(ctx context.Context, w *jobs.Work) error {
		from, to := c.exposed(w.Day)
		in := exposure.Input{
			Experiment: c.experiment, Night: w.Day, Window: table.Span(from, to, c.zone), End: w.Window.To,
			Events: map[string][]exposure.Day{}, Known: w.Known, Rules: c.identity.Rules, Decisions: c.identity.Decisions,
		}
		days := map[*table.Table][]*lake.Reading{}
		for _, t := range read.tables {
			var err error
			if days[t], err = w.Open(ctx, t); err != nil {
				return err
			}
		}
		in.Exposures, in.Assignments = since(seen.from, days[table.Exposure]), since(seen.from, days[table.Assignment])
		for _, e := range events {
			for _, day := range days[e.Table] {
				in.Events[e.Table.Path()] = append(in.Events[e.Table.Path()], exposure.Day{Day: day.Head.Day, File: day.File})
			}
		}
		for t, file := range map[*table.Table]**columns.File{table.ProfileIdentifier: &in.Profiles, table.IdentityLink: &in.Links} {
			r, err := w.OpenOne(ctx, t)
			if err != nil {
				return err
			}
			*file = r.File
		}
		return c.expose(ctx, log, w, in)
	}
	return j
}

// expose makes the units. Once they are committed it tells what is alarming about them, and which exposures do not count.
func (c campaign) expose(ctx context.Context, log *slog.Logger, w *jobs.Work, in exposure.Input) error {
	units, identifiers, quality := w.Draft(table.UnitExposure), w.Draft(table.UnitIdentifier), w.Draft(table.ExposureQuality)
	var notable []table.ExposureQualityRow
	counts, err := exposure.Build(ctx, in, w.Workers, exposure.Output{
		Unit:       func(row *table.UnitExposureRow) error { return units.Add(row) },
		Identifier: func(row *table.UnitIdentifierRow) error { return identifiers.Add(row) },
		Quality: func(row *table.ExposureQualityRow) error {
			if row.Alarm != "" || row.Name == table.QualityExposures && row.Of != "" && row.Value != nil && *row.Value > 0 {
				notable = append(notable, *row)
			}
			return quality.Add(row)
		},
	})
	var unknown *exposure.UnknownVariantError
	switch {
	case errors.As(err, &unknown):
		return jobs.Exit(jobs.ExitContract, err)
	case err != nil:
		return err
	case counts.Units == 0:
		from, to := c.exposed(w.Day)
		return jobs.Exit(jobs.ExitBlocked, fmt.Errorf("no unit has been exposed from %s to %s: check the experiment's name and days against the exposures", from, to))
	}
	w.WhenCommitted(func() error {
		for _, row := range notable {
			if row.Alarm != "" {
				log.Warn(row.Alarm, "experiment", c.experiment.Name, "night", w.Day, "units", row.N)
			} else {
				log.Info("exposures do not count", "experiment", c.experiment.Name, "reason", row.Of, "rows", *row.Value)
			}
		}
		return nil
	})
	return nil
}

// since are the files of the days from one on.
func since(day table.Day, readings []*lake.Reading) []*columns.File {
	var files []*columns.File
	for _, r := range readings {
		if r.Head.Day >= day {
			files = append(files, r.File)
		}
	}
	return files
}
