package who

import (
	"context"
	"fmt"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Finding is the outcome of one check of a night.
type Finding struct {
	Check string
	Rows  int64  // looked at
	Fault string // "" when it holds
}

// Check holds a night against what must be true of any: nothing that a rule forbids lies in one profile, ids that were
// profiles lead to some, the accepted links form a forest whose trees are the profiles, and nobody uses a device twice at
// one time. It reads the tables once, and takes 16 bytes a profile.
func (n *Night) Check(ctx context.Context) ([]Finding, error) {
	var findings []Finding
	profiles, err := n.checkProfiles(ctx)
	if err != nil {
		return nil, err
	}
	findings = append(findings, profiles.finding)
	for _, check := range []func(context.Context, *profileIDs) (Finding, error){n.checkMembers, n.checkForest, n.checkTimeline} {
		f, err := check(ctx, profiles)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Check, err)
		}
		findings = append(findings, f)
	}
	return findings, nil
}

// fails notes the first fault.
func (f *Finding) fails(format string, args ...any) {
	if f.Fault == "" {
		f.Fault = fmt.Sprintf(format, args...)
	}
}

// profileIDs are the ids of current profiles, ascending, and what their rows say.
type profileIDs struct {
	finding     Finding
	current     []identifier.ID
	identifiers int64 // of all
	tied        int64 // identifiers beyond the first of each
}

func (p *profileIDs) has(id identifier.ID) bool {
	_, found := slices.BinarySearchFunc(p.current, id, compareIDs)
	return found
}

func (n *Night) checkProfiles(ctx context.Context) (*profileIDs, error) {
	p := &profileIDs{finding: Finding{Check: "ids that were profiles lead to some"}}
	type alias struct{ id, of identifier.ID }
	var aliases []alias
	err := columns.Scan(ctx, n.Files[table.Profile], table.Profile, nil, func(r *table.ProfileRow) error {
		p.finding.Rows++
		switch r.Status {
		case current:
			p.current = append(p.current, r.Profile)
			p.identifiers += r.Identifiers
			p.tied += max(0, r.Identifiers-1)
			if !r.AliasOf.IsZero() {
				p.finding.fails("profile %s is current, and an alias of %s", r.Profile, r.AliasOf)
			}
		case "merged":
			aliases = append(aliases, alias{r.Profile, r.AliasOf})
		default:
			if !r.AliasOf.IsZero() {
				p.finding.fails("profile %s is %s, and an alias of %s", r.Profile, r.Status, r.AliasOf)
			}
		}
		return nil
	})
	slices.SortFunc(p.current, compareIDs)
	for _, a := range aliases {
		if !p.has(a.of) {
			p.finding.fails("profile %s was merged into %s, which is no profile", a.id, a.of)
		}
	}
	return p, err
}

// checkMembers checks that identifiers belong to profiles, and that none has more of a unique type than it may. The rows of
// one stitching and type follow each other.
func (n *Night) checkMembers(ctx context.Context, profiles *profileIDs) (Finding, error) {
	f := Finding{Check: "no profile has more of a unique type than it may"}
	var stitching, typ string
	var owners []identifier.ID
	end := func() {
		t, known := n.Rules.Type(typ)
		if !known || n.Rules.Types[t].Limit == 0 {
			return
		}
		limit := n.Rules.Types[t].Limit
		slices.SortFunc(owners, compareIDs)
		for i := limit; i < len(owners); i++ {
			if owners[i] == owners[i-limit] {
				f.fails("profile %s has more than %d of type %s (%s)", owners[i], limit, typ, stitching)
			}
		}
	}
	members := int64(0)
	err := columns.Scan(ctx, n.Files[table.ProfileIdentifier], table.ProfileIdentifier, nil, func(r *table.ProfileIdentifierRow) error {
		f.Rows++
		if r.Stitching != stitching || r.IdentifierType != typ {
			end()
			stitching, typ, owners = r.Stitching, r.IdentifierType, owners[:0]
		}
		if r.ValidTo != nil {
			return nil
		}
		if t, known := n.Rules.Type(typ); known && n.Rules.Types[t].Limit > 0 {
			owners = append(owners, r.Profile)
		}
		if stitching == table.Latest {
			members++
			if !profiles.has(r.Profile) {
				f.fails("%s %s belongs to %s, which is no profile", typ, r.Identifier, r.Profile)
			}
		}
		return nil
	})
	end()
	if members != profiles.identifiers {
		f.fails("%d identifiers belong to profiles, which count %d", members, profiles.identifiers)
	}
	return f, err
}

// checkTimeline checks that the spans of a device follow each other.
func (n *Night) checkTimeline(ctx context.Context, _ *profileIDs) (Finding, error) {
	f := Finding{Check: "spans of a device do not overlap"}
	var last table.DeviceTimelineRow
	err := columns.Scan(ctx, n.Files[table.DeviceTimeline], table.DeviceTimeline, nil, func(r *table.DeviceTimelineRow) error {
		f.Rows++
		if r.From >= r.To {
			f.fails("a span of device %s from %s ends before it begins", r.Device, r.From.Time())
		}
		if r.Device == last.Device && r.From < last.To {
			f.fails("spans of device %s overlap at %s", r.Device, r.From.Time())
		}
		last = *r
		return nil
	})
	return f, err
}
