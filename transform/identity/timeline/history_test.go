package timeline_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/timeline"
	"crosslift/warehouse/columns/columnstest"
)

// instant reads "3d", "3d2h" or "3d-1µs": days, and what is added to them.
func instant(t testing.TB, text string) table.Micros {
	t.Helper()
	days, rest, _ := strings.Cut(text, "d")
	n, err := strconv.Atoi(days)
	if err != nil {
		t.Fatalf("instant %q: %v", text, err)
	}
	d := time.Duration(0)
	if rest != "" {
		if d, err = time.ParseDuration(rest); err != nil {
			t.Fatalf("instant %q: %v", text, err)
		}
	}
	return table.Micros((time.Duration(n)*24*time.Hour + d).Microseconds())
}

// shown writes an instant as instant reads it.
func shown(m table.Micros) string {
	const day = 24 * time.Hour
	d := time.Duration(m) * time.Microsecond
	days := (d + time.Second) / day
	text := fmt.Sprintf("%dd", int(days))
	if rest := d - days*day; rest != 0 {
		text += strings.NewReplacer("h0m0.000001s", "h1µs", "h0m0s", "h", "m0s", "m").Replace(rest.String())
	}
	return text
}

func account(name string) identifier.ID { return identifier.ID{1, name[0]} }

var device = identifier.ID{2}

// history reads lines such as "3d login u", "3d logout u", "3d watch u 2h", "3d web u s" and "3d web - s refused".
func history(t testing.TB, lines []string) []timeline.Day {
	t.Helper()
	var logins []*table.ProductLoginRow
	var viewings []*table.ViewingRow
	var web []*table.WebEventRow
	for i, line := range lines {
		f := strings.Fields(line)
		at, id := instant(t, f[0]), strconv.Itoa(i)
		switch f[1] {
		case "watch":
			d, err := time.ParseDuration(f[3])
			if err != nil {
				t.Fatal(err)
			}
			row := &table.ViewingRow{SourceID: id, ViewedAt: at, Device: device, Seconds: int64(d / time.Second)}
			if f[2] != "-" {
				row.Account = account(f[2])
			}
			viewings = append(viewings, row)
		case "web":
			row := &table.WebEventRow{SourceID: id, EventAt: at, EventName: "page", Device: device}
			if f[2] != "-" {
				row.Account = account(f[2])
			}
			if len(f) > 3 && f[3] != "-" {
				row.SessionID = f[3]
			}
			if len(f) > 4 {
				agreed := f[4] == "agreed"
				row.Consent = &agreed
			}
			web = append(web, row)
		default:
			logins = append(logins, &table.ProductLoginRow{SourceID: id, EventAt: at, Account: account(f[2]), Device: device, Kind: f[1], Session: "p"})
		}
	}
	return []timeline.Day{
		{Table: table.ProductLogin, File: columnstest.File(t, table.ProductLogin, logins...)},
		{Table: table.Viewing, File: columnstest.File(t, table.Viewing, viewings...)},
		{Table: table.WebEvent, File: columnstest.File(t, table.WebEvent, web...)},
	}
}

func profile(account identifier.ID) identifier.ID {
	return identifier.Mint(identifier.Profile, account, 0)
}

// built gives a night's rows in the table's order.
func built(t testing.TB, in timeline.Input, workers int) []*table.DeviceTimelineRow {
	t.Helper()
	if in.Profile == nil {
		in.Profile = profile
	}
	if in.Type == nil {
		in.Type = func(identifier.ID) string { return table.TypeDevice }
	}
	if in.Rules == (timeline.Rules{}) {
		in.Rules = timeline.Default()
		in.Rules.SharedBackfill = 0 // it has a test of its own
	}
	var rows []*table.DeviceTimelineRow
	if err := timeline.Build(t.Context(), in, workers, func(row *table.DeviceTimelineRow) error {
		rows = append(rows, row)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(rows, func(a, b *table.DeviceTimelineRow) int {
		return cmp.Or(slices.Compare(a.Device[:], b.Device[:]), cmp.Compare(a.From, b.From))
	})
	return rows
}

func lines(rows []*table.DeviceTimelineRow) []string {
	var text []string
	for _, r := range rows {
		line := fmt.Sprintf("%s..%s %c %s", shown(r.From), shown(r.To), r.Account[1], r.Method)
		if r.Shared {
			line += " shared"
		}
		text = append(text, line)
	}
	return text
}
