package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/jobs"
	"crosslift/jobs/run"
	"crosslift/schemas/table"
)

// selection are the flags that say which partitions to make.
type selection struct {
	request run.Request
	dryRun  bool
}

func (s *selection) flags(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&s.request.Force, "force", false, "make again what is current; equal rows are not uploaded")
	f.BoolVar(&s.request.Missing, "missing", false, "of the sources' days, only what does not exist")
	f.BoolVar(&s.request.Stale, "stale", false, "only what exists and is stale")
	f.BoolVar(&s.dryRun, "dry-run", false, "print what would be made, and why; make nothing")
	f.BoolVar(&s.request.Unseal, "unseal", false, "restate days that are older than their source's restatement window")
	c.MarkFlagsMutuallyExclusive("missing", "stale")
}

func (a *app) runCommand() *cobra.Command {
	var s selection
	var day string
	c := &cobra.Command{
		Use: "run --day D [JOB…]", Short: "Bring a day and its night up to date",
		Long: `Extract a business day, the days before it that were missed, and what sources may have restated since; make what is
read from those days together; then make the night: identity, exposures, facts, statistics, publication. What is current
is left alone. When a later night is committed already, that one is brought up to date, since earlier nights are sealed;
of an experiment whose last window has closed, its last night.
A day that cannot be read blocks the night; name the night's jobs to go on without it.

--revise recomputes the results of a sealed night; they become a new revision beside the old one.`,
		Example: `  crosslift run --day 2026-11-03
  crosslift run --day 2026-11-03 --dry-run
  crosslift run --day 2026-11-03 extract/payment
  crosslift run --day 2026-10-20 --revise`,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := dayFlag("day", day)
			if err != nil {
				return err
			}
			s.request.From, s.request.To, s.request.Jobs = d, d, args
			s.request.Heal = !s.request.Force && !s.request.Revise
			return a.execute(cmd.Context(), s, cmd.CommandPath()+" --day "+day)
		},
	}
	c.Flags().StringVar(&day, "day", "", "the business day, YYYY-MM-DD (required)")
	c.Flags().BoolVar(&s.request.Revise, "revise", false, "recompute the results of a sealed night")
	s.flags(c)
	return c
}

func (a *app) backfillCommand() *cobra.Command {
	var s selection
	var from, to, nights string
	c := &cobra.Command{
		Use: "backfill --from D --to D [JOB…]", Short: "Bring a range of days up to date",
		Long: `Extract all days of a range in parallel, then make the last night, or with --nights all each night in order.
A backfill that was interrupted is resumed by running it again: what is current is left alone.`,
		Example: `  crosslift backfill --from 2026-10-01 --to 2026-11-03
  crosslift backfill --from 2026-10-01 --to 2026-11-03 --missing --dry-run
  crosslift backfill --from 2026-10-01 --to 2026-11-03 --nights all`,
		RunE: func(cmd *cobra.Command, args []string) error {
			first, err := dayFlag("from", from)
			if err != nil {
				return err
			}
			last, err := dayFlag("to", to)
			if err != nil {
				return err
			}
			if last < first {
				return usageError{fmt.Errorf("--to %s lies before --from %s", last, first)}
			}
			if nights != "last" && nights != "all" {
				return usageError{fmt.Errorf("--nights %q: expected last or all", nights)}
			}
			s.request.From, s.request.To, s.request.Jobs, s.request.AllNights = first, last, args, nights == "all"
			return a.execute(cmd.Context(), s, fmt.Sprintf("%s --from %s --to %s", cmd.CommandPath(), from, to))
		},
	}
	c.Flags().StringVar(&from, "from", "", "the first day (required)")
	c.Flags().StringVar(&to, "to", "", "the last day (required)")
	c.Flags().StringVar(&nights, "nights", "last", "last: one state and one result; all: those of each night, in order")
	s.flags(c)
	return c
}

func dayFlag(name, value string) (table.Day, error) {
	if value == "" {
		return 0, usageError{fmt.Errorf("--%s is required: a day, YYYY-MM-DD", name)}
	}
	d, err := table.ParseDay(value)
	if err != nil {
		return 0, usageError{fmt.Errorf("--%s %w", name, err)}
	}
	return d, nil
}

// execute plans and runs, or prints the plan.
func (a *app) execute(ctx context.Context, s selection, command string) (err error) {
	session, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.close(ctx)) }()
	return session.execute(ctx, s, command)
}

func (s *session) execute(ctx context.Context, sel selection, command string) error {
	a := s.app
	progress := newProgress(a)
	runner := s.runner(nil, progress.event)
	plan, err := runner.Plan(ctx, sel.request)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stderr, "window %s %s\n", plan.Window, s.project.Zone)
	for _, note := range plan.Notes {
		fmt.Fprintln(a.stderr, "note: "+note)
	}
	if sel.dryRun {
		verdicts, err := runner.Verdicts(ctx, plan)
		if err != nil {
			return err
		}
		return a.printVerdicts(verdicts, func(v run.Verdict) bool { return sel.request.Wants(v) || v.State == run.Waiting })
	}
	results, code, err := s.make(ctx, runner, plan, append([]string{command}, sel.request.Jobs...))
	progress.end()
	if err != nil {
		return err
	}
	if err := a.printResults(results); err != nil {
		return err
	}
	blocked := 0
	for _, r := range results {
		switch {
		case r.Outcome == run.Blocked && r.Verdict.State == "" && !a.verbose:
			blocked++ // by something that is told
		case r.Err != nil:
			fmt.Fprintln(a.stderr, "crosslift: "+oneLine(r.Err))
		}
	}
	if blocked > 0 {
		fmt.Fprintf(a.stderr, "crosslift: %d tasks were not run because of that; what was published before stays\n", blocked)
	}
	if code != jobs.ExitDone {
		return &silentError{code}
	}
	return nil
}

// make executes a plan under the ledger, and gives the exit code of what came of it.
func (s *session) make(ctx context.Context, runner *run.Runner, plan *run.Plan, command []string) ([]run.Result, int, error) {
	if err := s.lake.Probe(ctx); err != nil {
		return nil, 0, err
	}
	var err error
	if runner.Ledger, err = s.begin(ctx, command...); err != nil {
		return nil, 0, err
	}
	results, err := runner.Execute(ctx, plan)
	code := run.ExitCode(results)
	if err != nil {
		code = jobs.ExitCode(err)
	}
	if ended := runner.Ledger.End(context.WithoutCancel(ctx), code); ended != nil {
		err = errors.Join(err, ended)
	}
	return results, code, err
}

// verdictJSON is a line of `--dry-run` and of `status`.
type verdictJSON struct {
	Job    string    `json:"job"`
	Day    table.Day `json:"day"`
	State  run.State `json:"state"`
	Reason string    `json:"reason"`
}

// printVerdicts shows the tasks that pass.
func (a *app) printVerdicts(verdicts []run.Verdict, pass func(run.Verdict) bool) error {
	rows, values := [][]string{}, []verdictJSON{}
	for _, v := range verdicts {
		if pass(v) {
			rows = append(rows, []string{v.Task.Job.Name, v.Task.Day.String(), string(v.State), v.Reason})
			values = append(values, verdictJSON{v.Task.Job.Name, v.Task.Day, v.State, v.Reason})
		}
	}
	if len(rows) == 0 && a.output == "table" {
		fmt.Fprintln(a.stdout, "Nothing to do: everything is current.")
		return nil
	}
	return a.print([]string{"job", "day", "state", "reason"}, rows, values)
}

// resultJSON is a line of what `run` and `backfill` print.
type resultJSON struct {
	Job         string      `json:"job"`
	Day         table.Day   `json:"day"`
	Outcome     run.Outcome `json:"outcome"`
	RowsIn      int64       `json:"rows_in"`
	RowsOut     int64       `json:"rows_out"`
	Quarantined int64       `json:"rows_quarantined"`
	Seconds     float64     `json:"seconds"`
	Error       string      `json:"error"`
}

// printResults sums up a run: a line a job, with its days by outcome.
func (a *app) printResults(results []run.Result) error {
	type sum struct {
		outcomes map[run.Outcome]int
		idle     string // why some days were
		r        resultJSON
	}
	sums := map[string]*sum{}
	var order []string
	values := []resultJSON{}
	for _, r := range results {
		job := r.Verdict.Task.Job.Name
		v := resultJSON{job, r.Verdict.Task.Day, r.Outcome, r.Counts.Read, r.Counts.Written, r.Counts.Quarantined, r.Took.Seconds(), ""}
		if r.Err != nil {
			v.Error = oneLine(r.Err)
		}
		values = append(values, v)
		s := sums[job]
		if s == nil {
			s = &sum{outcomes: map[run.Outcome]int{}}
			sums[job] = s
			order = append(order, job)
		}
		s.outcomes[r.Outcome]++
		if r.Outcome == run.Idled {
			s.idle = r.Verdict.Reason
		}
		s.r.RowsIn += v.RowsIn
		s.r.RowsOut += v.RowsOut
		s.r.Quarantined += v.Quarantined
		s.r.Seconds += v.Seconds
	}
	rows := make([][]string, len(order))
	for i, job := range order {
		s := sums[job]
		var outcomes []string
		for _, o := range []run.Outcome{run.Written, run.Recommitted, run.Published, run.Unchanged, run.Left, run.Blocked, run.Failed} {
			if n := s.outcomes[o]; n > 0 {
				outcomes = append(outcomes, fmt.Sprintf("%d %s", n, label(o)))
			}
		}
		if n := s.outcomes[run.Idled]; n > 0 {
			outcomes = append(outcomes, fmt.Sprintf("%d idle: %s", n, s.idle))
		}
		rows[i] = []string{job, strings.Join(outcomes, ", "), count(s.r.RowsIn), count(s.r.RowsOut), count(s.r.Quarantined), fmt.Sprintf("%.1f s", s.r.Seconds)}
	}
	return a.print([]string{"job", "days", "rows in", "rows out", "quarantined", "time"}, rows, values)
}

// label is how an outcome reads in a sum.
func label(o run.Outcome) string {
	if o == run.Left {
		return "left as it was"
	}
	return string(o)
}
