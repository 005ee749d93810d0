// Package metric is the definition of a metric: what is counted or summed about each unit of an experiment, in which
// window after its first exposure. Definitions are structured, so that they can run here or be compiled to SQL.
package metric

import (
	"errors"
	"fmt"
	"regexp"
)

// Type is how a unit's events become its value.
type Type string

// The types. A unit without events inside the window has the value 0.
const (
	Proportion    Type = "proportion"     // 1 for a unit with at least one event inside the window
	Count         Type = "count"          // the number of events
	Mean          Type = "mean"           // the sum of Value over the events
	Ratio         Type = "ratio"          // as Mean, over the sum of the denominator's value over its events: compared as Σ/Σ over units
	CountDistinct Type = "count_distinct" // the number of different values of the column Value
	Retention     Type = "retention"      // 1 for a unit with at least one event in one of Days
	Quantile      Type = "quantile"       // as Mean; arms are compared by a quantile of the units' values
)

// Types lists the types.
var Types = []Type{Proportion, Count, Mean, Ratio, CountDistinct, Retention, Quantile}

// Metric is one file of metrics/. An event counts for a unit when it meets every test of the filter, has a value where one
// is asked for, and its time lies in the window, see Bounds.
type Metric struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	Type        Type   `yaml:"type"`
	Source      `yaml:",inline"`
	Denominator *Source `yaml:"denominator"` // of ratios
	Quantile    float64 `yaml:"quantile"`    // of quantiles: 0.9 is the ninetieth percentile
	Unit        string  `yaml:"unit"`        // "RUB minor", "seconds"; "share" for proportions and retention, "events" for counts, …
	// Currency is what amounts of other currencies are converted to, by raw/rate at the time of the event.
	Currency string `yaml:"currency"`

	Window   Window   `yaml:"window"`
	Delay    Duration `yaml:"delay"`     // the window begins so long after the first exposure
	LookBack Duration `yaml:"look_back"` // only the last so long of the window counts
	Days     *Days    `yaml:"days"`      // of retention, instead of a window
	// PostingLag is how long after the window's end its events may still arrive: a unit has matured after it.
	PostingLag Duration   `yaml:"posting_lag"`
	Winsorise  *Winsorise `yaml:"winsorise"`
	// Covariate is the length of the window before the first exposure in which the same events make the covariate.
	Covariate Duration `yaml:"covariate"`
	Direction string   `yaml:"direction"` // what is good: up (default) or down
}

// The directions.
const (
	Up   = "up"
	Down = "down"
)

// Source is where events come from, and what each of them counts for.
type Source struct {
	Table  string   `yaml:"table"`  // layer/name of a raw table with an account or device, and a time
	Filter []Filter `yaml:"filter"` // all of them hold
	Value  Value    `yaml:"value"`  // what an event counts for; the zero Value is the constant 1
}

// Days are whole days of 24 hours after a unit's first exposure, both included: day 0 begins with the exposure.
type Days struct {
	From int `yaml:"from"`
	To   int `yaml:"to"`
}

// Winsorise bounds units' values, in one experiment and stitching: values below Low count as Low, values above High as High.
// Each bound is a value or a percentile of the units' values, taken by nearest rank: the smallest value that so many percent
// of the units do not exceed.
type Winsorise struct {
	Low         *Bound `yaml:"low"`
	High        *Bound `yaml:"high"`
	IgnoreZeros bool   `yaml:"ignore_zeros"` // percentiles are of the units with a value other than 0
}

// Numerator is the metric's own source.
func (m *Metric) Numerator() Source { return m.Source }

var name = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// CheckName says whether a metric or an experiment may have a name: names become folders, columns and URLs.
func CheckName(s string) error {
	switch {
	case s == "":
		return errors.New("required")
	case !name.MatchString(s):
		return fmt.Errorf("%q: expected lower-case Latin letters, digits and _, a letter first, at most 63", s)
	}
	return nil
}
