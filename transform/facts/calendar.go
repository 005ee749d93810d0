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
	starts   []int64 // of the days, and the end of the last
	variants int
}

func newCalendar(e *trial, b *builder) calendar {
	last := b.Night
	if e.End != nil {
		h, closes := b.horizon(e.Experiment), int64(math.MinInt64)
		for _, m := range e.measures {
			_, to := m.span.bounds(h.End - 1) // of the last exposure that there may be
			closes = max(closes, to)
		}
		last = min(last, max(*e.End, table.DayOf(table.Micros(closes-1).Time(), b.Zone)))
	}
	c := calendar{first: e.Start, variants: len(e.Variants)}
	for day := e.Start; day <= last; day++ {
		c.starts = append(c.starts, day.Window(b.Zone).From.UnixMicro())
	}
	if len(c.starts) > 0 {
		c.starts = append(c.starts, last.Window(b.Zone).To.UnixMicro())
	}
	return c
}

// days is how many there are.
func (c *calendar) days() int { return max(0, len(c.starts)-1) }

// cells is how many pairs of a variant and a day there are.
func (c *calendar) cells() int { return c.variants * c.days() }

// cell is the place of a variant and the day of an instant, which lies in one of them.
func (c *calendar) cell(variant int32, at int64) int {
	day, found := slices.BinarySearch(c.starts, at)
	if !found {
		day--
	}
	return int(variant)*c.days() + day
}

// tellDays adds to the days what can only be said of a unit as a whole: when a unit's first event was, and when it first met a
// value.
func (b *builder) tellDays(v *view, at int, s sheet, p part) {
	m := v.measures[at]
	onFirst := m.Type == metric.Proportion || m.Type == metric.Retention
	if !v.decides || !onFirst && m.Type != metric.CountDistinct {
		return
	}
	e := v.experiment
	days := &e.tally.days[at].value
	from, to := p.units(v)
	for i, block := range s.blocks {
		if block == nil {
			continue
		}
		base := from + int32(i)*blockUnits
		for j := range min(blockUnits, to-base) {
			if n := &block[at].events[j]; onFirst && n.count > 0 && !v.left[base+j] {
				days.AddInt(e.calendar.cell(v.variant[base+j], n.first), 1)
			}
		}
		for met, first := range block[at].met {
			if unit := base + met.unit; !v.left[unit] {
				days.AddInt(e.calendar.cell(v.variant[unit], first), 1)
			}
		}
	}
}

// emitDays emits what the units of each variant did on each day.
func (b *builder) emitDays(e *trial) error {
	n := e.calendar.days()
	entered := make([]int64, e.calendar.cells())
	for _, v := range e.views {
		for unit, first := range v.first {
			if v.decides && !v.left[unit] {
				entered[e.calendar.cell(v.variant[unit], first)]++
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
