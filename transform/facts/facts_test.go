package facts_test

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"crosslift/schemas/table"
	"crosslift/transform/facts"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/columns/columnstest"
)

// settings are what must change nothing.
type settings struct {
	workers  int
	memory   int64
	rowGroup int
}

func (w *world) file(t testing.TB, of *table.Table, s settings, rows []any) *columns.File {
	return columnstest.Grouped(t, of, s.rowGroup, rows...)
}

func anys[T any](rows []*T) (list []any) {
	for _, row := range rows {
		list = append(list, row)
	}
	return list
}

// input is a world as files, in an order of its own.
func (w *world) input(t testing.TB, r *rand.Rand, s settings) facts.Input {
	t.Helper()
	in := facts.Input{Night: w.night, End: w.end().Time(), Zone: w.zone, Memory: s.memory, Events: map[string][]facts.Day{},
		Timeline: w.file(t, table.DeviceTimeline, s, anys(w.timeline))}
	for of, days := range w.events {
		in.Events[of.Path()] = nil
		for day, rows := range days {
			in.Events[of.Path()] = append(in.Events[of.Path()], facts.Day{Day: day, File: w.file(t, of, s, rows)})
		}
		r.Shuffle(len(in.Events[of.Path()]), reflect.Swapper(in.Events[of.Path()]))
	}
	for _, half := range [][]*table.RateRow{w.rates[:len(w.rates)/2], w.rates[len(w.rates)/2:]} {
		in.Rates = append(in.Rates, w.file(t, table.Rate, s, anys(half)))
	}
	return in
}

// build makes the facts of some of a world's experiments in one pass.
func (w *world) build(t testing.TB, r *rand.Rand, s settings, trials ...*trial) []output {
	t.Helper()
	in := w.input(t, r, s)
	out := make([]output, len(trials))
	for i, e := range trials {
		o := &out[i]
		in.Experiments = append(in.Experiments, facts.Experiment{Experiment: e.Experiment, Metrics: e.metrics,
			Exposures: w.file(t, table.UnitExposure, s, anys(e.units)), Identifiers: w.file(t, table.UnitIdentifier, s, anys(e.identifiers)),
			Unit: func(row *table.UnitMetricRow) error {
				kept := *row
				kept.Uncapped, kept.Divisor, kept.Covariate, kept.Before = keep(row.Uncapped), keep(row.Divisor), keep(row.Covariate), keep(row.Before)
				kept.FirstAt, kept.LastAt = keep(row.FirstAt), keep(row.LastAt)
				o.units = append(o.units, kept)
				return nil
			},
			Day: func(row *table.ExperimentDayRow) error {
				kept := *row
				kept.Divisor = keep(row.Divisor)
				o.days = append(o.days, kept)
				return nil
			},
			Exclusion: func(row *table.ExclusionRow) error {
				o.exclusions = append(o.exclusions, *row)
				return nil
			}})
	}
	_, failed, err := facts.Build(t.Context(), in, s.workers)
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range failed {
		if out[i].failed = err != nil; err != nil {
			out[i] = output{failed: true}
		} else if s.memory == 0 && !slices.IsSortedFunc(out[i].units, inOrder) {
			t.Error("facts of all units at once come in another order than their table's")
		}
	}
	return out
}

// inOrder compares facts as their table orders them.
func inOrder(a, b table.UnitMetricRow) int {
	return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Stitching, b.Stitching), bytes.Compare(a.Unit[:], b.Unit[:]))
}

func keep[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}

func (o *output) sort() {
	slices.SortFunc(o.units, inOrder)
	slices.SortFunc(o.days, func(a, b table.ExperimentDayRow) int {
		return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Variant, b.Variant), cmp.Compare(a.Day, b.Day))
	})
	slices.SortFunc(o.exclusions, func(a, b table.ExclusionRow) int {
		return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Reason, b.Reason))
	})
}

func same[T any](t testing.TB, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d %s, by hand %d", len(got), what, len(want))
	}
	for i := range min(len(got), len(want)) {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s %d:\n%s\nby hand\n%s", what, i, show(got[i]), show(want[i]))
			return
		}
	}
}

// TestByHand holds facts to the plainest way of computing them, on random worlds, whatever the order of rows and files, the
// number of workers, the memory, the size of row groups, and whether experiments come together or one by one.
func TestByHand(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	worlds := 12
	if os.Getenv("CROSSLIFT_SOAK") != "" {
		worlds = 5000
	}
	failed := 0
	for n := range worlds {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		w := random(r)
		var trials []*trial
		for i := range w.experiments {
			trials = append(trials, &w.experiments[i])
		}
		s := settings{workers: 1 + r.IntN(4), memory: []int64{0, 0, 1, 500}[r.IntN(4)], rowGroup: []int{1, 3, 7, 1000}[r.IntN(4)]}
		got := w.build(t, r, s, trials...)
		for i, e := range trials {
			want := w.reference(e)
			if r.IntN(3) == 0 {
				s = settings{workers: 1 + r.IntN(4), memory: []int64{0, 1, 200}[r.IntN(3)], rowGroup: []int{2, 5, 1000}[r.IntN(3)]}
				got[i] = w.build(t, r, s, e)[0]
			}
			if got[i].failed != want.failed {
				t.Errorf("failed %t, by hand %t", got[i].failed, want.failed)
			}
			if want.failed {
				failed++
				continue
			}
			got[i].sort()
			want.sort()
			same(t, "units", got[i].units, want.units)
			same(t, "days", got[i].days, want.days)
			same(t, "exclusions", got[i].exclusions, want.exclusions)
		}
		if t.Failed() {
			t.Fatalf("seed %d, world %d, %+v", seed, n, s)
		}
	}
	t.Logf("%d worlds, %d experiments without rates", worlds, failed)
}
