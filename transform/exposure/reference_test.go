package exposure_test

import (
	"bytes"
	"cmp"
	"slices"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/moment"
)

// reference says in plain words who the units are; only the groups of a moment are asked of package moment.
type reference struct {
	*world
	t      testing.TB
	links  *moment.Links
	inside []*table.ExposureRow
}

// unit is one of the reference.
type unit struct {
	id        identifier.ID
	typ       string
	exposures []*table.ExposureRow
	// What it is judged by: what it consisted of at its first exposure.
	at                table.Micros
	accounts, devices identifier.Set
	returning         bool
	eligible          bool
}

// cohort is the units under a stitching, and the devices and accounts that are theirs.
type cohort struct {
	stitching         string
	byAccount         bool
	units             []*unit
	accounts, devices map[identifier.ID]*unit // whose events they are from ever on
	first             map[identifier.ID][]*unit
}

func (w *world) reference(t testing.TB) *reference {
	ref := &reference{world: w, t: t}
	var ids []identifier.ID
	for _, e := range rows[*table.ExposureRow](w, table.Exposure) {
		if e.Experiment == "offer" && e.ExposedAt >= table.MicrosOf(w.in.Window.From) && e.ExposedAt < table.MicrosOf(w.in.Window.To) && e.ExposedAt < table.MicrosOf(w.in.End) {
			ref.inside = append(ref.inside, e)
			ids = append(ids, e.Account, e.Device)
		}
	}
	var err error
	ref.links, err = moment.Open(t.Context(), moment.Input{Links: w.in.Links, Rules: w.in.Rules, Decisions: w.in.Decisions, IDs: ids}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func rows[Row any](w *world, of *table.Table) (all []Row) {
	for _, row := range w.raw[of] {
		all = append(all, row.(Row))
	}
	return all
}

func (ref *reference) group(of identifier.ID, at table.Micros) moment.Group {
	g, err := ref.links.Groups(ref.t.Context(), []moment.Query{{ID: of, At: at}}, 1)
	if err != nil {
		ref.t.Fatal(err)
	}
	return g[0]
}

func device(typ string) bool {
	return slices.Contains([]string{table.TypeApp, table.TypeCookie, table.TypeTV, table.TypeBrowser, table.TypeDevice}, typ)
}

// profiles are the memberships of a stitching that hold, or that were known by the end of the night.
func (ref *reference) profiles(stitching string) (accounts, devices map[identifier.ID]identifier.ID) {
	accounts, devices = map[identifier.ID]identifier.ID{}, map[identifier.ID]identifier.ID{}
	for _, r := range ref.identifiers {
		holds := r.ValidTo == nil
		if ref.in.Known {
			end := table.MicrosOf(ref.in.End)
			holds = r.ValidFrom < end && (r.ValidTo == nil || end <= *r.ValidTo)
		}
		switch {
		case r.Stitching != stitching || !holds:
		case r.IdentifierType == table.TypeAccount:
			accounts[r.Identifier] = r.Profile
		case device(r.IdentifierType):
			devices[r.Identifier] = r.Profile
		}
	}
	return accounts, devices
}

// judge says what a unit is judged by: the accounts of the group that who was exposed first was in then, and those of its
// devices that are the unit's.
func (ref *reference) judge(u *unit, lead identifier.ID, kind identifier.Kind, at table.Micros, its func(device identifier.ID) bool) moment.Group {
	u.at, u.accounts, u.devices = at, identifier.Set{}, identifier.Set{}
	if kind == identifier.Account {
		u.accounts[lead] = struct{}{}
	} else {
		u.devices[lead] = struct{}{}
	}
	g := ref.group(lead, at)
	for _, m := range g.Members {
		switch {
		case m.Type == table.TypeAccount:
			u.accounts[m.ID] = struct{}{}
		case device(m.Type) && its(m.ID):
			u.devices[m.ID] = struct{}{}
		case device(m.Type):
			continue
		}
		if m.Type != "" && m.FirstAt <= at-day {
			u.returning = true
		}
	}
	return g
}

func everything(identifier.ID) bool { return true }

// lead is who of some identifiers was exposed first.
func lead(exposures []*table.ExposureRow, of func(*table.ExposureRow) identifier.ID) (identifier.ID, table.Micros) {
	e := slices.MinFunc(exposures, func(x, y *table.ExposureRow) int {
		a, b := of(x), of(y)
		return cmp.Or(cmp.Compare(x.ExposedAt, y.ExposedAt), bytes.Compare(a[:], b[:]))
	})
	return of(e), e.ExposedAt
}

func account(e *table.ExposureRow) identifier.ID  { return e.Account }
func deviceOf(e *table.ExposureRow) identifier.ID { return e.Device }

func newCohort(stitching string, byAccount bool) *cohort {
	return &cohort{stitching, byAccount, nil, map[identifier.ID]*unit{}, map[identifier.ID]*unit{}, map[identifier.ID][]*unit{}}
}
