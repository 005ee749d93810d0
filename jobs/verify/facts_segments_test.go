package verify

import (
	"slices"
	"testing"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// segmented is the small world with what was seen of ann and bob before: ann came by an advertisement, without an account, on her
// phone, which she has had for long; bob was seen with his account, on a television of which nobody knew, and pays monthly.
func segmented() (w *lived, f *found, homes map[identifier.ID]*home, since beginnings) {
	ann, bob, phone, tv := identifier.ID{1}, identifier.ID{2}, identifier.ID{8}, identifier.ID{9}
	w, f, _ = small()
	w.sights = []deed{
		{at: hour(2), device: phone, by: ann, channel: "ads / cpc"},
		{at: hour(2.5), account: ann, device: phone, by: ann, channel: "mail / news"},
		{at: hour(2.8), account: bob, device: phone, by: bob, channel: "mail / news"}, // not hers
		{at: hour(5.5), account: bob, device: tv, by: bob, channel: "ads / cpc"},      // after he was exposed
	}
	w.plans = map[string][]deed{
		"charges":       {{at: hour(1), account: ann, plan: "first_month"}, {at: hour(1), account: bob, plan: "monthly"}},
		"subscriptions": {{at: hour(2), account: ann, plan: "basic"}, {at: hour(2.1), account: ann, plan: "family"}, {at: hour(8), account: bob, plan: "basic"}},
	}
	homes = map[identifier.ID]*home{
		ann: {truth: &world.TrueExposure{Account: "ann", Devices: []string{"phone"}, Arm: "offer"}, at: hour(3), knew: []identifier.ID{phone},
			unit: map[string]identifier.ID{table.AsOfExposure: {31}}},
		bob: {truth: &world.TrueExposure{Account: "bob", Devices: []string{"tv"}, Arm: "control"}, at: hour(5), knew: []identifier.ID{tv},
			unit: map[string]identifier.ID{table.AsOfExposure: {32}}},
	}
	since = beginnings{
		truly: map[string]table.Micros{"ann": hour(-2), "phone": hour(-21), "bob": hour(0), "tv": hour(4.9)},
		told:  map[string]table.Micros{"ann": hour(-2), "phone": hour(-21), "bob": hour(0), "tv": hour(4.9)},
	}
	unit := f.units[table.AsOfExposure]
	for id, of := range map[identifier.ID]table.UnitExposureRow{
		{31}: {Channel: "ads / cpc", Plan: "family", Newness: "returning"}, {32}: {Channel: "mail / news", Plan: "monthly", Newness: "new"},
	} {
		unit[id].Channel, unit[id].Plan, unit[id].Newness, unit[id].Devices, unit[id].Linked = of.Channel, of.Plan, of.Newness, 1, true
	}
	return w, f, homes, since
}

// TestSegmentsAreHeld: all is well with the small world, and whatever is changed about it shows exactly where it should.
func TestSegmentsAreHeld(t *testing.T) {
	t.Parallel()
	ann := identifier.ID{31}
	const (
		channel, plan, known = "units of the channel that their first visit came from", "units of the plan that they had", "units known a day before, said to be returning"
		newcomers, linked    = "units not known a day before, said to be new", "units of offer that were linked, of those whose account was"
		truly, person        = "units that are new or returning as their account was", "units of the channel of their account's first visit"
	)
	for name, c := range map[string]struct {
		change func(u *table.UnitExposureRow, since beginnings)
		shows  []string
	}{
		"nothing":            {func(*table.UnitExposureRow, beginnings) {}, nil},
		"another channel":    {func(u *table.UnitExposureRow, _ beginnings) { u.Channel = "mail / news" }, []string{channel, person}},
		"no channel":         {func(u *table.UnitExposureRow, _ beginnings) { u.Channel = "" }, []string{channel, person}},
		"the plan before":    {func(u *table.UnitExposureRow, _ beginnings) { u.Plan = "basic" }, []string{plan}},
		"the plan paid for":  {func(u *table.UnitExposureRow, _ beginnings) { u.Plan = "first_month" }, []string{plan}},
		"new":                {func(u *table.UnitExposureRow, _ beginnings) { u.Newness = "new" }, []string{known, truly}},
		"as far as is known": {func(u *table.UnitExposureRow, s beginnings) { u.Newness, s.told["phone"] = "new", hour(1) }, []string{truly}},
		"known by a number":  {func(_ *table.UnitExposureRow, s beginnings) { s.told["phone"], s.truly["phone"] = hour(1), hour(1) }, []string{newcomers, truly}},
		"not linked":         {func(u *table.UnitExposureRow, _ beginnings) { u.Linked = false }, []string{linked}},
		"other devices":      {func(u *table.UnitExposureRow, _ beginnings) { u.Devices, u.Channel, u.Plan = 0, "", "" }, []string{person}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, f, homes, since := segmented()
			c.change(f.units[table.AsOfExposure][ann], since)
			r := &report{stage: "facts"}
			f.holdSegments(r, w, homes, f.entries(table.AsOfExposure, w), since)
			var shows []string
			for _, check := range r.checks {
				if check.Value != 1 && check.N > 0 {
					shows = append(shows, check.Name)
				}
			}
			slices.Sort(shows)
			slices.Sort(c.shows)
			if !slices.Equal(shows, c.shows) || len(r.checks) < 6 {
				t.Errorf("%q of %d, expected %q", shows, len(r.checks), c.shows)
			}
		})
	}
}

// TestSharesAreOfWhatWasDone: bob's evening is his by the timeline; a minute of ann's on the television is nobody's.
func TestSharesAreOfWhatWasDone(t *testing.T) {
	t.Parallel()
	w, f, homes, _ := segmented()
	all, anonymous, rightly := f.shares(table.AsOfExposure, homes, w.deeds[watching], 14*day, seconds)
	for name, c := range map[string]struct{ got, want part }{
		"of all": {all, part{670, 730, 3}}, "of what has no account": {anonymous, part{600, 660, 2}}, "rightly": {rightly, part{600, 600, 1}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, expected %+v", name, c.got, c.want)
		}
	}
	if all, _, _ := f.shares(table.AsOfExposure, homes, w.deeds[declined], 32*day, one); all != (part{1, 1, 1}) {
		t.Errorf("declined: %+v", all)
	}
}

// TestOnlySureUnitsAreHeld: where devices are assigned, a unit is an account's own that has its devices, and its name from ever on.
func TestOnlySureUnitsAreHeld(t *testing.T) {
	t.Parallel()
	ann, phone, tv := identifier.ID{1}, identifier.ID{8}, identifier.ID{9}
	u, later := &table.UnitExposureRow{Unit: identifier.ID{31}}, hour(1)
	h := &home{knew: []identifier.ID{phone}}
	for name, c := range map[string]struct {
		row     *table.UnitIdentifierRow
		members []identifier.ID
		sure    bool
	}{
		"its own":           {&table.UnitIdentifierRow{Unit: u.Unit}, []identifier.ID{phone}, true},
		"linked later":      {&table.UnitIdentifierRow{Unit: u.Unit, From: &later}, []identifier.ID{phone}, false},
		"of somebody else":  {&table.UnitIdentifierRow{Unit: identifier.ID{32}}, []identifier.ID{phone}, false},
		"another device":    {&table.UnitIdentifierRow{Unit: u.Unit}, []identifier.ID{tv}, false},
		"a device too many": {&table.UnitIdentifierRow{Unit: u.Unit}, []identifier.ID{phone, tv}, false},
	} {
		f := &found{assignedBy: world.ByDevice, whose: map[string]map[identifier.ID][]*table.UnitIdentifierRow{table.AsOfExposure: {ann: {c.row}}}}
		if sure := f.has(u, h, ann, c.members); sure != c.sure {
			t.Errorf("%s: %v", name, sure)
		}
	}
}
