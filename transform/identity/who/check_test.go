package who_test

import (
	"strings"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/who/whotest"
)

// TestFaults plants one fault at a time into a sound night: exactly the check that is for it finds it.
func TestFaults(t *testing.T) {
	t.Parallel()
	bob := identifier.Mint(identifier.Profile, whotest.ID("account bob"), 0)
	for name, fault := range map[string]struct {
		plant func(m *whotest.Made)
		check string // part of the check's name
		says  string
	}{
		"an alias of nothing": {func(m *whotest.Made) {
			for _, row := range m.Rows[table.Profile] {
				if r := row.(*table.ProfileRow); r.Status == "merged" {
					r.AliasOf = whotest.ID("nobody")
				}
			}
		}, "lead to some", "which is no profile"},
		"two accounts of one profile": {func(m *whotest.Made) {
			for _, row := range m.Rows[table.ProfileIdentifier] {
				if r := row.(*table.ProfileIdentifierRow); r.Identifier == whotest.ID("account ann") && r.Stitching == "latest" {
					r.Profile = bob
				}
			}
		}, "unique type", "profile " + bob.String() + " has more than 1 of type account (latest)"},
		"an identifier too few": {func(m *whotest.Made) {
			m.Rows[table.ProfileIdentifier] = m.Rows[table.ProfileIdentifier][1:]
		}, "unique type", "identifiers belong to profiles, which count"},
		"an accepted link too few": {func(m *whotest.Made) {
			for _, row := range m.Rows[table.IdentityLink] {
				if r := row.(*table.IdentityLinkRow); r.Right == whotest.ID("card") && r.Status == "linked" {
					r.Status = "ended"
				}
			}
		}, "forest", "accepted links tie"},
		"an accepted link too many": {func(m *whotest.Made) {
			for _, row := range m.Rows[table.IdentityLink] {
				if r := row.(*table.IdentityLinkRow); r.Right == whotest.ID("app ann") {
					twice := *r
					twice.Source = "viewing"
					m.Rows[table.IdentityLink] = append(m.Rows[table.IdentityLink], &twice)
				}
			}
		}, "forest", "closes a circle"},
		"a device used twice": {func(m *whotest.Made) {
			m.Rows[table.DeviceTimeline][0].(*table.DeviceTimelineRow).To += 86400e6
		}, "overlap", "overlap at 2026-09-02"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, m := whotest.Stories(t)
			fault.plant(m)
			m.Write(t)
			findings, err := m.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				if meant := strings.Contains(f.Check, fault.check); meant != strings.Contains(f.Fault, fault.says) || !meant && f.Fault != "" {
					t.Errorf("%s: %q", f.Check, f.Fault)
				}
			}
		})
	}
}
