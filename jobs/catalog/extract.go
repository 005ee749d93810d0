package catalog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"crosslift/connectors"
	"crosslift/connectors/files"
	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// extractLogic is raised when extracts give other rows from the same sources and definitions.
const extractLogic = 3

// feed is a stream and how its source gives rows: page by page, as APIs do, it may give one twice.
type feed struct {
	connectors.Stream
	paged bool
}

// extract makes the job that fills a raw table, and its quarantine, from all the streams that map onto it. Suppression
// is no part of the recipe: an erasure changes partitions by itself, and must not make all others stale.
func (p Project) extract(t *table.Table, feeds []feed) *jobs.Job {
	j := &jobs.Job{
		Name: "extract/" + t.Name, Writes: []*table.Table{t, t.Quarantine()}, Logic: extractLogic, Key: p.Key.Fingerprint(),
		Definitions: map[string]string{},
	}
	for _, f := range feeds {
		j.Definitions["stream "+f.Name()] = f.Definition()
		j.Unversioned = j.Unversioned || !f.Versioned()
		switch days := f.Restatement(); {
		case days < 0 || j.Restatement < 0:
			j.Restatement = -1
		default:
			j.Restatement = max(j.Restatement, days)
		}
	}
	j.Files = func(ctx context.Context, day table.Day) (map[string]string, error) {
		read := map[string]string{}
		for _, f := range feeds {
			inputs, err := f.Inputs(ctx, day)
			if err != nil {
				return nil, sourceFault(err)
			}
			for _, in := range inputs {
				read[f.Name()+": "+in.Name] = in.SHA256
			}
		}
		return read, nil
	}
	j.Make = func(ctx context.Context, w *jobs.Work) error {
		var sinks []*sink
		carries, files := false, false
		for _, f := range feeds {
			s := p.newSink(w, t, f, len(feeds) > 1)
			if err := p.extractOne(ctx, w, f, s); err != nil {
				return err
			}
			sinks = append(sinks, s)
			carries, files = carries || !f.Versioned(), files || !f.paged
		}
		if carries && !files && t.Kind == table.Change { // what files hold is known anew each time
			return carry(ctx, sinks)
		}
		return nil
	}
	return j
}

// extractOne reads a stream into the drafts of a table and its quarantine.
func (p Project) extractOne(ctx context.Context, w *jobs.Work, f feed, s *sink) error {
	inputs := inputsOf(f, w.Files)
	if f.paged {
		if err := s.journaled(p.Journals, p.Now(), inputs); err != nil {
			return err
		}
		defer s.journal.close()
	}
	if err := f.Extract(ctx, w.Day, inputs, s); err != nil {
		if errors.Is(err, connectors.ErrContract) || s.journal.stuck() && ctx.Err() == nil {
			s.journal.drop()
		}
		return sourceFault(err)
	}
	if err := errors.Join(s.judge(f.Quarantine()), s.reconcile()); err != nil {
		s.journal.drop()
		return err
	}
	return nil
}

// sourceFault gives an error of a source its exit code.
func sourceFault(err error) error {
	switch {
	case errors.Is(err, connectors.ErrContract):
		return jobs.Exit(jobs.ExitContract, err)
	case errors.Is(err, connectors.ErrDown), errors.Is(err, files.ErrMissing), errors.Is(err, fs.ErrNotExist):
		return jobs.Exit(jobs.ExitSource, err) // not delivered, a share that is not mounted
	}
	return err
}

// inputsOf gives a stream its own part of what the plan found.
func inputsOf(s connectors.Stream, files map[string]string) []connectors.Input {
	var inputs []connectors.Input
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if file, ok := strings.CutPrefix(name, s.Name()+": "); ok {
			inputs = append(inputs, connectors.Input{Name: file, SHA256: files[name]})
		}
	}
	return inputs
}

// reconcile compares what the source says it has with what landed. What can be counted only when the rows are sorted
// is compared then, before the partition is published.
func (s *sink) reconcile() error {
	if len(s.said) == 0 {
		return nil
	}
	counts := &s.work.Counts
	if s.keys != nil { // counted as they came
		for _, said := range s.said {
			said.Landed = s.sums[said.Measure+"/"+said.Currency]
			if said.Measure == connectors.Rows {
				said.Landed = int64(len(s.keys)) + s.rejected + s.erased
			}
			if err := s.differs(said); err != nil {
				return err
			}
			counts.Said = append(counts.Said, said)
		}
		return nil
	}
	at := len(counts.Said)
	counts.Said = append(counts.Said, s.said...)
	s.work.Draft(s.table).Audit = func(h *lake.Head) error {
		for i, said := range s.said {
			said.Landed = sumOf(h, said)
			if said.Measure == connectors.Rows {
				said.Landed = h.Rows + s.rejected + s.erased
			}
			if err := s.differs(said); err != nil {
				s.journal.drop()
				return err
			}
			h.Counts.Said[at+i].Landed = said.Landed
		}
		return nil
	}
	return nil
}

// sumOf is the control sum of a partition that a total is about.
func sumOf(h *lake.Head, of lake.Said) (sum int64) {
	name := of.Measure
	if of.Currency != "" {
		name += "/" + of.Currency
	}
	fmt.Sscan(h.Sums[name], &sum) // absent: none of that currency
	return sum
}

// differs says that something else landed than the source has. Sums are comparable only when no row was rejected.
func (s *sink) differs(said lake.Said) error {
	if said.Landed == said.Value || said.Measure != connectors.Rows && s.rejected+s.erased > 0 {
		return nil
	}
	what := strings.TrimSpace(said.Measure + " " + said.Currency)
	return jobs.Exit(jobs.ExitBlocked, fmt.Errorf("%s: the source says %s = %d, %d landed in %s: nothing was published; run again, or ask the source",
		s.stream, what, said.Value, said.Landed, s.table))
}
