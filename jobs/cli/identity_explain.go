package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/jobs/catalog"
	"crosslift/schemas/table"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/who"
)

// standingJSON is where an identifier stands.
type standingJSON struct {
	ID      string  `json:"id"`
	Type    string  `json:"type"`       // empty: nothing is known of it
	Profile *string `json:"profile_id"` // null: it belongs to none
	Since   *string `json:"since"`      // of belonging to it
	Shared  bool    `json:"shared"`     // too many accounts touch it, so it belongs to none
}

// stepJSON is an accepted link of a path.
type stepJSON struct {
	From     string  `json:"from"`
	FromType string  `json:"from_type"`
	To       string  `json:"to"`
	ToType   string  `json:"to_type"`
	Class    int64   `json:"class"`    // 0 to 6, strongest first; -1: people have decided it
	Rule     string  `json:"rule"`     // the class in a word
	Source   string  `json:"source"`   // the raw table that showed it; empty when it was decided
	First    *string `json:"first_ts"` // null when it was decided; likewise below
	Last     *string `json:"last_ts"`
	Count    int64   `json:"count"` // rows that showed it
}

// refusedJSON is a link that was not made, or does not hold.
type refusedJSON struct {
	Left         string  `json:"left"`
	LeftType     string  `json:"left_type"`
	Right        string  `json:"right"`
	RightType    string  `json:"right_type"`
	Rule         string  `json:"rule"`
	Source       string  `json:"source"`
	First        string  `json:"first_ts"`
	Until        *string `json:"valid_to"` // of one that has ended
	Reason       string  `json:"reason"`
	LeftProfile  *string `json:"left_profile_id"`
	RightProfile *string `json:"right_profile_id"`

	first table.Micros
}

// groupJSON says whether two profiles are of one person or household.
type groupJSON struct {
	Same  bool    `json:"same"`
	ID    *string `json:"id"`
	Signs string  `json:"signs"` // of a person, separated by commas
}

// spanJSON is a time in which two identifiers were of one profile.
type spanJSON struct {
	Profile string  `json:"profile_id"`
	From    string  `json:"valid_from"`
	To      *string `json:"valid_to"`
}

// explanationJSON is the answer of `identity explain`.
type explanationJSON struct {
	Night     string        `json:"night"`
	A         standingJSON  `json:"a"`
	B         standingJSON  `json:"b"`
	Together  bool          `json:"together"`
	Path      []stepJSON    `json:"path"`
	Weakest   *int          `json:"weakest"` // step of the path, from 1; null without a path
	Person    groupJSON     `json:"person"`
	Household groupJSON     `json:"household"`
	Between   []refusedJSON `json:"between"` // links of the two, or of their profiles, that were refused or do not hold
	Around    []refusedJSON `json:"around"`  // refused links of the two with others
	Were      []spanJSON    `json:"were"`    // when they were one profile
	Changes   []changeJSON  `json:"changes"` // what nights changed about both
}

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

// between are the links of the two, or of their profiles, that do not join them.
func (s *asked) between(e *who.Explanation) []refusedJSON {
	all := refusals(e.Between)
	for _, l := range e.Direct {
		all = append(all, refusedJSON{
			l.Left.String(), l.LeftType, l.Right.String(), l.RightType, ruleName(l.Rule), l.Source, instant(l.FirstAt), instantOf(l.ValidTo), l.Status, nil, nil, l.FirstAt,
		})
	}
	return all
}

func refusals(rows []*table.IdentityRefusedRow) []refusedJSON {
	all := []refusedJSON{}
	for _, r := range rows {
		all = append(all, refusedJSON{
			r.Left.String(), r.LeftType, r.Right.String(), r.RightType, ruleName(r.Rule), r.Source, instant(r.FirstAt), nil, r.Reason,
			textOf(r.LeftProfile), textOf(r.RightProfile), r.FirstAt,
		})
	}
	return all
}

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

func standing(x *who.Standing) standingJSON {
	j := standingJSON{ID: x.ID.String(), Type: x.Type, Profile: textOf(x.Profile), Shared: x.Shared}
	if !x.Profile.IsZero() {
		j.Since = instantOf(&x.Since)
	}
	return j
}

func (s *asked) explanation(e *who.Explanation, changes []who.Change) explanationJSON {
	j := explanationJSON{
		Night: s.night.Day.String(), A: standing(e.A), B: standing(e.B), Together: e.Together, Path: []stepJSON{},
		Person:    groupJSON{e.Person.Same, textOf(e.Person.ID), e.Person.Signs},
		Household: groupJSON{e.Household.Same, textOf(e.Household.ID), ""},
		Between:   s.between(e), Around: refusals(e.Around), Were: []spanJSON{}, Changes: changesOf(changes),
	}
	for _, p := range e.Path {
		step := stepJSON{From: p.From.String(), FromType: p.FromType, To: p.To.String(), ToType: p.ToType, Class: p.Class, Rule: ruleName(p.Class)}
		if l := p.Link; l != nil {
			step.Source, step.First, step.Last, step.Count = l.Source, instantOf(&l.FirstAt), instantOf(&l.LastAt), l.Count
		}
		j.Path = append(j.Path, step)
	}
	if e.Weakest >= 0 {
		step := e.Weakest + 1
		j.Weakest = &step
	}
	for _, w := range e.Were {
		span := spanJSON{Profile: w.Profile.String(), From: instant(w.From)}
		if w.To != night.Forever {
			span.To = instantOf(&w.To)
		}
		j.Were = append(j.Were, span)
	}
	return j
}
