package exposure_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/exposure"
)

// TestEligibility: a unit counts with an event from so long before its first exposure until just before it; the others are in
// no row, and counted. Of something that changes, what it was by then decides.
func TestEligibility(t *testing.T) {
	t.Parallel()
	const within = table.Micros(48 * 3600e6)
	watched := func(at table.Micros) func(*world) {
		return func(w *world) { w.add(table.Viewing, &table.ViewingRow{ViewedAt: at, Account: ann, Title: "film"}) }
	}
	paid := func(status ...string) func(*world) { // as it stood an hour before, at, and an hour after the exposure
		return func(w *world) {
			for i, s := range status {
				w.add(table.Payment, &table.PaymentRow{
					SourceID: "pay", PaidAt: noon - 2*hour, ChangedAt: noon + table.Micros(i-1)*hour, Account: ann, Currency: "RUB", Status: s,
				})
			}
		}
	}
	film := &experiment.Event{Table: "raw/viewing", Filter: is("title", "film"), Within: metric.Duration(48 * time.Hour)}
	payment := &experiment.Event{Table: "raw/payment", Filter: is("status", "succeeded"), Within: metric.Duration(48 * time.Hour)}
	for name, c := range map[string]struct {
		asks     *experiment.Event
		happened func(*world)
		eligible bool
	}{
		"just within":                {film, watched(noon - within), true},
		"too long ago":               {film, watched(noon - within - 1), false},
		"just before":                {film, watched(noon - 1), true},
		"at it":                      {film, watched(noon), false},
		"ever":                       {&experiment.Event{Table: "raw/viewing"}, watched(1), true},
		"never":                      {&experiment.Event{Table: "raw/viewing"}, func(*world) {}, false},
		"paid":                       {payment, paid("succeeded"), true},
		"paid, and failed at it":     {payment, paid("succeeded", "failed"), true},
		"paid, and failed after it":  {payment, paid("succeeded", "succeeded", "failed"), true},
		"failed, and paid at it":     {payment, paid("failed", "succeeded"), false},
		"failed, and paid after all": {payment, paid("failed", "failed", "succeeded"), false},
	} {
		w := small("account")
		w.in.Experiment.Eligibility = c.asks
		w.meet(ann, bob)
		w.saw(ann, phone, offered, noon)
		w.saw(bob, tv, offered, noon)
		c.happened(w)
		r := w.made(t)
		u, q := r.unit(table.AsOfExposure, profile(ann)), r.number(table.QualityIneligible, "")
		if (u != nil) != c.eligible || r.counts.Units != map[bool]int64{true: 1}[c.eligible] || *q.Value != 2-float64(r.counts.Units) || q.N != 2 {
			t.Errorf("%s: %+v, %g of %d are left out", name, u, *q.Value, q.N)
		}
		if owner := r.owner(table.AsOfExposure, ann, noon); owner.IsZero() == c.eligible {
			t.Errorf("%s: the account's events are of %s", name, owner)
		}
		if owner := r.owner(table.AsOfExposure, bob, noon); !owner.IsZero() {
			t.Errorf("%s: the events of who is left out are of %s", name, owner)
		}
	}
}

// TestSegments: channel, plan and newness as of the first exposure, to the microsecond.
func TestSegments(t *testing.T) {
	t.Parallel()
	start := 10 * day
	visit := func(channel string, at table.Micros) *table.WebEventRow {
		return &table.WebEventRow{SourceID: channel, EventAt: at, EventName: "visit", Account: ann, Channel: channel}
	}
	subscribed := func(plan string, at table.Micros) *table.SubscriptionRow {
		return &table.SubscriptionRow{SourceID: plan, ChangedAt: at, Account: ann, Plan: plan, Status: "active"}
	}
	paid := &table.PaymentRow{SourceID: "p", ChangedAt: noon - 1, Account: ann, Plan: "gold", Currency: "RUB", Status: "failed"}
	for name, c := range map[string]struct {
		rows                   []any
		first                  table.Micros // when the account was seen first
		channel, plan, newness string
	}{
		"nothing":                   {nil, noon - day + 1, "", "", "new"},
		"seen a day before":         {nil, noon - day, "", "", "returning"},
		"the earliest visit":        {[]any{visit("b", start), visit("a", start+1)}, 0, "b", "", "returning"},
		"of two the smaller":        {[]any{visit("b", start), visit("a", start)}, 0, "a", "", "returning"},
		"30 days before the start":  {[]any{visit("b", start-30*day), visit("a", start)}, 0, "b", "", "returning"},
		"longer ago":                {[]any{visit("b", start-30*day-1), visit("a", start)}, 0, "a", "", "returning"},
		"a visit without a channel": {[]any{visit("", start), visit("a", start+1)}, 0, "a", "", "returning"},
		"a visit at the exposure":   {[]any{visit("a", noon)}, 0, "", "", "returning"},
		"the newest plan":           {[]any{subscribed("b", 1), subscribed("a", 2)}, 0, "", "a", "returning"},
		"of two plans the smaller":  {[]any{subscribed("b", 1), subscribed("a", 1), subscribed("c", 1)}, 0, "", "a", "returning"},
		"a plan at the exposure":    {[]any{subscribed("b", 1), subscribed("a", noon)}, 0, "", "b", "returning"},
		"a plan that was paid":      {[]any{paid, subscribed("a", noon)}, 0, "", "gold", "returning"},
		"subscription over payment": {[]any{paid, subscribed("a", 1)}, 0, "", "a", "returning"},
	} {
		w := small("account")
		w.in.Experiment.Segments = experiment.Segments
		w.meet(ann)
		w.observed[0].At = c.first
		w.saw(ann, phone, offered, noon)
		for _, row := range c.rows {
			switch row.(type) {
			case *table.WebEventRow:
				w.add(table.WebEvent, row)
			case *table.SubscriptionRow:
				w.add(table.Subscription, row)
			default:
				w.add(table.Payment, row)
			}
		}
		r := w.made(t)
		if u := r.unit(table.AsOfExposure, profile(ann)); u.Channel != c.channel || u.Plan != c.plan || u.Newness != c.newness {
			t.Errorf("%s: channel %q, plan %q, %s", name, u.Channel, u.Plan, u.Newness)
		}
	}
}

// TestAssignedExposedActivated: the three are kept apart, and who was assigned and never exposed is counted alone.
func TestAssignedExposedActivated(t *testing.T) {
	t.Parallel()
	w := small("account")
	w.in.Experiment.Activation = &experiment.Event{Table: "raw/viewing"}
	w.meet(ann, bob)
	assigned := func(row *table.AssignmentRow) {
		row.SourceID, row.Experiment = w.source(table.Assignment), "offer"
		w.add(table.Assignment, row)
	}
	assigned(&table.AssignmentRow{AssignedAt: noon - day, Account: ann, Variant: offered})
	assigned(&table.AssignmentRow{AssignedAt: noon - 2*day, Account: ann, Variant: denied})
	assigned(&table.AssignmentRow{AssignedAt: noon, Account: bob, Variant: offered})
	assigned(&table.AssignmentRow{AssignedAt: table.MicrosOf(w.in.End), Account: id('a', 3), Variant: offered})
	w.saw(ann, phone, offered, noon)
	for _, at := range []table.Micros{noon - 1, noon + 1, noon} {
		w.add(table.Viewing, &table.ViewingRow{SourceID: w.source(table.Viewing), ViewedAt: at, Account: ann})
	}
	r := w.made(t)
	if u := r.unit(table.AsOfExposure, profile(ann)); *u.AssignedAt != noon-2*day || *u.ActivatedAt != noon || u.Variant != offered || r.counts.Units != 1 {
		t.Errorf("got %+v", u)
	}
	for key, want := range map[[2]string][2]float64{
		{table.QualityAssigned, denied}: {1, 2}, {table.QualityAssigned, offered}: {1, 2}, {table.QualityNeverExposed, offered}: {1, 1},
		{table.QualityNeverExposed, denied}: {0, 1}, {table.QualityExposed, offered}: {1, 1}, {table.QualityActivated, offered}: {1, 1},
	} {
		if q := r.number(key[0], key[1]); *q.Value != want[0] || float64(q.N) != want[1] {
			t.Errorf("%v: %g of %d, want %v", key, *q.Value, q.N, want)
		}
	}
}

// TestErrors: what cannot be made is told, and why.
func TestErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*world)
		want   string
	}{
		"an unknown variant": {func(w *world) { w.saw(bob, phone, "surprise", noon); w.saw(ann, phone, "surprise", noon) },
			`experiment offer: 2 exposures name variant "surprise"; the definition has control, cashback, gift`},
		"an unknown variant of an assignment": {func(w *world) {
			w.add(table.Assignment, &table.AssignmentRow{Experiment: "offer", Variant: "surprise", Account: bob})
		}, `1 assignments name variant "surprise"`},
		"nothing to tell who is eligible by": {func(w *world) {
			w.in.Experiment.Eligibility = &experiment.Event{Table: "raw/viewing"}
			w.in.Events = nil
		},
			"eligibility needs raw/viewing, which has no day until the night"},
		"nothing to activate by": {func(w *world) {
			w.in.Experiment.Activation = &experiment.Event{Table: "raw/invoice"}
			w.in.Events = nil
		},
			"activation needs raw/invoice"},
		"a table of nobody": {func(w *world) { w.in.Experiment.Activation = &experiment.Event{Table: "raw/rate"} }, "neither an account nor a device"},
	} {
		w := small("account")
		w.meet(ann, bob)
		w.saw(ann, phone, offered, noon)
		w.identify(t)
		c.change(w)
		events := w.in.Events
		w.add(table.Rate, &table.RateRow{SourceID: "r", Currency: "RUB", Quote: "USD"})
		w.files(t, rand.New(rand.NewPCG(1, 1)))
		if strings.Contains(c.want, "needs") {
			w.in.Events = events
		}
		_, err := build(t, w.in, 2)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		var unknown *exposure.UnknownVariantError
		if errors.As(err, &unknown) != strings.Contains(name, "variant") {
			t.Errorf("%s: %T", name, err)
		}
	}
	w := small("device")
	w.saw(ann, phone, offered, noon)
	w.made(t)
	full := errors.New("full")
	out := exposure.Output{
		Unit:       func(*table.UnitExposureRow) error { return nil },
		Identifier: func(*table.UnitIdentifierRow) error { return nil },
		Quality:    func(*table.ExposureQualityRow) error { return full },
	}
	if _, err := exposure.Build(t.Context(), w.in, 1, out); !errors.Is(err, full) {
		t.Errorf("what could not be written: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := exposure.Build(ended, w.in, 1, out); !errors.Is(err, context.Canceled) {
		t.Errorf("once the context has ended: %v", err)
	}
}

// TestTables: what must be read besides exposures and assignments, and from when on.
func TestTables(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	watched := func(within time.Duration) *experiment.Event {
		return &experiment.Event{Table: "raw/web_event", Within: metric.Duration(within)}
	}
	all := func(*table.Table) bool { return true }
	for name, c := range map[string]struct {
		e      experiment.Experiment
		filled func(*table.Table) bool
		want   []exposure.Reading
	}{
		"nothing":               {experiment.Experiment{Segments: []string{experiment.Platform, experiment.Newness, experiment.Devices}}, all, nil},
		"within":                {experiment.Experiment{Eligibility: watched(h)}, all, []exposure.Reading{{Table: table.WebEvent, Before: h}}},
		"ever":                  {experiment.Experiment{Eligibility: watched(0)}, all, []exposure.Reading{{Table: table.WebEvent, Before: exposure.Ever}}},
		"after":                 {experiment.Experiment{Activation: watched(0)}, all, []exposure.Reading{{Table: table.WebEvent}}},
		"the longest":           {experiment.Experiment{Eligibility: watched(h), Activation: watched(0), Segments: []string{experiment.Channel}}, all, []exposure.Reading{{Table: table.WebEvent, Before: 720 * h}}},
		"plans":                 {experiment.Experiment{Segments: []string{experiment.Plan}}, all, []exposure.Reading{{Table: table.Subscription, Before: exposure.Ever}, {Table: table.Payment, Before: exposure.Ever}}},
		"as far as it is fed":   {experiment.Experiment{Segments: experiment.Segments}, func(t *table.Table) bool { return t == table.Payment }, []exposure.Reading{{Table: table.Payment, Before: exposure.Ever}}},
		"asked for, fed or not": {experiment.Experiment{Eligibility: watched(h)}, func(*table.Table) bool { return false }, []exposure.Reading{{Table: table.WebEvent, Before: h}}},
	} {
		if got := exposure.Tables(&c.e, c.filled); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
