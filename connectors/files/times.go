package files

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

// clock reads times written in one way. It belongs to one goroutine.
type clock struct {
	layout   string
	expected string
	zone     *time.Location // of times without an offset; nil when they must have one

	// Between from and to, in seconds of the wall clock as if it were UTC, the zone's offset is known to be offset.
	from, to, offset int64
}

// The ways to write a time that are not layouts of package time.
const (
	layoutRFC3339   = "rfc3339" // also with a space for the T, and without an offset where there is a zone
	layoutUnix      = "unix"
	layoutUnixMilli = "unix_ms"
)

// newClock makes a clock; layout "" is rfc3339. Its errors are marked with the field of a mapping.
func newClock(layout, zone string) (*clock, error) {
	c := &clock{layout: layout, expected: "expected a time like " + layout}
	var err error
	if zone != "" {
		if c.zone, err = loadZone(zone); err != nil {
			return nil, strictyaml.At("zone", err)
		}
	}
	switch layout {
	case "", layoutRFC3339:
		c.layout, c.expected = layoutRFC3339, "expected a time like 2006-01-02T15:04:05Z"
		if c.zone != nil {
			c.expected = "expected a time like 2006-01-02T15:04:05"
		}
		return c, nil
	case layoutUnix, layoutUnixMilli:
		c.expected = map[string]string{
			layoutUnix: "expected seconds since 1970", layoutUnixMilli: "expected milliseconds since 1970",
		}[layout]
		if c.zone != nil {
			return nil, strictyaml.At("zone", fmt.Errorf("%s needs none", layout))
		}
		return c, nil
	}
	if err := checkLayout(layout); err != nil {
		return nil, strictyaml.At("time", err)
	}
	switch {
	case hasOffset(layout) && c.zone != nil:
		return nil, strictyaml.At("zone", errors.New("the times carry their own offset"))
	case !hasOffset(layout) && c.zone == nil:
		return nil, strictyaml.At("zone",
			errors.New("required, since the times carry no offset: a name such as Europe/Moscow or UTC"))
	}
	return c, nil
}

// loadZone finds a zone by its name in the tz database.
func loadZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" || name == "" {
		return nil, fmt.Errorf("%q is no time zone: expected a name such as Europe/Moscow or UTC", name)
	}
	return zone, nil
}

func hasOffset(layout string) bool {
	return strings.Contains(layout, "Z07") || strings.Contains(layout, "-07")
}

// checkLayout refuses a layout that does not give back the time it wrote, such as YYYY-MM-DD or one with hours to 12.
func checkLayout(layout string) error {
	if strings.Contains(layout, "MST") {
		return errors.New("an abbreviation such as MST says no zone for certain: leave it out and give the zone")
	}
	written := time.Date(2031, 11, 23, 17, 45, 56, 0, time.UTC)
	read, err := time.Parse(layout, written.Format(layout))
	for _, precision := range []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour} {
		if err == nil && read.Equal(written.Truncate(precision)) {
			return nil
		}
	}
	return errors.New("expected unix, unix_ms, rfc3339, or how the source would write " +
		"2006-01-02 15:04:05 (2 January 2006, 3:04:05 p.m.)")
}

// parse reads a time.
func (c *clock) parse(text []byte) (at table.Micros, ok bool) {
	switch c.layout {
	case layoutUnix:
		return scaled(text, 1_000_000)
	case layoutUnixMilli:
		return scaled(text, 1_000)
	case layoutRFC3339:
		wall, micros, rest, ok := iso(text)
		if !ok {
			return 0, false
		}
		if len(rest) == 0 {
			return c.local(wall, micros)
		}
		offset, ok := isoOffset(rest)
		return inRange(wall-offset, micros, ok)
	case time.DateTime, "2006-01-02T15:04:05": // what is a little different is left to package time
		if len(text) > 10 && text[10] == c.layout[10] {
			if wall, micros, rest, ok := iso(text); ok && len(rest) == 0 {
				return c.local(wall, micros)
			}
		}
	}
	t, err := time.Parse(c.layout, string(text))
	if err != nil {
		return 0, false
	}
	if c.zone == nil {
		return inRange(t.Unix(), int64(t.Nanosecond()/1000), true)
	}
	return c.local(t.Unix(), int64(t.Nanosecond()/1000))
}

// scaled reads a whole number of a unit of so many microseconds.
func scaled(text []byte, micros int64) (table.Micros, bool) {
	n, err := whole(text)
	if err != nil || n > math.MaxInt64/micros || n < math.MinInt64/micros {
		return 0, false
	}
	seconds := n * micros / 1_000_000
	rest := n * micros % 1_000_000
	if rest < 0 {
		seconds, rest = seconds-1, rest+1_000_000
	}
	return inRange(seconds, rest, true)
}

// The years that a date of four digits can name.
var (
	firstSecond = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC).Unix()
	lastSecond  = time.Date(9999, 12, 30, 0, 0, 0, 0, time.UTC).Unix()
)

func inRange(seconds, micros int64, ok bool) (table.Micros, bool) {
	if !ok || seconds < firstSecond || seconds > lastSecond {
		return 0, false
	}
	return table.Micros(seconds*1_000_000 + micros), true
}

// local gives the instant at which the clocks of the zone show a wall time. An hour that they show twice is its first;
// one that they skip is no time.
func (c *clock) local(wall, micros int64) (table.Micros, bool) {
	if c.zone == nil {
		return 0, false
	}
	if wall >= c.from && wall < c.to {
		return inRange(wall-c.offset, micros, true)
	}
	// The offsets a day before and a day after are the only ones that the wall time can have.
	before, after := c.offsetAt(wall-86400), c.offsetAt(wall+86400)
	for _, offset := range []int64{max(before, after), min(before, after)} { // the larger offset is the earlier instant
		if c.offsetAt(wall-offset) == offset {
			if before == after {
				c.remember(wall, offset)
			}
			return inRange(wall-offset, micros, true)
		}
	}
	return 0, false
}

func (c *clock) offsetAt(seconds int64) int64 {
	_, offset := time.Unix(seconds, 0).In(c.zone).Zone()
	return int64(offset)
}

// remember notes around a wall time for how long its offset is beyond doubt: more than a day from any change.
func (c *clock) remember(wall, offset int64) {
	start, end := time.Unix(wall-offset, 0).In(c.zone).ZoneBounds()
	c.offset, c.from, c.to = offset, math.MinInt64, math.MaxInt64
	if !start.IsZero() {
		c.from = start.Unix() + offset + 86400
	}
	if !end.IsZero() {
		c.to = end.Unix() + offset - 86400
	}
}

// iso reads YYYY-MM-DD, T or a space, hh:mm:ss and a fraction, cut to microseconds. Wall is in seconds as if it were
// UTC.
func iso(b []byte) (wall, micros int64, rest []byte, ok bool) {
	if len(b) < 19 || b[4] != '-' || b[7] != '-' || b[13] != ':' || b[16] != ':' ||
		b[10] != 'T' && b[10] != ' ' && b[10] != 't' {
		return 0, 0, nil, false
	}
	ok = true
	number := func(from, to, least, most int) int64 {
		n := 0
		for _, c := range b[from:to] {
			if c < '0' || c > '9' {
				ok = false
			}
			n = n*10 + int(c-'0')
		}
		ok = ok && n >= least && n <= most
		return int64(n)
	}
	year, month, day := number(0, 4, 1, 9999), number(5, 7, 1, 12), number(8, 10, 1, 31)
	hour, minute, second := number(11, 13, 0, 23), number(14, 16, 0, 59), number(17, 19, 0, 59)
	if !ok || day > 28 && day > daysIn(year, month) {
		return 0, 0, nil, false
	}
	rest = b[19:]
	if len(rest) > 0 && (rest[0] == '.' || rest[0] == ',') {
		i, unit := 1, int64(100_000)
		for ; i < len(rest) && rest[i] >= '0' && rest[i] <= '9'; i++ {
			micros += int64(rest[i]-'0') * unit
			unit /= 10
		}
		if i == 1 {
			return 0, 0, nil, false
		}
		rest = rest[i:]
	}
	return civil(year, month, day)*86400 + hour*3600 + minute*60 + second, micros, rest, true
}

// isoOffset reads Z or ±hh[:][mm].
func isoOffset(b []byte) (seconds int64, ok bool) {
	if len(b) == 1 && (b[0] == 'Z' || b[0] == 'z') {
		return 0, true
	}
	digits := make([]byte, 0, 4)
	for i, c := range b[1:] {
		switch {
		case c >= '0' && c <= '9' && len(digits) < 4:
			digits = append(digits, c-'0')
		case c != ':' || i != 2 || len(b) != 6:
			return 0, false
		}
	}
	if len(digits) == 2 {
		digits = append(digits, 0, 0)
	}
	if b[0] != '+' && b[0] != '-' || len(digits) != 4 || digits[0]*10+digits[1] > 23 || digits[2] > 5 {
		return 0, false
	}
	seconds = int64(digits[0]*10+digits[1])*3600 + int64(digits[2]*10+digits[3])*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func daysIn(year, month int64) int64 {
	return civil(year+month/12, month%12+1, 1) - civil(year, month, 1)
}

// civil is the number of days from 1970-01-01 to a date of the proleptic Gregorian calendar (H. Hinnant,
// "chrono-Compatible Low-Level Date Algorithms", days_from_civil), for years from 1.
func civil(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	yearOfEra := year - era*400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}
