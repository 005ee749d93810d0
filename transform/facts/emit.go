package facts

import (
	"fmt"
	"math"
	"slices"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// worth is a unit's value before winsorising.
func (m *measure) worth(b *block, unit, at int) float64 {
	switch m.Type {
	case metric.Proportion, metric.Retention:
		return float64(min(b.cell(unit, at).count(), 1))
	case metric.Count:
		return float64(b.cell(unit, at).count())
	}
	return b.total(unit, at)
}

// worthBefore is its value before the first exposure.
func (m *measure) worthBefore(s *sums, unit int) float64 {
	x := s.covariate.At(unit)
	if m.Type == metric.Proportion || m.Type == metric.Retention {
		return min(x, 1)
	}
	return x
}

// settle counts the different values that units have met.
func (s *sums) settle() {
	for unit := range s.met.all() {
		s.value.AddInt(int(unit), 1)
	}
	for unit := range s.metBefore.all() {
		s.covariate.AddInt(int(unit), 1)
	}
	s.met, s.metBefore = meetings{}, meetings{}
}

// each goes through a measure's sums of all units of a part, of which those without an event are blank.
func (v *view) each(at int, s *sheet, p part, do func(unit int32, b *block, place int) error) error {
	from, to := p.units(v)
	blank := newSheet(1, len(v.measures)).open(0)
	for unit := from; unit < to; unit++ {
		of, place := blank, 0
		if b := &s.blocks[(unit-from)/blockUnits]; b.cells != nil {
			of, place = b, int(unit-from)%blockUnits
			if place == 0 {
				of.sums[at].settle()
			}
		}
		if err := do(unit, of, place); err != nil {
			return err
		}
	}
	return nil
}

// emit emits a measure's rows of the units of a part.
func (v *view) emit(at int, s *sheet, p part, end int64) error {
	m := v.measures[at]
	capped := m.capped()
	var low, high float64
	if capped {
		if m.ranked && p.of == 1 {
			v.collect(at, s, p)
		}
		low, high = m.caps(v.values[at])
	}
	var first, last table.Micros
	var uncapped, divisor, covariate, before float64
	row := &table.UnitMetricRow{Metric: m.Name, Stitching: v.stitching}
	return v.each(at, s, p, func(unit int32, b *block, place int) error {
		c, s := b.cell(place, at), &b.sums[at]
		row.Unit, row.Sum, row.Count, row.FirstAt, row.LastAt = v.ids[unit], m.worth(b, place, at), int64(c.count()), nil, nil
		row.Received, row.Matured = v.received[unit] != never, m.span.maturity(v.people[unit].first) <= end
		if row.Count > 0 {
			from, to := c.times(v.people[unit].first)
			first, last = table.Micros(from), table.Micros(to)
			row.FirstAt, row.LastAt, row.Received = &first, &last, v.received[unit] <= from
		}
		if capped {
			uncapped = row.Sum
			row.Uncapped, row.Sum = &uncapped, min(max(row.Sum, low), high)
		}
		if m.denominator != nil {
			divisor = s.divisor.At(place)
			row.Divisor = &divisor
		}
		if m.span.covariate > 0 {
			covariate = m.worthBefore(s, place)
			row.Covariate = &covariate
			if m.denominator != nil {
				before = s.before.At(place)
				row.Before = &before
			}
		}
		if slices.ContainsFunc([]float64{row.Sum, divisor, covariate, before}, math.IsNaN) {
			return fmt.Errorf("metric %s: a sum of values that are not finite: leave them out by a filter", m.Name)
		}
		return v.experiment.Unit(row)
	})
}
