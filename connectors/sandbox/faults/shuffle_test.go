package faults

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestShuffleKeepsEveryElement(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, path, kept string }{
		{"nested", `{"a":1, "Data" : {"x":[1,2,{"y":[3]}],"z":"]"} }`, "Data.x", "1"},
		{"no such member", `{"a":[1,2]}`, "b", `{"a":[1,2]}`},
		{"no object on the way", `{"a":[1,2]}`, "a.b", `{"a":[1,2]}`},
		{"no array", `{"a":{"b":1}}`, "a", `{"a":{"b":1}}`},
		{"no JSON", `a,b`, "a", `a,b`},
		{"empty", `{"a":[]}`, "a", `{"a":[]}`},
	} {
		moved := false
		for seed := range uint64(20) {
			got := string(shuffle([]byte(c.body), []string{c.path}, seed))
			if c.kept != "1" {
				if got != c.kept {
					t.Errorf("%s: %s", c.name, got)
				}
				continue
			}
			moved = moved || got != c.body
			if a, b := strings.Split(got, ""), strings.Split(c.body, ""); !slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))) {
				t.Errorf("%s: %s", c.name, got)
			}
		}
		if c.kept == "1" && !moved {
			t.Errorf("%s: never in another order", c.name)
		}
	}
}

func FuzzShuffle(f *testing.F) {
	f.Add([]byte(`{"Data":{"x":[1,{"y":[2,3]},"]"]}}`), "Data.x", uint64(1))
	f.Add([]byte(`{"a":[],"a":[1]}`), "a", uint64(2))
	f.Fuzz(func(t *testing.T, body []byte, path string, seed uint64) {
		if !json.Valid(body) {
			return
		}
		if got := shuffle(body, []string{path}, seed); !json.Valid(got) {
			t.Fatalf("%s became %s", body, got)
		}
	})
}
