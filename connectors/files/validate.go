package files

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// Validate checks a mapping against the contract of its table. Its errors are marked with their field.
func (m *Mapping) Validate() error {
	var errs []error
	fail := func(field, format string, args ...any) {
		errs = append(errs, strictyaml.At(field, fmt.Errorf(format, args...)))
	}
	check := func(field string, err error) { errs = append(errs, strictyaml.At(field, err)) }
	check("path", checkPath(m.Path))
	_, err := m.format().resolve(m.Path)
	switch {
	case m.Format != "" && extensions[m.Format] == "":
		fail("format", "%q is unknown: expected csv, tsv, jsonl, ndjson, json or parquet", m.Format)
	case err != nil && m.Path != "":
		fail("format", "required, since the path does not end in .csv, .tsv, .jsonl, .ndjson, .json or .parquet")
	}
	kind := extensions[m.Format]
	if m.Format == "" {
		kind, _ = typeOf(m.Path)
	}
	if d := m.Delimiter; d != "" && (len(d) != 1 || strings.ContainsAny(d, "\"\r\n\x00") || d[0] >= 0x80) {
		fail("delimiter", "expected one ASCII character other than a quote")
	} else if d != "" && kind != typeCSV && kind != "tsv" {
		fail("delimiter", "only csv has one")
	}
	if m.Encoding != "" && kind == typeParquet {
		fail("encoding", "Parquet has none")
	} else if !knownEncoding(m.Encoding) {
		fail("encoding", "%q is unknown: expected a name such as utf-8, utf-16le or windows-1251", m.Encoding)
	}
	if m.Cut != "" {
		_, err := loadZone(m.Cut)
		check("cut", err)
		if !dated(m.Path) {
			fail("cut", "only files that are named for a day have one: use {day} or {yyyymmdd} in the path")
		}
	}
	if m.Restatement != nil && *m.Restatement < 0 {
		fail("restatement", "expected a number of days from 0; without it the source may change for ever")
	}
	for i, a := range m.Assert {
		check("assert."+strconv.Itoa(i), a.validate())
	}
	t := table.Named(m.Table)
	if t == nil || t.Quarantine() == nil {
		var names []string
		for _, t := range table.Raw() {
			names = append(names, t.Path())
		}
		fail("table", "%q is no table that sources fill: %s", m.Table, strictyaml.Suggest(m.Table, names))
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, m.validateColumns(t))...)
}

func (m *Mapping) validateColumns(t *table.Table) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(m.Columns)) {
		c, ok := t.Column(name)
		if !ok {
			errs = append(errs, strictyaml.At("columns."+name,
				fmt.Errorf("%s has no such column: %s", t, strictyaml.Suggest(name, t.ColumnNames()))))
			continue
		}
		from := m.Columns[name]
		errs = append(errs, strictyaml.At("columns."+name, from.validate(t, c)))
		if c.Class != table.Free && !from.Hash && from.From != "" && slices.Contains(m.Free, from.From) {
			errs = append(errs, strictyaml.At("free",
				fmt.Errorf("%q tells persons apart, since it becomes %s: it cannot be free of personal data", from.From, name)))
		}
	}
	at := t.EventTime
	if _, mapped := m.Columns[at]; !mapped {
		at = t.Occurred // a source that keeps no changes: what happened changes when it happens
	}
	for _, c := range t.Columns {
		if _, ok := m.Columns[c.Name]; !ok && !c.Optional && (c.Name != t.EventTime || at == t.EventTime) {
			errs = append(errs, strictyaml.At("columns", fmt.Errorf("%s is required by %s, but not mapped", c.Name, t)))
		}
	}
	if m.Columns[at].Value != nil && dated(m.Path) {
		errs = append(errs, strictyaml.At("columns."+at,
			errors.New("a constant time needs a path without {day} and {yyyymmdd}: its rows all belong to one day")))
	}
	amount, currency := m.Columns["amount_minor"].Currency, m.Columns["currency"].Value
	if amount != "" && currency != nil && *currency != amount {
		errs = append(errs, strictyaml.At("columns.currency", fmt.Errorf("the amounts are said to be in %s", amount)))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	m.Columns[t.EventTime] = m.Columns[at]
	return nil
}

func (a Assertion) validate() error {
	var errs []error
	if len(a.Columns) == 0 {
		errs = append(errs, strictyaml.At("columns", errors.New("required: the source's columns that it is about")))
	}
	switch {
	case (len(a.OneOf) > 0) == a.Equal:
		errs = append(errs, errors.New("expected either one_of or equal: true"))
	case a.Equal && len(a.Columns) < 2:
		errs = append(errs, strictyaml.At("columns", errors.New("expected two or more to be equal")))
	}
	for i, tuple := range a.OneOf {
		if len(tuple) != len(a.Columns) {
			errs = append(errs, strictyaml.At("one_of."+strconv.Itoa(i),
				fmt.Errorf("expected %d texts, one a column", len(a.Columns))))
		}
	}
	return errors.Join(errs...)
}

// validate checks where a column's value comes from against what the contract says about it.
func (c Column) validate(t *table.Table, to table.Column) error {
	var errs []error
	fail := func(field, format string, args ...any) {
		err := fmt.Errorf(format, args...)
		if field != "" {
			err = strictyaml.At(field, err)
		}
		errs = append(errs, err)
	}
	isMoney := to.Unit == "minor"
	if (c.From == "") == (c.Value == nil) {
		fail("", "expected either from, a column of the source, or value, a constant")
	}
	if to.Type != table.Timestamp && c.Time != "" {
		fail("time", "%s is no time, its type is %s", to.Name, to.Type)
	}
	if to.Type != table.Timestamp && c.Zone != "" {
		fail("zone", "%s is no time, its type is %s", to.Name, to.Type)
	}
	if to.Type == table.Timestamp {
		if _, err := newClock(c.Time, c.Zone); err != nil {
			errs = append(errs, err)
		}
	}
	switch {
	case !isMoney && c.Money+c.Currency+c.CurrencyFrom != "":
		fail("money", "%s is no amount of money", to.Name)
	case isMoney && c.Money != "major" && c.Money != "minor":
		fail("money", "required: major or minor, the unit of the source's amounts")
	case c.Money == "minor" && c.Currency+c.CurrencyFrom != "":
		fail("currency", "only amounts in major units need one")
	case c.Money == "major" && (c.Currency == "") == (c.CurrencyFrom == ""):
		fail("currency", "expected either currency or currency_from, to know the minor unit")
	case c.CurrencyFrom != "" && c.Value != nil:
		fail("currency_from", "a constant amount has a constant currency")
	case c.Currency != "":
		if _, err := money.Exponent(c.Currency); err != nil {
			fail("currency", "%w", err)
		}
	}
	switch {
	case c.Region != "" && to.Kind != identifier.Phone:
		fail("region", "%s is no phone number", to.Name)
	case c.Region != "" && !identifier.KnownRegion(c.Region):
		fail("region", "expected the ISO 3166-1 code of a country, such as DE")
	}
	if c.Hash && to.Type != table.String {
		fail("hash", "%s is no text, its type is %s", to.Name, to.Type)
	}
	if c.Value != nil && to.Type == table.ID {
		fail("value", "%s is not the same in every row: expected from", to.Name)
	}
	if c.Map != nil && (c.Value != nil || isMoney || to.Type == table.Timestamp || to.Type == table.ID) {
		fail("map", "only texts, numbers and bools that come from a column can be mapped")
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return c.validateConstants(t, to)
}

// validateConstants reads the constants of a mapping as if a file held them.
func (c Column) validateConstants(t *table.Table, to table.Column) error {
	plain := c
	plain.Map = nil
	convert, err := plain.convert(to, reflect.New(t.Row).Elem().Field(to.Field).Addr().Interface(), identifier.Key{})
	if err != nil {
		return err
	}
	if c.Value != nil {
		if *c.Value == "" && to.Type == table.String && !to.Optional && !to.Blank {
			return strictyaml.At("value", errors.New("required, but empty"))
		}
		return strictyaml.At("value", convert([]byte(*c.Value), c.Currency))
	}
	var errs []error
	for _, text := range slices.Sorted(maps.Keys(c.Map)) {
		errs = append(errs, strictyaml.At("map."+text, convert([]byte(c.Map[text]), "")))
	}
	return errors.Join(errs...)
}

func knownEncoding(name string) bool {
	_, _, err := decode(bufio.NewReader(strings.NewReader("")), name)
	return err == nil
}

// checkPath refuses what could leave the root, and placeholders that do not exist.
func checkPath(path string) error {
	if path == "" {
		return errors.New("required: the files below the source's root, such as payments/{day}.csv")
	}
	plain := strings.NewReplacer("{day}", "2026-11-03", "{yyyymmdd}", "20261103").Replace(path)
	if strings.ContainsAny(plain, "{}") {
		return errors.New("expected {day} or {yyyymmdd} as the only placeholders")
	}
	if !fs.ValidPath(plain) || plain == "." || strings.Contains(plain, "\\") {
		return errors.New("expected a path below the source's root, with slashes and without `..`")
	}
	return nil
}
