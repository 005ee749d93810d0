// Package who answers questions about a night's identity: why two identifiers are one profile or not, what belongs to
// one, what differs between nights, what a decision would change, and whether the night is sound. It reads the tables that
// package night and package timeline have made, and of them no more than an answer needs.
package who

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/warehouse/columns"
)

// Night is a night's identity.
type Night struct {
	Day       table.Day
	Files     map[*table.Table]*columns.File // of night.Tables, and of core/device_timeline
	Rules     graph.Rules
	Decisions night.Decisions
}

// Standing is where an identifier stands.
type Standing struct {
	ID      identifier.ID
	Type    string                        // "" when nothing is known of it
	Profile identifier.ID                 // zero: it belongs to none
	Since   table.Micros                  // it belongs to Profile
	Block   identifier.ID                 // zero where it is not known
	Shared  bool                          // too many accounts touch it, so it merges nothing and belongs to no profile
	Past    []*table.ProfileIdentifierRow // memberships that have ended, the oldest first
	Links   []*table.IdentityLinkRow      // of one that belongs to no profile
}

// Known reports whether anything was observed of the identifier.
func (s *Standing) Known() bool { return s.Type != "" }

// stand finds where identifiers stand.
func (n *Night) stand(ctx context.Context, ids ...identifier.ID) (map[identifier.ID]*Standing, error) {
	all := map[identifier.ID]*Standing{}
	for _, id := range ids {
		all[id] = &Standing{ID: id}
	}
	rows, err := n.memberships(ctx, setOf(ids...))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		s := all[r.Identifier]
		if r.ValidTo != nil {
			s.Past = append(s.Past, r)
		} else {
			s.Profile, s.Since = r.Profile, r.ValidFrom
		}
		s.Type, s.Block = r.IdentifierType, r.Block
	}
	strays := identifier.Set{}
	for id, s := range all {
		slices.SortFunc(s.Past, func(x, y *table.ProfileIdentifierRow) int { return cmp.Compare(x.ValidFrom, y.ValidFrom) })
		if s.Profile.IsZero() {
			strays[id] = struct{}{}
		}
	}
	return all, n.standStrays(ctx, all, strays)
}

// memberships are rows of core/profile_identifier, under the latest stitching.
func (n *Night) memberships(ctx context.Context, ids identifier.Set) ([]*table.ProfileIdentifierRow, error) {
	f := n.Files[table.ProfileIdentifier]
	rows, err := columns.Find[table.ProfileIdentifierRow](ctx, f, table.ProfileIdentifier, ids, otherStitching(f), "identifier")
	return slices.DeleteFunc(rows, func(r *table.ProfileIdentifierRow) bool { return r.Stitching != table.Latest }), err
}

// otherStitching passes over row groups without a row of the latest stitching. Its rows alone know their blocks.
func otherStitching(f *columns.File) func(int) bool {
	return func(rowGroup int) bool {
		low, high, ok := f.StringBounds(rowGroup, "stitching")
		return ok && (low > table.Latest || high < table.Latest)
	}
}

// standStrays looks for the links of identifiers that belong to no profile.
func (n *Night) standStrays(ctx context.Context, all map[identifier.ID]*Standing, strays identifier.Set) error {
	if len(strays) == 0 {
		return nil
	}
	rows, err := n.crossing(ctx, strays)
	if err != nil {
		return err
	}
	blocks, homeless := identifier.Set{}, identifier.Set{}
	for id := range strays {
		blocks[id] = struct{}{} // of one that stands alone
		if block := all[id].Block; !block.IsZero() {
			blocks[block] = struct{}{}
		}
	}
	within, err := n.block(ctx, blocks)
	if err != nil {
		return err
	}
	note := func(rows []*table.IdentityLinkRow) {
		for _, r := range rows {
			for _, end := range []struct {
				id      identifier.ID
				typ     string
				crowded bool
			}{{r.Left, r.LeftType, r.Status == "shared_left"}, {r.Right, r.RightType, r.Status == "shared_right"}} {
				if s := all[end.id]; s != nil && strays.Has(end.id) {
					s.Type = night.TypeOf(s.Type, end.typ)
					s.Shared = s.Shared || end.crowded || r.Status == "shared_both"
					s.Links = append(s.Links, r)
					if s.Block.IsZero() {
						s.Block = r.Block
					}
				}
			}
		}
	}
	note(rows)
	note(within)
	for id := range strays {
		if len(all[id].Links) == 0 {
			homeless[id] = struct{}{}
		}
	}
	if len(homeless) == 0 {
		return nil
	}
	// What alone was refused, and payments' references, lie in a block whose name nothing tells.
	rows, err = columns.Find[table.IdentityLinkRow](ctx, n.Files[table.IdentityLink], table.IdentityLink, homeless, nil, "left", "right")
	note(rows)
	return err
}

// block reads the links of blocks.
func (n *Night) block(ctx context.Context, blocks identifier.Set) ([]*table.IdentityLinkRow, error) {
	return columns.Find[table.IdentityLinkRow](ctx, n.Files[table.IdentityLink], table.IdentityLink, blocks, nil, "block")
}

// crossing reads the links that identifiers have with others than those of their own blocks: with what is shared, and what
// has ended.
func (n *Night) crossing(ctx context.Context, ids identifier.Set) ([]*table.IdentityLinkRow, error) {
	f := n.Files[table.IdentityLink]
	rows, err := columns.Find[table.IdentityLinkRow](ctx, f, table.IdentityLink, ids,
		func(rowGroup int) bool { return f.Absent(rowGroup, "block") == 0 }, "left", "right")
	return slices.DeleteFunc(rows, func(r *table.IdentityLinkRow) bool { return !r.Block.IsZero() }), err
}

// refused reads the refused links that hold one of some identifiers or profiles.
func (n *Night) refused(ctx context.Context, ids identifier.Set) ([]*table.IdentityRefusedRow, error) {
	return columns.Find[table.IdentityRefusedRow](ctx, n.Files[table.IdentityRefused], table.IdentityRefused, ids, nil,
		"left", "right", "left_profile_id", "right_profile_id")
}

func setOf(ids ...identifier.ID) identifier.Set {
	set := identifier.Set{}
	for _, id := range ids {
		if !id.IsZero() {
			set[id] = struct{}{}
		}
	}
	return set
}

func compareIDs(x, y identifier.ID) int { return bytes.Compare(x[:], y[:]) }
