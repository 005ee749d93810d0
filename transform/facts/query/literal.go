package query

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"crosslift/schemas/metric"
	"crosslift/schemas/table"
)

// quote writes text as a literal. In DuckDB only the quote itself needs care: a backslash means itself.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// list writes texts as what IN compares with.
func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, s := range texts {
		quoted[i] = quote(s)
	}
	return "(" + strings.Join(quoted, ", ") + ")"
}

// instant writes a time in UTC, whatever the session's zone.
func instant(t time.Time) string {
	return "TIMESTAMPTZ " + quote(t.UTC().Format("2006-01-02 15:04:05.999999")+"+00")
}

// interval writes a span of time in hours where they are whole: a DAY of DuckDB follows the clocks of the session's zone.
func interval(d metric.Duration) string {
	if d := d.Duration(); d%time.Hour != 0 {
		return fmt.Sprintf("INTERVAL %d MICROSECOND", d.Microseconds())
	}
	return fmt.Sprintf("INTERVAL %d HOUR", d.Duration()/time.Hour)
}

// number writes a float so that DuckDB reads the same one: decimal digits are exact up to 15, an exponent makes it parse a
// float at once.
func number(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	if s := strconv.FormatFloat(x, 'f', -1, 64); len(s) <= 15 {
		return s
	}
	return strconv.FormatFloat(x, 'e', -1, 64)
}

// operand writes what a column is compared with, as the check of filters has found it to be: a time, a day, true or false.
func operand(c table.Column, s string) string {
	switch c.Type {
	case table.Int:
		return strings.TrimPrefix(s, "+")
	case table.Float:
		x, _ := strconv.ParseFloat(s, 64)
		return number(x)
	case table.Bool:
		return s
	case table.Timestamp:
		t, _ := time.Parse(time.RFC3339, s)
		return instant(t)
	case table.Date:
		return "DATE " + quote(s)
	}
	return quote(s)
}
