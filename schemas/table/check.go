package table

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unsafe"

	"crosslift/schemas/identifier"
	"crosslift/schemas/money"
)

// checker is implemented by row types whose contract has rules across columns.
type checker interface{ check() error }

// Check says what is wrong with a row (a pointer to the table's row type), or nil. Its message names columns and what
// was expected, never a value.
func (t *Table) Check(row any) error {
	if reflect.TypeOf(row) != t.pointer {
		return fmt.Errorf("a row of type %T instead of %s", row, t.pointer)
	}
	base := reflect.ValueOf(row).UnsafePointer()
	for i := range t.ruled {
		if err := t.ruled[i].check(base); err != nil {
			return fmt.Errorf("%s: %w", t.ruled[i].Name, err)
		}
	}
	if t.checks {
		return row.(checker).check()
	}
	return nil
}

// ruled is a column with a rule of its own, and where it lies in a row.
type ruled struct {
	Column
	offset uintptr
	ptr    bool
}

var (
	errEmpty  = errors.New("required, but empty")
	errFinite = errors.New("expected a finite number")
)

func (c *ruled) check(row unsafe.Pointer) error {
	p := unsafe.Add(row, c.offset)
	if c.ptr {
		if p = *(*unsafe.Pointer)(p); p == nil {
			return nil
		}
	}
	switch c.Type {
	case String:
		switch s := *(*string)(p); {
		case s == "" && c.Optional:
		case s == "" && !c.Blank:
			return errEmpty
		case c.Unit == "currency":
			_, err := money.Exponent(s)
			return err
		}
	case ID:
		if (*identifier.ID)(p).IsZero() {
			return errEmpty
		}
	case Float:
		if !finite(*(*float64)(p)) {
			return errFinite
		}
	}
	return nil
}

// rules lists the columns of a row type whose values need looking at.
func (t *Table) rules() {
	for _, c := range t.Columns {
		f := t.Row.Field(c.Field)
		if c.Type == Float || c.Type == ID && !c.Optional || c.Type == String && (c.Unit == "currency" || !c.Optional && !c.Blank) {
			t.ruled = append(t.ruled, ruled{c, f.Offset, f.Type.Kind() == reflect.Pointer})
		}
	}
	t.pointer = reflect.PointerTo(t.Row)
	t.checks = t.pointer.Implements(reflect.TypeFor[checker]())
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
