package facts_test

import (
	"cmp"
	"math"
	"slices"

	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/transform/facts"
)

// output is what is made of an experiment.
type output struct {
	units      []table.UnitMetricRow
	days       []table.ExperimentDayRow
	exclusions []table.ExclusionRow
	failed     bool
}

// belongs are the events of a table that are a unit's, whose filters hold and that have a value.
func (w *world) belongs(e *trial, stitching string, s *metric.Source) map[identifier.ID][]event {
	t := table.Named(s.Table)
	list := map[identifier.ID][]event{}
	for _, x := range w.read(t) {
		if !meets(t, x.row, metric.Filter{All: append([]metric.Filter{}, s.Filter...)}) && len(s.Filter) > 0 {
			continue
		}
		if s.Value.Column != "" && value(t, x.row, s.Value.Column) == nil {
			continue
		}
		if unit, ok := w.owner(e, stitching, x); ok {
			list[unit] = append(list[unit], x)
		}
	}
	return list
}

// counted splits events in [from, to) into those that count and those that one thing keeps out.
func (w *world) counted(s *metric.Source, events []event, from, to table.Micros) (in []event, future, negative int64) {
	for _, x := range events {
		late := x.at >= w.end()
		of, _ := x.table.Column(s.Value.Column)
		below := of.Unit == "minor" && value(x.table, x.row, s.Value.Column).(int64) < 0
		switch {
		case x.at < from || x.at >= to || late && below:
		case late:
			future++
		case below:
			negative++
		default:
			in = append(in, x)
		}
	}
	return in, future, negative
}

// reference makes an experiment's facts row by row.
func (w *world) reference(e *trial) (o output) {
	for _, m := range e.metrics {
		for _, stitching := range facts.Stitchings(e.Experiment, m) {
			var rows []table.UnitMetricRow
			excluded := map[[2]string]int64{}
			perDay := map[string]map[table.Day][]event{} // by variant, and those of the denominator with "/"
			firsts := map[string]map[table.Day]int64{}
			above := w.belongs(e, stitching, &m.Source)
			var below map[identifier.ID][]event
			if m.Denominator != nil {
				below = w.belongs(e, stitching, m.Denominator)
			}
			for _, u := range e.units {
				if u.Stitching != stitching {
					continue
				}
				first := u.FirstExposedAt
				from, to, matured := m.Bounds(int64(first), w.horizon(e))
				before := first - table.Micros(m.Covariate.Duration().Microseconds())
				row := table.UnitMetricRow{Metric: m.Name, Stitching: stitching, Unit: u.Unit, Matured: matured <= int64(w.end())}
				sum := func(s *metric.Source, events []event) float64 {
					x, rated := w.aggregate(m, s, events)
					o.failed = o.failed || !rated
					return x
				}
				side := func(s *metric.Source, events []event) (inside, earlier []event) {
					inside, future, negative := w.counted(s, events, table.Micros(from), table.Micros(to))
					earlier, _, _ = w.counted(s, events, before, first)
					if s == &m.Source || s.Table != m.Table {
						excluded[[2]string{s.Table, table.InFuture}] += future
						excluded[[2]string{s.Table, table.NegativeMoney}] += negative
						begins := table.Micros(math.MaxInt64)
						for day := range w.events[table.Named(s.Table)] {
							begins = min(begins, table.MicrosOf(day.Window(w.zone).From))
						}
						if m.Covariate > 0 && before < begins {
							excluded[[2]string{s.Table, table.CovariateBeforeData}]++
						}
						if table.Micros(from) < begins {
							excluded[[2]string{s.Table, table.WindowBeforeData}]++
						}
					}
					return inside, earlier
				}
				tell := func(variant string, events []event) {
					if u.Crossover && e.Crossover == experiment.Exclude {
						return
					}
					if perDay[variant] == nil {
						perDay[variant], firsts[variant] = map[table.Day][]event{}, map[table.Day]int64{}
					}
					slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
					met := map[any]bool{}
					for i, x := range events {
						day := table.DayOf(x.at.Time(), w.zone)
						perDay[variant][day] = append(perDay[variant][day], x)
						switch m.Type {
						case metric.Proportion, metric.Retention:
							if i == 0 {
								firsts[variant][day]++
							}
						case metric.CountDistinct:
							if v := value(x.table, x.row, m.Value.Column); !met[v] {
								met[v] = true
								firsts[variant][day]++
							}
						}
					}
				}
				inside, earlier := side(&m.Source, above[u.Unit])
				row.Sum, row.Count = sum(&m.Source, inside), int64(len(inside))
				for _, x := range inside {
					if row.FirstAt == nil || x.at < *row.FirstAt {
						row.FirstAt = &x.at
					}
					if row.LastAt == nil || x.at > *row.LastAt {
						row.LastAt = &x.at
					}
				}
				row.Received = u.ReceivedAt != nil && (row.FirstAt == nil || *u.ReceivedAt <= *row.FirstAt)
				if m.Covariate > 0 {
					x := sum(&m.Source, earlier)
					row.Covariate = &x
				}
				tell(u.Variant, inside)
				if m.Denominator != nil {
					inside, earlier := side(m.Denominator, below[u.Unit])
					x, y := sum(m.Denominator, inside), sum(m.Denominator, earlier)
					if row.Divisor = &x; m.Covariate > 0 {
						row.Before = &y
					}
					tell(u.Variant+"/", inside)
				}
				rows = append(rows, row)
			}
			winsorise(m, rows)
			o.units = append(o.units, rows...)
			if stitching != table.AsOfExposure {
				continue
			}
			for key, n := range excluded {
				if n > 0 {
					o.exclusions = append(o.exclusions, table.ExclusionRow{Metric: m.Name, Table: key[0], Reason: key[1], Rows: n})
				}
			}
			o.days = append(o.days, w.days(e, m, perDay, firsts)...)
		}
	}
	return o
}

// days are the rows of facts/experiment_day.
func (w *world) days(e *trial, m *metric.Metric, perDay map[string]map[table.Day][]event, firsts map[string]map[table.Day]int64) (rows []table.ExperimentDayRow) {
	last := w.night
	if e.End != nil { // the last window of all metrics has closed by then
		closes := int64(math.MinInt64)
		for _, m := range e.metrics {
			_, to, _ := m.Bounds(int64(table.MicrosOf(e.End.Window(w.zone).To))-1, w.horizon(e))
			closes = max(closes, to)
		}
		last = min(last, max(*e.End, table.DayOf(table.Micros(closes-1).Time(), w.zone)))
	}
	for _, v := range e.Variants {
		for day := e.Start; day <= last; day++ {
			row := table.ExperimentDayRow{Metric: m.Name, Variant: v.Name, Day: day}
			for _, u := range e.units {
				if u.Stitching != table.AsOfExposure || u.Variant != v.Name || u.Crossover && e.Crossover == experiment.Exclude {
					continue
				}
				switch entered := table.DayOf(u.FirstExposedAt.Time(), w.zone); {
				case entered == day:
					row.Entered++
					fallthrough
				case entered < day:
					row.Units++
				}
			}
			events := perDay[v.Name][day]
			row.Events = int64(len(events))
			switch m.Type {
			case metric.Proportion, metric.Retention, metric.CountDistinct:
				row.Sum = float64(firsts[v.Name][day])
			default:
				row.Sum, _ = w.aggregate(m, &m.Source, events)
			}
			if m.Denominator != nil {
				x, _ := w.aggregate(m, m.Denominator, perDay[v.Name+"/"][day])
				row.Divisor = &x
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// winsorise bounds the values of one metric and stitching.
func winsorise(m *metric.Metric, rows []table.UnitMetricRow) {
	if m.Winsorise == nil {
		return
	}
	var values []float64
	for _, row := range rows {
		if row.Sum != 0 || !m.Winsorise.IgnoreZeros {
			values = append(values, row.Sum)
		}
	}
	slices.Sort(values)
	bound := func(b *metric.Bound) *float64 {
		switch {
		case b == nil, b.Percent > 0 && len(values) == 0:
			return nil
		case b.Percent == 0:
			return &b.Value
		}
		return &values[max(1, (int(math.Round(b.Percent*1e6))*len(values)+1e8-1)/1e8)-1]
	}
	low, high := bound(m.Winsorise.Low), bound(m.Winsorise.High)
	for i := range rows {
		before := rows[i].Sum
		rows[i].Uncapped = &before
		if low != nil {
			rows[i].Sum = max(rows[i].Sum, *low)
		}
		if high != nil {
			rows[i].Sum = min(rows[i].Sum, *high)
		}
	}
}
