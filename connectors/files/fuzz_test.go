package files

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"crosslift/schemas/table"
)

// plainText reports input that starts as text without a byte order mark.
func plainText(data string) bool {
	return utf8.ValidString(data) && !strings.HasPrefix(data, "\ufeff") && !strings.ContainsRune(data[:min(4, len(data))], 0) &&
		!strings.HasPrefix(data, string(gzipMagic)) && !strings.HasPrefix(data, string(zstdMagic)) &&
		!strings.Contains(data[:min(4, len(data))], string(zstdSkippable))
}

// readAll gives the records of a text file, with a nil one for each broken record.
func readAll(t *testing.T, r io.Reader, name string, f Format, columns ...string) (records [][]string, err error) {
	t.Helper()
	f, err = f.resolve(name)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := newTextReader(context.Background(), r, name, f)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	if len(columns) > 0 {
		if err := reader.Select(columns...); err != nil {
			return nil, err
		}
	}
	last := int64(0)
	for {
		rec, err := reader.Next()
		var broken *RecordError
		switch {
		case err == io.EOF:
			return records, nil
		case errors.As(err, &broken):
			if broken.Position <= last {
				t.Fatalf("line %d is broken after line %d", broken.Position, last)
			}
			last = broken.Position
			records = append(records, nil)
			continue
		case err != nil:
			return records, err
		}
		if rec.Position <= last {
			t.Fatalf("line %d comes after line %d", rec.Position, last)
		}
		last = rec.Position
		fields := []string{}
		for i := range reader.cells {
			text, present := rec.Cell(i)
			if !present {
				text = []byte("<absent>")
			}
			fields = append(fields, string(text))
		}
		records = append(records, fields)
	}
}

// What encoding/csv reads without an error reads the same here, however the bytes arrive.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"a,b\n1,2\n", "a,b\r\n\"x\r\ny\",\"\"\"\"\r\n", "a\n\n\"\"\n", "a,b\n1\n1,2,3\n\"", "a,b\n\"x\"y,1\nx\"y,1\n", "a\r", "a,b\n1,2\r", "\n\na",
		"a,b\n\"1\n2\n3,4\n5,\"6\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if !plainText(data) {
			return
		}
		got, err := readAll(t, strings.NewReader(data), "x.csv", Format{Null: []string{"\x00never"}})
		slowly, again := readAll(t, iotest.OneByteReader(strings.NewReader(data)), "x.csv", Format{Null: []string{"\x00never"}})
		if !slices.EqualFunc(got, slowly, slices.Equal[[]string]) || (err == nil) != (again == nil) {
			t.Fatalf("%q: got %q, %v; byte by byte %q, %v", data, got, err, slowly, again)
		}
		std := csv.NewReader(strings.NewReader(data))
		std.FieldsPerRecord = -1
		want, stdErr := std.ReadAll()
		if stdErr != nil {
			if err == nil && !slices.ContainsFunc(got, func(r []string) bool { return r == nil }) {
				t.Fatalf("%q: got %q, encoding/csv says %v", data, got, stdErr)
			}
			return
		}
		if len(want) == 0 {
			if len(got) > 0 || err != nil {
				t.Fatalf("%q: got %q, %v; want nothing", data, got, err)
			}
			return
		}
		for i, h := range want[0] {
			want[0][i] = strings.TrimSpace(h)
			if slices.Contains(want[0][:i], want[0][i]) {
				return // such columns can't be told apart
			}
		}
		ragged := false
		for _, record := range want[1:] {
			ragged = ragged || len(record) != len(want[0])
		}
		if ragged { // a broken record of several lines costs the first only
			return
		}
		if err != nil || !slices.EqualFunc(got, want[1:], slices.Equal[[]string]) {
			t.Fatalf("%q: got %q, %v; want %q", data, got, err, want[1:])
		}
	})
}

// What encoding/json takes for an object is one here, with the same texts, and nothing else is.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":{"c":"x"}}`, `{"a":"\u00e9\ud83d\ude00\ud800x\n\/","b":{"c":null}}`, `{"a":[1,{"a":2}],"b":{"c":-0.5e+3}}`, `{"a":1,"a":2}`,
		`{"b.c":true}`, `{"a":01}`, `{}`, `[]`, `{"a":9223372036854775807}`, `{"a":"\ud83d\ud83d\ude00"}`, ` { "a" : 1 } x`, `{"a":tru}`,
		`{"\u0061":"x","b":{"c":"y"},"b":1}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if !utf8.ValidString(data) {
			return
		}
		var s jsonScanner
		got := map[int]cell{}
		err := s.object([]byte(data), []wanted{{0, "a"}, {1, "b.c"}}, func(i int, c cell) { got[i] = cell{bytes.Clone(c.value), c.present} })
		var object map[string]json.RawMessage
		stdErr := json.Unmarshal([]byte(data), &object)
		if (err == nil) != (stdErr == nil && object != nil) && !errors.Is(err, errDepth) {
			t.Fatalf("%q: got %v, encoding/json says %v", data, err, stdErr)
		}
		if err != nil {
			return
		}
		compare := func(i int, raw json.RawMessage) {
			if i == 1 && (strings.Contains(data, "b.c") || strings.Contains(data, `\u`) || strings.Count(data, `"b"`) > 1) {
				return // several paths lead there
			}
			want := cell{[]byte(raw), raw != nil && string(raw) != "null"}
			var text string
			if want.present && raw[0] == '"' {
				if err := json.Unmarshal(raw, &text); err != nil {
					t.Fatal(err)
				}
				want.value = []byte(text)
			}
			if got[i].present != want.present || want.present && string(got[i].value) != string(want.value) {
				t.Fatalf("%q: column %d: got %q %v, want %q %v", data, i, got[i].value, got[i].present, want.value, want.present)
			}
		}
		compare(0, object["a"])
		var inner map[string]json.RawMessage
		if raw := object["b"]; raw != nil && json.Unmarshal(raw, &inner) == nil {
			compare(1, inner["c"])
		}
	})
}

// Whole JSON Lines files never panic, and position and bytes do not depend on how the bytes arrive.
func FuzzJSONLines(f *testing.F) {
	f.Add("{\"a\":1}\n\n{\"a\":\n[1]\n")
	f.Add("{\"a\":\"\\u0000\"}\r\n")
	f.Fuzz(func(t *testing.T, data string) {
		got, err := readAll(t, strings.NewReader(data), "x.jsonl", Format{}, "a")
		slowly, again := readAll(t, iotest.OneByteReader(strings.NewReader(data)), "x.jsonl", Format{}, "a")
		if !slices.EqualFunc(got, slowly, slices.Equal[[]string]) || (err == nil) != (again == nil) {
			t.Fatalf("%q: got %q, %v; byte by byte %q, %v", data, got, err, slowly, again)
		}
	})
}

// Times agree with package time wherever both read a text.
func FuzzTime(f *testing.F) {
	for _, seed := range []string{
		"2026-11-03 12:34:56", "2026-11-03T12:34:56.789Z", "2026-10-25 02:30:00", "2026-03-29 02:30:00", "2024-02-29 00:00:00.9999999",
		"2023-02-29 00:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2026-11-03T12:34:56+05:30", "1700000000", "-1", "99999999999999",
	} {
		f.Add(seed)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		local, _ := newClock("2006-01-02 15:04:05", "Europe/Berlin")
		for range 2 { // the second time with what the first has learnt
			at, ok := local.parse([]byte(text))
			wall, err := time.Parse("2006-01-02 15:04:05", text)
			if ok && err != nil {
				t.Fatalf("%q: read as %d, package time says %v", text, at, err)
			}
			if ok {
				shown := at.Time().In(berlin)
				if shown.Format("2006-01-02 15:04:05.000000") != wall.Format("2006-01-02 15:04:05.000000") {
					t.Fatalf("%q is read as %s", text, shown)
				}
				if earlier := shown.Add(-time.Hour); earlier.Format(time.DateTime) == shown.Format(time.DateTime) {
					t.Fatalf("%q is read as the second of two times", text)
				}
			}
			if !ok && err == nil && wall.Year() > 1 && wall.Year() < 9999 && len(text) >= 19 {
				if there := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, berlin); there.Format(time.DateTime) == wall.Format(time.DateTime) {
					t.Fatalf("%q is not read, but is a time", text)
				}
			}
		}
		zoned, _ := newClock("", "")
		at, ok := zoned.parse([]byte(text))
		if want, err := time.Parse(time.RFC3339Nano, text); err == nil && want.Year() > 1 && want.Year() < 9999 && text[13] == ':' && (!ok || at != table.MicrosOf(want)) {
			_, offset := want.Zone()
			if offset > -86400 && offset < 86400 {
				t.Fatalf("%q: got %d, %v; want %d", text, at, ok, table.MicrosOf(want))
			}
		}
	})
}
