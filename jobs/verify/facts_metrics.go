package verify

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// primary is the metric that decides.
const primary = "paid_second_month"

const day = 24 * time.Hour

// reckoning works out a metric of the sandbox's project by hand.
type reckoning struct {
	metric   string
	of       string             // the kind of deeds
	counts   func(deed) bool    // nil: all
	value    func(deed) float64 // what is added up; nil: it is a share, 1 for a unit with a deed
	per      func(deed) float64 // of a ratio, what it is divided by
	perOf    string             // the kind of deeds that this is of; "": the same
	distinct func(deed) string  // what different ones are counted of
	from, to time.Duration      // of the window, from the first exposure on
	before   time.Duration      // the length of the covariate's window; 0: there is none
	most     float64            // the part of the units whose value is not bounded; 0: none is
}

func one(deed) float64       { return 1 }
func seconds(d deed) float64 { return float64(d.seconds) }
func roubles(d deed) float64 { return d.roubles }

var reckonings = []reckoning{
	{metric: "activated", of: subscribed, to: 7 * day},
	{metric: "trial", of: subscribed, counts: func(d deed) bool { return d.trial }, to: 7 * day},
	{metric: "paid_first_month", of: paying, counts: func(d deed) bool { return d.plan == "first_month" }, to: 7 * day},
	{metric: primary, of: paying, counts: func(d deed) bool { return d.plan != "first_month" }, to: 32 * day},
	{metric: "revenue", of: paying, counts: func(d deed) bool { return d.currency == "RUB" }, value: roubles, to: 32 * day, before: 28 * day},
	{metric: "revenue_all", of: paying, value: roubles, to: 32 * day},
	{metric: "watched_seconds", of: watching, value: seconds, to: 14 * day, before: 7 * day, most: 0.999},
	{metric: "watched_p90", of: watching, value: seconds, to: 14 * day},
	{metric: "views", of: watching, value: one, to: 14 * day},
	{metric: "titles", of: watching, counts: func(d deed) bool { return d.seconds >= 60 }, distinct: func(d deed) string { return d.title }, to: 14 * day},
	{metric: "watched_per_view", of: watching, value: seconds, per: one, to: 14 * day},
	{metric: "retained", of: watching, from: 7 * day, to: 14 * day},
	{metric: "promotion_viewed", of: promotion, to: day},
	{metric: "payment_failed", of: declined, to: 32 * day},
	{metric: "watched_per_visit", of: watching, value: seconds, per: one, perOf: visiting, to: 14 * day},
}

// longest is how long after its unit's exposure something of some kinds still counts.
func longest(kinds ...string) time.Duration {
	longest := time.Duration(0)
	for i := range reckonings {
		if k := &reckonings[i]; slices.Contains(kinds, k.of) || slices.Contains(kinds, k.perOf) {
			longest = max(longest, k.to)
		}
	}
	return longest
}

// tally is what a unit's value should be.
type tally struct {
	value, per, before float64
	count              int64
	first, last        *table.Micros
	seen               map[string]bool
	uncertain          bool // a deed may have landed or not
}

// credit is a deed and the unit that it counts for.
type credit struct {
	unit identifier.ID
	deed deed
}

// credits puts deeds down to units.
func (f *found) credits(stitching string, deeds []deed) []credit {
	var all []credit
	for _, d := range deeds {
		if unit, is := f.credited(stitching, d.account, d.device, d.at); is && f.units[stitching][unit] != nil {
			all = append(all, credit{unit, d})
		}
	}
	return all
}

// allCredits are those of every kind.
func (f *found) allCredits(stitching string, w *lived) map[string][]credit {
	all := map[string][]credit{}
	for kind, deeds := range w.deeds {
		all[kind] = f.credits(stitching, deeds)
	}
	return all
}

// window is the part of the credits that lies in a span from their units' first exposures on.
func (f *found) window(stitching string, credits []credit, from, to time.Duration, each func(credit)) {
	for _, c := range credits {
		since := c.deed.at - f.units[stitching][c.unit].FirstExposedAt
		if since >= table.Micros(from.Microseconds()) && since < table.Micros(to.Microseconds()) {
			each(c)
		}
	}
}

// tallies works a metric out for all units, given what they did by its kind.
func (k *reckoning) tallies(f *found, stitching string, credits map[string][]credit) map[identifier.ID]*tally {
	all := map[identifier.ID]*tally{}
	for unit := range f.units[stitching] {
		all[unit] = &tally{seen: map[string]bool{}}
	}
	counting := func(do func(*tally, deed)) func(credit) {
		return func(c credit) {
			t := all[c.unit]
			if k.counts != nil && !k.counts(c.deed) {
				return
			}
			t.uncertain = t.uncertain || c.deed.damaged
			do(t, c.deed)
		}
	}
	f.window(stitching, credits[k.of], k.from, k.to, counting(func(t *tally, d deed) {
		t.count++
		if at := d.at; t.first == nil || at < *t.first {
			t.first = &at
		}
		if at := d.at; t.last == nil || at > *t.last {
			t.last = &at
		}
		switch {
		case k.distinct != nil:
			t.seen[k.distinct(d)] = true
			t.value = float64(len(t.seen))
		case k.value == nil:
			t.value = 1
		default:
			t.value += k.value(d)
		}
	}))
	if k.per != nil {
		f.window(stitching, credits[cmp.Or(k.perOf, k.of)], k.from, k.to, counting(func(t *tally, d deed) { t.per += k.per(d) }))
	}
	f.window(stitching, credits[k.of], -k.before, 0, counting(func(t *tally, d deed) { t.before += k.value(d) }))
	return all
}

// holdMetrics compares every metric that can be worked out, unit by unit.
func (f *found) holdMetrics(r *report, w *lived) {
	for _, s := range []string{table.AsOfExposure, table.ByDevice} {
		credits := f.allCredits(s, w)
		for i := range reckonings {
			k := &reckonings[i]
			f.holdMetric(r, k, s, k.tallies(f, s, credits))
		}
	}
	for i := range reckonings {
		if k := &reckonings[i]; k.metric == primary {
			for _, s := range []string{table.Strict, table.Latest, table.Loose} {
				f.holdMetric(r, k, s, k.tallies(f, s, map[string][]credit{k.of: f.credits(s, w.deeds[k.of])}))
			}
		}
	}
}

// holdMetric compares one under one stitching.
func (f *found) holdMetric(r *report, k *reckoning, stitching string, want map[identifier.ID]*tally) {
	got := f.values[k.metric][stitching]
	bound := math.Inf(1)
	if k.most > 0 && len(want) > 0 {
		var values []float64
		for _, row := range got {
			if row.Uncapped != nil {
				values = append(values, *row.Uncapped)
			}
		}
		slices.Sort(values)
		if len(values) > 0 {
			bound = values[int(math.Ceil(k.most*float64(len(values))))-1]
		}
	}
	wrong, n := max(0, len(got)-len(want)), int64(0) // rows of no unit are wrong too
	for unit, t := range want {
		row := got[unit]
		if t.uncertain && row != nil {
			continue
		}
		if n++; row == nil || !f.agrees(k, f.units[stitching][unit], t, row, bound) {
			wrong++
		}
	}
	r.exact(fmt.Sprintf("%s, %s: units that differ", k.metric, stitching), float64(wrong), 0, n)
}

// agrees compares what the lake has of a unit with what it should be.
func (f *found) agrees(k *reckoning, u *table.UnitExposureRow, t *tally, row *table.UnitMetricRow, bound float64) bool {
	value := row.Sum
	if row.Uncapped != nil {
		value = *row.Uncapped
	}
	received := u.ReceivedAt != nil && (t.first == nil || *u.ReceivedAt <= *t.first)
	matured := u.FirstExposedAt+table.Micros(k.to.Microseconds()) <= f.end
	return near(value, t.value) && near(row.Sum, min(value, bound)) && (row.Uncapped != nil) == (k.most > 0) && row.Count == t.count &&
		same(row.FirstAt, t.first) && same(row.LastAt, t.last) && given(row.Divisor, t.per, k.per != nil) &&
		given(row.Covariate, t.before, k.before > 0) && row.Received == received && row.Matured == matured
}

// near compares amounts, of which conversion gives parts of a minor unit.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(b)) }

func given(got *float64, want float64, is bool) bool {
	return (got != nil) == is && (!is || near(*got, want))
}
