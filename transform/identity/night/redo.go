package night

import (
	"context"
	"fmt"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/trait"
)

// Redo solves some blocks of a night again, under its rules and decisions or under others, and gives the memberships of
// their identifiers under the latest stitching. links are everything that the night knows of those identifiers: the links
// of the blocks, and those between them and others.
func Redo(ctx context.Context, rules graph.Rules, decisions Decisions, links []*table.IdentityLinkRow) ([]table.ProfileIdentifierRow, error) {
	var rows []table.ProfileIdentifierRow
	b := newBuilder(Input{Rules: rules, Decisions: decisions}, func(t *table.Table, row any) error {
		if r, is := row.(*table.ProfileIdentifierRow); is && r.Stitching == table.Latest {
			rows = append(rows, *r)
		}
		return nil
	})
	b.whole, b.told = false, nil // which attributes have ended stands in the links
	for _, r := range links {
		l, err := b.linkOf(r)
		if err != nil {
			return nil, fmt.Errorf("redo blocks: %w", err)
		}
		l.now = l.was
		b.links = append(b.links, l)
		if l.block.IsZero() {
			b.overcrowded(&l)
			continue
		}
		b.dirty[l.left] = struct{}{}
		if b.joins(&l.pair) && !b.outside(l.rightType) {
			b.dirty[l.right] = struct{}{}
		}
	}
	decisions.Tie(b.dirty)
	for id := range b.crowd {
		delete(b.dirty, id)
	}
	if err := b.settle(ctx, 1); err != nil {
		return nil, fmt.Errorf("redo blocks: %w", err)
	}
	latest := b.clusters(b.solution.Latest)
	if err := b.emitIdentifiers(latest, b.memberships(latest)); err != nil {
		return nil, err
	}
	return rows, nil
}

// Tie adds to a set of identifiers those that must-links join to them: no observation may tell of it.
func (d Decisions) Tie(ids identifier.Set) {
	for before := -1; before < len(ids); {
		before = len(ids)
		for _, pair := range d.Must {
			if ids.Has(pair[0]) || ids.Has(pair[1]) {
				ids[pair[0]], ids[pair[1]] = struct{}{}, struct{}{}
			}
		}
	}
}

// Class is that of a link which a rule gave between identifiers of some types: a device's may weaken it.
func Class(rule int64, types ...string) int64 {
	for _, t := range types {
		rule = max(rule, int64(trait.Class(t)))
	}
	return rule
}

// TypeOf is the type of an identifier that was seen as two: of a device, the one that most people may use.
func TypeOf(one, other string) string {
	if one == "" || trait.Openness(other) > trait.Openness(one) {
		return other
	}
	return one
}

// Refused reports whether the status of a link says that it was not made although it was observed and holds.
func Refused(name string) bool {
	at := slices.Index(statusNames, name)
	return at < 0 || refused(status(at))
}
