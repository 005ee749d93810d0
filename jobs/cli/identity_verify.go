package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/jobs"
	"crosslift/jobs/catalog"
	"crosslift/schemas/table"
)

// findingJSON is a line of `identity verify`.
type findingJSON struct {
	Check string `json:"check"`
	Rows  int64  `json:"rows"`  // looked at
	Fault string `json:"fault"` // empty when it holds
}

// comparedJSON is a line of `identity verify --full`.
type comparedJSON struct {
	Table     string `json:"table"`
	Rows      int64  `json:"rows"`         // committed
	Scratch   int64  `json:"scratch_rows"` // of the run from scratch
	Content   string `json:"content"`      // hash of the committed rows
	Made      string `json:"scratch_content"`
	Equal     bool   `json:"equal"`
	Row       int64  `json:"first_row"` // that differs, from 1 in the order of the table; 0: none
	Differing string `json:"column"`    // in which it differs; empty: one of the two has no such row
}

func (a *app) identityVerifyCommand() *cobra.Command {
	var full bool
	c := &cobra.Command{
		Use: "verify", Short: "Hold the newest night's identity against what must be true of it", Args: cobra.NoArgs,
		Long: `Checks the newest committed night by itself: its tables were made together, no profile has more of a unique type than it
may, ids that were profiles lead to some, accepted links form a forest whose trees are the profiles, and the spans of a
device do not overlap.

--full makes that night again from all observations, as if the night before had left nothing but its ids, and compares
every table with the committed one: an incremental night must be a full one, exactly. Exit code 12 on any difference.`,
		Example: "  crosslift identity verify\n  crosslift identity verify --full --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			s, err := a.ask(ctx)
			if err != nil {
				return err
			}
			day, err := s.newest(ctx, nil)
			if err != nil {
				return err
			}
			if full {
				return s.verifyFull(ctx, day)
			}
			return s.verifyQuick(ctx, day)
		},
	}
	c.Flags().BoolVar(&full, "full", false, "make the night again from scratch, and compare every table")
	return c
}

func (s *asked) verifyQuick(ctx context.Context, day table.Day) (err error) {
	values := []findingJSON{}
	if err := s.open(ctx, day); err != nil {
		if !errors.Is(err, catalog.ErrTorn) {
			return err
		}
		values = append(values, findingJSON{Check: "its tables were made together", Fault: oneLine(err)})
		return s.printFindings(day, values)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	values = append(values, findingJSON{Check: "its tables were made together", Rows: int64(len(s.night.Heads))})
	findings, err := s.night.Check(ctx)
	if err != nil {
		return err
	}
	for _, f := range findings {
		values = append(values, findingJSON{f.Check, f.Rows, f.Fault})
	}
	return s.printFindings(day, values)
}

func (s *asked) printFindings(day table.Day, values []findingJSON) error {
	var rows [][]string
	faults := 0
	for _, f := range values {
		verdict := "holds"
		if f.Fault != "" {
			verdict = f.Fault
			faults++
		}
		rows = append(rows, []string{f.Check, count(f.Rows), verdict})
	}
	if s.app.output == "table" {
		fmt.Fprintf(s.app.stdout, "Night %s:\n\n", day)
	}
	return s.app.verdict(s.app.print([]string{"check", "rows", "verdict"}, rows, values), faults)
}

// verdict ends a verification: with faults, by the exit code of an audit that failed.
func (a *app) verdict(err error, faults int) error {
	if err == nil && faults > 0 {
		return &silentError{jobs.ExitBlocked}
	}
	return err
}

func (s *asked) verifyFull(ctx context.Context, day table.Day) error {
	scratch, err := temp(s.project)
	if err != nil {
		return err
	}
	again := catalog.Again{
		Lake: s.lake, Identity: s.of, Zone: s.project.Zone, Memory: s.project.Memory, Workers: s.project.Workers, Scratch: scratch,
	}
	compared, err := again.Run(ctx, day)
	if err != nil {
		return err
	}
	var rows [][]string
	values, faults := []comparedJSON{}, 0
	for _, c := range compared {
		v := comparedJSON{c.Table.Path(), c.Committed.Rows, c.Scratch.Rows, c.Committed.Content, c.Scratch.Content, c.Equal(), c.Row, c.Column}
		verdict := "equal"
		if !c.Equal() {
			faults++
			verdict = strings.TrimSpace("differs from row " + count(c.Row) + " on " + in(c.Column))
		}
		rows, values = append(rows, []string{v.Table, count(v.Rows), count(v.Scratch), verdict}), append(values, v)
	}
	if s.app.output == "table" {
		fmt.Fprintf(s.app.stdout, "Night %s, made again from all observations:\n\n", day)
	}
	return s.app.verdict(s.app.print([]string{"table", "rows", "from scratch", "verdict"}, rows, values), faults)
}

// in names the column in which rows differ.
func in(column string) string {
	if column == "" {
		return ""
	}
	return "in " + column
}
