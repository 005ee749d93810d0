package night

import (
	"cmp"
	"context"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// publish emits the night's rows: those of identifiers that were redone, and last night's of all others.
func (b *builder) publish(ctx context.Context) error {
	latest := b.clusters(b.solution.Latest)
	m := b.memberships(latest)
	past, err := b.past(ctx)
	if err != nil {
		return err
	}
	for i := range b.links {
		if i > 0 && b.links[i].left != b.links[i-1].left {
			b.quality.prove() // the links of an account follow each other
		}
		if err := b.emitLink(&b.links[i]); err != nil {
			return err
		}
		if err := b.emitRefused(&b.links[i], m); err != nil {
			return err
		}
	}
	b.quality.prove()
	if err := b.emitIdentifiers(latest, m); err != nil {
		return err
	}
	if err := b.emitProfiles(latest, m, past); err != nil {
		return err
	}
	return b.emitGroups(latest, past)
}

// memberships are the profiles of identifiers by node, zero for none.
type memberships []identifier.ID

func (b *builder) memberships(clusters []cluster) memberships {
	m := make(memberships, len(b.nodes))
	for i := range clusters {
		if c := &clusters[i]; !c.profile.IsZero() {
			for _, x := range c.members {
				m[x] = c.profile
			}
		}
	}
	return m
}

// profileOf is the profile of an identifier at the end of a link. Of one that is not redone only an account's is known, which
// never changes; others' are not told.
func (b *builder) profileOf(m memberships, x uint32) identifier.ID {
	n := &b.nodes[x]
	if n.redo || n.typ != b.account {
		return m[x]
	}
	return identifier.Mint(identifier.Profile, n.id, 0)
}

func (b *builder) emitRefused(l *link, m memberships) error {
	if !refused(l.status) {
		return nil
	}
	b.quality.refused(b.statuses.name(l.status))
	return b.emit(table.IdentityRefused, &table.IdentityRefusedRow{
		Left: l.left, LeftType: b.types.name(l.leftType), Right: l.right, RightType: b.types.name(l.rightType), Rule: int64(l.rule),
		Source: b.sources.name(l.source), FirstAt: l.now.first, Reason: b.statuses.name(l.status),
		LeftProfile: b.profileOf(m, l.x), RightProfile: b.profileOf(m, l.y),
	})
}

// emitIdentifiers writes who belongs to which profile, under each stitching.
func (b *builder) emitIdentifiers(latest []cluster, m memberships) error {
	row := func(stitching string, x uint32, profile identifier.ID, from table.Micros) error {
		n := &b.nodes[x]
		if n.typ == b.reference {
			return nil
		}
		r := table.ProfileIdentifierRow{
			Stitching: stitching, IdentifierType: b.types.name(n.typ), Identifier: n.id, Profile: profile, ValidFrom: from,
		}
		if stitching == table.Latest {
			r.Block = n.block
		}
		return b.emit(table.ProfileIdentifier, &r)
	}
	all := b.walk(latest, 255)
	for i := range latest {
		c := &latest[i]
		if c.profile.IsZero() {
			continue
		}
		for _, x := range c.members {
			if err := row(table.Latest, x, c.profile, all[x]); err != nil {
				return err
			}
		}
	}
	strict := b.clusters(b.solution.Strict)
	since := b.walk(strict, table.RuleAccount)
	for i := range strict {
		if c := &strict[i]; c.account {
			for _, x := range c.members {
				if err := row(table.Strict, x, c.profile, since[x]); err != nil {
					return err
				}
			}
		}
	}
	// What only the loose stitching joins was not refused before it was seen.
	loose := b.clusters(b.solution.Loose)
	for i := range loose {
		if c := &loose[i]; c.account {
			for _, x := range c.members {
				from := all[x]
				if m[x] != c.profile {
					from = max(from, b.nodes[x].first)
				}
				if err := row(table.Loose, x, c.profile, from); err != nil {
					return err
				}
			}
		}
	}
	return b.emitEnded(m)
}

// emitEnded writes the memberships of the past: what an account's attributes were.
func (b *builder) emitEnded(m memberships) error {
	type held struct{ account, value identifier.ID }
	rows := map[held]*table.ProfileIdentifierRow{}
	for i := range b.links {
		l := &b.links[i]
		if l.status != statusEnded || l.leftType != b.account || b.outside(l.rightType) || !b.redone(l.right) {
			continue
		}
		profile := b.profileOf(m, l.x)
		if m[l.y] == profile {
			continue // it belongs there still, or again
		}
		to := l.validTo
		if r := rows[held{l.left, l.right}]; r != nil {
			r.ValidFrom, *r.ValidTo = min(r.ValidFrom, l.now.first), max(*r.ValidTo, to)
			continue
		}
		rows[held{l.left, l.right}] = &table.ProfileIdentifierRow{
			Stitching: table.Latest, IdentifierType: b.types.name(b.nodes[l.y].typ), Identifier: l.right,
			Profile: profile, ValidFrom: l.now.first, ValidTo: &to, Block: b.nodes[l.y].block,
		}
	}
	for _, r := range rows {
		if err := b.emit(table.ProfileIdentifier, r); err != nil {
			return err
		}
	}
	return nil
}

// past is what the night before knew of what is redone.
type past struct {
	profile  map[identifier.ID]identifier.ID // by identifier, under the latest stitching
	profiles map[identifier.ID]*table.ProfileRow
	person   map[identifier.ID]identifier.ID // by profile
	house    map[identifier.ID]identifier.ID // likewise
}

// past passes last night's rows of everything else on, and gathers those of what is redone.
func (b *builder) past(ctx context.Context) (*past, error) {
	was := &past{
		profile: map[identifier.ID]identifier.ID{}, profiles: map[identifier.ID]*table.ProfileRow{},
		person: map[identifier.ID]identifier.ID{}, house: map[identifier.ID]identifier.ID{},
	}
	p := b.Previous
	if p == nil {
		return was, nil
	}
	err := columns.Scan(ctx, p.Identifiers, table.ProfileIdentifier, nil, func(r *table.ProfileIdentifierRow) error {
		if !b.redone(r.Identifier) {
			return b.emit(table.ProfileIdentifier, r)
		}
		if r.Stitching == table.Latest && r.ValidTo == nil {
			was.profile[r.Identifier] = r.Profile
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = columns.Scan(ctx, p.Profiles, table.Profile, nil, func(r *table.ProfileRow) error {
		if b.redone(r.Anchor) {
			kept := *r
			was.profiles[r.Profile] = &kept
			return nil
		}
		b.quality.profile(r)
		return b.emit(table.Profile, r)
	})
	if err != nil {
		return nil, err
	}
	err = columns.Scan(ctx, p.Persons, table.Person, nil, func(r *table.PersonRow) error {
		if was.profiles[r.Profile] != nil {
			was.person[r.Profile] = r.Person
			return nil
		}
		b.quality.person(r)
		return b.emit(table.Person, r)
	})
	if err != nil {
		return nil, err
	}
	err = columns.Scan(ctx, p.Households, table.Household, nil, func(r *table.HouseholdRow) error {
		if was.profiles[r.Profile] != nil {
			was.house[r.Profile] = r.Household
			return nil
		}
		return b.emit(table.Household, r)
	})
	if err != nil {
		return nil, err
	}
	return was, columns.Scan(ctx, p.Refused, table.IdentityRefused, nil, func(r *table.IdentityRefusedRow) error {
		if b.redone(r.Left) || b.redone(r.Right) {
			return nil
		}
		b.quality.refused(r.Reason)
		return b.emit(table.IdentityRefused, r)
	})
}

// compareProfiles orders profiles by age: that of their anchors.
func (b *builder) compareProfiles(x, y *cluster) int {
	return cmp.Or(cmp.Compare(b.nodes[x.anchor].first, b.nodes[y.anchor].first), b.compareNodes(x.anchor, y.anchor))
}
