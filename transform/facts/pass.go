package facts

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"crosslift/schemas/identifier"
)

// task is a row group to be read.
type task struct {
	*reading
	day   Day
	group int
	first int64 // its first row's place in the file
	least identifier.ID
}

// tasks are the row groups that may hold an event inside a window, ordered by the smallest account in them: so those of several
// days that come to the same units follow each other, and neighbouring workers' units differ.
func (b *builder) tasks() []task {
	var list []task
	for _, r := range b.readings {
		for _, day := range r.days {
			first := int64(0)
			for g := range day.File.RowGroups() {
				t := task{reading: r, day: day, group: g, first: first}
				first += day.File.RowGroupRows(g)
				if low, high, ok := day.File.IntBounds(g, r.table.Occurred); ok && (high < r.from || low >= r.to) {
					continue
				}
				if r.account && day.File.Absent(g, "account") == 0 {
					t.least, _, _ = day.File.IDBounds(g, "account")
				}
				list = append(list, t)
			}
		}
	}
	slices.SortStableFunc(list, func(x, y task) int {
		return cmp.Or(bytes.Compare(x.least[:], y.least[:]), cmp.Compare(x.day.Day, y.day.Day))
	})
	return list
}

// share is tasks between workers, each of whom begins with a stretch of its own.
type share struct {
	mu        sync.Mutex
	stretches [][]task
}

func newShare(tasks []task, workers int) *share {
	s := &share{}
	for w := range workers {
		s.stretches = append(s.stretches, tasks[w*len(tasks)/workers:(w+1)*len(tasks)/workers])
	}
	return s
}

// next gives a worker its next task: of its own stretch, then from the end of the longest that is left.
func (s *share) next(worker int) (t task, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own := s.stretches[worker]; len(own) > 0 {
		s.stretches[worker] = own[1:]
		return own[0], true
	}
	longest := 0
	for i := range s.stretches {
		if len(s.stretches[i]) > len(s.stretches[longest]) {
			longest = i
		}
	}
	rest := s.stretches[longest]
	if len(rest) == 0 {
		return t, false
	}
	s.stretches[longest] = rest[:len(rest)-1]
	return rest[len(rest)-1], true
}

// part is one of the ranges that units are worked in.
type part struct{ at, of int }

// of gives the units of a view that a part holds: [from, to).
func (p part) units(v *view) (from, to int32) {
	n := len(v.ids)
	return int32(n * p.at / p.of), int32(n * (p.at + 1) / p.of)
}

// parts says in how many ranges units are to be worked.
func (b *builder) parts() int {
	bytes, most := int64(0), 1
	for _, v := range b.views {
		each := int64(0)
		for _, m := range v.measures {
			each += m.unitBytes()
		}
		bytes += each * int64(len(v.ids))
		most = max(most, len(v.ids))
	}
	if b.Memory <= 0 {
		return 1
	}
	return int(min(max(1, (bytes+b.Memory-1)/b.Memory), int64(most)))
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
			for _, v := range e.views {
				for at, m := range v.measures {
					b.tellDays(v, at, sheets[v.place], p)
					if m.ranked && parts > 1 {
						v.collect(at, sheets[v.place], p)
						continue
					}
					if err := v.emit(at, sheets[v.place], p, b.end); err != nil {
						return err
					}
				}
			}
			return nil
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
			for _, v := range e.views {
				for at, m := range v.measures {
					if !m.ranked {
						continue
					}
					if err := v.emit(at, sheets[v.place], p, b.end); err != nil {
						return err
					}
				}
			}
			return nil
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
	g.Wait() //nolint:errcheck // failures are the experiments' own
}

// read runs the workers over the tasks for one part of the units, and gives their sheets, by view. What is told of days and
// exclusions is added to the experiments', unless it is read again.
func (b *builder) read(ctx context.Context, tasks []task, p part, again bool) ([]*sheet, error) {
	sheets := make([]*sheet, len(b.views))
	for i, v := range b.views {
		from, to := p.units(v)
		sheets[i] = newSheet(int(to-from), len(v.measures))
	}
	share := newShare(tasks, b.workers)
	workers := make([]*worker, b.workers)
	g, gctx := errgroup.WithContext(ctx)
	for i := range workers {
		w := newWorker(b, p, again, sheets)
		workers[i] = w
		g.Go(func() error {
			for t, ok := share.next(i); ok; t, ok = share.next(i) {
				if err := w.group(gctx, t); err != nil {
					return fmt.Errorf("%s %s: %w", t.table, t.day.Day, err)
				}
			}
			return nil
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
	return sheets, nil
}
