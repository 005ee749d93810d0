// Package experiment is the definition of an experiment: who is in it, in which variants and when, and the metrics that
// it is judged by.
package experiment

import (
	"fmt"
	"iter"
	"strconv"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// What Crossover says of a unit that met another variant after its first.
const (
	First   = "first"   // it stays with the variant of its first exposure: intention to treat
	Exclude = "exclude" // it is left out
)

// What variants are assigned by.
const (
	Account = "account" // a unit is an account's profile
	Device  = "device"  // a unit is the devices that were linked before the first exposure of one of them
)

// The plans of looking at results.
const (
	Fixed      = "fixed"      // once, when all units have matured
	Sequential = "sequential" // every night
)

// The segments that results may be split by, all as of the first exposure.
const (
	Platform = "platform" // of the first exposure
	Country  = "country"  // of the first exposure
	Channel  = "channel"  // of the unit's first visit that web analytics knows of, until then
	Plan     = "plan"     // of its newest subscription or payment until then
	Newness  = "newness"  // new: nothing was observed of it a day before; else returning
	Devices  = "devices"  // how many it had: 0, 1, 2, 3 and more
)

// Segments lists them.
var Segments = []string{Platform, Country, Channel, Plan, Newness, Devices}

// Experiment is one file of experiments/. An exposure counts when it lies in [start of Start, end of End) in the
// business's zone.
type Experiment struct {
	Name        string      `yaml:"name"` // as the exposures name it
	Description string      `yaml:"description"`
	Hypothesis  string      `yaml:"hypothesis"` // what is expected, before anything is known
	Owner       string      `yaml:"owner"`      // whom to ask
	AssignedBy  string      `yaml:"assigned_by"`
	Variants    []Variant   `yaml:"variants"`
	Control     string      `yaml:"control"` // the variant that others are compared with
	Start       table.Day   `yaml:"start"`
	End         *table.Day  `yaml:"end"`         // the last day of exposures; nil while it is open
	Eligibility *Event      `yaml:"eligibility"` // a unit without such an event before its first exposure is left out, and counted
	Activation  *Event      `yaml:"activation"`  // what a unit does after its first exposure to take the offer up
	Crossover   string      `yaml:"crossover"`   // default first
	Segments    []string    `yaml:"segments"`
	Campaign    string      `yaml:"campaign"` // the cashback campaign that it is about
	Plan        string      `yaml:"plan"`     // default fixed
	Alpha       float64     `yaml:"alpha"`    // 1 − the confidence of intervals; default 0.05
	Primary     string      `yaml:"primary"`  // the metric that decides
	Secondary   []string    `yaml:"secondary"`
	Guardrails  []Guardrail `yaml:"guardrails"`
}

// Metrics are the names of all metrics: the primary, the secondary ones, the guardrails'.
func (e *Experiment) Metrics() []string {
	var names []string
	for _, name := range e.Named() {
		names = append(names, name)
	}
	return names
}

// Named gives the metrics in the order of Metrics, each with the dotted path of the field that names it.
func (e *Experiment) Named() iter.Seq2[string, string] {
	return func(yield func(field, name string) bool) {
		if !yield("primary", e.Primary) {
			return
		}
		for i, name := range e.Secondary {
			if !yield("secondary."+strconv.Itoa(i), name) {
				return
			}
		}
		for i, g := range e.Guardrails {
			if !yield(fmt.Sprintf("guardrails.%d.metric", i), g.Metric) {
				return
			}
		}
	}
}

// Advise says what keys of former experiments have become.
func (e *Experiment) Advise(key string) string {
	if key == "metrics" {
		return "write primary, secondary and guardrails"
	}
	return ""
}

// Guardrail is a metric that must not get worse by more than a margin, relative to the control.
type Guardrail struct {
	Metric string  `yaml:"metric"`
	Margin float64 `yaml:"margin"` // 0.02 is two percent
}

// Event says which events of a table are meant; as in a metric, all of the filter holds.
type Event struct {
	Table  string          `yaml:"table"`
	Filter []metric.Filter `yaml:"filter"`
	Within metric.Duration `yaml:"within"` // of eligibility: so long before the exposure; 0: ever
}

// Variant is an arm of an experiment.
type Variant struct {
	Name   string  `yaml:"name"`   // as the exposures name it
	Weight float64 `yaml:"weight"` // its part of the units, relative to the others'; all left out: equal parts
}
