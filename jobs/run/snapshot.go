package run

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// snapshot is what the lake holds, as far as a run knows: read once, kept up by the run's own commits.
type snapshot struct {
	mu     sync.RWMutex
	heads  map[series][]*lake.Head // by day and revision
	revise bool                    // a state of a later night may stand in for a thinned one
}

// series is a table, of one experiment where the table has it.
type series struct {
	table      string
	experiment string
}

func seriesOf(t *table.Table, experiment string) series {
	if !t.ByExperiment {
		experiment = ""
	}
	return series{t.Path(), experiment}
}

// look reads the footers of every table that the jobs read or write.
func (r *Runner) look(ctx context.Context) (*snapshot, error) {
	tables := map[series]*table.Table{}
	for _, j := range r.Jobs {
		for _, t := range j.Writes {
			tables[seriesOf(t, j.Experiment)] = t
		}
		for _, read := range j.Reads {
			tables[seriesOf(read.Table, j.Experiment)] = read.Table
		}
	}
	s := &snapshot{heads: map[series][]*lake.Head{}}
	g, ctx := errgroup.WithContext(ctx)
	for key, t := range tables {
		g.Go(func() error {
			heads, err := r.Lake.Heads(ctx, t, key.experiment)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.heads[key] = heads
			return err
		})
	}
	return s, g.Wait()
}

// at is the partition of a day, the highest revision of a result; nil when there is none.
func (s *snapshot) at(t *table.Table, experiment string, day table.Day) *lake.Head {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found *lake.Head
	for _, h := range s.heads[seriesOf(t, experiment)] {
		if h.Day == day {
			found = h
		}
	}
	return found
}

// between are the partitions of a table by day.
func (s *snapshot) between(t *table.Table, from, to table.Day) []*lake.Head {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []*lake.Head
	for _, h := range s.heads[seriesOf(t, "")] {
		if from <= h.Day && h.Day <= to {
			found = append(found, h)
		}
	}
	return found
}

// read gives the partitions that a job reads for a day. missing: one that must exist does not.
func (s *snapshot) read(j *jobs.Job, read jobs.Read, day table.Day) (heads []*lake.Head, missing bool) {
	switch {
	case read.Span != nil:
		from, to := read.Span(day)
		return s.between(read.Table, from, to), false
	case read.Previous:
		if h := s.before(read.Table, j.Experiment, day); h != nil {
			return []*lake.Head{h}, false
		}
		return nil, false
	}
	h := s.at(read.Table, j.Experiment, day)
	if s.revise && read.Table.Layer == "core" && (h == nil || former(h)) {
		h = s.newest(read.Table, j.Experiment)
		if h != nil && h.Day < day {
			h = nil
		}
	}
	if h == nil {
		return nil, true
	}
	return []*lake.Head{h}, false
}

// former reports a partition that a program with another version of its table has made.
func former(h *lake.Head) bool { return h.Recipe.Tables[h.Table.Path()] != h.Table.Version }

// first is the first day that a table has; ok is false when it has none.
func (s *snapshot) first(t *table.Table) (day table.Day, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	heads := s.heads[seriesOf(t, "")]
	if len(heads) == 0 {
		return 0, false
	}
	return heads[0].Day, true
}

// newest is the partition of the last night; nil when there is none.
func (s *snapshot) newest(t *table.Table, experiment string) *lake.Head {
	s.mu.RLock()
	defer s.mu.RUnlock()
	heads := s.heads[seriesOf(t, experiment)]
	if len(heads) == 0 {
		return nil
	}
	return heads[len(heads)-1]
}

// before is the partition of the last night before a day; nil when there is none.
func (s *snapshot) before(t *table.Table, experiment string, day table.Day) *lake.Head {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found *lake.Head
	for _, h := range s.heads[seriesOf(t, experiment)] {
		if h.Day < day {
			found = h
		}
	}
	return found
}

// committed takes note of a partition that the run has made.
func (s *snapshot) committed(h *lake.Head) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := seriesOf(h.Table, h.Experiment)
	at, found := slices.BinarySearchFunc(s.heads[key], h, func(a, b *lake.Head) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Revision, b.Revision))
	})
	if found {
		s.heads[key][at] = h
	} else {
		s.heads[key] = slices.Insert(s.heads[key], at, h)
	}
}

// forget reads a task's partitions and inputs anew, after somebody else has changed them.
func (r *Runner) forget(ctx context.Context, s *snapshot) error {
	fresh, err := r.look(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heads = fresh.heads
	return nil
}
