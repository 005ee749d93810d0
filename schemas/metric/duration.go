package metric

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"
)

// Duration is a whole number of hours or days from an instant; a day is 24 hours, whatever the clocks do.
type Duration time.Duration

// Day is the length of a day of a window.
const Day = 24 * time.Hour

var duration = regexp.MustCompile(`^([0-9]+)([dh])$`)

// UnmarshalText reads 30d or 12h.
func (d *Duration) UnmarshalText(text []byte) error {
	match := duration.FindStringSubmatch(string(text))
	if match == nil {
		return fmt.Errorf("expected days or hours, as 30d or 12h, found %q", text)
	}
	unit := time.Hour
	if match[2] == "d" {
		unit = Day
	}
	n, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil || n == 0 || n > math.MaxInt64/10/int64(unit) {
		return fmt.Errorf("expected from 1h to some years, found %q", text)
	}
	*d = Duration(n * int64(unit))
	return nil
}

// MarshalText is the inverse of UnmarshalText, in days where they are whole.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Duration) String() string {
	if t := d.Duration(); t%Day != 0 {
		return strconv.FormatInt(int64(t/time.Hour), 10) + "h"
	}
	return strconv.FormatInt(int64(d.Duration()/Day), 10) + "d"
}

// Duration is the length of time.
func (d Duration) Duration() time.Duration { return time.Duration(d) }
