package identity

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Profiles answers which profile an identifier belongs to. It takes 32 bytes an identifier.
type Profiles struct{ byKind map[identifier.Kind]*index }

// index is the identifiers of one kind, ascending, each with its profile beside it.
type index struct{ ids, profiles []identifier.ID }

// Open reads one stitching of core/profile_identifier.
func Open(ctx context.Context, f *columns.File, stitching string) (*Profiles, error) {
	return open(ctx, f, stitching, func(membership) bool { return true })
}

// OpenKnown reads only the memberships that were known before an instant: a later night's identity stands in for an
// earlier one that is gone.
func OpenKnown(ctx context.Context, f *columns.File, stitching string, before time.Time) (*Profiles, error) {
	limit := table.MicrosOf(before)
	return open(ctx, f, stitching, func(m membership) bool { return m.from < limit })
}

func open(ctx context.Context, f *columns.File, stitching string, known func(membership) bool) (*Profiles, error) {
	p := &Profiles{byKind: map[identifier.Kind]*index{}}
	err := memberships(ctx, f, stitching, func(m membership) {
		if !known(m) {
			return
		}
		i := p.byKind[m.kind]
		if i == nil {
			i = &index{}
			p.byKind[m.kind] = i
		}
		i.ids, i.profiles = append(i.ids, m.id), append(i.profiles, m.profile)
	})
	if err != nil {
		return nil, err
	}
	for kind, i := range p.byKind {
		if !slices.IsSortedFunc(i.ids, compare) {
			return nil, fmt.Errorf("%s: identifiers of kind %s are not in order", table.ProfileIdentifier, kind)
		}
	}
	return p, nil
}

func compare(a, b identifier.ID) int { return bytes.Compare(a[:], b[:]) }

// Of gives the profile that an identifier belongs to.
func (p *Profiles) Of(kind identifier.Kind, id identifier.ID) (identifier.ID, bool) {
	i := p.byKind[kind]
	if i == nil {
		return identifier.ID{}, false
	}
	at, found := slices.BinarySearchFunc(i.ids, id, compare)
	if !found {
		return identifier.ID{}, false
	}
	return i.profiles[at], true
}

// Len is the number of identifiers of a kind.
func (p *Profiles) Len(kind identifier.Kind) int {
	if i := p.byKind[kind]; i != nil {
		return len(i.ids)
	}
	return 0
}

// membership is a row of core/profile_identifier.
type membership struct {
	kind        identifier.Kind
	id, profile identifier.ID
	from        table.Micros
}

// memberships reads the rows of one stitching.
func memberships(ctx context.Context, f *columns.File, stitching string, each func(membership)) error {
	var stitchings, kinds, ids, profiles, from columns.Vector
	for g := range f.RowGroups() {
		for _, c := range []struct {
			name string
			v    *columns.Vector
		}{{"stitching", &stitchings}, {"identifier_type", &kinds}, {"identifier", &ids}, {"profile_id", &profiles}, {"valid_from", &from}} {
			if err := f.Vector(ctx, g, c.name, c.v); err != nil {
				return fmt.Errorf("%s: %w", table.ProfileIdentifier, err)
			}
		}
		for row := range ids.Index {
			if stitchings.Strings[stitchings.Index[row]] != stitching {
				continue
			}
			each(membership{
				kind: identifier.Kind(kinds.Strings[kinds.Index[row]]), id: ids.IDs[ids.Index[row]],
				profile: profiles.IDs[profiles.Index[row]], from: table.Micros(from.Ints[row]),
			})
		}
	}
	return nil
}
