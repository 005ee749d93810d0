package metric

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"crosslift/schemas/money"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// minor is the unit of columns with money.
const minor = "minor"

// checkUnit fills in what the metric is measured in, or checks it, and makes sure that amounts of different currencies are
// never added up. The tables are those of the numerator and of a ratio's denominator.
func (m *Metric) checkUnit(t, of *table.Table) error {
	upper, err := m.currency(&m.Source, t)
	lower := ""
	if of != nil {
		var wrong error
		lower, wrong = m.currency(m.Denominator, of)
		err = errors.Join(err, strictyaml.At("denominator", wrong))
	}
	if err != nil {
		return err
	}
	wrong := func(field, format string, args ...any) error {
		return strictyaml.At(field, fmt.Errorf(format, args...))
	}
	if m.Currency != "" {
		if _, err := money.Exponent(m.Currency); err != nil {
			return strictyaml.At("currency", fmt.Errorf("%q: %w", m.Currency, err))
		}
		if upper == "" && lower == "" {
			return wrong("currency", "only of values that are money in minor units")
		}
	}
	switch {
	case upper != "" && lower != "" && upper != lower:
		return wrong("denominator.filter", "%s cannot be divided by %s: expected one currency, or currency: %s to convert to", upper, lower, upper)
	case upper != "" && lower == "":
		expected := upper + " " + minor
		if m.Unit == "" {
			m.Unit = expected
		}
		if m.Unit != expected && !(of != nil && strings.HasPrefix(m.Unit, expected+" ")) {
			return wrong("unit", "%s is money, here in minor units of %s: expected %s", m.Value.Column, upper, expected)
		}
	case m.Unit != "":
	case m.Type == Proportion, m.Type == Retention, upper != "":
		m.Unit = "share"
	case m.Type == Count:
		m.Unit = "events"
	case m.Type == CountDistinct:
		m.Unit = m.Value.Column
	default:
		return wrong("unit", "required: what it is measured in, as seconds")
	}
	return nil
}

// currency is the currency of a source's sums; "" where they are not money.
func (m *Metric) currency(s *Source, t *table.Table) (string, error) {
	value, _ := t.Column(s.Value.Column)
	at := slices.IndexFunc(t.Columns, func(c table.Column) bool { return c.Unit == "currency" })
	if at < 0 || m.Type == CountDistinct || !number(value) || s.Value.Column == "" {
		return "", nil
	}
	code := t.Columns[at].Name
	if value.Unit != minor {
		if len(pinned(code, s.Filter)) > 0 || without(code, s.Filter) {
			return "", nil
		}
		return "", strictyaml.At("value", fmt.Errorf("%s may be money in several currencies: expected a filter {column: %s, op: =, value: RUB}, or {column: %s, op: is null}",
			value.Name, code, code))
	}
	if m.Currency != "" {
		return m.Currency, nil
	}
	likely, _, _ := strings.Cut(m.Unit, " "+minor)
	pins := pinned(code, s.Filter)
	switch {
	case slices.Contains(pins, likely):
		return likely, nil
	case len(pins) > 0:
		return pins[0], nil
	}
	if _, err := money.Exponent(likely); err != nil {
		likely = "RUB"
	}
	return "", strictyaml.At("value", fmt.Errorf("%s is money in several currencies: expected a filter {column: %s, op: =, value: %s}, or currency: %s, to convert them by raw/rate",
		value.Name, code, likely, likely))
}

// pinned are the values that filters leave a column only one of; several, where no row can meet them all.
func pinned(column string, filters []Filter) (values []string) {
	for _, f := range filters {
		if f.Column == column && (f.Op == Equal || f.Op == In) && len(slices.Compact(slices.Clone(f.Value))) == 1 {
			values = append(values, f.Value[0])
		}
		values = append(values, pinned(column, f.All)...)
	}
	return values
}

// without reports whether filters leave only rows without a value in a column.
func without(column string, filters []Filter) bool {
	return slices.ContainsFunc(filters, func(f Filter) bool {
		return f.Column == column && f.Op == IsNull || without(column, f.All)
	})
}
