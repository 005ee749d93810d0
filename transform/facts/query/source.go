package query

import (
	"fmt"
	"slices"
	"strings"

	"crosslift/schemas/metric"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// source is where events come from, and what each of them counts for.
type source struct {
	prefix string // of the names of its table expressions
	table  *table.Table
	filter []metric.Filter
	value
}

// value is what an event counts for.
type value struct {
	column   table.Column // where there is one
	given    bool         // there is
	constant float64      // where there is none
	currency string       // the column of an amount's currency, where it is converted
}

// prepare finds the tables and columns that the metric names, and checks what SQL cannot be written of without.
func (w *writer) prepare() error {
	m := w.Metric
	if err := w.add("", m.Source); err != nil {
		return err
	}
	if m.Type == metric.Ratio {
		if err := w.add("denominator_", *m.Denominator); err != nil {
			return fmt.Errorf("denominator: %w", err)
		}
	}
	if m.Currency != "" {
		if _, err := money.Exponent(m.Currency); err != nil {
			return fmt.Errorf("currency: %w", err)
		}
	}
	return nil
}

func (w *writer) add(prefix string, of metric.Source) error {
	s := source{prefix: prefix, table: table.Named(of.Table), filter: of.Filter, value: value{constant: 1}}
	if s.table == nil {
		return fmt.Errorf("there is no table %s", of.Table)
	}
	if err := metric.CheckFilters(s.table, of.Filter); err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	switch {
	case of.Value.Column != "":
		if s.column, s.given = s.table.Column(of.Value.Column); !s.given {
			return fmt.Errorf("%s has no column %q", s.table, of.Value.Column)
		}
	case of.Value.Given:
		s.constant = of.Value.Constant
	}
	if i := slices.IndexFunc(s.table.Columns, func(c table.Column) bool { return c.Unit == "currency" }); i >= 0 && s.money() && w.Metric.Currency != "" {
		s.currency = s.table.Columns[i].Name
	}
	w.sources = append(w.sources, s)
	return nil
}

// source writes how the events of a source become a number a unit.
func (w *writer) source(s source) {
	w.events(s)
	w.owned(s)
	w.counted(s)
	if s.currency != "" {
		w.converted(s)
	}
	w.summed(s)
}

// money says that an event counts for an amount of money.
func (v value) money() bool { return v.given && v.column.Unit == "minor" }

// columns are what is carried of an event.
func (v value) columns() []string {
	columns := []string{"happened_at"}
	if v.given {
		columns = append(columns, "value")
	}
	if v.currency != "" {
		columns = append(columns, "currency")
	}
	return columns
}

// conditions are what an event needs to count at all, besides the filter.
func (v value) conditions() string {
	switch {
	case v.money():
		return v.column.Name + " >= 0 -- money that is not negative"
	case v.given && v.column.Optional:
		return v.column.Name + " IS NOT NULL"
	}
	return ""
}

// events writes the rows that meet the filter, whosever they are. A table of changes has each of its rows once, as it was
// changed last.
func (w *writer) events(s source) {
	t := s.table
	var selected []string
	for _, name := range []string{"account", device} {
		if _, ok := t.Column(name); ok {
			selected = append(selected, name)
		}
	}
	selected = append(selected, as(t.Occurred, "happened_at"))
	if s.given {
		selected = append(selected, as(s.column.Name, "value"))
	}
	if s.currency != "" {
		selected = append(selected, as(s.currency, "currency"))
	}
	from, until := w.raw(t)
	switch {
	case !w.Exists(t):
		from, until = w.nothing(t), ""
	case t.Kind == table.Change:
		if !w.written[t.Name] {
			w.with(t.Name, "each as it was changed last",
				"SELECT * FROM "+from, where(until),
				"QUALIFY row_number() OVER (PARTITION BY source_id ORDER BY "+t.EventTime+" DESC) = 1")
		}
		from, until = t.Name, ""
	}
	conditions := []string{until, t.Occurred + " < " + instant(w.end) + " -- the end of " + w.Night.String(), s.conditions()}
	for _, f := range s.filter {
		conditions = append(conditions, condition(t, f))
	}
	w.with(s.prefix+"events", "what counts, whosever it is", "SELECT "+strings.Join(selected, ", "), "FROM "+from, where(conditions...))
}

// as writes a column under the name that the rest of the query knows it by.
func as(column, name string) string {
	if column == name {
		return column
	}
	return column + " AS " + name
}

// nothing writes a table of which the lake has no day.
func (w *writer) nothing(t *table.Table) string {
	types := map[table.Type]string{
		table.String: "VARCHAR", table.Int: "BIGINT", table.Float: "DOUBLE", table.Bool: "BOOLEAN",
		table.Timestamp: "TIMESTAMPTZ", table.ID: "UUID", table.Date: "DATE",
	}
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = "NULL::" + types[c.Type] + " AS " + c.Name
	}
	return "(SELECT " + strings.Join(columns, ", ") + " WHERE false) -- the lake has no " + t.Path()
}

// counted writes the events in the windows of their units.
func (w *writer) counted(s source) {
	selected, inside := append([]string{"stitching", "unit_id"}, s.columns()...), "happened_at >= opens AND happened_at < closes"
	says := "those inside the window of their unit"
	if before := w.Metric.Covariate; before > 0 {
		selected = append(selected, "happened_at < first_exposed_at AS before")
		inside += "\n  OR happened_at >= earlier AND happened_at < first_exposed_at"
		says += ", or in the " + before.String() + " before its first exposure"
	}
	w.with(s.prefix+"counted", says, "SELECT "+strings.Join(selected, ", "), "FROM "+s.prefix+"owned JOIN units USING (stitching, unit_id)", "WHERE "+inside)
}

// summed writes what a unit's events come to.
func (w *writer) summed(s source) {
	from, within, before := s.prefix+"counted", "", ""
	if s.currency != "" {
		from = s.prefix + "converted"
	}
	if w.Metric.Covariate > 0 {
		within, before = " FILTER (NOT before)", " FILTER (before)"
	}
	total, covariate, events := "denominator", "covariate_denominator", ""
	if s.prefix == "" {
		total, covariate = "total", "covariate"
		events = "  count(*)" + within + " AS count, min(happened_at)" + within + " AS first_at, max(happened_at)" + within + " AS last_at,"
	}
	totals := "  " + s.total(w.Metric.Type, within) + " AS " + total
	if before != "" {
		totals += ", " + s.total(w.Metric.Type, before) + " AS " + covariate
	}
	w.with(s.prefix+"summed", "what a unit's events come to", "SELECT stitching, unit_id,", events, totals, "FROM "+from, "GROUP BY ALL")
}

// total writes the aggregate of events that makes a unit's value. fsum loses less than sum does of floats.
func (v value) total(of metric.Type, filter string) string {
	count := "count(*)" + filter
	switch {
	case of == metric.Proportion || of == metric.Retention:
		return "least(" + count + ", 1)"
	case of == metric.CountDistinct:
		return "count(DISTINCT value)" + filter
	case of == metric.Count || !v.given && v.constant == 1:
		return count
	case !v.given:
		return number(v.constant) + "::DOUBLE * " + count
	case v.column.Type == table.Int && v.currency == "":
		return "sum(value)" + filter
	}
	return "fsum(value)" + filter
}
