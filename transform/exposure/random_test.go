package exposure_test

import (
	"math/rand/v2"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/identity/night/nighttest"
)

// random is a small, crowded world: households that share devices, logins before and after exposures, exposures with and
// without an account, of other experiments, out of the window, and everything that may be said about units.
func random(r *rand.Rand, assignedBy string) *world {
	w := small(assignedBy)
	people := 3 + r.IntN(12)
	tight := r.IntN(3) == 0
	for i := range w.in.Rules.Types {
		if t := &w.in.Rules.Types[i]; tight && t.Cap > 0 {
			t.Cap = 1 + r.IntN(4)
		}
	}
	w.in.Known = r.IntN(3) == 0
	for d := table.Day(0); d < 23; d++ {
		if r.IntN(2) == 0 {
			w.observed = append(w.observed, nighttest.Day(r, d, people)...)
		}
	}
	coarse := 1 + r.Int64N(12) // hours: much happens at one instant
	instant := func() table.Micros {
		return table.Micros(r.Int64N(23*24/coarse)*coarse)*hour + table.Micros(r.IntN(8)/7)
	}
	near := func(n int) int { // mostly one's own
		if r.IntN(4) > 0 {
			return n
		}
		return r.IntN(people)
	}
	maybe := func(kind byte, n int) identifier.ID {
		if r.IntN(5) == 0 {
			return identifier.ID{}
		}
		if kind == 'd' { // everybody has three
			n += people * r.IntN(3)
		}
		return id(kind, n)
	}
	for range 3 * people {
		n := r.IntN(people)
		w.login(id('a', n), id('d', near(n)+people*r.IntN(3)), instant())
	}
	text := func(list ...string) string { return list[r.IntN(len(list))] }
	e := w.in.Experiment
	for range 6 * people {
		n := r.IntN(people)
		if n%4 == 3 { // who was never exposed
			continue
		}
		at := 9*day + table.Micros(r.Int64N((11*24+6)/coarse)*coarse)*hour
		row := w.saw(maybe('a', n), maybe('d', near(n)), e.Variants[(n+r.IntN(5)/4)%3].Name, at)
		row.Platform, row.Country = text("", "tv", "ios", "web"), text("", "RU", "KZ")
		if r.IntN(6) == 0 {
			row.Experiment, row.Variant = text("other", "another"), "whatever"
		}
	}
	if r.IntN(4) > 0 {
		for range 4 * people {
			n := r.IntN(people)
			w.add(table.Assignment, &table.AssignmentRow{
				SourceID: w.source(table.Assignment), AssignedAt: instant(), Experiment: text("offer", "offer", "other"),
				Variant: e.Variants[r.IntN(3)].Name, Account: maybe('a', n), Device: maybe('d', near(n)),
			})
		}
	}
	w.events(r, people, coarse, instant, near, maybe, text)
	e.Segments = [][]string{nil, {experiment.Plan}, {experiment.Channel, experiment.Plan}, experiment.Segments}[r.IntN(4)]
	event := func() *experiment.Event {
		var of *experiment.Event
		switch r.IntN(8) {
		default:
			return nil
		case 0:
			of = &experiment.Event{Table: "raw/web_event"}
		case 1:
			of = &experiment.Event{Table: "raw/viewing", Filter: is("title", "film")}
		case 2:
			of = &experiment.Event{Table: "raw/payment", Filter: is("status", "succeeded")}
		case 3:
			of = &experiment.Event{Table: "raw/subscription", Filter: is("status", "active")}
		}
		if r.IntN(2) == 0 {
			of.Within = metric.Duration(time.Duration((1+r.Int64N(200/coarse))*coarse) * time.Hour)
		}
		return of
	}
	e.Eligibility, e.Activation = event(), event()
	return w
}

func (w *world) events(r *rand.Rand, people int, coarse int64, instant func() table.Micros, near func(int) int, maybe func(byte, int) identifier.ID, text func(...string) string) {
	for range 6 * people {
		n := r.IntN(people)
		account, device, at := maybe('a', n), maybe('d', near(n)), instant()
		switch r.IntN(4) {
		case 0:
			w.add(table.Viewing, &table.ViewingRow{SourceID: w.source(table.Viewing), ViewedAt: at, Account: account, Device: device, Title: text("film", "film", "series")})
		case 1:
			w.add(table.WebEvent, &table.WebEventRow{
				SourceID: w.source(table.WebEvent), EventAt: at, EventName: "visit", Account: account, Device: device, Channel: text("", "ads", "mail", "search"),
			})
		case 2:
			source := w.source(table.Payment)
			for changed := at; ; changed += table.Micros(coarse*(1+r.Int64N(12))) * hour { // as it stood after each change
				w.add(table.Payment, &table.PaymentRow{
					SourceID: source, ChangedAt: changed, PaidAt: at, Account: account, Currency: "RUB", AmountMinor: 100,
					Status: text("succeeded", "failed"), Plan: text("", "basic", "family"),
				})
				if account = maybe('a', near(n)); r.IntN(2) == 0 {
					break
				}
			}
		default:
			source := w.source(table.Subscription)
			for changed := at; ; changed += table.Micros(coarse*(1+r.Int64N(12))) * hour {
				w.add(table.Subscription, &table.SubscriptionRow{
					SourceID: source, ChangedAt: changed, StartedAt: at, Account: account, Status: text("active", "canceled"), Plan: text("", "month", "year"),
				})
				if r.IntN(2) == 0 {
					break
				}
			}
		}
	}
}
