package facts

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// pass reads one table for all metrics that come from it.
type pass struct {
	table   *table.Table
	units   *units
	tallies []*tally
	end     int64
	seen    map[string]struct{} // keys of a table of changes that have been met
}

// group is a decoded row group: its events of units, and what the metrics' filters say of them.
type group struct {
	rows      int
	hits      []hit
	times     columns.Vector
	keys      columns.Vector // source_id of a table of changes
	selectors []*selector    // by tally
}

// hit is an event of a unit.
type hit struct{ row, unit int32 }

// run decodes row groups in parallel, at most two a worker ahead, and adds them in the order of days.
func (p *pass) run(ctx context.Context, days []Day, workers int, counts *Counts) error {
	if p.table.Kind == table.Change {
		p.seen = map[string]struct{}{}
	}
	workers = max(workers, 1)
	g, gctx := errgroup.WithContext(ctx)
	room := make(chan struct{}, 2*workers)
	queue := make(chan chan *group, 2*workers)
	g.Go(func() error {
		defer close(queue)
		decoders, ctx := errgroup.WithContext(gctx)
		decoders.SetLimit(workers)
		for _, day := range newestFirst(days) {
			for i := day.File.RowGroups() - 1; i >= 0; i-- {
				if p.prune(day.File, i) {
					continue
				}
				select {
				case room <- struct{}{}:
				case <-ctx.Done():
					return decoders.Wait()
				}
				ready := make(chan *group, 1)
				queue <- ready
				decoders.Go(func() error {
					defer close(ready)
					decoded, err := p.decode(ctx, day.File, i)
					if err != nil {
						return fmt.Errorf("%s: %w", day.Day, err)
					}
					ready <- decoded
					return nil
				})
			}
		}
		return decoders.Wait()
	})
	g.Go(func() error {
		for ready := range queue {
			if decoded, ok := <-ready; ok {
				counts.Rows += int64(decoded.rows)
				counts.Hits += int64(len(decoded.hits))
				p.add(decoded)
			}
			<-room
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// prune reports a row group that lies before the first exposure or after the last window. A table of changes is read
// whole: a row outside every window may still replace one inside.
func (p *pass) prune(f *columns.File, rowGroup int) bool {
	low, high, ok := f.IntBounds(rowGroup, p.table.Occurred)
	if !ok || p.seen != nil {
		return false
	}
	longest := int64(0)
	for _, t := range p.tallies {
		longest = max(longest, t.window)
	}
	return high < p.units.earliest || low >= p.units.latest+longest || low >= p.end
}

// decode reads the columns of a row group that the metrics need, and finds the events of units.
func (p *pass) decode(ctx context.Context, f *columns.File, rowGroup int) (*group, error) {
	d := &group{}
	var accounts columns.Vector
	if err := f.Vector(ctx, rowGroup, "account", &accounts); err != nil {
		return nil, err
	}
	d.rows = len(accounts.Index)
	unitOf := p.units.of(accounts.IDs)
	for row, at := range accounts.Index {
		if at >= 0 && unitOf[at] >= 0 {
			d.hits = append(d.hits, hit{int32(row), unitOf[at]})
		}
	}
	if len(d.hits) == 0 {
		return d, nil
	}
	if err := f.Vector(ctx, rowGroup, p.table.Occurred, &d.times); err != nil {
		return nil, err
	}
	if p.seen != nil {
		if err := f.Vector(ctx, rowGroup, "source_id", &d.keys); err != nil {
			return nil, err
		}
	}
	read := map[string]*columns.Vector{}
	column := func(name string) (*columns.Vector, error) {
		if read[name] == nil {
			read[name] = &columns.Vector{}
			if err := f.Vector(ctx, rowGroup, name, read[name]); err != nil {
				return nil, err
			}
		}
		return read[name], nil
	}
	for _, t := range p.tallies {
		s, err := newSelector(t.metric, column)
		if err != nil {
			return nil, err
		}
		d.selectors = append(d.selectors, s)
	}
	return d, nil
}

// add takes a decoded row group into the tallies, the last row first: a table of changes is sorted by account and
// time, so the newest state of a key comes first.
func (p *pass) add(d *group) {
	for i := len(d.hits) - 1; i >= 0; i-- {
		h := d.hits[i]
		if p.seen != nil {
			key := d.keys.Strings[d.keys.Index[h.row]]
			if _, known := p.seen[key]; known {
				continue
			}
			p.seen[key] = struct{}{}
		}
		at := d.times.Ints[h.row]
		since := at - p.units.first[h.unit]
		if since < 0 || at >= p.end {
			continue
		}
		for i, t := range p.tallies {
			if since < t.window && d.selectors[i].meets(int(h.row)) {
				t.add(h.unit, at, d.selectors[i].value(int(h.row)))
			}
		}
	}
}

// selector is a metric's filter and value over one row group.
type selector struct {
	conditions []func(row int) bool
	value      func(row int) float64
}

func newSelector(m *metric.Metric, column func(string) (*columns.Vector, error)) (*selector, error) {
	s := &selector{value: func(int) float64 { return 1 }}
	for i := range m.Filter {
		v, err := column(m.Filter[i].Column)
		if err != nil {
			return nil, err
		}
		s.conditions = append(s.conditions, condition(&m.Filter[i], v))
	}
	if m.Type != metric.Mean {
		return s, nil
	}
	v, err := column(m.Value)
	if err != nil {
		return nil, err
	}
	if v.Present != nil {
		s.conditions = append(s.conditions, func(row int) bool { return v.Present[row] })
	}
	if len(v.Ints) > 0 {
		s.value = func(row int) float64 { return float64(v.Ints[row]) }
	} else {
		s.value = func(row int) float64 { return v.Floats[row] }
	}
	return s, nil
}

func (s *selector) meets(row int) bool {
	for _, c := range s.conditions {
		if !c(row) {
			return false
		}
	}
	return true
}
