// Package catalog wires sources, transforms and storage into jobs. It is the only package that knows all three: what
// a job reads and writes, and which of its settings decide its rows, is said here and nowhere else.
package catalog

import (
	"cmp"
	"fmt"
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
	Streams     []connectors.Stream
	Key         identifier.Key
	Suppressed  identifier.Set // of erased persons: no row that names one enters the lake
	Experiments []*experiment.Experiment
	Metrics     []*metric.Metric
	Warehouse   *postgres.DB // nil where nothing is published
}

// Jobs makes the project's jobs, in the order of their graph.
func Jobs(p Project) ([]*jobs.Job, error) {
	byTable := map[*table.Table][]connectors.Stream{}
	var tables []*table.Table
	for _, s := range p.Streams {
		if byTable[s.Table()] == nil {
			tables = append(tables, s.Table())
		}
		byTable[s.Table()] = append(byTable[s.Table()], s)
	}
	slices.SortFunc(tables, func(a, b *table.Table) int { return cmp.Compare(a.Path(), b.Path()) })
	var all []*jobs.Job
	for _, t := range tables {
		slices.SortFunc(byTable[t], func(a, b connectors.Stream) int { return cmp.Compare(a.Name(), b.Name()) })
		all = append(all, extract(t, byTable[t], p.Key, p.Suppressed))
	}
	all = append(all, stitch(p.Zone, tables))
	for _, e := range p.Experiments {
		metrics, err := metricsOf(e, p.Metrics)
		if err != nil {
			return nil, err
		}
		c := campaign{experiment: e, metrics: metrics, zone: p.Zone}
		all = append(all, c.exposure(), c.facts(), c.stats(), c.publish(p.Warehouse))
	}
	return jobs.Sort(all)
}

// metricsOf gives the metrics that an experiment names, in its order.
func metricsOf(e *experiment.Experiment, all []*metric.Metric) ([]*metric.Metric, error) {
	var metrics []*metric.Metric
	for _, name := range e.Metrics {
		i := slices.IndexFunc(all, func(m *metric.Metric) bool { return m.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("experiment %s: no metric is named %q", e.Name, name)
		}
		metrics = append(metrics, all[i])
	}
	return metrics, nil
}
