package metric_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
)

const revenue = `name: revenue
type: mean
table: raw/payment
filter:
  - {column: status, in: [succeeded, settled]}
  - {column: currency, in: [RUB]}
  - {column: amount_minor, min: 1, max: 1e6}
value: amount_minor
unit: RUB minor
window: 48h
`

func decode(t testing.TB, text string) *metric.Metric {
	t.Helper()
	m := &metric.Metric{}
	if err := strictyaml.Decode("m.yaml", []byte(text), nil, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMetric(t *testing.T) {
	t.Parallel()
	m := decode(t, revenue)
	if m.Type != metric.Mean || m.Window.Duration() != 48*time.Hour || m.Window.String() != "2d" || *m.Filter[2].Max != 1e6 || m.Filter[0].In[1] != "settled" {
		t.Errorf("got %+v", m)
	}
	p := decode(t, "name: paid\ntype: proportion\ntable: raw/payment\nwindow: 12h\n")
	if p.Unit != "share" || p.Window.String() != "12h" {
		t.Errorf("got %+v", p)
	}
}

// The hash changes with what decides the numbers, and with nothing else.
func TestHash(t *testing.T) {
	t.Parallel()
	base := decode(t, revenue).Hash()
	for name, text := range map[string]string{
		"comments":             "# all of it\n" + strings.ReplaceAll(revenue, "unit:", "# in kopecks\nunit:"),
		"a description":        revenue + "description: what people paid\n",
		"quotes":               strings.ReplaceAll(revenue, "raw/payment", `"raw/payment"`),
		"order of values":      strings.ReplaceAll(revenue, "succeeded, settled", "settled, succeeded"),
		"a value twice":        strings.ReplaceAll(revenue, "succeeded, settled", "settled, succeeded, settled"),
		"order of conditions":  strings.Replace(strings.ReplaceAll(revenue, "  - {column: currency, in: [RUB]}\n", ""), "filter:\n", "filter:\n  - {column: currency, in: [RUB]}\n", 1),
		"a condition twice":    strings.Replace(revenue, "filter:\n", "filter:\n  - {column: currency, in: [RUB]}\n", 1),
		"block style":          strings.ReplaceAll(revenue, "{column: currency, in: [RUB]}", "column: currency\n    in:\n      - RUB"),
		"another spelling":     strings.ReplaceAll(strings.ReplaceAll(revenue, "1e6", "1000000.0"), "48h", "2d"),
		"order of keys":        "window: 48h\n" + strings.ReplaceAll(revenue, "window: 48h\n", ""),
		"order inside a block": strings.ReplaceAll(revenue, "column: status, in: [succeeded, settled]", "in: [succeeded, settled], column: status"),
	} {
		if decode(t, text).Hash() != base {
			t.Errorf("%s changed the hash", name)
		}
	}
	seen := map[string]string{base: "the original"}
	for name, text := range map[string]string{
		"name":      strings.ReplaceAll(revenue, "name: revenue", "name: income"),
		"type":      "name: revenue\ntype: proportion\ntable: raw/payment\nwindow: 2d\n",
		"table":     "name: revenue\ntype: proportion\ntable: raw/viewing\nwindow: 2d\n",
		"window":    strings.ReplaceAll(revenue, "48h", "49h"),
		"value":     strings.ReplaceAll(revenue, ", settled", ""),
		"not in":    strings.ReplaceAll(revenue, "in: [succ", "not_in: [succ"),
		"column":    strings.ReplaceAll(revenue, "column: status", "column: plan"),
		"min":       strings.ReplaceAll(revenue, "min: 1,", "min: 2,"),
		"no max":    strings.ReplaceAll(revenue, ", max: 1e6", ""),
		"currency":  strings.ReplaceAll(revenue, "RUB", "KZT"),
		"no filter": strings.ReplaceAll(revenue, "  - {column: amount_minor, min: 1, max: 1e6}\n", ""),
	} {
		h := decode(t, text).Hash()
		if other, taken := seen[h]; taken {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[h] = name
	}
}

// A hash is stored for years: this one must not change while logic stays the same.
func TestHashIsStable(t *testing.T) {
	t.Parallel()
	if got, want := decode(t, revenue).Hash(), "c1735ef21679da8161d0edf46f2c74a2f96f0dea12574e34071613a577bb1cec"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, changed, want string }{
		"no name":              {"name: revenue\n", "", "m.yaml:1:1: name: required"},
		"a name of its own":    {"name: revenue", "name: Revenue 1", `m.yaml:1:7: name: "Revenue 1": expected lower-case Latin letters, digits and _, a letter first, at most 63`},
		"no type":              {"type: mean\n", "", "m.yaml:1:1: type: required: proportion or mean"},
		"another type":         {"type: mean", "type: median", `m.yaml:2:7: type: "median": expected proportion or mean`},
		"no table":             {"table: raw/payment\n", "", "m.yaml:1:1: table: required: one of raw/assignment, raw/exposure, raw/web_event, raw/payment, raw/subscription, raw/invoice, raw/crm_contact, raw/product_user, raw/product_device, raw/product_login, raw/viewing"},
		"another table":        {"raw/payment", "raw/paiment", `m.yaml:3:8: table: no metric can be read from "raw/paiment": did you mean "raw/payment"?`},
		"a quarantine":         {"raw/payment", "quarantine/payment", `m.yaml:3:8: table: no metric can be read from "quarantine/payment": expected one of raw/assignment, raw/exposure, raw/web_event, raw/payment, raw/subscription, raw/invoice, raw/crm_contact, raw/product_user, raw/product_device, raw/product_login, raw/viewing`},
		"a state":              {"raw/payment", "facts/exposure", `m.yaml:3:8: table: no metric can be read from "facts/exposure": did you mean "raw/exposure"?`},
		"no column":            {"column: status", "column: state", `m.yaml:5:14: filter.0.column: raw/payment has no column "state": did you mean "status"?`},
		"column left out":      {"column: status, ", "", `m.yaml:5:5: filter.0.column: required: expected one of amount_minor, currency, status, plan, card_hash_kind, system`},
		"a person":             {"column: status", "column: account", `m.yaml:5:14: filter.0.column: a filter cannot read account: expected one of amount_minor, currency, status, plan, card_hash_kind, system`},
		"a time":               {"column: status", "column: paid_at", `m.yaml:5:14: filter.0.column: a filter cannot read paid_at: expected one of amount_minor, currency, status, plan, card_hash_kind, system`},
		"no test":              {", in: [succeeded, settled]", "", `m.yaml:5:5: filter.0: expected one of in, not_in, or min and max`},
		"two tests":            {"in: [succ", "not_in: [a], in: [succ", `m.yaml:5:5: filter.0: expected one of in, not_in, or min and max`},
		"an empty list":        {"[succeeded, settled]", "[]", `m.yaml:5:22: filter.0.in: expected at least one value`},
		"bounds of text":       {"in: [succeeded, settled]", "max: 3", `m.yaml:5:27: filter.0.max: status is a string: expected in or not_in`},
		"words for a number":   {"min: 1, max: 1e6", "not_in: [1, two, 03]", "m.yaml:7:40: filter.2.not_in.1: expected a whole number, found \"two\"\nm.yaml:7:45: filter.2.not_in.2: expected a whole number, found \"03\""},
		"bounds crossed":       {"min: 1", "min: 2e6", `m.yaml:7:43: filter.2.max: below min: no value meets both`},
		"no value":             {"value: amount_minor\n", "", "m.yaml:1:1: value: required: the column of raw/payment to sum: amount_minor"},
		"a value that is none": {"value: amount_minor", "value: plan", "m.yaml:8:8: value: plan is a string: expected a column with numbers"},
		"unit of money":        {"unit: RUB minor", "unit: roubles", "m.yaml:9:7: unit: amount_minor is money in minor units: expected its currency, as RUB minor"},
		"mixed currencies":     {"in: [RUB]", "in: [RUB, KZT]", "m.yaml:4:1: filter: amount_minor is money in several currencies: expected {column: currency, in: [RUB]}"},
		"another currency":     {"unit: RUB", "unit: KZT", "m.yaml:4:1: filter: amount_minor is money in several currencies: expected {column: currency, in: [KZT]}"},
		"value of a share":     {"type: mean", "type: proportion", "m.yaml:8:8: value: a proportion counts units with an event and sums nothing: leave it out, or use type: mean"},
		"no window":            {"window: 48h\n", "", "m.yaml:1:1: window: required: days or hours from the first exposure, as 30d or 12h"},
		"a window of nothing":  {"48h", "0d", `m.yaml:10:9: window: expected from 1h to some years, found "0d"`},
		"an endless window":    {"48h", "99999999999999999999d", `m.yaml:10:9: window: expected from 1h to some years, found "99999999999999999999d"`},
		"a window of weeks":    {"48h", "2w", `m.yaml:10:9: window: expected days or hours, as 30d or 12h, found "2w"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(revenue, c.old) {
				t.Fatalf("%q is not there", c.old)
			}
			err := strictyaml.Decode("m.yaml", []byte(strings.Replace(revenue, c.old, c.changed, 1)), nil, &metric.Metric{})
			if err == nil || err.Error() != c.want {
				t.Errorf("\ngot  %v\nwant %s", err, c.want)
			}
		})
	}
	err := strictyaml.Decode("m.yaml", []byte("name: w\ntype: mean\ntable: raw/viewing\nvalue: seconds\nwindow: 1d"), nil, &metric.Metric{})
	if want := "m.yaml:1:1: unit: required: what the sum is measured in, as seconds"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDurationsReadWhatTheyWrite(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 1000 {
		d := metric.Duration(time.Duration(1+r.IntN(100_000)) * time.Hour)
		text, err := d.MarshalText()
		var back metric.Duration
		if err == nil {
			err = back.UnmarshalText(text)
		}
		if err != nil || back != d {
			t.Fatalf("seed %d: %d hours are written %s and read %d: %v", seed, d.Duration()/time.Hour, text, back.Duration()/time.Hour, err)
		}
	}
}

func FuzzMetric(f *testing.F) {
	f.Add([]byte(revenue))
	f.Add([]byte("name: x\nfilter: [{column: value, in: [1]}, {}]\ntable: raw/web_event\ntype: mean\nvalue: value\nunit: x\nwindow: 1d"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m metric.Metric
		if err := strictyaml.Decode("m.yaml", data, nil, &m); err == nil {
			if err := m.Validate(); err != nil || len(m.Hash()) != 64 {
				t.Errorf("valid once, then not: %v", err)
			}
		}
	})
}
