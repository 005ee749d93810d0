package identity_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

func night(t *testing.T, in identity.Input) []*table.ProfileIdentifierRow {
	t.Helper()
	var rows []*table.ProfileIdentifierRow
	if err := identity.Stitch(t.Context(), in, 3, func(row *table.ProfileIdentifierRow) error {
		rows = append(rows, row)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

func byIdentifier(rows []*table.ProfileIdentifierRow) map[identifier.ID]table.ProfileIdentifierRow {
	m := map[identifier.ID]table.ProfileIdentifierRow{}
	for _, r := range rows {
		m[r.Identifier] = *r
	}
	return m
}

// TestAnySplitIntoNights gives the same memberships, night by night or all at once.
func TestAnySplitIntoNights(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 30 {
		var observed []identity.Observed
		want := map[identifier.ID]table.Micros{}
		days := 1 + r.IntN(6)
		for day := range days {
			var rows []*table.ViewingRow
			for i := range r.IntN(40) {
				row := &table.ViewingRow{SourceID: fmt.Sprint(i), ViewedAt: table.Micros(day*86400e6 + r.IntN(86400)*1e6), Seconds: 1}
				if r.IntN(5) > 0 {
					row.Account = identifier.ID{9, byte(r.IntN(15))}
					if at, seen := want[row.Account]; !seen || row.ViewedAt < at {
						want[row.Account] = row.ViewedAt
					}
				} else {
					row.Device = identifier.ID{8, byte(r.IntN(15))} // nobody's account
				}
				rows = append(rows, row)
			}
			observed = append(observed, identity.Observed{Table: table.Viewing, Day: table.Day(day), File: columnstest.File(t, table.Viewing, rows...)})
		}
		all := night(t, identity.Input{Observed: observed})
		if len(all) != len(want) {
			t.Fatalf("%d memberships of %d accounts", len(all), len(want))
		}
		for _, m := range all {
			if m.ValidFrom != want[m.Identifier] || m.Profile != identifier.Mint(identifier.Profile, m.Identifier, 0) {
				t.Fatalf("membership %+v, first seen at %d", m, want[m.Identifier])
			}
		}
		var previous *columns.File
		var last []*table.ProfileIdentifierRow
		for n := 1; n <= days; n += 1 + r.IntN(2) {
			last = night(t, identity.Input{Previous: previous, Observed: observed[:n]})
			previous = columnstest.File(t, table.ProfileIdentifier, last...)
		}
		last = night(t, identity.Input{Previous: previous, Observed: observed})
		if !reflect.DeepEqual(byIdentifier(last), byIdentifier(all)) {
			t.Fatalf("night by night\n%v\nall at once\n%v", byIdentifier(last), byIdentifier(all))
		}
	}
}

// TestIdsAreCarried keeps the profile that an account had last night, whatever would be minted now.
func TestIdsAreCarried(t *testing.T) {
	t.Parallel()
	account, profile := identifier.ID{1}, identifier.ID{42}
	previous := columnstest.File(t, table.ProfileIdentifier,
		&table.ProfileIdentifierRow{Stitching: identity.AsOfExposure, IdentifierType: "account", Identifier: account, Profile: profile, ValidFrom: 5})
	seen := columnstest.File(t, table.Viewing, &table.ViewingRow{SourceID: "v", ViewedAt: 5, Account: account, Seconds: 1})
	rows := night(t, identity.Input{Previous: previous, Observed: []identity.Observed{{Table: table.Viewing, File: seen}}})
	if len(rows) != 1 || rows[0].Profile != profile {
		t.Errorf("got %+v, expected profile %s", rows, profile)
	}
}

// TestProfiles looks identifiers up, all of them and those known before an instant.
func TestProfiles(t *testing.T) {
	t.Parallel()
	var rows []*table.ProfileIdentifierRow
	for i := range 100 {
		rows = append(rows, &table.ProfileIdentifierRow{Stitching: identity.AsOfExposure, IdentifierType: "account",
			Identifier: identifier.ID{byte(i * 2), 1}, Profile: identifier.ID{byte(i), 2}, ValidFrom: table.Micros(i)})
	}
	f := columnstest.File(t, table.ProfileIdentifier, rows...)
	all, err := identity.Open(t.Context(), f, identity.AsOfExposure)
	if err != nil {
		t.Fatal(err)
	}
	known, err := identity.OpenKnown(t.Context(), f, identity.AsOfExposure, table.Micros(50).Time())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		id := identifier.ID{byte(i * 2), 1}
		if got, ok := all.Of(identifier.Account, id); !ok || got != (identifier.ID{byte(i), 2}) {
			t.Errorf("profile of %s: %s, %t", id, got, ok)
		}
		if _, ok := known.Of(identifier.Account, id); ok != (i < 50) {
			t.Errorf("%d known before 50: %t", i, ok)
		}
		if _, ok := all.Of(identifier.Account, identifier.ID{byte(i*2 + 1), 1}); ok {
			t.Errorf("a stranger was found")
		}
		if _, ok := all.Of(identifier.Device, id); ok {
			t.Errorf("an account was found as a device")
		}
	}
}
