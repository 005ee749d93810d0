package metric

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// Condition is a test of one column: by a list of values, or by bounds, which both count as inside. A row where the
// column is absent meets not_in and nothing else.
type Condition struct {
	Column string   `yaml:"column"`
	In     []string `yaml:"in"`
	NotIn  []string `yaml:"not_in"`
	Min    *float64 `yaml:"min"`
	Max    *float64 `yaml:"max"`
}

// check compares the condition with the contract of the metric's table.
func (c *Condition) check(t *table.Table) error {
	var free []string
	for _, column := range t.Columns {
		if column.Class == table.Free && column.Type != table.Timestamp && column.Type != table.Date {
			free = append(free, column.Name)
		}
	}
	column, ok := t.Column(c.Column)
	switch {
	case c.Column == "":
		return strictyaml.At("column", errors.New("required: "+strictyaml.Suggest("", free)))
	case !ok:
		return strictyaml.At("column",
			fmt.Errorf("%s has no column %q: %s", t, c.Column, strictyaml.Suggest(c.Column, free)))
	case !slices.Contains(free, c.Column):
		return strictyaml.At("column", fmt.Errorf("a filter cannot read %s: %s", c.Column, strictyaml.Suggest(c.Column, free)))
	}
	kinds := 0
	for _, given := range []bool{c.In != nil, c.NotIn != nil, c.Min != nil || c.Max != nil} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		return errors.New("expected one of in, not_in, or min and max")
	}
	if c.In != nil {
		return strictyaml.At("in", checkValues(column, c.In))
	}
	if c.NotIn != nil {
		return strictyaml.At("not_in", checkValues(column, c.NotIn))
	}
	return c.checkBounds(column)
}

func checkValues(column table.Column, values []string) error {
	if len(values) == 0 {
		return errors.New("expected at least one value")
	}
	var errs []error
	for i, v := range values {
		var err error
		switch column.Type {
		case table.Int:
			if n, bad := strconv.ParseInt(v, 10, 64); bad != nil || strconv.FormatInt(n, 10) != v {
				err = fmt.Errorf("expected a whole number, found %q", v)
			}
		case table.Bool:
			if v != "true" && v != "false" {
				err = fmt.Errorf("expected true or false, found %q", v)
			}
		case table.Float:
			err = fmt.Errorf("%s is a float: expected min and max", column.Name)
		}
		errs = append(errs, strictyaml.At(strconv.Itoa(i), err))
	}
	return errors.Join(errs...)
}

func (c *Condition) checkBounds(column table.Column) error {
	field := "min"
	if c.Min == nil {
		field = "max"
	}
	for _, bound := range []*float64{c.Min, c.Max} {
		if bound != nil && (math.IsNaN(*bound) || math.IsInf(*bound, 0)) {
			return strictyaml.At(field, errors.New("expected a finite number"))
		}
	}
	switch {
	case column.Type != table.Int && column.Type != table.Float:
		return strictyaml.At(field, fmt.Errorf("%s is a %s: expected in or not_in", column.Name, column.Type))
	case c.Min != nil && c.Max != nil && *c.Min > *c.Max:
		return strictyaml.At("max", errors.New("below min: no value meets both"))
	}
	return nil
}

// canonical writes conditions that mean the same in the same way.
func (c *Condition) canonical() string {
	set := func(values []string) []string { return slices.Compact(slices.Sorted(slices.Values(values))) }
	content, err := json.Marshal([]any{c.Column, set(c.In), set(c.NotIn), c.Min, c.Max})
	if err != nil {
		panic(err) // Validate lets no number through that JSON cannot write
	}
	return string(content)
}
