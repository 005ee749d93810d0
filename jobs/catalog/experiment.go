package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/exposure"
	"crosslift/transform/facts"
	"crosslift/transform/identity"
	"crosslift/transform/stats/results"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/postgres"
)

// campaign makes the jobs of one experiment.
type campaign struct {
	experiment *experiment.Experiment
	metrics    []*metric.Metric
	zone       *time.Location
}

func (c campaign) job(step string, logic int) *jobs.Job {
	return &jobs.Job{
		Name: step + "/" + c.experiment.Name, Experiment: c.experiment.Name, Logic: logic,
		Definitions: c.experiment.DefinitionHash(c.metrics), Idle: c.idle, Last: c.last(),
	}
}

// idle says why a night does not belong to the experiment: it has not begun.
func (c campaign) idle(night table.Day) string {
	if night < c.experiment.Start {
		return fmt.Sprintf("it starts on %s", c.experiment.Start)
	}
	return ""
}

// last is the night in which the last unit that may be exposed has matured; nil while the experiment is open.
func (c campaign) last() *table.Day {
	if c.experiment.End == nil {
		return nil
	}
	last := *c.experiment.End + c.longest()
	return &last
}

// longest is the longest window of the metrics, in days, rounded up.
func (c campaign) longest() table.Day {
	var longest time.Duration
	for _, m := range c.metrics {
		longest = max(longest, m.Window.Duration())
	}
	return table.Day((longest + 24*time.Hour - 1) / (24 * time.Hour))
}

// exposed is the days in which exposures count, until a night.
func (c campaign) exposed(night table.Day) (from, to table.Day) {
	if c.experiment.End != nil {
		night = min(night, *c.experiment.End)
	}
	return c.experiment.Start, night
}

// observed is the days in which outcomes count, until a night: the last unit's window may end inside the day after.
func (c campaign) observed(night table.Day) (from, to table.Day) {
	if c.experiment.End != nil {
		night = min(night, *c.experiment.End+c.longest())
	}
	return c.experiment.Start, night
}

func (c campaign) exposure() *jobs.Job {
	j := c.job("exposure", exposure.Logic)
	j.Writes = []*table.Table{table.UnitExposure}
	j.Reads = []jobs.Read{{Table: table.Exposure, Span: c.exposed}, {Table: table.ProfileIdentifier}}
	j.Make = func(ctx context.Context, w *jobs.Work) error {
		profiles, err := c.profiles(ctx, w)
		if err != nil {
			return err
		}
		days, err := w.Open(ctx, table.Exposure)
		if err != nil {
			return err
		}
		from, to := c.exposed(w.Day)
		draft := w.Draft(table.UnitExposure)
		counts, err := exposure.Build(ctx, exposure.Input{
			Experiment: c.experiment, Night: w.Day, Window: table.Span(from, to, c.zone),
			Exposures: filesOf(days), Profiles: profiles,
		}, w.Workers, func(row *table.UnitExposureRow) error { return draft.Add(row) })
		var unknown *exposure.UnknownVariantError
		switch {
		case errors.As(err, &unknown):
			return jobs.Exit(jobs.ExitContract, err)
		case err != nil:
			return err
		case counts.Units == 0:
			return jobs.Exit(jobs.ExitBlocked, fmt.Errorf("no unit has been exposed from %s to %s: check the experiment's name and days against the exposures", from, to))
		}
		return nil
	}
	return j
}

func (c campaign) facts() *jobs.Job {
	j := c.job("facts", facts.Logic)
	j.Writes = []*table.Table{table.UnitMetric}
	j.Reads = []jobs.Read{{Table: table.UnitExposure}, {Table: table.ProfileIdentifier}}
	var tables []*table.Table
	for _, m := range c.metrics {
		t := table.Named(m.Table)
		if !hasRead(j, t) {
			tables = append(tables, t)
			j.Reads = append(j.Reads, jobs.Read{Table: t, Span: c.observed})
		}
	}
	j.Make = func(ctx context.Context, w *jobs.Work) error {
		profiles, err := c.profiles(ctx, w)
		if err != nil {
			return err
		}
		exposures, err := w.OpenOne(ctx, table.UnitExposure)
		if err != nil {
			return err
		}
		in := facts.Input{
			Experiment: c.experiment, Metrics: c.metrics, Night: w.Day, End: w.Window.To,
			Exposures: exposures.File, Events: map[string][]facts.Day{}, Profiles: profiles,
		}
		for _, t := range tables {
			days, err := w.Open(ctx, t)
			if err != nil {
				return err
			}
			for _, day := range days {
				in.Events[t.Path()] = append(in.Events[t.Path()], facts.Day{Day: day.Head.Day, File: day.File})
			}
		}
		draft := w.Draft(table.UnitMetric)
		_, err = facts.Build(ctx, in, w.Workers, func(row *table.UnitMetricRow) error { return draft.Add(row) })
		return err
	}
	return j
}

func hasRead(j *jobs.Job, t *table.Table) bool {
	for _, r := range j.Reads {
		if r.Table == t {
			return true
		}
	}
	return false
}

// profiles opens the identity that the night's units are known by.
func (c campaign) profiles(ctx context.Context, w *jobs.Work) (*identity.Profiles, error) {
	r, err := w.OpenOne(ctx, table.ProfileIdentifier)
	if err != nil {
		return nil, err
	}
	if w.Known {
		return identity.OpenKnown(ctx, r.File, identity.AsOfExposure, w.Window.To)
	}
	return identity.Open(ctx, r.File, identity.AsOfExposure)
}

func (c campaign) stats() *jobs.Job {
	j := c.job("stats", results.Logic)
	j.Writes = []*table.Table{table.ExperimentResult}
	j.Reads = []jobs.Read{{Table: table.UnitExposure}, {Table: table.UnitMetric}}
	j.Make = func(ctx context.Context, w *jobs.Work) error {
		exposures, err := w.OpenOne(ctx, table.UnitExposure)
		if err != nil {
			return err
		}
		metrics, err := w.OpenOne(ctx, table.UnitMetric)
		if err != nil {
			return err
		}
		draft := w.Draft(table.ExperimentResult)
		err = results.Build(ctx, results.Input{
			Experiment: c.experiment, Metrics: c.metrics, IdentityNight: identityNight(exposures.Head),
			Exposures: exposures.File, UnitMetrics: metrics.File,
		}, func(row *table.ExperimentResultRow) error { return draft.Add(row) })
		var unanswerable *results.UnanswerableError
		if errors.As(err, &unanswerable) {
			return jobs.Exit(jobs.ExitBlocked, err)
		}
		return err
	}
	return j
}

// identityNight is the night of the identity that exposures were built on, by their recipe.
func identityNight(exposures *lake.Head) table.Day {
	for key := range exposures.Recipe.Inputs {
		if p, ok := lake.ParseKey(key); ok && p.Table == table.ProfileIdentifier {
			return p.Day
		}
	}
	return exposures.Day
}

// resultsDataset is what the warehouse calls the experiments' results.
const resultsDataset = "experiment_results"

func (c campaign) publish(db *postgres.DB) *jobs.Job {
	j := c.job("publish", 1)
	j.Reads = []jobs.Read{{Table: table.ExperimentResult}}
	load := func(h *lake.Head) postgres.Load {
		return postgres.Load{
			Dataset: resultsDataset, Experiment: c.experiment.Name, AsOf: h.Day, Revision: h.Revision,
			Content: h.Content, Recipe: h.Recipe.Hash(),
		}
	}
	j.Published = func(ctx context.Context, h *lake.Head) (bool, error) { return db.Published(ctx, load(h)) }
	j.Publish = func(ctx context.Context, l *lake.Lake, h *lake.Head, claim *postgres.Claim) (int64, error) {
		r, err := l.Read(ctx, h)
		if err != nil {
			return 0, err
		}
		defer r.Close()
		published, err := db.Publish(ctx, claim, load(h), r.Batches(ctx, nil))
		return published.Rows, err
	}
	return j
}

func filesOf(readings []*lake.Reading) []*columns.File {
	files := make([]*columns.File, len(readings))
	for i, r := range readings {
		files[i] = r.File
	}
	return files
}
