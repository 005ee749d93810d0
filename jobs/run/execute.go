package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/postgres"
)

// retries is how often a task starts anew because an input was replaced while it was read.
const retries = 3

// Execute runs a plan. It gives one result a task, in the plan's order; an error only when the run itself could not
// go on. When ctx ends, nothing more is started and what runs is waited for.
func (r *Runner) Execute(ctx context.Context, p *Plan) ([]Result, error) {
	results := make([]Result, len(p.Tasks))
	waits := make([]int, len(p.Tasks))
	followers := make([][]int, len(p.Tasks))
	var ready []int
	for i := range p.Tasks {
		waits[i] = len(p.needs[i]) + len(p.after[i])
		for _, before := range [][]int{p.needs[i], p.after[i]} {
			for _, k := range before {
				followers[k] = append(followers[k], i)
			}
		}
		if waits[i] == 0 {
			ready = append(ready, i)
		}
	}
	ended := make(chan int)
	started := make(chan Task)
	running, done := 0, 0
	for done < len(p.Tasks) {
		for running < r.Workers && len(ready) > 0 && ctx.Err() == nil {
			i := ready[0]
			ready = ready[1:]
			running++
			go func() {
				results[i] = r.task(ctx, p, results, i, started)
				ended <- i
			}()
		}
		if running == 0 {
			break // nothing more is started
		}
		select {
		case t := <-started:
			r.Notify(Event{Started: &t, Done: done, Total: len(p.Tasks)})
		case i := <-ended:
			running--
			done++
			r.Notify(Event{Finished: &results[i], Done: done, Total: len(p.Tasks)})
			for _, k := range followers[i] {
				if waits[k]--; waits[k] == 0 {
					ready = append(ready, k)
				}
			}
		}
	}
	return results, ctx.Err()
}

// task brings one task up to date.
func (r *Runner) task(ctx context.Context, p *Plan, results []Result, i int, started chan<- Task) Result {
	t := p.Tasks[i]
	begun := r.Now()
	res := Result{Verdict: Verdict{Task: t}, Outcome: Left}
	fail := func(outcome Outcome, err error) Result {
		res.Outcome, res.Err = outcome, err
		res.Took = r.Now().Sub(begun)
		return res
	}
	for _, k := range p.needs[i] {
		if results[k].Err != nil {
			return fail(Blocked, fmt.Errorf("%s: not run: %s failed", t, p.Tasks[k]))
		}
	}
	v, err := r.verdict(ctx, p.snapshot, t, p.Request)
	res.Verdict = v
	switch {
	case err != nil:
		return fail(Failed, r.record(ctx, t, fmt.Errorf("%s: %w", t, err)))
	case p.Request.blocks(v):
		return fail(Blocked, fmt.Errorf("%s: %s: run the job that makes it first", t, v.Reason))
	case v.State == Idle:
		res.Outcome = Idled
		return res
	case !p.Request.Wants(v):
		return res
	}
	started <- t
	claim, err := r.claim(ctx, t)
	if err != nil {
		return fail(Failed, fmt.Errorf("%s: %w", t, err))
	}
	for try := 1; ; try++ {
		err = r.make(ctx, p, t, claim, &res)
		if !errors.Is(err, lake.ErrChanged) || try == retries {
			break
		}
		r.Log.Info("an input was replaced while it was read: starting anew", "job", t.Job.Name, "day", t.Day)
		if err = r.forget(ctx, p.snapshot); err != nil {
			break
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", t, err)
		res.Outcome = Failed
	}
	res.Err = errors.Join(err, r.finish(ctx, claim, res, err))
	res.Took = r.Now().Sub(begun)
	return res
}

// make does the work of a task and says in res what came of it.
func (r *Runner) make(ctx context.Context, p *Plan, t Task, claim *postgres.Claim, res *Result) error {
	j := t.Job
	if j.Publish != nil {
		h := p.snapshot.at(j.Reads[0].Table, j.Experiment, t.Day)
		rows, err := j.Publish(ctx, r.Lake, h, claim)
		res.Outcome, res.Counts, res.Recipe = Published, lake.Counts{Read: h.Rows, Written: rows}, h.Recipe.Hash()
		return err
	}
	e, missing, err := r.expected(ctx, p.snapshot, t)
	if err != nil {
		return err
	}
	if missing != "" {
		return errors.New(missing)
	}
	w := jobs.NewWork(r.Lake, j, t.Day, e.inputs, r.Memory/int64(r.Workers))
	defer w.Close()
	w.Window, w.Workers, w.Known, w.Files = r.window(t.Day), r.Workers, e.known, e.recipe.Files
	for _, table := range j.Writes {
		w.Replaces(p.snapshot.at(table, j.Experiment, t.Day))
	}
	err = j.Make(ctx, w)
	res.Counts = w.Counts
	if err != nil {
		return err
	}
	res.Outcome, res.Recipe = Unchanged, e.recipe.Hash()
	for i := len(j.Writes) - 1; i >= 0; i-- { // the first table last: whoever sees it finds its siblings
		h, did, err := w.Draft(j.Writes[i]).Commit(ctx, e.recipe, w.Counts, p.snapshot.at(j.Writes[i], j.Experiment, t.Day))
		if err != nil {
			return err
		}
		p.snapshot.committed(h)
		if i == 0 {
			res.Counts.Written = h.Rows
		}
		if rank[Outcome(did)] > rank[res.Outcome] {
			res.Outcome = Outcome(did)
		}
	}
	return w.Committed()
}

// rank orders the outcomes of a job that commits several tables: it is known by the greatest.
var rank = map[Outcome]int{Unchanged: 0, Recommitted: 1, Written: 2}

func (r *Runner) claim(ctx context.Context, t Task) (*postgres.Claim, error) {
	return r.Ledger.Claim(ctx, postgres.Task{Job: t.Job.Name, Experiment: t.Job.Experiment, Day: t.Day})
}

// finish writes a task's end into the ledger, also when ctx has ended meanwhile.
func (r *Runner) finish(ctx context.Context, claim *postgres.Claim, res Result, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	o := postgres.Outcome{
		State: string(res.Outcome), RowsIn: res.Counts.Read, RowsOut: res.Counts.Written, RowsQuarantined: res.Counts.Quarantined,
		Recipe: res.Recipe,
	}
	if err != nil {
		o.Err = err.Error()
	}
	return claim.Finish(ctx, o)
}

// record notes in the ledger a task that failed before it could begin.
func (r *Runner) record(ctx context.Context, t Task, err error) error {
	claim, cannot := r.claim(ctx, t)
	if cannot != nil {
		return errors.Join(err, cannot)
	}
	return errors.Join(err, r.finish(ctx, claim, Result{Outcome: Failed}, err))
}

// ExitCode is that of a run with these results.
func ExitCode(results []Result) int {
	var codes []int
	for _, res := range results {
		if res.Outcome != Blocked || jobs.ExitCode(res.Err) != jobs.ExitFailed {
			codes = append(codes, jobs.ExitCode(res.Err))
		}
	}
	if code := jobs.Combine(codes...); code != jobs.ExitDone {
		return code
	}
	for _, res := range results {
		if res.Err != nil {
			return jobs.ExitFailed
		}
	}
	return jobs.ExitDone
}

// Night is the newest night that the lake holds, of any experiment; ok is false when there is none.
func (r *Runner) Night(ctx context.Context) (night table.Day, ok bool, err error) {
	s, err := r.look(ctx)
	if err != nil {
		return 0, false, err
	}
	night = r.night(s)
	return night, night > 0, nil
}
