package files_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/files"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Everything that can be wrong with a row, each once: what is written and what is rejected, with the reason.
func TestNastyFile(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("testdata/nasty.csv")
	if err != nil {
		t.Fatal(err)
	}
	yaml, err := os.ReadFile("testdata/nasty.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := stream(t, string(yaml), folder(t, map[string]string{"nasty.csv": string(content)}), "Europe/Moscow")
	var out strings.Builder
	total := 0
	for _, d := range []string{"2026-11-02", "2026-11-03", "2026-11-04"} {
		to := must(t, s, day(t, d))
		total += len(to.rows) + len(to.rejected)
		fmt.Fprintf(&out, "%s\n  rows\n    %s\n  quarantine\n    %s\n", d, strings.Join(to.rows, "\n    "), strings.Join(to.rejected, "\n    "))
	}
	golden := "testdata/nasty.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if lines := strings.Count(string(content), "\n#"); total != lines {
		t.Errorf("%d rows were written or rejected, the file has %d", total, lines)
	}
}

// Contacts are joined by keyed hashes of their normal forms: every spelling of one address or number gives one
// identifier, and one that cannot exist gives none.
func TestContacts(t *testing.T) {
	t.Parallel()
	const yaml = `
table: raw/crm_contact
path: contacts.jsonl
columns:
  source_id: {from: id}
  changed_at: {from: at, time: rfc3339}
  email_hash: {from: email}
  email_folded_hash: {from: email}
  phone_hash: {from: phone, region: RU}
  marketing_consent: {from: consent}
  archived: {from: archived}
`
	const content = `{"id":"1","at":"2026-11-03T10:00:00Z","email":"Ann.Smith@gmail.com","phone":"8 (916) 123-45-67","consent":true,"archived":false}
{"id":"2","at":"2026-11-03T10:00:00Z","email":" annsmith+tv@GoogleMail.com","phone":"+79161234567","archived":false}
{"id":"3","at":"2026-11-03T10:00:00Z","email":"nobody@example.com","phone":"112","consent":false,"archived":true}
{"id":"4","at":"2026-11-03T10:00:00Z","email":"no address","archived":false}
`
	to := must(t, stream(t, yaml, folder(t, map[string]string{"contacts.jsonl": content}), "Europe/Moscow"), day(t, "2026-11-03"))
	var got []map[string]string
	for _, row := range to.rows {
		cells := map[string]string{}
		for cell := range strings.FieldsSeq(row) {
			name, value, _ := strings.Cut(cell, "=")
			cells[name] = value
		}
		got = append(got, cells)
	}
	if len(got) != 4 || len(to.rejected) != 0 {
		t.Fatalf("%q, rejected %q", to.rows, to.rejected)
	}
	ann, again, nobody, none := got[0], got[1], got[2], got[3]
	if ann["email_hash"] == again["email_hash"] || ann["email_hash"] == "" || ann["email_folded_hash"] != again["email_folded_hash"] || ann["phone_hash"] != again["phone_hash"] {
		t.Errorf("two spellings: %q and %q", ann, again)
	}
	if number, err := key(t).Hash(identifier.Phone, "+79161234567"); err != nil || ann["phone_hash"] != number.String() {
		t.Errorf("the phone is %q", ann["phone_hash"])
	}
	if nobody["email_hash"]+nobody["email_folded_hash"]+nobody["phone_hash"]+none["email_hash"] != "" || nobody["archived"] != "true" {
		t.Errorf("identifiers of nobody: %q, %q", nobody, none)
	}
	if ann["marketing_consent"] != "true" || again["marketing_consent"] != "" || nobody["marketing_consent"] != "false" {
		t.Errorf("consents: %q", got)
	}
}

// What makes a file doubtful fails the day with one line that says what to do.
func TestFileFaults(t *testing.T) {
	t.Parallel()
	const head = "id,at,user,amount,status,plan\n"
	good := head + strings.Repeat("p1,2026-11-03 12:00:00,u,1.00,succeeded,\n", 3)
	for _, c := range []struct{ name, file, content, options, fault string }{
		{"encoding", "in.csv", good + "p2,2026-11-03 12:00:00,\xe0\xed\xed\xe0,1,s,\n", "", "line 5, byte 24: not UTF-8: if the file has another encoding, name it"},
		{"undefined byte", "in.csv", good + "p2,\x98", "encoding: windows-1251", "line 5, byte 4: not windows-1251"},
		{"half UTF-16", "in.csv", "\xff\xfei\x00d", "", "not utf-16le"},
		{"UTF-16 unmarked", "in.csv", utf16Text(good, bigEndian{}, false), "", "say `encoding: utf-16le`"},
		{"gzip cut", "in.csv.gz", gzipped(strings.Repeat(good, 100))[:60], "", "cut off"},
		{"zstd cut", "in.csv.zst", zstded(good)[:20], "", "cut off"},
		{"gzip damaged", "in.csv.gz", gzipped(good)[:len(gzipped(good))-1] + "\x7f", "", "damaged"},
		{"gzip with a tail", "in.csv.gz", gzipped(good) + "tail of no member", "", "damaged"},
		{"not gzip", "in.csv.gz", good, "", "ends in .gz, but its content is not compressed so"},
		{"empty gzip", "in.csv.gz", "", "", "ends in .gz, but"},
		{"not Parquet", "in.parquet", good, "", "does not start with PAR1"},
		{"Parquet cut", "in.parquet", "PAR1" + strings.Repeat("x", 100), "", "not a whole Parquet file"},
		{"empty Parquet", "in.parquet", "", "", "does not start with PAR1"},
		{"Parquet in gzip", "in.parquet", gzipped("PAR1"), "", "decompress it"},
		{"column", "in.csv", strings.Replace(good, "amount", "amuont", 1), "", `it has no column "amount": did you mean "amuont"? (its columns: id, at, user, amuont, status, plan)`},
		{"column twice", "in.csv", strings.Replace(good, "plan", "user", 1), "", `column "user" appears 2 times`},
		{"stray quote", "in.csv", good + "p2,\"\n" + good, "", "line 5: a quoted field is never closed"},
		{"stray quote, large", "in.csv", good + "p2,\"\n" + strings.Repeat(good, 20000), "", "line 5: a quoted field runs on for more than 1 MiB"},
		{"one line", "in.csv", head + strings.Repeat("x", 2<<20), "", "line 2 is longer than 1 MiB"},
		{"array", "in.json", "[\n{}\n]", "", "JSON array: expected JSON Lines"},
		{"long JSON", "in.jsonl", "{}\n" + strings.Repeat(" ", 2<<20), "", "line 2 is longer than 1 MiB"},
		{"no times", "in.csv", strings.ReplaceAll(good, "2026-11-03", "3.11.2026"), "", "none of its rows has a readable changed_at"},
		{"nothing", "other.csv", good, "", "no file in.csv in "},
	} {
		path := c.file
		if c.name == "nothing" {
			path = "in.csv"
		}
		s := stream(t, fmt.Sprintf(payments, path)+c.options, folder(t, map[string]string{c.file: c.content}), "UTC")
		_, err := extract(s, day(t, "2026-11-03"))
		if err == nil || !strings.Contains(err.Error(), c.fault) || !strings.Contains(err.Error(), "files/test 2026-11-03: ") ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want an error with %q", c.name, err, c.fault)
		}
		if missing := errors.Is(err, files.ErrMissing); missing != (c.name == "nothing") {
			t.Errorf("%s: missing is %v", c.name, missing)
		}
	}
}

type bigEndian struct{}

func (bigEndian) AppendUint16(b []byte, u uint16) []byte { return append(b, byte(u>>8), byte(u)) }
func (bigEndian) AppendUint32(b []byte, _ uint32) []byte { return b }
func (bigEndian) AppendUint64(b []byte, _ uint64) []byte { return b }
func (bigEndian) String() string                         { return "big-endian" }

func TestEmptyFilesAreEmptyDays(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"in.csv": "", "in.csv.gz": gzipped(""), "in.jsonl": "", "in.ndjson.zst": zstded("\n\n"), "in.tsv": "id\tat\tuser\tamount\tstatus\tplan\n",
	} {
		s := stream(t, fmt.Sprintf(payments, name), folder(t, map[string]string{name: content}), "UTC")
		if to := must(t, s, day(t, "2026-11-03")); len(to.rows)+len(to.rejected) > 0 {
			t.Errorf("%s: %v %v", name, to.rows, to.rejected)
		}
	}
}

// A file that changes between plan and extract, and a sink that fails, stop the extract.
func TestExtractStops(t *testing.T) {
	t.Parallel()
	good := csvText(',')
	for _, name := range []string{"in.csv", "in.csv.gz", "in.parquet"} {
		content, other := good, strings.Replace(good, "12.50", "12.51", 1)
		options := ""
		switch name {
		case "in.csv.gz":
			content, other = gzipped(good), gzipped(other)[:30]
		case "in.parquet":
			content, other = parquetText(t, 0, 1000), parquetText(t, 0, 1)
		}
		yaml := fmt.Sprintf(payments, name) + options
		if name == "in.parquet" {
			yaml = strings.Replace(yaml, `, time: "2006-01-02 15:04:05"`, "", 1)
		}
		store := folder(t, map[string]string{name: content})
		s := stream(t, yaml, store, "UTC")
		ctx, d := context.Background(), day(t, "2026-11-03")
		inputs, err := s.Inputs(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		to := newSink(s.Table())
		to.fail = errors.New("disk full")
		if err := s.Extract(ctx, d, inputs, to); !errors.Is(err, to.fail) || len(to.rows) != 1 {
			t.Errorf("%s: a full disk gives %v after %d rows", name, err, len(to.rows))
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if err := s.Extract(cancelled, d, inputs, newSink(s.Table())); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: cancelled gives %v", name, err)
		}
		path := filepath.Join(store.String(), name)
		if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Extract(ctx, d, inputs, newSink(s.Table())); err == nil || !strings.Contains(err.Error(), "changed while being read: run again") {
			t.Errorf("%s: other content gives %v", name, err)
		}
		if err := s.Extract(ctx, d, append(inputs, connectors.Input{Name: "z"}), newSink(s.Table())); err == nil || !strings.Contains(err.Error(), "came or went") {
			t.Errorf("%s: other files give %v", name, err)
		}
	}
}

// However a source cuts its days, every row of its files lands on exactly one business day, and so does every broken one.
func TestEveryRowLandsOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, cut, business string }{
		{"in/{day}.csv", "", "Europe/Moscow"},
		{"in/{day}.csv", "UTC", "Europe/Moscow"},
		{"in/x-{yyyymmdd}-*.csv", "America/New_York", "Europe/Moscow"},
		{"in/{day}.csv", "Pacific/Kiritimati", "Etc/GMT+12"},
		{"in/{day}.csv", "Etc/GMT+12", "Pacific/Kiritimati"},
		{"in/all.csv", "", "Asia/Tehran"},
		{"in/*.csv", "", "America/New_York"}, // 2026-11-01 has 25 hours there
	} {
		first, last := day(t, "2026-10-24"), day(t, "2026-11-04")
		cut := zone(t, c.business)
		if c.cut != "" {
			cut = zone(t, c.cut)
		}
		content := map[string]string{}
		want := 0
		for d := first; d <= last; d++ {
			name := strings.NewReplacer("{day}", d.String(), "{yyyymmdd}", strings.ReplaceAll(d.String(), "-", ""), "*", "part "+d.String()).Replace(c.path)
			w := d.Window(cut)
			text := content[name]
			if text == "" {
				text = "id,at,user,amount,status,plan\nbroken\n"
				want++
			}
			for at := w.From; at.Before(w.To); at = at.Add(20 * 60e9) {
				text += at.UTC().Format("x,2006-01-02 15:04:05,u,1,succeeded,\n")
				want++
			}
			text += "broken\n\nx," + w.To.UTC().Format("2006-01-02 15:04:05") + ",u,1,succeeded,\nx,,u,1,s,\n"
			want += 3
			content[name] = text
		}
		cutLine := ""
		if c.cut != "" {
			cutLine = "cut: " + c.cut
		}
		s := stream(t, fmt.Sprintf(payments, c.path)+cutLine, folder(t, content), c.business)
		got := map[string]int{}
		missing := 0
		for d := first - 3; d <= last+3; d++ {
			to, err := extract(s, d)
			if errors.Is(err, files.ErrMissing) {
				missing++
				continue
			}
			if err != nil {
				t.Fatalf("%+v: %s: %v", c, d, err)
			}
			for position, n := range to.from {
				got[position] += n
			}
		}
		for position, n := range got {
			if n != 1 {
				t.Errorf("%+v: %s was taken %d times", c, position, n)
			}
		}
		// The first and the last business day may lack a neighbour, so that rows of the first and last files wait for it.
		waiting := 0
		if c.cut != "" {
			waiting = 2 * (24*3 + 5)
		}
		if len(got) > want || len(got) < want-waiting || c.cut != "" && missing < 2 {
			t.Errorf("%+v: %d rows were taken of %d, %d days were missing", c, len(got), want, missing)
		}
	}
}

// A file of another day's rows is rejected where its own day is, not spread over others.
func TestRowOutsideItsFilesDay(t *testing.T) {
	t.Parallel()
	s := stream(t, fmt.Sprintf(payments, "{day}.csv"), folder(t, map[string]string{
		"2026-11-03.csv": "id,at,user,amount,status,plan\np1,2026-11-04 00:00:00,u,1,s,\n",
		"2026-11-04.csv": "id,at,user,amount,status,plan\n",
	}), "UTC")
	if to := must(t, s, day(t, "2026-11-03")); len(to.rows) != 0 || !slices.Equal(to.rejected, []string{
		"2026-11-03.csv:2: changed_at: outside the day that the file is named for (29 bytes)"}) {
		t.Errorf("%q %q", to.rows, to.rejected)
	}
	if to := must(t, s, day(t, "2026-11-04")); len(to.rows)+len(to.rejected) != 0 {
		t.Errorf("%q %q", to.rows, to.rejected)
	}
}

func TestFolderStaysInside(t *testing.T) {
	t.Parallel()
	outside := folder(t, map[string]string{"secret.csv": csvText(',')})
	store := folder(t, map[string]string{"ok/in.csv": csvText(',')})
	for link, target := range map[string]string{"out.csv": outside.String() + "/secret.csv", "in.csv": "ok/in.csv", "away": outside.String()} {
		if err := os.Symlink(target, filepath.Join(store.String(), link)); err != nil {
			t.Fatal(err)
		}
	}
	d := day(t, "2026-11-03")
	if to := must(t, stream(t, fmt.Sprintf(payments, "in.csv"), store, "UTC"), d); len(to.rows) != 3 {
		t.Errorf("a link within the folder gives %d rows", len(to.rows))
	}
	for _, path := range []string{"out.csv", "away/secret.csv"} {
		if _, err := extract(stream(t, fmt.Sprintf(payments, path), store, "UTC"), d); err == nil {
			t.Errorf("%s can be read", path)
		}
	}
	if _, err := extract(stream(t, fmt.Sprintf(payments, "in.csv"), files.Folder("/does/not/exist"), "UTC"), d); err == nil ||
		!strings.Contains(err.Error(), "folder /does/not/exist: no such file") || errors.Is(err, files.ErrMissing) {
		t.Errorf("a root that is not there: %v", err)
	}
}

// countingSums trusts size and version.
type countingSums struct {
	known    map[string]string
	computed int
}

func (s *countingSums) Forget(string, files.Object) {}

func (s *countingSums) SHA256(_ context.Context, store string, o files.Object, compute func() (string, error)) (string, error) {
	k := fmt.Sprint(store, o.Name, o.Size, o.Version)
	if sum, ok := s.known[k]; ok {
		return sum, nil
	}
	s.computed++
	sum, err := compute()
	s.known[k] = sum
	return sum, err
}

func TestInputs(t *testing.T) {
	t.Parallel()
	store := folder(t, map[string]string{"d=2026-11-03/b.csv": "abc", "d=2026-11-03/a.csv": "", "d=2026-11-03/a.csv.tmp": "x", "d=2026-11-03/c/a.csv": "x"})
	sums := &countingSums{known: map[string]string{}}
	s, err := files.New("files/test", mapping(t, fmt.Sprintf(payments, "d={day}/?.csv")), store, sums, key(t), zone(t, "UTC"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		inputs, err := s.Inputs(context.Background(), day(t, "2026-11-03"))
		if err != nil || !slices.Equal(inputs, []connectors.Input{ // the sums of FIPS 180-2 for nothing and for abc
			{Name: "d=2026-11-03/a.csv", SHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
			{Name: "d=2026-11-03/b.csv", SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		}) {
			t.Errorf("%v, %v", inputs, err)
		}
	}
	if sums.computed != 2 {
		t.Errorf("%d sums were computed", sums.computed)
	}
}

// dataSet finds a file of the real data sets.
func dataSet(t *testing.T, name string) (root string, expected map[string]any) {
	t.Helper()
	root = os.Getenv("CROSSLIFT_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(root, name)); err != nil {
		t.Skipf("the data set %s is not here: set CROSSLIFT_DATA", name)
	}
	content, err := os.ReadFile(filepath.Join(root, "expected.json"))
	if err != nil {
		t.Skip("expected.json is not here")
	}
	if err := json.Unmarshal(content, &expected); err != nil {
		t.Fatal(err)
	}
	return root, expected["ab"].(map[string]any)
}

// counter counts rows instead of keeping them.
type counter struct {
	connectorstest.Discard

	table *table.Table
	by    map[string]int
	sum   float64
}

func (c *counter) Row(row any, where connectors.Origin) error {
	if err := c.table.Check(row); err != nil {
		return c.Reject(where, err.Error())
	}
	if e, ok := row.(*table.ExposureRow); ok {
		c.by[e.Variant]++
	}
	if e, ok := row.(*table.WebEventRow); ok {
		c.by[e.EventName]++
		c.sum += *e.Value
	}
	return nil
}

func (c *counter) Reject(_ connectors.Origin, reason string) error {
	c.by["rejected: "+reason]++
	return nil
}

func countDays(t *testing.T, s *files.Stream, first, last string) *counter {
	t.Helper()
	c := &counter{table: s.Table(), by: map[string]int{}}
	for d := day(t, first); d <= day(t, last); d++ {
		inputs, err := s.Inputs(context.Background(), d)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Extract(context.Background(), d, inputs, c); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Cookie Cats has no times: constants say what the file lacks, and one file gives exposures and events.
func TestCookieCats(t *testing.T) {
	t.Parallel()
	root, expected := dataSet(t, "ab/cookie_cats.csv.gz")
	cats := expected["cookie_cats"].(map[string]any)["metrics"].(map[string]any)["retention_1"].(map[string]any)
	exposures := stream(t, `
table: raw/exposure
path: ab/cookie_cats.csv.gz
columns:
  source_id: {from: userid, hash: true}
  exposed_at: {value: "2026-11-03T00:00:00Z"}
  experiment: {value: gate}
  variant: {from: version, map: {gate_30: A, gate_40: B}}
  account: {from: userid}
`, files.Folder(root), "UTC")
	got := countDays(t, exposures, "2026-11-02", "2026-11-04")
	for arm, n := range cats["n"].(map[string]any) {
		if float64(got.by[arm]) != n {
			t.Errorf("%s: %d users, want %v", arm, got.by[arm], n)
		}
	}
	events := stream(t, `
table: raw/web_event
path: ab/cookie_cats.csv.gz
columns:
  source_id: {from: userid}
  event_at: {value: "2026-11-03T00:00:00Z"}
  event_name: {value: retention_1}
  account: {from: userid}
  value: {from: retention_1}
`, files.Folder(root), "UTC")
	conversions := cats["conversions"].(map[string]any)
	got = countDays(t, events, "2026-11-02", "2026-11-04")
	if want := conversions["A"].(float64) + conversions["B"].(float64); got.sum != want || got.by["retention_1"] != 90189 || len(got.by) != 1 {
		t.Errorf("%v conversions of %v, want %v of 90189", got.sum, got.by, want)
	}
}

// The landing page test has rows whose group and page contradict each other: an assertion rejects exactly these.
func TestUdacity(t *testing.T) {
	t.Parallel()
	root, expected := dataSet(t, "ab/udacity_ab_data.csv.gz")
	udacity := expected["udacity_ab_data"].(map[string]any)
	yaml := `
table: raw/exposure
path: ab/udacity_ab_data.csv.gz
columns:
  source_id: {from: user_id}
  exposed_at: %s
  experiment: {value: landing_page}
  variant: {from: group}
  account: {from: user_id}
assert:
  - {columns: [group, landing_page], one_of: [[control, old_page], [treatment, new_page]], reason: group and page must match}
quarantine: 2%%
`
	const rejected = "rejected: group and page must match"
	whole := stream(t, fmt.Sprintf(yaml, `{value: "2017-01-24T12:00:00Z"}`), files.Folder(root), "UTC")
	got := countDays(t, whole, "2017-01-23", "2017-01-25")
	pairs := udacity["group_x_page"].(map[string]any)
	want := map[string]int{
		"control": int(pairs["control|old_page"].(float64)), "treatment": int(pairs["treatment|new_page"].(float64)), rejected: 3893,
	}
	if fmt.Sprint(got.by) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got.by, want)
	}
	days := stream(t, fmt.Sprintf(yaml, `{from: timestamp, time: "2006-01-02 15:04:05", zone: UTC}`), files.Folder(root), "UTC")
	all := udacity["rows_per_day_by_group"].(map[string]any)
	for _, d := range []string{"2017-01-01", "2017-01-02", "2017-01-24"} {
		rows := 0
		for _, n := range countDays(t, days, d, d).by {
			rows += n
		}
		control, _ := all[d+"|control"].(float64)
		treatment, _ := all[d+"|treatment"].(float64)
		if rows != int(control+treatment) {
			t.Errorf("%s: %d rows, want %v", d, rows, control+treatment)
		}
	}
	if days.Quarantine() != 0.02 || days.Restatement() != -1 {
		t.Errorf("quarantine %v, restatement %d", days.Quarantine(), days.Restatement())
	}
}
