package exposure_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/exposure"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/night/nighttest"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

const (
	hour = table.Micros(3600e6)
	day  = 24 * hour
)

func id(kind byte, n int) identifier.ID { return nighttest.ID(kind, n) }

// world is all that the units of an experiment are made from.
type world struct {
	in  exposure.Input
	raw map[*table.Table][]any

	observed    []nighttest.Observation
	identifiers []*table.ProfileIdentifierRow
	links       []*table.IdentityLinkRow
}

// small is a world with nothing in it, whose experiment runs from day 10 to 19, as of night 20.
func small(assignedBy string) *world {
	last := table.Day(19)
	return &world{
		raw: map[*table.Table][]any{},
		in: exposure.Input{
			Experiment: &experiment.Experiment{
				Name: "offer", AssignedBy: assignedBy, Control: "control", Start: 10, End: &last,
				Variants: []experiment.Variant{{Name: "control", Weight: 1}, {Name: "cashback", Weight: 1}, {Name: "gift", Weight: 1}},
			},
			Night: 20, Window: table.Span(10, 19, time.UTC), End: table.Day(21).Window(time.UTC).From, Rules: graph.DefaultRules(),
		},
	}
}

// saw adds an exposure to a variant of the experiment.
func (w *world) saw(account, device identifier.ID, variant string, at table.Micros) *table.ExposureRow {
	row := &table.ExposureRow{
		SourceID: w.source(table.Exposure), ExposedAt: at, Experiment: "offer", Variant: variant, Account: account, Device: device,
	}
	w.raw[table.Exposure] = append(w.raw[table.Exposure], row)
	return row
}

func (w *world) source(t *table.Table) string { return fmt.Sprintf("%s-%d", t.Name, len(w.raw[t])) }

func (w *world) add(t *table.Table, row any) { w.raw[t] = append(w.raw[t], row) }

// login adds that an account was used on a device.
func (w *world) login(account, device identifier.ID, at table.Micros) {
	w.observed = append(w.observed, nighttest.Observation{
		At: at, Left: account, LeftType: table.TypeAccount, Right: device, RightType: table.TypeDevice, Rule: table.RuleApp, Source: "product_login",
	})
}

// meet adds that accounts were seen.
func (w *world) meet(accounts ...identifier.ID) {
	for _, a := range accounts {
		w.observed = append(w.observed, nighttest.Observation{At: 0, Left: a, LeftType: table.TypeAccount, RightType: table.TypeAccount, Source: "exposure"})
	}
}

// refuse adds that an account refuses analysis.
func (w *world) refuse(account identifier.ID, at table.Micros) {
	w.observed = append(w.observed, nighttest.Observation{At: at, Left: account, LeftType: table.TypeAccount, RightType: table.TypeConsent, Source: "product_user"})
}

// identify makes the night's identity of what was observed.
func (w *world) identify(t testing.TB) {
	t.Helper()
	var edges []*table.IdentityEdgeRow
	for _, rows := range nighttest.Edges(w.observed) {
		edges = append(edges, rows...)
	}
	w.identifiers, w.links = nil, nil
	_, _, err := night.Build(t.Context(), night.Input{
		Night: 1 << 20, Rules: w.in.Rules, Decisions: w.in.Decisions,
		Edges: []night.Day{{Day: 1, File: columnstest.File(t, table.IdentityEdge, edges...)}},
	}, 2, func(_ *table.Table, row any) error {
		switch r := row.(type) {
		case *table.IdentityLinkRow:
			l := *r
			l.ValidTo, l.SealedFirstAt, l.SealedLastAt, l.SealedCount, l.SealedTo = nil, nil, nil, nil, nil // nothing here reads them
			w.links = append(w.links, &l)
		case *table.ProfileIdentifierRow:
			kept := *r
			if r.ValidTo != nil {
				to := *r.ValidTo
				kept.ValidTo = &to
			}
			w.identifiers = append(w.identifiers, &kept)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.in.Links, w.in.Profiles = columnstest.File(t, table.IdentityLink, w.links...), columnstest.File(t, table.ProfileIdentifier, w.identifiers...)
}

// files spreads the rows of raw tables over files, at random.
func (w *world) files(t testing.TB, r *rand.Rand) {
	t.Helper()
	w.in.Exposures, w.in.Assignments, w.in.Events = nil, nil, map[string][]exposure.Day{}
	spread := func(of *table.Table, rows []any) (files []*columns.File) {
		rows = slices.Clone(rows)
		r.Shuffle(len(rows), func(i, k int) { rows[i], rows[k] = rows[k], rows[i] })
		for len(rows) > 0 {
			n := 1 + r.IntN(len(rows))
			files = append(files, columnstest.AnyFile(t, of, rows[:n]...))
			rows = rows[n:]
		}
		if len(files) == 0 {
			files = append(files, columnstest.AnyFile(t, of))
		}
		return files
	}
	for of, rows := range w.raw {
		switch of {
		case table.Exposure:
			w.in.Exposures = spread(of, rows)
		case table.Assignment:
			w.in.Assignments = spread(of, rows)
		}
	}
	for _, reading := range exposure.Tables(w.in.Experiment, func(*table.Table) bool { return true }) {
		for i, f := range spread(reading.Table, w.raw[reading.Table]) {
			w.in.Events[reading.Table.Path()] = append(w.in.Events[reading.Table.Path()], exposure.Day{Day: table.Day(i), File: f})
		}
	}
}

// result is what Build says.
type result struct {
	units       []*table.UnitExposureRow
	identifiers []*table.UnitIdentifierRow
	quality     []*table.ExposureQualityRow
	counts      exposure.Counts
}

func build(t testing.TB, in exposure.Input, workers int) (r result, err error) {
	t.Helper()
	r.counts, err = exposure.Build(t.Context(), in, workers, exposure.Output{
		Unit:       func(row *table.UnitExposureRow) error { r.units = append(r.units, row); return nil },
		Identifier: func(row *table.UnitIdentifierRow) error { r.identifiers = append(r.identifiers, row); return nil },
		Quality:    func(row *table.ExposureQualityRow) error { r.quality = append(r.quality, row); return nil },
	})
	return r, err
}

// made is build of a whole world.
func (w *world) made(t testing.TB) result {
	t.Helper()
	w.identify(t)
	w.files(t, rand.New(rand.NewPCG(1, 1)))
	r, err := build(t, w.in, 2)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unit is a row of a stitching by its unit; nil where there is none.
func (r *result) unit(stitching string, unit identifier.ID) *table.UnitExposureRow {
	for _, u := range r.units {
		if u.Stitching == stitching && u.Unit == unit {
			return u
		}
	}
	return nil
}

// owner is whose the events of an identifier are at an instant; zero for nobody's.
func (r *result) owner(stitching string, of identifier.ID, at table.Micros) (unit identifier.ID) {
	last := table.Micros(-1 << 62)
	for _, row := range r.identifiers {
		from := table.Micros(-1 << 62)
		if row.From != nil {
			from = *row.From
		}
		if row.Stitching == stitching && row.Identifier == of && from <= at && from >= last {
			unit, last = row.Unit, from
		}
	}
	return unit
}

// number is a row of quality; nil where there is none.
func (r *result) number(name, of string) *table.ExposureQualityRow {
	for _, q := range r.quality {
		if q.Name == name && q.Of == of {
			return q
		}
	}
	return nil
}

func is(column, value string) []metric.Filter {
	return []metric.Filter{{Column: column, Op: metric.Equal, Value: metric.Operands{value}}}
}

func profile(account identifier.ID) identifier.ID {
	return identifier.Mint(identifier.Profile, account, 0)
}
