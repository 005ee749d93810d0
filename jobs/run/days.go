package run

import (
	"context"

	"crosslift/jobs"
	"crosslift/schemas/table"
)

// earlier are the days before the request that a night makes up for: what it has missed, because a source was down or
// nothing ran, what sources may have restated since, and what follows from either. planned are the tasks of the jobs that
// the job may follow.
func (r *Runner) earlier(ctx context.Context, s *snapshot, j *jobs.Job, q Request, planned []Task) ([]table.Day, error) {
	if j.Derived() {
		return r.outdated(ctx, s, j, q, planned)
	}
	var days []table.Day
	first, ok := r.first(s, j)
	night := min(r.night(s), q.From)
	for day := first; ok && day < q.From; day++ {
		if s.at(j.Writes[0], "", day) == nil || j.Restatement < 0 || night-day <= table.Day(j.Restatement) {
			days = append(days, day)
		}
	}
	return days, nil
}

// outdated are the earlier days of a job by day that reads others' tables: those that are planned to be made anew there,
// and those that are not as they would be made now.
func (r *Runner) outdated(ctx context.Context, s *snapshot, j *jobs.Job, q Request, planned []Task) ([]table.Day, error) {
	first, ok := r.first(s, j)
	if !ok {
		first = q.From
	}
	again := map[table.Day]bool{}
	for _, t := range planned {
		if t.Job.FeedsInto(j) {
			again[t.Day] = true
			first = min(first, t.Day)
		}
	}
	var days []table.Day
	for day := first; day < q.From; day++ {
		follows := false
		for _, read := range j.Reads {
			from, to := read.Span(day)
			for d := max(from, first); d <= to && !follows; d++ {
				follows = again[d]
			}
		}
		if !follows {
			v, err := r.verdict(ctx, s, Task{j, day}, Request{})
			if err != nil {
				return nil, err
			}
			follows = v.State == Missing || v.State == Stale
		}
		if follows {
			days = append(days, day)
		}
	}
	return days, nil
}

// first is the first day that a job by day has made; of one that reads others' tables, the first that it could make.
func (r *Runner) first(s *snapshot, j *jobs.Job) (first table.Day, ok bool) {
	if !j.Derived() {
		return s.first(j.Writes[0])
	}
	for _, read := range j.Reads {
		if day, begun := s.first(read.Table); begun && (!ok || day < first) {
			first, ok = day, true
		}
	}
	return first, ok
}

// Status is a plan of everything that the lake knows of: each day of each job since its first, and the newest night, of an
// experiment that has ended its last one. ok is false when the lake is empty.
func (r *Runner) Status(ctx context.Context) (p *Plan, ok bool, err error) {
	s, err := r.look(ctx)
	if err != nil {
		return nil, false, err
	}
	var first, last table.Day
	for _, j := range r.Jobs {
		if j.Night() {
			continue
		}
		if day, begun := s.first(j.Writes[0]); begun && (!ok || day < first) {
			first, ok = day, true
		}
		if newest := s.newest(j.Writes[0], ""); newest != nil {
			last = max(last, newest.Day)
		}
	}
	night := max(r.night(s), last)
	p = &Plan{snapshot: s, Request: Request{From: first, To: night}, Window: table.Span(first, night, r.Zone)}
	if !ok {
		return p, false, nil
	}
	for _, j := range r.Jobs {
		if j.Night() {
			continue
		}
		day, begun := r.first(s, j)
		if !begun {
			day = night
		}
		for ; day <= night; day++ {
			p.Tasks = append(p.Tasks, Task{j, day})
		}
	}
	ended := r.lastNights(s)
	for _, j := range r.Jobs {
		if j.Night() {
			p.Tasks = append(p.Tasks, ended.task(j, night))
		}
	}
	p.order()
	return p, true, nil
}
