// Package analyze is `crosslift analyze FILE`: the statistics of an experiment over one file of units, with no lake and
// no warehouse.
package analyze

import (
	"errors"
	"fmt"
	"strings"

	"crosslift/transform/stats"
)

// Options say how to read a file and what to compare.
type Options struct {
	Unit      string // column that identifies a unit; a unit may have several rows
	Variant   string // column with the variant a row was seen in
	Control   string // the variant that the others are compared with
	Metrics   []Metric
	Time      string  // column that orders a unit's rows; "": the order of the file does
	Crossover string  // what becomes of a unit seen in several variants: First, which is the default, or Exclude
	Alpha     float64 // intervals are at the level 1−Alpha; 0 means 0.05
}

// What becomes of a unit that was seen in several variants. Either way it is counted in the report.
const (
	First   = "first"   // it stays, with all of its rows, in the variant it was seen in first
	Exclude = "exclude" // it is left out
)

// Metric is a figure to compare. A proportion counts the units with at least one true row; a mean averages, over the
// units, the sum of a unit's rows.
type Metric struct {
	Name   string
	Type   stats.Kind
	Column string
}

// ParseMetric reads NAME=TYPE:COLUMN, as in "rounds=mean:sum_gamerounds". The column may hold any character.
func ParseMetric(s string) (Metric, error) {
	name, rest, hasName := strings.Cut(s, "=")
	kind, column, hasKind := strings.Cut(rest, ":")
	m := Metric{name, stats.Kind(kind), column}
	if !hasName || !hasKind || name == "" || column == "" {
		return m, fmt.Errorf("metric %q: expected NAME=TYPE:COLUMN, as in paid=proportion:has_paid", s)
	}
	return m, m.check()
}

func (m Metric) check() error {
	switch {
	case m.Name == "" || m.Column == "":
		return errors.New("metric: expected a name and a column")
	case m.Type != stats.Proportion && m.Type != stats.Mean:
		return fmt.Errorf("metric %s: type %q: expected %s or %s", m.Name, m.Type, stats.Proportion, stats.Mean)
	}
	return nil
}

// Validate fills in the defaults and says what is wrong with the options; the file plays no part.
func (o *Options) Validate() error {
	if o.Crossover == "" {
		o.Crossover = First
	}
	if o.Alpha == 0 {
		o.Alpha = 0.05
	}
	for _, need := range []struct{ option, value, what string }{
		{"unit", o.Unit, "the column that identifies a unit"},
		{"variant", o.Variant, "the column with the variant"},
		{"control", o.Control, "the variant to compare with"},
	} {
		if need.value == "" {
			return fmt.Errorf("--%s: required: %s", need.option, need.what)
		}
	}
	switch {
	case len(o.Metrics) == 0:
		return errors.New("--metric: at least one is required, as in paid=proportion:has_paid")
	case o.Crossover != First && o.Crossover != Exclude:
		return fmt.Errorf("--crossover %q: expected %s or %s", o.Crossover, First, Exclude)
	case !(o.Alpha >= 1e-12 && o.Alpha < 1):
		return fmt.Errorf("--alpha %g: expected a number between 0 and 1, as in 0.05", o.Alpha)
	}
	seen := map[string]bool{}
	for _, m := range o.Metrics {
		if err := m.check(); err != nil {
			return err
		}
		if seen[m.Name] {
			return fmt.Errorf("metric %s: two metrics have this name", m.Name)
		}
		seen[m.Name] = true
	}
	return nil
}
