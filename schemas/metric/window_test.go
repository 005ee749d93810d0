package metric_test

import (
	"math"
	"testing"
	"time"

	"crosslift/schemas/metric"
)

// Windows are half-open, begin at the first exposure or a delay after it, and are never cut to the night.
func TestBounds(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) int64 {
		if text == "never" {
			return math.MaxInt64
		}
		instant, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return instant.UnixMicro()
	}
	const viewing = "name: m\ntable: raw/viewing\n"
	for text, c := range map[string]struct{ end, from, to, matured string }{
		"type: count\nwindow: 2d":                                   {"2026-11-01 00:00", "2026-10-24 12:00", "2026-10-26 11:00", "2026-10-26 11:00"}, // 48 hours, although a day has 25
		"type: count\nwindow: 12h\ndelay: 1d\nposting_lag: 3d":      {"2026-11-01 00:00", "2026-10-25 11:00", "2026-10-25 23:00", "2026-10-28 23:00"},
		"type: count\nwindow: 2d\nlook_back: 12h":                   {"2026-11-01 00:00", "2026-10-25 23:00", "2026-10-26 11:00", "2026-10-26 11:00"},
		"type: count\nwindow: until 2026-10-25":                     {"2026-11-01 00:00", "2026-10-24 12:00", "2026-10-26 00:00", "2026-10-26 00:00"},
		"type: count\nwindow: until 2026-10-25\nlook_back: 9d":      {"2026-11-01 00:00", "2026-10-24 12:00", "2026-10-26 00:00", "2026-10-26 00:00"},
		"type: count\nwindow: until 2026-10-23\nposting_lag: 1h":    {"2026-11-01 00:00", "2026-10-24 12:00", "2026-10-24 12:00", "2026-10-24 13:00"}, // nothing is left
		"type: count\nwindow: experiment\nposting_lag: 1h":          {"2026-11-01 00:00", "2026-10-24 12:00", "2026-11-01 00:00", "2026-11-01 01:00"},
		"type: count\nwindow: experiment":                           {"never", "2026-10-24 12:00", "2026-10-28 00:00", "never"},
		"type: count\nwindow: experiment\nlook_back: 24h":           {"never", "2026-10-27 00:00", "2026-10-28 00:00", "never"},
		"type: retention\ndays: {from: 0, to: 0}":                   {"2026-11-01 00:00", "2026-10-24 12:00", "2026-10-25 11:00", "2026-10-25 11:00"},
		"type: retention\ndays: {from: 7, to: 13}\nposting_lag: 1d": {"2026-11-01 00:00", "2026-10-31 11:00", "2026-11-07 11:00", "2026-11-08 11:00"},
	} {
		h := metric.Horizon{Night: at("2026-10-28 00:00"), End: at(c.end), Zone: zone}
		from, to, matured := decode(t, viewing+text).Bounds(at("2026-10-24 12:00"), h)
		show := func(micros int64) string {
			if micros == math.MaxInt64 {
				return "never"
			}
			return time.UnixMicro(micros).In(zone).Format("2006-01-02 15:04")
		}
		if show(from) != c.from || show(to) != c.to || show(matured) != c.matured {
			t.Errorf("%s: got [%s, %s), matured %s", text, show(from), show(to), show(matured))
		}
	}
}

func TestWindowsReadWhatTheyWrite(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"30d", "12h", "until 2026-11-30", "experiment"} {
		var w metric.Window
		if err := w.UnmarshalText([]byte(text)); err != nil || w.String() != text {
			t.Errorf("%s is written %s, %v", text, w, err)
		}
	}
	if (metric.Window{}).String() != "" {
		t.Error("no window has a text")
	}
}

func TestBoundsReadWhatTheyWrite(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"99.9%", "0.000001%", "-1.5", "0", "1e+300"} {
		var b metric.Bound
		if err := b.UnmarshalText([]byte(text)); err != nil || b.String() != text {
			t.Errorf("%s is written %s, %v", text, b, err)
		}
	}
}
