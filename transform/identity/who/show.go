package who

import (
	"cmp"
	"context"
	"slices"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// Sight is what a night knows of an identifier, a profile, a person or a household.
type Sight struct {
	Asked    identifier.ID
	What     string            // identifier, profile, person, household; "" when nothing is known of it
	Standing *Standing         // of an identifier
	Accounts int               // of an identifier of no profile: how many accounts were seen with it
	Alias    *table.ProfileRow // of an id that was a profile: what became of it
	Profile  *table.ProfileRow
	Members  []*table.ProfileIdentifierRow // those that belong to it now, then those that did
	Uses     []Use                         // of its devices, or of the identifier that was asked for when it is a shared one
	Refused  []*table.IdentityRefusedRow   // links of the profile, or of an identifier of none

	Person, Household     identifier.ID // zero: the profile has no account
	PersonOf, HouseholdOf []identifier.ID
	Signs                 string // by which the profiles of a person were found to be one human's
}

// Use sums up when a device was used, as far as is known, as attributed by one method to one account.
type Use struct {
	Device   identifier.ID
	Method   string
	Account  identifier.ID
	Spans    int
	From, To table.Micros // of the first and the last of them
	Shared   bool         // several accounts used the device in those days
}

// Show tells what is known of an identifier, or of the id of a profile, a person or a household.
func (n *Night) Show(ctx context.Context, id identifier.ID) (*Sight, error) {
	s := &Sight{Asked: id}
	profiles, err := n.profiles(ctx, setOf(id))
	if err != nil {
		return nil, err
	}
	if len(profiles) > 0 {
		s.What = "profile"
		if p := profiles[0]; p.Status != current {
			s.Alias = p
			if p.AliasOf.IsZero() {
				return s, nil
			}
			if profiles, err = n.profiles(ctx, setOf(p.AliasOf)); err != nil || len(profiles) == 0 {
				return s, err
			}
		}
		return s, n.showProfile(ctx, s, profiles[0])
	}
	stands, err := n.stand(ctx, id)
	if err != nil {
		return nil, err
	}
	if s.Standing = stands[id]; s.Standing.Known() {
		s.What = "identifier"
		if !s.Standing.Profile.IsZero() {
			profiles, err := n.profiles(ctx, setOf(s.Standing.Profile))
			if err != nil || len(profiles) == 0 {
				return s, err
			}
			return s, n.showProfile(ctx, s, profiles[0])
		}
		return s, n.showStray(ctx, s)
	}
	return s, n.showGroup(ctx, s)
}

// current is the status of an id that is a profile.
const current = "current"

func (n *Night) profiles(ctx context.Context, ids identifier.Set) ([]*table.ProfileRow, error) {
	return columns.Find[table.ProfileRow](ctx, n.Files[table.Profile], table.Profile, ids, nil, "profile_id")
}

func (n *Night) showProfile(ctx context.Context, s *Sight, p *table.ProfileRow) error {
	s.Profile = p
	var err error
	if s.Members, err = n.members(ctx, p); err != nil {
		return err
	}
	devices := identifier.Set{}
	for _, m := range s.Members {
		if m.ValidTo == nil && n.device(m.IdentifierType) {
			devices[m.Identifier] = struct{}{}
		}
	}
	if s.Uses, err = n.uses(ctx, devices); err != nil {
		return err
	}
	refused, err := n.refused(ctx, setOf(p.Profile))
	if err != nil {
		return err
	}
	s.Refused = refused
	return n.company(ctx, s)
}

// members are the identifiers that belong to a profile, or did.
func (n *Night) members(ctx context.Context, p *table.ProfileRow) ([]*table.ProfileIdentifierRow, error) {
	stands, err := n.stand(ctx, p.Anchor)
	if err != nil {
		return nil, err
	}
	links, err := n.block(ctx, setOf(stands[p.Anchor].Block))
	if err != nil {
		return nil, err
	}
	crossing, err := n.crossing(ctx, setOf(p.Anchor)) // its ended attributes may be others' now
	if err != nil {
		return nil, err
	}
	ids := setOf(p.Anchor)
	for _, l := range slices.Concat(links, crossing) {
		ids[l.Left], ids[l.Right] = struct{}{}, struct{}{}
	}
	n.Decisions.Tie(ids)
	rows, err := n.memberships(ctx, ids)
	rows = slices.DeleteFunc(rows, func(r *table.ProfileIdentifierRow) bool { return r.Profile != p.Profile })
	slices.SortStableFunc(rows, func(x, y *table.ProfileIdentifierRow) int { return cmp.Compare(ended(x), ended(y)) })
	return rows, err
}

func ended(r *table.ProfileIdentifierRow) int {
	if r.ValidTo != nil {
		return 1
	}
	return 0
}

// device reports whether a type is one of a device.
func (n *Night) device(typ string) bool {
	t, known := n.Rules.Type(typ)
	return known && n.Rules.Types[t].Device
}

// uses sums up the timelines of devices.
func (n *Night) uses(ctx context.Context, devices identifier.Set) ([]Use, error) {
	if len(devices) == 0 {
		return nil, nil
	}
	rows, err := columns.Find[table.DeviceTimelineRow](ctx, n.Files[table.DeviceTimeline], table.DeviceTimeline, devices, nil, "device")
	if err != nil {
		return nil, err
	}
	type key struct {
		device, account identifier.ID
		method          string
	}
	sums := map[key]*Use{}
	var all []*Use
	for _, r := range rows {
		k := key{r.Device, r.Account, r.Method}
		u := sums[k]
		if u == nil {
			u = &Use{Device: r.Device, Account: r.Account, Method: r.Method, From: r.From}
			sums[k], all = u, append(all, u)
		}
		u.Spans, u.From, u.To, u.Shared = u.Spans+1, min(u.From, r.From), max(u.To, r.To), u.Shared || r.Shared
	}
	slices.SortFunc(all, func(x, y *Use) int {
		return cmp.Or(compareIDs(x.Device, y.Device), compareIDs(x.Account, y.Account), cmp.Compare(x.Method, y.Method))
	})
	uses := make([]Use, len(all))
	for i, u := range all {
		uses[i] = *u
	}
	return uses, nil
}

// company finds the person and the household that a profile is of.
func (n *Night) company(ctx context.Context, s *Sight) error {
	of := setOf(s.Profile.Profile)
	persons, err := columns.Find[table.PersonRow](ctx, n.Files[table.Person], table.Person, of, nil, "profile_id")
	if err != nil {
		return err
	}
	for _, r := range persons {
		s.Person, s.PersonOf, s.Signs = r.Person, []identifier.ID{r.Profile}, r.Signs
		if r.Profiles > 1 {
			if s.PersonOf, err = n.personOf(ctx, r.Person); err != nil {
				return err
			}
		}
	}
	houses, err := columns.Find[table.HouseholdRow](ctx, n.Files[table.Household], table.Household, of, nil, "profile_id")
	if err != nil {
		return err
	}
	for _, r := range houses {
		s.Household, s.HouseholdOf = r.Household, []identifier.ID{r.Profile}
		if r.Profiles > 1 {
			if s.HouseholdOf, err = n.householdOf(ctx, r.Household); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *Night) personOf(ctx context.Context, person identifier.ID) (profiles []identifier.ID, err error) {
	rows, err := columns.Find[table.PersonRow](ctx, n.Files[table.Person], table.Person, setOf(person), nil, "person_id")
	for _, r := range rows {
		profiles = append(profiles, r.Profile)
	}
	return profiles, err
}

func (n *Night) householdOf(ctx context.Context, household identifier.ID) (profiles []identifier.ID, err error) {
	rows, err := columns.Find[table.HouseholdRow](ctx, n.Files[table.Household], table.Household, setOf(household), nil, "household_id")
	for _, r := range rows {
		profiles = append(profiles, r.Profile)
	}
	return profiles, err
}

// showStray tells about an identifier that belongs to no profile.
func (n *Night) showStray(ctx context.Context, s *Sight) error {
	accounts := identifier.Set{}
	for _, l := range s.Standing.Links {
		for id, typ := range map[identifier.ID]string{l.Left: l.LeftType, l.Right: l.RightType} {
			if id != s.Asked && typ == table.TypeAccount && !id.IsZero() {
				accounts[id] = struct{}{}
			}
		}
	}
	s.Accounts = len(accounts)
	var err error
	if n.device(s.Standing.Type) {
		if s.Uses, err = n.uses(ctx, setOf(s.Asked)); err != nil {
			return err
		}
	}
	s.Refused, err = n.refused(ctx, setOf(s.Asked))
	return err
}

// showGroup tells about the id of a person or a household.
func (n *Night) showGroup(ctx context.Context, s *Sight) error {
	var err error
	if s.PersonOf, err = n.personOf(ctx, s.Asked); err != nil {
		return err
	}
	if len(s.PersonOf) > 0 {
		s.What, s.Person = "person", s.Asked
		return nil
	}
	if s.HouseholdOf, err = n.householdOf(ctx, s.Asked); err == nil && len(s.HouseholdOf) > 0 {
		s.What, s.Household = "household", s.Asked
	}
	return err
}
