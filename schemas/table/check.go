package table

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"

	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
)

// checker is implemented by row types whose contract has rules across columns.
type checker interface{ check() error }

// Check says what is wrong with a row (a pointer to the table's row type), or nil. Its message names columns and what
// was expected, never a value.
func (t *Table) Check(row any) error {
	v := reflect.ValueOf(row).Elem()
	for _, c := range t.Columns {
		field := v.Field(c.Field)
		if c.Optional {
			if field.IsZero() {
				continue
			}
			if field.Kind() == reflect.Pointer {
				field = field.Elem()
			}
		}
		switch c.Type {
		case String:
			if !c.Blank && field.Len() == 0 {
				return fmt.Errorf("%s: required, but empty", c.Name)
			}
			if c.Unit == "currency" {
				if _, err := money.Exponent(field.String()); err != nil {
					return fmt.Errorf("%s: %w", c.Name, err)
				}
			}
		case ID:
			if field.Interface() == (identifier.ID{}) {
				return fmt.Errorf("%s: required, but empty", c.Name)
			}
		case Float:
			if !finite(field.Float()) {
				return fmt.Errorf("%s: expected a finite number", c.Name)
			}
		}
	}
	if row, ok := row.(checker); ok {
		return row.check()
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// TimeOf is the instant that decides a row's day; ok is false for tables without an event time.
func (t *Table) TimeOf(row any) (at Micros, ok bool) {
	c, ok := t.Column(t.EventTime)
	if !ok {
		return 0, false
	}
	return Micros(reflect.ValueOf(row).Elem().Field(c.Field).Int()), true
}

// Names reports whether a row holds an identifier of a set.
func (t *Table) Names(row any, set identifier.Set) bool {
	if len(set) == 0 {
		return false
	}
	v := reflect.ValueOf(row).Elem()
	return slices.ContainsFunc(t.Columns, func(c Column) bool {
		return c.Type == ID && set.Has(v.Field(c.Field).Interface().(identifier.ID))
	})
}

// Text prints a column's value as the lake's readers show it; "" for an absent one.
func (t *Table) Text(row any, column Column) string {
	v := reflect.ValueOf(row).Elem().Field(column.Field)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	switch column.Type {
	case Int:
		return strconv.FormatInt(v.Int(), 10)
	case Float:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case Bool:
		return strconv.FormatBool(v.Bool())
	case Timestamp:
		return Micros(v.Int()).Time().Format("2006-01-02T15:04:05.999999Z07:00")
	case Date:
		return Day(v.Int()).String()
	case ID:
		if id := v.Interface().(identifier.ID); !id.IsZero() {
			return id.String()
		}
		return ""
	default:
		return v.String()
	}
}

func someone(account, device identifier.ID) error {
	if account.IsZero() && device.IsZero() {
		return fmt.Errorf("account, device: one of them is required")
	}
	return nil
}

func (r *ExposureRow) check() error   { return someone(r.Account, r.Device) }
func (r *AssignmentRow) check() error { return someone(r.Account, r.Device) }

func (r *RefundRow) check() error  { return positive(r.AmountMinor) }
func (r *DisputeRow) check() error { return positive(r.AmountMinor) }

func (r *BankTransactionRow) check() error { return directed(r.AmountMinor, r.Direction) }
func (r *BankAccrualRow) check() error     { return directed(r.AmountMinor, r.Direction) }

func positive(amountMinor int64) error {
	if amountMinor < 0 {
		return fmt.Errorf("amount_minor: expected no sign")
	}
	return nil
}

// directed holds amounts whose sign is said beside them.
func directed(amountMinor int64, direction string) error {
	if direction != "debit" && direction != "credit" {
		return fmt.Errorf("direction: expected debit or credit")
	}
	return positive(amountMinor)
}
