package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"crosslift/jobs"
	"crosslift/schemas/identifier"
	"crosslift/transform/identity/who"
)

// cutJSON is the answer of `identity cut`.
type cutJSON struct {
	Night   string        `json:"night"`
	A       standingJSON  `json:"a"`
	B       standingJSON  `json:"b"`
	Leaving []leavingJSON `json:"leaving"` // the identifiers that would belong elsewhere
	Add     string        `json:"add"`     // the lines of crosslift.yaml that decide it
}

// leavingJSON is an identifier that would belong elsewhere.
type leavingJSON struct {
	ID   string  `json:"id"`
	Type string  `json:"type"`
	From *string `json:"from_profile_id"`
	To   *string `json:"to_profile_id"` // null: it would belong to none
}

func (a *app) cutCommand() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use: "cut A B --dry-run", Short: "What would change if two identifiers were decided not to be one profile", Args: cobra.ExactArgs(2),
		Long: `Solves the part of the newest night again that the two lie in, as if they were decided never to be one profile, and lists
which identifiers would leave which profile, and for which. Nothing is written: decisions stand in crosslift.yaml, and
the lines to add there are printed.

` + named,
		Example: "  crosslift identity cut account:u00c0ffee device:a4f0c2 --dry-run",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s, err := a.about(cmd.Context(), "")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.close()) }()
			x, y, err := s.ids(args)
			if err != nil {
				return err
			}
			if x == y {
				return usageError{errors.New("both are the same identifier")}
			}
			if !dryRun {
				fmt.Fprintf(a.stderr, "crosslift: decisions stand in %s: --dry-run says what one would change; to decide it, add\n\n%s", a.config, decision(x, y))
				return &silentError{jobs.ExitUsage}
			}
			cut, err := s.night.Cut(cmd.Context(), x, y)
			if err != nil {
				return err
			}
			return s.printCut(cut)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change (required: the decision itself stands in crosslift.yaml)")
	return c
}

// decision is the YAML that keeps two identifiers apart. It names them as the lake does: values are for whoever writes it.
func decision(a, b identifier.ID) string {
	return fmt.Sprintf("identity:\n  cannot_link:\n    - left: %s\n      right: %s\n      why: who decided it, and on what grounds\n", a, b)
}

func (s *asked) printCut(c *who.Cut) error {
	add := decision(c.A.ID, c.B.ID)
	if s.app.output == "json" {
		j := cutJSON{s.night.Day.String(), standing(c.A), standing(c.B), []leavingJSON{}, add}
		for _, l := range c.Leaving {
			j.Leaving = append(j.Leaving, leavingJSON{l.Identifier.String(), l.Type, textOf(l.From), textOf(l.To)})
		}
		return s.app.print(nil, nil, j)
	}
	out := s.app.stdout
	for _, x := range []*who.Standing{c.A, c.B} {
		fmt.Fprintln(out, s.sentence(x))
	}
	if len(c.Leaving) == 0 {
		fmt.Fprintf(out, "As of night %s no identifier would leave its profile.\n", s.night.Day)
	} else {
		fmt.Fprintf(out, "As of night %s, %s would belong elsewhere:\n\n", s.night.Day, several(len(c.Leaving), "identifier"))
		var rows [][]string
		for _, l := range c.Leaving {
			rows = append(rows, []string{l.Type, l.Identifier.String(), shown(l.From), shown(l.To)})
		}
		if err := writeTable(out, []string{"type", "identifier", "from profile", "to profile"}, rows); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "\nTo decide it, add to %s:\n\n%s", s.app.config, add)
	return err
}
