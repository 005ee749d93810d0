package verify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox/world"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// hour is an instant of the small world, whose first night begins at 0.
func hour(h float64) table.Micros { return table.Micros(h * float64(time.Hour.Microseconds())) }

// small is an experiment by account of two nights: ann is exposed to the offer on two devices, bob, of the control, on one of
// them too; each did something.
func small() (*lived, *found, Input) {
	ann, bob, phone, tv := identifier.ID{1}, identifier.ID{2}, identifier.ID{8}, identifier.ID{9}
	w := &lived{
		assigned: []meeting{{at: hour(1), account: ann, variant: "offer"}, {at: hour(2), account: bob, variant: "control"}},
		exposed: []meeting{
			{at: hour(4), account: ann, device: tv, variant: "offer", platform: "tv", country: "RU"},
			{at: hour(3), account: ann, device: phone, variant: "offer", platform: "ios", country: "RU"},
			{at: hour(5), account: bob, device: tv, variant: "control", platform: "tv", country: "KZ"},
		},
		deeds: map[string][]deed{
			subscribed: {{at: hour(6), account: ann, by: ann, trial: true}},
			paying: {
				{at: hour(7), account: ann, by: ann, amount: 29900, roubles: 29900, currency: "RUB", plan: "first_month"},
				{at: hour(8), account: bob, by: bob, amount: 590, roubles: 30680.5, currency: "JPY", plan: "monthly"},
			},
			watching: {
				{at: hour(2.5), account: ann, device: phone, by: ann, seconds: 50, title: "a"},
				{at: hour(9), account: ann, device: phone, by: ann, seconds: 70, title: "a"},
				{at: hour(10), device: tv, by: bob, seconds: 600, title: "b"},
				{at: hour(20), device: tv, by: ann, seconds: 60, title: "b"},
			},
			declined:  {{at: hour(6.5), account: ann, by: ann}},
			promotion: {{at: hour(4), device: tv, by: ann}, {at: hour(30), account: bob, by: bob}}, // nobody's, and too late
			visiting: {
				{at: hour(2), account: ann, device: phone, by: ann}, {at: hour(8.9), account: ann, device: phone, by: ann},
				{at: hour(10), device: tv, by: bob}, {at: hour(20), device: tv, by: ann},
			},
		},
	}
	f := &found{
		assignedBy: world.ByAccount, end: hour(48), night: 1, closes: 40, timeline: spans{tv: {{from: hour(9.5), to: hour(11), account: bob}}},
		units: map[string]map[identifier.ID]*table.UnitExposureRow{}, whose: map[string]map[identifier.ID][]*table.UnitIdentifierRow{},
		values: map[string]map[string]map[identifier.ID]*table.UnitMetricRow{},
	}
	for _, s := range stitchings {
		f.units[s], f.whose[s] = map[identifier.ID]*table.UnitExposureRow{}, map[identifier.ID][]*table.UnitIdentifierRow{}
		add := func(kind string, id, unit identifier.ID, from *table.Micros) {
			f.add(&table.UnitIdentifierRow{Stitching: s, IdentifierType: kind, Identifier: id, From: from, Unit: unit})
		}
		if s == table.ByDevice {
			later := hour(4.5)
			add(table.TypeDevice, phone, phone, nil)
			add(table.TypeDevice, tv, tv, nil)
			add(table.TypeAccount, ann, phone, nil)
			add(table.TypeAccount, bob, tv, &later)
		} else {
			add(table.TypeAccount, ann, identifier.ID{31}, nil)
			add(table.TypeAccount, bob, identifier.ID{32}, nil)
		}
		for id, e := range f.entries(s, w) {
			row := &table.UnitExposureRow{
				Stitching: s, Unit: id, Variant: e.first.variant, FirstExposedAt: e.first.at, ReceivedAt: e.received, AssignedAt: e.assigned,
				ActivatedAt: e.activated, Exposures: e.met, Crossover: e.crossover, Platform: e.first.platform, Country: e.first.country,
			}
			f.add(row)
		}
		for i := range reckonings {
			k := &reckonings[i]
			if k.metric != primary && s != table.AsOfExposure && s != table.ByDevice {
				continue
			}
			for id, t := range k.tallies(f, s, f.allCredits(s, w)) {
				u := f.units[s][id]
				row := &table.UnitMetricRow{
					Metric: k.metric, Stitching: s, Unit: id, Sum: t.value, Count: t.count, FirstAt: t.first, LastAt: t.last,
					Received: u.ReceivedAt != nil && (t.first == nil || *u.ReceivedAt <= *t.first),
					Matured:  u.FirstExposedAt+table.Micros(k.to.Microseconds()) <= f.end,
				}
				if k.most > 0 {
					row.Uncapped = &t.value
				}
				if k.per != nil {
					row.Divisor = &t.per
				}
				if k.before > 0 {
					row.Covariate = &t.before
				}
				f.add(row)
				if s != table.AsOfExposure {
					continue
				}
				for d := range table.Day(2) {
					row := &table.ExperimentDayRow{Metric: k.metric, Variant: u.Variant, Day: d, Units: 1}
					if d == 0 {
						row.Entered, row.Events, row.Sum, row.Divisor = 1, t.count, t.value, &t.per
					}
					f.add(row)
				}
			}
		}
	}
	for _, metric := range []string{"revenue", "watched_seconds"} {
		f.add(&table.ExclusionRow{Metric: metric, Reason: table.CovariateBeforeData, Rows: 2})
	}
	return w, f, Input{Zone: time.UTC}
}

// TestWhatIsMadeOfTheSmallWorld pins what the plain way makes of it, by hand.
func TestWhatIsMadeOfTheSmallWorld(t *testing.T) {
	t.Parallel()
	_, f, _ := small()
	ann, bob := identifier.ID{31}, identifier.ID{32}
	for _, c := range []struct {
		metric, stitching string
		unit              identifier.ID
		sum               float64
		count             int64
	}{
		{"activated", table.AsOfExposure, ann, 1, 1}, {"activated", table.AsOfExposure, bob, 0, 0}, {"trial", table.AsOfExposure, ann, 1, 1},
		{"paid_first_month", table.AsOfExposure, ann, 1, 1}, {primary, table.AsOfExposure, bob, 1, 1}, {primary, table.Loose, bob, 1, 1},
		{"revenue", table.AsOfExposure, bob, 0, 0}, {"revenue_all", table.AsOfExposure, bob, 30680.5, 1},
		{"watched_seconds", table.AsOfExposure, ann, 70, 1},  // not what came before, nor what nobody known watched
		{"watched_seconds", table.AsOfExposure, bob, 600, 1}, // by the timeline
		{"watched_seconds", table.ByDevice, identifier.ID{9}, 660, 2}, {"titles", table.ByDevice, identifier.ID{9}, 1, 2},
		{"revenue_all", table.ByDevice, identifier.ID{9}, 30680.5, 1}, // bob is linked to the television since it met the offer
		{"retained", table.AsOfExposure, ann, 0, 0},
		{"payment_failed", table.AsOfExposure, ann, 1, 1}, {"payment_failed", table.AsOfExposure, bob, 0, 0},
		{"promotion_viewed", table.AsOfExposure, ann, 0, 0}, {"promotion_viewed", table.ByDevice, identifier.ID{9}, 1, 1},
		{"promotion_viewed", table.AsOfExposure, bob, 0, 0},
		{"watched_per_visit", table.AsOfExposure, ann, 70, 1}, {"watched_per_visit", table.ByDevice, identifier.ID{9}, 660, 2},
	} {
		if row := f.values[c.metric][c.stitching][c.unit]; row == nil || row.Sum != c.sum || row.Count != c.count {
			t.Errorf("%s, %s of %x: %+v, expected %v of %d", c.metric, c.stitching, c.unit[:1], row, c.sum, c.count)
		}
	}
	for unit, visits := range map[identifier.ID]float64{ann: 1, bob: 1} { // a minute before the view, and by the timeline
		if row := f.values["watched_per_visit"][table.AsOfExposure][unit]; *row.Divisor != visits {
			t.Errorf("%x has visited %v times", unit[:1], *row.Divisor)
		}
	}
	if row := f.values["watched_seconds"][table.AsOfExposure][ann]; *row.Covariate != 50 {
		t.Errorf("before the exposure ann has watched %v", *row.Covariate)
	}
	if tv := f.units[table.ByDevice][identifier.ID{9}]; !tv.Crossover || tv.Variant != "offer" || tv.Exposures != 2 {
		t.Errorf("the television: %+v", tv)
	}
}

// TestFactsAreHeld: all is well with the small world, and whatever is changed about it fails exactly where it should.
func TestFactsAreHeld(t *testing.T) {
	t.Parallel()
	ann := identifier.ID{31}
	of := func(f *found, metric string) *table.UnitMetricRow {
		return f.values[metric][table.AsOfExposure][ann]
	}
	later := hour(30)
	for name, c := range map[string]struct {
		change func(f *found)
		fails  []string
	}{
		"nothing": {func(*found) {}, nil},
		"a unit is gone": {func(f *found) { delete(f.units[table.Latest], ann) },
			[]string{"units, latest: missing, too many or other", "paid_second_month, latest: units that differ"}},
		"another arm":          {func(f *found) { f.units[table.AsOfExposure][ann].Variant = "control" }, []string{"units: in another arm", "days: metrics by arm that do not add up to their units"}},
		"a microsecond later":  {func(f *found) { f.units[table.AsOfExposure][ann].FirstExposedAt++ }, []string{"units: exposed first at another instant"}},
		"a crossover":          {func(f *found) { f.units[table.AsOfExposure][ann].Crossover = true }, []string{"units: with other counts, times or places"}},
		"never received":       {func(f *found) { of(f, "views").Received = false }, []string{"views, as_of_exposure: units that differ"}},
		"matured":              {func(f *found) { of(f, "views").Matured = true }, []string{"views, as_of_exposure: units that differ"}},
		"a kopeck":             {func(f *found) { of(f, "revenue").Sum++ }, []string{"revenue, as_of_exposure: units that differ", "days: metrics by arm that do not add up to their units"}},
		"an event":             {func(f *found) { of(f, "trial").Count++ }, []string{"trial, as_of_exposure: units that differ", "days: metrics by arm that do not add up to their units"}},
		"the last event":       {func(f *found) { of(f, "trial").LastAt = &later }, []string{"trial, as_of_exposure: units that differ"}},
		"what came before":     {func(f *found) { *of(f, "watched_seconds").Covariate = 0 }, []string{"watched_seconds, as_of_exposure: units that differ"}},
		"the bound":            {func(f *found) { of(f, "watched_seconds").Sum = 69 }, []string{"watched_seconds, as_of_exposure: units that differ"}},
		"a divisor":            {func(f *found) { of(f, "watched_per_view").Divisor = nil }, []string{"watched_per_view, as_of_exposure: units that differ", "days: metrics by arm that do not add up to their units"}},
		"a visit":              {func(f *found) { more := 9.0; of(f, "watched_per_visit").Divisor = &more }, []string{"watched_per_visit, as_of_exposure: units that differ", "days: metrics by arm that do not add up to their units"}},
		"a declined payment":   {func(f *found) { of(f, "payment_failed").Sum = 0 }, []string{"payment_failed, as_of_exposure: units that differ", "days: metrics by arm that do not add up to their units"}},
		"a day":                {func(f *found) { f.days = f.days[1:] }, []string{"days: metrics by arm that do not add up to their units"}},
		"a covariate too many": {func(f *found) { f.exclusions[0].Rows++ }, []string{"exclusions: metrics whose covariates begin before the first night for other units"}},
		"a clock":              {func(f *found) { f.exclusions[0].Reason = table.InFuture }, []string{"exclusions: metrics whose covariates begin before the first night for other units", "exclusions: events and units left out for another reason"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, f, in := small()
			c.change(f)
			r := &report{stage: "facts"}
			f.holdUnits(r, w)
			f.holdMetrics(r, w)
			f.holdDays(r)
			f.holdExclusions(r, in)
			var failed []string
			for _, check := range r.checks {
				if !check.OK && check.N > 0 {
					failed = append(failed, check.Name)
				}
			}
			if !slices.Equal(failed, c.fails) {
				t.Errorf("failed:\n%s\nexpected:\n%s", strings.Join(failed, "\n"), strings.Join(c.fails, "\n"))
			}
		})
	}
}
