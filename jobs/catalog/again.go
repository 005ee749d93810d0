package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// Again makes a night's identity a second time.
type Again struct {
	Lake     *lake.Lake
	Identity Identity
	Zone     *time.Location
	Memory   int64
	Workers  int
	Scratch  string // folder; what is written there is removed
}

// Compared is a table of a night as it is committed, beside what a run from scratch makes of it.
type Compared struct {
	Table     *table.Table
	Committed *lake.Head
	Scratch   *lake.Head
	// Of tables that differ: the first row that only one has, counted from 1 in the order of the table; and the column in
	// which it differs from the row at its place in the other.
	Row    int64
	Column string
}

// Equal reports whether both have the same rows.
func (c Compared) Equal() bool { return c.Committed.Content == c.Scratch.Content }

// Run makes the night from all observations, as if the night before it had left nothing but its ids, and compares every
// table with the committed one. It fails when the night is not of what the lake holds now: then there is nothing to compare.
func (a Again) Run(ctx context.Context, night table.Day) (compared []Compared, err error) {
	s := stitcher{Identity: a.Identity, zone: a.Zone, memory: a.Memory, whole: true}
	j := s.job()
	heads, err := nightHeads(ctx, a.Lake, night)
	if err != nil {
		return nil, err
	}
	recipe := heads[j.Writes[0]].Recipe
	inputs, err := a.inputs(ctx, j, night, recipe)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(a.Scratch, "identity-*")
	if err != nil {
		return nil, fmt.Errorf("scratch: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	scratch := lake.New(object.NewFolder(dir), a.Scratch)
	drafts := map[*table.Table]*lake.Draft{}
	for _, t := range j.Writes {
		drafts[t] = scratch.Draft(lake.Partition{Table: t, Day: night}, a.Memory/int64(len(j.Writes)))
		defer drafts[t].Close()
	}
	w := jobs.NewWork(a.Lake, j, night, inputs, a.Memory/int64(len(j.Writes)))
	defer w.Close()
	w.Window, w.Workers = night.Window(a.Zone), a.Workers
	if err := s.make(ctx, w, j, func(t *table.Table, row any) error { return drafts[t].Add(row) }); err != nil {
		return nil, err
	}
	for _, t := range j.Writes {
		h, _, err := drafts[t].Commit(ctx, recipe, lake.Counts{}, nil)
		if err != nil {
			return nil, err
		}
		c := Compared{Table: t, Committed: heads[t], Scratch: h}
		if !c.Equal() {
			if c.Row, c.Column, err = a.differ(ctx, scratch, c); err != nil {
				return nil, err
			}
		}
		compared = append(compared, c)
	}
	return compared, nil
}

// inputs are the partitions that the job read, as they still are.
func (a Again) inputs(ctx context.Context, j *jobs.Job, night table.Day, was lake.Recipe) (map[string][]*lake.Head, error) {
	now := lake.Recipe{
		Job: j.Name, Logic: j.Logic, Tables: lake.Tables(j.Writes...), Definitions: j.Definitions,
		Window: night.Window(a.Zone).String(), Zone: a.Zone.String(), Inputs: map[string]string{},
	}
	inputs := map[string][]*lake.Head{}
	for _, read := range j.Reads {
		heads, err := a.Lake.Heads(ctx, read.Table, "")
		if err != nil {
			return nil, err
		}
		for _, h := range heads {
			if read.Previous {
				if content, used := was.Previous[h.Key()]; !used {
					continue
				} else if content != h.Content {
					return nil, fmt.Errorf("%s was made again since night %s was made from it", h.Partition, night)
				}
			} else if from, to := read.Span(night); h.Day < from || h.Day > to {
				continue
			} else {
				now.Inputs[h.Key()] = h.Content
			}
			inputs[read.Table.Path()] = append(inputs[read.Table.Path()], h)
		}
		if read.Previous && len(was.Previous) > 0 && len(inputs[read.Table.Path()]) == 0 {
			return nil, fmt.Errorf("the night from which night %s has its ids is gone: %s is missing", night, read.Table)
		}
	}
	if why := was.Difference(now); why != "" {
		return nil, fmt.Errorf("night %s is stale (%s): bring it up to date first", night, why)
	}
	return inputs, nil
}

// differ finds the first row in which a table made from scratch differs from the committed one.
func (a Again) differ(ctx context.Context, scratch *lake.Lake, c Compared) (row int64, column string, err error) {
	committed, err := a.Lake.Read(ctx, c.Committed)
	if err != nil {
		return 0, "", err
	}
	defer committed.Close()
	made, err := scratch.Read(ctx, c.Scratch)
	if err != nil {
		return 0, "", err
	}
	defer made.Close()
	x, stopX := iter.Pull2(committed.Each(ctx, c.Table))
	defer stopX()
	y, stopY := iter.Pull2(made.Each(ctx, c.Table))
	defer stopY()
	codec := columns.NewCodec(c.Table)
	for row = 1; ; row++ {
		one, errX, moreX := x()
		other, errY, moreY := y()
		if err := errors.Join(errX, errY); err != nil {
			return row, "", err
		}
		if !moreX || !moreY {
			return row, "", nil
		}
		a, errX := codec.Append(nil, one)
		b, errY := codec.Append(nil, other)
		if err := errors.Join(errX, errY); err != nil {
			return row, "", err
		}
		if !bytes.Equal(a, b) {
			return row, codec.Differs(a, b), nil
		}
	}
}
