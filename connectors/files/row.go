package files

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"crosslift/schemas/identifier"
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
