package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"crosslift/jobs"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/postgres"
)

// retries is how often a task starts anew because an input was replaced while it was read.
const retries = 3

// attempt is a task that is owned and being made.
type attempt struct {
	Task
	claim *postgres.Claim
	begun time.Time
	res   *Result
	err   error
}

// bring brings tasks up to date that are made together; most are alone.
func (r *Runner) bring(ctx context.Context, p *Plan, results []Result, tasks []int, started chan<- Task) {
	var attempts []*attempt
	for _, i := range tasks {
		if a := r.begin(ctx, p, results, i); a != nil {
			started <- a.Task
			attempts = append(attempts, a)
		}
	}
	r.make(ctx, p, attempts)
	for _, a := range attempts {
		err := a.err
		if err != nil {
			err = fmt.Errorf("%s: %w", a.Task, err)
			a.res.Outcome = Failed
		}
		a.res.Err = errors.Join(err, r.finish(ctx, a.claim, *a.res, err))
		a.res.Took = r.Now().Sub(a.begun)
	}
}

// begin decides about a task, and claims it where it is to be made; else it gives nil, and results say what came of it.
func (r *Runner) begin(ctx context.Context, p *Plan, results []Result, i int) *attempt {
	t := p.Tasks[i]
	begun := r.Now()
	res := &results[i]
	*res = Result{Verdict: Verdict{Task: t}, Outcome: Left}
	fail := func(outcome Outcome, err error) *attempt {
		res.Outcome, res.Err = outcome, err
		res.Took = r.Now().Sub(begun)
		return nil
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
		return nil
	case !p.Request.Wants(v):
		return nil
	}
	claim, err := r.claim(ctx, t)
	if err != nil {
		return fail(Failed, fmt.Errorf("%s: %w", t, err))
	}
	return &attempt{Task: t, claim: claim, begun: begun, res: res}
}

// make makes tasks that belong together. Those whose inputs were replaced while they were read start anew; where none of
// several has come off, each is made alone, so that the fault of one is not that of all.
func (r *Runner) make(ctx context.Context, p *Plan, attempts []*attempt) {
	for try := 1; len(attempts) > 0; try++ {
		r.once(ctx, p, attempts)
		failed := slices.DeleteFunc(slices.Clone(attempts), func(a *attempt) bool { return a.err == nil })
		changed := slices.DeleteFunc(slices.Clone(failed), func(a *attempt) bool { return !errors.Is(a.err, lake.ErrChanged) })
		switch {
		case ctx.Err() != nil, try == retries:
			return
		case len(changed) > 0:
			r.Log.Info("an input was replaced while it was read: starting anew", "job", changed[0].Job.Name, "day", changed[0].Day)
			if err := r.forget(ctx, p.snapshot); err != nil {
				for _, a := range changed {
					a.err = err
				}
				return
			}
		case len(failed) > 1 && len(failed) == len(attempts):
			for _, a := range attempts {
				r.make(ctx, p, []*attempt{a})
			}
		}
		attempts = changed
	}
}

// once does the work of tasks that belong together, commits what came off, and says in each attempt what came of it.
func (r *Runner) once(ctx context.Context, p *Plan, attempts []*attempt) {
	if first := attempts[0]; first.Job.Publish != nil {
		h := p.snapshot.at(first.Job.Reads[0].Table, first.Job.Experiment, first.Day)
		rows, err := first.Job.Publish(ctx, r.Lake, h, first.claim)
		first.res.Outcome, first.res.Counts, first.res.Recipe = Published, lake.Counts{Read: h.Rows, Written: rows}, h.Recipe.Hash()
		first.err = err
		return
	}
	memory := r.Memory / int64(r.Workers)
	if attempts[0].Job.Together != "" {
		memory /= 2 * int64(len(attempts)) // the other half is for what makes them
	}
	var works []*jobs.Work
	var recipes []lake.Recipe
	var prepared []*attempt
	for _, a := range attempts {
		e, missing, err := r.expected(ctx, p.snapshot, a.Task)
		if missing = cmp.Or(missing, e.lacks); missing != "" {
			err = errors.New(missing)
		}
		if a.err = err; err != nil {
			continue
		}
		w := jobs.NewWork(r.Lake, a.Job, a.Day, e.inputs, memory)
		defer w.Close()
		w.Window, w.Workers, w.Known, w.Files = r.window(a.Day), r.Workers, e.known, e.recipe.Files
		for _, table := range a.Job.Writes {
			w.Replaces(p.snapshot.at(table, a.Job.Experiment, a.Day))
		}
		works, recipes, prepared = append(works, w), append(recipes, e.recipe), append(prepared, a)
	}
	if len(prepared) == 0 {
		return
	}
	var errs []error
	if j := prepared[0].Job; j.MakeTogether != nil {
		errs = j.MakeTogether(ctx, works)
	} else {
		errs = []error{j.Make(ctx, works[0])}
	}
	for i, a := range prepared {
		a.res.Counts = works[i].Counts
		if a.err = errs[i]; a.err == nil {
			a.err = r.commit(ctx, p, a, works[i], recipes[i])
		}
	}
}

// commit publishes what a work has made.
func (r *Runner) commit(ctx context.Context, p *Plan, a *attempt, w *jobs.Work, recipe lake.Recipe) error {
	j := a.Job
	a.res.Outcome, a.res.Recipe = Unchanged, recipe.Hash()
	for i := len(j.Writes) - 1; i >= 0; i-- { // the first table last: whoever sees it finds its siblings
		h, did, err := w.Draft(j.Writes[i]).Commit(ctx, recipe, w.Counts, p.snapshot.at(j.Writes[i], j.Experiment, a.Day))
		if err != nil {
			return err
		}
		p.snapshot.committed(h)
		if i == 0 {
			a.res.Counts.Written = h.Rows
		}
		if rank[Outcome(did)] > rank[a.res.Outcome] {
			a.res.Outcome = Outcome(did)
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
