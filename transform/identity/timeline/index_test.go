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

// asked is an index with the accounts that it numbers.
type asked struct {
	*timeline.Index
	accounts []identifier.ID
}

// open reads rows, of which the accounts of strangers are not known; their devices are.
func open(t testing.TB, rows []*table.DeviceTimelineRow, rowGroup int, strangers []string, methods ...string) asked {
	t.Helper()
	x := asked{}
	for _, row := range rows {
		if !slices.Contains(x.accounts, row.Account) && !slices.ContainsFunc(strangers, func(who string) bool { return account(who) == row.Account }) {
			x.accounts = append(x.accounts, row.Account)
		}
	}
	list := make([]any, len(rows))
	for i, row := range rows {
		list[i] = row
	}
	var err error
	x.Index, err = timeline.Open(t.Context(), columnstest.Grouped(t, table.DeviceTimeline, rowGroup, list...), timeline.Wanted{Methods: timeline.By(methods...),
		Device: func(id *identifier.ID) bool { return id[0]%5 != 3 }, Stranger: func(id *identifier.ID) bool { return id[0]%4 != 2 },
		Number: func(ids []identifier.ID, numbers []int32) {
			for i, id := range ids {
				numbers[i] = int32(slices.Index(x.accounts, id))
			}
		}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// at says who used a device; "nobody", or "somebody" who is not known.
func (x asked) at(device byte, by timeline.Methods, at table.Micros) string {
	place, found := slices.BinarySearchFunc(x.Devices(), identifier.ID{device}, func(a, b identifier.ID) int { return bytes.Compare(a[:], b[:]) })
	if !found {
		return "nobody"
	}
	switch user, ok := x.At(place, by, at); {
	case !ok:
		return "nobody"
	case user < 0:
		return "somebody"
	default:
		return x.accounts[user].String()
	}
}

// TestIndexAgainstRows compares the index with a search through the rows: by any methods, at every instant.
func TestIndexAgainstRows(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	every := []string{timeline.Session, timeline.Span, timeline.Backfill, timeline.Bracket}
	for range 20 {
		var rows []*table.DeviceTimelineRow
		for device := range byte(r.IntN(20)) {
			for at, n := table.Micros(0), r.IntN(12); n > 0; n-- {
				from := at + table.Micros(r.IntN(3))
				at = from + 1 + table.Micros(r.IntN(4))
				rows = append(rows, row(device*2, from, at, string(rune('u'+r.IntN(3))), every[r.IntN(4)]))
			}
		}
		kept := every[:1+r.IntN(4)]
		x := open(t, rows, 3, []string{"w"}, kept...)
		methods := kept[:1+r.IntN(len(kept))]
		for device := range byte(40) {
			who := func(at table.Micros) string {
				for _, row := range rows {
					if row.Device != (identifier.ID{device}) || device%5 == 3 || row.From > at || at >= row.To || !slices.Contains(methods, row.Method) {
						continue
					}
					switch {
					case row.Account != account("w"):
						return row.Account.String()
					case device%4 != 2:
						return "somebody"
					}
				}
				return "nobody"
			}
			for at := table.Micros(-1); at < 70; at++ {
				if got, want := x.at(device, timeline.By(methods...), at), who(at); got != want {
					t.Fatalf("device %d at %d: %s, expected %s", device, at, got, want)
				}
			}
			for place, id := range x.Devices() {
				if id != (identifier.ID{device}) {
					continue
				}
				for first := table.Micros(-1); first < 30; first++ {
					one := who(first)
					for last := first; last < 30; last++ {
						one = map[bool]string{true: one, false: "several"}[one == who(last)]
						user, ok := x.During(place, timeline.By(methods...), first, last)
						got := "several"
						if ok && user < 0 {
							got = "somebody"
						} else if ok {
							got = x.accounts[user].String()
						}
						if got != one && one != "nobody" || ok && one == "nobody" {
							t.Fatalf("device %d from %d to %d: %s, expected %s", device, first, last, got, one)
						}
					}
				}
			}
		}
	}
}

// TestIndexRefusesOverlap: a table whose rows overlap is not this package's, also where it lies in two row groups.
func TestIndexRefusesOverlap(t *testing.T) {
	t.Parallel()
	for _, rowGroup := range []int{1, 2} {
		f := columnstest.Grouped(t, table.DeviceTimeline, rowGroup, row(1, 0, 10, "u", timeline.Span), row(1, 9, 20, "v", timeline.Span))
		_, err := timeline.Open(t.Context(), f, timeline.Wanted{Methods: timeline.By(timeline.Span),
			Device: func(*identifier.ID) bool { return true }, Number: func([]identifier.ID, []int32) {}}, 1)
		if err == nil || !strings.Contains(err.Error(), "out of order") {
			t.Errorf("got %v, expected an error", err)
		}
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
				who := identifier.ID{byte(i % 2)}
				rows = append(rows, &table.DeviceTimelineRow{Device: id, From: table.Micros(i) * 1e6, To: table.Micros(i+1) * 1e6, Account: who, Profile: who, Method: timeline.Span})
			}
		}
		x := open(b, rows, 1<<17, nil, timeline.Span)
		places, at := make([]int, 1<<16), make([]table.Micros, 1<<16)
		for i := range places {
			places[i], at[i] = r.IntN(n), table.Micros(r.IntN(spans*1e6))
		}
		b.Run(fmt.Sprintf("spans=%d", spans), func(b *testing.B) {
			found := 0
			for i := 0; b.Loop(); i++ {
				if _, ok := x.At(places[i&(1<<16-1)], timeline.By(timeline.Span), at[i&(1<<16-1)]); ok {
					found++
				}
			}
			if found == 0 {
				b.Fatal("nothing was found")
			}
		})
	}
}
