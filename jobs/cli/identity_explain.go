package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/jobs/catalog"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/who"
)

func (a *app) explainCommand() *cobra.Command {
	var asOf string
	c := &cobra.Command{
		Use: "explain A B", Short: "Why two identifiers are one profile, or why not", Args: cobra.ExactArgs(2),
		Long: `Shows the accepted links that lead from one identifier to the other, and names the weakest of them. When the two are not
one profile: the links that were refused, and why; whether they are one person or household; and when they were one.

` + named,
		Example: `  crosslift identity explain account:u00c0ffee device:a4f0c2
  crosslift identity explain email:ann@example.org phone:+79161234567 --as-of 2026-10-31
  crosslift identity explain account:u00c0ffee 8f14e45f-ceea-467f-9d3b-6f1e4f5a0001 --output json`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			s, err := a.about(ctx, asOf)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.close()) }()
			x, y, err := s.ids(args)
			if err != nil {
				return err
			}
			e, err := s.night.Explain(ctx, x, y)
			if err != nil {
				return err
			}
			var changes []who.Change
			if !e.Together {
				if changes, err = s.history(ctx, e); err != nil {
					return err
				}
			}
			if a.output == "json" {
				return a.print(nil, nil, s.explanation(e, changes))
			}
			return s.printExplanation(e, changes)
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "as the newest night until this day knew it, YYYY-MM-DD")
	return c
}

// history are the changes of nights that concern both ends of an explanation.
func (s *asked) history(ctx context.Context, e *who.Explanation) (about []who.Change, err error) {
	nights, _, closeAll, err := catalog.Changes(ctx, s.lake, -1<<30, s.night.Day)
	defer func() { err = errors.Join(err, closeAll()) }()
	if err != nil {
		return nil, err
	}
	all, err := who.Read(ctx, nights, e.Concerned())
	for _, c := range all {
		if e.Concerns(c) {
			about = append(about, c)
		}
	}
	return about, err
}

func (s *asked) printExplanation(e *who.Explanation, changes []who.Change) error {
	out := s.app.stdout
	for _, x := range []*who.Standing{e.A, e.B} {
		fmt.Fprintf(out, "%s\n", s.sentence(x))
	}
	if e.Together {
		if len(e.Path) == 0 {
			_, err := fmt.Fprintf(out, "Both are the same, as of night %s.\n", s.night.Day)
			return err
		}
		fmt.Fprintf(out, "They are one profile as of night %s:\n\n", s.night.Day)
		var rows [][]string
		for i, p := range e.Path {
			row := []string{fmt.Sprint(i + 1), p.FromType + " " + p.From.String(), p.ToType + " " + p.To.String(), ruleName(p.Class), "-", "-", "-", "-"}
			if l := p.Link; l != nil {
				row = append(row[:4], l.Source, s.at(l.FirstAt), s.at(l.LastAt), count(l.Count))
			}
			rows = append(rows, row)
		}
		if err := writeTable(out, []string{"step", "from", "to", "rule", "source", "first seen", "last seen", "rows"}, rows); err != nil {
			return err
		}
		if w := e.Path[e.Weakest]; len(e.Path) > 1 {
			since := ""
			if w.Link != nil {
				since = ", seen first on " + s.at(w.Link.FirstAt)
			}
			fmt.Fprintf(out, "\nThe weakest link is step %d: %s%s.\n", e.Weakest+1, ruleName(w.Class), since)
		}
		return nil
	}
	fmt.Fprintf(out, "They are not one profile as of night %s. %s\n", s.night.Day, together(e))
	if err := s.printRefused("Links between them that were refused, or do not hold:", s.between(e)); err != nil {
		return err
	}
	if len(e.Between)+len(e.Direct) == 0 {
		fmt.Fprintf(out, "\nNo link between them was refused: nothing was seen that would join them.\n")
	}
	if err := s.printRefused("Refused links of the two with others:", refusals(e.Around)); err != nil {
		return err
	}
	for _, w := range e.Were {
		until := "now"
		if w.To != night.Forever {
			until = s.at(w.To)
		}
		fmt.Fprintf(out, "\nThey were one profile from %s until %s: %s.\n", s.at(w.From), until, w.Profile)
	}
	if len(changes) == 0 {
		return nil
	}
	fmt.Fprintf(out, "\nWhat nights changed about both:\n\n")
	return s.app.printChanges(changes)
}

// sentence says where an identifier stands.
func (s *asked) sentence(x *who.Standing) string {
	switch {
	case !x.Known():
		return fmt.Sprintf("%s: nothing is known of it.", x.ID)
	case x.Shared:
		return fmt.Sprintf("%s %s belongs to no profile: too many accounts touch it.", x.Type, x.ID)
	case x.Profile.IsZero():
		return fmt.Sprintf("%s %s belongs to no profile.", x.Type, x.ID)
	}
	return fmt.Sprintf("%s %s belongs to profile %s since %s.", x.Type, x.ID, x.Profile, s.at(x.Since))
}

// together says what else joins two profiles.
func together(e *who.Explanation) string {
	switch p, h := e.Person, e.Household; {
	case p.Same && h.Same:
		return fmt.Sprintf("They are one person by %s, and one household.", signs(p.Signs))
	case p.Same:
		return fmt.Sprintf("They are one person by %s.", signs(p.Signs))
	case h.Same:
		return "They are two persons of one household."
	}
	return "They are neither one person nor one household."
}

// signs lists the signs of a person.
func signs(of string) string { return strings.ReplaceAll(of, ",", " and ") }

// most is how many lines of a list are printed for people; JSON has all.
const most = 20

func (s *asked) printRefused(title string, all []refusedJSON) error {
	if len(all) == 0 {
		return nil
	}
	var rows [][]string
	for _, r := range all[:min(most, len(all))] {
		rows = append(rows, []string{r.LeftType + " " + r.Left, r.RightType + " " + r.Right, r.Rule, r.Source, s.at(r.first), reason(r.Reason)})
	}
	fmt.Fprintf(s.app.stdout, "\n%s\n\n", title)
	if err := writeTable(s.app.stdout, []string{"left", "right", "rule", "source", "first seen", "why not"}, rows); err != nil {
		return err
	}
	return s.app.more(len(all), "--output json")
}

// more says how much of a list was left out.
func (a *app) more(n int, how string) error {
	if n <= most {
		return nil
	}
	_, err := fmt.Fprintf(a.stdout, "… and %s more: %s lists all\n", count(int64(n-most)), how)
	return err
}
