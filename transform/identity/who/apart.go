package who

import (
	"cmp"
	"context"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/night"
	"crosslift/warehouse/columns"
)

// apart says why two identifiers are not one profile.
func (n *Night) apart(ctx context.Context, e *Explanation, links []*table.IdentityLinkRow) error {
	a, b := e.A, e.B
	crossing, err := n.crossing(ctx, setOf(a.ID, b.ID))
	if err != nil {
		return err
	}
	for _, l := range slices.Concat(links, crossing) {
		if both(l.Left, l.Right, a.ID, b.ID) && !night.Refused(l.Status) {
			e.Direct = append(e.Direct, l)
		}
	}
	refused, err := n.refused(ctx, setOf(a.ID, b.ID, a.Profile, b.Profile))
	if err != nil {
		return err
	}
	ends := setOf(a.ID, b.ID)
	for _, r := range refused {
		switch {
		case both(r.LeftProfile, r.RightProfile, a.Profile, b.Profile) && !a.Profile.IsZero() && !b.Profile.IsZero(),
			both(r.Left, r.Right, a.ID, b.ID):
			e.Between = append(e.Between, r)
		case ends.Has(r.Left) || ends.Has(r.Right):
			e.Around = append(e.Around, r)
		}
	}
	slices.SortStableFunc(e.Between, func(x, y *table.IdentityRefusedRow) int { // those of the two themselves first
		return cmp.Compare(touched(y, ends), touched(x, ends))
	})
	e.Were = overlaps(a, b)
	return n.groups(ctx, e)
}

// touched counts the ends of a refused link that are of a set.
func touched(r *table.IdentityRefusedRow, ends identifier.Set) (n int) {
	for _, id := range []identifier.ID{r.Left, r.Right} {
		if ends.Has(id) {
			n++
		}
	}
	return n
}

// groups finds out whether the two are one person or household.
func (n *Night) groups(ctx context.Context, e *Explanation) error {
	profiles := setOf(e.A.Profile, e.B.Profile)
	persons, err := columns.Find[table.PersonRow](ctx, n.Files[table.Person], table.Person, profiles, nil, "profile_id")
	if err != nil {
		return err
	}
	if len(persons) == 2 && persons[0].Person == persons[1].Person {
		e.Person = Group{true, persons[0].Person, persons[0].Signs}
	}
	houses, err := columns.Find[table.HouseholdRow](ctx, n.Files[table.Household], table.Household, profiles, nil, "profile_id")
	if len(houses) == 2 && houses[0].Household == houses[1].Household {
		e.Household = Group{true, houses[0].Household, ""}
	}
	return err
}

// overlaps are the times in which two identifiers belonged to one profile.
func overlaps(a, b *Standing) (were []Span) {
	for _, x := range a.spans() {
		for _, y := range b.spans() {
			if s := (Span{x.Profile, max(x.From, y.From), min(x.To, y.To)}); x.Profile == y.Profile && s.From < s.To {
				were = append(were, s)
			}
		}
	}
	slices.SortFunc(were, func(x, y Span) int { return cmp.Compare(x.From, y.From) })
	return were
}

// spans are an identifier's memberships, past and present.
func (s *Standing) spans() (all []Span) {
	for _, r := range s.Past {
		all = append(all, Span{r.Profile, r.ValidFrom, *r.ValidTo})
	}
	if !s.Profile.IsZero() {
		all = append(all, Span{s.Profile, s.Since, night.Forever})
	}
	return all
}

// both reports whether two things are two others, either way round.
func both(x, y, a, b identifier.ID) bool { return x == a && y == b || x == b && y == a }
