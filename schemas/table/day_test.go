package table

import (
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestDays gives business days their length in their zone: 23 and 25 hours where the clocks change, and days whose
// midnight does not exist or comes twice.
func TestDays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, day, from string
		hours           float64
	}{
		{"UTC", "2026-11-03", "2026-11-03T00:00:00Z", 24},
		{"Europe/Moscow", "2026-11-03", "2026-11-02T21:00:00Z", 24},
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23},
		{"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23}, // the clocks jumped over midnight
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", 25},    // set back at one o'clock to midnight
		{"Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15:00Z", 24},
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 24}, // the day before it was left out
	} {
		d, err := ParseDay(c.day)
		if err != nil {
			t.Fatal(err)
		}
		z := zone(t, c.zone)
		w := d.Window(z)
		if got := w.From.UTC().Format(time.RFC3339); got != c.from || w.To.Sub(w.From).Hours() != c.hours {
			t.Errorf("%s in %s starts at %s and has %v hours, expected %s and %v", c.day, c.zone, got, w.To.Sub(w.From).Hours(), c.from, c.hours)
		}
		if DayOf(w.From, z) != d || DayOf(w.To.Add(-time.Nanosecond), z) != d {
			t.Errorf("%s in %s does not hold its own ends", c.day, c.zone)
		}
	}
}

// TestDaysFollowEachOther leaves no instant out and gives none twice, over years of many zones.
func TestDaysFollowEachOther(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Moscow", "Europe/London", "America/Sao_Paulo", "America/Havana", "Asia/Tehran", "Australia/Lord_Howe", "Africa/Cairo"} {
		z := zone(t, name)
		for d := Day(14000); d < 21000; d++ {
			if w, next := d.Window(z), (d + 1).Window(z); !w.To.Equal(next.From) || !w.From.Before(w.To) {
				t.Fatalf("%s: %s is %s, the next %s", name, d, w, next)
			}
		}
	}
}

// TestParseDay reads days and nothing else.
func TestParseDay(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1970-01-01", "1969-12-31", "2026-02-28", "2024-02-29"} {
		if d, err := ParseDay(text); err != nil || d.String() != text {
			t.Errorf("%s: %s, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "2026-2-3", "2026-02-30", "2026-02-03T00:00:00Z", "03.02.2026"} {
		if _, err := ParseDay(text); err == nil {
			t.Errorf("%q was taken for a day", text)
		}
	}
}
