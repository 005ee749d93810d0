package query_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/table"
	"crosslift/warehouse/columns"
)

// lake is a random lake of eight days: a folder, and what was written into it. A handful of accounts and devices does much, most
// of it at the ends of somebody's window or of a day.
type lake struct {
	t        *testing.T
	r        *rand.Rand
	dir      string
	zone     *time.Location
	first    table.Day // of the lake
	night    table.Day
	accounts []identifier.ID
	devices  []identifier.ID
	instants []table.Micros // of exposures
	past     []table.Micros // at which something has happened already
	rows     map[*table.Table]map[table.Day][]any
	files    map[*table.Table]map[table.Day]*columns.File
	timeline []*table.DeviceTimelineRow
}

// days is for how many days there are partitions.
const days = 8

func newLake(t *testing.T, r *rand.Rand, dir string) *lake {
	l := &lake{t: t, r: r, dir: dir, rows: map[*table.Table]map[table.Day][]any{}, files: map[*table.Table]map[table.Day]*columns.File{}}
	zone, err := time.LoadLocation(one(r, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland"))
	if err != nil {
		t.Fatal(err)
	}
	l.zone = zone
	l.first = table.DayOf(time.Date(2026, time.October, 15+r.IntN(16), 0, 0, 0, 0, time.UTC), time.UTC) // clocks change in Europe and America
	l.night = l.first + 4 + table.Day(r.IntN(3))
	for range 5 {
		l.accounts = append(l.accounts, l.id())
	}
	for range 6 {
		l.devices = append(l.devices, l.id())
	}
	begin, hours := table.MicrosOf(l.first.Window(zone).From), int(l.end()-table.MicrosOf(l.first.Window(zone).From))/int(hour)
	for range 8 {
		l.instants = append(l.instants, begin+table.Micros(r.IntN(hours))*hour+one(r, 0, 0, table.Micros(1), 123456))
	}
	l.spans()
	return l
}

const hour = table.Micros(time.Hour / time.Microsecond)

// durations are those of windows and the like: so many hours lie between events and exposures.
var durations = []metric.Duration{metric.Duration(time.Hour), metric.Duration(12 * time.Hour), metric.Duration(metric.Day),
	metric.Duration(30 * time.Hour), metric.Duration(2 * metric.Day), metric.Duration(4 * metric.Day)}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func (l *lake) chance(p float64) bool { return l.r.Float64() < p }

func (l *lake) id() (id identifier.ID) {
	for i := range id {
		id[i] = byte(l.r.Uint32())
	}
	return id
}

// end is the end of the night.
func (l *lake) end() table.Micros { return table.MicrosOf(l.night.Window(l.zone).To) }

// at is a time at which something may happen: often exactly a window's end, or when something else does, or next to it.
func (l *lake) at() (at table.Micros) {
	defer func() { l.past = append(l.past, at) }()
	if len(l.past) > 0 && l.chance(0.5) {
		return one(l.r, l.past...)
	}
	if at = one(l.r, l.instants...); l.chance(0.2) {
		at = table.MicrosOf((l.first + table.Day(l.r.IntN(days))).Window(l.zone).To)
	}
	for range l.r.IntN(3) {
		d := table.Micros(one(l.r, durations...).Duration() / time.Microsecond)
		at += one(l.r, d, d, -d)
	}
	switch l.r.IntN(6) {
	case 0:
		at += one(l.r, table.Micros(1), -1)
	case 1:
		at += table.Micros(l.r.Int64N(int64(hour)))
	}
	return at
}

// spans makes the timeline: spans of a device do not overlap.
func (l *lake) spans() {
	if l.chance(0.05) {
		return // nobody is known to have used a device
	}
	for _, device := range l.devices {
		var borders []table.Micros
		for range 2 * l.r.IntN(5) {
			borders = append(borders, l.at())
		}
		slices.Sort(borders)
		borders = slices.Compact(borders)
		for i := 0; i+1 < len(borders); i += 1 + l.r.IntN(2) {
			l.timeline = append(l.timeline, &table.DeviceTimelineRow{
				Device: device, From: borders[i], To: borders[i+1], Account: one(l.r, append(l.accounts, l.id())...), Profile: l.id(),
				Method: one(l.r, "session", "span", "backfill", "bracket"), Shared: l.chance(0.5), Confidence: 0.9,
			})
		}
	}
}

// fill makes a table's days, once: events, or what changed, with some days missing and some empty.
func (l *lake) fill(t *table.Table) {
	if l.rows[t] != nil {
		return
	}
	l.rows[t], l.files[t] = map[table.Day][]any{}, map[table.Day]*columns.File{}
	if l.chance(0.04) {
		return // not extracted so far
	}
	for day := l.first; day < l.first+days; day++ {
		if !l.chance(0.1) {
			l.rows[t][day] = nil
		}
	}
	keys := map[string]bool{}
	var rows []any
	for n := range 150 {
		rows = append(rows, l.row(t, n))
	}
	if t == table.Rate {
		rows = l.conversions(rows)
	}
	for _, row := range rows {
		at, _ := t.TimeOf(row)
		day := table.DayOf(at.Time(), l.zone)
		if l.chance(0.1) {
			day += one(l.r, table.Day(-1), 1) // a source that cuts days elsewhere
		}
		if day = min(max(day, l.first), l.first+days-1); l.chance(0.05) {
			day = l.night // its clock is wrong
		}
		id, _ := get(t, row, "source_id")
		if key := fmt.Sprint(id, at); !keys[key] {
			keys[key] = true
			l.rows[t][day] = append(l.rows[t][day], row)
		}
	}
	for day, rows := range l.rows[t] {
		l.files[t][day] = l.write(t, filepath.Join(t.Path(), "dt="+day.String()), rows)
	}
}

// write writes a partition and opens it.
func (l *lake) write(t *table.Table, folder string, rows []any) *columns.File {
	var b bytes.Buffer
	if _, err := columns.WriteRows(&b, t, slices.Values(rows), l.dir); err != nil {
		l.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(l.dir, folder), 0o755); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(l.dir, folder, "data.parquet"), b.Bytes(), 0o644); err != nil {
		l.t.Fatal(err)
	}
	f, err := columns.Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		l.t.Fatal(err)
	}
	return f
}

// conversions are rates of long ago; or there are none, then or later, of one currency.
func (l *lake) conversions(rows []any) []any {
	for _, from := range currencies {
		for _, to := range currencies {
			rows = append(rows, &table.RateRow{SourceID: from + to, ValidFrom: l.instants[0] - 100*24*hour, Currency: from, Quote: to, Rate: 0.1 + l.r.Float64()})
		}
	}
	lacking := one(l.r, "", "", one(l.r, currencies...))
	return slices.DeleteFunc(rows, func(row any) bool { return row.(*table.RateRow).Currency == lacking })
}

// row makes a random row of a table. Changes are of few things.
func (l *lake) row(t *table.Table, n int) any {
	row := reflect.New(t.Row)
	for _, c := range t.Columns {
		if c.Optional && l.chance(0.25) {
			continue
		}
		field := row.Elem().Field(c.Field)
		if field.Kind() == reflect.Pointer {
			field.Set(reflect.New(field.Type().Elem()))
			field = field.Elem()
		}
		v := l.value(c)
		if c.Name == "rate" {
			v = 0.1 + l.r.Float64()
		}
		if c.Name == "source_id" && t.Kind == table.Change {
			v = fmt.Sprint("thing ", l.r.IntN(60))
		} else if c.Name == "source_id" {
			v = fmt.Sprint("event ", n)
		}
		field.Set(reflect.ValueOf(v).Convert(field.Type()))
	}
	return row.Interface()
}

// Values are few, so that filters meet them; some of them are hard to quote, to compare or to add.
var (
	texts      = []string{"it's", `back\slash`, "50%", "%", "_x", "_", "Z", "a", "ab", "é", "e", "it", "--", "\"q\"", " a"}
	currencies = []string{"RUB", "EUR", "JPY", "KWD"}
	amounts    = []int64{0, 1, 2, 5, 299, 299, 29900, 1_000_003, -1, -300, 4_503_599_627_370_497}
	integers   = []int64{0, 1, 2, 3, 60, 3600, 3601, -5, 1_000_000_007}
	floats     = []float64{0, 0.1, 0.2, -0.3, 1.5, 1e6 + 0.1, -1e6 - 0.1, 2.0 / 3, -0.1, 7, 1234.5678901234567}
)

// value is a value of a column, for a row or for a filter to compare with.
func (l *lake) value(c table.Column) any {
	switch c.Type {
	case table.String:
		if c.Unit == "currency" {
			return one(l.r, currencies...)
		}
		return one(l.r, texts...)
	case table.Int:
		if c.Unit == "minor" {
			return one(l.r, amounts...)
		}
		return one(l.r, integers...)
	case table.Float:
		return one(l.r, floats...)
	case table.Bool:
		return l.chance(0.5)
	case table.Timestamp:
		return l.at()
	case table.ID:
		if c.Name == "device" {
			return one(l.r, l.devices...)
		}
		return one(l.r, l.accounts...)
	}
	l.t.Fatalf("no values of type %s", c.Type)
	return nil
}

// get is what a row has in a column.
func get(t *table.Table, row any, column string) (v any, ok bool) {
	c, _ := t.Column(column)
	field := reflect.ValueOf(row).Elem().Field(c.Field)
	if c.Optional && field.IsZero() {
		return nil, false
	}
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	return field.Interface(), true
}
