package facts

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
)

// part is one of the ranges that units are worked in.
type part struct{ at, of int }

// of gives the units of a view that a part holds: [from, to).
func (p part) units(v *view) (from, to int32) {
	n := len(v.ids)
	return int32(n * p.at / p.of), int32(n * (p.at + 1) / p.of)
}

// pass reads the events and emits the facts: in one go where memory allows, else a range of units after the other. Percentiles
// of all units are known after the last range only; metrics that need them are then made in a second round.
func (b *builder) pass(ctx context.Context) error {
	tasks, parts := b.tasks(), b.parts()
	again := false
	for i := range parts {
		p := part{i, parts}
		sheets, err := b.read(ctx, tasks, p, false)
		if err != nil {
			return err
		}
		b.each(func(e *trial) error {
			return e.inOrder(func(v *view, at int) error {
				if v.measures[at].ranked && parts > 1 {
					v.collect(at, sheets[v.place], p)
					return nil
				}
				return v.emit(at, sheets[v.place], p, b.end)
			})
		})
		for _, e := range b.trials {
			again = again || parts > 1 && slices.ContainsFunc(e.measures, func(m *measure) bool { return m.ranked })
		}
	}
	for i := 0; again && i < parts; i++ {
		p := part{i, parts}
		sheets, err := b.read(ctx, tasks, p, true)
		if err != nil {
			return err
		}
		b.each(func(e *trial) error {
			return e.inOrder(func(v *view, at int) error {
				if !v.measures[at].ranked {
					return nil
				}
				return v.emit(at, sheets[v.place], p, b.end)
			})
		})
	}
	b.each(b.emitDays)
	b.each(b.emitExclusions)
	return ctx.Err()
}

// each does something for all experiments that have not failed, several at a time.
func (b *builder) each(do func(*trial) error) {
	var g errgroup.Group
	g.SetLimit(b.workers)
	for _, e := range b.trials {
		if b.failed[e.place] == nil {
			g.Go(func() error {
				b.fail(e, do(e))
				return nil
			})
		}
	}
	g.Wait() // nothing is returned: failures are the experiments' own
}

// read runs the workers over the tasks for one part of the units, and gives their sheets, by view. What is told of days and
// exclusions is added to the experiments', unless it is read again.
func (b *builder) read(ctx context.Context, tasks []task, p part, again bool) ([]*sheet, error) {
	sheets := make([]*sheet, len(b.views))
	for i, v := range b.views {
		from, to := p.units(v)
		sheets[i] = newSheet(int(to-from), len(v.measures))
	}
	groups, _ := b.groupsAtOnce()
	share := newShare(b.within(tasks, p), b.workers, groups)
	workers := make([]*worker, b.workers)
	g, gctx := errgroup.WithContext(ctx)
	for i := range workers {
		w := newWorker(b, p, again, sheets)
		workers[i] = w
		g.Go(func() error {
			for {
				tasks := share.next(i)
				if len(tasks) == 0 {
					return nil
				}
				if err := w.work(gctx, tasks); err != nil {
					return err
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, w := range workers {
		b.counts.Rows += w.counts.Rows
		b.counts.Hits += w.counts.Hits
		for _, e := range b.trials {
			e.tally.merge(&w.tallies[e.place])
		}
	}
	for _, e := range b.trials {
		b.fail(e, e.tally.unrated())
	}
	return sheets, b.parallel(len(b.views), func(i int) error {
		v, s := b.views[i], sheets[i]
		for at := range v.measures {
			if !again {
				b.tellDays(v, at, s, p)
			}
			s.settle(at)
		}
		from, _ := p.units(v)
		s.rank(v.numbers, from)
		return nil
	})
}
