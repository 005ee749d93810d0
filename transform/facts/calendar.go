package facts

import (
	"math"
	"slices"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// calendar is the business days that facts/experiment_day has of an experiment: from its start to the night or, where that is
// earlier, to the last day in which the window of any unit could be open.
type calendar struct {
	first    table.Day
	days     int
	offset   int // of the first in the builder's days
	variants int
}

// count lists the days from the first experiment's start to the night.
func (b *builder) count() {
	b.first = b.Night
	for _, e := range b.Experiments {
		b.first = min(b.first, e.Start)
	}
	for day := b.first; day <= b.Night; day++ {
		b.starts = append(b.starts, day.Window(b.Zone).From.UnixMicro())
	}
	b.starts = append(b.starts, b.Night.Window(b.Zone).To.UnixMicro())
}

// day is the place of an instant's day; one outside is put to the nearest.
func (b *builder) day(at int64) int {
	place, found := slices.BinarySearch(b.starts, at)
	if !found {
		place--
	}
	return min(max(place, 0), len(b.starts)-2)
}

func (b *builder) calendar(e *trial) calendar {
	last := b.Night
	if e.End != nil {
		h, closes := b.horizon(e.Experiment), int64(math.MinInt64)
		for _, m := range e.measures {
			_, to := m.span.bounds(h.End - 1) // of the last exposure that there may be
			closes = max(closes, to)
		}
		last = min(last, max(*e.End, table.DayOf(table.Micros(closes-1).Time(), b.Zone)))
	}
	return calendar{first: e.Start, days: max(0, int(last-e.Start)+1), offset: int(e.Start - b.first), variants: len(e.Variants)}
}

// cells is how many pairs of a variant and a day there are.
func (c *calendar) cells() int { return c.variants * c.days }

// cell is the place of a variant and one of the builder's days, which is one of the experiment's.
func (c *calendar) cell(arm, day int32) int32 { return arm*int32(c.days) + day - int32(c.offset) }

// tellDays adds to the days what can only be said of a unit as a whole: when a unit's first event was, and when it first met a
// value.
func (b *builder) tellDays(v *view, at int, s *sheet, p part) {
	m := v.measures[at]
	onFirst := m.Type == metric.Proportion || m.Type == metric.Retention
	if !v.decides || !onFirst && m.Type != metric.CountDistinct {
		return
	}
	e := v.experiment
	days := &e.tally.days[at].value
	least, _ := p.units(v)
	for i := range s.blocks {
		if s.blocks[i].cells == nil {
			continue
		}
		of, base := &s.blocks[i], least+int32(i)*blockUnits
		tell := func(unit int32, first int64) {
			if arm := v.people[base+unit].arm; arm != none {
				days.AddInt(int(e.calendar.cell(arm, int32(b.day(first)))), 1)
			}
		}
		for unit := range len(of.cells) / of.measures {
			if c := of.cell(unit, at); onFirst && c.count() > 0 {
				first, _ := c.times(v.people[base+int32(unit)].first)
				tell(int32(unit), first)
			}
		}
		for unit, first := range of.sums[at].met.all() {
			tell(unit, first)
		}
	}
}

// emitDays emits what the units of each variant did on each day.
func (b *builder) emitDays(e *trial) error {
	n := e.calendar.days
	entered := make([]int64, e.calendar.cells())
	for _, v := range e.views {
		for _, p := range v.people {
			if v.decides && p.arm != none {
				entered[e.calendar.cell(p.arm, int32(b.day(p.first)))]++
			}
		}
	}
	for at, m := range e.measures {
		d := &e.tally.days[at]
		for variant := range e.Variants {
			units := int64(0)
			for day := range n {
				cell := variant*n + day
				units += entered[cell]
				row := table.ExperimentDayRow{Metric: m.Name, Variant: e.Variants[variant].Name, Day: e.calendar.first + table.Day(day),
					Entered: entered[cell], Units: units, Events: d.events[cell], Sum: d.value.At(cell)}
				if m.Type == metric.Count {
					row.Sum = float64(row.Events)
				}
				if m.Type == metric.Ratio {
					divisor := d.divisor.At(cell)
					row.Divisor = &divisor
				}
				if err := e.Day(&row); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
