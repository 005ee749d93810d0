package metric

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// lastDay is the greatest day that retention may be asked of.
const lastDay = 3650

// Validate fills in defaults and checks the definition against the contracts of its tables.
func (m *Metric) Validate() error {
	return errors.Join(strictyaml.At("name", CheckName(m.Name)), m.checkType(), m.checkWindow(), m.checkWinsorise(),
		m.checkDirection(), m.checkSources())
}

func (m *Metric) checkType() error {
	switch {
	case m.Type == "":
		return strictyaml.At("type", fmt.Errorf("required: one of %s", listed(Types)))
	case !slices.Contains(Types, m.Type):
		return strictyaml.At("type", fmt.Errorf("%q: %s", string(m.Type), strictyaml.Suggest(string(m.Type), names(Types))))
	case m.Type == Quantile && !(m.Quantile > 0 && m.Quantile < 1):
		return strictyaml.At("quantile", errors.New("required: above 0 and below 1, as 0.9"))
	case m.Type != Quantile && m.Quantile != 0:
		return strictyaml.At("quantile", errors.New("only of type: quantile"))
	}
	return nil
}

func (m *Metric) checkWindow() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, strictyaml.At(field, fmt.Errorf(format, args...)))
	}
	if m.Type != Retention {
		switch {
		case m.Days != nil:
			wrong("days", "only of type: retention; others have a window")
		case m.Window == Window{}:
			wrong("window", "required: how long events count from the first exposure on, as 30d, 12h, until 2026-11-30 or experiment")
		case m.Window.For > 0 && m.LookBack > m.Window.For:
			wrong("look_back", "%s is longer than the window, %s", m.LookBack, m.Window)
		}
		return errors.Join(errs...)
	}
	switch d := m.Days; {
	case d == nil:
		wrong("days", "required: in which days after the first exposure a unit is active again, as {from: 7, to: 13}")
	case d.From < 0:
		wrong("days.from", "expected 0, the day that begins with the first exposure, or more")
	case d.To < d.From:
		wrong("days.to", "expected %d, as from, or more", d.From)
	case d.To > lastDay:
		wrong("days.to", "expected at most %d", lastDay)
	}
	for field, given := range map[string]bool{"window": m.Window != Window{}, "delay": m.Delay != 0, "look_back": m.LookBack != 0} {
		if given {
			wrong(field, "retention has days instead: leave it out")
		}
	}
	return errors.Join(errs...)
}

func (m *Metric) checkWinsorise() error {
	w := m.Winsorise
	if w == nil {
		return nil
	}
	low, high := w.Low, w.High
	percentile := func(b *Bound) bool { return b != nil && b.Percent != 0 }
	switch {
	case !slices.Contains([]Type{Mean, Count, CountDistinct, Ratio}, m.Type) && slices.Contains(Types, m.Type):
		return strictyaml.At("winsorise", fmt.Errorf("only of type: mean, count, count_distinct or ratio, not of a %s", m.Type))
	case low == nil && high == nil:
		return strictyaml.At("winsorise", errors.New("expected low, high or both, as {high: 99.9%}"))
	case low != nil && high != nil && percentile(low) == percentile(high) && (low.Percent > high.Percent || low.Value > high.Value):
		return strictyaml.At("winsorise.high", errors.New("below low"))
	case w.IgnoreZeros && !percentile(low) && !percentile(high):
		return strictyaml.At("winsorise.ignore_zeros", errors.New("only of percentiles"))
	}
	return errors.Join(strictyaml.At("winsorise.low", low.check()), strictyaml.At("winsorise.high", high.check()))
}

func (b *Bound) check() error {
	if b != nil && (!(b.Percent >= 0 && b.Percent < 100) || math.IsNaN(b.Value) || math.IsInf(b.Value, 0)) {
		return errors.New("expected a finite number, or a percentile between 0% and 100%")
	}
	return nil
}

func (m *Metric) checkDirection() error {
	switch m.Direction {
	case "":
		m.Direction = Up
	case Up, Down:
	default:
		return strictyaml.At("direction", fmt.Errorf("%q: expected up or down, whichever is good", m.Direction))
	}
	return nil
}

// checkSources checks where events come from and what they count for, and what sums are measured in.
func (m *Metric) checkSources() error {
	t, errs := m.checkSource(&m.Source)
	var of *table.Table // the denominator's
	switch {
	case m.Type == Ratio && m.Denominator == nil:
		errs = append(errs, strictyaml.At("denominator", errors.New("required: the table, filter and value of what the sum is divided by")))
	case m.Type != Ratio && m.Denominator != nil && slices.Contains(Types, m.Type):
		errs = append(errs, strictyaml.At("denominator", errors.New("only of type: ratio")))
	case m.Denominator != nil:
		var wrong []error
		of, wrong = m.checkSource(m.Denominator)
		errs = append(errs, strictyaml.At("denominator", errors.Join(wrong...)))
	}
	if err := errors.Join(errs...); err != nil || !slices.Contains(Types, m.Type) {
		return err
	}
	return m.checkUnit(t, of)
}

func (m *Metric) checkSource(s *Source) (*table.Table, []error) {
	t, err := CheckEvents(s.Table, s.Filter)
	errs := []error{err}
	if t != nil {
		errs = append(errs, strictyaml.At("value", m.checkValue(t, s.Value)))
	}
	return t, slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// checkValue checks what an event counts for.
func (m *Metric) checkValue(t *table.Table, v Value) error {
	switch m.Type {
	case Proportion, Retention, Count:
		if v.Given {
			return fmt.Errorf("a %s sums nothing: leave it out, or use type: mean", m.Type)
		}
	case Mean, Quantile, Ratio:
		switch {
		case v.Column != "" || !v.Given:
			return checkColumn(t, v.Column, "a column with numbers, or 1 for every event", number)
		case v.Constant == 0:
			return errors.New("expected a number other than 0")
		}
	case CountDistinct:
		return checkColumn(t, v.Column, "a column with text, identifiers or whole numbers", func(c table.Column) bool {
			return c.Type == table.String || c.Type == table.ID || c.Type == table.Int && c.Unit != minor
		})
	}
	return nil
}

func number(c table.Column) bool { return c.Type == table.Int || c.Type == table.Float }

// checkColumn checks that a table has a column that fits.
func checkColumn(t *table.Table, name, expected string, fits func(table.Column) bool) error {
	var fit []string
	for _, c := range t.Columns {
		if fits(c) {
			fit = append(fit, c.Name)
		}
	}
	c, ok := t.Column(name)
	switch {
	case name == "":
		return fmt.Errorf("required: %s; %s has %s", expected, t, strings.Join(fit, ", "))
	case !ok:
		return fmt.Errorf("%s has no column %q: %s", t, name, strictyaml.Suggest(name, fit))
	case !fits(c) && c.Unit == minor:
		return fmt.Errorf("%s is money: expected %s", name, expected)
	case !fits(c):
		return fmt.Errorf("%s is %s: expected %s", name, kind(c.Type), expected)
	}
	return nil
}
