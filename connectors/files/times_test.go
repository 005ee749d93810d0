package files

import (
	"strings"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ layout, zone, text, want string }{
		{"2006-01-02 15:04:05", "Europe/Moscow", "2026-11-03 00:00:00", "2026-11-02T21:00:00Z"},
		{"2006-01-02 15:04:05", "UTC", "2017-01-21 22:11:48.556739", "2017-01-21T22:11:48.556739Z"},
		{"2006-01-02 15:04:05", "UTC", "2017-01-21 22:11:48.9999999", "2017-01-21T22:11:48.999999Z"}, // cut, not rounded
		{"2006-01-02 15:04:05", "UTC", "2017-01-21T22:11:48", ""},
		{"2006-01-02 15:04:05", "UTC", "2017-01-21 22:11:48Z", ""},
		{"2006-01-02 15:04:05", "UTC", "2017-02-29 00:00:00", ""},
		{"2006-01-02 15:04:05", "UTC", "2016-12-31 23:59:60", ""},
		{"2006-01-02 15:04:05", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z"}, // of two, the first
		{"2006-01-02 15:04:05", "Europe/Berlin", "2026-10-25 03:00:00", "2026-10-25T02:00:00Z"},
		{"2006-01-02 15:04:05", "Europe/Berlin", "2026-03-29 02:30:00", ""}, // the clocks skip it
		{"2006-01-02 15:04:05", "Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T14:45:00Z"},
		{"02.01.2006", "Europe/Moscow", "03.11.2026", "2026-11-02T21:00:00Z"},
		{"02.01.2006 15:04", "Europe/Berlin", "29.03.2026 02:30", ""},
		{"2006-01-02T15:04:05-0700", "", "2026-11-03T00:00:00+0300", "2026-11-02T21:00:00Z"},
		{"", "", "2026-11-03T00:00:00+05:30", "2026-11-02T18:30:00Z"},
		{"rfc3339", "", "2026-11-03 00:00:00.5-03", "2026-11-03T03:00:00.5Z"},
		{"rfc3339", "", "2026-11-03T00:00:00", ""},
		{"rfc3339", "UTC", "2026-11-03T00:00:00", "2026-11-03T00:00:00Z"},
		{"rfc3339", "UTC", "2026-11-03T00:00:00+01:00", "2026-11-02T23:00:00Z"},
		{"rfc3339", "", "2026-11-03T00:00:00+24:00", ""},
		{"unix", "", "1700000000", "2023-11-14T22:13:20Z"},
		{"unix", "", "-1", "1969-12-31T23:59:59Z"},
		{"unix", "", "1700000000000", ""}, // milliseconds
		{"unix", "", "9223372036854775807", ""},
		{"unix", "", "1.5", ""},
		{"unix_ms", "", "1700000000123", "2023-11-14T22:13:20.123Z"},
		{"unix_ms", "", "-1", "1969-12-31T23:59:59.999Z"},
	} {
		clock, err := newClock(c.layout, c.zone)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		for range 2 {
			at, ok := clock.parse([]byte(c.text))
			got := ""
			if ok {
				got = at.Time().Format(time.RFC3339Nano)
			}
			if got != c.want {
				t.Errorf("%s %s %q: got %q, want %q", c.layout, c.zone, c.text, got, c.want)
			}
		}
	}
}

func TestClockRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ layout, zone, fault string }{
		{"YYYY-MM-DD", "UTC", "time: expected unix"},
		{"2006-01-02 03:04:05", "UTC", "time: expected unix"}, // hours to 12 without am or pm
		{"15:04:05", "UTC", "time: expected unix"},
		{"2006-01-02 15:04:05 MST", "", "time: an abbreviation"},
		{"2006-01-02 15:04:05", "", "zone: required"},
		{"2006-01-02T15:04:05Z07:00", "UTC", "zone: the times carry"},
		{"unix", "UTC", "zone: unix needs none"},
		{"rfc3339", "Moscow", "zone: \"Moscow\" is no time zone"},
		{"rfc3339", "Local", "zone: \"Local\" is no time zone"},
	} {
		if _, err := newClock(c.layout, c.zone); err == nil || !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
}
