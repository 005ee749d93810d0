package world_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"crosslift/connectors/sandbox/world"
)

// A line that can be read is the same after it has been written and read again.
func FuzzLine(f *testing.F) {
	for _, line := range []string{
		`{"id":"a","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00.5Z","object":{"a":[1,"}"]}}`,
		`{"id":"a","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T03:00:00+03:00","gone":"2026-09-02T00:00:00Z","object":null}`,
		`{"object": "\u0000", "id": "\"", "visible": "2026-09-01T00:00:00Z", "at": "2026-09-01T00:00:00Z"}`,
		`{"id":"a","at":"2026-09-01T00:00:00Z","visible":"2026-09-01T00:00:00Z","object":}`, `{`, `}`, `{"id":"a"}}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := world.ParseLine(line)
		if err != nil {
			return
		}
		again, err := world.AppendLine(nil, &r)
		if err != nil { // not visible when it was, a year of five digits
			return
		}
		if bytes.Count(again, []byte("\n")) != 1 || !json.Valid(again) {
			t.Fatalf("%q is written as %q", line, again)
		}
		back, err := world.ParseLine(again[:len(again)-1])
		if err != nil || back.ID != r.ID || !back.At.Equal(r.At) || !back.Visible.Equal(r.Visible) || !same(back.Object, r.Object) {
			t.Fatalf("%q became %+v, %v", line, back, err)
		}
	})
}

func same(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// An object stays one, whatever is taken from it or put into it.
func FuzzDamage(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":{"c":[],"d":"x"} , "e":-1.5}`), "b.d", false)
	f.Add([]byte(`{ "a" : 1 }`), "a", true)
	f.Add([]byte("{\"a\":1,\n\"b\":2\n}"), "b", false)
	f.Add([]byte(`{"a":{},"a":1}`), "a", true)
	f.Add([]byte(`{}`), "", false)
	f.Fuzz(func(t *testing.T, object []byte, path string, text bool) {
		if !json.Valid(object) {
			return
		}
		if less, err := world.Without(object, path, text); err == nil && !json.Valid(less) {
			t.Fatalf("%s without %q is %s", object, path, less)
		}
		if more, err := world.With(object, path, `"x":{"y":1}`); err == nil && !json.Valid(more) {
			t.Fatalf("%s with more at %q is %s", object, path, more)
		}
	})
}
