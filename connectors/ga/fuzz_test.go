package ga

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"cloud.google.com/go/bigquery"

	sandbox "crosslift/connectors/sandbox/bigquery"
	"crosslift/schemas/identifier"
)

// schema is the sandbox's, as Google's client gives it.
func schemaOf(fields []sandbox.Field) bigquery.Schema {
	var s bigquery.Schema
	for _, f := range fields {
		s = append(s, &bigquery.FieldSchema{
			Name: f.Name, Type: bigquery.FieldType(f.Type), Repeated: f.Mode == "REPEATED", Schema: schemaOf(f.Fields),
		})
	}
	return s
}

// FuzzPage: whatever a page holds, it is split or refused; what is split is JSON where the page was, with as many rows,
// each of which is read or refused.
func FuzzPage(f *testing.F) {
	f.Add(`{"kind":"x","totalRows":"2","rows":[{"f":[{"v":"a"},{"v":null}]},{"f":[{"v":"\u0041\\"},{"v":[{"v":{"f":[]}}]}]}],"pageToken":"y"}`)
	f.Add(` { "rows" : [ ] , "a" : { "b" : [ 1 , -2.5e3 , true , null ] } } `)
	f.Add(`{"rows":null}`)
	f.Add(`{"rows":[{"f":[`)
	l, err := layoutOf(schemaOf(sandbox.Columns()))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var p page
		if err := p.fill(strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		others, err := p.split()
		var want struct{ Rows []json.RawMessage }
		isJSON := json.Valid([]byte(body))
		if err != nil {
			if duplicates := strings.Count(body, "rows") > 1; isJSON && !duplicates && json.Unmarshal([]byte(body), &want) == nil && strings.HasPrefix(strings.TrimSpace(body), "{") {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if isJSON && !json.Valid([]byte(others)) {
			t.Fatalf("%q became %q", body, others)
		}
		var d decoder
		for i := range p.rows {
			for _, list := range [][]node{l.some, l.whole} {
				_ = d.row(p.row(i), list)
				d.event.at()
			}
			cells(p.row(i))
		}
	})
}

// FuzzText: strings mean what encoding/json says.
func FuzzText(f *testing.F) {
	for _, text := range []string{`"a"`, `"\u00e9\ud83d\ude00\ud83d x\n\"\\"`, `"a long text, longer than what is looked at byte by byte \\"`, `"\`, `"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := scanner{data: []byte(text)}
		inside, escaped, err := s.text()
		if err != nil {
			if json.Valid([]byte(text)) && strings.HasPrefix(text, `"`) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		var want string
		if json.Unmarshal([]byte(text[:s.at]), &want) != nil {
			return
		}
		got := inside
		if escaped {
			if got, err = unescape(nil, inside); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
		if utf8.ValidString(text) && string(got) != want {
			t.Fatalf("%q: %q, expected %q", text, got, want)
		}
	})
}

// FuzzClean: what is kept of a text holds nothing that would be taken out of it, encoded or not, and no query.
func FuzzClean(f *testing.F) {
	for _, text := range []string{"https://u@x.ru/a?b=c", "ann%2540mail.ru", "see http://x/?a b", "100%", "/a;b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := clean(text)
		if identifier.Redact(got) != got {
			t.Errorf("%q became %q, of which %q is kept", text, got, identifier.Redact(got))
		}
		if plain, err := url.PathUnescape(got); err == nil && !strings.Contains(plain, "%") && identifier.Redact(plain) != plain {
			t.Errorf("%q became %q, which is %q", text, got, plain)
		}
		if strings.HasPrefix(got, "https://") && strings.ContainsAny(got, "?#") && len(strings.Fields(got)) == 1 {
			t.Errorf("%q became %q", text, got)
		}
	})
}
