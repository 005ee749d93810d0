package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"crosslift/jobs/run"
	"crosslift/schemas/table"
	"crosslift/warehouse/postgres"
)

func (a *app) statusCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use: "status", Short: "Say what is current, what is stale and why, and what failed", Args: cobra.NoArgs,
		Long: `Compare every partition's recipe with the one that would be used now, and read the last attempts from the ledger.
A partition is stale when its own recipe differs, or when something that it reads is stale. Of the night's jobs the newest
night is compared; of an experiment whose last window has closed, its last one.`,
		Example: `  crosslift status
  crosslift status --all --output json`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx := cmd.Context()
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.close(ctx)) }()
			return s.status(ctx, all)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "list current partitions too")
	return c
}

// jobStatus is a line of `status`.
type jobStatus struct {
	Job     string            `json:"job"`
	States  map[run.State]int `json:"states"`
	Newest  *table.Day        `json:"newest"` // the last day that exists
	idle    string            // why some days are
	Attempt *postgres.Attempt `json:"last_attempt"`
	Days    []verdictJSON     `json:"days"` // those that are not current, or all of them
}

func (s *session) status(ctx context.Context, all bool) error {
	a := s.app
	runner := s.runner(nil, nil)
	plan, ok, err := runner.Status(ctx)
	if err != nil {
		return err
	}
	if !ok && a.output == "table" {
		fmt.Fprintf(a.stdout, "The lake %s is empty. Next: crosslift run --day D\n", s.lake)
		return nil
	}
	verdicts, err := runner.Verdicts(ctx, plan)
	if err != nil {
		return err
	}
	attempts, err := s.db.LastAttempts(ctx)
	if err != nil {
		return err
	}
	var lines []*jobStatus
	byJob := map[string]*jobStatus{}
	for _, v := range verdicts {
		line := byJob[v.Task.Job.Name]
		if line == nil {
			line = &jobStatus{Job: v.Task.Job.Name, States: map[run.State]int{}, Attempt: attempts[v.Task.Job.Name], Days: []verdictJSON{}}
			byJob[line.Job] = line
			lines = append(lines, line)
		}
		line.States[v.State]++
		if v.State == run.Idle {
			line.idle = v.Reason
		}
		if v.State == run.Current || v.State == run.Open || v.State == run.Stale || v.State == run.Sealed {
			day := v.Task.Day
			line.Newest = &day
		}
		if all || v.State == run.Stale || v.State == run.Missing || v.State == run.Waiting || v.State == run.Sealed && v.Task.Job.Night() {
			line.Days = append(line.Days, verdictJSON{v.Task.Job.Name, v.Task.Day, v.State, v.Reason})
		}
	}
	if a.output == "json" {
		return a.print(nil, nil, lines)
	}
	rows := make([][]string, len(lines))
	var details [][]string
	for i, l := range lines {
		rows[i] = []string{l.Job, newest(l.Newest), states(l.States, l.idle), attempt(l.Attempt)}
		for _, d := range l.Days {
			details = append(details, []string{d.Job, d.Day.String(), string(d.State), d.Reason})
		}
	}
	if err := a.print([]string{"job", "newest day", "days", "last attempt"}, rows, lines); err != nil || len(details) == 0 {
		return err
	}
	fmt.Fprintln(a.stdout)
	return a.print([]string{"job", "day", "state", "reason"}, details, lines)
}

func newest(day *table.Day) string {
	if day == nil {
		return "-"
	}
	return day.String()
}

func states(counts map[run.State]int, idle string) string {
	text := ""
	for _, s := range []run.State{run.Current, run.Open, run.Stale, run.Missing, run.Waiting, run.Sealed, run.Skipped, run.Idle} {
		if n := counts[s]; n > 0 {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("%d %s", n, s)
		}
	}
	if idle != "" {
		text += ": " + idle
	}
	return text
}

func attempt(t *postgres.Attempt) string {
	if t == nil {
		return "-"
	}
	text := fmt.Sprintf("%s, day %s, %s", t.State, t.Day, t.Started.Local().Format(time.DateTime))
	if t.Error != "" {
		text += ": " + t.Error
	}
	return text
}
