package metric_test

import (
	"strings"
	"testing"

	"crosslift/schemas/metric"
)

// price has one of everything that decides numbers.
const price = `name: price
description: what a payment brings
type: ratio
table: raw/payment
filter:
  - {column: status, op: in, value: [succeeded, settled]}
  - {column: amount_minor, op: between, value: [1, 1000000]}
  - any:
      - {column: plan, op: prefix, value: month}
      - not: {column: changed_at, op: "<", value: 2026-09-01T00:00:00Z}
      - {column: plan, op: is null}
value: amount_minor
currency: EUR
unit: EUR minor per payment
denominator:
  table: raw/payment
  filter: [{column: status, op: =, value: succeeded}]
  value: 1
window: 48h
delay: 1d
look_back: 12h
posting_lag: 3d
covariate: 28d
winsorise: {low: 1, high: 99.9%, ignore_zeros: true}
`

// replaced is a text with parts of it replaced, which must be there.
func replaced(t testing.TB, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%q is not there", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// The hash changes with what decides the numbers, and with nothing else.
func TestHash(t *testing.T) {
	t.Parallel()
	base := decode(t, price).Hash()
	for name, pairs := range map[string][]string{
		"comments":             {"unit:", "# in cents\nunit:"},
		"a description":        {"brings", "is worth"},
		"the unit's name":      {"EUR minor per payment", "EUR minor"},
		"a direction":          {"window:", "direction: down\nwindow:"},
		"quotes":               {"raw/payment", `"raw/payment"`},
		"order of values":      {"succeeded, settled", "settled, succeeded"},
		"a value twice":        {"succeeded, settled", "settled, succeeded, settled"},
		"order of filters":     {"  - {column: amount_minor, op: between, value: [1, 1000000]}\n", "", "filter:\n  -", "filter:\n  - {column: amount_minor, op: between, value: [1, 1000000]}\n  -"},
		"a filter twice":       {"filter:\n", "filter:\n  - {column: amount_minor, op: between, value: [1, 1000000]}\n"},
		"order within any":     {"      - {column: plan, op: is null}\n", "", "any:\n", "any:\n      - {column: plan, op: is null}\n"},
		"all within all":       {"  - {column: status, op: in, value: [succeeded, settled]}\n", "  - all: [{all: [{column: status, op: in, value: [succeeded, settled]}]}]\n"},
		"any within any":       {"      - {column: plan, op: is null}\n", "      - any: [{column: plan, op: is null}, {column: plan, op: prefix, value: month}]\n"},
		"any of one":           {"  - {column: status, op: in, value: [succeeded, settled]}\n", "  - any: [{column: status, op: in, value: [succeeded, settled]}]\n"},
		"not of not":           {"{column: plan, op: is null}", "{not: {not: {column: plan, op: is null}}}"},
		"in of one":            {"op: =, value: succeeded", "op: in, value: [succeeded]"},
		"a list of one":        {"value: month}", "value: [month]}"},
		"block style":          {"{column: plan, op: prefix, value: month}", "column: plan\n        op: prefix\n        value: month"},
		"another spelling":     {"1000000", "+1000000.0", "48h", "2d", "99.9%", "99.900%", "low: 1,", "low: 1e0,"},
		"another zone":         {"2026-09-01T00:00:00Z", "2026-09-01T03:00:00.000+03:00"},
		"order of keys":        {"window: 48h\n", "", "name: price", "window: 48h\nname: price"},
		"order inside a block": {"column: status, op: in, value: [succeeded, settled]", "value: [succeeded, settled], column: status, op: in"},
		"a constant left out":  {"  value: 1\n", "  value: 1.0\n"},
		"an order spelled out": {"window:", "direction: up\nwindow:"},
	} {
		if decode(t, replaced(t, price, pairs...)).Hash() != base {
			t.Errorf("%s changed the hash", name)
		}
	}
	seen := map[string]string{base: "the original"}
	for name, pairs := range map[string][]string{
		"name":                          {"name: price", "name: cost"},
		"table":                         {"  table: raw/payment\n  filter: [{column: status, op: =, value: succeeded}]\n", "  table: raw/viewing\n"},
		"a value of a filter":           {", settled", ""},
		"operator":                      {"op: prefix", "op: ="},
		"column":                        {"column: status, op: in", "column: plan, op: in"},
		"order of between":              {"[1, 1000000]", "[2, 1000000]"},
		"all instead of any":            {"any:", "all:"},
		"without not":                   {"not: {column: changed_at, op: \"<\", value: 2026-09-01T00:00:00Z}", "{column: changed_at, op: \"<\", value: 2026-09-01T00:00:00Z}"},
		"not equal is not not of equal": {"- {column: plan, op: is null}", "- {column: plan, op: \"!=\", value: x}"},
		"not of equal":                  {"- {column: plan, op: is null}", "- not: {column: plan, op: =, value: x}"},
		"no filter":                     {"  - {column: amount_minor, op: between, value: [1, 1000000]}\n", ""},
		"the numerator's value":         {"value: amount_minor\n", "value: 2\n", "currency: EUR\n", ""},
		"the denominator's value":       {"  value: 1\n", "  value: 2\n"},
		"the denominator's filter":      {"op: =, value: succeeded", "op: =, value: settled"},
		"currency":                      {"EUR", "USD"},
		"window":                        {"48h", "49h"},
		"an end":                        {"48h", "until 2026-11-30"},
		"another end":                   {"48h", "until 2026-12-01"},
		"the whole experiment":          {"48h", "experiment"},
		"delay":                         {"delay: 1d", "delay: 2d"},
		"look back":                     {"look_back: 12h", "look_back: 13h"},
		"posting lag":                   {"posting_lag: 3d\n", ""},
		"covariate":                     {"covariate: 28d", "covariate: 14d"},
		"no covariate":                  {"covariate: 28d\n", ""},
		"a bound":                       {"99.9%", "99.8%"},
		"a value, not a percentile":     {"99.9%, ignore_zeros: true", "99.9"},
		"no lower bound":                {"low: 1, ", ""},
		"zeros":                         {", ignore_zeros: true", ""},
		"no winsorising":                {"winsorise: {low: 1, high: 99.9%, ignore_zeros: true}\n", ""},
	} {
		h := decode(t, replaced(t, price, pairs...)).Hash()
		if other, taken := seen[h]; taken {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[h] = name
	}
	for name, text := range map[string]string{
		"proportion":     "type: proportion\nwindow: 1d",
		"count":          "type: count\nwindow: 1d",
		"retention":      "type: retention\ndays: {from: 1, to: 2}",
		"later":          "type: retention\ndays: {from: 1, to: 3}",
		"earlier":        "type: retention\ndays: {from: 0, to: 2}",
		"sum":            "type: mean\nwindow: 1d\nvalue: seconds\nunit: s",
		"sum of 1":       "type: mean\nwindow: 1d\nvalue: 1\nunit: s",
		"median":         "type: quantile\nquantile: 0.5\nwindow: 1d\nvalue: seconds\nunit: s",
		"decile":         "type: quantile\nquantile: 0.1\nwindow: 1d\nvalue: seconds\nunit: s",
		"distinct":       "type: count_distinct\nwindow: 1d\nvalue: seconds",
		"other distinct": "type: count_distinct\nwindow: 1d\nvalue: title",
	} {
		h := decode(t, "name: x\ntable: raw/viewing\n"+text).Hash()
		if other, taken := seen[h]; taken {
			t.Errorf("%s has the hash of %s", name, other)
		}
		seen[h] = name
	}
}

// A hash is stored for years: these must not change while logic stays the same.
func TestHashIsStable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		revenue: "b1da9d7296502059ca0ba9d23a93b67b354b8f9248922404edccc7e131f5d51f",
		price:   "08bd6faedbf23ee96b2fd1778138a8206448b2b216e3814739b65a483df97165",
		"name: back\ntype: retention\ntable: raw/viewing\ndays: {from: 7, to: 13}\n": "a7404a8bf33bbf35d31258da5b2b50795e82248a23b497a5fce871c2851b0f3f",
	} {
		if got := decode(t, text).Hash(); got != want {
			t.Errorf("got %s, want %s, of\n%s", got, want, text)
		}
	}
}

// A metric that was built in Go, and one that was read, have one hash.
func TestHashOfConstants(t *testing.T) {
	t.Parallel()
	left, one := &metric.Metric{Name: "n"}, &metric.Metric{Name: "n", Source: metric.Source{Value: metric.Value{Constant: 1, Given: true}}}
	if left.Hash() != one.Hash() {
		t.Error("an event counts 1 where nothing is said")
	}
}
