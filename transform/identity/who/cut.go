package who

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/night"
)

// Cut is what a decision would change.
type Cut struct {
	A, B    *Standing
	Leaving []Leaving
}

// Leaving is an identifier that would no longer belong where it does.
type Leaving struct {
	Identifier identifier.ID
	Type       string
	From       identifier.ID // the profile; zero: it belongs to none now
	To         identifier.ID // zero: it would belong to none
}

// Cut finds what would change if two identifiers were decided never to be one profile. Only their blocks are solved again.
func (n *Night) Cut(ctx context.Context, a, b identifier.ID) (*Cut, error) {
	stands, err := n.stand(ctx, a, b)
	if err != nil {
		return nil, err
	}
	c := &Cut{A: stands[a], B: stands[b]}
	if c.A.Block.IsZero() || c.A.Block != c.B.Block {
		return c, nil
	}
	links, err := n.surroundings(ctx, c.A.Block)
	if err != nil {
		return nil, err
	}
	before, err := night.Redo(ctx, n.Rules, n.Decisions, links)
	if err != nil {
		return nil, err
	}
	decided := n.Decisions
	decided.Cannot = append(slices.Clone(decided.Cannot), [2]identifier.ID{a, b})
	after, err := night.Redo(ctx, n.Rules, decided, links)
	if err != nil {
		return nil, fmt.Errorf("with the decision: %w", err)
	}
	c.Leaving = leaving(before, after)
	return c, nil
}

// surroundings are all links of a block's identifiers.
func (n *Night) surroundings(ctx context.Context, block identifier.ID) ([]*table.IdentityLinkRow, error) {
	links, err := n.block(ctx, setOf(block))
	if err != nil {
		return nil, err
	}
	ids := identifier.Set{}
	for _, l := range links {
		ids[l.Left] = struct{}{}
		if l.Status != "person_sign" && !l.Right.IsZero() {
			ids[l.Right] = struct{}{}
		}
	}
	n.Decisions.Tie(ids)
	crossing, err := n.crossing(ctx, ids)
	return append(links, crossing...), err
}

// leaving compares memberships.
func leaving(before, after []table.ProfileIdentifierRow) (all []Leaving) {
	changes := map[identifier.ID]*Leaving{}
	of := func(r *table.ProfileIdentifierRow) *Leaving {
		if changes[r.Identifier] == nil {
			changes[r.Identifier] = &Leaving{Identifier: r.Identifier, Type: r.IdentifierType}
		}
		return changes[r.Identifier]
	}
	for i := range before {
		if r := &before[i]; r.ValidTo == nil {
			of(r).From = r.Profile
		}
	}
	for i := range after {
		if r := &after[i]; r.ValidTo == nil {
			of(r).To = r.Profile
		}
	}
	for _, c := range changes {
		if c.From != c.To {
			all = append(all, *c)
		}
	}
	slices.SortFunc(all, func(x, y Leaving) int {
		return cmp.Or(compareIDs(x.From, y.From), compareIDs(x.To, y.To), cmp.Compare(x.Type, y.Type), compareIDs(x.Identifier, y.Identifier))
	})
	return all
}
