package run

import (
	"context"

	"crosslift/jobs"
	"crosslift/schemas/table"
)

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
	ended := make(chan []int)
	started := make(chan Task)
	running, done := 0, 0
	for done < len(p.Tasks) {
		for running < r.Workers && len(ready) > 0 && ctx.Err() == nil {
			var tasks []int
			tasks, ready = p.next(ready)
			running++
			go func() {
				r.bring(ctx, p, results, tasks, started)
				ended <- tasks
			}()
		}
		if running == 0 {
			break // nothing more is started
		}
		select {
		case t := <-started:
			r.Notify(Event{Started: &t, Done: done, Total: len(p.Tasks)})
		case tasks := <-ended:
			running--
			for _, i := range tasks {
				done++
				r.Notify(Event{Finished: &results[i], Done: done, Total: len(p.Tasks)})
				for _, k := range followers[i] {
					if waits[k]--; waits[k] == 0 {
						ready = append(ready, k)
					}
				}
			}
		}
	}
	return results, ctx.Err()
}

// next takes the first task that is ready, and those that are made together with it.
func (p *Plan) next(ready []int) (tasks, rest []int) {
	first := p.Tasks[ready[0]].together()
	for at, i := range ready {
		if at == 0 || first != "" && p.Tasks[i].together() == first {
			tasks = append(tasks, i)
		} else {
			rest = append(rest, i)
		}
	}
	return tasks, rest
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
