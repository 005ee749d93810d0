package assignment

import (
	"errors"
	"fmt"

	"crosslift/connectors/pgread"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// Rows say what the table is called, and its columns: id, assigned_at, experiment, variant, unit_type, unit_id, kind,
// platform, country, device. The last three are only known of exposures, and may be "" where the table lacks them, as it does
// device unless the settings name it: on which device an account met its variant.
type Rows struct {
	Table    string            `yaml:"table"`
	Columns  map[string]string `yaml:"columns"`  // by the names above
	Kinds    map[string]string `yaml:"kinds"`    // how the table writes assigned and exposed
	Units    map[string]string `yaml:"units"`    // how it writes account and device
	Override string            `yaml:"override"` // the column that marks a tester's choice: true, or any text
	Ignore   []string          `yaml:"ignore"`   // columns that are known and not read
}

func (r *Rows) prepare() error {
	if r.Table == "" {
		r.Table = "ab_assignments"
	}
	if r.Ignore == nil {
		r.Ignore = []string{"tx"}
	}
	defaults := map[string]string{}
	for _, name := range []string{"id", "assigned_at", "experiment", "variant", "unit_type", "unit_id", "kind", "platform", "country"} {
		defaults[name] = name
	}
	defaults[device] = ""
	var errs []error
	for field, fill := range map[string]func() error{
		"columns": func() (err error) { r.Columns, err = over(r.Columns, defaults); return err },
		"kinds":   func() (err error) { r.Kinds, err = texts(r.Kinds, kinds); return err },
		"units":   func() (err error) { r.Units, err = texts(r.Units, units); return err },
	} {
		errs = append(errs, strictyaml.At(field, fill()))
	}
	for _, name := range []string{"unit_type", "unit_id", "kind"} {
		if r.Columns[name] == "" {
			errs = append(errs, strictyaml.At("columns."+name, errors.New("required: a column of the table")))
		}
	}
	return errors.Join(errs...)
}

// spec is what the stream of a kind reads.
func (r *Rows) spec(kind string) pgread.Spec {
	unit := func(name string) pgread.Column {
		return pgread.Column{From: r.Columns["unit_id"], When: &pgread.Condition{Column: r.Columns["unit_type"], Values: []string{r.Units[name]}}}
	}
	s := pgread.Spec{Name: "assignment/" + kind, To: table.Assignment, From: pgread.Table{
		Table: r.Table, Ignore: append([]string{r.Columns["platform"], r.Columns["country"], r.Columns[device]}, r.Ignore...),
		Columns: map[string]pgread.Column{
			"source_id":   {From: r.Columns["id"]},
			"assigned_at": {From: r.Columns["assigned_at"]},
			"experiment":  {From: r.Columns["experiment"]},
			"variant":     {From: r.Columns["variant"]},
			"account":     unit(account),
			"device":      unit(device),
		},
	}}
	is := func(column string, not bool, values ...string) pgread.Condition {
		return pgread.Condition{Column: column, Values: values, Not: not}
	}
	// A kind that is neither belongs to the first stream, which rejects it.
	only := is(r.Columns["kind"], true, r.Kinds[exposed])
	if kind == exposed {
		only.Not = false
		s.To = table.Exposure
		s.From.Columns["exposed_at"] = s.From.Columns["assigned_at"]
		delete(s.From.Columns, "assigned_at")
		s.From.Columns["platform"] = pgread.Column{From: r.Columns["platform"]}
		s.From.Columns["country"] = pgread.Column{From: r.Columns["country"]}
		on := unit(device)
		on.Else = r.Columns[device]
		s.From.Columns["device"] = on
		if on.Else != "" { // else a row that names nobody would pass for one of its device
			s.Refuse = append(s.Refuse, pgread.Refusal{Condition: is(r.Columns["unit_id"], false, ""), Reason: "unit_id: required, but empty"})
		}
	}
	s.Only = &only
	if r.Override != "" {
		s.Refuse = append(s.Refuse, pgread.Refusal{Condition: is(r.Override, true, notMarked...), Reason: qaOverride})
	}
	s.Refuse = append(s.Refuse,
		pgread.Refusal{
			Condition: is(r.Columns["kind"], true, r.Kinds[assigned], r.Kinds[exposed]),
			Reason:    fmt.Sprintf("kind: expected %s or %s", r.Kinds[assigned], r.Kinds[exposed]),
		},
		pgread.Refusal{
			Condition: is(r.Columns["unit_type"], true, r.Units[account], r.Units[device]),
			Reason:    fmt.Sprintf("unit_type: expected %s or %s", r.Units[account], r.Units[device]),
		})
	return s
}

// qaOverride is why rows of testers are rejected, and notMarked what a mark says that does not hold; "" is NULL too.
const qaOverride = "QA override"

var notMarked = []string{"", "false", "f", "0"}
