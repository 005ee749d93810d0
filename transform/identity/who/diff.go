package who

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Change is what a night changed about an id.
type Change struct {
	Night table.Day
	table.IdentityChangeRow
}

// Changes is what a night wrote to core/identity_change.
type Changes struct {
	Night table.Day
	File  *columns.File
}

// Read gives the changes of some nights, in their order: all, or those that hold one of some identifiers or ids.
func Read(ctx context.Context, nights []Changes, of identifier.Set) (all []Change, err error) {
	for _, c := range nights {
		note := func(r *table.IdentityChangeRow) error {
			all = append(all, Change{c.Night, *r})
			return nil
		}
		if of == nil {
			if err := columns.Scan(ctx, c.File, table.IdentityChange, nil, note); err != nil {
				return nil, fmt.Errorf("night %s: %w", c.Night, err)
			}
			continue
		}
		rows, err := columns.Find[table.IdentityChangeRow](ctx, c.File, table.IdentityChange, of, nil, "from_id", "to_id", "identifier")
		if err != nil {
			return nil, fmt.Errorf("night %s: %w", c.Night, err)
		}
		for _, r := range rows {
			_ = note(r)
		}
	}
	return all, nil
}

// Compare finds what changed from one night to a later one by their states, as a night that follows the first at once would
// tell it. It holds what differs in memory, not the states.
func Compare(ctx context.Context, before, after *Night) ([]Change, error) {
	c := &comparison{night: after.Day, left: map[identifier.ID]membership{}, joined: map[identifier.ID]membership{}, from: map[identifier.ID]identifier.Set{}}
	if err := c.members(ctx, before, after); err != nil {
		return nil, err
	}
	if err := c.profiles(ctx, before, after); err != nil {
		return nil, err
	}
	c.moves()
	err := merge(ctx, table.Person, before, after, func(r *table.PersonRow) identifier.ID { return r.Profile }, func(x, y *table.PersonRow) {
		if x != nil && y != nil {
			c.regrouped("person", x.Profile, x.Person, y.Person)
		}
	})
	if err != nil {
		return nil, err
	}
	err = merge(ctx, table.Household, before, after, func(r *table.HouseholdRow) identifier.ID { return r.Profile }, func(x, y *table.HouseholdRow) {
		if x != nil && y != nil {
			c.regrouped("household", x.Profile, x.Household, y.Household)
		}
	})
	slices.SortFunc(c.changes, func(x, y Change) int {
		return cmp.Or(cmp.Compare(x.Level, y.Level), cmp.Compare(x.Kind, y.Kind), compareIDs(x.From, y.From), compareIDs(x.To, y.To),
			compareIDs(x.Identifier, y.Identifier))
	})
	return c.changes, err
}

// comparison gathers what changed.
type comparison struct {
	night        table.Day
	left, joined map[identifier.ID]membership     // identifiers whose membership differs: the earlier and the later one
	from         map[identifier.ID]identifier.Set // by profile: those from which identifiers came to it
	was, is      identifier.Set                   // profiles that were current, and that are, among those of left and joined
	changes      []Change
}

type membership struct {
	profile identifier.ID
	typ     string
}

func (c *comparison) add(r table.IdentityChangeRow) {
	c.changes = append(c.changes, Change{c.night, r})
}

// members gathers the identifiers that belong elsewhere. A device may have been told to be another thing meanwhile, and then
// stands in another place of the table: so what left and what joined meet here only at the end.
func (c *comparison) members(ctx context.Context, before, after *Night) error {
	current := func(r *table.ProfileIdentifierRow) bool { return r.Stitching == table.Latest && r.ValidTo == nil }
	type place struct {
		typ string
		id  identifier.ID
	}
	order := func(x, y place) int { return cmp.Or(cmp.Compare(x.typ, y.typ), compareIDs(x.id, y.id)) }
	of := func(r *table.ProfileIdentifierRow) place { return place{r.IdentifierType, r.Identifier} }
	err := mergeBy(ctx, table.ProfileIdentifier, before, after, current, of, order, func(x, y *table.ProfileIdentifierRow) {
		if x != nil && y != nil && x.Profile == y.Profile {
			return
		}
		if x != nil {
			c.left[x.Identifier] = membership{x.Profile, x.IdentifierType}
		}
		if y != nil {
			c.joined[y.Identifier] = membership{y.Profile, y.IdentifierType}
		}
	})
	c.was, c.is = identifier.Set{}, identifier.Set{}
	for id, now := range c.joined {
		was, moved := c.left[id]
		if !moved || was.profile == now.profile {
			continue
		}
		if c.from[now.profile] == nil {
			c.from[now.profile] = identifier.Set{}
		}
		c.from[now.profile][was.profile] = struct{}{}
	}
	return err
}

// profiles finds the ids that came to be profiles, or ceased to be.
func (c *comparison) profiles(ctx context.Context, before, after *Night) error {
	concerned := identifier.Set{}
	for _, of := range []map[identifier.ID]membership{c.left, c.joined} {
		for _, m := range of {
			concerned[m.profile] = struct{}{}
		}
	}
	return merge(ctx, table.Profile, before, after, func(r *table.ProfileRow) identifier.ID { return r.Profile }, func(x, y *table.ProfileRow) {
		was, is := x != nil && x.Status == current, y != nil && y.Status == current
		switch {
		case is && !was:
			c.arrived(y.Profile, x != nil)
		case was && !is && y != nil:
			c.add(table.IdentityChangeRow{Level: "profile", Kind: y.Status, From: y.Profile, To: y.AliasOf})
		}
		if was && concerned.Has(x.Profile) {
			c.was[x.Profile] = struct{}{}
		}
		if is && concerned.Has(y.Profile) {
			c.is[y.Profile] = struct{}{}
		}
	})
}

func (c *comparison) arrived(profile identifier.ID, known bool) {
	kind := "minted"
	switch {
	case known:
		kind = "revived"
	case len(c.from[profile]) > 0:
		kind = "split"
	}
	if len(c.from[profile]) == 0 {
		c.add(table.IdentityChangeRow{Level: "profile", Kind: kind, To: profile})
	}
	for from := range c.from[profile] {
		c.add(table.IdentityChangeRow{Level: "profile", Kind: kind, From: from, To: profile})
	}
}

// moves finds the identifiers that went from one profile to another, where both were there before and are there still.
func (c *comparison) moves() {
	for id, now := range c.joined {
		was, moved := c.left[id]
		if moved && was.profile != now.profile && c.is.Has(was.profile) && c.was.Has(now.profile) {
			c.add(table.IdentityChangeRow{Level: "profile", Kind: "moved", From: was.profile, To: now.profile, Identifier: id, IdentifierType: now.typ})
		}
	}
}

func (c *comparison) regrouped(level string, profile, was, is identifier.ID) {
	if was != is {
		c.add(table.IdentityChangeRow{Level: level, Kind: "moved", From: was, To: is, Identifier: profile, IdentifierType: "profile"})
	}
}

// merge goes through the rows of two nights' table side by side, in the order of an identifier: each is called with the
// rows that have the same, nil where one has none.
func merge[Row any](ctx context.Context, t *table.Table, before, after *Night, id func(*Row) identifier.ID, each func(x, y *Row)) error {
	return mergeBy(ctx, t, before, after, func(*Row) bool { return true }, id, compareIDs, each)
}

func mergeBy[Row, Key any](ctx context.Context, t *table.Table, before, after *Night, keep func(*Row) bool,
	key func(*Row) Key, compare func(Key, Key) int, each func(x, y *Row)) error {
	next, stopX := iter.Pull2(rows(ctx, before.Files[t], t, keep))
	defer stopX()
	nextY, stopY := iter.Pull2(rows(ctx, after.Files[t], t, keep))
	defer stopY()
	x, err, some := next()
	y, errY, someY := nextY()
	for some || someY {
		if err != nil {
			return fmt.Errorf("night %s: %w", before.Day, err)
		}
		if errY != nil {
			return fmt.Errorf("night %s: %w", after.Day, errY)
		}
		c := 0
		switch {
		case !someY:
			c = -1
		case !some:
			c = 1
		default:
			c = compare(key(x), key(y))
		}
		switch {
		case c < 0:
			each(x, nil)
		case c > 0:
			each(nil, y)
		default:
			each(x, y)
		}
		if c <= 0 {
			x, err, some = next()
		}
		if c >= 0 {
			y, errY, someY = nextY()
		}
	}
	return nil
}

// rows are a table's rows that are kept, each a new one.
func rows[Row any](ctx context.Context, f *columns.File, t *table.Table, keep func(*Row) bool) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		for row, err := range f.Each(ctx, t) {
			if err != nil {
				yield(nil, err)
				return
			}
			if r := row.(*Row); keep(r) && !yield(r, nil) {
				return
			}
		}
	}
}
