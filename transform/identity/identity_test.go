package identity_test

import (
	"maps"
	"sync"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity"
	"crosslift/warehouse/columns/columnstest"
)

type who struct {
	kind identifier.Kind
	id   identifier.ID
}

// TestProfiles reads who belongs to which profile: now, before an instant, and under each stitching.
func TestProfiles(t *testing.T) {
	t.Parallel()
	ends := table.Micros(30)
	row := func(stitching, typ string, id, profile byte, from table.Micros, to *table.Micros) *table.ProfileIdentifierRow {
		return &table.ProfileIdentifierRow{Stitching: stitching, IdentifierType: typ, Identifier: identifier.ID{id}, Profile: identifier.ID{profile}, ValidFrom: from, ValidTo: to, Block: identifier.ID{id}}
	}
	f := columnstest.File(t, table.ProfileIdentifier,
		row(table.Latest, table.TypeAccount, 1, 101, 10, nil),
		row(table.Latest, table.TypeAccount, 2, 102, 20, nil),
		row(table.Latest, table.TypeTV, 3, 101, 40, nil),
		row(table.Latest, table.TypeCookie, 4, 101, 10, &ends),
		row(table.Latest, table.TypeCookie, 4, 102, 30, nil),
		row(table.Latest, table.TypeEmail, 5, 101, 10, nil),
		row(table.Loose, table.TypeApp, 6, 102, 10, nil),
		row(table.Strict, table.TypeAccount, 1, 101, 10, nil),
	)
	account := func(n byte) who { return who{identifier.Account, identifier.ID{n}} }
	device := func(n byte) who { return who{identifier.Device, identifier.ID{n}} }
	for name, c := range map[string]struct {
		stitching string
		before    int64
		want      map[who]byte
	}{
		"what holds":             {table.Latest, 0, map[who]byte{account(1): 101, account(2): 102, device(3): 101, device(4): 102}},
		"what was known":         {table.Latest, 20, map[who]byte{account(1): 101, device(4): 101}},
		"until its end":          {table.Latest, 30, map[who]byte{account(1): 101, account(2): 102, device(4): 101}},
		"as of exposure":         {table.AsOfExposure, 0, map[who]byte{account(1): 101, account(2): 102}},
		"as of exposure, before": {table.AsOfExposure, 20, map[who]byte{account(1): 101}},
		"strict":                 {table.Strict, 0, map[who]byte{account(1): 101}},
		"loose":                  {table.Loose, 0, map[who]byte{device(6): 102}},
		"device":                 {table.ByDevice, 0, map[who]byte{}},
	} {
		var before time.Time
		if c.before > 0 {
			before = time.UnixMicro(c.before)
		}
		var mu sync.Mutex
		got := map[who]byte{}
		err := identity.Profiles(t.Context(), f, c.stitching, before, 2, func(m identity.Membership) {
			mu.Lock()
			defer mu.Unlock()
			got[who{m.Kind, m.ID}] = m.Profile[0]
			if m.Block != m.ID {
				t.Errorf("%s: the block of %v is %s", name, m, m.Block)
			}
		})
		if err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
	if err := identity.Profiles(t.Context(), columnstest.File(t, table.Person, &table.PersonRow{}), table.Latest, time.Time{}, 1, nil); err == nil {
		t.Error("a file of another table was read")
	}
}
