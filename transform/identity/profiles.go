package identity

import (
	"bytes"
	"context"
	"slices"
	"sort"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Profiles answers which profile an identifier belongs to. It takes 32 bytes an identifier.
type Profiles struct{ byKind map[identifier.Kind]*index }

// index is the identifiers of one kind, ascending, each with its profile beside it.
type index struct{ ids, profiles []identifier.ID }

// Open reads one stitching of core/profile_identifier. Of AsOfExposure it reads the accounts: their profiles depend on no
// link, and are the same at every instant.
func Open(ctx context.Context, f *columns.File, stitching string) (*Profiles, error) {
	return open(ctx, f, stitching, func(m membership) bool { return m.to == never })
}

// OpenKnown reads only the memberships that were known before an instant: a later night's identity stands in for an
// earlier one that is gone.
func OpenKnown(ctx context.Context, f *columns.File, stitching string, before time.Time) (*Profiles, error) {
	limit := table.MicrosOf(before)
	return open(ctx, f, stitching, func(m membership) bool { return m.from < limit && limit <= m.to })
}

func open(ctx context.Context, f *columns.File, stitching string, known func(membership) bool) (*Profiles, error) {
	p := &Profiles{byKind: map[identifier.Kind]*index{}}
	of := stitching
	if stitching == AsOfExposure {
		of = Latest
	}
	err := memberships(ctx, f, of, func(m membership) {
		if !known(m) || stitching == AsOfExposure && m.kind != identifier.Account {
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
	for _, i := range p.byKind {
		if !slices.IsSortedFunc(i.ids, compare) { // devices of several types
			sort.Sort(i)
		}
	}
	return p, nil
}

func (i *index) Len() int           { return len(i.ids) }
func (i *index) Less(x, y int) bool { return compare(i.ids[x], i.ids[y]) < 0 }
func (i *index) Swap(x, y int) {
	i.ids[x], i.ids[y] = i.ids[y], i.ids[x]
	i.profiles[x], i.profiles[y] = i.profiles[y], i.profiles[x]
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
	from, to    table.Micros
}

// never is the end of what holds.
const never = table.Micros(1<<63 - 1)

// kindOf is the kind of identifier that a type is of: devices are told apart by what they are.
func kindOf(typ string) identifier.Kind {
	switch typ {
	case table.TypeApp, table.TypeCookie, table.TypeTV, table.TypeBrowser, table.TypeDevice:
		return identifier.Device
	}
	return identifier.Kind(typ)
}

// memberships reads the rows of one stitching.
func memberships(ctx context.Context, f *columns.File, stitching string, each func(membership)) error {
	return columns.Scan(ctx, f, table.ProfileIdentifier, nil, func(r *table.ProfileIdentifierRow) error {
		if r.Stitching != stitching {
			return nil
		}
		m := membership{kind: kindOf(r.IdentifierType), id: r.Identifier, profile: r.Profile, from: r.ValidFrom, to: never}
		if r.ValidTo != nil {
			m.to = *r.ValidTo
		}
		each(m)
		return nil
	})
}
