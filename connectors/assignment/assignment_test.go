package assignment_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/connectors/assignment"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/files"
	"crosslift/connectors/pgread/pgtest"
	"crosslift/connectors/sandbox/appdb"
	"crosslift/connectors/sandbox/world"
	"crosslift/connectors/sandbox/world/worldtest"
	"crosslift/schemas/identifier"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

var server pgtest.Server

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, &server)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	key   = must(identifier.NewKey("test", []byte("a secret of the tests")))
	day   = must(table.ParseDay("2026-11-03"))
	start = day.Window(time.UTC).From
)

func account(id string) identifier.ID { return must(key.Hash(identifier.Account, id)) }
func device(id string) identifier.ID  { return must(key.Hash(identifier.Device, id)) }

// open makes the source from its settings; DATABASE is the URL of the database.
func open(t *testing.T, yaml string, logs files.Store) connectors.Source {
	t.Helper()
	var c assignment.Config
	if err := strictyaml.Decode("crosslift.yaml", []byte(yaml), os.LookupEnv, &c); err != nil {
		t.Fatal(err)
	}
	env := connectors.Env{Key: key, Zone: time.UTC, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return start.Add(30 * time.Hour) }}
	s, err := assignment.New(c, env, logs, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func read[Row any](t *testing.T, source connectors.Source, name string) *connectorstest.Sink[Row] {
	t.Helper()
	for _, s := range source.Streams() {
		if s.Name() != "assignment/"+name {
			continue
		}
		inputs, err := s.Inputs(t.Context(), day)
		if err != nil {
			t.Fatal(err)
		}
		sink := &connectorstest.Sink[Row]{Table: s.Table(), Window: day.Window(time.UTC)}
		if err := s.Extract(t.Context(), day, inputs, sink); err != nil {
			t.Fatal(err)
		}
		for _, total := range sink.Totals {
			if landed := len(sink.Rows) + len(sink.Rejected); total.Value != int64(landed) {
				t.Errorf("%s: the source says %d, %d have landed", name, total.Value, landed)
			}
		}
		return sink
	}
	t.Fatalf("no stream %s", name)
	return nil
}

func reasons(rejected []connectorstest.Rejection) string {
	var all []string
	for _, r := range rejected {
		all = append(all, fmt.Sprintf("%d %s", r.Where.Position, r.Reason))
	}
	return strings.Join(all, "\n")
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got\n%+v\nexpected\n%+v", what, got, want)
	}
}

func TestTheSandboxsTable(t *testing.T) {
	at := start.Add(time.Hour)
	w := worldtest.NewMemory(time.UTC)
	err := appdb.Builder().Build(&world.Chunk{
		Assignments: []world.Assignment{
			{ID: 1, At: at, Visible: at, Experiment: "cashback", UnitType: "account", Unit: "u1", Variant: "B"},
			{ID: 2, At: at, Visible: at, Experiment: "cashback", UnitType: "device", Unit: "d1", Variant: "A"},
		},
		Exposures: []world.Exposure{
			{ID: 1, At: at, Visible: at, Experiment: "cashback", UnitType: "account", Unit: "u1", Account: "u1", Device: "d1", Variant: "B", Platform: "tv", Country: "RU"},
		},
	}, w)
	if err != nil {
		t.Fatal(err)
	}
	db := server.Database(t)
	if err := appdb.Load(t.Context(), db.DB, w, time.Time{}, at); err != nil {
		t.Fatal(err)
	}
	if err := appdb.CreateReader(t.Context(), db.DB, "product_reader", ""); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATABASE", db.URL("product_reader"))
	for _, more := range []string{"\nrows: {ignore: [tx, device_id]}", "\ntx: tx\nrows: {columns: {device: device_id}}"} {
		source := open(t, "url: ${DATABASE}"+more, nil)
		var on identifier.ID
		if strings.Contains(more, "device:") {
			on = device("d1")
		}
		then := table.MicrosOf(at)
		equal(t, "assigned", read[table.AssignmentRow](t, source, "assigned").Rows, []table.AssignmentRow{
			{SourceID: "2", AssignedAt: then, Experiment: "cashback", Variant: "B", Account: account("u1")},
			{SourceID: "4", AssignedAt: then, Experiment: "cashback", Variant: "A", Device: device("d1")},
		})
		equal(t, "exposed", read[table.ExposureRow](t, source, "exposed").Rows, []table.ExposureRow{
			{SourceID: "3", ExposedAt: then, Experiment: "cashback", Variant: "B", Account: account("u1"), Device: on, Platform: "tv", Country: "RU"},
		})
	}
	source := open(t, "url: ${DATABASE}", nil)
	for _, f := range source.Check(t.Context()) {
		if f.Problem != nil && f.What != "clock" { // the tests' own is another
			t.Errorf("check: %s: %v", f.What, f.Problem)
		}
	}

	// That it was met on a device does not make up for an exposure's nobody.
	db.Do(t, `UPDATE ab_assignments SET unit_id = NULL WHERE kind = 'exposed'`)
	of := read[table.ExposureRow](t, open(t, "url: ${DATABASE}\nrows: {columns: {device: device_id}}", nil), "exposed")
	equal(t, "of nobody", reasons(of.Rejected), "1 unit_id: required, but empty")
}

func TestATableOfAnotherShape(t *testing.T) {
	db := server.Database(t)
	db.Do(t, `DROP ROLE IF EXISTS ab_reader`, `CREATE ROLE ab_reader LOGIN`,
		`CREATE TABLE splits (uid uuid PRIMARY KEY DEFAULT gen_random_uuid(), test text, arm int, who text, whom text, what text, "when" timestamp, qa boolean)`,
		`CREATE INDEX ON splits ("when", uid)`, `GRANT SELECT ON splits TO ab_reader`,
		`INSERT INTO splits (test, arm, who, whom, what, "when", qa) VALUES
			('t', 1, 'user', 'u1', 'in', '2026-11-03 13:00', NULL), ('t', 0, 'app', 'd1', 'in', '2026-11-03 13:01', false),
			('t', 1, 'user', 'tester', 'in', '2026-11-03 13:02', true), ('t', 1, 'robot', 'r', 'in', '2026-11-03 13:03', NULL),
			('t', 1, 'user', 'u2', 'neither', '2026-11-03 13:04', NULL), ('t', 1, 'user', 'null', 'in', '2026-11-03 13:05', NULL),
			('t', 1, 'user', 'u1', 'seen', '2026-11-03 13:06', NULL), ('t', 1, 'user', 'tester', 'seen', '2026-11-03 13:07', true),
			('t', 1, 'user', 'u9', NULL, '2026-11-03 13:08', NULL)`)
	t.Setenv("DATABASE", db.URL("ab_reader"))
	source := open(t, `
url: ${DATABASE}
zone: Europe/Moscow
page_size: 2
rows:
  table: splits
  columns: {id: uid, assigned_at: when, experiment: test, variant: arm, unit_type: who, unit_id: whom, kind: what, platform: "", country: ""}
  kinds: {assigned: in, exposed: seen}
  units: {account: user, device: app}
  override: qa
`, nil)
	assigned := read[table.AssignmentRow](t, source, "assigned")
	equal(t, "assigned", len(assigned.Rows), 2)
	equal(t, "the device", assigned.Rows[1].Device, device("d1"))
	equal(t, "its variant", assigned.Rows[1].Variant, "0")
	equal(t, "its time", assigned.Rows[1].AssignedAt.Time(), start.Add(10*time.Hour+time.Minute))
	equal(t, "rejected", reasons(assigned.Rejected), "3 QA override\n4 unit_type: expected user or app\n5 kind: expected in or seen\n"+
		"6 account, device: one of them is required\n7 kind: expected in or seen")
	exposed := read[table.ExposureRow](t, source, "exposed")
	equal(t, "exposed", len(exposed.Rows), 1)
	equal(t, "rejected", reasons(exposed.Rejected), "2 QA override")
}

func write(t *testing.T, dir, name string, lines ...string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestLogs(t *testing.T) {
	dir := t.TempDir()
	seen := `{"ts":"2026-11-03T10:00:00Z","experiment":"e","unit":{"type":"account","id":"u1"},"variant":"B","platform":"tv"}`
	write(t, dir, "assigned/2026-11-03.jsonl",
		`{"ts":"2026-11-03T10:00:00Z","experiment":"e","unit":{"type":"account","id":"u1"},"variant":"B"}`,
		`{"ts":"2026-11-03T10:00:01Z","experiment":"e","unit":{"id":"d1","type":"device"},"variant":"A","qa":false,"new":"ann@cinema.dev"}`,
		`{"ts":"2026-11-03T10:00:02Z","experiment":"e","unit":{"type":"account","id":"tester"},"variant":"A","qa":true}`,
		`{"ts":"2026-11-03T10:00:03Z","experiment":"e","unit":{"type":"household","id":"h","mail":"x"},"variant":"A","ann@cinema.dev":{}}`,
		`{"ts":"2026-11-03T10:00:04Z","experiment":"e","unit":{"type":"account","id":"none"},"variant":"A"}`,
		`{"ts":"2026-11-03T10:00:05Z","experiment":"e","unit":"u1","variant":"A"}`,
		`{"ts":"2026-11-03T10:00:06Z","experiment":"e","unit":{"type":"account","id":"u1"}}`,
		`{"ts":"10 o'clock","experiment":"e","unit":{"type":"account","id":"u1"},"variant":"B"}`,
		`{"ts":"2026-11-03T10:00:08Z","experiment":`)
	write(t, dir, "exposed/2026-11-03.jsonl", seen, seen)
	source := open(t, `
logs: {assigned: "assigned/{day}.jsonl", exposed: "exposed/{day}.jsonl", override: qa, fields: {country: ""}}`, files.Folder(dir))
	at := table.MicrosOf(start.Add(10 * time.Hour))
	assigned := read[table.AssignmentRow](t, source, "assigned_log")
	equal(t, "assigned", len(assigned.Rows), 2)
	equal(t, "account", []any{assigned.Rows[0].Account, assigned.Rows[0].Device}, []any{account("u1"), identifier.ID{}})
	equal(t, "device", []any{assigned.Rows[1].Account, assigned.Rows[1].Device}, []any{identifier.ID{}, device("d1")})
	equal(t, "rejected", reasons(assigned.Rejected), "3 QA override\n4 unit_type: expected account or device\n"+
		"5 account, device: one of them is required\n6 unit_type: expected account or device\n7 variant: required, but empty\n"+
		"8 assigned_at: expected a time like 2006-01-02T15:04:05Z\n9 expected one JSON object")
	equal(t, "fields that nobody has classified", assigned.Fields, map[string]int{"new": 1, "unit": 1, "unit.mail": 1, "(unprintable)": 1})
	exposed := read[table.ExposureRow](t, source, "exposed_log")
	want := table.ExposureRow{SourceID: key.Row([]byte(seen)).String(), ExposedAt: at, Experiment: "e", Variant: "B", Account: account("u1"), Platform: "tv"}
	equal(t, "a line that came twice is the same row twice", exposed.Rows, []table.ExposureRow{want, want})
	var findings []string
	for _, f := range source.Check(t.Context()) {
		findings = append(findings, fmt.Sprintf("%s: %v → %s", f.What, f.Problem, f.Remedy))
	}
	equal(t, "check", strings.Join(findings, "\n"), "stream assignment/assigned_log: 7 of the 9 rows that were read would be rejected; the first: "+
		"QA override → mend the lines, or the logs' `fields`\nstream assignment/exposed_log: <nil> → ")
	os.Remove(filepath.Join(dir, "exposed/2026-11-03.jsonl"))
	last := source.Check(t.Context())[1]
	if last.Problem == nil || !strings.Contains(last.Problem.Error(), "the source has not delivered it") {
		t.Errorf("%v", last)
	}
	for _, s := range source.Streams() {
		equal(t, s.Name()+" is versioned", s.Versioned(), true)
	}
}

func TestSettings(t *testing.T) {
	t.Setenv("DATABASE", "postgres://u:geheim@localhost/x")
	const logs = "logs: {assigned: a.jsonl"
	for yaml, want := range map[string]string{
		"url: ${DATABASE}": "assigned exposed",
		"url: ${DATABASE}\n" + logs + ", exposed: b.ndjson.gz}": "assigned exposed assigned_log exposed_log",
		logs + "}": "assigned_log",
		logs + ", units: {account: user}, fields: {ts: time}, time: unix_ms}": "assigned_log",
		"tx: tx":                             "url: required without `logs`",
		"logs: {time: unix}":                 "logs.exposed: required without `assigned`",
		logs + ", fields: {when: ts}}":       "logs.fields.when: unknown: ",
		logs + ", fields: {ts: ''}}":         "logs.columns",
		logs + ", units: {account: device}}": "logs.units: expected two different texts, for account and device",
		logs + ", time: noon}":               "logs.columns.assigned_at.time",
		"logs: {assigned: ../a.jsonl}":       "logs.path: expected a path below",
		"url: ${DATABASE}\nrows: {kinds: {assigned: x, exposed: x}}": "rows.kinds: expected two different texts",
		"url: ${DATABASE}\nrows: {columns: {unit: x}}":               "rows.columns.unit: unknown: expected one of",
		"url: ${DATABASE}\nrows: {columns: {kind: ''}}":              "rows.columns.kind: required: a column of the table",
		"url: ${DATABASE}\nrows: {columns: {id: ''}}":                "rows.columns.source_id: required",
		"url: ${DATABASE}\nrows: {table: a..b}":                      "rows.table: expected a name",
	} {
		var c assignment.Config
		err := strictyaml.Decode("crosslift.yaml", []byte(yaml), os.LookupEnv, &c)
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v: expected %q", yaml, err, want)
			}
			continue
		}
		source, err := assignment.New(c, connectors.Env{Key: key, Zone: time.UTC}, files.Folder(t.TempDir()), nil)
		if err != nil {
			t.Errorf("%s: %v", yaml, err)
			continue
		}
		var names []string
		for _, s := range source.Streams() {
			names = append(names, strings.TrimPrefix(s.Name(), "assignment/"))
		}
		equal(t, yaml, strings.Join(names, " "), want)
		source.Close()
	}
}

// FuzzLog: whatever a line holds, it is a row or a rejected one, and a row has one unit.
func FuzzLog(f *testing.F) {
	f.Add(`{"ts":"2026-11-03T10:00:00Z","experiment":"e","unit":{"type":"account","id":"u1"},"variant":"B"}`)
	f.Add(`{"ts":"2026-11-03T10:00:00Z","experiment":"e","unit":{"type":"device","id":"u1","id":"u2"},"variant":"B"}`)
	f.Add(`{"unit.type":"account","unit":{"id":1}}`)
	f.Fuzz(func(t *testing.T, line string) {
		dir := t.TempDir()
		if os.WriteFile(filepath.Join(dir, "a2026-11-03.jsonl"), []byte(line+"\n"), 0o644) != nil {
			t.Skip()
		}
		var c assignment.Config
		must(0, strictyaml.Decode("x", []byte(`logs: {assigned: "a{day}.jsonl"}`), nil, &c))
		source := must(assignment.New(c, connectors.Env{Key: key, Zone: time.UTC}, files.Folder(dir), nil))
		s := source.Streams()[0]
		inputs := must(s.Inputs(t.Context(), day))
		sink := &connectorstest.Sink[table.AssignmentRow]{Table: table.Assignment, Window: day.Window(time.UTC)}
		if s.Extract(t.Context(), day, inputs, sink) != nil {
			return // no text, or no JSON Lines at all
		}
		for _, r := range sink.Rows {
			if r.Account.IsZero() == r.Device.IsZero() || r.SourceID == "account" || r.SourceID == "device" {
				t.Errorf("%q: %+v", line, r)
			}
		}
	})
}
