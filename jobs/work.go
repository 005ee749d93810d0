package jobs

import (
	"context"
	"errors"
	"fmt"

	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// Work is what a job is given to do its work for a day: the window, pinned inputs, and drafts for its tables.
type Work struct {
	Day        table.Day
	Experiment string       // of jobs by experiment, else ""
	Window     table.Window // of the day, in the business's zone
	Workers    int
	// Known cuts an identity of a later night to what was known by the end of this day; set when a past result is
	// revised after its own night's identity was thinned.
	Known  bool
	Files  map[string]string // of extracts: what the plan found, name → SHA-256
	Counts lake.Counts

	lake      *lake.Lake
	inputs    map[string][]*lake.Head // by table path
	drafts    map[string]*lake.Draft
	open      []*lake.Reading
	was       map[string]*lake.Head // by table path
	committed []func() error
}

// NewWork collects the inputs and opens the drafts of a job, which sort within about memory bytes together.
func NewWork(l *lake.Lake, j *Job, day table.Day, inputs map[string][]*lake.Head, memory int64) *Work {
	w := &Work{Day: day, Experiment: j.Experiment, lake: l, inputs: inputs, drafts: map[string]*lake.Draft{}}
	for _, t := range j.Writes {
		p := lake.Partition{Table: t, Experiment: j.Experiment, Day: day}
		if t.Kind == table.Result {
			p.Revision = 1
		}
		w.drafts[t.Path()] = l.Draft(p, memory/int64(len(j.Writes)))
	}
	return w
}

// Draft is the partition being made of one of the job's tables.
func (w *Work) Draft(t *table.Table) *lake.Draft { return w.drafts[t.Path()] }

// Heads are the partitions of a table that the job reads, in the order of their days.
func (w *Work) Heads(t *table.Table) []*lake.Head { return w.inputs[t.Path()] }

// Open opens the partitions of a table that the job reads, in the order of their days. They are closed with the work.
func (w *Work) Open(ctx context.Context, t *table.Table) ([]*lake.Reading, error) {
	return w.OpenSince(ctx, t, w.firstDay(t))
}

func (w *Work) firstDay(t *table.Table) table.Day {
	if heads := w.Heads(t); len(heads) > 0 {
		return heads[0].Day
	}
	return 0
}

// OpenSince opens those of them from a day on: what is older has come to the job in another way.
func (w *Work) OpenSince(ctx context.Context, t *table.Table, since table.Day) ([]*lake.Reading, error) {
	var readings []*lake.Reading
	for _, h := range w.Heads(t) {
		if h.Day < since {
			continue
		}
		r, err := w.openHead(ctx, h)
		if err != nil {
			return nil, err
		}
		w.Counts.Read += h.Rows
		readings = append(readings, r)
	}
	return readings, nil
}

// OpenShared opens those of them that are not among opened, by key, and notes them there: works that are done together read
// what they share once. All of them count as read.
func (w *Work) OpenShared(ctx context.Context, t *table.Table, opened map[string]bool) ([]*lake.Reading, error) {
	var readings []*lake.Reading
	for _, h := range w.Heads(t) {
		w.Counts.Read += h.Rows
		if opened[h.Key()] {
			continue
		}
		r, err := w.openHead(ctx, h)
		if err != nil {
			return nil, err
		}
		opened[h.Key()] = true
		readings = append(readings, r)
	}
	return readings, nil
}

func (w *Work) openHead(ctx context.Context, h *lake.Head) (*lake.Reading, error) {
	r, err := w.lake.Read(ctx, h)
	if err == nil {
		w.open = append(w.open, r)
	}
	return r, err
}

// OpenOne opens the one partition of a table that the job reads.
func (w *Work) OpenOne(ctx context.Context, t *table.Table) (*lake.Reading, error) {
	readings, err := w.Open(ctx, t)
	if err != nil {
		return nil, err
	}
	if len(readings) != 1 {
		return nil, fmt.Errorf("%s: %d partitions where one was expected", t, len(readings))
	}
	return readings[0], nil
}

// Was is the partition of one of the job's tables as the plan saw it, which is about to be replaced; nil when there is
// none.
func (w *Work) Was(t *table.Table) *lake.Head { return w.was[t.Path()] }

// OpenWas opens the partition that Was gives.
func (w *Work) OpenWas(ctx context.Context, t *table.Table) (*lake.Reading, error) {
	return w.openHead(ctx, w.Was(t))
}

// Replaces tells the work what it is about to replace.
func (w *Work) Replaces(h *lake.Head) {
	if h != nil {
		if w.was == nil {
			w.was = map[string]*lake.Head{}
		}
		w.was[h.Table.Path()] = h
	}
}

// WhenCommitted has something done once all partitions of the work are committed: until then it may have to begin anew.
func (w *Work) WhenCommitted(do func() error) { w.committed = append(w.committed, do) }

// Committed does what was to be done then.
func (w *Work) Committed() error {
	var err error
	for _, do := range w.committed {
		err = errors.Join(err, do())
	}
	return err
}

// Close frees what the work holds.
func (w *Work) Close() error {
	var err error
	for _, r := range w.open {
		err = errors.Join(err, r.Close())
	}
	for _, d := range w.drafts {
		err = errors.Join(err, d.Close())
	}
	return err
}
