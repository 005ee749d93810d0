package catalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/stats/results"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/postgres"
)

// campaign makes the jobs of one experiment.
type campaign struct {
	experiment *experiment.Experiment
	metrics    []*metric.Metric
	zone       *time.Location
	identity   Identity
	filled     func(*table.Table) bool // by a source of the project
}

func (c campaign) job(step string, logic int, definitions map[string]string) *jobs.Job {
	return &jobs.Job{
		Name: step + "/" + c.experiment.Name, Experiment: c.experiment.Name, Logic: logic,
		Definitions: definitions, Idle: c.idle, Last: c.last(),
	}
}

// definitions names the experiment's definition, by the hash of what a step uses of it, and others.
func (c campaign) definitions(of string, others map[string]string) map[string]string {
	all := maps.Clone(others)
	all["experiment "+c.experiment.Name] = of
	return all
}

// byMetric names the definitions of the experiment's metrics, by the hash of what a step uses of each.
func (c campaign) byMetric(of func(*metric.Metric) string) map[string]string {
	all := map[string]string{}
	for _, m := range c.metrics {
		all["metric "+m.Name] = of(m)
	}
	return all
}

// told is what results say of a metric: its numbers, in which unit, and what is good.
func told(m *metric.Metric) string { return hash([]string{m.Hash(), m.Unit, m.Direction}) }

// idle says why a night does not belong to the experiment: it has not begun.
func (c campaign) idle(night table.Day) string {
	if night < c.experiment.Start {
		return fmt.Sprintf("it starts on %s", c.experiment.Start)
	}
	return ""
}

func (c campaign) stats() *jobs.Job {
	j := c.job("stats", results.Logic, c.definitions(c.experiment.DefinitionHash(nil), c.byMetric(told)))
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
	j := c.job("publish", 1, nil)
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
