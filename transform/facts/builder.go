package facts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
)

// builder holds what all workers share; while they run, none of it changes but the sums, which have locks.
type builder struct {
	Input
	workers int
	end     int64 // of the night

	trials            []*trial // that have not failed so far
	views             []*view
	sources           map[string]*source
	readings          map[string]*reading // by table path
	accounts, devices *index              // of all experiments
	ofAccounts        *owners
	ofDevices         *owners
	users             *timeline.Index // who used a device; nil where nobody asks
	userOf            []int32         // a device's place in users, by its number; none where there is none

	first  table.Day // of starts
	starts []int64   // of the days of all experiments, and the end of the last

	everything []uint8 // the state of rows that all count, see facets

	counts Counts
	failed []error
}

// trial is an experiment in the making.
type trial struct {
	*Experiment
	place    int
	measures []*measure
	views    []*view
	calendar calendar
	tally    tally
	cells    []cell // of one measure's units, while they are emitted
}

// measure is a metric of an experiment.
type measure struct {
	*metric.Metric
	span                   span
	numerator, denominator *source // denominator: of ratios only
	ranked                 bool    // bounds depend on all units' values
}

// reading is what is read of a table's days.
type reading struct {
	table           *table.Table
	days            []Day
	account, device bool // columns that the table has
	byDevice        bool // some view asks for the device of every event
	sources         []*source
	views           []viewing
	place           []int32 // in views, by the view's place among all; none of one that does not read the table
	newest          *newest // of a table of changes
	from, to        int64   // the bounds of all windows
}

// viewing is what a view takes from a table.
type viewing struct {
	*view
	at   int // its place in the reading
	uses []use
}

// use is one measure's numerator or denominator.
type use struct {
	*measure
	of          *trial
	at          int // the measure's place in the view
	source      int // in the reading
	denominator bool
	excludes    bool // what is left out is counted: once a table
}

// prepare reads everything but events.
func (b *builder) prepare(ctx context.Context) error {
	b.sources, b.readings = map[string]*source{}, map[string]*reading{}
	b.count()
	b.everything = make([]uint8, 1<<17) // as many as a row group of the lake has
	var claimed []*claim                // by view
	for i := range b.Experiments {
		e := &trial{Experiment: &b.Experiments[i], place: i}
		err := b.define(e)
		var claims []*claim
		if err == nil {
			claims, err = e.read(ctx, b)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			b.failed[i] = fmt.Errorf("experiment %s: %w", e.Name, err)
			continue
		}
		b.trials, b.views, claimed = append(b.trials, e), append(b.views, e.views...), append(claimed, claims...)
	}
	if err := b.readAllRates(ctx); err != nil {
		return err
	}
	b.plan()
	if err := b.know(ctx, claimed); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(b.readings)) {
		r := b.readings[path]
		if r.table.Kind != table.Change {
			continue
		}
		var err error
		if r.newest, err = readNewest(ctx, r.table, r.days, b.workers); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// define prepares an experiment's metrics.
func (b *builder) define(e *trial) error {
	if b.end-e.Start.Window(b.Zone).From.UnixMicro() > longest {
		return errors.New("it began more than eight years before the night")
	}
	h := b.horizon(e.Experiment)
	for _, m := range e.Metrics {
		made := &measure{Metric: m, span: newSpan(m, h)}
		made.ranked = made.percentiles()
		var err error
		if made.numerator, err = b.source(m, &m.Source); err != nil {
			return err
		}
		if m.Type == metric.Ratio {
			if m.Denominator == nil {
				return fmt.Errorf("metric %s: a ratio without a denominator", m.Name)
			}
			if made.denominator, err = b.source(m, m.Denominator); err != nil {
				return err
			}
		}
		e.measures = append(e.measures, made)
	}
	newViews(e)
	e.calendar = b.calendar(e)
	e.tally = newTally(e)
	return nil
}

// plan says what is read of each table, for views that have any units.
func (b *builder) plan() {
	for place, v := range b.views {
		v.place = place
		v.from, v.to = never, always
		if v.decides {
			b.counts.Units += int64(len(v.ids))
		}
		if len(v.ids) == 0 {
			continue
		}
		earliest, latest := never, always
		for _, p := range v.people {
			earliest, latest = min(earliest, p.first), max(latest, p.first)
		}
		for at, m := range v.measures {
			_, to := m.span.bounds(latest)
			v.from, v.to = min(v.from, earliest-m.span.covariate), max(v.to, to)
			b.use(v, use{measure: m, of: v.experiment, at: at, excludes: v.decides}, m.numerator)
			if m.denominator != nil {
				b.use(v, use{measure: m, of: v.experiment, at: at, denominator: true, excludes: v.decides && m.denominator.table != m.numerator.table}, m.denominator)
			}
		}
		for _, r := range b.readings {
			if slices.ContainsFunc(r.views, func(o viewing) bool { return o.view == v }) {
				r.from, r.to = min(r.from, v.from), max(r.to, v.to)
			}
		}
	}
}

func (b *builder) use(v *view, u use, s *source) {
	path := s.table.Path()
	r := b.readings[path]
	if r == nil {
		r = &reading{table: s.table, days: b.Events[path], from: never, to: always, place: slices.Repeat([]int32{none}, len(b.views))}
		_, r.account = s.table.Column("account")
		_, r.device = s.table.Column("device")
		b.readings[path] = r
	}
	if u.source = slices.Index(r.sources, s); u.source < 0 {
		u.source = len(r.sources)
		r.sources = append(r.sources, s)
	}
	r.byDevice = r.byDevice || v.byDevice
	if n := len(r.views); n == 0 || r.views[n-1].view != v {
		r.place[v.place] = int32(n)
		r.views = append(r.views, viewing{view: v, at: n})
	}
	at := &r.views[len(r.views)-1]
	at.uses = append(at.uses, u)
}

// fail notes an experiment's first error.
func (b *builder) fail(e *trial, err error) {
	if err != nil && b.failed[e.place] == nil {
		b.failed[e.place] = fmt.Errorf("experiment %s: %w", e.Name, err)
	}
}
