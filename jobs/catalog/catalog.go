// Package catalog wires sources, transforms and storage into jobs. It is the only package that knows all three: what
// a job reads and writes, and which of its settings decide its rows, is said here and nowhere else.
package catalog

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"crosslift/connectors"
	"crosslift/jobs"
	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/warehouse/postgres"
)

// Project is what the jobs are made of.
type Project struct {
	Zone        *time.Location
	Streams     []connectors.Stream // of files
	Sources     []connectors.Source // of everything else
	Key         identifier.Key
	Suppressed  identifier.Set // of erased persons: no row that names one enters the lake
	Identity    Identity
	Memory      int64 // bytes that identity's events may take, besides sorting; facts stay within it altogether
	Experiments []*experiment.Experiment
	Metrics     []*metric.Metric
	Warehouse   *postgres.DB // nil where nothing is published

	Journals string // folder for what extracts have read so far
	Now      func() time.Time
	Log      *slog.Logger
}

// Jobs makes the project's jobs, in the order of their graph.
func Jobs(p Project) ([]*jobs.Job, error) {
	byTable := map[*table.Table][]feed{}
	for _, s := range p.Streams {
		byTable[s.Table()] = append(byTable[s.Table()], feed{s, false})
	}
	for _, source := range p.Sources {
		for _, s := range source.Streams() {
			byTable[s.Table()] = append(byTable[s.Table()], feed{s, true})
		}
	}
	tables := slices.SortedFunc(maps.Keys(byTable), func(a, b *table.Table) int { return cmp.Compare(a.Path(), b.Path()) })
	var all []*jobs.Job
	for _, t := range tables {
		slices.SortFunc(byTable[t], func(a, b feed) int { return cmp.Compare(a.Name(), b.Name()) })
		all = append(all, p.extract(t, byTable[t]))
	}
	if len(p.Sources) > 0 {
		all = append(all, p.totals(tables))
	}
	if j, ok := edges(tables); ok {
		all = append(all, j)
	}
	all = append(all, stitcher{Identity: p.Identity, zone: p.Zone, memory: p.Memory}.job())
	m := measurer{Project: p, campaigns: map[string]campaign{}, turn: make(chan struct{}, 1)}
	for _, e := range p.Experiments {
		metrics, err := MetricsOf(e, p.Metrics)
		if err != nil {
			return nil, err
		}
		c := campaign{
			experiment: e, metrics: metrics, zone: p.Zone, identity: p.Identity,
			filled: func(t *table.Table) bool { return len(byTable[t]) > 0 },
		}
		m.campaigns[e.Name] = c
		all = append(all, c.exposure(p.Log), m.facts(c), c.stats(), c.publish(p.Warehouse))
	}
	return jobs.Sort(all)
}

// MetricsOf gives the metrics that an experiment names, in its order.
func MetricsOf(e *experiment.Experiment, all []*metric.Metric) ([]*metric.Metric, error) {
	var metrics []*metric.Metric
	for _, name := range e.Metrics() {
		i := slices.IndexFunc(all, func(m *metric.Metric) bool { return m.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("experiment %s: no metric is named %q", e.Name, name)
		}
		metrics = append(metrics, all[i])
	}
	return metrics, nil
}
