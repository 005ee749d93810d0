// Package experiment is the definition of an experiment: who is in it, in which variants and when, and the metrics that
// it is judged by.
package experiment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// logic is raised when the same definition comes to mean other numbers.
const logic = 1

// What Crossover says of a unit that met another variant after its first.
const (
	First   = "first"   // it stays with the variant of its first exposure: intention to treat
	Exclude = "exclude" // it is left out
)

// Account is what variants are assigned by.
const Account = "account"

// Experiment is one file of experiments/. An exposure counts when it lies in [start of Start, end of End) in the
// business's zone.
type Experiment struct {
	Name        string     `yaml:"name"` // as the exposures name it
	Description string     `yaml:"description"`
	AssignedBy  string     `yaml:"assigned_by"`
	Variants    []Variant  `yaml:"variants"`
	Control     string     `yaml:"control"` // the variant that others are compared with
	Start       table.Day  `yaml:"start"`
	End         *table.Day `yaml:"end"`       // the last day of exposures; nil while it is open
	Crossover   string     `yaml:"crossover"` // default first
	Alpha       float64    `yaml:"alpha"`     // 1 − the confidence of intervals; default 0.05
	Primary     string     `yaml:"primary"`   // the metric that decides
	Metrics     []string   `yaml:"metrics"`
}

// Variant is an arm of an experiment.
type Variant struct {
	Name   string  `yaml:"name"`   // as the exposures name it
	Weight float64 `yaml:"weight"` // its part of the units, relative to the others'; all left out: equal parts
}

// Validate fills in defaults and checks the definition by itself; whether its metrics exist is for the project to say.
func (e *Experiment) Validate() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, strictyaml.At(field, fmt.Errorf(format, args...)))
	}
	errs = append(errs, strictyaml.At("name", metric.CheckName(e.Name)))
	switch e.AssignedBy {
	case Account:
	case "":
		wrong("assigned_by", "required: account")
	default:
		wrong("assigned_by", "%q: expected account", e.AssignedBy)
	}
	errs = append(errs, e.checkVariants())
	switch {
	case e.Start == 0:
		wrong("start", "required: the first day of exposures, YYYY-MM-DD")
	case e.End != nil && *e.End < e.Start:
		wrong("end", "%s lies before start %s", *e.End, e.Start)
	}
	switch e.Crossover {
	case "":
		e.Crossover = First
	case First, Exclude:
	default:
		wrong("crossover", "%q: expected first or exclude", e.Crossover)
	}
	if e.Alpha == 0 {
		e.Alpha = 0.05
	} else if !(e.Alpha > 0 && e.Alpha < 1) {
		wrong("alpha", "expected a number between 0 and 1, as 0.05")
	}
	errs = append(errs, e.checkMetrics())
	return errors.Join(errs...)
}

func (e *Experiment) checkVariants() error {
	if len(e.Variants) < 2 {
		return strictyaml.At("variants", fmt.Errorf("expected at least two, found %d", len(e.Variants)))
	}
	var errs []error
	var names []string
	weighted := slices.ContainsFunc(e.Variants, func(v Variant) bool { return v.Weight != 0 })
	for i := range e.Variants {
		v := &e.Variants[i]
		at := func(field, format string, args ...any) {
			errs = append(errs, strictyaml.At(fmt.Sprintf("variants.%d.%s", i, field), fmt.Errorf(format, args...)))
		}
		switch {
		case v.Name == "":
			at("name", "required")
		case slices.Contains(names, v.Name):
			at("name", "a second variant %q", v.Name)
		}
		names = append(names, v.Name)
		if !weighted {
			v.Weight = 1
		} else if !(v.Weight > 0) || math.IsInf(v.Weight, 0) {
			at("weight", "expected a number above 0: weights are given to all variants or to none")
		}
	}
	switch {
	case e.Control == "":
		errs = append(errs, strictyaml.At("control", fmt.Errorf("required: one of %s", strings.Join(names, ", "))))
	case !slices.Contains(names, e.Control):
		errs = append(errs, strictyaml.At("control",
			fmt.Errorf("no variant %q: %s", e.Control, strictyaml.Suggest(e.Control, names))))
	}
	return errors.Join(errs...)
}

func (e *Experiment) checkMetrics() error {
	if len(e.Metrics) == 0 {
		return strictyaml.At("metrics", errors.New("expected at least one"))
	}
	var errs []error
	for i, name := range e.Metrics {
		if slices.Contains(e.Metrics[:i], name) {
			errs = append(errs, strictyaml.At("metrics."+strconv.Itoa(i), fmt.Errorf("%q is listed twice", name)))
		}
	}
	switch {
	case e.Primary == "":
		errs = append(errs, strictyaml.At("primary",
			fmt.Errorf("required: the metric that decides, one of %s", strings.Join(e.Metrics, ", "))))
	case !slices.Contains(e.Metrics, e.Primary):
		errs = append(errs, strictyaml.At("primary",
			fmt.Errorf("%q is not among metrics: %s", e.Primary, strictyaml.Suggest(e.Primary, e.Metrics))))
	}
	return errors.Join(errs...)
}

// DefinitionHash identifies what decides the experiment's numbers: its definition without the description, however it
// is written, and those of metrics that it uses.
func (e *Experiment) DefinitionHash(metrics []*metric.Metric) string {
	total := 0.0
	for _, v := range e.Variants {
		total += v.Weight
	}
	variants := map[string]string{}
	for _, v := range e.Variants {
		variants[v.Name] = strconv.FormatFloat(v.Weight/total, 'g', 12, 64)
	}
	used := map[string]string{}
	for _, m := range metrics {
		if slices.Contains(e.Metrics, m.Name) {
			used[m.Name] = m.Hash()
		}
	}
	content, err := json.Marshal([]any{
		"experiment", logic, e.Name, e.AssignedBy, variants, e.Control, e.Start, e.End, e.Crossover, e.Alpha, e.Primary, used,
	})
	if err != nil {
		panic(err) // strings and finite numbers only
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
