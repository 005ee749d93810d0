package files_test

import (
	"fmt"
	"strings"
	"testing"

	"crosslift/connectors/files"
	"crosslift/schemas/strictyaml"
)

// Every mistake in a mapping is reported at its line, with what was expected.
func TestMappingFaults(t *testing.T) {
	t.Parallel()
	const good = `table: raw/payment
path: payments/{day}.csv
columns:
  source_id: {from: id}
  paid_at: {from: at, time: unix}
  account: {from: user}
  amount_minor: {from: amount, money: major, currency: RUB}
  currency: {value: RUB}
  status: {from: status}
`
	for _, c := range []struct{ old, new, fault string }{
		{"", "", ""},
		{"raw/payment", "raw/payments", `m.yaml:1:8: table: "raw/payments" is no table that sources fill: did you mean "raw/payment"?`},
		{"raw/payment", "facts/exposure", "table: \"facts/exposure\" is no table that sources fill"},
		{"payments/{day}.csv", "payments/{date}.csv", "m.yaml:2:7: path: expected {day} or {yyyymmdd} as the only placeholders"},
		{"payments/{day}.csv", "../{day}.csv", "path: expected a path below the source's root"},
		{"payments/{day}.csv", "/etc/x.csv", "path: expected a path below the source's root"},
		{"payments/{day}.csv", "payments/{day}", "format: required, since the path does not end in .csv"},
		{"columns:", "format: xls\ncolumns:", `m.yaml:3:9: format: "xls" is unknown`},
		{"columns:", "delimiter: ;;\ncolumns:", "delimiter: expected one ASCII character"},
		{".csv", ".jsonl\ndelimiter: \";\"", "delimiter: only csv has one"},
		{"columns:", "encoding: klingon\ncolumns:", `m.yaml:3:11: encoding: "klingon" is unknown`},
		{".csv", ".parquet\nencoding: utf-8", "encoding: Parquet has none"},
		{"columns:", "cut: Mars\ncolumns:", `m.yaml:3:6: cut: "Mars" is no time zone`},
		{"{day}.csv", "all.csv\ncut: UTC", "cut: only files that are named for a day have one"},
		{"columns:", "restatement: -3\ncolumns:", "restatement: expected a number of days from 0"},
		{"columns:", "quarantine: 0.02\ncolumns:", "m.yaml:3:13: quarantine: expected a share from 0% to 100%, with the percent sign"},
		{"columns:", "quarantin: 2%\ncolumns:", `unknown key "quarantin": did you mean "quarantine"?`},
		{"columns:", "free: [id]\ncolumns:", `free: "id" tells persons apart`},
		{"account:", "acount:", `m.yaml:6:3: columns.acount: raw/payment has no such column: did you mean "account"?`},
		{"  status: {from: status}\n", "", "columns: status is required by raw/payment, but not mapped"},
		{"{from: status}", "{from: status, value: x}", "columns.status: expected either from, a column of the source, or value"},
		{"{from: status}", "{}", "columns.status: expected either from"},
		{"{from: status}", "{value: \"\"}", "columns.status.value: required, but empty"},
		{"{from: status}", "{from: status, time: unix}", "columns.status.time: status is no time, its type is string"},
		{"{from: status}", "{from: status, zone: UTC}", "columns.status.zone: status is no time"},
		{"{from: status}", "{from: status, money: major, currency: RUB}", "columns.status.money: status is no amount"},
		{"time: unix", "time: YYYY", "m.yaml:5:29: columns.paid_at.time: expected unix, unix_ms, rfc3339"},
		{"time: unix", "time: \"2006-01-02 15:04:05\"", "columns.paid_at.zone: required, since the times carry no offset"},
		{"{from: at, time: unix}", "{value: \"2026-11-03T00:00:00Z\"}", "columns.paid_at: a constant time needs a path without {day}"},
		{"{from: at, time: unix}", "{value: yesterday}", "columns.paid_at.value: expected a time like"},
		{"{from: at, time: unix}", "{from: at, map: {a: b}}", "columns.paid_at.map: only texts"},
		{"{from: user}", "{value: u}", "columns.account.value: account is not the same in every row"},
		{"{from: user}", "{from: user, hash: true}", "columns.account.hash: account is no text, its type is identifier"},
		{"{from: user}", "{from: user, region: RU}", "columns.account.region: account is no phone number"},
		{", money: major, currency: RUB", "", "columns.amount_minor.money: required: major or minor"},
		{", currency: RUB", "", "columns.amount_minor.currency: expected either currency or currency_from"},
		{"currency: RUB}", "currency: rub}", "columns.amount_minor.currency: expected an ISO 4217 currency code"},
		{"currency: RUB}", "currency: EUR}", "columns.currency: the amounts are said to be in EUR"},
		{"money: major", "money: minor", "columns.amount_minor.currency: only amounts in major units"},
		{"{from: amount, money: major, currency: RUB}", "{value: 1.505, money: major, currency: RUB}", "columns.amount_minor.value: expected at most 2 decimals"},
		{"columns:", "assert: [{columns: [a], equal: true}]\ncolumns:", "assert.0.columns: expected two or more"},
		{"columns:", "assert: [{columns: [a]}]\ncolumns:", "assert.0: expected either one_of or equal: true"},
		{"columns:", "assert: [{columns: [a, b], one_of: [[x]]}]\ncolumns:", "assert.0.one_of.0: expected 2 texts"},
	} {
		var m files.Mapping
		err := strictyaml.Decode("m.yaml", []byte(strings.Replace(good, c.old, c.new, 1)), nil, &m)
		if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s → %s: got %v, want %q", c.old, c.new, err, c.fault)
		}
	}
}

// The definition covers what decides rows, and nothing else.
func TestDefinition(t *testing.T) {
	t.Parallel()
	base := `{table: raw/web_event, path: "x.csv", columns: {source_id: {from: id}, event_at: {from: at, time: unix},
		event_name: {value: click}, device: {from: d}, value: {from: v, map: {yes: 1, no: 0}}}`
	store := folder(t, nil)
	define := func(yaml, zone string) string { return stream(t, yaml, store, zone).Definition() }
	first := define(base+"}", "UTC")
	same := `# a comment
columns:
  value: {map: {"no": "0", "yes": "1"}, from: v}
  event_name: {value: click}
  device: {from: "d"}
  event_at: {time: unix, from: at}
  source_id: {from: id}
path: x.csv
table: raw/web_event
null: [""]
`
	for _, yaml := range []string{same, base + ", quarantine: 5%, restatement: 3}"} {
		if define(yaml, "UTC") != first {
			t.Errorf("another definition: %s", yaml)
		}
	}
	for _, change := range [][2]string{
		{"from: v", "from: w"}, {"no: 0", "no: 2"}, {"unix", "unix_ms"}, {"click", "view"}, {"x.csv", "y.csv"}, {"{source_id", "{account: {from: a}, source_id"},
		{"{table", "{free: [b], table"}, {"{table", `{null: [x], table`}, {"{table", "{assert: [{columns: [a, b], equal: true}], table"},
	} {
		if define(strings.Replace(base+"}", change[0], change[1], 1), "UTC") == first {
			t.Errorf("the same definition after %s", change)
		}
	}
	if define(base+"}", "Europe/Moscow") == first {
		t.Error("the same definition in another zone")
	}
}

// What a source writes in another way than the lake, each way once.
func TestConversions(t *testing.T) {
	t.Parallel()
	yaml := `
table: raw/web_event
path: in.jsonl
columns:
  source_id: {from: meta.id, hash: true}
  event_at: {from: ts, time: unix_ms}
  event_name: {from: type}
  device: {from: device.id}
  value: {from: v}
free: [ts, type, v]
`
	line := func(v string) string {
		return `{"ts":1762128000000,"type":"click","device":{"id":9007199254740993},"meta":{"id":"x"},"v":` + v + "}\n"
	}
	content := line("true") + line(`"FALSE"`) + line("1e3") + line("null") + line(`"x"`) + line(`"NaN"`) + line("[1]") + line(`{"a":1}`) +
		"{\"ts\":1762128000000,\"type\":7,\"v\":\"maybe\"}\n{\"ts\":\n"
	s := stream(t, yaml, folder(t, map[string]string{"in.jsonl": content}), "UTC")
	to := must(t, s, day(t, "2025-11-03"))
	device, err := key(t).Hash("device", "9007199254740993") // 2⁵³+1, which no float64 holds
	if err != nil {
		t.Fatal(err)
	}
	source, err := key(t).Hash("source_id", "x")
	if err != nil {
		t.Fatal(err)
	}
	if len(to.rows) != 4 {
		t.Fatalf("%q", to.rows)
	}
	for i, value := range []string{"1", "0", "1000", ""} {
		want := "source_id=" + source.String() + " event_at=2025-11-03T00:00:00Z event_name=click device=" + device.String() + strings.TrimSuffix(" value="+value, " value=")
		if to.rows[i] != want {
			t.Errorf("got %s\nwant %s", to.rows[i], want)
		}
	}
	var want []string
	for i, v := range []string{`"x"`, `"NaN"`, "[1]", `{"a":1}`} {
		want = append(want, fmt.Sprintf("in.jsonl:%d: value: expected a number, true or false (%d bytes)", i+5, len(line(v))-1))
	}
	want = append(want,
		"in.jsonl:9: value: expected a number, true or false (41 bytes) map[ts:1762128000000 type:7 v:maybe]", // nothing personal in it
		"in.jsonl:10: expected one JSON object (6 bytes)")
	if strings.Join(to.rejected, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %s\nwant %s", strings.Join(to.rejected, "\n"), strings.Join(want, "\n"))
	}
}
