// Package run decides which partitions are due, and makes them: in the order of the graph, in parallel where it
// allows, each owned through the ledger and committed on what the plan saw.
package run

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/postgres"
)

// Runner runs the jobs of a project.
type Runner struct {
	Lake    *lake.Lake
	Jobs    []*jobs.Job
	Zone    *time.Location
	Memory  int64 // bytes for sorting, shared by the workers
	Workers int
	Ledger  *postgres.Run // nil: only Plan and Verdicts are used
	Log     *slog.Logger
	Now     func() time.Time
	Notify  func(Event) // progress; called by several goroutines, one at a time
}

// Request says what to do.
type Request struct {
	From, To  table.Day
	Jobs      []string // empty: all
	Force     bool     // make again what is current
	Missing   bool     // of sources only what does not exist; what is made from them is brought up to date
	Stale     bool     // only what exists and is stale
	Unseal    bool     // restate days that the source's restatement window has sealed
	AllNights bool     // every night of the range in order, rather than the last one
	Revise    bool     // recompute the past results of night From
	Heal      bool     // also the earlier days that were missed, or that a source may still change, and what follows from them
}

// Task is one job on one day.
type Task struct {
	Job *jobs.Job
	Day table.Day
}

// String names the task in messages.
func (t Task) String() string { return t.Job.Name + " " + t.Day.String() }

// together names the tasks that a task is made with; "" when it is made alone.
func (t Task) together() string {
	if t.Job.Together == "" {
		return ""
	}
	return t.Job.Together + " " + t.Day.String()
}

// State says how a partition stands to its recipe.
type State string

// The states.
const (
	Current State = "current" // made by the recipe that would be used now
	Stale   State = "stale"   // made by another
	Missing State = "missing"
	Open    State = "open"    // exists, and its source may have restated it: only reading tells
	Sealed  State = "sealed"  // exists, and is no longer compared
	Skipped State = "skipped" // a night that was passed over: the next one covers it
	Waiting State = "waiting" // an input does not exist
	Idle    State = "idle"    // nothing to do for this day
)

// Verdict is what is known of a task before it runs.
type Verdict struct {
	Task   Task
	State  State
	Reason string
}

// Result is what became of a task.
type Result struct {
	Verdict Verdict
	Outcome Outcome
	Counts  lake.Counts
	Recipe  string // hash; "" when nothing was made
	Took    time.Duration
	Err     error
}

// Outcome is how a task ended.
type Outcome string

// The outcomes. Written, Recommitted and Unchanged are those of the lake's commits.
const (
	Written     = Outcome(lake.Written)
	Recommitted = Outcome(lake.Recommitted)
	Unchanged   = Outcome(lake.Unchanged)
	Published   = Outcome("published")
	Left        = Outcome("left") // current, sealed or not asked for: not touched
	Idled       = Outcome("idle") // not due
	Failed      = Outcome("failed")
	Blocked     = Outcome("blocked") // something it reads has failed
)

// Event is a step of a run, for progress.
type Event struct {
	Started     *Task   // a task has begun its work
	Finished    *Result // or ended
	Done, Total int     // tasks
}

// window is a business day's half-open span.
func (r *Runner) window(day table.Day) table.Window { return day.Window(r.Zone) }

// find gives the job of a name.
func (r *Runner) find(name string) *jobs.Job {
	for _, j := range r.Jobs {
		if j.Name == name {
			return j
		}
	}
	return nil
}

// expected is the recipe that a task would use now, with the partitions it would read. reason is set when something
// it needs does not exist.
func (r *Runner) expected(ctx context.Context, s *snapshot, t Task) (e expectation, reason string, err error) {
	j := t.Job
	e.recipe = lake.Recipe{
		Job: j.Name, Logic: j.Logic, Tables: lake.Tables(j.Writes...), Definitions: j.Definitions,
		Window: r.window(t.Day).String(), Zone: r.Zone.String(), Key: j.Key, Inputs: map[string]string{},
	}
	e.inputs = map[string][]*lake.Head{}
	if j.Files != nil {
		if e.recipe.Files, err = j.Files(ctx, t.Day); err != nil {
			return e, "", err
		}
	}
	past := r.past(s, t)
	for _, read := range j.Reads {
		heads, missing := s.read(j, read, t.Day)
		if past != nil && e.without(read, t.Day, heads) {
			continue
		}
		day := t.Day
		if !missing && !j.Night() {
			day, missing = r.gap(s, read, t.Day)
		}
		if missing {
			return e, lake.Partition{Table: read.Table, Experiment: j.Experiment, Day: day, Revision: 1}.String() + " is missing", nil
		}
		for _, h := range heads {
			if read.Previous {
				if e.recipe.Previous == nil {
					e.recipe.Previous = map[string]string{}
				}
				e.recipe.Previous[h.Key()] = h.Content
			} else {
				e.recipe.Inputs[h.Key()] = h.Content
			}
			e.known = e.known || read.Span == nil && !read.Previous && h.Day != t.Day
			e.inputs[read.Table.Path()] = append(e.inputs[read.Table.Path()], h)
		}
	}
	if past != nil {
		e.keep(j, t.Day, past)
	}
	if j.Derived() && !j.Night() && len(e.recipe.Inputs) == 0 {
		return e, "no source has that day", nil
	}
	return e, "", nil
}

// gap finds a day that a job by day would read and that is not there, of a table that the project's sources fill: it was
// not extracted, or that failed. A table's first day is where it begins: what lies before is not waited for, since a source
// may have been added later, and have nothing older.
func (r *Runner) gap(s *snapshot, read jobs.Read, day table.Day) (gap table.Day, found bool) {
	first, begun := s.first(read.Table)
	if !begun || !slices.ContainsFunc(r.Jobs, func(j *jobs.Job) bool { return j.Produces(read) }) {
		return 0, false
	}
	from, to := read.Span(day)
	for gap = max(from, first); gap <= to; gap++ {
		if s.at(read.Table, "", gap) == nil {
			return gap, true
		}
	}
	return 0, false
}

type expectation struct {
	recipe lake.Recipe
	inputs map[string][]*lake.Head // by table path
	known  bool                    // a later night's state stands in for this night's
	lacks  string                  // what an ended experiment's last night would read, and can no longer; the recipe has it as it was
}
