package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// campaigns are three experiments, whose facts are made together, over a lake of its own.
type campaigns struct {
	t *testing.T
	*Runner
	calls []string                             // the experiments of each call that made facts
	wrong func(experiment string, n int) error // of an experiment's facts, in the n-th call from 1 on
}

func newCampaigns(t *testing.T) *campaigns {
	c := &campaigns{t: t, wrong: func(string, int) error { return nil }}
	c.Runner = &Runner{Lake: lake.New(object.NewFolder(t.TempDir()), t.TempDir()), Zone: time.UTC, Memory: 8 << 20, Workers: 2, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	c.Jobs = []*jobs.Job{{Name: "night", Writes: []*table.Table{table.ProfileIdentifier}, Make: func(context.Context, *jobs.Work) error { return nil }}}
	for i, e := range []string{"a", "b", "c"} {
		unit := identifier.ID{byte(i + 1)}
		c.Jobs = append(c.Jobs, &jobs.Job{
			Name: "exposure/" + e, Experiment: e, Writes: []*table.Table{table.UnitExposure}, Reads: []jobs.Read{{Table: table.ProfileIdentifier}},
			Make: func(_ context.Context, w *jobs.Work) error {
				return w.Draft(table.UnitExposure).Add(&table.UnitExposureRow{Stitching: "s", Unit: unit, UnitType: "profile", Variant: e, Exposures: 1})
			},
		}, &jobs.Job{
			Name: "facts/" + e, Experiment: e, Writes: []*table.Table{table.UnitMetric}, Reads: []jobs.Read{{Table: table.UnitExposure}},
			Together: "facts", MakeTogether: c.facts,
		})
	}
	return c
}

// facts are a row a unit, which tells what was read.
func (c *campaigns) facts(ctx context.Context, works []*jobs.Work) []error {
	var names []string
	for _, w := range works {
		names = append(names, w.Experiment)
	}
	c.calls = append(c.calls, strings.Join(names, ""))
	errs := make([]error, len(works))
	for i, w := range works {
		exposures, err := w.OpenOne(ctx, table.UnitExposure)
		if err == nil {
			err = w.Draft(table.UnitMetric).Add(&table.UnitMetricRow{Metric: exposures.Head.Content, Stitching: "s", Unit: identifier.ID{9}})
		}
		if errs[i] = c.wrong(w.Experiment, len(c.calls)); err != nil {
			errs[i] = err
		}
	}
	return errs
}

// does makes the tasks of a day as Execute does, one group after the other, and gives their errors.
func (c *campaigns) does(names ...string) (errs map[string]error) {
	c.t.Helper()
	plan, err := c.Plan(c.t.Context(), Request{From: 1, To: 1, Jobs: names, Force: true})
	if err != nil {
		c.t.Fatal(err)
	}
	errs = map[string]error{}
	ended := map[int]bool{}
	for len(ended) < len(plan.Tasks) {
		var ready []int
		for i := range plan.Tasks {
			waits := slices.ContainsFunc(slices.Concat(plan.needs[i], plan.after[i]), func(k int) bool { return !ended[k] })
			if !ended[i] && !waits {
				ready = append(ready, i)
			}
		}
		tasks, _ := plan.next(ready)
		var attempts []*attempt
		for _, i := range tasks {
			attempts = append(attempts, &attempt{Task: plan.Tasks[i], res: &Result{}})
			ended[i] = true
		}
		c.make(c.t.Context(), plan, attempts)
		for _, a := range attempts {
			if a.err != nil {
				errs[a.Job.Name] = a.err
			}
		}
	}
	return errs
}

// contents are the content hashes of the facts by experiment.
func (c *campaigns) contents() map[string]string {
	found := map[string]string{}
	for _, e := range []string{"a", "b", "c"} {
		h, err := c.Lake.Head(c.t.Context(), lake.Partition{Table: table.UnitMetric, Experiment: e, Day: 1})
		if err == nil {
			found[e] = h.Content
		}
	}
	return found
}

// TestTogether: jobs that belong together are made by one call, and have what they would have alone.
func TestTogether(t *testing.T) {
	t.Parallel()
	c := newCampaigns(t)
	if errs := c.does(); len(errs) > 0 || !slices.Equal(c.calls, []string{"abc"}) {
		t.Fatalf("%v, calls %v", errs, c.calls)
	}
	alone := newCampaigns(t)
	for _, e := range []string{"c", "a", "b"} {
		if errs := alone.does("night", "exposure/"+e, "facts/"+e); len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	if !slices.Equal(alone.calls, []string{"c", "a", "b"}) || !maps.Equal(alone.contents(), c.contents()) || len(c.contents()) != 3 {
		t.Errorf("calls %v, %v instead of %v", alone.calls, alone.contents(), c.contents())
	}
	if c.does("facts/c", "facts/a"); c.calls[1] != "ac" {
		t.Errorf("two of them: %v", c.calls)
	}
}

// TestTogetherWaits: they are ready at once, and blocked by nothing but their own inputs.
func TestTogetherWaits(t *testing.T) {
	t.Parallel()
	c := newCampaigns(t)
	plan, err := c.Plan(t.Context(), Request{From: 1, To: 2, AllNights: true})
	if err != nil {
		t.Fatal(err)
	}
	waits := map[string][]int{}
	for i, task := range plan.Tasks {
		for _, k := range plan.needs[i] {
			if e := plan.Tasks[k].Job.Experiment; e != "" && e != task.Job.Experiment {
				t.Errorf("%s is blocked by %s", task, plan.Tasks[k])
			}
		}
		key := task.together()
		if key == "" {
			continue
		}
		all := slices.Sorted(slices.Values(slices.Concat(plan.needs[i], plan.after[i])))
		if known, second := waits[key]; second && !slices.Equal(known, all) {
			t.Errorf("%s waits for %v, another for %v", task, all, known)
		}
		waits[key] = all
	}
	if len(waits) != 2 || len(waits["facts 1970-01-02"]) == 0 {
		t.Errorf("nights that are made together: %v", waits)
	}
}

// TestTogetherFails: the error of one is its own; where none comes off, each is tried alone; and only what has read
// something that was replaced starts anew.
func TestTogetherFails(t *testing.T) {
	t.Parallel()
	own := errors.New("an amount in a currency without a rate")
	for name, of := range map[string]struct {
		wrong  func(e string, call int) error
		calls  []string
		failed []string
	}{
		"one of them": {func(e string, _ int) error {
			if e == "b" {
				return own
			}
			return nil
		}, []string{"abc"}, []string{"facts/b"}},
		"all, because of one": {func(e string, call int) error {
			if call == 1 || e == "b" {
				return own
			}
			return nil
		}, []string{"abc", "a", "b", "c"}, []string{"facts/b"}},
		"an input was replaced": {func(e string, call int) error {
			if e == "c" && call == 1 {
				return fmt.Errorf("reading: %w", lake.ErrChanged)
			}
			return nil
		}, []string{"abc", "c"}, nil},
		"again and again": {func(e string, _ int) error {
			if e == "c" {
				return fmt.Errorf("reading: %w", lake.ErrChanged)
			}
			return nil
		}, []string{"abc", "c", "c"}, []string{"facts/c"}},
	} {
		c := newCampaigns(t)
		c.wrong = of.wrong
		errs := c.does()
		if failed := slices.Sorted(maps.Keys(errs)); !slices.Equal(failed, of.failed) || !slices.Equal(c.calls, of.calls) {
			t.Errorf("%s: failed %v in calls %v", name, failed, c.calls)
		}
		if n := len(c.contents()); n != 3-len(of.failed) {
			t.Errorf("%s: %d of them were committed", name, n)
		}
	}
}
