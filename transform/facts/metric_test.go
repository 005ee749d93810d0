package facts_test

import (
	"time"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

func hours(n int) metric.Duration { return metric.Duration(time.Duration(n) * time.Hour) }

// metric draws a metric of any type and window.
func (m *maker) metric(name string) *metric.Metric {
	d := &metric.Metric{Name: name, Type: oneOf(m, metric.Proportion, metric.Count, metric.Mean, metric.Ratio, metric.CountDistinct, metric.Retention, metric.Quantile)}
	d.Source = m.source(d)
	if d.Type == metric.Ratio {
		d.Denominator = new(m.source(d))
	}
	if d.Type == metric.Retention {
		d.Days = &metric.Days{From: m.IntN(2), To: 1 + m.IntN(2)}
	} else {
		d.Delay, d.LookBack = maybe(m, maybe(m, hours(4*m.IntN(6)))), maybe(m, maybe(m, hours(4*m.IntN(20))))
		switch m.IntN(4) {
		case 0:
			d.Window.Until = new(m.first + table.Day(m.IntN(5)-1))
		case 1:
			d.Window.Whole = true
		default:
			d.Window.For = hours(4 * (1 + m.IntN(18)))
		}
	}
	d.PostingLag, d.Covariate = maybe(m, hours(m.IntN(48))), maybe(m, hours(4*m.IntN(18)))
	if m.IntN(2) == 0 && d.Type != metric.Proportion && d.Type != metric.Retention && d.Type != metric.Quantile {
		d.Winsorise = &metric.Winsorise{IgnoreZeros: m.IntN(2) == 0}
		switch m.IntN(3) {
		case 0:
			d.Winsorise.High = &metric.Bound{Percent: oneOf(m, 50, 99.9, 33.333333)}
		case 1:
			d.Winsorise.Low, d.Winsorise.High = &metric.Bound{Percent: 25}, &metric.Bound{Percent: 75}
		case 2:
			d.Winsorise.Low, d.Winsorise.High = &metric.Bound{Value: 1}, &metric.Bound{Value: 2}
		}
	}
	return d
}

func (m *maker) source(d *metric.Metric) metric.Source {
	s := metric.Source{Table: oneOf(m, "raw/viewing", "raw/payment", "raw/web_event", "raw/product_user")}
	column := func(names ...string) { s.Value = metric.Value{Given: true, Column: oneOf(m, names...)} }
	sums := d.Type == metric.Mean || d.Type == metric.Quantile || d.Type == metric.Ratio
	filters := map[string][]metric.Filter{
		"raw/viewing":      {{Column: "title", Op: metric.HasPrefix, Value: metric.Operands{"a"}}, {Column: "seconds", Op: metric.More, Value: metric.Operands{"1000"}}, {Column: "device", Op: metric.IsNull}},
		"raw/payment":      {{Column: "status", Op: metric.Equal, Value: metric.Operands{"succeeded"}}, {Not: &metric.Filter{Column: "plan", Op: metric.In, Value: metric.Operands{"month", "year"}}}},
		"raw/web_event":    {{Column: "value", Op: metric.Between, Value: metric.Operands{"0", "1"}}, {Any: []metric.Filter{{Column: "platform", Op: metric.IsNull}, {Column: "event_name", Op: metric.NotEqual, Value: metric.Operands{"open"}}}}},
		"raw/product_user": {{Column: "deleted", Op: metric.Equal, Value: metric.Operands{"false"}}},
	}[s.Table]
	for _, f := range filters {
		if m.IntN(3) == 0 {
			s.Filter = append(s.Filter, f)
		}
	}
	if sums {
		switch {
		case m.IntN(4) == 0, s.Table == "raw/product_user":
			s.Value = metric.Value{Given: true, Constant: oneOf(m, 1, 2.5, 1.0/3, -4)}
		case s.Table == "raw/viewing":
			column("seconds")
		case s.Table == "raw/web_event":
			column("value")
		default:
			if column("amount_minor"); m.IntN(2) == 0 {
				d.Currency = oneOf(m, "RUB", "RUB", "RUB", "EUR")
			}
		}
	}
	if d.Type == metric.CountDistinct {
		switch s.Table {
		case "raw/viewing":
			column("title", "device", "seconds")
		case "raw/payment":
			column("plan", "currency")
		case "raw/web_event":
			column("session_id", "platform", "device")
		default:
			column("account", "country")
		}
	}
	return s
}
