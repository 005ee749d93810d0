package pgread

import (
	"errors"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/identifier"
	"crosslift/schemas/strictyaml"
)

// document is how a source has settings and tables in its own.
type document struct {
	Read  Settings `yaml:",inline"`
	Table *Table   `yaml:"table"`
}

func (d *document) Validate() error {
	spec := viewing
	if d.Table != nil {
		spec.From = d.Table.Over(viewing.From)
	}
	return errors.Join(d.Read.Prepare(), strictyaml.At("table", spec.Validate()))
}

func TestSettings(t *testing.T) {
	for yaml, want := range map[string]string{
		"":                             "",
		"overlap: 23h":                 "",
		"overlap: 0s\nrestatement: 0":  "",
		"overlap: 40h\nrestatement: 0": "",
		"overlap: 40h\nrestatement: 2": "",
		"tx: tx\nrestatement: 30":      "",
		"quarantine: 2%":               "",
		"table: {table: cinema.views, columns: {account: user, title: {value: all}, device: ''}}": "",
		"overlap: 24h":                      "1:10: overlap: longer than the 23h0m0s between the first reading of a day and its last: raise `restatement`",
		"overlap: -1s":                      "overlap: expected a duration from 0, such as 1h",
		"overlap: 1 hour":                   "expected a duration such as 30s or 1h",
		"tx: tx\noverlap: 1h":               "2:10: overlap: `tx` finds late commits however late they are: give one of them",
		"restatement: -1":                   "restatement: expected a number of days from 0",
		"zone: Mars/Olympus":                `zone: "Mars/Olympus" is no time zone`,
		"statement_timeout: 25h":            "statement_timeout: expected from 1ms to 24h",
		"lock_timeout: 1us":                 "lock_timeout: expected from 1ms to 24h",
		"page_size: -1":                     "page_size: expected from 1 to 1000000 rows",
		"table: {table: a..b}":              "table.table: expected a name, or schema.name",
		"table: {columns: {acount: user}}":  "table.columns.acount: raw/viewing has no such column: did you mean",
		"table: {columns: {source_id: ''}}": "table.columns.source_id: required: a column of the database",
		"table: {columns: {viewed_at: {value: '2026-11-03T00:00:00Z'}}}": "table.columns.viewed_at: required: a column of the database",
		"table: {columns: {seconds: ''}}":                                "table.columns.seconds: required: a column of the database, or a value",
		"table: {columns: {seconds: {value: x}}}":                        "table.columns.seconds.value: expected a number",
		"table: {columns: {account: {value: x}}}":                        "table.columns.account.value: account is not the same in every row",
		"table: {columns: {account: {from: a, map: {x: y}}}}":            "table.columns.account.map: only texts",
		"table: {columns: {account: {from: a, hash: true}}}":             "table.columns.account.hash: account is no text",
		"table: {columns: {title: {from: a, region: DE}}}":               "table.columns.title.region: title is no phone number",
		"table: {columns: {title: {from: a, region: XX}}}":               "table.columns.title.region: expected the ISO 3166-1 code",
		"table: {columns: {title: {from: a, value: b}}}":                 "table.columns.title: expected either from",
	} {
		err := strictyaml.Decode("x.yaml", []byte(yaml), nil, &document{})
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", yaml, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v: expected %q", yaml, err, want)
		}
	}
}

func TestWhatTheDefaultsHashStaysHashed(t *testing.T) {
	defaults := Table{Table: "users", Ignore: []string{"name"}, Columns: map[string]Column{
		"source_id": {From: "id", Hash: true}, "phone_hash": {From: "phone", Region: "RU"},
	}}
	got := Table{Columns: map[string]Column{"source_id": {From: "uid"}, "phone_hash": {From: "tel"}}}.Over(defaults)
	equal(t, "source_id", got.Columns["source_id"].Hash && got.Columns["source_id"].From == "uid", true)
	equal(t, "phone", got.Columns["phone_hash"].Region, "RU")
	equal(t, "table", got.Table+" "+strings.Join(got.Ignore, ""), "users name")
	equal(t, "the defaults are as they were", defaults.Columns["source_id"].From, "id")
}

func FuzzMicros(f *testing.F) {
	for _, text := range []string{
		"2026-11-03 01:02:03.456789+00", "2026-11-03 01:02:03+00", "infinity", "-infinity", "4713-01-01 00:00:00+00 BC",
		"294276-12-31 23:59:59+00", "2026-11-03T01:02:03Z", "2026-11-03 01:02:03.4+05:30",
		"0000-01-01 0:00:00+01", "9999-12-31 23:59:59-01", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := micros(text)
		if err != nil {
			return
		}
		again, err := micros(at.Time().Format("2006-01-02 15:04:05.999999Z07"))
		if err != nil || again != at {
			t.Errorf("%q: %d, then %d, %v", text, at, again, err)
		}
	})
}

func FuzzReadCursor(f *testing.F) {
	key := must(identifier.NewKey("test", []byte("a secret of the tests")))
	whole := must(cursor{At: 1, ID: "u1", Rows: 3, Sum: -5, Rejected: true, Page: 1}.write(key))
	f.Add(whole)
	f.Add(`{"at":1,"id":"","rows":1,"page":1}`)
	f.Add("null")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := readCursor(key, text)
		if err != nil {
			return
		}
		if text != "" && c.ID != "u1" && text == whole {
			t.Errorf("%q: id %q", text, c.ID)
		}
	})
}

func TestMicros(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-03 01:02:03.456789+00": "2026-11-03T01:02:03.456789Z",
		"2026-11-03 01:02:03+00":        "2026-11-03T01:02:03Z",
		"0001-01-01 00:00:00+00":        "0001-01-01T00:00:00Z",
	} {
		at, err := micros(text)
		if err != nil {
			t.Error(err)
		}
		equal(t, text, at.Time().Format(time.RFC3339Nano), want)
	}
}
