package query_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/experiment"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// coverage counts what has been compared, by name; only units for which something counts are comparisons.
type coverage map[string]int

// newCoverage names all that must be compared.
func newCoverage() coverage {
	c := coverage{}
	for _, t := range metric.Types {
		for _, form := range formsOf(t) {
			for _, o := range operators {
				for _, s := range stitchings {
					c[filtered(t, form, o, s)] = 0
				}
			}
			if t != metric.Retention {
				c[named(t, form, "delay")], c[named(t, form, "look_back")] = 0, 0
			}
		}
		c[named(t, "covariate")], c[named(t, "matured")], c[named(t, "not matured")] = 0, 0, 0
		c[named(t, "received")], c[named(t, "not received")] = 0, 0
	}
	for _, by := range []string{experiment.Account, experiment.Device} {
		for _, s := range stitchings {
			for _, of := range []string{"account", "account or device", "account and device"} {
				c[named("assigned by", by, s, "events with an", of)] = 0
			}
		}
	}
	for _, t := range []metric.Type{metric.Mean, metric.Count, metric.CountDistinct, metric.Ratio} {
		for _, bound := range []string{"low value", "low percentile", "high value", "high percentile", "percentile without zeros"} {
			c[named(t, "winsorised", bound)] = 0
		}
	}
	for _, t := range []metric.Type{metric.Mean, metric.Ratio, metric.Quantile} {
		for _, value := range summed {
			c[named(t, "of", value)] = 0
		}
	}
	for _, of := range distinct {
		c[named(metric.CountDistinct, "of", of)] = 0
	}
	c[named(metric.Ratio, "of two tables")], c[named(metric.Ratio, "of one table")], c["a currency without a rate"] = 0, 0, 0
	return c
}

// named joins what is covered together.
func named(parts ...any) string {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = fmt.Sprint(p)
	}
	return strings.Join(texts, " · ")
}

func filtered(t metric.Type, form, operator, stitching string) string {
	return named(t, form, operator, stitching)
}

// add notes what the equal facts of a metric cover.
func (c coverage) add(e *experiment.Experiment, m *metric.Metric, rows []*table.UnitMetricRow) {
	form, t := formOf(m, e), table.Named(m.Table)
	operators := slices.Compact(slices.Sorted(slices.Values(operatorsIn(m.Filter))))
	seen := map[string]bool{}
	for _, row := range rows {
		c.bounds(m, row)
		if row.Count == 0 {
			continue
		}
		if !seen[row.Stitching] {
			seen[row.Stitching] = true
			for _, o := range operators {
				c[filtered(m.Type, form, o, row.Stitching)]++
			}
			c[named("assigned by", e.AssignedBy, row.Stitching, "events with an", names(t))]++
		}
		not := map[bool]string{true: "", false: "not "}
		c[named(m.Type, not[row.Matured]+"matured")]++
		c[named(m.Type, not[row.Received]+"received")]++
		if row.Covariate != nil && *row.Covariate != 0 {
			c[named(m.Type, "covariate")]++
		}
	}
	if len(seen) == 0 {
		return
	}
	if m.Delay > 0 {
		c[named(m.Type, form, "delay")]++
	}
	if m.LookBack > 0 {
		c[named(m.Type, form, "look_back")]++
	}
	c.value(m, t)
	if m.Type == metric.Ratio && m.Denominator.Table != m.Table {
		c[named(m.Type, "of two tables")]++
	} else if m.Type == metric.Ratio {
		c[named(m.Type, "of one table")]++
	}
}

// names says whom the events of a table name.
func names(t *table.Table) string {
	account, _ := t.Column("account")
	switch _, device := t.Column("device"); {
	case !device:
		return "account"
	case account.Optional:
		return "account or device"
	}
	return "account and device"
}

// bounds notes that a value was bounded.
func (c coverage) bounds(m *metric.Metric, row *table.UnitMetricRow) {
	if m.Winsorise == nil || *row.Uncapped == row.Sum {
		return
	}
	side, bound := "low", m.Winsorise.Low
	if row.Sum < *row.Uncapped {
		side, bound = "high", m.Winsorise.High
	}
	kind := "value"
	if bound.Percent > 0 {
		if kind = "percentile"; m.Winsorise.IgnoreZeros {
			c[named(m.Type, "winsorised", "percentile without zeros")]++
		}
	}
	c[named(m.Type, "winsorised", side+" "+kind)]++
}

// value notes what was added up or told apart.
func (c coverage) value(m *metric.Metric, t *table.Table) {
	column, has := t.Column(m.Value.Column)
	switch {
	case m.Type == metric.CountDistinct:
		c[named(m.Type, "of", column.Type)]++
	case !has && m.Value.Given:
		c[named(m.Type, "of", "a constant")]++
	case !has:
	case column.Type == table.Float:
		c[named(m.Type, "of", "floats")]++
	case column.Unit != "minor":
		c[named(m.Type, "of", "integers")]++
	case m.Currency == "":
		c[named(m.Type, "of", "amounts")]++
	default:
		c[named(m.Type, "of", "converted amounts")]++
	}
}

// missing lists what has not been compared, in order.
func (c coverage) missing() (names []string) {
	for name, n := range c {
		if n == 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// next is a type and a form of window that lacks comparisons, and operators, those first that it lacks them of.
func (c coverage) next(l *lake) (t metric.Type, form string, ordered []string) {
	type candidate struct {
		t    metric.Type
		form string
	}
	var all, some, most []candidate // that lack nothing, something of their type, something of their form
	missing := c.missing()
	lacks := func(parts ...any) bool {
		prefix := named(append(parts, "")...)
		return slices.ContainsFunc(missing, func(name string) bool { return strings.HasPrefix(name, prefix) })
	}
	for _, t := range metric.Types {
		for _, form := range formsOf(t) {
			switch {
			case lacks(t, form):
				most = append(most, candidate{t, form})
			case lacks(t):
				some = append(some, candidate{t, form})
			default:
				all = append(all, candidate{t, form})
			}
		}
	}
	for _, candidates := range [][]candidate{most, some, all} {
		if len(candidates) > 0 {
			of := one(l.r, candidates...)
			t, form = of.t, of.form
			break
		}
	}
	var lacking, others []string
	for _, i := range l.r.Perm(len(operators)) {
		if o := operators[i]; lacks(t, form, o) {
			lacking = append(lacking, o)
		} else {
			others = append(others, o)
		}
	}
	return t, form, append(lacking, others...)
}

// check fails the test where something was not compared.
func (c coverage) check(t *testing.T) {
	t.Helper()
	if missing := c.missing(); len(missing) > 0 {
		t.Errorf("not compared: %d of %d, such as %s", len(missing), len(c), strings.Join(missing[:min(10, len(missing))], "; "))
	}
}
