package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/who"
)

// memberJSON is an identifier of a profile.
type memberJSON struct {
	ID    string  `json:"id"`
	Type  string  `json:"type"`
	Since string  `json:"valid_from"`
	Until *string `json:"valid_to"` // null while it belongs there
}

// useJSON sums up when a device was used, as attributed by one method to one account.
type useJSON struct {
	Device  string `json:"device"`
	Account string `json:"account"`
	Method  string `json:"method"` // session, span, backfill, bracket
	Spans   int    `json:"spans"`
	From    string `json:"from_ts"`
	To      string `json:"to_ts"`
	Shared  bool   `json:"shared"` // several accounts used it in those days
}

// sightJSON is the answer of `identity show`.
type sightJSON struct {
	Night      string        `json:"night"`
	ID         string        `json:"id"`
	What       string        `json:"what"`       // identifier, profile, person, household; empty when nothing is known of it
	Identifier *standingJSON `json:"identifier"` // where it is one
	Accounts   int           `json:"accounts"`   // of an identifier that belongs to no profile: accounts seen with it
	Became     *becameJSON   `json:"became"`     // of an id that was a profile
	Profile    *profileJSON  `json:"profile"`
	Members    []memberJSON  `json:"members"`
	Uses       []useJSON     `json:"uses"`
	Refused    []refusedJSON `json:"refused"`
	Person     *string       `json:"person_id"`
	PersonOf   []string      `json:"person_profiles"`
	Signs      string        `json:"person_signs"`
	Household  *string       `json:"household_id"`
	HouseOf    []string      `json:"household_profiles"`
}

// becameJSON says what became of an id that was a profile.
type becameJSON struct {
	Status  string  `json:"status"` // merged, retired
	AliasOf *string `json:"alias_of"`
}

// profileJSON is a profile.
type profileJSON struct {
	ID          string  `json:"id"`
	Anchor      string  `json:"anchor"`
	AnchorType  string  `json:"anchor_type"`
	Identifiers int64   `json:"identifiers"`
	Devices     int64   `json:"devices"`
	First       *string `json:"first_ts"`
	Refused     int64   `json:"refused"`
	Weakest     *string `json:"weakest_rule"` // of its accepted links; null when it has none
}

func (a *app) showCommand() *cobra.Command {
	var asOf string
	c := &cobra.Command{
		Use: "show ID", Short: "What is known of an identifier, a profile, a person or a household", Args: cobra.ExactArgs(1),
		Long: `Shows the profile that an identifier belongs to, with its members and since when they are its, when its devices were used,
the person and the household that it is of, and the links that were refused. The id of a profile, person or household is
taken as well; of one that is no profile any more it is said what it became.

` + named,
		Example: `  crosslift identity show account:u00c0ffee
  crosslift identity show 8f14e45f-ceea-467f-9d3b-6f1e4f5a0001 --as-of 2026-10-31
  crosslift identity show device:a4f0c2 --output json`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s, err := a.about(cmd.Context(), asOf)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.close()) }()
			id, err := s.id("ID", args[0])
			if err != nil {
				return err
			}
			sight, err := s.night.Show(cmd.Context(), id)
			if err != nil {
				return err
			}
			if a.output == "json" {
				return a.print(nil, nil, s.sight(sight))
			}
			return s.printSight(sight)
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "as the newest night until this day knew it, YYYY-MM-DD")
	return c
}

func (s *asked) printSight(x *who.Sight) error {
	out := s.app.stdout
	fmt.Fprintf(out, "As of night %s:\n", s.night.Day)
	switch {
	case x.What == "":
		_, err := fmt.Fprintf(out, "%s: nothing is known of it.\n", x.Asked)
		return err
	case x.What == "person":
		fmt.Fprintf(out, "%s is a person, of %s.\n", x.Asked, several(len(x.PersonOf), "profile"))
		return s.printIDs(x.PersonOf)
	case x.What == "household":
		fmt.Fprintf(out, "%s is a household, of %s.\n", x.Asked, several(len(x.HouseholdOf), "profile"))
		return s.printIDs(x.HouseholdOf)
	}
	if x.Standing != nil {
		fmt.Fprintln(out, s.sentence(x.Standing))
		if x.Standing.Profile.IsZero() {
			fmt.Fprintf(out, "It was seen with %s%s.\n", several(x.Accounts, "account"), s.allowed(x.Standing))
		}
	}
	if p := x.Alias; p != nil {
		if p.AliasOf.IsZero() {
			_, err := fmt.Fprintf(out, "Profile %s is retired: its anchor, %s %s, belongs to no profile any more.\n", p.Profile, p.AnchorType, p.Anchor)
			return err
		}
		fmt.Fprintf(out, "Profile %s was merged: its anchor, %s %s, belongs to profile %s now.\n", p.Profile, p.AnchorType, p.Anchor, p.AliasOf)
	}
	if x.Profile != nil {
		if err := s.printProfile(x); err != nil {
			return err
		}
	}
	if err := s.printUses(x.Uses); err != nil {
		return err
	}
	return s.printRefused("Refused links:", refusals(x.Refused))
}

// allowed says with how many accounts an identifier may be seen without being shared.
func (s *asked) allowed(x *who.Standing) string {
	if t, known := s.of.Rules.Type(x.Type); known && x.Shared {
		return fmt.Sprintf("; with more than %d it merges nothing", s.of.Rules.Types[t].Cap)
	}
	return ""
}

func (s *asked) printIDs(ids []identifier.ID) error {
	for _, id := range ids {
		if _, err := fmt.Fprintf(s.app.stdout, "  %s\n", id); err != nil {
			return err
		}
	}
	return nil
}

func (s *asked) printProfile(x *who.Sight) error {
	out, p := s.app.stdout, x.Profile
	fmt.Fprintf(out, "\nProfile %s: %s, of which %s; anchored at %s %s.\n", p.Profile,
		several(int(p.Identifiers), "identifier"), several(int(p.Devices), "device"), p.AnchorType, p.Anchor)
	if p.WeakestRule != nil {
		fmt.Fprintf(out, "Its weakest link is of class %d: %s.\n", *p.WeakestRule, ruleName(*p.WeakestRule))
	}
	if len(x.PersonOf) == 1 {
		fmt.Fprintf(out, "Person %s is this profile alone.\n", x.Person)
	} else if len(x.PersonOf) > 1 {
		fmt.Fprintf(out, "Person %s has %s, by %s.\n", x.Person, several(len(x.PersonOf), "profile"), signs(x.Signs))
	}
	if len(x.HouseholdOf) == 1 {
		fmt.Fprintf(out, "Household %s is this profile alone.\n", x.Household)
	} else if len(x.HouseholdOf) > 1 {
		fmt.Fprintf(out, "Household %s has %s.\n", x.Household, several(len(x.HouseholdOf), "profile"))
	}
	var rows [][]string
	for _, m := range x.Members {
		until := "-"
		if m.ValidTo != nil {
			until = s.at(*m.ValidTo)
		}
		rows = append(rows, []string{m.IdentifierType, m.Identifier.String(), s.at(m.ValidFrom), until})
	}
	fmt.Fprintln(out)
	return writeTable(out, []string{"type", "identifier", "since", "until"}, rows)
}

func (s *asked) printUses(uses []who.Use) error {
	if len(uses) == 0 {
		return nil
	}
	var rows [][]string
	for _, u := range uses[:min(most, len(uses))] {
		rows = append(rows, []string{u.Device.String(), u.Account.String(), u.Method, count(int64(u.Spans)), s.at(u.From), s.at(u.To), map[bool]string{true: "yes", false: "-"}[u.Shared]})
	}
	fmt.Fprintf(s.app.stdout, "\nWho used its devices, as far as is known:\n\n")
	if err := writeTable(s.app.stdout, []string{"device", "account", "by", "spans", "from", "to", "shared"}, rows); err != nil {
		return err
	}
	return s.app.more(len(uses), "--output json")
}

// several counts things.
func several(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return count(int64(n)) + " " + thing
}

func (s *asked) sight(x *who.Sight) sightJSON {
	j := sightJSON{
		Night: s.night.Day.String(), ID: x.Asked.String(), What: x.What, Accounts: x.Accounts, Members: []memberJSON{}, Uses: []useJSON{},
		Refused: refusals(x.Refused), Person: textOf(x.Person), PersonOf: textsOf(x.PersonOf), Signs: x.Signs,
		Household: textOf(x.Household), HouseOf: textsOf(x.HouseholdOf),
	}
	if x.Standing != nil && x.Standing.Known() {
		at := standing(x.Standing)
		j.Identifier = &at
	}
	if x.Alias != nil {
		j.Became = &becameJSON{x.Alias.Status, textOf(x.Alias.AliasOf)}
	}
	if p := x.Profile; p != nil {
		j.Profile = profileOf(p)
	}
	for _, m := range x.Members {
		j.Members = append(j.Members, memberJSON{m.Identifier.String(), m.IdentifierType, instant(m.ValidFrom), instantOf(m.ValidTo)})
	}
	for _, u := range x.Uses {
		j.Uses = append(j.Uses, useJSON{u.Device.String(), u.Account.String(), u.Method, u.Spans, instant(u.From), instant(u.To), u.Shared})
	}
	return j
}

func profileOf(p *table.ProfileRow) *profileJSON {
	j := &profileJSON{
		ID: p.Profile.String(), Anchor: p.Anchor.String(), AnchorType: p.AnchorType, Identifiers: p.Identifiers, Devices: p.Devices,
		First: instantOf(p.FirstAt), Refused: p.Refused,
	}
	if p.WeakestRule != nil {
		name := ruleName(*p.WeakestRule)
		j.Weakest = &name
	}
	return j
}
