// Package metric is the definition of a metric: what is counted or summed about each unit of an experiment, and for how
// long after its first exposure. Definitions are structured, so that they can run here or be compiled to SQL.
package metric

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// logic is raised when the same definition comes to mean other numbers.
const logic = 1

// Type is how a unit's events become its value.
type Type string

// The types.
const (
	Proportion Type = "proportion" // 1 for a unit with at least one event inside the window, else 0
	Mean       Type = "mean"       // the sum of Value over the unit's events inside the window, 0 without events
)

// Metric is one file of metrics/. An event counts for a unit when it meets every condition and its time lies in
// [first exposure, first exposure + Window).
type Metric struct {
	Name        string      `yaml:"name"`
	Description string      `yaml:"description"`
	Type        Type        `yaml:"type"`
	Table       string      `yaml:"table"`  // layer/name of a raw table with account and time
	Filter      []Condition `yaml:"filter"` // all of them hold
	Value       string      `yaml:"value"`  // column to sum; of means only
	Unit        string      `yaml:"unit"`   // "RUB minor", "seconds"; "share" for proportions
	Window      Duration    `yaml:"window"`
}

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

// Validate fills in the default unit and checks the definition against the contract of its table.
func (m *Metric) Validate() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, strictyaml.At(field, fmt.Errorf(format, args...)))
	}
	errs = append(errs, strictyaml.At("name", CheckName(m.Name)))
	switch m.Type {
	case "":
		wrong("type", "required: proportion or mean")
	case Proportion, Mean:
	default:
		wrong("type", "%q: expected proportion or mean", m.Type)
	}
	switch {
	case m.Window == 0:
		wrong("window", "required: days or hours from the first exposure, as 30d or 12h")
	case m.Window < 0:
		wrong("window", "expected more than nothing")
	}
	if t, err := tableNamed(m.Table); err != nil {
		errs = append(errs, strictyaml.At("table", err))
	} else {
		for i := range m.Filter {
			errs = append(errs, strictyaml.At(fmt.Sprintf("filter.%d", i), m.Filter[i].check(t)))
		}
		errs = append(errs, m.checkValue(t))
	}
	return errors.Join(errs...)
}

// tableNamed finds a table that outcomes may come from.
func tableNamed(path string) (*table.Table, error) {
	var known []string
	for _, t := range table.Raw() {
		account, hasAccount := t.Column("account")
		if hasAccount && account.Type == table.ID && t.EventTime != "" && (t.Kind == table.Event || t.Kind == table.Change) {
			if t.Path() == path {
				return t, nil
			}
			known = append(known, t.Path())
		}
	}
	if path == "" {
		return nil, fmt.Errorf("required: one of %s", strings.Join(known, ", "))
	}
	return nil, fmt.Errorf("no metric can be read from %q: %s", path, strictyaml.Suggest(path, known))
}

func (m *Metric) checkValue(t *table.Table) error {
	switch m.Type {
	case Mean:
	case Proportion:
		if m.Unit == "" {
			m.Unit = "share"
		}
		if m.Value != "" {
			return strictyaml.At("value",
				errors.New("a proportion counts units with an event and sums nothing: leave it out, or use type: mean"))
		}
		return nil
	default:
		return nil
	}
	var numbers []string
	for _, c := range t.Columns {
		if c.Type == table.Int || c.Type == table.Float {
			numbers = append(numbers, c.Name)
		}
	}
	var errs []error
	c, ok := t.Column(m.Value)
	switch {
	case m.Value == "":
		errs = append(errs, strictyaml.At("value",
			fmt.Errorf("required: the column of %s to sum: %s", t, strings.Join(numbers, ", "))))
	case !ok:
		errs = append(errs, strictyaml.At("value",
			fmt.Errorf("%s has no column %q: %s", t, m.Value, strictyaml.Suggest(m.Value, numbers))))
	case c.Type != table.Int && c.Type != table.Float:
		errs = append(errs, strictyaml.At("value", fmt.Errorf("%s is a %s: expected a column with numbers", c.Name, c.Type)))
	case c.Unit == "minor":
		errs = append(errs, m.checkMoney(t, c))
	}
	if m.Unit == "" && c.Unit != "minor" {
		errs = append(errs, strictyaml.At("unit", errors.New("required: what the sum is measured in, as seconds")))
	}
	return errors.Join(errs...)
}

// checkMoney makes sure that amounts of different currencies are never added up.
func (m *Metric) checkMoney(t *table.Table, c table.Column) error {
	currency, minor := strings.CutSuffix(m.Unit, " minor")
	if !minor || len(currency) != 3 || strings.ToUpper(currency) != currency {
		return strictyaml.At("unit", fmt.Errorf("%s is money in minor units: expected its currency, as RUB minor", c.Name))
	}
	if _, ok := t.Column("currency"); !ok {
		return nil
	}
	for _, f := range m.Filter {
		if f.Column == "currency" && len(f.In) == 1 && f.In[0] == currency {
			return nil
		}
	}
	return strictyaml.At("filter",
		fmt.Errorf("%s is money in several currencies: expected {column: currency, in: [%s]}", c.Name, currency))
}

// Hash identifies what decides the metric's numbers: the definition without its description, however it is written.
func (m *Metric) Hash() string {
	filter := make([]string, len(m.Filter))
	for i, c := range m.Filter {
		filter[i] = c.canonical()
	}
	slices.Sort(filter)
	content, err := json.Marshal([]any{
		"metric", logic, m.Name, m.Type, m.Table, slices.Compact(filter), m.Value, m.Unit, int64(m.Window),
	})
	if err != nil {
		panic(err) // strings and numbers only
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
