package table

import (
	"fmt"
	"time"
)

// Day is a business day: the value of a partition's dt, in days since 1970-01-01. It has no zone of its own; Window
// gives the instants it covers in the business's zone.
type Day int32

// ParseDay reads YYYY-MM-DD.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a day: expected YYYY-MM-DD", s)
	}
	return Day(t.Unix() / 86400), nil
}

// DayOf is the business day of an instant in a zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func (d Day) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }

// MarshalText and UnmarshalText make days read YYYY-MM-DD in JSON and YAML.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (d *Day) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDay(string(text))
	return err
}

// Window is a half-open span of time [From, To).
type Window struct{ From, To time.Time }

// Window is the day's span in a zone: 24 hours, or 23 or 25 where the clocks change.
func (d Day) Window(zone *time.Location) Window { return Span(d, d, zone) }

// Span is the window from the start of one day to the end of another.
func Span(from, to Day, zone *time.Location) Window {
	return Window{From: from.start(zone), To: (to + 1).start(zone)}
}

// start is the first instant of the day. Where midnight does not exist, because the clocks jump over it, that is the
// instant of the jump.
func (d Day) start(zone *time.Location) time.Time {
	y, m, day := time.Unix(int64(d)*86400, 0).UTC().Date()
	t := time.Date(y, m, day, 0, 0, 0, 0, zone)
	for DayOf(t, zone) < d { // time.Date may resolve a skipped midnight to the hour before the jump
		t = t.Add(15 * time.Minute)
	}
	for before := t.Add(-time.Hour); DayOf(before, zone) == d; before = before.Add(-time.Hour) {
		t = before // clocks set back over midnight: the day starts at its first midnight
	}
	return t
}

// Contains reports whether an instant lies in the window.
func (w Window) Contains(t time.Time) bool { return !t.Before(w.From) && t.Before(w.To) }

func (w Window) String() string {
	return fmt.Sprintf("[%s, %s)", w.From.Format(time.RFC3339), w.To.Format(time.RFC3339))
}
