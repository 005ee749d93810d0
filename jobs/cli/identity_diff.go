package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"crosslift/jobs/catalog"
	"crosslift/schemas/table"
	"crosslift/transform/identity/who"
)

// changeJSON is what a night changed about an id.
type changeJSON struct {
	Night      string  `json:"night"`
	Level      string  `json:"level"`   // profile, person, household
	Kind       string  `json:"kind"`    // minted, merged, split, moved, revived, retired
	From       *string `json:"from_id"` //
	To         *string `json:"to_id"`
	Identifier *string `json:"identifier"` // of a move; of a person's or a household's, the profile
	Type       string  `json:"identifier_type"`
}

// kindJSON counts changes.
type kindJSON struct {
	Level string `json:"level"`
	Kind  string `json:"kind"`
	Count int    `json:"count"`
}

// diffJSON is the answer of `identity diff`.
type diffJSON struct {
	From    string       `json:"from"`
	To      string       `json:"to"`
	By      string       `json:"by"` // changes: what the nights between recorded; states: the two nights were compared
	Counts  []kindJSON   `json:"counts"`
	Changes []changeJSON `json:"changes"` // at most --limit
}

func (a *app) diffCommand() *cobra.Command {
	limit := most
	c := &cobra.Command{
		Use: "diff D1 D2", Short: "What changed about profiles, persons and households between two nights", Args: cobra.ExactArgs(2),
		Long: `Counts and lists what the nights after D1 up to D2 changed: profiles minted, merged, split, revived and retired;
identifiers that moved; profiles that went to another person or household. When nights between the two are no longer
there, the two states are compared instead. Both must be nights that the lake holds.`,
		Example: `  crosslift identity diff 2026-11-02 2026-11-03
  crosslift identity diff 2026-10-01 2026-10-31 --limit 0 --output json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := dayFlag("D1", args[0])
			if err != nil {
				return err
			}
			to, err := dayFlag("D2", args[1])
			if err != nil {
				return err
			}
			if from >= to {
				return usageError{fmt.Errorf("%s is not before %s", from, to)}
			}
			return a.diff(cmd.Context(), from, to, limit)
		},
	}
	c.Flags().IntVar(&limit, "limit", most, "list at most so many changes; 0: all")
	return c
}

func (a *app) diff(ctx context.Context, from, to table.Day, limit int) error {
	s, err := a.ask(ctx)
	if err != nil {
		return err
	}
	nights, err := catalog.Nights(ctx, s.lake)
	if err != nil {
		return err
	}
	for _, day := range []table.Day{from, to} {
		if !slices.Contains(nights, day) {
			return usageError{fmt.Errorf("the lake holds no identity of night %s: `crosslift lake ls core/profile` lists its nights", day)}
		}
	}
	changes, by, err := s.changes(ctx, from, to)
	if err != nil {
		return err
	}
	counts := countChanges(changes)
	all := len(changes)
	if limit > 0 && all > limit {
		changes = changes[:limit]
	}
	if a.output == "json" {
		return a.print(nil, nil, diffJSON{from.String(), to.String(), by, counts, changesOf(changes)})
	}
	if all == 0 {
		_, err := fmt.Fprintf(a.stdout, "Nothing changed from night %s to night %s.\n", from, to)
		return err
	}
	how := "as the nights between recorded it"
	if by == "states" {
		how = "by comparing the two states"
	}
	fmt.Fprintf(a.stdout, "From night %s to night %s, %s:\n\n", from, to, how)
	var rows [][]string
	for _, k := range counts {
		rows = append(rows, []string{k.Level, k.Kind, count(int64(k.Count))})
	}
	if err := writeTable(a.stdout, []string{"level", "kind", "changes"}, rows); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	if err := a.printChanges(changes); err != nil {
		return err
	}
	if left := all - len(changes); left > 0 {
		fmt.Fprintf(a.stdout, "… and %s more: --limit 0 lists all\n", count(int64(left)))
	}
	return nil
}

// changes are those between two nights, and how they were found.
func (s *asked) changes(ctx context.Context, from, to table.Day) (_ []who.Change, by string, err error) {
	nights, whole, closeAll, err := catalog.Changes(ctx, s.lake, from, to)
	defer func() { err = errors.Join(err, closeAll()) }()
	if err != nil {
		return nil, "", err
	}
	if whole {
		all, err := who.Read(ctx, nights, nil)
		return all, "changes", err
	}
	before, err := catalog.OpenNight(ctx, s.lake, from, s.of)
	if err != nil {
		return nil, "", err
	}
	defer before.Close()
	after, err := catalog.OpenNight(ctx, s.lake, to, s.of)
	if err != nil {
		return nil, "", err
	}
	defer after.Close()
	all, err := who.Compare(ctx, &before.Night, &after.Night)
	return all, "states", err
}

func countChanges(changes []who.Change) []kindJSON {
	n := map[[2]string]int{}
	for _, c := range changes {
		n[[2]string{c.Level, c.Kind}]++
	}
	counts := []kindJSON{}
	for _, k := range slices.SortedFunc(maps.Keys(n), func(x, y [2]string) int { return slices.Compare(x[:], y[:]) }) {
		counts = append(counts, kindJSON{k[0], k[1], n[k]})
	}
	return counts
}

func changesOf(changes []who.Change) []changeJSON {
	all := []changeJSON{}
	for _, c := range changes {
		all = append(all, changeJSON{c.Night.String(), c.Level, c.Kind, textOf(c.From), textOf(c.To), textOf(c.Identifier), c.IdentifierType})
	}
	return all
}

func (a *app) printChanges(changes []who.Change) error {
	var rows [][]string
	for _, c := range changes {
		what := "-"
		if !c.Identifier.IsZero() {
			what = c.IdentifierType + " " + c.Identifier.String()
		}
		rows = append(rows, []string{c.Night.String(), c.Level + " " + c.Kind, shown(c.From), shown(c.To), what})
	}
	return writeTable(a.stdout, []string{"night", "change", "from", "to", "identifier"}, rows)
}
