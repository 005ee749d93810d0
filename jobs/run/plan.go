package run

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"crosslift/jobs"
	"crosslift/schemas/table"
)

// Plan is the tasks of a request, in an order in which each comes after those that it waits for.
type Plan struct {
	Request Request
	Tasks   []Task
	Window  table.Window // of the days asked for
	Notes   []string     // what the operator should know before it runs

	needs    [][]int // by task: those whose failure blocks it
	after    [][]int // by task: those that only have to have ended
	snapshot *snapshot
}

// Plan resolves a request into tasks.
func (r *Runner) Plan(ctx context.Context, q Request) (*Plan, error) {
	selected, err := r.selected(q.Jobs)
	if err != nil {
		return nil, err
	}
	s, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	s.revise = q.Revise
	p := &Plan{Request: q, Window: table.Span(q.From, q.To, r.Zone), snapshot: s}
	for _, j := range selected {
		if j.Night() || q.Revise {
			continue
		}
		if q.Heal {
			days, err := r.earlier(ctx, s, j, q, p.Tasks)
			if err != nil {
				return nil, err
			}
			for _, day := range days {
				p.Tasks = append(p.Tasks, Task{j, day})
			}
		}
		for day := q.From; day <= q.To; day++ {
			p.Tasks = append(p.Tasks, Task{j, day})
		}
	}
	ended, planned := r.lastNights(s), map[Task]bool{}
	for _, night := range r.nights(s, q, p) {
		for _, j := range selected {
			t := ended.task(j, night)
			if j.Night() && (!q.Revise || j.Experiment != "") && !planned[t] {
				p.Tasks, planned[t] = append(p.Tasks, t), true
			}
		}
	}
	p.order()
	return p, nil
}

// selected gives the jobs of the names, in the graph's order; all of them without names.
func (r *Runner) selected(names []string) ([]*jobs.Job, error) {
	for _, name := range names {
		if r.find(name) == nil {
			return nil, jobs.Exit(jobs.ExitUsage, fmt.Errorf("no job is named %q: `crosslift jobs` lists them", name))
		}
	}
	if len(names) == 0 {
		return r.Jobs, nil
	}
	var selected []*jobs.Job
	for _, j := range r.Jobs {
		if slices.Contains(names, j.Name) {
			selected = append(selected, j)
		}
	}
	return selected, nil
}

// nights are the nights to work on: the last one of the request or, when later nights are committed, the newest of
// them, since only that one is open.
func (r *Runner) nights(s *snapshot, q Request, p *Plan) []table.Day {
	newest := r.night(s)
	switch {
	case q.Revise:
		return []table.Day{q.From}
	case q.AllNights:
		var nights []table.Day
		for day := q.From; day <= q.To; day++ {
			nights = append(nights, day)
		}
		if newest > q.To {
			nights = append(nights, newest)
		}
		return nights
	case newest > q.To:
		p.Notes = append(p.Notes, fmt.Sprintf("night %s is sealed by night %s, which is brought up to date instead", q.To, newest))
		return []table.Day{newest}
	}
	return []table.Day{q.To}
}

// order derives what each task waits for from what its job reads. Tasks that are made together wait for what any of them
// does, so that they are ready at once.
func (p *Plan) order() {
	p.needs, p.after = make([][]int, len(p.Tasks)), make([][]int, len(p.Tasks))
	earlier := map[*jobs.Job][]int{} // tasks of each job so far
	for i, t := range p.Tasks {
		for job, tasks := range earlier {
			feeds, nights := feeder(job, t), job.Night() && t.Job.Night()
			for _, k := range tasks {
				switch day := p.Tasks[k].Day; {
				case feeds(day):
					p.needs[i] = append(p.needs[i], k)
				case nights && day < t.Day:
					p.after[i] = append(p.after[i], k)
				}
			}
		}
		earlier[t.Job] = append(earlier[t.Job], i)
	}
	together := map[string][]int{}
	for i, t := range p.Tasks {
		if key := t.together(); key != "" {
			together[key] = append(together[key], i)
		}
	}
	for _, tasks := range together {
		all := map[int]bool{} // what one of them waits for
		for _, i := range tasks {
			for _, k := range slices.Concat(p.needs[i], p.after[i]) {
				all[k] = true
			}
		}
		for _, i := range tasks {
			others := maps.Clone(all)
			for _, k := range p.needs[i] {
				delete(others, k)
			}
			p.after[i] = slices.Collect(maps.Keys(others))
		}
	}
	for i := range p.Tasks {
		slices.Sort(p.needs[i])
		slices.Sort(p.after[i])
	}
}

// feeder tells of which days a task reads what another job makes.
func feeder(job *jobs.Job, t Task) (feeds func(day table.Day) bool) {
	var spans [][2]table.Day
	if job.FeedsInto(t.Job) {
		for _, read := range t.Job.Reads {
			if !job.Produces(read) {
				continue
			}
			from, to := t.Day, t.Day
			if read.Span != nil {
				from, to = read.Span(t.Day)
			}
			spans = append(spans, [2]table.Day{from, to})
		}
	}
	return func(day table.Day) bool {
		return slices.ContainsFunc(spans, func(s [2]table.Day) bool { return s[0] <= day && day <= s[1] })
	}
}

// Verdicts says what the plan would do, task by task: a task is stale too when one that it reads from will run.
func (r *Runner) Verdicts(ctx context.Context, p *Plan) ([]Verdict, error) {
	verdicts := make([]Verdict, len(p.Tasks))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4 * r.Workers)
	for i, t := range p.Tasks {
		g.Go(func() error {
			v, err := r.verdict(gctx, p.snapshot, t, p.Request)
			if err != nil && gctx.Err() == nil {
				v.State, v.Reason = Waiting, err.Error()
				err = nil
			}
			verdicts[i] = v
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i := range verdicts {
		v := &verdicts[i]
		for _, k := range p.needs[i] {
			if !p.Request.Wants(verdicts[k]) || verdicts[k].State == Open {
				continue // what is read again will most likely be the same
			}
			switch {
			case v.State == Current, v.State == Idle && p.Request.later(v.Task), v.State == Sealed && !v.Task.Job.Night():
				v.State, v.Reason = Stale, "follows "+verdicts[k].Task.String()
			case v.State == Waiting:
				v.State, v.Reason = Missing, "follows "+verdicts[k].Task.String()
			}
		}
	}
	return verdicts, nil
}

// blocks reports a task that lacks what it needs, and that the request would make otherwise.
func (q Request) blocks(v Verdict) bool {
	return v.State == Waiting && q.Wants(Verdict{Task: v.Task, State: Missing})
}

// Wants reports whether a request makes a task of this verdict.
func (q Request) Wants(v Verdict) bool {
	switch v.State {
	case Missing:
		return !q.Stale || v.Task.Job.Publish != nil
	case Stale:
		return !q.Missing || v.Task.Job.Derived()
	case Open:
		return q.Heal || q.Force && v.Task.Day >= q.From
	case Current:
		return q.Force && v.Task.Day >= q.From
	}
	return false
}
