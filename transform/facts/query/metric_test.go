package query_test

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// Forms of windows; retention has days instead.
var forms = []string{"for", "until", "ended experiment", "open experiment", "days"}

// formsOf are those that a type of metric can have.
func formsOf(t metric.Type) []string {
	if t == metric.Retention {
		return []string{"days"}
	}
	return forms[:4]
}

// formOf is the form of a metric's window in an experiment.
func formOf(m *metric.Metric, e *experiment.Experiment) string {
	switch {
	case m.Days != nil:
		return "days"
	case m.Window.Until != nil:
		return "until"
	case m.Window.Whole && e.End != nil:
		return "ended experiment"
	case m.Window.Whole:
		return "open experiment"
	}
	return "for"
}

// operators are the operators, and the three ways to nest filters.
var operators = append([]string{"all", "any", "not"}, func() (names []string) {
	for _, o := range metric.Ops {
		names = append(names, string(o))
	}
	return names
}()...)

// sources are the tables with events of somebody, the one whose events name both an account and a device twice.
var sources = []*table.Table{table.Assignment, table.Exposure, table.WebEvent, table.Payment, table.Subscription, table.Invoice,
	table.CRMContact, table.ProductUser, table.ProductDevice, table.ProductLogin, table.ProductLogin, table.Viewing}

// metric makes a random metric of a type and a form of window, whose filters have some operators.
func (l *lake) metric(n int, of metric.Type, form string, operators []string) *metric.Metric {
	m := &metric.Metric{Name: fmt.Sprintf("metric_%d", n), Type: of}
	duration := func() metric.Duration { return one(l.r, durations...) }
	switch form {
	case "for":
		m.Window.For = duration()
	case "until":
		m.Window.Until = new(l.first + table.Day(3+l.r.IntN(days-3)))
	case "days":
		m.Days = &metric.Days{From: l.r.IntN(3)}
		m.Days.To = m.Days.From + l.r.IntN(3)
	default:
		m.Window.Whole = true
	}
	if of != metric.Retention && l.chance(0.4) {
		m.Delay = duration()
	}
	if of != metric.Retention && l.chance(0.4) {
		if m.LookBack = duration(); m.Window.For > 0 {
			m.LookBack = min(m.LookBack, m.Window.For)
		}
	}
	if l.chance(0.4) {
		m.PostingLag = duration()
	}
	if l.chance(0.5) {
		m.Covariate = duration()
	}
	if of == metric.Quantile {
		m.Quantile = 0.9
	}
	m.Source = l.source(m, operators)
	if of == metric.Ratio {
		m.Denominator = new(l.source(m, operators[:l.r.IntN(2)]))
	}
	if slices.Contains([]metric.Type{metric.Mean, metric.Count, metric.CountDistinct, metric.Ratio}, of) && l.chance(0.7) {
		m.Winsorise = l.winsorise(m)
	}
	if m.Unit == "" {
		m.Unit = "things"
	}
	if err := m.Validate(); err != nil {
		l.t.Fatalf("%v\n%+v", err, m)
	}
	return m
}

func (l *lake) winsorise(m *metric.Metric) *metric.Winsorise {
	w := &metric.Winsorise{}
	low, high := one(l.r, 0.000001, 1, 10, 50), one(l.r, 50, 66.666667, 90, 99.9)
	switch l.r.IntN(6) {
	case 0:
		w.Low = &metric.Bound{Percent: low}
	case 1:
		w.High = &metric.Bound{Percent: high}
	case 2:
		w.Low, w.High = &metric.Bound{Percent: low}, &metric.Bound{Percent: high}
	case 3:
		w.Low, w.High = &metric.Bound{Value: one(l.r, 0.5, 1.5)}, &metric.Bound{Value: one(l.r, 1.5, 1.5, 2, 300.25)}
	case 4:
		w.Low, w.High = &metric.Bound{Value: one(l.r, 0.5, 2)}, &metric.Bound{Percent: high}
	case 5:
		w.High = &metric.Bound{Value: 1.5}
	}
	// A sum that is 0 by cancelling is no clear 0 for an engine whose sums are not exact.
	if w.Low != nil && w.Low.Percent > 0 || w.High != nil && w.High.Percent > 0 {
		w.IgnoreZeros = m.Value.Column != "value" && l.chance(0.5)
	}
	return w
}

// What an event may count for: nothing, where events are counted; else a column of a type, or the same for each.
var (
	summed   = []string{"amounts", "converted amounts", "integers", "floats", "a constant"}
	distinct = []string{"string", "int", "identifier"}
)

// source is a random source of a metric's events, with a value where the type asks for one.
func (l *lake) source(m *metric.Metric, operators []string) metric.Source {
	kind := ""
	switch m.Type {
	case metric.Mean, metric.Quantile, metric.Ratio:
		kind = one(l.r, summed...)
	case metric.CountDistinct:
		kind = one(l.r, distinct...)
	}
	if kind == "amounts" && m.Currency != "" {
		kind = "converted amounts"
	} else if kind == "converted amounts" && m.Unit != "" && m.Currency == "" {
		kind = "amounts"
	}
	fits := func(c table.Column) bool {
		switch kind {
		case "amounts", "converted amounts":
			return c.Unit == "minor"
		case "integers", "int":
			return c.Type == table.Int && c.Unit != "minor"
		case "floats":
			return c.Type == table.Float
		}
		return c.Type.String() == kind
	}
	for {
		t := one(l.r, sources...)
		s := metric.Source{Table: t.Path()}
		switch values := columnsOf(t, fits); {
		case kind == "a constant":
			s.Value = metric.Value{Constant: one(l.r, 1, 0.1, -2.5), Given: true}
		case kind != "" && len(values) == 0:
			continue
		case kind != "":
			s.Value = metric.Value{Column: one(l.r, values...).Name, Given: true}
		}
		l.fill(t)
		s.Filter = append(l.filters(t, operators), l.currency(m, kind)...)
		return s
	}
}

// currency makes sure that amounts of several currencies are not added up: by a filter, or by converting them.
func (l *lake) currency(m *metric.Metric, kind string) []metric.Filter {
	switch kind {
	case "floats":
		return []metric.Filter{one(l.r, metric.Filter{Column: "currency", Op: metric.IsNull},
			metric.Filter{Column: "currency", Op: metric.Equal, Value: []string{"RUB"}})}
	case "amounts":
		m.Unit = "RUB minor"
		return []metric.Filter{{Column: "currency", Op: metric.In, Value: []string{"RUB"}}}
	case "converted amounts":
		l.fill(table.Rate)
		if m.Currency == "" {
			m.Currency = one(l.r, currencies...)
		}
		m.Unit = m.Currency + " minor"
	}
	return nil
}

// filters make one filter of most operators, which is not hard to meet, and one of what is left.
func (l *lake) filters(t *table.Table, operators []string) []metric.Filter {
	var all, any []metric.Filter
	for _, o := range operators {
		f, ok := l.filter(t, o)
		switch {
		case !ok:
		case l.chance(0.15):
			all = append(all, f)
		default:
			any = append(any, f)
		}
	}
	if len(any) > 1 {
		return append(all, metric.Filter{Any: any})
	}
	return append(all, any...)
}

// filter makes a test with an operator, where the table has a column that can be compared so.
func (l *lake) filter(t *table.Table, operator string) (f metric.Filter, ok bool) {
	leaf := func() metric.Filter {
		for {
			if f, ok := l.filter(t, string(one(l.r, metric.Ops...))); ok {
				return f
			}
		}
	}
	switch operator {
	case "all":
		return metric.Filter{All: []metric.Filter{leaf(), leaf()}}, true
	case "any":
		return metric.Filter{Any: []metric.Filter{leaf(), leaf()}}, true
	case "not":
		inner := &metric.Filter{Not: new(leaf())}
		if l.chance(0.3) {
			inner = &metric.Filter{Not: &metric.Filter{All: []metric.Filter{leaf(), *inner}}}
		}
		return *inner, true
	}
	op := metric.Op(operator)
	fits := columnsOf(t, func(c table.Column) bool {
		switch {
		case op == metric.IsNull:
			return c.Optional || l.chance(0.1)
		case c.Class == table.Pseudonym || c.Type == table.ID:
			return false
		case op == metric.HasPrefix:
			return c.Type == table.String
		}
		return c.Type != table.Bool || slices.Contains([]metric.Op{metric.Equal, metric.NotEqual, metric.In}, op)
	})
	if len(fits) == 0 {
		return f, false
	}
	c := one(l.r, fits...)
	f = metric.Filter{Column: c.Name, Op: op}
	operand := func() string { return written(l.value(c)) }
	switch op {
	case metric.IsNull:
	case metric.In:
		for range 1 + l.r.IntN(3) {
			f.Value = append(f.Value, operand())
		}
	case metric.Between:
		f.Value = l.ordered(c)
	case metric.HasPrefix:
		letters := []rune(operand())
		f.Value = []string{string(letters[:1+l.r.IntN(len(letters))])}
	default:
		f.Value = []string{operand()}
	}
	return f, true
}

// ordered are two operands, the lower first.
func (l *lake) ordered(c table.Column) []string {
	a, b := l.value(c), l.value(c)
	if below(b, a) {
		a, b = b, a
	}
	return []string{written(a), written(b)}
}

// below compares two values of one type.
func below(a, b any) bool {
	switch a := a.(type) {
	case int64:
		return a < b.(int64)
	case float64:
		return a < b.(float64)
	case table.Micros:
		return a < b.(table.Micros)
	}
	return a.(string) < b.(string)
}

// written is a value as definitions have it.
func written(v any) string {
	switch v := v.(type) {
	case table.Micros:
		return v.Time().Format(time.RFC3339Nano)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

func columnsOf(t *table.Table, fits func(table.Column) bool) []table.Column {
	return slices.DeleteFunc(slices.Clone(t.Columns), func(c table.Column) bool { return !fits(c) })
}

// operatorsIn lists the operators of filters.
func operatorsIn(filters []metric.Filter) (names []string) {
	for _, f := range filters {
		switch {
		case f.All != nil:
			names = append(append(names, "all"), operatorsIn(f.All)...)
		case f.Any != nil:
			names = append(append(names, "any"), operatorsIn(f.Any)...)
		case f.Not != nil:
			names = append(append(names, "not"), operatorsIn([]metric.Filter{*f.Not})...)
		default:
			names = append(names, string(f.Op))
		}
	}
	return names
}
