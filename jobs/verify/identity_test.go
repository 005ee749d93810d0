package verify

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// oracle is a lake whose identity is the truth, or that with a fault in it.
type oracle struct {
	t      *testing.T
	in     Input
	people *people
	raw    map[*table.Table][]any
	linked []any                                        // core/identity_link
	night  [2]map[identifier.ID]identifier.ID           // identifier → profile
	person map[identifier.ID]identifier.ID              // profile → person
	spans  []*table.DeviceTimelineRow                   //
	types  map[identifier.ID]string                     //
	hashes map[identifier.Kind]map[string]identifier.ID //
}

// newOracle makes a world, the raw tables that attribution is held against, and an identity that knows everything.
func newOracle(t *testing.T, people int) *oracle {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	first, err := table.ParseDay("2026-09-01")
	if err != nil {
		t.Fatal(err)
	}
	o := world.Options{Seed: 5, People: people, Nights: 30, First: first, Zone: zone, Scale: 0.7}
	dir := filepath.Join(t.TempDir(), "world")
	if _, err := world.Create(t.Context(), dir, o, nil); err != nil {
		t.Fatal(err)
	}
	w, err := world.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, err := identifier.NewKey("test", []byte("sixteen bytes or more"))
	if err != nil {
		t.Fatal(err)
	}
	x := &oracle{
		t: t, in: Input{World: w, Lake: lake.New(object.NewFolder(t.TempDir()), t.TempDir()), Zone: zone, Key: key, Stripe: "acct_1", From: first, To: first + 29},
		raw: map[*table.Table][]any{}, types: map[identifier.ID]string{}, hashes: map[identifier.Kind]map[string]identifier.ID{},
	}
	if x.people, err = x.in.people(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := world.Generate(t.Context(), o, x.sources); err != nil {
		t.Fatal(err)
	}
	x.know(dir)
	return x
}

func (x *oracle) hash(kind identifier.Kind, value string) identifier.ID {
	of := x.hashes[kind]
	if of == nil {
		of = map[string]identifier.ID{}
		x.hashes[kind] = of
	}
	id, known := of[value]
	if !known && value != "" {
		id, _ = x.in.hash(string(kind), value) // of placeholders none
		of[value] = id
	}
	return id
}

// sources writes what the product and web analytics saw of devices.
func (x *oracle) sources(c *world.Chunk) error {
	for _, l := range c.Logins {
		x.raw[table.ProductLogin] = append(x.raw[table.ProductLogin], &table.ProductLoginRow{
			SourceID: strconv.FormatInt(l.ID, 10), EventAt: table.MicrosOf(l.At), Kind: l.Kind,
			Account: x.hash(identifier.Account, l.Account), Device: x.hash(identifier.Device, l.Device),
		})
	}
	for _, v := range c.Views {
		x.raw[table.Viewing] = append(x.raw[table.Viewing], &table.ViewingRow{
			SourceID: strconv.FormatInt(v.ID, 10), ViewedAt: table.MicrosOf(v.At), Seconds: v.Seconds,
			Account: x.hash(identifier.Account, v.Account), Device: x.hash(identifier.Device, v.Device),
		})
	}
	for _, e := range c.Events {
		row := &table.WebEventRow{
			SourceID: e.PseudoID + strconv.FormatInt(e.At.UnixNano(), 36) + strconv.FormatInt(e.Sequence, 36), EventAt: table.MicrosOf(e.At), EventName: e.Name,
			Device: x.hash(identifier.Device, e.PseudoID),
		}
		if id := x.hash(identifier.Account, e.Account); x.people.human[id] != 0 {
			row.Account = id
		}
		x.raw[table.WebEvent] = append(x.raw[table.WebEvent], row)
	}
	return nil
}

// know makes the identity tables of the truth.
func (x *oracle) know(dir string) {
	nodes, err := world.ReadNodes(dir)
	if err != nil {
		x.t.Fatal(err)
	}
	for _, n := range nodes {
		id := x.hash(identifier.Kind(n.Type), n.Node)
		x.types[id] = n.Type
		account := x.hash(identifier.Account, n.Account)
		if n.Account == "" || id == account {
			continue
		}
		x.linked = append(x.linked, &table.IdentityLinkRow{
			Left: account, LeftType: table.TypeAccount, Right: id, RightType: n.Type, Source: "truth",
			FirstAt: table.MicrosOf(n.From), LastAt: table.MicrosOf(n.To), Count: 1, Status: "linked",
		})
	}
	x.person = map[identifier.ID]identifier.ID{}
	profile := map[identifier.ID]identifier.ID{}
	for id, owner := range x.people.owner {
		profile[id] = identifier.Mint(identifier.Profile, owner, 0)
		x.person[profile[id]] = identifier.Mint(identifier.Person, x.hash(identifier.Account, strconv.FormatInt(x.people.human[owner], 10)), 0)
	}
	x.night = [2]map[identifier.ID]identifier.ID{profile, maps.Clone(profile)}
	attended, err := x.in.attended()
	if err != nil {
		x.t.Fatal(err)
	}
	for device, of := range attended {
		for _, s := range of {
			if !s.account.IsZero() {
				x.spans = append(x.spans, &table.DeviceTimelineRow{
					Device: device, From: s.from, To: s.to + 1, Account: s.account, Profile: identifier.Mint(identifier.Profile, s.account, 0),
					Method: "span", Shared: s.shared, Confidence: 1,
				})
			}
		}
	}
}

// compare writes the lake, and compares it with the truth.
func (x *oracle) compare() map[string]Check {
	x.t.Helper()
	x.in.Lake = lake.New(object.NewFolder(x.t.TempDir()), x.t.TempDir())
	for of, rows := range x.raw {
		x.write(of, x.in.To, rows)
	}
	x.write(table.IdentityLink, x.in.To, x.linked)
	for i, profile := range x.night {
		var rows []any
		for id, of := range profile {
			rows = append(rows, &table.ProfileIdentifierRow{Stitching: latest, IdentifierType: x.types[id], Identifier: id, Profile: of})
		}
		x.write(table.ProfileIdentifier, x.in.To-1+table.Day(i), rows)
	}
	var persons, spans []any
	for profile, person := range x.person {
		persons = append(persons, &table.PersonRow{Profile: profile, Person: person, Profiles: 1})
	}
	for _, s := range x.spans {
		spans = append(spans, s)
	}
	x.write(table.Person, x.in.To, persons)
	x.write(table.DeviceTimeline, x.in.To, spans)
	checks, err := Stage(context.Background(), "identity", x.in)
	if err != nil {
		x.t.Fatal(err)
	}
	by := map[string]Check{}
	for _, c := range checks {
		by[c.Name] = c
	}
	return by
}

func (x *oracle) write(of *table.Table, day table.Day, rows []any) {
	x.t.Helper()
	d := x.in.Lake.Draft(lake.Partition{Table: of, Day: day}, 64<<20)
	defer d.Close()
	for _, row := range rows {
		if err := d.Add(row); err != nil {
			x.t.Fatal(err)
		}
	}
	if _, _, err := d.Commit(x.t.Context(), lake.Recipe{Job: "test"}, lake.Counts{Written: int64(len(rows))}, nil); err != nil {
		x.t.Fatal(err)
	}
}

// wrong lists the names of the comparisons that failed.
func wrong(checks map[string]Check) (names []string) {
	for name, c := range checks {
		if !c.OK {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestIdentityKnowsTheTruth: who knows everything has nothing wrong and all of it right, in a world that is hard to know.
func TestIdentityKnowsTheTruth(t *testing.T) {
	t.Parallel()
	x := newOracle(t, 1200)
	checks := x.compare()
	for name, c := range checks {
		t.Logf("%-80s %.4f %s %g of %d", name, c.Value, c.Op, c.Limit, c.N)
	}
	if names := wrong(checks); len(names) > 0 {
		t.Errorf("not as it should be: %v", names)
	}
	for _, name := range []string{
		"pairs of linked identifiers, precision", "pairs of linked identifiers, recall", "profiles, B-cubed F1",
		"anonymous events on shared devices, of the attributed to the right account", "anonymous events that the truth knows",
		"pairs of a human's accounts by person, precision", "pairs of a human's accounts by person, recall",
	} {
		if checks[name].Value != 1 {
			t.Errorf("%s: %+v", name, checks[name])
		}
	}
}

// TestIdentityFindsFaults: each fault fails the comparison that is for it.
func TestIdentityFindsFaults(t *testing.T) {
	t.Parallel()
	x := newOracle(t, 1000)
	now, spans := maps.Clone(x.night[1]), slices.Clone(x.spans)
	accounts := inOrder(x.people.human, x.people.account)
	of := func(kind string) []identifier.ID {
		return inOrder(x.people.owner, func(id identifier.ID) bool { return x.types[id] == kind })
	}
	another := func(account identifier.ID) identifier.ID {
		for _, other := range accounts {
			if x.people.human[other] != x.people.human[account] {
				return other
			}
		}
		panic("one human only")
	}
	for name, fault := range map[string]struct {
		plant func()
		fails []string
	}{
		"two accounts in a profile": {func() {
			now[accounts[1]] = now[accounts[0]]
		}, []string{"accounts over-merged", "accounts renamed from a night to the next"}},
		"strangers' addresses": {func() {
			for i, id := range of("email") {
				if i%20 == 0 {
					now[id] = now[another(x.people.owner[id])]
				}
			}
		}, []string{"pairs of linked identifiers, precision"}},
		"addresses and contacts that nobody is joined to": {func() {
			for _, id := range slices.Concat(of("email"), of("crm")) {
				delete(now, id)
			}
		}, []string{"pairs of linked identifiers, recall", "profiles, B-cubed F1"}},
		"a renamed account": {func() {
			mine := now[accounts[7]]
			for id, profile := range now {
				if profile == mine {
					now[id] = identifier.Mint(identifier.Profile, accounts[7], 1)
				}
			}
		}, []string{"accounts renamed from a night to the next"}},
		"spans of somebody else": {func() {
			x.spans = nil
			for i, s := range spans {
				if wrong := *s; i%4 == 0 {
					wrong.Account = another(s.Account)
					s = &wrong
				}
				x.spans = append(x.spans, s)
			}
		}, []string{"anonymous events on shared devices, of the attributed to the right account"}},
		"spans of which many are missing": {func() {
			x.spans = x.spans[:0]
			for i, s := range spans {
				if i%3 > 0 {
					x.spans = append(x.spans, s)
				}
			}
		}, []string{"anonymous events on shared devices, attributed"}},
	} {
		fault.plant()
		x.night[1] = now
		if got := wrong(x.compare()); !slices.Equal(got, fault.fails) {
			t.Errorf("%s: fails %q, expected %q", name, got, fault.fails)
		}
		now, x.spans = maps.Clone(x.night[0]), slices.Clone(spans)
	}
}

// TestIdentityOfFew: of a village shares are shown, not judged, and without a night nothing is compared.
func TestIdentityOfFew(t *testing.T) {
	t.Parallel()
	x := newOracle(t, 150)
	for id, kind := range x.types {
		if kind == "email" {
			delete(x.night[1], id)
		}
	}
	checks := x.compare()
	if c := checks["pairs of linked identifiers, recall"]; !c.OK || c.Limit != 0 || c.Value > 0.9 {
		t.Errorf("%+v", c)
	}
	if c := checks["accounts over-merged"]; !c.OK || c.Op != "==" {
		t.Errorf("%+v", c)
	}
	x.in.Lake = lake.New(object.NewFolder(t.TempDir()), t.TempDir())
	if _, err := Stage(t.Context(), "identity", x.in); err == nil {
		t.Error("an empty lake has nothing to compare")
	}
}
