package run

import (
	"context"
	"fmt"
	"maps"

	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
)

// skipped is why a night before a later one is not made.
const skipped = "the next night covers it"

// verdict says how a task stands, by what the lake holds now: whether its upstream is itself stale does not enter.
func (r *Runner) verdict(ctx context.Context, s *snapshot, t Task, q Request) (Verdict, error) {
	v, err := r.judge(ctx, s, t, q)
	switch {
	case v.State == Current && q.later(t):
		v.State, v.Reason = Idle, fmt.Sprintf("its last night was %s", *t.Job.Last)
	case (v.State == Stale || v.State == Missing) && r.past(s, t) != nil:
		why, err := r.unable(ctx, s, t, q)
		if err != nil {
			return v, err
		}
		if why != "" {
			v.State, v.Reason = Sealed, v.Reason+", but "+why
		}
	}
	return v, err
}

// judge holds what a task's partitions are against what they would be made from now.
func (r *Runner) judge(ctx context.Context, s *snapshot, t Task, q Request) (Verdict, error) {
	j := t.Job
	v := Verdict{Task: t}
	if j.Idle != nil {
		if v.Reason = j.Idle(t.Day); v.Reason != "" {
			v.State = Idle
			return v, nil
		}
	}
	if j.Publish != nil {
		return r.published(ctx, s, t)
	}
	was, torn := r.was(s, t)
	if j.Night() && !q.Revise {
		if newest := s.newest(j.Writes[0], j.Experiment); newest != nil && t.Day < newest.Day {
			v.State, v.Reason = Sealed, "a later night is committed"
			if was == nil {
				v.State, v.Reason = Skipped, skipped
			}
			return v, nil
		}
	}
	sealed := was != nil && !j.Night() && !q.Unseal && r.sealed(s, t)
	var e expectation
	var missing string
	var err error
	if !sealed || j.Derived() { // a source is not asked about what is sealed
		e, missing, err = r.expected(ctx, s, t)
	}
	switch {
	case err != nil:
		return v, err
	case sealed && (!j.Derived() || missing != "" || maps.Equal(was.Recipe.Inputs, e.recipe.Inputs)): // else what it reads was unsealed
		v.State, v.Reason = Sealed, fmt.Sprintf("older than the %d days that sources may restate", r.restatement(j))
	case missing != "":
		v.State, v.Reason = Waiting, missing
	case was == nil:
		v.State = Missing
	case torn != Current:
		v.State, v.Reason = torn, "its tables were not committed together"
	case was.Recipe.Hash() != e.recipe.Hash():
		v.State, v.Reason = Stale, was.Recipe.Difference(e.recipe)
	case j.Unversioned:
		v.State, v.Reason = Open, "the source may have restated it, which only reading tells"
	default:
		v.State = Current
	}
	return v, nil
}

// sealed reports a day that may no longer change by itself.
func (r *Runner) sealed(s *snapshot, t Task) bool {
	days := r.restatement(t.Job)
	return days >= 0 && r.night(s)-t.Day > table.Day(days)
}

// restatement is for how many days what a job by day makes may still change: of one that reads others' tables, for as
// long as any of these. Negative: for ever.
func (r *Runner) restatement(j *jobs.Job) int {
	days := j.Restatement
	for _, before := range r.Jobs {
		if !before.FeedsInto(j) {
			continue
		}
		more := r.restatement(before)
		if more < 0 {
			return more
		}
		days = max(days, more)
	}
	return days
}

// published is the verdict on a task that publishes.
func (r *Runner) published(ctx context.Context, s *snapshot, t Task) (Verdict, error) {
	read := t.Job.Reads[0].Table
	h := s.at(read, t.Job.Experiment, t.Day)
	if newest := s.newest(read, t.Job.Experiment); h == nil && newest != nil && t.Day < newest.Day {
		return Verdict{Task: t, State: Skipped, Reason: skipped}, nil
	}
	if h == nil {
		p := lake.Partition{Table: read, Experiment: t.Job.Experiment, Day: t.Day, Revision: 1}
		return Verdict{Task: t, State: Waiting, Reason: p.String() + " is missing"}, nil
	}
	done, err := t.Job.Published(ctx, h)
	switch {
	case err != nil:
		return Verdict{Task: t}, err
	case done:
		return Verdict{Task: t, State: Current}, nil
	}
	return Verdict{Task: t, State: Missing, Reason: fmt.Sprintf("revision %d is not in the warehouse", h.Revision)}, nil
}

// was is what a task's partitions are now. A job that writes several tables gives them one recipe: torn says how they
// fall short of that.
func (r *Runner) was(s *snapshot, t Task) (was *lake.Head, torn State) {
	torn = Current
	for _, w := range t.Job.Writes {
		h := s.at(w, t.Job.Experiment, t.Day)
		switch {
		case h == nil:
			torn = Missing
		case was == nil:
			was = h
		case was.Recipe.Hash() != h.Recipe.Hash() && torn == Current:
			torn = Stale
		}
	}
	return was, torn
}

// night is the newest night of any state in the lake.
func (r *Runner) night(s *snapshot) table.Day {
	var night table.Day
	for _, j := range r.Jobs {
		if j.Night() && len(j.Writes) > 0 {
			if h := s.newest(j.Writes[0], j.Experiment); h != nil {
				night = max(night, h.Day)
			}
		}
	}
	return night
}
