package catalog

import (
	"math"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// span is the days of a table that a night of an experiment reads, as far as they lie before its end.
type span struct{ from, to table.Day }

// open is the end of a span that goes on until the night.
const open = math.MaxInt32

// spans are those of several tables, in the order in which they were added.
type spans struct {
	tables []*table.Table
	of     map[*table.Table]span
}

// add widens a table's span.
func (s *spans) add(t *table.Table, more span) {
	if s.of == nil {
		s.of = map[*table.Table]span{}
	}
	have, known := s.of[t]
	if !known {
		s.tables, have = append(s.tables, t), more
	}
	s.of[t] = span{min(have.from, more.from), max(have.to, more.to)}
}

// reads are the spans as a job names them.
func (s *spans) reads() []jobs.Read {
	var reads []jobs.Read
	for _, t := range s.tables {
		of := s.of[t]
		reads = append(reads, jobs.Read{Table: t, Span: func(night table.Day) (from, to table.Day) {
			return of.from, min(night, of.to)
		}})
	}
	return reads
}

// since is the day on which a length of time before the experiment's start begins.
func (c campaign) since(before time.Duration) table.Day {
	return table.DayOf(c.experiment.Start.Window(c.zone).From.Add(-before), c.zone)
}

// bounds are those of the window of the last unit that may be exposed; ok is false while the experiment is open.
func (c campaign) bounds(m *metric.Metric) (to, matured int64, ok bool) {
	if c.experiment.End == nil {
		return 0, 0, false
	}
	end := c.experiment.End.Window(c.zone).To.UnixMicro()
	_, to, matured = m.Bounds(end-1, metric.Horizon{End: end, Zone: c.zone})
	return to, matured, true
}

// dayBefore is the last day of a span of time that ends at an instant, in microseconds.
func (c campaign) dayBefore(end int64) table.Day {
	return table.DayOf(table.Micros(end-1).Time(), c.zone)
}

// last is the night in which the last unit that may be exposed has matured; nil while the experiment is open.
func (c campaign) last() *table.Day {
	if c.experiment.End == nil {
		return nil
	}
	last := *c.experiment.End
	for _, m := range c.metrics {
		if _, matured, ok := c.bounds(m); ok {
			last = max(last, c.dayBefore(matured))
		}
	}
	return &last
}

// observed are the days on which something may happen that a metric counts: of events, those from the first covariate to the
// end of the last window; what changes is read until the night, since it may change after that window.
func (c campaign) observed(m *metric.Metric, t *table.Table) span {
	s := span{c.since(m.Covariate.Duration()), open}
	if to, _, ok := c.bounds(m); ok && t.Kind == table.Event {
		s.to = c.dayBefore(to)
	}
	return s
}

// exposed is the days in which exposures count, until a night.
func (c campaign) exposed(night table.Day) (from, to table.Day) {
	if c.experiment.End != nil {
		night = min(night, *c.experiment.End)
	}
	return c.experiment.Start, night
}
