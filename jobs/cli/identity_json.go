package cli

import (
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
