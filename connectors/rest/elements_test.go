package rest_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"crosslift/connectors"
	"crosslift/connectors/rest"
)

func elements(text, path string) (got []string, members rest.Members, err error) {
	members, err = rest.Elements(strings.NewReader(text), path, func(v rest.Value) error {
		got = append(got, string(v))
		return nil
	})
	return got, members, err
}

// What lies beside the elements is there at the end, whatever the order is.
func TestElements(t *testing.T) {
	for _, test := range []struct{ text, path, elements, members string }{
		{`[1, "a" ,{"b" : [2]}]`, "", `1|"a"|{"b" : [2]}`, ``},
		{`[]`, "", ``, ``},
		{`{"results":[{"id":"1"}],"paging":{"next":{"after":"7"}}}`, "results", `{"id":"1"}`, `{"paging":{"next":{"after":"7"}}}`},
		{`{"paging":{"next":{"after":"7"}},"results":[{"id":"1"}]}`, "results", `{"id":"1"}`, `{"paging":{"next":{"after":"7"}}}`},
		{"\n{ \"a\" : [ 1 , 2.50 ] , \"results\" : [ ] , \"b\" : \"\\u00e9\\\"\" }\n", "results", ``, `{"a":[1,2.50],"b":"é\""}`},
		{`{"Data":{"X":1,"Transaction":[1,2],"Y":{}},"Links":{}}`, "Data.Transaction", `1|2`, `{"Data":{"X":1,"Y":{}},"Links":{}}`},
		{`{"Data":{"Transaction":[1]}}`, "Data.Transaction", `1`, `{"Data":{}}`},
		{`{"results":[0]}`, "results", `0`, `{}`},
		{`{"big":"` + strings.Repeat("x", 100_000) + `","results":[0],"total":1}`, "results", `0`, `{"total":1}`},
		{`{"big":[` + strings.Repeat(`{"a":"b"},`, 100_000) + `1],"results":[0],"total":1}`, "results", `0`, `{"total":1}`},
	} {
		got, members, err := elements(test.text, test.path)
		if err != nil || strings.Join(got, "|") != test.elements || string(members) != test.members {
			t.Errorf("%.80s: %v, %s, %v", test.text, got, members, err)
		}
	}
}

func TestElementsThatAreMissing(t *testing.T) {
	for _, test := range []struct{ text, path, members string }{
		{`{"total":0}`, "results", `{"total":0}`},
		{`{"results":null,"total":0}`, "results", `{"results":null,"total":0}`},
		{`{"Data":{},"Links":{}}`, "Data.Transaction", `{"Data":{},"Links":{}}`},
		{`{"Data":null,"Links":{}}`, "Data.Transaction", `{"Data":null,"Links":{}}`},
		{`null`, "", `null`},
	} {
		_, members, err := elements(test.text, test.path)
		if !errors.Is(err, rest.ErrNoArray) || !errors.Is(err, connectors.ErrContract) || string(members) != test.members {
			t.Errorf("%s: %s, %v", test.text, members, err)
		}
	}
}

func TestEveryCutIsSeen(t *testing.T) {
	const text = ` {"a":{"b":[1,"x\n"]},"Data":{"n":12,"Transaction":[{"id":1},{"id":-2.5e3}],"ok":true},"z":null} `
	for cut := range len(text) - 1 {
		_, _, err := elements(text[:cut], "Data.Transaction")
		if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, connectors.ErrContract) {
			t.Errorf("%s: %v", text[:cut], err)
		}
	}
	if _, _, err := elements(text, "Data.Transaction"); err != nil {
		t.Error(err)
	}
}

// repeated is a text as often as wanted, of which nothing lies in memory.
type repeated struct {
	head, text, tail string
	times            int
	rest             string
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		switch {
		case r.head != "":
			r.rest, r.head = r.head, ""
		case r.times > 0:
			r.rest, r.times = r.text, r.times-1
		case r.tail != "":
			r.rest, r.tail = r.tail, ""
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// A page of 300 MB takes no more memory than one of 30 KB.
func TestMemoryDoesNotGrowWithThePage(t *testing.T) {
	const times = 1_000_000
	page := &repeated{
		head: `{"before":[`, text: `{"id":"` + strings.Repeat("x", 290) + `"},`, times: times / 2, tail: `0],"results":[`,
	}
	second := &repeated{text: page.text, times: times / 2, tail: `{}],"total":7}`}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	count := 0
	members, err := rest.Elements(io.MultiReader(page, second), "results", func(rest.Value) error { count++; return nil })
	runtime.ReadMemStats(&after)
	if err != nil || count != times/2+1 || string(members) != `{"total":7}` {
		t.Fatal(err, count, string(members))
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}

func TestValue(t *testing.T) {
	v := rest.Value(`{"a":{"b.c":1,"d":{"e":"x\u0021\n"}},"n":-5,"t":"12","big":12345678901234567890,"y":true,"f":"false","l":[1,"]",{"z":[]}],"0":null,"e":"","é":2}`)
	for path, want := range map[string]string{
		"a.d.e": "x!\n", "n": "-5", "t": "12", "y": "true", "f": "false", "l": "", "0": "", "e": "", "none": "", "a.d.e.x": "", "a": "",
	} {
		if got := v.Get(path).Text(); got != want {
			t.Errorf("%s: %q, expected %q", path, got, want)
		}
	}
	for path, want := range map[string]int64{"n": -5, "t": 12} {
		if got, ok := v.Get(path).Int(); !ok || got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
	for _, path := range []string{"big", "y", "l", "e", "none", "a"} {
		if n, ok := v.Get(path).Int(); ok {
			t.Errorf("%s is %d", path, n)
		}
	}
	if yes, ok := v.Get("y").Bool(); !yes || !ok {
		t.Error("y")
	}
	if yes, ok := v.Get("f").Bool(); yes || !ok {
		t.Error("f")
	}
	if _, ok := v.Get("n").Bool(); ok {
		t.Error("n")
	}
	if !v.Get("0").Absent() || !v.Get("none").Absent() || v.Get("e").Absent() {
		t.Error("absent")
	}
	var names, all []string
	for name, m := range v.Members() {
		names = append(names, string(name))
		_ = m
	}
	for e := range v.Get("l").Elements() {
		all = append(all, string(e))
	}
	if got := strings.Join(names, " "); got != "a n t big y f l 0 e é" {
		t.Error(got)
	}
	if got := strings.Join(all, " "); got != `1 "]" {"z":[]}` {
		t.Error(got)
	}
}

// FuzzElements: whatever comes, what is given is valid JSON, and of a valid document exactly its elements and members.
func FuzzElements(f *testing.F) {
	for _, seed := range []string{
		`{"Data":{"X":1,"Transaction":[1,{"a":"b"}],"Y":{}},"Links":{"Next":"x"}}`, `{"a":[]}`, `[1]`, `{"Data":null}`, `{"Data":{"Transaction":[1,`,
		`{"Data":{"Transaction":[]},"Data":{}}`, "{\"\xff\":1}", `{"a":"\ud800"}`, `{"Data":{"Transaction":[1]}} {}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, members, err := elements(text, "Data.Transaction")
		for _, e := range got {
			if !jsontext.Value(e).IsValid() && !jsontext.Value(e).IsValid(jsontext.AllowDuplicateNames(true)) {
				t.Errorf("element %q", e)
			}
		}
		valid := jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true))
		switch {
		case err == nil && !valid:
			t.Errorf("no error for %q", text)
		case err == nil || errors.Is(err, rest.ErrNoArray):
			if !jsontext.Value(members).IsValid(jsontext.AllowDuplicateNames(true)) {
				t.Errorf("members %q", members)
			}
			if err == nil && strings.Count(text, `"Data"`) == 1 {
				var want []string
				for e := range rest.Value(text).Get("Data.Transaction").Elements() {
					want = append(want, string(e))
				}
				if fmt.Sprint(got) != fmt.Sprint(want) && !strings.Contains(text, `\u`) {
					t.Errorf("%q: %q, walked %q", text, got, want)
				}
			}
		}
	})
}

// FuzzValue: what is no JSON makes nothing panic, and of what is, names and members are those that it holds.
func FuzzValue(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":[1,2,"\""]},"c\\":null}`, `{"a"`, `[[[`, `{"a":}`, `"\`, `{"a":1,}`, `{`, ``, `[1 2]`, `{"a":"\ud800"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := rest.Value(text)
		v.Get("a.b").Text()
		v.Int()
		v.Bool()
		valid := jsontext.Value(text).IsValid()
		for _, m := range v.Members() {
			if valid && !jsontext.Value(m).IsValid() {
				t.Errorf("member %q of %q", m, text)
			}
		}
		for e := range v.Elements() {
			if valid && !jsontext.Value(e).IsValid() {
				t.Errorf("element %q of %q", e, text)
			}
		}
	})
}
