package metric

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"crosslift/schemas/money"
	"crosslift/schemas/table"
)

// Operand is what a column is compared with, as the column's type has it: one of the fields is meant.
type Operand struct {
	Text  string  // of strings
	Int   int64   // of integers; of times microseconds since 1970, of dates days
	Float float64 // of floats
	Bool  bool    // of bools
}

// ParseOperand reads an operand of a column of some type.
func ParseOperand(of table.Type, text string) (o Operand, err error) {
	switch of {
	case table.String:
		o.Text = text
	case table.Int:
		if o.Int, err = money.Decimal(text, 0); err != nil {
			err = fmt.Errorf("expected a whole number, found %q", text)
		}
	case table.Float:
		var ok bool
		if o.Float, ok = finite(text); !ok {
			err = fmt.Errorf("expected a number, found %q", text)
		}
	case table.Bool:
		if o.Bool = text == "true"; !o.Bool && text != "false" {
			err = fmt.Errorf("expected true or false, found %q", text)
		}
	case table.Timestamp:
		at, bad := time.Parse(time.RFC3339, text)
		at = at.UTC()
		if o.Int = at.UnixMicro(); bad != nil || at.Nanosecond()%1000 != 0 || at.Year() < 1 || at.Year() > 9999 {
			err = fmt.Errorf("expected an RFC 3339 time, to the microsecond at most, as 2026-11-03T12:00:00Z, found %q", text)
		}
	case table.Date:
		var day table.Day
		day, err = table.ParseDay(text)
		o.Int = int64(day)
	default:
		err = fmt.Errorf("a column of type %s is compared with nothing", of)
	}
	return o, err
}

// format writes an operand in the one way of its type.
func (o Operand) format(of table.Type) string {
	switch of {
	case table.Int:
		return strconv.FormatInt(o.Int, 10)
	case table.Float:
		return strconv.FormatFloat(o.Float, 'g', -1, 64)
	case table.Bool:
		return strconv.FormatBool(o.Bool)
	case table.Timestamp:
		return time.UnixMicro(o.Int).UTC().Format(time.RFC3339Nano)
	case table.Date:
		return table.Day(o.Int).String()
	}
	return o.Text
}

// compare orders operands of one type.
func (o Operand) compare(other Operand) int {
	return cmp.Or(strings.Compare(o.Text, other.Text), cmp.Compare(o.Int, other.Int), cmp.Compare(o.Float, other.Float))
}
