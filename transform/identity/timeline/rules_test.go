package timeline_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
)

// TestRules is the specification by example, with the default limits.
func TestRules(t *testing.T) {
	t.Parallel()
	app, tv := table.TypeApp, table.TypeTV
	for _, c := range []struct {
		name   string
		of     string // the device's type
		events []string
		want   []string
	}{
		{"a login is a span until its time to live, and back-fills 30 days before", "", []string{"100d login u"},
			[]string{"70d..100d u backfill", "100d..130d u span"}},
		{"an app lives 90 days", app, []string{"100d login u"}, []string{"70d..100d u backfill", "100d..190d u span"}},
		{"a television 30", tv, []string{"100d login u"}, []string{"70d..100d u backfill", "100d..130d u span"}},
		{"later events prolong one span", "", []string{"100d login u", "110d refresh u", "120d web u -", "129d watch u 1s"},
			[]string{"70d..100d u backfill", "100d..159d1s u span"}},
		{"an event as the time to live ends goes on", "", []string{"100d login u", "130d refresh u"},
			[]string{"70d..100d u backfill", "100d..160d u span"}},
		{"one a microsecond later too: the gap is back-filled", "", []string{"100d login u", "130d1µs refresh u"},
			[]string{"70d..100d u backfill", "100d..130d u span", "130d..130d1µs u backfill", "130d1µs..160d1µs u span"}},
		{"what is beyond 30 days from both is nobody's", "", []string{"100d login u", "165d login u"},
			[]string{"70d..100d u backfill", "100d..130d u span", "135d..165d u backfill", "165d..195d u span"}},
		{"after a logout a personal device is back-filled", "", []string{"100d login u", "101d logout u"},
			[]string{"70d..100d u backfill", "100d..101d u span", "101d..131d u backfill"}},
		{"a logout opens no span", "", []string{"100d logout u"}, []string{"70d..130d u backfill"}},
		{"another account ends a span, and makes the device shared for 30 days around", "", []string{"100d login u", "110d login v"},
			[]string{"70d..80d u backfill", "100d..110d u span shared", "110d..130d v span shared", "130d..140d v span"}},
		{"another account's logout ends it too", "", []string{"100d login u", "110d logout v"},
			[]string{"70d..80d u backfill", "100d..110d u span shared", "130d..140d v backfill"}},
		{"two accounts 60 days apart never share it", "", []string{"100d login u", "160d login v"},
			[]string{"70d..100d u backfill", "100d..130d u span", "130d..160d v backfill", "160d..190d v span"}},
		{"a microsecond nearer they do, for a microsecond", "", []string{"100d login u", "160d-1µs login v"},
			[]string{"70d..100d u backfill", "100d..130d-1µs u span", "130d-1µs..130d u span shared", "130d..160d-1µs v backfill", "160d-1µs..190d-1µs v span"}},
		{"at one instant a logout is first", "", []string{"100d login v", "100d logout u"},
			[]string{"100d..130d v span shared"}},
		{"whichever account it is of", "", []string{"100d login u", "100d logout v"},
			[]string{"100d..130d u span shared"}},
		{"of two logins at one instant the greater account's holds", "", []string{"100d login v", "100d login u"},
			[]string{"100d..130d v span shared"}},
		{"a viewing shows its account until its end", "", []string{"100d watch u 2h"},
			[]string{"70d..100d u backfill", "100d..130d2h u span"}},
		{"for a day at most", "", []string{"100d watch u 1000h"},
			[]string{"70d..100d u backfill", "100d..131d u span"}},
		{"but not after a logout", "", []string{"100d watch u 2h", "100d1h logout u"},
			[]string{"70d..100d u backfill", "100d..100d1h u span", "100d1h..130d1h u backfill"}},
		{"nor after another account", "", []string{"100d watch u 2h", "100d1h logout v"},
			[]string{"70d..70d1h u backfill", "100d..100d1h u span shared"}},
		{"an event during it takes nothing away", "", []string{"100d watch u 2h", "100d1h refresh u"},
			[]string{"70d..100d u backfill", "100d..130d2h u span"}},
		{"an anonymous viewing says nothing", "", []string{"100d watch - 2h"}, nil},
		{"a shared device is bracketed by one account within 72 hours", "",
			[]string{"100d login v", "101d login u", "101d1h logout u", "104d login u", "104d1h logout u"},
			[]string{"70d..71d v backfill", "100d..101d v span shared", "101d..101d1h u span shared", "101d1h..104d u bracket shared", "104d..104d1h u span shared",
				"130d..134d1h u backfill"}},
		{"each of both within 72 hours", "",
			[]string{"100d logout v", "101d logout u", "106d logout u"},
			[]string{"70d..71d v backfill", "103d..104d u bracket shared", "130d..136d u backfill"}},
		{"6 days apart brackets nothing", "",
			[]string{"100d logout v", "101d logout u", "107d logout u"},
			[]string{"70d..71d v backfill", "130d..137d u backfill"}},
		{"not by two accounts", "", []string{"100d logout u", "101d logout v"},
			[]string{"70d..71d u backfill", "130d..131d v backfill"}},
		{"three accounts share a device", "", []string{"100d login u", "101d login v", "102d login w"},
			[]string{"70d..71d u backfill", "100d..101d u span shared", "101d..102d v span shared", "102d..131d w span shared", "131d..132d w span"}},
		{"four make it public, in the days of all four", "", []string{"100d login u", "101d login v", "102d login w", "103d login x"},
			[]string{"70d..71d u backfill", "130d..132d x span shared", "132d..133d x span"}},
		{"not a television", tv, []string{"100d login u", "101d login v", "102d login w", "103d login x"},
			[]string{"70d..71d u backfill", "100d..101d u span shared", "101d..102d v span shared", "102d..103d w span shared",
				"103d..132d x span shared", "132d..133d x span"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rows := built(t, timeline.Input{Days: history(t, c.events), Type: func(identifier.ID) string { return c.of }}, 1)
			if got := lines(rows); !slices.Equal(got, c.want) {
				t.Errorf("%s\ngot      %s\nexpected %s", strings.Join(c.events, ", "), strings.Join(got, ", "), strings.Join(c.want, ", "))
			}
		})
	}
}

// TestSharedBackfill shows what a login says of the time before it where several accounts use a device: half a day, and
// nothing of the time after a logout.
func TestSharedBackfill(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		events, want []string
	}{
		{"half a day before", []string{"100d logout u", "104d login v", "104d1h logout v"},
			[]string{"70d..74d u backfill", "99d12h..100d u backfill shared", "103d12h..104d v backfill shared", "104d..104d1h v span shared", "130d..134d1h v backfill"}},
		{"not before the login before", []string{"100d logout u", "100d6h logout v"},
			[]string{"70d..70d6h u backfill", "99d12h..100d u backfill shared", "100d..100d6h v backfill shared", "130d..130d6h v backfill"}},
		{"spans and brackets are stronger", []string{"100d logout v", "101d logout u", "102d login u"},
			[]string{"70d..71d v backfill", "99d12h..100d v backfill shared", "100d12h..101d u backfill shared", "101d..102d u bracket shared", "102d..130d u span shared", "130d..132d u span"}},
	} {
		rows := built(t, timeline.Input{Rules: timeline.Default(), Days: history(t, c.events)}, 1)
		if got := lines(rows); !slices.Equal(got, c.want) {
			t.Errorf("%s: %s\ngot      %s\nexpected %s", c.name, strings.Join(c.events, ", "), strings.Join(got, ", "), strings.Join(c.want, ", "))
		}
	}
}

// TestSessions shows what sessions say, on a device that logouts of two accounts leave to nobody else.
func TestSessions(t *testing.T) {
	t.Parallel()
	nobody := []string{"99d logout y", "101d logout z"}
	for _, c := range []struct {
		name   string
		events []string
		want   []string
	}{
		{"anonymous events before the login are the login's", []string{"100d web - s", "100d1h web u s", "100d2h logout u"},
			[]string{"100d..100d1h u session", "100d1h..100d2h u span"}},
		{"those after it too, at most a day", []string{"100d web u s", "100d1h logout u", "100d2h web - s", "100d23h web - s", "101d1h web - s"},
			[]string{"100d..101d u session"}},
		{"of two logins the one before wins, until it is a day ago", []string{"100d web u s", "100d1h web - s", "100d23h web - s", "101d22h web - s", "101d23h web v s", "101d23h1m logout v"},
			[]string{"100d..101d u session", "101d..101d23h v session", "101d23h..101d23h1m v span"}},
		{"the last event counts, to the microsecond", []string{"100d web u s", "100d1m logout u", "100d1h web - s"},
			[]string{"100d..100d1h1µs u session"}},
		{"at one instant the login is before", []string{"100d web - s", "100d web u s", "100d1h logout u"},
			[]string{"100d..100d1µs u session", "100d1µs..100d1h u span"}},
		{"a session without a login says nothing", []string{"100d web - s", "100d web u t", "100d1h web - s", "100d2h logout u"},
			[]string{"100d..100d2h u span"}},
		{"a session of logins leaves it to spans", []string{"100d web u s", "100d1h web u s", "100d2h logout u"},
			[]string{"100d..100d2h u span"}},
		{"events without a session are in none", []string{"100d web - -", "100d1h web u -", "100d2h logout u"},
			[]string{"100d1h..100d2h u span"}},
		{"of two sessions at once the later login counts", []string{"100d web u s", "100d1h logout u", "100d2h web v t", "100d2h1m logout v", "100d3h web - t", "100d4h web - s"},
			[]string{"100d..100d2h u session", "100d2h..100d3h1µs v session", "100d3h1µs..100d4h1µs u session"}},
		{"of two logins at one instant the greater account's is the later", []string{"100d web u s", "100d web v t", "100d1h web - s", "100d1h web - t", "100d2h logout v"},
			[]string{"100d..100d1h1µs v session", "100d1h1µs..100d2h v span"}},
		{"and the smaller one's the first", []string{"100d web - s", "100d web - t", "100d1h web u s", "100d1h web v t", "100d2h logout v"},
			[]string{"100d..100d1h u session", "100d1h..100d2h v span"}},
		{"who refused analysis is not seen", []string{"100d web - s refused", "100d1h web u s", "100d2h logout u"},
			[]string{"100d1h..100d2h u span"}},
		{"nor when logged in", []string{"100d web u s refused"}, nil},
		{"who agreed is", []string{"100d web - s agreed", "100d1h web u s agreed", "100d2h logout u"},
			[]string{"100d..100d1h u session", "100d1h..100d2h u span"}},
		{"product logins are in no web session", []string{"100d web - p", "100d1h login u", "100d2h logout u"},
			[]string{"100d1h..100d2h u span"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rules := timeline.Default()
			rules.Backfill, rules.SharedBackfill, rules.Bracket, rules.SharedCap, rules.Cap = 0, 0, 0, 9, 9
			rows := built(t, timeline.Input{Rules: rules, Days: history(t, append(nobody, c.events...))}, 1)
			for _, r := range rows {
				if !r.Shared {
					t.Errorf("not shared: %v", *r)
				}
				r.Shared = false
			}
			if got := lines(rows); !slices.Equal(got, c.want) {
				t.Errorf("%s\ngot      %s\nexpected %s", strings.Join(c.events, ", "), strings.Join(got, ", "), strings.Join(c.want, ", "))
			}
		})
	}
}

// TestRefused lets an account that refused analysis bound the others, and attributes nothing to it; nor to an account
// without a profile.
func TestRefused(t *testing.T) {
	t.Parallel()
	days := history(t, []string{"100d login u", "110d login v", "120d login u"})
	want := []string{"70d..80d u backfill", "100d..110d u span shared", "120d..140d u span shared", "140d..150d u span"}
	for name, in := range map[string]timeline.Input{
		"refused":    {Refused: map[identifier.ID]table.Micros{account("v"): math.MaxInt64}},
		"no profile": {Profile: func(a identifier.ID) identifier.ID { return identifier.ID{a[1] - 'v'} }},
	} {
		in.Days = days
		if got := lines(built(t, in, 1)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, expected %v", name, got, want)
		}
	}
}

// TestConsentAgain gives an account what follows its consent, and nothing back.
func TestConsentAgain(t *testing.T) {
	t.Parallel()
	days := history(t, []string{"100d login u"})
	in := timeline.Input{Days: days, Refused: map[identifier.ID]table.Micros{account("u"): instant(t, "105d")}}
	if got, want := lines(built(t, in, 1)), []string{"105d..130d u span"}; !slices.Equal(got, want) {
		t.Errorf("got %v, expected %v", got, want)
	}
}

// TestRow shows a whole row.
func TestRow(t *testing.T) {
	t.Parallel()
	rows := built(t, timeline.Input{Days: history(t, []string{"100d login u", "100d login v", "101d logout v"})}, 1)
	want := table.DeviceTimelineRow{
		Device: device, From: instant(t, "100d"), To: instant(t, "101d"), Account: account("v"), Profile: profile(account("v")),
		Method: timeline.Span, Shared: true, Confidence: 0.9,
	}
	if len(rows) == 0 || *rows[0] != want {
		t.Errorf("got %+v, expected %+v first", rows, want)
	}
}

// TestRefusesInput names what it cannot work with.
func TestRefusesInput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*timeline.Input)
		want   string
	}{
		{func(in *timeline.Input) { in.Rules.TTL = -1 }, "a duration below 0"},
		{func(in *timeline.Input) { in.Rules.Backfill = 31 * 24 * time.Hour }, "longer than the window of 720h0m0s"},
		{func(in *timeline.Input) { in.Rules.Cap = 0 }, "a cap of no account"},
		{func(in *timeline.Input) { in.Days[0].Table = table.Payment }, "raw/payment tells nothing of who uses a device"},
		{func(in *timeline.Input) { in.Days = history(t, []string{"1d signin u"}) }, `raw/product_login of 1970-01-01: kind "signin": expected login, logout or refresh`},
	} {
		in := timeline.Input{Rules: timeline.Default(), Days: history(t, nil), Profile: profile, Type: func(identifier.ID) string { return "" }}
		c.change(&in)
		err := timeline.Build(t.Context(), in, 2, func(*table.DeviceTimelineRow) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, expected %s", err, c.want)
		}
	}
	broken := errors.New("the disk is full")
	in := timeline.Input{Rules: timeline.Default(), Days: history(t, []string{"1d login u"}), Profile: profile, Type: func(identifier.ID) string { return "" }}
	if err := timeline.Build(t.Context(), in, 2, func(*table.DeviceTimelineRow) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, expected what emit failed with", err)
	}
}
