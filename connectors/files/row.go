package files

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// row builds rows of a table from records. The one row that it holds is filled again for each record.
type row struct {
	columns []string // of the source, as the reader is to select them
	at      func(Record) (table.Micros, error)
	set     []func(Record) error
	asserts []func(Record) error
	row     reflect.Value // a pointer to the table's row type
}

// newRow prepares a mapping that has been validated.
func newRow(t *table.Table, m *Mapping, key identifier.Key) (*row, error) {
	r := &row{row: reflect.New(t.Row)}
	for _, c := range t.Columns { // in the contract's order, so that the first reason is always the same
		from, ok := m.Columns[c.Name]
		if !ok {
			continue
		}
		set, err := r.setter(c, from, key)
		if err != nil {
			return nil, fmt.Errorf("columns.%s: %w", c.Name, err)
		}
		if c.Name != t.EventTime {
			r.set = append(r.set, set)
			continue
		}
		at := r.row.Elem().Field(c.Field).Addr().Interface().(*table.Micros)
		r.at = func(rec Record) (table.Micros, error) {
			err := set(rec)
			return *at, err
		}
	}
	for _, a := range m.Assert {
		r.asserts = append(r.asserts, r.assertion(a))
	}
	return r, nil
}

// index numbers a column of the source.
func (r *row) index(column string) int {
	for i, c := range r.columns {
		if c == column {
			return i
		}
	}
	r.columns = append(r.columns, column)
	return len(r.columns) - 1
}

// fill sets the row from a record whose time has been read; an error says what the record breaks, without values.
func (r *row) fill(rec Record) error {
	for _, holds := range r.asserts {
		if err := holds(rec); err != nil {
			return err
		}
	}
	for _, set := range r.set {
		if err := set(rec); err != nil {
			return err
		}
	}
	return nil
}

// convertFunc reads a text into the field it was made for.
type convertFunc func(text []byte, currency string) error

// setter fills a column's field from a record.
func (r *row) setter(c table.Column, from Column, key identifier.Key) (func(Record) error, error) {
	field := r.row.Elem().Field(c.Field)
	convert, err := from.convert(c, field.Addr().Interface(), key)
	if err != nil {
		return nil, err
	}
	named := func(err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		return nil
	}
	if from.Value != nil {
		if err := convert([]byte(*from.Value), from.Currency); err != nil {
			return nil, err
		}
		return func(Record) error { return nil }, nil
	}
	i, currencyAt := r.index(from.From), -1
	if from.CurrencyFrom != "" {
		currencyAt = r.index(from.CurrencyFrom)
	}
	absent := named(errors.New("required, but absent"))
	if c.Optional || c.Type == table.String { // the contract's own check knows required texts that may be empty
		absent = nil
	}
	return func(rec Record) error {
		text, present := rec.Cell(i)
		if !present {
			field.SetZero()
			return absent
		}
		currency := from.Currency
		if currencyAt >= 0 {
			code, _ := rec.Cell(currencyAt)
			currency = string(bytes.TrimSpace(code))
		}
		return named(convert(text, currency))
	}, nil
}

// convert makes the function that reads a column's text into its field, of which to is the address.
func (c Column) convert(column table.Column, to any, key identifier.Key) (convertFunc, error) {
	var convert convertFunc
	switch column.Type {
	case table.String:
		convert = c.texts(column, to.(*string), key)
	case table.ID:
		convert = identifiers(column.Kind, to.(*identifier.ID), key)
	case table.Timestamp:
		clock, err := newClock(c.Time, c.Zone)
		if err != nil {
			return nil, err
		}
		expected := errors.New(clock.expected)
		convert = into(to, func(text []byte, _ string) (table.Micros, error) {
			at, ok := clock.parse(bytes.TrimSpace(text))
			if !ok {
				return 0, expected
			}
			return at, nil
		})
	case table.Int:
		convert = into(to, c.integer)
	case table.Float:
		convert = into(to, number)
	case table.Bool:
		convert = into(to, func(text []byte, _ string) (bool, error) { return truth(text) })
	case table.Date:
		convert = into(to, func(text []byte, _ string) (table.Day, error) {
			day, err := table.ParseDay(string(text))
			if err != nil {
				return 0, errors.New("expected a day as YYYY-MM-DD")
			}
			return day, nil
		})
	}
	if c.Map == nil {
		return convert, nil
	}
	meanings := map[string][]byte{}
	for text, meaning := range c.Map {
		meanings[text] = []byte(meaning)
	}
	unknown := fmt.Errorf("expected one of the %d texts of the mapping", len(meanings))
	return func(text []byte, currency string) error {
		meaning, ok := meanings[string(text)]
		if !ok {
			return unknown
		}
		return convert(meaning, currency)
	}, nil
}

// into gives a function that stores what read gives in a field: a T, or, for an optional one, a pointer to a T.
func into[T any](to any, read func(text []byte, currency string) (T, error)) convertFunc {
	if optional, ok := to.(**T); ok {
		return func(text []byte, currency string) error {
			x, err := read(text, currency)
			*optional = &x // always a new one: whoever copies the row copies the pointer
			return err
		}
	}
	field := to.(*T)
	return func(text []byte, currency string) (err error) {
		*field, err = read(text, currency)
		return err
	}
}

// cacheSize bounds the caches of texts and identifiers; a full one is emptied.
const cacheSize = 1 << 16

// texts stores a text as it stands, or its keyed hash.
func (c Column) texts(column table.Column, to *string, key identifier.Key) convertFunc {
	known := map[string]string{}
	return func(text []byte, _ string) error {
		switch {
		case c.Hash:
			id, err := key.Hash(identifier.Kind(column.Name), string(text))
			if err == nil {
				*to = id.String()
			} else {
				*to = ""
			}
			return nil
		case bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text):
			return errors.New("expected UTF-8 text without NUL bytes")
		case !column.Dict:
			*to = string(text)
			return nil
		}
		s, ok := known[string(text)]
		if !ok {
			if len(known) == cacheSize {
				clear(known)
			}
			s = string(text)
			known[s] = s
		}
		*to = s
		return nil
	}
}

// identifiers stores a text's keyed hash. What identifies nobody leaves the field empty: the contract says whether the
// row still has someone.
func identifiers(kind identifier.Kind, to *identifier.ID, key identifier.Key) convertFunc {
	known := map[string]identifier.ID{}
	return func(text []byte, _ string) error {
		id, ok := known[string(text)]
		if !ok {
			var err error
			if id, err = key.Hash(kind, string(text)); err != nil && !errors.Is(err, identifier.ErrBlocked) {
				return err
			}
			if len(known) == cacheSize {
				clear(known)
			}
			known[string(text)] = id
		}
		*to = id
		return nil
	}
}

func whole(text []byte) (int64, error) { return money.Decimal(text, 0) }

func (c Column) integer(text []byte, currency string) (int64, error) {
	text = bytes.TrimSpace(text)
	if c.Money == "major" {
		return money.Parse(text, currency)
	}
	return whole(text)
}

var errNumber = errors.New("expected a number, true or false")

// number reads a number, or a bool as 1 or 0.
func number(text []byte, _ string) (float64, error) {
	text = bytes.TrimSpace(text)
	x, err := strconv.ParseFloat(string(text), 64)
	if err == nil {
		if x-x != 0 || strings.ContainsAny(string(text), "xXpP_") { // infinite, not a number, or hexadecimal
			return 0, errNumber
		}
		return x, nil
	}
	yes, err := truth(text)
	if err != nil {
		return 0, errNumber
	}
	if yes {
		return 1, nil
	}
	return 0, nil
}

var errBool = errors.New("expected true, false, 1 or 0")

func truth(text []byte) (bool, error) {
	switch {
	case string(text) == "1" || len(text) == 4 && strings.EqualFold(string(text), "true"):
		return true, nil
	case string(text) == "0" || len(text) == 5 && strings.EqualFold(string(text), "false"):
		return false, nil
	}
	return false, errBool
}

// assertion prepares a rule over the source's columns.
func (r *row) assertion(a Assertion) func(Record) error {
	reason := a.Reason
	if reason == "" {
		reason = strings.Join(a.Columns, ", ") + ": not one of the allowed combinations"
		if a.Equal {
			reason = strings.Join(a.Columns, ", ") + ": expected to be equal"
		}
	}
	broken := errors.New(reason)
	indexes := make([]int, len(a.Columns))
	for i, c := range a.Columns {
		indexes[i] = r.index(c)
	}
	text := func(rec Record, i int) []byte {
		value, present := rec.Cell(indexes[i])
		if !present {
			return nil
		}
		return value
	}
	if a.Equal {
		return func(rec Record) error {
			for i := 1; i < len(indexes); i++ {
				if !bytes.Equal(text(rec, 0), text(rec, i)) {
					return broken
				}
			}
			return nil
		}
	}
	return func(rec Record) error {
	tuples:
		for _, tuple := range a.OneOf {
			for i, want := range tuple {
				if string(text(rec, i)) != want {
					continue tuples
				}
			}
			return nil
		}
		return broken
	}
}
