package timeline_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
	"crosslift/warehouse/columns/columnstest"
)

func row(d byte, from, to table.Micros, who, method string) *table.DeviceTimelineRow {
	return &table.DeviceTimelineRow{Device: identifier.ID{d}, From: from, To: to, Account: account(who), Profile: profile(account(who)), Method: method}
}

func open(t testing.TB, rows []*table.DeviceTimelineRow, methods ...string) *timeline.Index {
	t.Helper()
	x, err := timeline.Open(t.Context(), columnstest.File(t, table.DeviceTimeline, rows...), methods...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestIndex answers at the borders, by all methods and by those that experiments use.
func TestIndex(t *testing.T) {
	t.Parallel()
	rows := []*table.DeviceTimelineRow{
		row(1, 0, 10, "u", timeline.Backfill), row(1, 10, 20, "u", timeline.Span), row(1, 20, 30, "u", timeline.Session),
		row(3, 0, 10, "u", timeline.Span), row(3, 10, 20, "v", timeline.Session), row(3, 25, 30, "v", timeline.Bracket), row(3, 30, 40, "w", timeline.Span),
		row(5, 0, 10, "u", timeline.Backfill),
	}
	all, decides := open(t, rows), open(t, rows, timeline.Session, timeline.Span)
	for _, c := range []struct {
		device       byte
		at           table.Micros
		all, decides string
	}{
		{0, 5, "", ""}, {1, -1, "", ""}, {1, 0, "u", ""}, {1, 9, "u", ""}, {1, 10, "u", "u"}, {1, 29, "u", "u"}, {1, 30, "", ""}, {2, 5, "", ""},
		{3, 9, "u", "u"}, {3, 10, "v", "v"}, {3, 19, "v", "v"}, {3, 20, "", ""}, {3, 25, "v", ""}, {3, 30, "w", "w"}, {3, 40, "", ""},
		{5, 5, "u", ""}, {6, 5, "", ""},
	} {
		for _, of := range []struct {
			index *timeline.Index
			want  string
		}{{all, c.all}, {decides, c.decides}} {
			user, ok := of.index.At(of.index.Spans(identifier.ID{c.device}), c.at)
			if ok != (of.want != "") {
				t.Errorf("device %d at %d: found %t, expected %q", c.device, c.at, ok, of.want)
			} else if ok && (of.index.Account(user) != account(of.want) || of.index.Profile(user) != profile(account(of.want))) {
				t.Errorf("device %d at %d: %s, expected %s", c.device, c.at, of.index.Account(user), of.want)
			}
		}
	}
	if all.Users() != 3 || decides.Users() != 3 {
		t.Errorf("%d and %d users, expected 3", all.Users(), decides.Users())
	}
	if _, ok := all.During(all.Spans(identifier.ID{1}), 0, 29); !ok {
		t.Error("three rows of one account that touch are not one span")
	}
	if _, ok := all.During(all.Spans(identifier.ID{1}), 0, 30); ok {
		t.Error("a span holds its end")
	}
	if _, ok := all.During(all.Spans(identifier.ID{3}), 5, 15); ok {
		t.Error("a time of two accounts is one's")
	}
}

// TestIndexAgainstRows compares the index with a search through the rows.
func TestIndexAgainstRows(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 20 {
		var rows []*table.DeviceTimelineRow
		for device := range byte(r.IntN(20)) {
			for at, n := table.Micros(0), r.IntN(12); n > 0; n-- {
				from := at + table.Micros(r.IntN(3))
				at = from + 1 + table.Micros(r.IntN(4))
				rows = append(rows, row(device*2, from, at, string(rune('u'+r.IntN(3))), []string{timeline.Span, timeline.Session, timeline.Backfill}[r.IntN(3)]))
			}
		}
		methods := []string{timeline.Session, timeline.Span}
		x := open(t, rows, methods...)
		for device := range byte(40) {
			spans := x.Spans(identifier.ID{device})
			for at := table.Micros(-1); at < 70; at++ {
				var want identifier.ID
				for _, row := range rows {
					if row.Device == (identifier.ID{device}) && row.From <= at && at < row.To && slices.Contains(methods, row.Method) {
						want = row.Account
					}
				}
				var got identifier.ID
				if user, ok := x.At(spans, at); ok {
					got = x.Account(user)
				}
				if got != want {
					t.Fatalf("device %d at %d: %s, expected %s", device, at, got, want)
				}
			}
		}
	}
}

// TestIndexRefusesOverlap: a table whose rows overlap is not this package's.
func TestIndexRefusesOverlap(t *testing.T) {
	t.Parallel()
	f := columnstest.File(t, table.DeviceTimeline, row(1, 0, 10, "u", timeline.Span), row(1, 9, 20, "v", timeline.Span))
	if _, err := timeline.Open(t.Context(), f); err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("got %v, expected an error", err)
	}
}

// BenchmarkIndex looks instants up: on devices of one account, and on televisions of two that take turns.
func BenchmarkIndex(b *testing.B) {
	const devices = 100_000
	r := rand.New(rand.NewPCG(1, 1))
	ids := make([]identifier.ID, devices)
	for i := range ids {
		ids[i] = identifier.Mint(identifier.Device, identifier.ID{byte(i), byte(i >> 8), byte(i >> 16)}, 0)
	}
	for _, spans := range []int{1, 4, 64} {
		var rows []*table.DeviceTimelineRow
		n := devices / spans
		sorted := slices.Clone(ids[:n])
		slices.SortFunc(sorted, func(a, b identifier.ID) int { return bytes.Compare(a[:], b[:]) })
		for _, id := range sorted {
			for i := range spans {
				who := identifier.ID{id[0], id[1], byte(i % 2)}
				rows = append(rows, &table.DeviceTimelineRow{Device: id, From: table.Micros(i) * 1e6, To: table.Micros(i+1) * 1e6, Account: who, Profile: who, Method: timeline.Span})
			}
		}
		x := open(b, rows)
		handles, at := make([]timeline.Spans, 1<<16), make([]table.Micros, 1<<16)
		for i := range handles {
			handles[i], at[i] = x.Spans(sorted[r.IntN(n)]), table.Micros(r.IntN(spans*1e6))
		}
		b.Run(fmt.Sprintf("at/spans=%d", spans), func(b *testing.B) {
			found := 0
			for i := 0; b.Loop(); i++ {
				if _, ok := x.At(handles[i&(1<<16-1)], at[i&(1<<16-1)]); ok {
					found++
				}
			}
			if found == 0 {
				b.Fatal("nothing was found")
			}
		})
		if spans == 1 {
			b.Run("device", func(b *testing.B) {
				found := 0
				for i := 0; b.Loop(); i++ {
					if x.Spans(ids[i%devices]) != (timeline.Spans{}) {
						found++
					}
				}
				if found == 0 {
					b.Fatal("nothing was found")
				}
			})
		}
	}
}
