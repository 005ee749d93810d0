package facts_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/exposure"
	"crosslift/transform/facts"
	"crosslift/transform/identity"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/observe"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

// small is a world small enough to be worked out by hand: rows by day.
type small struct {
	first     table.Day
	zone      *time.Location
	exposures [][]*table.ExposureRow
	payments  [][]*table.PaymentRow
	viewings  [][]*table.ViewingRow
}

func account(n int) identifier.ID { return identifier.ID{0: 1, 14: byte(n >> 8), 15: byte(n)} }

// random makes a world with everything that can go wrong in it: crossovers, equal instants, strangers, payments that
// were restated, events on the edges of windows.
func random(r *rand.Rand) small {
	w := small{first: 20000, zone: time.UTC}
	days, users := 1+r.IntN(4), 1+r.IntN(12)
	at := func(day int) table.Micros {
		start := (w.first + table.Day(day)).Window(w.zone).From.UnixMicro()
		return table.Micros(start + int64(r.IntN(6))*4*3600e6) // few instants, so that they meet
	}
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	var paid []*table.PaymentRow
	for day := range days {
		var e []*table.ExposureRow
		var p []*table.PaymentRow
		var v []*table.ViewingRow
		for i := range r.IntN(20) {
			e = append(e, &table.ExposureRow{SourceID: fmt.Sprint("e", day, i), ExposedAt: at(day), Experiment: pick("x", "x", "other"),
				Variant: pick("a", "a", "a", "b"), Account: account(r.IntN(users)), Platform: pick("", "tv", "web")})
		}
		for i := range r.IntN(20) {
			row := &table.PaymentRow{SourceID: fmt.Sprint("p", day, i), PaidAt: at(day), Account: account(r.IntN(users + 3)),
				AmountMinor: int64(r.IntN(1000)), Currency: pick("RUB", "RUB", "EUR"), Status: pick("succeeded", "failed")}
			if len(paid) > 0 && r.IntN(4) == 0 { // a payment of an earlier day, as it stands now
				restated := *paid[r.IntN(len(paid))]
				restated.Status = "refunded"
				row = &restated
			}
			if !slices.ContainsFunc(p, func(q *table.PaymentRow) bool { return q.SourceID == row.SourceID }) {
				p = append(p, row)
			}
		}
		paid = append(paid, p...)
		for i := range r.IntN(30) {
			v = append(v, &table.ViewingRow{SourceID: fmt.Sprint("v", day, i), ViewedAt: at(day), Account: account(r.IntN(users + 3)), Seconds: int64(r.IntN(5000))})
		}
		w.exposures, w.payments, w.viewings = append(w.exposures, e), append(w.payments, p), append(w.viewings, v)
	}
	return w
}

var definition = &experiment.Experiment{Name: "x", Variants: []experiment.Variant{{Name: "a", Weight: 1}, {Name: "b", Weight: 1}},
	Control: "a", Start: 20000, Metrics: []string{"paid", "revenue", "watched"}}

var metrics = []*metric.Metric{
	{Name: "paid", Type: metric.Proportion, Table: "raw/payment", Filter: []metric.Condition{{Column: "status", In: []string{"succeeded"}}}, Window: metric.Duration(24 * time.Hour)},
	{Name: "revenue", Type: metric.Mean, Table: "raw/payment", Filter: []metric.Condition{{Column: "status", NotIn: []string{"failed", "refunded"}}, {Column: "currency", In: []string{"RUB"}}}, Value: "amount_minor", Window: metric.Duration(48 * time.Hour)},
	{Name: "watched", Type: metric.Mean, Table: "raw/viewing", Filter: []metric.Condition{{Column: "seconds", Min: new(float64)}}, Value: "seconds", Window: metric.Duration(12 * time.Hour)},
}

// pipeline runs the transforms over a world, with rows and files in a random order.
func pipeline(t testing.TB, w small, r *rand.Rand, workers int) (map[identifier.ID]table.UnitExposureRow, []table.UnitMetricRow) {
	t.Helper()
	ctx := t.Context()
	last := w.first + table.Day(len(w.exposures)) - 1
	end := last.Window(w.zone).To
	in := night.Input{Night: last, Rules: graph.DefaultRules()}
	var exposures []*columns.File
	events := map[string][]facts.Day{}
	for day := range w.exposures {
		for _, shuffle := range []func(){
			func() { r.Shuffle(len(w.exposures[day]), reflect.Swapper(w.exposures[day])) },
			func() { r.Shuffle(len(w.payments[day]), reflect.Swapper(w.payments[day])) },
		} {
			shuffle()
		}
		e, p, v := columnstest.File(t, table.Exposure, w.exposures[day]...), columnstest.File(t, table.Payment, w.payments[day]...), columnstest.File(t, table.Viewing, w.viewings[day]...)
		at := w.first + table.Day(day)
		var edges []*table.IdentityEdgeRow
		if err := observe.Observe(ctx, []observe.Partition{{Table: table.Exposure, File: e}, {Table: table.Payment, File: p}, {Table: table.Viewing, File: v}},
			workers, func(row *table.IdentityEdgeRow) error {
				edges = append(edges, row)
				return nil
			}); err != nil {
			t.Fatal(err)
		}
		in.Edges = append(in.Edges, night.Day{Day: at, File: columnstest.File(t, table.IdentityEdge, edges...)})
		exposures = append(exposures, e)
		events["raw/payment"] = append(events["raw/payment"], facts.Day{Day: at, File: p})
		events["raw/viewing"] = append(events["raw/viewing"], facts.Day{Day: at, File: v})
	}
	r.Shuffle(len(exposures), reflect.Swapper(exposures))
	var members []*table.ProfileIdentifierRow
	if _, _, err := night.Build(ctx, in, workers, func(_ *table.Table, row any) error {
		if m, is := row.(*table.ProfileIdentifierRow); is {
			kept := *m
			members = append(members, &kept)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	profiles, err := identity.Open(ctx, columnstest.File(t, table.ProfileIdentifier, members...), identity.AsOfExposure)
	if err != nil {
		t.Fatal(err)
	}
	var units []*table.UnitExposureRow
	found := map[identifier.ID]table.UnitExposureRow{}
	if _, err := exposure.Build(ctx, exposure.Input{Experiment: definition, Night: last, Window: table.Span(w.first, last, w.zone), Exposures: exposures, Profiles: profiles},
		workers, func(row *table.UnitExposureRow) error {
			units = append(units, row)
			found[row.Unit] = *row
			return nil
		}); err != nil {
		t.Fatal(err)
	}
	var rows []table.UnitMetricRow
	if _, err := facts.Build(ctx, facts.Input{Experiment: definition, Metrics: metrics, Night: last, End: end,
		Exposures: columnstest.File(t, table.UnitExposure, units...), Events: events, Profiles: profiles}, workers, func(row *table.UnitMetricRow) error {
		rows = append(rows, *row)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(rows, func(a, b table.UnitMetricRow) int {
		return cmp.Or(cmp.Compare(a.Metric, b.Metric), bytes.Compare(a.Unit[:], b.Unit[:]))
	})
	return found, rows
}

// byHand does the same with maps over rows, in the plainest way.
func byHand(w small) (map[identifier.ID]table.UnitExposureRow, []table.UnitMetricRow) {
	units := map[identifier.ID]table.UnitExposureRow{}
	variants := map[identifier.ID]map[string]bool{}
	for _, day := range w.exposures {
		for _, e := range day {
			if e.Experiment != "x" {
				continue
			}
			id := identifier.Mint(identifier.Profile, e.Account, 0)
			if variants[id] == nil {
				variants[id] = map[string]bool{}
			}
			variants[id][e.Variant] = true
			u, known := units[id]
			earlier := cmp.Or(cmp.Compare(e.ExposedAt, u.FirstExposedAt), cmp.Compare(e.Variant, u.Variant), cmp.Compare(e.Platform, u.Platform)) < 0
			n := u.Exposures + 1
			if !known || earlier {
				u = table.UnitExposureRow{Unit: id, Variant: e.Variant, FirstExposedAt: e.ExposedAt, Platform: e.Platform}
			}
			u.Exposures, u.Crossover = n, len(variants[id]) > 1
			units[id] = u
		}
	}
	newest := map[string]*table.PaymentRow{}
	for _, day := range w.payments {
		for _, p := range day {
			newest[p.SourceID] = p
		}
	}
	type event struct {
		who   identifier.ID
		at    table.Micros
		value float64
	}
	happened := map[string][]event{}
	for _, p := range newest {
		if p.Status == "succeeded" {
			happened["paid"] = append(happened["paid"], event{p.Account, p.PaidAt, 1})
			if p.Currency == "RUB" {
				happened["revenue"] = append(happened["revenue"], event{p.Account, p.PaidAt, float64(p.AmountMinor)})
			}
		}
	}
	for _, day := range w.viewings {
		for _, v := range day {
			happened["watched"] = append(happened["watched"], event{v.Account, v.ViewedAt, float64(v.Seconds)})
		}
	}
	end := table.Micros((w.first + table.Day(len(w.exposures)) - 1).Window(w.zone).To.UnixMicro())
	var rows []table.UnitMetricRow
	for _, m := range metrics {
		window := table.Micros(m.Window.Duration().Microseconds())
		for id, u := range units {
			row := table.UnitMetricRow{Metric: m.Name, Stitching: identity.AsOfExposure, Unit: id, Matured: u.FirstExposedAt+window <= end}
			for _, e := range happened[m.Name] {
				if identifier.Mint(identifier.Profile, e.who, 0) != id || e.at < u.FirstExposedAt || e.at >= u.FirstExposedAt+window {
					continue
				}
				row.Count++
				row.Sum += e.value
				if at := e.at; row.FirstAt == nil || at < *row.FirstAt {
					row.FirstAt = &at
				}
				if at := e.at; row.LastAt == nil || at > *row.LastAt {
					row.LastAt = &at
				}
			}
			if m.Type == metric.Proportion {
				row.Sum = min(row.Sum, 1)
			}
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b table.UnitMetricRow) int {
		return cmp.Or(cmp.Compare(a.Metric, b.Metric), bytes.Compare(a.Unit[:], b.Unit[:]))
	})
	return units, rows
}

// TestByHand holds exposures and facts to the plainest way of computing them, on random worlds, in any order of rows
// and files, with any number of workers.
func TestByHand(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	worlds := 20
	if os.Getenv("CROSSLIFT_SOAK") != "" {
		worlds = 2000
	}
	for n := range worlds {
		w := random(r)
		wantUnits, wantRows := byHand(w)
		for _, workers := range []int{1, 8} {
			units, rows := pipeline(t, w, r, workers)
			if !reflect.DeepEqual(units, wantUnits) {
				t.Fatalf("world %d, %d workers: units\n%v\nby hand\n%v", n, workers, units, wantUnits)
			}
			if !reflect.DeepEqual(rows, wantRows) {
				for i := range rows {
					if i < len(wantRows) && !reflect.DeepEqual(rows[i], wantRows[i]) {
						t.Errorf("row %+v\nby hand %+v", rows[i], wantRows[i])
					}
				}
				t.Fatalf("world %d, %d workers: %d rows, %d by hand", n, workers, len(rows), len(wantRows))
			}
		}
	}
}
