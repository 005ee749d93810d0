package metric_test

import (
	"errors"
	"strings"
	"testing"

	"crosslift/schemas/metric"
	"crosslift/schemas/strictyaml"
)

const (
	paymentColumns = "changed_at, paid_at, amount_minor, currency, status, plan, card_hash_kind, system"
	tables         = "raw/assignment, raw/exposure, raw/web_event, raw/payment, raw/subscription, raw/invoice, raw/crm_contact, raw/product_user, raw/product_device, raw/product_login, raw/viewing"
	ops            = "=, !=, in, <, <=, >, >=, between, is null, prefix"
)

// Every mistake is reported with its line, its column and what to write instead.
func TestErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, changed, want string }{
		"no name":              {"name: revenue\n", "", "m.yaml:1:1: name: required"},
		"a name of its own":    {"name: revenue", "name: Revenue 1", `m.yaml:1:7: name: "Revenue 1": expected lower-case Latin letters, digits and _, a letter first, at most 63`},
		"no type":              {"type: mean\n", "", "m.yaml:1:1: type: required: one of proportion, count, mean, ratio, count_distinct, retention, quantile"},
		"another type":         {"type: mean", "type: median", `m.yaml:2:7: type: "median": did you mean "mean"?`},
		"no table":             {"table: raw/payment\n", "", "m.yaml:1:1: table: required: one of " + tables},
		"another table":        {"raw/payment", "raw/paiment", `m.yaml:3:8: table: no events of accounts or devices are in "raw/paiment": did you mean "raw/payment"?`},
		"nobody's":             {"raw/payment", "raw/balance_transaction", `m.yaml:3:8: table: no events of accounts or devices are in "raw/balance_transaction": expected one of ` + tables},
		"a quarantine":         {"raw/payment", "quarantine/payment", `m.yaml:3:8: table: no events of accounts or devices are in "quarantine/payment": expected one of ` + tables},
		"a state":              {"raw/payment", "facts/exposure", `m.yaml:3:8: table: no events of accounts or devices are in "facts/exposure": did you mean "raw/exposure"?`},
		"no value":             {"value: amount_minor\n", "", "m.yaml:1:1: value: required: a column with numbers, or 1 for every event; raw/payment has amount_minor"},
		"nothing":              {"value: amount_minor", "value: 0", "m.yaml:8:8: value: expected a number other than 0"},
		"a value that is none": {"value: amount_minor", "value: plan", "m.yaml:8:8: value: plan is a string: expected a column with numbers, or 1 for every event"},
		"another value":        {"value: amount_minor", "value: amount", `m.yaml:8:8: value: raw/payment has no column "amount": expected amount_minor`},
		"value of a share":     {"type: mean", "type: proportion", "m.yaml:8:8: value: a proportion sums nothing: leave it out, or use type: mean"},
		"a median of nothing":  {"type: mean", "type: quantile", "m.yaml:1:1: quantile: required: above 0 and below 1, as 0.9"},
		"a quantile of all":    {"type: mean", "type: quantile\nquantile: 1", "m.yaml:3:11: quantile: required: above 0 and below 1, as 0.9"},
		"quantile of a mean":   {"type: mean", "type: mean\nquantile: 0.5", "m.yaml:3:11: quantile: only of type: quantile"},
		"no denominator":       {"type: mean", "type: ratio", "m.yaml:1:1: denominator: required: the table, filter and value of what the sum is divided by"},
		"a denominator":        {"unit:", "denominator: {table: raw/viewing}\nunit:", "m.yaml:9:1: denominator: only of type: ratio"},
		"a wrong denominator": {"type: mean", "type: ratio\ndenominator: {table: raw/viewing, filter: [{column: secnds, op: <, value: 1}]}",
			"m.yaml:3:1: denominator.value: required: a column with numbers, or 1 for every event; raw/viewing has seconds\n" +
				`m.yaml:3:53: denominator.filter.0.column: raw/viewing has no column "secnds": did you mean "seconds"?`},
		"distinct money":      {"type: mean", "type: count_distinct", "m.yaml:8:8: value: amount_minor is money: expected a column with text, identifiers or whole numbers"},
		"no window":           {"window: 48h\n", "", "m.yaml:1:1: window: required: how long events count from the first exposure on, as 30d, 12h, until 2026-11-30 or experiment"},
		"a window of nothing": {"48h", "0d", `m.yaml:10:9: window: expected from 1h to some years, found "0d"`},
		"an endless window":   {"48h", "99999999999999999999d", `m.yaml:10:9: window: expected from 1h to some years, found "99999999999999999999d"`},
		"a window of weeks":   {"48h", "2w", `m.yaml:10:9: window: expected days or hours, as 30d or 12h, until 2026-11-30, or experiment, found "2w"`},
		"until no day":        {"48h", "until 2026-11-31", `m.yaml:10:9: window: "2026-11-31" is not a day: expected YYYY-MM-DD`},
		"a long look back":    {"window: 48h", "window: 48h\nlook_back: 3d", "m.yaml:11:12: look_back: 3d is longer than the window, 2d"},
		"days of a mean":      {"window: 48h", "days: {from: 1, to: 2}", "m.yaml:10:1: days: only of type: retention; others have a window"},
		"a half delay":        {"window: 48h", "window: 48h\ndelay: half a day", `m.yaml:11:8: delay: expected days or hours, as 30d or 12h, found "half a day"`},
		"a direction":         {"window: 48h", "window: 48h\ndirection: left", `m.yaml:11:12: direction: "left": expected up or down, whichever is good`},
		"no bound":            {"window: 48h", "window: 48h\nwinsorise: {}", "m.yaml:11:1: winsorise: expected low, high or both, as {high: 99.9%}"},
		"a bound":             {"window: 48h", "window: 48h\nwinsorise: {high: all, low: 100%}", "m.yaml:11:19: high: expected a number, or a percentile as 99.9%, found \"all\"\nm.yaml:11:29: low: expected a percentile between 0% and 100%, with at most 6 decimals, found \"100%\""},
		"fine percentiles":    {"window: 48h", "window: 48h\nwinsorise: {high: 99.9999999%}", `m.yaml:11:19: high: expected a percentile between 0% and 100%, with at most 6 decimals, found "99.9999999%"`},
		"crossed bounds":      {"window: 48h", "window: 48h\nwinsorise: {low: 10, high: 9}", "m.yaml:11:28: winsorise.high: below low"},
		"crossed percentiles": {"window: 48h", "window: 48h\nwinsorise: {low: 99%, high: 1%}", "m.yaml:11:29: winsorise.high: below low"},
		"zeros of values":     {"window: 48h", "window: 48h\nwinsorise: {low: 1, ignore_zeros: true}", "m.yaml:11:35: winsorise.ignore_zeros: only of percentiles"},

		"unit of money":        {"unit: RUB minor", "unit: roubles", "m.yaml:9:7: unit: amount_minor is money, here in minor units of RUB: expected RUB minor"},
		"another unit":         {"unit: RUB", "unit: KZT", "m.yaml:9:7: unit: amount_minor is money, here in minor units of RUB: expected RUB minor"},
		"mixed currencies":     {"op: =, value: RUB", "op: in, value: [RUB, KZT]", "m.yaml:8:8: value: amount_minor is money in several currencies: expected a filter {column: currency, op: =, value: RUB}, or currency: RUB, to convert them by raw/rate"},
		"some currency":        {"op: =, value: RUB}", "op: \"!=\", value: RUB}", "m.yaml:8:8: value: amount_minor is money in several currencies: expected a filter {column: currency, op: =, value: RUB}, or currency: RUB, to convert them by raw/rate"},
		"one of two":           {"{column: currency, op: =, value: RUB}", "any: [{column: currency, op: =, value: RUB}, {column: plan, op: is null}]", "m.yaml:8:8: value: amount_minor is money in several currencies: expected a filter {column: currency, op: =, value: RUB}, or currency: RUB, to convert them by raw/rate"},
		"not one":              {"{column: currency, op: =, value: RUB}", "not: {column: currency, op: =, value: RUB}", "m.yaml:8:8: value: amount_minor is money in several currencies: expected a filter {column: currency, op: =, value: RUB}, or currency: RUB, to convert them by raw/rate"},
		"of no currency":       {"op: =, value: RUB", "op: =, value: RUR", `m.yaml:6:38: filter.1.value.0: expected an ISO 4217 currency code, such as EUR, found "RUR"`},
		"to no currency":       {"unit: RUB minor", "currency: roubles", `m.yaml:9:11: currency: "roubles": expected an ISO 4217 currency code, such as EUR`},
		"to another currency":  {"unit: RUB minor", "unit: RUB minor\ncurrency: EUR", "m.yaml:9:7: unit: amount_minor is money, here in minor units of EUR: expected EUR minor"},
		"currency of no money": {"value: amount_minor\nunit: RUB minor", "value: 1\nunit: payments\ncurrency: RUB", "m.yaml:10:11: currency: only of values that are money in minor units"},

		"no column":         {"column: status", "column: state", `m.yaml:5:14: filter.0.column: raw/payment has no column "state": did you mean "status"?`},
		"column left out":   {"column: status, ", "", `m.yaml:5:5: filter.0.column: required: expected one of ` + paymentColumns},
		"a person":          {"column: status", "column: account", `m.yaml:5:27: filter.0.op: account tells persons apart: it can be asked only whether it is null`},
		"no operator":       {"op: in, value: [succeeded, settled]", "value: succeeded", `m.yaml:5:5: filter.0.op: required: one of ` + ops + `; "!=", ">" and ">=" are written in quotes`},
		"a tag":             {"op: in, value: [succeeded, settled]", "op: !=, value: succeeded", `m.yaml:5:26: filter.0.op: required: one of ` + ops + `; "!=", ">" and ">=" are written in quotes`},
		"another operator":  {"op: in, value: [s", "op: inn, value: [s", `m.yaml:5:26: filter.0.op: "inn": did you mean "in"?`},
		"in capitals":       {"op: between", "op: BETWEEN", `m.yaml:7:32: filter.2.op: "BETWEEN": did you mean "between"?`},
		"of another speech": {"op: in, value: [s", "op: NOT IN, value: [s", `m.yaml:5:26: filter.0.op: "NOT IN": write not: {column: …, op: in, value: […]}`},
		"prefix of numbers": {"op: between, value: [1, 1000000]", "op: prefix, value: 1", `m.yaml:7:32: filter.2.op: amount_minor is an int: expected one of =, !=, in, <, <=, >, >=, between, is null`},
		"no operand":        {", value: [succeeded, settled]", "", "m.yaml:5:5: filter.0.value: expected at least one value"},
		"an empty list":     {"[succeeded, settled]", "[]", `m.yaml:5:30: filter.0.value: expected at least one value`},
		"too many":          {"op: =, value: RUB", "op: =, value: [RUB, RUB]", `m.yaml:6:31: filter.1.value: expected one value, found 2`},
		"one end":           {"value: [1, 1000000]", "value: 1", `m.yaml:7:48: filter.2.value: expected two values, as [1, 10], found 1`},
		"ends crossed":      {"value: [1, 1000000]", "value: [2, 1]", `m.yaml:7:41: filter.2.value: the first lies above the second: no value lies between them`},
		"words for numbers": {"[1, 1000000]", "[one, 1e6]", "m.yaml:7:49: filter.2.value.0: expected a whole number, found \"one\"\nm.yaml:7:54: filter.2.value.1: expected a whole number, found \"1e6\""},
		"a value of null":   {"op: in, value: [succeeded, settled]", "op: is null, value: true", `m.yaml:5:42: filter.0.value: is null compares with nothing: leave it out`},
		"no beginning":      {"op: in, value: [succeeded, settled]", "op: prefix, value: ''", `m.yaml:5:41: filter.0.value: expected at least one character: every value begins with nothing`},
		"a day for a time":  {"column: status, op: in, value: [succeeded, settled]", "column: paid_at, op: <, value: 2026-01-01", `m.yaml:5:37: filter.0.value.0: expected an RFC 3339 time, to the microsecond at most, as 2026-11-03T12:00:00Z, found "2026-01-01"`},
		"too fine a time":   {"column: status, op: in, value: [succeeded, settled]", "column: paid_at, op: <, value: 2026-01-01T00:00:00.0000001Z", `m.yaml:5:37: filter.0.value.0: expected an RFC 3339 time, to the microsecond at most, as 2026-11-03T12:00:00Z, found "2026-01-01T00:00:00.0000001Z"`},
		"a mapping":         {"value: [succeeded, settled]", "value: {a: b}", `m.yaml:5:30: value: expected a list, found a mapping`},
		"nothing at all":    {"filter:\n", "filter:\n  - {}\n", `m.yaml:5:5: filter.0: expected either column, op and value, or one of all, any and not`},
		"two in one":        {"filter:\n", "filter:\n  - {column: plan, op: is null, any: [{column: plan, op: is null}]}\n", `m.yaml:5:5: filter.0: expected either column, op and value, or one of all, any and not`},
		"any of nothing":    {"filter:\n", "filter:\n  - any: []\n", `m.yaml:5:5: filter.0.any: expected at least one filter`},
		"deep inside":       {"filter:\n", "filter:\n  - any:\n    - not: {all: [{column: plann, op: is null}]}\n", `m.yaml:6:28: filter.0.any.0.not.all.0.column: raw/payment has no column "plann": did you mean "plan"?`},
		"too deep":          {"filter:\n", "filter:\n  - " + strings.Repeat("{not: ", 8) + "{column: plan, op: is null}" + strings.Repeat("}", 8) + "\n", `m.yaml:5:48: filter.0` + strings.Repeat(".not", 8) + `: filters are nested deeper than 8`},
		"the former in":     {"filter:\n", "filter:\n  - {column: status, in: [succeeded]}\n", `m.yaml:5:22: unknown key "in": write op: in, value: [a, b]`},
		"the former not_in": {"filter:\n", "filter:\n  - {column: status, not_in: [succeeded]}\n", `m.yaml:5:22: unknown key "not_in": write not: {column: …, op: in, value: [a, b]}`},
		"the former bounds": {"filter:\n", "filter:\n  - {column: amount_minor, min: 1, max: 2}\n",
			"m.yaml:5:28: unknown key \"min\": write op: \">=\", value: 1; with both ends op: between, value: [1, 10]\nm.yaml:5:36: unknown key \"max\": write op: <=, value: 10; with both ends op: between, value: [1, 10]"},
		"an unknown key": {"op: in, value: [s", "operator: in, value: [s", `m.yaml:5:22: unknown key "operator": expected one of column, op, value, all, any, not`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fails(t, replaced(t, revenue, c.old, c.changed), c.want)
		})
	}
}

// Mistakes of other types of metrics, and other columns.
func TestErrorsByType(t *testing.T) {
	t.Parallel()
	const value = "raw/web_event\nvalue: value\nunit: points\ntype: mean\nwindow: 1d\n"
	for text, want := range map[string]string{
		"raw/viewing\ntype: mean\nvalue: seconds\nwindow: 1d": "m.yaml:1:1: unit: required: what it is measured in, as seconds",
		"raw/viewing\ntype: retention":                        "m.yaml:1:1: days: required: in which days after the first exposure a unit is active again, as {from: 7, to: 13}",
		"raw/viewing\ntype: retention\ndays: {from: -1, to: -2}\nwindow: 1d\ndelay: 1d\nlook_back: 1d": "m.yaml:4:14: days.from: expected 0, the day that begins with the first exposure, or more\n" +
			"m.yaml:5:9: window: retention has days instead: leave it out\nm.yaml:6:8: delay: retention has days instead: leave it out\nm.yaml:7:12: look_back: retention has days instead: leave it out",
		"raw/viewing\ntype: retention\ndays: {from: 7, to: 6}":                       "m.yaml:4:21: days.to: expected 7, as from, or more",
		"raw/viewing\ntype: retention\ndays: {from: 7, to: 3651}":                    "m.yaml:4:21: days.to: expected at most 3650",
		"raw/viewing\ntype: retention\ndays: {from: 1, to: 1}\nvalue: 1":             "m.yaml:5:8: value: a retention sums nothing: leave it out, or use type: mean",
		"raw/viewing\ntype: retention\ndays: {from: 1, to: 1}\nwinsorise: {high: 1}": "m.yaml:5:1: winsorise: only of type: mean, count, count_distinct or ratio, not of a retention",
		"raw/viewing\ntype: count\nwindow: 1d\nvalue: seconds":                       "m.yaml:5:8: value: a count sums nothing: leave it out, or use type: mean",
		"raw/viewing\ntype: count_distinct\nwindow: 1d":                              "m.yaml:1:1: value: required: a column with text, identifiers or whole numbers; raw/viewing has source_id, account, device, title, seconds",
		"raw/viewing\ntype: count_distinct\nwindow: 1d\nvalue: 1":                    "m.yaml:5:8: value: required: a column with text, identifiers or whole numbers; raw/viewing has source_id, account, device, title, seconds",
		"raw/viewing\ntype: count_distinct\nwindow: 1d\nvalue: viewed_at":            "m.yaml:5:8: value: viewed_at is a timestamp: expected a column with text, identifiers or whole numbers",
		"raw/web_event\ntype: count_distinct\nwindow: 1d\nvalue: value":              "m.yaml:5:8: value: value is a float: expected a column with text, identifiers or whole numbers",
		"raw/web_event\ntype: count_distinct\nwindow: 1d\nvalue: analytics_consent":  "m.yaml:5:8: value: analytics_consent is a bool: expected a column with text, identifiers or whole numbers",
		"raw/invoice\ntype: ratio\nvalue: paid_minor\nwindow: 1d\nfilter: [{column: currency, op: =, value: RUB}]\ndenominator: {table: raw/invoice, value: due_minor}":                                                  "m.yaml:7:42: denominator.value: due_minor is money in several currencies: expected a filter {column: currency, op: =, value: RUB}, or currency: RUB, to convert them by raw/rate",
		"raw/invoice\ntype: ratio\nvalue: paid_minor\nwindow: 1d\nfilter: [{column: currency, op: =, value: RUB}]\ndenominator: {table: raw/invoice, value: due_minor, filter: [{column: currency, op: =, value: KZT}]}": "m.yaml:7:53: denominator.filter: RUB cannot be divided by KZT: expected one currency, or currency: RUB to convert to",
		"raw/invoice\ntype: ratio\nvalue: 1\nwindow: 1d\ncurrency: RUB\ndenominator: {table: raw/invoice, value: due_minor}":                                                                                             "m.yaml:1:1: unit: required: what it is measured in, as seconds",
		value: "m.yaml:3:8: value: value may be money in several currencies: expected a filter {column: currency, op: =, value: RUB}, or {column: currency, op: is null}",
		value + "filter: [{column: analytics_consent, op: <, value: true}, {column: analytics_consent, op: =, value: yes}, {column: currency, op: is null}]": "m.yaml:7:42: filter.0.op: analytics_consent is a bool: expected one of =, !=, in, is null\n" +
			`m.yaml:7:101: filter.1.value.0: expected true or false, found "yes"`,
		value + "filter: [{column: value, op: \">\", value: .inf}, {column: value, op: prefix, value: 1}, {column: currency, op: is null}]": "m.yaml:7:42: filter.0.value.0: expected a number, found \".inf\"\n" +
			"m.yaml:7:69: filter.1.op: value is a float: expected one of =, !=, in, <, <=, >, >=, between, is null",
		value + "filter: [{column: session_id, op: prefix, value: a}, {column: device, op: is null}, {column: currency, op: is null}]": "m.yaml:7:35: filter.0.op: session_id tells persons apart: it can be asked only whether it is null",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			fails(t, "name: m\ntable: "+text, want)
		})
	}
}

func fails(t *testing.T, text, want string) {
	t.Helper()
	err := strictyaml.Decode("m.yaml", []byte(text), nil, &metric.Metric{})
	if err == nil || err.Error() != want {
		t.Errorf("\ngot  %v\nwant %s", err, want)
	}
	var placed *strictyaml.Error
	if !errors.As(err, &placed) {
		t.Error("the error has no place")
	}
}
