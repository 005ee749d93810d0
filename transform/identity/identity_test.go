package identity_test

import (
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity"
	"crosslift/warehouse/columns/columnstest"
)

// TestProfiles looks identifiers up, all of them and those known before an instant.
func TestProfiles(t *testing.T) {
	t.Parallel()
	var rows []*table.ProfileIdentifierRow
	for i := range 100 {
		rows = append(rows, &table.ProfileIdentifierRow{Stitching: identity.Latest, IdentifierType: "account",
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
