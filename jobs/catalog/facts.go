package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"

	"crosslift/jobs"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/facts"
)

// measurer makes the facts of all experiments of a project in one pass.
type measurer struct {
	Project
	campaigns map[string]campaign // by experiment
	turn      chan struct{}       // of a pass: there is one at a time
}

func (m measurer) facts(c campaign) *jobs.Job {
	j := c.job("facts", facts.Logic, c.definitions(c.experiment.FactsHash(), c.byMetric((*metric.Metric).Hash)))
	j.Writes = []*table.Table{table.UnitMetric, table.ExperimentDay, table.Exclusion}
	j.Reads = []jobs.Read{{Table: table.UnitExposure}, {Table: table.UnitIdentifier}, {Table: table.DeviceTimeline}}
	j.Reads = append(j.Reads, c.events().reads()...)
	if c.converts() {
		j.Reads = append(j.Reads, jobs.Read{Table: table.Rate, Span: untilNight})
	}
	j.Together, j.MakeTogether = "facts", m.make
	return j
}

// events are the tables of the experiment's metrics, and the days of each that one of them counts.
func (c campaign) events() *spans {
	var read spans
	for _, m := range c.metrics {
		t := table.Named(m.Table)
		read.add(t, c.observed(m, t))
		if m.Denominator != nil {
			t := table.Named(m.Denominator.Table)
			read.add(t, c.observed(m, t))
		}
	}
	return &read
}

// converts reports whether a metric needs rates of currencies.
func (c campaign) converts() bool {
	for _, m := range c.metrics {
		if m.Currency != "" {
			return true
		}
	}
	return false
}

// make makes the facts of some experiments, each into its own work.
func (m measurer) make(ctx context.Context, works []*jobs.Work) []error {
	failed := make([]error, len(works))
	p := pass{opened: map[string]bool{}, in: facts.Input{
		Night: works[0].Day, End: works[0].Window.To, Zone: m.Zone, Events: map[string][]facts.Day{},
	}}
	var places []int // of the experiments in the pass, among works
	for i, w := range works {
		if failed[i] = p.add(ctx, w, m.campaigns[w.Experiment], m.Log); failed[i] == nil {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return failed
	}
	for _, days := range p.in.Events {
		slices.SortFunc(days, func(a, b facts.Day) int { return cmp.Compare(a.Day, b.Day) })
	}
	_, of, err := m.build(ctx, p.in, works[0].Workers)
	for k, i := range places {
		if failed[i] = err; err == nil && k < len(of) {
			failed[i] = of[k]
		}
		var unrated *facts.UnratedError
		if errors.As(failed[i], &unrated) {
			failed[i] = jobs.Exit(jobs.ExitBlocked, failed[i])
		}
	}
	return failed
}

// build makes facts within the project's memory: three quarters are for the pass, the rest for what writes its rows. The pass keeps
// most of what it takes to its end, so that the heap would grow to twice that before garbage is collected: it is told where to
// stop. Where the units alone take more than there is, that is said, and what they take is the measure.
func (m measurer) build(ctx context.Context, in facts.Input, workers int) (facts.Counts, []error, error) {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return facts.Counts{}, nil, ctx.Err()
	}
	floor := in.Floor()
	memory := max(m.Memory, (floor+program)/3*4)
	if memory > m.Memory && floor > m.Memory/4 {
		m.Log.Warn("facts take more than the project's memory: the units of all experiments have to be known at once", "memory", megabytes(m.Memory), "taken", megabytes(memory))
	}
	in.Memory = memory / 4 * 3
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, memory/16*15))
	defer func() {
		runtime.GC() // what follows begins with what is left
		debug.SetMemoryLimit(before)
	}()
	return facts.Build(ctx, in, workers)
}

func megabytes(n int64) string { return fmt.Sprintf("%dMB", n>>20) }

// program is about what the program takes without any units.
const program = 96 << 20

// pass is what several experiments' facts are made from. What more than one of them reads is opened once.
type pass struct {
	in     facts.Input
	opened map[string]bool // by key
}

// add adds an experiment whose inputs and drafts are those of a work.
func (p *pass) add(ctx context.Context, w *jobs.Work, c campaign, log *slog.Logger) error {
	exposures, err := w.OpenOne(ctx, table.UnitExposure)
	if err != nil {
		return err
	}
	identifiers, err := w.OpenOne(ctx, table.UnitIdentifier)
	if err != nil {
		return err
	}
	first := map[string]table.Day{}
	for _, t := range append(c.events().tables, table.DeviceTimeline, table.Rate) {
		if heads := w.Heads(t); len(heads) > 0 {
			first[t.Path()] = heads[0].Day
		}
		days, err := w.OpenShared(ctx, t, p.opened)
		if err != nil {
			return err
		}
		for _, day := range days {
			switch t {
			case table.DeviceTimeline:
				p.in.Timeline = day.File
			case table.Rate:
				p.in.Rates = append(p.in.Rates, day.File)
			default:
				p.in.Events[t.Path()] = append(p.in.Events[t.Path()], facts.Day{Day: day.Head.Day, File: day.File})
			}
		}
	}
	units, daily, excluded := w.Draft(table.UnitMetric), w.Draft(table.ExperimentDay), w.Draft(table.Exclusion)
	var exclusions []table.ExclusionRow
	p.in.Experiments = append(p.in.Experiments, facts.Experiment{
		Experiment: c.experiment, Metrics: c.metrics, Exposures: exposures.File, Identifiers: identifiers.File, First: first,
		Unit: func(row *table.UnitMetricRow) error { return units.Add(row) },
		Day:  func(row *table.ExperimentDayRow) error { return daily.Add(row) },
		Exclusion: func(row *table.ExclusionRow) error {
			exclusions = append(exclusions, *row)
			return excluded.Add(row)
		},
	})
	w.WhenCommitted(func() error {
		slices.SortFunc(exclusions, func(a, b table.ExclusionRow) int {
			return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Reason, b.Reason))
		})
		for _, row := range exclusions {
			log.Info("left out of a metric", "experiment", w.Experiment, "metric", row.Metric, "table", row.Table, "reason", row.Reason, "rows", row.Rows)
		}
		return nil
	})
	return nil
}
