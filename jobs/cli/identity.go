package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"crosslift/jobs/catalog"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

func (a *app) identityCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "identity", Short: "Who is one person: ask why, check, and stitch anybody's files",
		Example: `  crosslift identity explain account:u00c0ffee device:a4f0c2
  crosslift identity show account:u00c0ffee
  crosslift identity verify --full
  crosslift identity stitch --edges edges.parquet --out map.parquet`,
	}
	c.AddCommand(a.explainCommand(), a.showCommand(), a.diffCommand(), a.cutCommand(), a.identityVerifyCommand(),
		a.stitchCommand(), a.evaluateCommand())
	return c
}

// names says in help texts how identifiers are named.
const named = `An identifier is named as kind:value, which is hashed by the project's key, or as the lake shows it:
  account:u00c0ffee, device:…, email:…, email_folded:…, phone:…, card:…, crm:…, bank_client:…, reference:…
  8f14e45f-ceea-467f-9d3b-6f1e4f5a0001
What is printed are the lake's hashes and dates, never values.`

// asked is a project whose identity is asked about.
type asked struct {
	*session
	of    catalog.Identity
	night *catalog.Night // nil until opened
}

// ask opens a project's lake, its key and what it says about identity; not its sources, nor its warehouse.
func (a *app) ask(ctx context.Context) (*asked, error) {
	p, err := a.load()
	if err != nil {
		return nil, err
	}
	s := &asked{session: &session{app: a, project: p}}
	if err := s.openKey(); err != nil {
		return nil, err
	}
	if s.of, err = s.identity(); err != nil {
		return nil, err
	}
	s.lake, err = a.openLake(ctx, p)
	return s, err
}

// about opens the newest committed night; with a day, the newest of those until it.
func (a *app) about(ctx context.Context, asOf string) (*asked, error) {
	limit, err := optionalDay("as-of", asOf)
	if err != nil {
		return nil, err
	}
	s, err := a.ask(ctx)
	if err != nil {
		return nil, err
	}
	day, err := s.newest(ctx, limit)
	if err != nil {
		return nil, err
	}
	return s, s.open(ctx, day)
}

// optionalDay reads a flag that names a day; nil when it is not given.
func optionalDay(flag, value string) (*table.Day, error) {
	if value == "" {
		return nil, nil
	}
	d, err := dayFlag(flag, value)
	return &d, err
}

// newest is the newest committed night, of those until a day where one is given.
func (s *asked) newest(ctx context.Context, limit *table.Day) (table.Day, error) {
	nights, err := catalog.Nights(ctx, s.lake)
	if err != nil {
		return 0, err
	}
	if limit != nil {
		nights = slices.DeleteFunc(nights, func(d table.Day) bool { return d > *limit })
	}
	switch {
	case len(nights) > 0:
		return nights[len(nights)-1], nil
	case limit != nil:
		return 0, usageError{fmt.Errorf("no night's identity is committed until %s: `crosslift lake ls core/profile` lists them", *limit)}
	}
	return 0, errors.New("no night's identity is committed yet: `crosslift run --day D` makes one")
}

// open opens a night.
func (s *asked) open(ctx context.Context, day table.Day) (err error) {
	if s.night, err = catalog.OpenNight(ctx, s.lake, day, s.of); err != nil {
		return err
	}
	if s.night.Others {
		fmt.Fprintf(s.app.stderr, "crosslift: night %s was made by other rules or decisions than %s has now\n", day, s.app.config)
	}
	return nil
}

func (s *asked) close() error {
	if s.night == nil {
		return nil
	}
	return s.night.Close()
}

// id reads an identifier that is named on the command line. Errors do not repeat it: it may be somebody's address.
func (s *asked) id(argument, text string) (identifier.ID, error) {
	id, err := s.key.Named(text)
	if err == nil {
		return id, nil
	}
	if kind, _, hashed := strings.Cut(text, ":"); hashed && identifier.Known(identifier.Kind(kind)) {
		return id, usageError{fmt.Errorf("%s: %w", argument, err)}
	}
	return id, usageError{fmt.Errorf("%s: expected an identifier as 8f14e45f-ceea-467f-9d3b-6f1e4f5a0001, or kind:value as account:u00c0ffee; kinds are account, device, email, email_folded, phone, card, crm, bank_client and reference", argument)}
}

// ids reads the two identifiers of a command about a pair.
func (s *asked) ids(args []string) (a, b identifier.ID, err error) {
	if a, err = s.id("A", args[0]); err != nil {
		return a, b, err
	}
	b, err = s.id("B", args[1])
	return a, b, err
}

// at prints an instant in the project's zone, to the minute.
func (s *asked) at(m table.Micros) string {
	return m.Time().In(s.project.Zone).Format("2006-01-02 15:04")
}

// instant is an instant in JSON.
func instant(m table.Micros) string { return m.Time().Format("2006-01-02T15:04:05.999999Z07:00") }

// instantOf is an optional one; null for none.
func instantOf(m *table.Micros) *string {
	if m == nil {
		return nil
	}
	text := instant(*m)
	return &text
}

// textOf is an identifier in JSON; null for none.
func textOf(id identifier.ID) *string {
	if id.IsZero() {
		return nil
	}
	text := id.String()
	return &text
}

// textsOf are identifiers in JSON.
func textsOf(ids []identifier.ID) []string {
	texts := []string{}
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	return texts
}

// shown is an identifier in a table; a dash for none.
func shown(id identifier.ID) string {
	if id.IsZero() {
		return "-"
	}
	return id.String()
}

// ruleNames are the classes of links, strongest first.
var ruleNames = []string{"verified", "account", "typed", "card", "app", "cookie", "shared"}

// ruleName names a class of links; one that people have decided is "decided".
func ruleName(class int64) string {
	if class < 0 || int(class) >= len(ruleNames) {
		return "decided"
	}
	return ruleNames[class]
}

// reason says in words why a link was refused or does not hold.
func reason(status string) string {
	if typ, limited := strings.CutPrefix(status, "limit_"); limited {
		return "a profile may not have another " + typ
	}
	switch status {
	case "shared_left", "shared_right", "shared_both":
		return "too many accounts touch the " + map[string]string{"shared_left": "left", "shared_right": "right", "shared_both": "ends"}[status]
	case "bridge":
		return "a device attaches to one profile, and joins no two"
	case "cannot":
		return "people have decided against it"
	case "size":
		return "the profile would have too many identifiers"
	case "ended":
		return "it has ended"
	case "no_consent":
		return "one refuses analysis"
	case "person_sign":
		return "a sign of a person, not of a profile"
	}
	return status
}
