package graph

import (
	"fmt"

	"crosslift/schemas/table"
)

// Type says how the identifiers of one type behave.
type Type struct {
	Name string
	// Cap is how many distinct neighbours of one unique namespace a node may have: with more it is shared. 0: never shared.
	Cap int
	// Limit makes the type a unique namespace: a profile has at most so many of its identifiers. 0: any number.
	Limit   int
	Device  bool // attaches to one profile, and never bridges two
	Outside bool // takes no part in profiles, only as a sign of persons
}

// Rules say what may lie in one profile.
type Rules struct {
	Types   []Type // a node's type is its index here
	MaxSize int    // identifiers of a profile, except under the loose stitching; 0: any number
}

// DefaultRules are those that the measured precision and recall are of.
func DefaultRules() Rules {
	return Rules{
		Types: []Type{
			{Name: table.TypeAccount, Limit: 1},
			{Name: table.TypeEmail, Cap: 3},
			{Name: table.TypeEmailFolded, Outside: true},
			{Name: table.TypePhone, Cap: 3},
			{Name: table.TypeCard, Cap: 3},
			{Name: table.TypeCRM, Cap: 3, Limit: 1},
			{Name: table.TypeBankClient, Cap: 3, Limit: 1},
			{Name: table.TypeReference, Cap: 3},
			{Name: table.TypeApp, Cap: 3, Device: true},
			{Name: table.TypeCookie, Cap: 3, Device: true},
			{Name: table.TypeTV, Cap: 6, Device: true},
			{Name: table.TypeBrowser, Cap: 6, Device: true},
			{Name: table.TypeDevice, Cap: 3, Device: true},
		},
		MaxSize: 300,
	}
}

// Type finds a type by its name.
func (r Rules) Type(name string) (uint8, bool) {
	for i, t := range r.Types {
		if t.Name == name {
			return uint8(i), true
		}
	}
	return 0, false
}

// Reason is a status as tables hold it. A limit is told with the type that it is of: limit_account.
func (r Rules) Reason(s Status) string {
	if t, ok := s.Limited(); ok && int(t) < len(r.Types) {
		return "limit_" + r.Types[t].Name
	}
	return s.String()
}

func (r Rules) validate() error {
	if len(r.Types) > maxTypes {
		return fmt.Errorf("rules: %d types of identifier, at most %d are possible", len(r.Types), maxTypes)
	}
	if r.MaxSize < 0 {
		return fmt.Errorf("rules: a profile of at most %d identifiers", r.MaxSize)
	}
	width := 0
	for _, t := range r.Types {
		if t.Cap < 0 || t.Limit < 0 {
			return fmt.Errorf("rules: type %q has cap %d and limit %d: expected 0 or more", t.Name, t.Cap, t.Limit)
		}
		if t.Limit > 0 {
			width += fieldWidth(t.Limit)
		}
	}
	if width > 64 {
		return fmt.Errorf("rules: limits that need %d bits, where a profile's counts have 64: make some smaller", width)
	}
	return nil
}
