package facts

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// worth is a unit's value before winsorising.
func (m *measure) worth(d *did, at int) float64 {
	value := &d.block.sums[at].value
	switch {
	case m.Type == metric.Proportion || m.Type == metric.Retention:
		return float64(min(d.cell.count(), 1))
	case m.Type == metric.Count:
		return float64(d.cell.count())
	case value.Empty():
		return float64(d.cell.sum)
	}
	if c := d.block.cell(d.place, at); c.sum != 0 {
		value.AddInt(d.place, c.sum)
		c.sum = 0
	}
	return value.At(d.place)
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
func (s *sheet) settle(at int) {
	for i := range s.blocks {
		if s.blocks[i].cells == nil {
			continue
		}
		of := &s.blocks[i].sums[at]
		for unit := range of.met.all() {
			of.value.AddInt(int(unit), 1)
		}
		for unit := range of.metBefore.all() {
			of.covariate.AddInt(int(unit), 1)
		}
		of.met, of.metBefore = meetings{}, meetings{}
	}
}

// did is what a unit did by a measure.
type did struct {
	at    int    // the unit's place among ids
	block *block // blank where no event has come to it
	place int    // in the block
	cell  cell

	divisor, covariate, before float64 // of measures that have them
}

// each goes through a measure's sums of all units of a part, in the order of their ids. Cells are brought into it first: to write
// each where it belongs among those of one measure takes a fraction of reading each from where it lies among those of all.
func (v *view) each(at int, s *sheet, p part, do func(*did) error) error {
	from, to := p.units(v)
	e := v.experiment
	e.cells = slices.Grow(e.cells[:0], s.units)[:s.units]
	clear(e.cells)
	for i := range s.blocks {
		if of := &s.blocks[i]; of.cells != nil {
			for place, rank := range s.ranks[i*blockUnits : i*blockUnits+len(of.cells)/of.measures] {
				e.cells[rank] = *of.cell(place, at)
			}
		}
	}
	blank, cells := newSheet(1, len(v.measures)).open(0), e.cells
	var few [batch]did
	for base := 0; base < len(v.numbers); base += len(few) {
		n := 0
		for i, number := range v.numbers[base:min(base+len(few), len(v.numbers))] {
			if number < from || number >= to {
				continue
			}
			d, unit := &few[n], number-from
			d.at, d.block, d.place, d.cell = base+i, &s.blocks[unit/blockUnits], int(unit%blockUnits), cells[n]
			if n++; d.block.cells == nil {
				d.block, d.place = blank, 0
			}
		}
		cells = cells[n:]
		v.measures[at].fetch(at, few[:n])
		for i := range few[:n] {
			if err := do(&few[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// fetch adds what lies elsewhere than in cells.
func (m *measure) fetch(at int, few []did) {
	if m.denominator != nil {
		for i := range few {
			d := &few[i]
			d.divisor = d.block.sums[at].divisor.At(d.place)
		}
	}
	if m.span.covariate > 0 {
		for i := range few {
			d := &few[i]
			d.covariate = m.worthBefore(&d.block.sums[at], d.place)
		}
	}
	if m.span.covariate > 0 && m.denominator != nil {
		for i := range few {
			d := &few[i]
			d.before = d.block.sums[at].before.At(d.place)
		}
	}
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
	var uncapped float64
	row := &table.UnitMetricRow{Metric: m.Name, Stitching: v.stitching}
	return v.each(at, s, p, func(d *did) error {
		exposed := &v.exposures[d.at]
		row.Unit, row.Sum, row.Count, row.FirstAt, row.LastAt = v.ids[d.at], m.worth(d, at), int64(d.cell.count()), nil, nil
		row.Received, row.Matured = exposed.received != never, m.span.maturity(exposed.first) <= end
		if row.Count > 0 {
			from, to := d.cell.times(exposed.first)
			first, last = table.Micros(from), table.Micros(to)
			row.FirstAt, row.LastAt, row.Received = &first, &last, exposed.received <= from
		}
		if capped {
			uncapped = row.Sum
			row.Uncapped, row.Sum = &uncapped, min(max(row.Sum, low), high)
		}
		if m.denominator != nil {
			row.Divisor = &d.divisor
		}
		if m.span.covariate > 0 {
			row.Covariate = &d.covariate
			if m.denominator != nil {
				row.Before = &d.before
			}
		}
		if math.IsNaN(row.Sum) || math.IsNaN(d.divisor) || math.IsNaN(d.covariate) || math.IsNaN(d.before) {
			return fmt.Errorf("metric %s: a sum of values that are not finite: leave them out by a filter", m.Name)
		}
		return v.experiment.Unit(row)
	})
}

// inOrder calls do for all measures of all views, in the order of the table of facts.
func (e *trial) inOrder(do func(v *view, at int) error) error {
	type one struct {
		view *view
		at   int
	}
	var all []one
	for _, v := range e.views {
		for at := range v.measures {
			all = append(all, one{v, at})
		}
	}
	slices.SortFunc(all, func(x, y one) int {
		return cmp.Or(cmp.Compare(x.view.measures[x.at].Name, y.view.measures[y.at].Name), cmp.Compare(x.view.stitching, y.view.stitching))
	})
	for _, o := range all {
		if err := do(o.view, o.at); err != nil {
			return err
		}
	}
	return nil
}
