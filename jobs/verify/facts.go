package verify

import (
	"context"
	"math"

	"crosslift/schemas/table"
)

// facts compares what the newest night says of the experiment with what is true of it: who is a unit, since when, in which arm,
// and what each did, unit by unit and metric by metric.
//
// What a unit did is worked out from the truth about payments and subscriptions and from what the world shows of viewing, visits
// and declined payments.
// Whose it is, is taken from facts/unit_identifier and the timeline, whatever these are worth: that is judged by the shares of
// what people truly did that their units have. Where a record was made unreadable, so that it may have landed or not, its unit
// is left out.
//
// The last comparisons show what simpler ways make of the same.
func (in Input) facts(ctx context.Context) ([]Check, error) {
	f, err := in.found(ctx)
	if err != nil {
		return nil, err
	}
	w, err := in.lived(ctx, f.night)
	if err != nil {
		return nil, err
	}
	r := in.report("facts")
	entries := f.holdUnits(r, w)
	f.holdMetrics(r, w)
	f.holdDays(r)
	f.holdExclusions(r, in)
	f.holdQuality(r, w)
	if err := in.credit(ctx, r, f, w, entries[table.AsOfExposure]); err != nil {
		return nil, err
	}
	return r.checks, nil
}

// dayKey is what the rows of facts/experiment_day are added up by.
type dayKey struct{ metric, variant string }

type daySum struct {
	rows, entered, units, events int64
	sum, per                     float64
}

// holdDays adds the days up, which must give the units' sums.
func (f *found) holdDays(r *report) {
	got, want := map[dayKey]*daySum{}, map[dayKey]*daySum{}
	at := func(of map[dayKey]*daySum, metric, variant string) *daySum {
		key := dayKey{metric, variant}
		if of[key] == nil {
			of[key] = &daySum{}
		}
		return of[key]
	}
	for _, row := range f.days {
		s := at(got, row.Metric, row.Variant)
		s.rows++
		s.entered += row.Entered
		s.units = max(s.units, row.Units)
		s.events += row.Events
		s.sum += row.Sum
		if row.Divisor != nil {
			s.per += *row.Divisor
		}
	}
	for metric, byStitching := range f.values {
		for unit, row := range byStitching[table.AsOfExposure] {
			u := f.units[table.AsOfExposure][unit]
			if u == nil {
				continue // it is counted as a row of no unit
			}
			s := at(want, metric, u.Variant)
			s.rows = int64(min(f.night, f.closes)-f.start) + 1
			s.entered++
			s.units++
			s.events += row.Count
			if row.Uncapped != nil {
				s.sum += *row.Uncapped
			} else {
				s.sum += row.Sum
			}
			if row.Divisor != nil {
				s.per += *row.Divisor
			}
		}
	}
	wrong := 0
	for key, w := range want {
		g := at(got, key.metric, key.variant)
		near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Abs(b)*float64(len(f.days)) }
		if g.rows != w.rows || g.entered != w.entered || g.units != w.units || g.events != w.events || !near(g.sum, w.sum) || !near(g.per, w.per) {
			wrong++
		}
	}
	r.exact("days: metrics by arm that do not add up to their units", float64(wrong), 0, int64(len(want)))
}

// holdExclusions compares what is left out: covariates whose windows begin before the first night, and nothing else. For whatever
// its faults do, a world has no amounts below zero, and nothing that happens after the night that shows it.
func (f *found) holdExclusions(r *report, in Input) {
	first := table.MicrosOf(in.From.Window(in.Zone).From)
	early := map[string]int64{}
	for i := range reckonings {
		k := &reckonings[i]
		if k.before == 0 {
			continue
		}
		for _, u := range f.units[table.AsOfExposure] {
			if u.FirstExposedAt-table.Micros(k.before.Microseconds()) < first {
				early[k.metric]++
			}
		}
	}
	other := int64(0)
	for _, row := range f.exclusions {
		if row.Reason == table.CovariateBeforeData {
			early[row.Metric] -= row.Rows
		} else {
			other += row.Rows
		}
	}
	wrong := int64(0)
	for _, n := range early {
		if n != 0 {
			wrong++
		}
	}
	r.exact("exclusions: metrics whose covariates begin before the first night for other units", float64(wrong), 0, int64(len(early)))
	r.exact("exclusions: events and units left out for another reason", float64(other), 0, int64(len(f.units[table.AsOfExposure])))
}
