package pgread

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// row builds rows of the lake from the texts of mapped columns. The one that it holds is filled again for each.
type row struct {
	value any // a pointer to the table's row type
	set   []func(text sql.RawBytes) error
	sum   *int64 // of the column that is summed; nil without one
}

// newRow prepares the columns of a valid spec.
func newRow(s *Spec, key identifier.Key) (*row, error) {
	v := reflect.New(s.To.Row)
	r := &row{value: v.Interface()}
	for _, c := range s.To.Columns {
		from := s.From.Columns[c.Name]
		field := v.Elem().Field(c.Field)
		read := from.reader(c, field.Addr().Interface(), key)
		switch {
		case from.Value != nil:
			if err := read(*from.Value); err != nil {
				return nil, err
			}
		case from.From != "":
			r.set = append(r.set, from.setter(c, field, read))
		}
		if c.Name == s.Sum {
			r.sum = field.Addr().Interface().(*int64)
		}
	}
	return r, nil
}

// fill sets the row from the columns; an error says what is wrong with them, without values.
func (r *row) fill(texts []sql.RawBytes) error {
	for i, set := range r.set {
		if err := set(texts[i]); err != nil {
			return err
		}
	}
	return nil
}

// setter sets a field from a column's text, or from its absence.
func (c Column) setter(to table.Column, field reflect.Value, read func(string) error) func(sql.RawBytes) error {
	absent := fmt.Errorf("%s: required, but absent", to.Name)
	if to.Optional || to.Type == table.String || to.Type == table.ID { // the contract's own check knows the others
		absent = nil
	}
	return func(text sql.RawBytes) error {
		if text == nil {
			field.SetZero()
			return absent
		}
		meaning := string(text)
		if c.Map != nil {
			var ok bool
			if meaning, ok = c.Map[meaning]; !ok {
				return fmt.Errorf("%s: expected one of the %d texts of its map", to.Name, len(c.Map))
			}
		}
		if err := read(meaning); err != nil {
			return fmt.Errorf("%s: %w", to.Name, err)
		}
		return nil
	}
}

// constant says what is wrong with the value of a column.
func (c Column) constant(to table.Column) error {
	if *c.Value == "" && to.Type == table.String && !to.Optional && !to.Blank {
		return errors.New("required, but empty")
	}
	target := map[table.Type]any{
		table.String: new(string), table.Int: new(int64), table.Bool: new(bool), table.Timestamp: new(table.Micros),
	}[to.Type]
	if target == nil {
		return fmt.Errorf("%s cannot be a constant", to.Name)
	}
	return c.reader(to, target, identifier.Key{})(*c.Value)
}

// reader makes the function that reads a text into a field, of which to is the address.
func (c Column) reader(column table.Column, to any, key identifier.Key) func(string) error {
	switch column.Type {
	case table.ID:
		return c.identifiers(column.Kind, to.(*identifier.ID), key)
	case table.String:
		to := to.(*string)
		return func(text string) (err error) {
			*to, err = c.text(column, text, key)
			return err
		}
	case table.Int:
		return into(to, func(text string) (int64, error) { return money.Decimal(text, 0) })
	case table.Bool:
		return into(to, truth)
	case table.Timestamp:
		return into(to, micros)
	}
	return func(string) error { return fmt.Errorf("a column of type %s is not read from databases", column.Type) }
}

// into gives a function that stores what read gives in a field: a T, or, for an optional one, a pointer to a T.
func into[T any](to any, read func(string) (T, error)) func(string) error {
	if optional, ok := to.(**T); ok {
		return func(text string) error {
			x, err := read(text)
			*optional = &x // always a new one: whoever copies the row copies the pointer
			return err
		}
	}
	field := to.(*T)
	return func(text string) (err error) {
		*field, err = read(text)
		return err
	}
}

// text keeps a text as it stands, or its keyed hash.
func (c Column) text(to table.Column, text string, key identifier.Key) (string, error) {
	if c.Hash {
		id, err := key.Hash(identifier.Kind(to.Name), text)
		if err != nil {
			return "", nil // a placeholder: the contract says whether the row can do without
		}
		return id.String(), nil
	}
	if strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) { // as a database with encoding SQL_ASCII may hold it
		return "", errors.New("expected UTF-8 text without NUL bytes")
	}
	return text, nil
}

// cacheSize bounds the cache of identifiers; a full one is emptied.
const cacheSize = 1 << 16

// identifiers stores a text's keyed hash. What identifies nobody, a placeholder or a phone number that cannot exist,
// leaves the field empty: the contract says whether the row still has someone.
func (c Column) identifiers(kind identifier.Kind, to *identifier.ID, key identifier.Key) func(string) error {
	hash := func(text string) (identifier.ID, error) {
		if kind == identifier.Phone {
			return key.Phone(text, c.Region)
		}
		return key.Hash(kind, text)
	}
	known := map[string]identifier.ID{}
	return func(text string) error {
		id, ok := known[text]
		if !ok {
			var err error
			id, err = hash(text)
			if err != nil && !errors.Is(err, identifier.ErrBlocked) && !errors.Is(err, identifier.ErrInvalid) {
				return err
			}
			if len(known) == cacheSize {
				clear(known)
			}
			known[text] = id
		}
		*to = id
		return nil
	}
}

// truth reads a bool as PostgreSQL and its clients write it.
func truth(text string) (bool, error) {
	switch text {
	case "true", "t", "1":
		return true, nil
	case "false", "f", "0":
		return false, nil
	}
	return false, errors.New("expected true or false")
}

var errYear = errors.New("expected a time from year 1 to 9999")

// micros reads a timestamptz as PostgreSQL prints it with DateStyle ISO and TimeZone UTC, or RFC 3339 from a setting.
// There are infinite ones and ones before Christ, which are no times of ours.
func micros(text string) (table.Micros, error) {
	t, err := time.Parse("2006-01-02 15:04:05.999999Z07", text)
	if err != nil {
		if t, err = time.Parse(time.RFC3339, text); err != nil {
			return 0, errYear
		}
	}
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		return 0, errYear
	}
	return table.MicrosOf(t), nil
}
