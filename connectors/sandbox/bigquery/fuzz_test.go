package bigquery

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// FuzzRow: what is JSON becomes JSON, with a cell for every column; what is not is refused.
func FuzzRow(f *testing.F) {
	f.Add(`{"event_name":"a","event_timestamp":"1","event_params":[{"key":"k","value":{"int_value":"1"}}],"geo":null,"is_active_user":true}`)
	f.Add(` { "event_params" : [ ] , "user_ltv" : { "revenue" : 0.0 } } `)
	f.Add(`{"event_params":[{"key":"a"} {}]}`)
	f.Add(`{"event_name":"\u0041\\"`)
	columns := Columns()
	f.Fuzz(func(t *testing.T, object string) {
		var w rowWriter
		out, err := w.append(nil, []byte(object), columns)
		if err != nil || !json.Valid([]byte(object)) {
			return
		}
		var row struct{ F []struct{ V any } }
		if err := json.Unmarshal(out, &row); err != nil || len(row.F) != len(columns) {
			t.Errorf("%q became %q: %v", object, out, err)
		}
	})
}

// FuzzAssertion: no text but a signed one gets a token, and none panics.
func FuzzAssertion(f *testing.F) {
	file, err := NewServiceAccount(project, "http://x/token")
	if err != nil {
		f.Fatal(err)
	}
	account, err := ReadAccount(file)
	if err != nil {
		f.Fatal(err)
	}
	s := &server{options: Options{Account: account}, secret: []byte("s"), wall: time.Now}
	f.Add("YQ.YQ.YQ")
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		if s.verify(text, "") == nil {
			t.Errorf("%q was taken", text)
		}
	})
}

// TestRowRefused: what a row of the export cannot be is told by its place.
func TestRowRefused(t *testing.T) {
	t.Parallel()
	for object, want := range map[string]string{
		`{"mood":"blue"}`:             `no field "mood"`,
		`{"geo":{"planet":"x"}}`:      `geo: the schema has no field "planet"`,
		`{"geo":"x"}`:                 "geo: expected a RECORD",
		`{"event_params":{}}`:         "event_params: expected a list",
		`{"event_params":[{"key":1}`:  "no JSON object",
		`{"event_name":{"x":1}}`:      "event_name: expected a STRING",
		`[]`:                          "no JSON object",
		`{"event_name":"x"} trailing`: "no JSON object",
	} {
		var w rowWriter
		if _, err := w.append(nil, []byte(object), Columns()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %s", object, err, want)
		}
	}
}
