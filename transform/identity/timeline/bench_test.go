package timeline_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
	"crosslift/warehouse/columns/columnstest"
)

// busyDays makes files of 120 days in which events, two thirds of them of the web, fall on devices: a tenth of them
// televisions of up to five accounts, the others of one.
func busyDays(b *testing.B, events int) []timeline.Day {
	r := rand.New(rand.NewPCG(1, 1))
	mint := func(kind identifier.Kind, n int) identifier.ID {
		return identifier.Mint(kind, identifier.ID(binary.BigEndian.AppendUint64(make([]byte, 8), uint64(n))), 0)
	}
	devices := make([]identifier.ID, max(1, events/25))
	for i := range devices {
		devices[i] = mint(identifier.Device, i)
	}
	accounts := make([]identifier.ID, len(devices)/2+5)
	for i := range accounts {
		accounts[i] = mint(identifier.Account, i)
	}
	const days = 120
	var all []timeline.Day
	for day := range days {
		var logins []*table.ProductLoginRow
		var viewings []*table.ViewingRow
		var web []*table.WebEventRow
		for i := 0; i < events/days; {
			device := r.IntN(len(devices))
			owner := accounts[device/2]
			if device%10 == 0 {
				owner = accounts[device/2+r.IntN(5)]
			}
			at, id := table.Micros(day)*86400e6+table.Micros(r.IntN(80000e6)), strconv.Itoa(i)
			switch i++; r.IntN(9) {
			case 0:
				kind := []string{"login", "refresh", "refresh", "logout"}[r.IntN(4)]
				logins = append(logins, &table.ProductLoginRow{SourceID: id, EventAt: at, Account: owner, Device: devices[device], Kind: kind})
			case 1, 2:
				viewings = append(viewings, &table.ViewingRow{SourceID: id, ViewedAt: at, Account: owner, Device: devices[device], Seconds: 3600})
			default: // a session of six events, in which somebody may log in
				for k := range 6 {
					e := &table.WebEventRow{SourceID: id + "-" + strconv.Itoa(k), EventAt: at + table.Micros(k)*60e6, EventName: "page", Device: devices[device], SessionID: id}
					if device%3 == 0 && k >= 3 {
						e.Account = owner
					}
					web = append(web, e)
				}
				i += 5
			}
		}
		all = append(all,
			timeline.Day{Table: table.ProductLogin, Day: table.Day(day), File: columnstest.File(b, table.ProductLogin, logins...)},
			timeline.Day{Table: table.Viewing, Day: table.Day(day), File: columnstest.File(b, table.Viewing, viewings...)},
			timeline.Day{Table: table.WebEvent, Day: table.Day(day), File: columnstest.File(b, table.WebEvent, web...)})
	}
	return all
}

// BenchmarkBuild makes a timeline from files. CROSSLIFT_BENCH_EVENTS sets how many events there are.
func BenchmarkBuild(b *testing.B) {
	events := 300_000
	if n, err := strconv.Atoi(os.Getenv("CROSSLIFT_BENCH_EVENTS")); err == nil {
		events = n
	}
	days := busyDays(b, events)
	in := timeline.Input{
		Rules: timeline.Default(), Days: days, Profile: func(account identifier.ID) identifier.ID { return account },
		Type: func(device identifier.ID) string {
			return []string{table.TypeTV, table.TypeApp, table.TypeCookie}[device[0]%3]
		},
	}
	for _, c := range []struct {
		workers int
		parts   int64
	}{{1, 1}, {2, 1}, {2, 4}} {
		b.Run(fmt.Sprintf("workers=%d/parts=%d", c.workers, c.parts), func(b *testing.B) {
			in := in
			in.Memory = (64*int64(events) + c.parts - 1) / c.parts
			rows := 0
			for b.Loop() {
				rows = 0
				if err := timeline.Build(b.Context(), in, c.workers, func(*table.DeviceTimelineRow) error { rows++; return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(rows), "rows")
		})
	}
}
