package experiment

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
)

// Validate fills in defaults and checks the definition by itself; whether its metrics exist is for the project to say.
func (e *Experiment) Validate() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, strictyaml.At(field, fmt.Errorf(format, args...)))
	}
	errs = append(errs, strictyaml.At("name", metric.CheckName(e.Name)))
	errs = append(errs, e.checkVariants())
	switch {
	case e.Start == 0:
		wrong("start", "required: the first day of exposures, YYYY-MM-DD")
	case e.End != nil && *e.End < e.Start:
		wrong("end", "%s lies before start %s", *e.End, e.Start)
	}
	if e.AssignedBy == "" {
		wrong("assigned_by", "required: account or device")
	} else {
		errs = append(errs, oneOf("assigned_by", &e.AssignedBy, Account, Device))
	}
	errs = append(errs, oneOf("crossover", &e.Crossover, First, Exclude), oneOf("plan", &e.Plan, Fixed, Sequential))
	if e.Alpha == 0 {
		e.Alpha = 0.05
	} else if !(e.Alpha > 0 && e.Alpha < 1) {
		wrong("alpha", "expected a number between 0 and 1, as 0.05")
	}
	if e.Campaign != "" {
		errs = append(errs, strictyaml.At("campaign", metric.CheckName(e.Campaign)))
	}
	errs = append(errs, strictyaml.At("eligibility", e.Eligibility.check()), strictyaml.At("activation", e.Activation.check()))
	if e.Activation != nil && e.Activation.Within != 0 {
		wrong("activation.within", "only of eligibility: an activation may come at any time after the first exposure")
	}
	errs = append(errs, e.checkSegments(), e.checkMetrics())
	return errors.Join(errs...)
}

// oneOf checks a word of two, of which the first is the default.
func oneOf(field string, value *string, first, second string) error {
	switch *value {
	case "":
		*value = first
	case first, second:
	default:
		return strictyaml.At(field, fmt.Errorf("%q: expected %s or %s", *value, first, second))
	}
	return nil
}

func (e *Event) check() error {
	if e == nil {
		return nil
	}
	_, err := metric.CheckEvents(e.Table, e.Filter)
	return err
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

func (e *Experiment) checkSegments() error {
	var errs []error
	for i, s := range e.Segments {
		var err error
		switch {
		case !slices.Contains(Segments, s):
			err = fmt.Errorf("no segment %q: %s", s, strictyaml.Suggest(s, Segments))
		case slices.Contains(e.Segments[:i], s):
			err = fmt.Errorf("%q is listed twice", s)
		}
		errs = append(errs, strictyaml.At("segments."+strconv.Itoa(i), err))
	}
	return errors.Join(errs...)
}

// checkMetrics checks that each metric is named once.
func (e *Experiment) checkMetrics() error {
	var errs []error
	first := map[string]string{}
	for at, name := range e.Named() {
		var err error
		switch {
		case name == "" && at == "primary":
			err = errors.New("required: the metric that decides")
		case name == "":
			err = errors.New("required: the name of a metric")
		case first[name] != "":
			err = fmt.Errorf("%q is listed twice: first as %s", name, first[name])
		default:
			first[name] = at
		}
		errs = append(errs, strictyaml.At(at, err))
	}
	for i, g := range e.Guardrails {
		if !(g.Margin > 0) || math.IsInf(g.Margin, 0) {
			errs = append(errs, strictyaml.At(fmt.Sprintf("guardrails.%d.margin", i),
				errors.New("expected a number above 0: how much worse than the control it may be, as 0.02 for two percent")))
		}
	}
	return errors.Join(errs...)
}
