package facts_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/facts"
	"crosslift/transform/identity/timeline"
)

const first = table.Day(20542) // 2026-03-30 less a day: clocks change in Berlin on the 29th

// maker draws small worlds, in which instants, identifiers and values often meet.
type maker struct {
	*rand.Rand
	*world
	people int
	rows   int
}

func oneOf[T any](r *maker, from ...T) T { return from[r.IntN(len(from))] }

// random draws a world.
func random(r *rand.Rand) *world {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	m := &maker{Rand: r, people: 1 + r.IntN(8), world: &world{zone: zone, first: first, night: first + table.Day(r.IntN(5)), events: map[*table.Table]map[table.Day][]any{}}}
	for _, t := range []*table.Table{table.Viewing, table.Payment, table.WebEvent, table.ProductUser} {
		m.events[t] = map[table.Day][]any{}
		for day := m.first; day <= m.night; day++ {
			if m.IntN(8) == 0 && t != table.Payment {
				continue // a day that is missing
			}
			m.events[t][day] = nil
			for range m.IntN(30) {
				m.event(t, day)
			}
		}
	}
	for i := range m.IntN(10) {
		m.rates = append(m.rates, &table.RateRow{SourceID: fmt.Sprint("r", i), ValidFrom: m.instant(), Currency: oneOf(m, "EUR", "KWD", "RUB", "JPY"),
			Quote: oneOf(m, "RUB", "RUB", "EUR"), Rate: oneOf(m, 0.1, 90.5, 1.0/3)})
	}
	for _, currency := range []string{"EUR", "KWD", "JPY"} { // most worlds know all
		if m.IntN(10) > 0 {
			m.rates = append(m.rates, &table.RateRow{SourceID: currency, ValidFrom: 0, Currency: currency, Quote: "RUB", Rate: m.Float64()})
		}
	}
	for i := range m.people {
		at := m.start(-3)
		for range m.IntN(4) {
			from := at + table.Micros(m.IntN(12))*4*3600e6
			at = from + table.Micros(1+m.IntN(12))*4*3600e6
			m.timeline = append(m.timeline, &table.DeviceTimelineRow{Device: device(i), From: from, To: at, Account: m.account(), Profile: identifier.ID{1},
				Method: oneOf(m, timeline.Session, timeline.Span, timeline.Backfill, timeline.Bracket)})
		}
	}
	for i := range 1 + m.IntN(3) {
		m.experiments = append(m.experiments, m.trial(fmt.Sprint("x", i)))
	}
	return m.world
}

func account(n int) identifier.ID { return identifier.Mint("account", identifier.ID{byte(n)}, 0) }
func device(n int) identifier.ID  { return identifier.Mint("device", identifier.ID{byte(n)}, 0) }

func (m *maker) account() identifier.ID { return account(m.IntN(m.people)) }
func (m *maker) device() identifier.ID  { return device(m.IntN(m.people)) }

func (m *maker) start(day int) table.Micros {
	return table.MicrosOf((m.first + table.Day(day)).Window(m.zone).From)
}

// instant is one of few, from before the first day until after the night.
func (m *maker) instant() table.Micros {
	at := m.start(m.IntN(int(m.night-m.first)+3)-1) + table.Micros(m.IntN(6))*4*3600e6
	return at + oneOf(m, table.Micros(0), 0, 0, -1, 1)
}

func maybe[T any](m *maker, x T) (none T) {
	if m.IntN(4) == 0 {
		return none
	}
	return x
}

func (m *maker) event(t *table.Table, day table.Day) {
	m.rows++
	id, at := fmt.Sprint("e", m.rows), m.start(int(day-m.first))+table.Micros(m.IntN(6))*4*3600e6
	if m.IntN(10) == 0 {
		at = m.instant()
	}
	var row any
	switch t {
	case table.Viewing:
		row = &table.ViewingRow{SourceID: id, ViewedAt: at, Account: maybe(m, m.account()), Device: maybe(m, m.device()),
			Title: maybe(m, oneOf(m, "a", "ab", "b")), Seconds: oneOf(m, int64(m.IntN(4000)), 1<<53+1, 1<<62)}
	case table.Payment:
		row = &table.PaymentRow{SourceID: fmt.Sprint("p", m.IntN(20)), ChangedAt: at + table.Micros(10*m.rows), PaidAt: m.instant(), Account: maybe(m, m.account()),
			AmountMinor: int64(m.IntN(1000) - 100), Currency: oneOf(m, "RUB", "EUR", "KWD", "JPY"), Status: oneOf(m, "succeeded", "failed"), Plan: maybe(m, oneOf(m, "month", "year"))}
	case table.WebEvent:
		e := &table.WebEventRow{SourceID: id, EventAt: at, EventName: oneOf(m, "open", "play"), Account: maybe(m, maybe(m, m.account())), Device: maybe(m, m.device()),
			SessionID: maybe(m, oneOf(m, "s1", "s2", "s3")), Platform: maybe(m, oneOf(m, "tv", "web"))}
		if m.IntN(4) > 0 {
			e.Value = oneOf(m, new(m.Float64()), new(m.Float64()*1e9), new(-m.Float64()*1e-9), new(1e300), new(-1e300))
		}
		row = e
	case table.ProductUser:
		row = &table.ProductUserRow{SourceID: fmt.Sprint("u", m.IntN(9)), ChangedAt: at + table.Micros(10*m.rows), Account: m.account(), RegisteredAt: at, Deleted: m.IntN(2) == 0}
	}
	m.events[t][day] = append(m.events[t][day], row)
}

// trial draws an experiment: its units and whose events are theirs are any that the contract lets be.
func (m *maker) trial(name string) trial {
	e := trial{Experiment: &experiment.Experiment{Name: name, AssignedBy: oneOf(m, experiment.Account, experiment.Device),
		Variants: []experiment.Variant{{Name: "a"}, {Name: "b"}, {Name: "c"}}[:2+m.IntN(2)], Control: "a",
		Start: m.first + table.Day(m.IntN(3)-1), Crossover: oneOf(m, experiment.First, experiment.Exclude)}}
	if m.IntN(2) == 0 {
		e.End = new(e.Start + table.Day(m.IntN(3)))
	}
	for i := range 1 + m.IntN(4) {
		e.metrics = append(e.metrics, m.metric(fmt.Sprint("m", i)))
	}
	e.Primary = "m0"
	last := m.night
	if e.End != nil {
		last = min(last, *e.End)
	}
	for _, stitching := range facts.Stitchings(e.Experiment, e.metrics[0]) {
		var units []identifier.ID
		for i := range m.IntN(6) {
			if last < e.Start {
				break
			}
			u := &table.UnitExposureRow{Stitching: stitching, Unit: identifier.Mint("profile", identifier.ID{byte(i), stitching[0]}, 0), UnitType: "profile",
				Variant: oneOf(m, e.Variants...).Name, FirstExposedAt: table.MicrosOf((e.Start + table.Day(m.IntN(int(last-e.Start)+1))).Window(m.zone).From) + table.Micros(m.IntN(5))*4*3600e6,
				Crossover: m.IntN(4) == 0}
			if m.IntN(2) == 0 {
				u.ReceivedAt = new(u.FirstExposedAt + table.Micros(m.IntN(6))*4*3600e6)
			}
			units, e.units = append(units, u.Unit), append(e.units, u)
		}
		if len(units) == 0 {
			continue
		}
		for n := range m.people {
			for kind, id := range map[string]identifier.ID{"account": account(n), "device": device(n)} {
				for i := range m.IntN(4) {
					row := &table.UnitIdentifierRow{Stitching: stitching, IdentifierType: kind, Identifier: id, Unit: oneOf(m, units...)}
					if i > 0 || m.IntN(3) == 0 {
						row.From = new(m.instant())
					}
					if !slices.ContainsFunc(e.identifiers, func(o *table.UnitIdentifierRow) bool {
						return o.Stitching == stitching && o.IdentifierType == kind && o.Identifier == id && (o.From == nil) == (row.From == nil) && (row.From == nil || *o.From == *row.From)
					}) {
						e.identifiers = append(e.identifiers, row)
					}
					if m.IntN(2) == 0 {
						break
					}
				}
			}
		}
	}
	return e
}
