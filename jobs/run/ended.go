package run

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// lastNights are the nights with which experiments have ended, by experiment. A later one has nothing new to tell: what there
// is to do in it is what there is to do for the last one.
type lastNights map[string]table.Day

// lastNights are those that are committed. One that was never made, because it failed, or because the pipeline was installed
// after it, is made up for by a later night, which is the last one then.
func (r *Runner) lastNights(s *snapshot) lastNights {
	last := lastNights{}
	for _, j := range r.Jobs {
		if j.Last == nil || len(j.Writes) == 0 {
			continue
		}
		if h := s.newest(j.Writes[0], j.Experiment); h != nil && h.Day >= *j.Last {
			last[j.Experiment] = max(last[j.Experiment], h.Day)
		}
	}
	return last
}

// task is what a job has to do in a night. Nights are asked for in their order: one with which an experiment will end is noted.
func (l lastNights) task(j *jobs.Job, night table.Day) Task {
	if j.Last != nil {
		if last, ended := l[j.Experiment]; ended {
			night = min(night, last)
		} else if night >= *j.Last {
			l[j.Experiment] = night
		}
	}
	return Task{j, night}
}

// later reports a request for a later night than the one with which a task's experiment has ended.
func (q Request) later(t Task) bool {
	return t.Job.Last != nil && *t.Job.Last <= t.Day && t.Day < q.To
}

// past is what an experiment's last night was made as, once a later night is committed: from then on the night's identity
// cannot be made any more. nil for every other task, and where a past night is to be made of what is there.
func (r *Runner) past(s *snapshot, t Task) *lake.Head {
	if t.Job.Last == nil || t.Day < *t.Job.Last || s.revise || r.night(s) <= t.Day {
		return nil
	}
	was, _ := r.was(s, t)
	return was
}

// without reports that a past night lacks its partition of a table, or has it in a form that is no longer read.
func (e *expectation) without(read jobs.Read, day table.Day, heads []*lake.Head) bool {
	if read.Span != nil || read.Table.ByExperiment {
		return false
	}
	switch p := (lake.Partition{Table: read.Table, Day: day}); {
	case len(heads) == 0:
		e.lack(day, p.String()+" is not there")
	case former(heads[0]):
		e.lack(day, fmt.Sprintf("%s has version %d, now %d", p, heads[0].Recipe.Tables[read.Table.Path()], read.Table.Version))
	default:
		return false
	}
	return true
}

// keep takes what a past night has read, and what it would read again if it were still there, as it was: that it is gone makes
// nothing stale. Where the night is stale for another reason, it is not made again of what is left, as another night than it was.
func (e *expectation) keep(j *jobs.Job, day table.Day, was *lake.Head) {
	for _, key := range slices.Sorted(maps.Keys(was.Recipe.Inputs)) {
		if _, there := e.recipe.Inputs[key]; there {
			continue
		}
		p, ok := lake.ParseKey(key)
		for _, read := range j.Reads {
			switch {
			case !ok || read.Table != p.Table:
			case read.Span == nil && len(e.inputs[p.Table.Path()]) == 0:
				e.recipe.Inputs[key] = was.Recipe.Inputs[key]
			case read.Span != nil:
				if from, to := read.Span(day); from <= p.Day && p.Day <= to {
					e.recipe.Inputs[key] = was.Recipe.Inputs[key]
					e.lack(day, p.String()+" is not there")
				}
			}
		}
	}
}

// lack notes the first thing that a past night lacks, and what to do.
func (e *expectation) lack(day table.Day, what string) {
	if e.lacks == "" {
		e.lacks = fmt.Sprintf("%s: `crosslift run --day %s --revise` makes it of what is there", what, day)
	}
}

// unable says why a past night is not made again: something that its job reads is no longer there, or is not made again itself.
func (r *Runner) unable(ctx context.Context, s *snapshot, t Task, q Request) (why string, err error) {
	e, _, err := r.expected(ctx, s, t)
	if err != nil || e.lacks != "" {
		return e.lacks, err
	}
	for _, before := range r.Jobs {
		if before.Experiment != t.Job.Experiment || !before.FeedsInto(t.Job) {
			continue
		}
		v, err := r.verdict(ctx, s, Task{before, t.Day}, q)
		if err != nil || v.State == Sealed {
			return v.Task.String() + " is sealed", err
		}
	}
	return "", nil
}
