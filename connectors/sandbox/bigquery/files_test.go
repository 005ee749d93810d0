package bigquery

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"

	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
)

// onDisk is a world that says where it lies, and which nights it has. Nobody may ask it for records.
type onDisk struct {
	world.Reader // none
	dir          string
	nights       []string
}

func (d onDisk) Dir() string { return d.dir }

func (d onDisk) Nights(string, string) ([]string, error) { return d.nights, nil }

// manyEvents are events of five days that become visible over several nights; some are taken back.
func manyEvents(t *testing.T) *worldtest.Memory {
	t.Helper()
	w := worldtest.NewMemory(time.UTC)
	for i := range 5000 {
		at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i*83) * time.Second)
		r := world.Record{ID: fmt.Sprintf("%05d", i), At: at, Visible: at.Add(time.Duration(i%3) * 24 * time.Hour),
			Object: json.RawMessage(fmt.Sprintf(`{"event_name":"e%d","event_timestamp":"%d","user_id":"%s"}`, i, at.UnixMicro(), strings.Repeat("x", i%40)))}
		if i%7 == 0 {
			gone := r.Visible.Add(12 * time.Hour)
			r.Gone = &gone
		}
		if err := w.Write(Source, Stream, r); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// store writes a world to a folder, with lines as people leave them.
func store(t *testing.T, w world.Reader) onDisk {
	t.Helper()
	d := onDisk{dir: t.TempDir()}
	folder := filepath.Join(d.dir, Source, Stream)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	if d.nights, err = w.Nights(Source, Stream); err != nil {
		t.Fatal(err)
	}
	for _, night := range d.nights {
		records, err := w.Night(Source, Stream, night)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for i, r := range records {
			b.Write(marshal(r))
			b.WriteString([]string{"\n", "\r\n", "\n\n  ", " \n"}[i%4])
		}
		if err := os.WriteFile(filepath.Join(folder, night+".ndjson"), []byte(strings.TrimRight(b.String(), "\n ")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// TestOnDisk: a world read in pieces from its folder shows, at every instant and in pages of any size, what one in
// memory shows: of each day the events that are visible.
func TestOnDisk(t *testing.T) {
	t.Parallel()
	w := manyEvents(t)
	all, err := w.Versions(Source, Stream, at(1000))
	if err != nil || len(all) != 5000 {
		t.Fatal(len(all), err)
	}
	held, pieces := serve(t, w, nil), serve(t, store(t, w), nil)
	for _, s := range []*service{held, pieces} {
		c := client(t, s)
		for _, hours := range []float64{-48, -12, 0, 24, 25.5, 36, 400} {
			now := at(hours)
			s.clock.Set(now)
			for day := 1; day <= 5; day++ {
				start := time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC)
				id := "events_" + start.Format("20060102")
				if now.Before(start.AddDate(0, 0, 1)) {
					id = "events_intraday_" + start.Format("20060102")
				}
				want := map[string]bool{}
				for _, r := range all {
					if r.At.Before(start) || !r.At.Before(start.AddDate(0, 0, 1)) || r.Gone != nil && !r.Gone.After(now) {
						continue
					}
					if strings.Contains(id, "intraday") && r.Visible.Before(start.AddDate(0, 0, 2)) && !r.At.After(now) || !r.Visible.After(now) {
						want[string(r.Object)] = true
					}
				}
				rows, _, err := readAll(t.Context(), c, id, 97+day*300)
				if len(want) == 0 {
					if err == nil {
						t.Errorf("%s at %s: it is there", id, now)
					}
					continue
				}
				if err != nil {
					t.Fatalf("%s at %s: %v", id, now, err)
				}
				for _, row := range rows {
					delete(want, fmt.Sprintf(`{"event_name":"%v","event_timestamp":"%v","user_id":"%v"}`, row["event_name"], row["event_timestamp"], row["user_id"]))
				}
				if len(want) > 0 {
					t.Errorf("%s at %s: %d rows, %d are missing", id, now, len(rows), len(want))
				}
				if meta, err := c.Dataset(dataset).Table(id).Metadata(t.Context()); err != nil || int(meta.NumRows) != len(rows) {
					t.Errorf("%s at %s: %d rows, said to be %d: %v", id, now, len(rows), meta.NumRows, err)
				}
			}
		}
	}
}

// TestDrift: a column that the schema lacks is added to it, with the type that its values have, below records too.
func TestDrift(t *testing.T) {
	t.Parallel()
	w := someEvents(t)
	add := func(members string) {
		object := fmt.Sprintf(`{"event_name":"x","event_timestamp":"%d",%s}`, at(12).UnixMicro(), members)
		if err := w.Write(Source, Stream, world.Record{ID: members, At: at(12), Visible: at(12), Object: json.RawMessage(object)}); err != nil {
			t.Fatal(err)
		}
	}
	add(`"note":"call","profile":{"level":3,"rate":0.5,"contact":"x"},"geo":{"country":"Peru","planet":"Earth"}`)
	add(`"profile":{"active":true},"tags":["a","b"],"event_params":[{"key":"k","value":{"int_value":"1"},"unit":"s"}]`)
	rows, schema, err := readAll(t.Context(), client(t, serve(t, w, nil)), "events_20261103", 0)
	if err != nil || len(rows) != 5 {
		t.Fatal(len(rows), err)
	}
	find := func(names ...string) (f *bigquery.FieldSchema) {
		fields := schema
		for _, name := range names {
			f = nil
			for _, one := range fields {
				if one.Name == name {
					f, fields = one, one.Schema
				}
			}
			if f == nil {
				t.Fatalf("no column %v", names)
			}
		}
		return f
	}
	for path, want := range map[string]bigquery.FieldType{
		"note": "STRING", "profile": "RECORD", "profile.level": "INTEGER", "profile.rate": "FLOAT", "profile.active": "BOOLEAN",
		"geo.planet": "STRING", "tags": "STRING", "event_params.unit": "STRING",
	} {
		if f := find(strings.Split(path, ".")...); f.Type != want || f.Repeated != (path == "tags") {
			t.Errorf("%s is a %s", path, f.Type)
		}
	}
	last := rows[len(rows)-1]
	var noted int
	for _, row := range rows {
		if row["note"] == "call" {
			noted++
			if p := row["profile"].(map[string]bigquery.Value); p["level"] != int64(3) || p["rate"] != 0.5 || p["active"] != nil {
				t.Errorf("%v", p)
			}
		}
	}
	if noted != 1 || len(last) != len(schema) {
		t.Errorf("%d rows have the new column", noted)
	}
}

// FuzzLine: a line is read as encoding/json reads it.
func FuzzLine(f *testing.F) {
	f.Add(`{"id":"a","at":"2026-11-03T01:00:00Z","visible":"2026-11-03T01:00:00.5Z","object":{"a":[1,"}"]}}`)
	f.Add(`{"id":"a","at":"2026-11-03T01:00:00+03:00","visible":"2026-11-03T01:00:00Z","gone":null,"object":null} `)
	f.Add(`{"object":{}`)
	f.Fuzz(func(t *testing.T, line string) {
		var got, want world.Record
		if !json.Valid([]byte(line)) || !parse([]byte(line), &got) {
			return
		}
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			return
		}
		if got.ID != strings.ToValidUTF8(want.ID, "\uFFFD") && strings.ToValidUTF8(got.ID, "") == got.ID || !got.At.Equal(want.At) || !got.Visible.Equal(want.Visible) ||
			(got.Gone == nil) != (want.Gone == nil) || string(got.Object) != string(want.Object) {
			t.Errorf("%q: %+v, expected %+v", line, got, want)
		}
	})
}
