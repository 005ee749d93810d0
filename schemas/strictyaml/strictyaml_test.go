package strictyaml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"crosslift/schemas/strictyaml"
)

type span struct{ d time.Duration }

func (s *span) UnmarshalText(text []byte) (err error) {
	s.d, err = time.ParseDuration(string(text))
	return err
}

// place may be written as text or as a mapping.
type place struct {
	URL    string `yaml:"url"`
	Region string `yaml:"region"`
}

func (p *place) UnmarshalText(text []byte) error {
	p.URL = string(text)
	return nil
}

// words may be written as text or as a list.
type words []string

func (w *words) UnmarshalText(text []byte) error {
	*w = strings.Fields(string(text))
	return nil
}

type secret struct{ value, written string }

func (s *secret) UnmarshalScalar(written, text string) error {
	if !strings.Contains(written, "${") {
		return errors.New("a secret is written as ${NAME}")
	}
	s.value, s.written = text, written
	return nil
}

// either reads nodes itself.
type either struct{ Words []string }

func (e *either) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		e.Words = strings.Fields(n.Value)
		return nil
	}
	for i, c := range n.Content {
		if c.Kind != yaml.ScalarNode {
			return strictyaml.At(fmt.Sprint(i), errors.New("expected a word"))
		}
		e.Words = append(e.Words, c.Value)
	}
	return nil
}

type common struct {
	Comment string `yaml:"comment"`
}

type column struct {
	Type string   `yaml:"type"`
	In   []string `yaml:"in"`
}

func (c *column) Advise(key string) string {
	if key == "not_in" {
		return "write in"
	}
	return ""
}

func (c *column) Validate() error {
	if c.Type == "" {
		return strictyaml.At("type", errors.New("required"))
	}
	return nil
}

type document struct {
	common `yaml:",inline"`

	Table      string            `yaml:"table"`
	Quarantine *float64          `yaml:"quarantine"`
	Workers    int               `yaml:"workers"`
	Small      int8              `yaml:"small"`
	Port       uint16            `yaml:"port"`
	Strict     bool              `yaml:"strict"`
	Window     span              `yaml:"window"`
	Place      place             `yaml:"place"`
	Password   secret            `yaml:"password"`
	Either     either            `yaml:"either"`
	Some       words             `yaml:"some"`
	Others     words             `yaml:"others"`
	Columns    map[string]column `yaml:"columns"`
	Filter     []column          `yaml:"filter"`
	Weights    map[string]int    `yaml:"weights"`
	Hidden     string            `yaml:"-"`
}

func (d *document) Validate() error {
	var errs []error
	if d.Table == "nowhere" {
		errs = append(errs, strictyaml.At("table", errors.New("no such table")))
	}
	for name := range d.Columns {
		if strings.HasPrefix(name, "bad") {
			errs = append(errs, strictyaml.At("columns", strictyaml.At(name, errors.New("not a column"))))
		}
	}
	if d.Workers < 0 {
		errs = append(errs, errors.New("the whole thing is wrong"))
	}
	return errors.Join(errs...)
}

func env(name string) (string, bool) {
	v, ok := map[string]string{"TWO": "2", "EMPTY": "", "SHORT": "i", "PASSWORD": "hunter2", "LONG": "never mind: ${TWO}", "YES": "true"}[name]
	return v, ok
}

func TestDecode(t *testing.T) {
	t.Parallel()
	var d document
	err := strictyaml.Decode("p.yaml", []byte(`# a comment
comment: "# not one"
table: raw/payment
quarantine: 0.02
workers: ${TWO}
small: -128
port: 65535
strict: ${YES}
window: 36h
place: s3://b/${EMPTY}p
password: "${PASSWORD}"
either: [a, "${TWO}"]
some: a b ${TWO}
others: [a b, "${TWO}"]
columns:
  paid_at: {type: timestamp}
  ${TWO}: {type: int, in: [1, true, 2026-01-02, "x"]}
filter:
  - type: $${TWO} $ $$ {day} ${LONG}
weights: {a: 1, b: 2}
`), env, &d)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%q %s %v %d %d %d %t %s %s %s %s %q %q %v %v %v", d.Comment, d.Table, *d.Quarantine, d.Workers, d.Small, d.Port,
		d.Strict, d.Window.d, d.Place.URL, d.Password.value, d.Either.Words, d.Some, d.Others, d.Columns, d.Filter, d.Weights)
	want := `"# not one" raw/payment 0.02 2 -128 65535 true 36h0m0s s3://b/p hunter2 [a 2] ["a" "b" "2"] ["a b" "2"] ` +
		`map[${TWO}:{int [1 true 2026-01-02 x]} paid_at:{timestamp []}] [{${TWO} $ $$ {day} never mind: ${TWO} []}] map[a:1 b:2]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDecodeWithoutEnvironmentLeavesVariables(t *testing.T) {
	t.Parallel()
	var d document
	if err := strictyaml.Decode("p.yaml", []byte("table: a${TWO}$${b}"), nil, &d); err != nil || d.Table != "a${TWO}$${b}" {
		t.Errorf("got %q, %v", d.Table, err)
	}
}

func TestEmptyDocumentIsAnEmptyMapping(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n", "---\n", "{}", "\ufeff"} {
		var c column
		err := strictyaml.Decode("p.yaml", []byte(text), nil, &c)
		var e *strictyaml.Error
		if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || !strings.HasSuffix(err.Error(), ": type: required") {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"a near key":        {"table: x\nquarantin: 1", `p.yaml:2:1: unknown key "quarantin": did you mean "quarantine"?`},
		"swapped letters":   {"tabel: x", `p.yaml:1:1: unknown key "tabel": did you mean "table"?`},
		"a far key":         {"columns:\n  a:\n    zzz: 1", `p.yaml:3:5: unknown key "zzz": expected one of type, in`},
		"a former key":      {"columns:\n  a:\n    not_in: 1", `p.yaml:3:5: unknown key "not_in": write in`},
		"a duplicate key":   {"table: x\nsmall: 1\ntable: y", `p.yaml:3:1: duplicate key "table": first on line 1`},
		"in a map":          {"weights: {a: 1, a: 2}", `p.yaml:1:17: duplicate key "a": first on line 1`},
		"a word for an int": {"workers: two", `p.yaml:1:10: workers: expected a whole number, found "two"`},
		"a quoted int":      {`workers: "2"`, `p.yaml:1:10: workers: expected a whole number, found "2"`},
		"a fraction":        {"workers: 2.5", `p.yaml:1:10: workers: expected a whole number, found "2.5"`},
		"too large":         {"small: 128", `p.yaml:1:8: small: expected a whole number of 8 bits, found "128"`},
		"negative":          {"port: -1", `p.yaml:1:7: port: expected a whole number from 0 to 65535, found "-1"`},
		"not finite":        {"quarantine: .inf", `p.yaml:1:13: quarantine: expected a number, found ".inf"`},
		"yes is not true":   {"strict: yes", `p.yaml:1:9: strict: expected true or false, found "yes"`},
		"a list for text":   {"table:\n  - a", `p.yaml:1:1: table: expected text, found a list`},
		"nothing for text":  {"small: 1\ntable:", `p.yaml:2:1: table: expected text, found nothing`},
		"text for a list":   {"filter: x", `p.yaml:1:9: filter: expected a list, found "x"`},
		"text for mapping":  {"columns: x", `p.yaml:1:10: columns: expected a mapping, found "x"`},
		"an item":           {"filter:\n  - type: a\n  - b", `p.yaml:3:5: filter.1: expected a mapping, found "b"`},
		"a scalar document": {"hello", `p.yaml:1:1: expected a mapping, found "hello"`},
		"UnmarshalText":     {"window: soon", `p.yaml:1:9: window: time: invalid duration "soon"`},
		"text or mapping":   {"place: [a]", `p.yaml:1:1: place: expected a mapping, found a list`},
		"text or list":      {"some: {}\nothers:\n  - a\n  - []", "p.yaml:1:1: some: expected a list, found a mapping\np.yaml:4:5: others.1: expected text, found a list"},
		"UnmarshalYAML":     {"either:\n  - a\n  - {}", `p.yaml:3:5: 1: expected a word`},
		"scalar":            {"password: hunter2", `p.yaml:1:11: password: a secret is written as ${NAME}`},
		"scalars only":      {"password: {value: x}\nwindow: {}", "p.yaml:1:1: password: expected text, found a mapping\np.yaml:2:1: window: expected text, found a mapping"},
		"unset variable":    {"table: a${NOPE}", `p.yaml:1:8: table: environment variable NOPE is not set`},
		"unset in a node":   {"either: [a, \"${NOPE}\"]", `p.yaml:1:13: either: environment variable NOPE is not set`},
		"broken variable":   {"table: ${1}", `p.yaml:1:8: table: expected a variable as ${NAME}; $${ stands for a literal ${`},
		"values are secret": {"workers: ${PASSWORD}\nwindow: ${PASSWORD}", "p.yaml:1:10: workers: expected a whole number, found \"${PASSWORD}\"\n" +
			`p.yaml:2:9: window: time: invalid duration "${PASSWORD}"`},
		"an empty value":      {"window: ${EMPTY}", `p.yaml:1:9: window: time: invalid duration "${EMPTY}"`},
		"a value in the text": {"window: ${SHORT}", `p.yaml:1:9: window: the value of ${SHORT} does not fit`},
		"validate":            {"columns:\n  x: {}", `p.yaml:2:3: type: required`},
		"validate a list":     {"filter:\n  - in: [a]", `p.yaml:2:5: type: required`},
		"validate a field":    {"small: 1\ntable: nowhere", `p.yaml:2:8: table: no such table`},
		"nested path":         {"columns:\n  bad.one: {type: x}", `p.yaml:2:3: columns.bad.one: not a column`},
		"no field":            {"\nworkers: -1", `p.yaml:2:1: the whole thing is wrong`},
		"all at once": {"tabel: x\nworkers: two\ncolumns:\n  a: {}\n  b: {typ: 1}\nsmall: 999", "p.yaml:1:1: unknown key \"tabel\": did you mean \"table\"?\n" +
			"p.yaml:2:10: workers: expected a whole number, found \"two\"\n" +
			"p.yaml:4:3: type: required\n" +
			"p.yaml:5:7: unknown key \"typ\": did you mean \"type\"?\n" +
			`p.yaml:6:8: small: expected a whole number of 8 bits, found "999"`},
		"anchors":          {"table: &a x\ncomment: *a", "p.yaml:1:8: table: anchors and aliases are not supported: write the value out\np.yaml:2:10: comment: anchors and aliases are not supported: write the value out"},
		"a merge key":      {"<<: {table: x}", `p.yaml:1:1: unknown key "<<": expected one of comment, table, quarantine, workers, small, port, strict, window, place, password, either, some, others, columns, filter, weights`},
		"a complex key":    {"? [a]\n: 1", `p.yaml:1:3: expected a plain key, found a list`},
		"unexported":       {"hidden: x", `p.yaml:1:1: unknown key "hidden": expected one of comment, table, quarantine, workers, small, port, strict, window, place, password, either, some, others, columns, filter, weights`},
		"a tab":            {"a:\n\tb: 1", `p.yaml:2:1: not YAML: while scanning for the next token: found character that cannot start any token`},
		"an operator":      {"either:\n  - {op: >=}", `p.yaml:2:10: not YAML: while scanning for the next token: found character that cannot start any token (what begins with > must be quoted)`},
		"an open bracket":  {"table: [", `p.yaml:2:1: not YAML: while parsing a flow node: did not find expected node content`},
		"second document":  {"table: x\n---\ntable: y", `p.yaml:2:1: a second document: expected one only`},
		"unquoted in flow": {"either: [${TWO}]", `p.yaml:1:11: not YAML: while parsing a flow sequence: did not find expected ',' or ']' (inside [ ] and { }, ${NAME} must be quoted)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var d document
			err := strictyaml.Decode("p.yaml", []byte(c.text), env, &d)
			if err == nil {
				t.Fatalf("no error: %+v", d)
			}
			if err.Error() != c.want {
				t.Errorf("\ngot  %s\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") && !strings.Contains(c.text, "hunter2") {
				t.Error("the message gives a variable's value away")
			}
		})
	}
}

// Locate places errors found after decoding, by other files' contents.
func TestLocate(t *testing.T) {
	t.Parallel()
	d, err := strictyaml.Parse("p.yaml", []byte("table: x\nfilter:\n  - type: a\n    in: [b, c]\nweights:\n  a.b: 1\n  a: 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	wrong := errors.New("wrong")
	for path, want := range map[string]string{
		"table":           "p.yaml:1:8: table: wrong",
		"filter":          "p.yaml:2:1: filter: wrong",
		"filter.0.in.1":   "p.yaml:4:13: filter.0.in.1: wrong",
		"filter.0.in.7":   "p.yaml:4:5: filter.0.in.7: wrong",
		"filter.7.type":   "p.yaml:2:1: filter.7.type: wrong",
		"filter.-1":       "p.yaml:2:1: filter.-1: wrong",
		"weights.a.b":     "p.yaml:6:8: weights.a.b: wrong",
		"weights.a":       "p.yaml:7:6: weights.a: wrong",
		"weights.missing": "p.yaml:5:1: weights.missing: wrong",
		"nothing.at.all":  "p.yaml:1:1: nothing.at.all: wrong",
	} {
		if got := d.Locate(strictyaml.At(path, wrong)); got.Error() != want || !errors.Is(got, wrong) {
			t.Errorf("%s: got %v, want %s", path, got, want)
		}
	}
	both := d.Locate(errors.Join(strictyaml.At("weights", wrong), nil, errors.Join(strictyaml.At("table", wrong), wrong, wrong)))
	if want := "p.yaml:1:1: wrong\np.yaml:1:8: table: wrong\np.yaml:5:1: weights: wrong"; both.Error() != want {
		t.Errorf("got %s, want %s", both, want)
	}
	if err := d.Locate(nil); err != nil {
		t.Errorf("nil became %v", err)
	}
}

func TestAtKeepsNil(t *testing.T) {
	t.Parallel()
	if err := strictyaml.At("field", nil); err != nil {
		t.Errorf("got %v", err)
	}
	if err := strictyaml.At("field", errors.Join(nil, nil)); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	known := []string{"time_zone", "table", "window", "in", "not_in"}
	all := "expected one of time_zone, table, window, in, not_in"
	for unknown, want := range map[string]string{
		"timezone": `did you mean "time_zone"?`, "tabel": `did you mean "table"?`, "Window": `did you mean "window"?`, "": all,
		"entirely_else": all, "окно": all,
	} {
		if got := strictyaml.Suggest(unknown, known); got != want {
			t.Errorf("%q: got %s, want %s", unknown, got, want)
		}
	}
}

func TestDecodeIntoNonsenseIsAnError(t *testing.T) {
	t.Parallel()
	var n int
	for _, into := range []any{nil, document{}, &n, (*document)(nil)} {
		if err := strictyaml.Decode("p.yaml", nil, nil, into); err == nil {
			t.Errorf("%T: no error", into)
		}
	}
	var odd struct {
		C chan int `yaml:"c"`
	}
	if err := strictyaml.Decode("p.yaml", []byte("c: 1"), nil, &odd); err == nil {
		t.Error("a channel was decoded")
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"table: x\ncolumns:\n  a: {type: ${TWO}, in: [1, ~]}\nfilter: [{type: a}]\neither: [a]\nplace: {url: x}\npassword: ${PASSWORD}",
		"a: &a [*a]", "? ? a", "<<: *x", "%YAML 1.1\n--- |\n x", "!!binary a: !t b", "columns: {? [a] : b}", "--- a\n--- b", "window: ${", "either: {a: b}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d document
		err := strictyaml.Decode("p.yaml", data, env, &d)
		for _, line := range strings.Split(fmt.Sprint(err), "\n") {
			if err != nil && line == "" {
				t.Errorf("an empty line in %q", err)
			}
		}
		var e *strictyaml.Error
		if err != nil && (!errors.As(err, &e) || e.Line < 1 || e.Column < 1) {
			t.Errorf("no place: %v", err)
		}
	})
}
