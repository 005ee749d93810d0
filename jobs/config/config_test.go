package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/files"
	"crosslift/connectors/sandbox/world"
	"crosslift/jobs/config"
	"crosslift/schemas/experiment"
	"crosslift/schemas/identifier"
	"crosslift/schemas/metric"
	"crosslift/schemas/secret"
	"crosslift/schemas/strictyaml"
	"crosslift/schemas/table"
)

var update = flag.Bool("update", false, "write the golden files")

// fixed stands for randomness.
func fixed() *bytes.Reader { return bytes.NewReader(bytes.Repeat([]byte{0xab}, 32)) }

// starter makes a fresh starter project.
func starter(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "project")
	if _, err := config.Init(dir, fixed()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// edit replaces a text of a project's file; an empty old text replaces the whole file.
func edit(t testing.TB, dir, file, old, changed string) {
	t.Helper()
	path := filepath.Join(dir, file)
	content, err := os.ReadFile(path)
	if err != nil && old != "" {
		t.Fatal(err)
	}
	if old == "" {
		content = []byte(changed)
	} else if !strings.Contains(string(content), old) {
		t.Fatalf("%s does not contain %q", file, old)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(content), old, changed, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if old == "" {
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func env(name string) (string, bool) {
	v, ok := map[string]string{
		"WAREHOUSE_URL": "postgres://me:hunter2@db.example.com/x", "S3_ACCESS_KEY": "AKIAEXAMPLE", "S3_SECRET_KEY": "hunter2", "EMPTY": "",
		"MEMORY": "2GiB", "WHERE": "local",
	}[name]
	return v, ok
}

func load(dir string) (*config.Project, error) {
	return config.Load(filepath.Join(dir, "crosslift.yaml"), env)
}

func TestFreshProjectLoads(t *testing.T) {
	t.Parallel()
	dir := starter(t)
	p, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if p.Root != dir || p.Zone.String() != "Europe/Moscow" || p.Lake.Folder != filepath.Join(dir, "lake") || p.Lake.S3 != nil ||
		!p.Warehouse.Local || p.Schedule.Night != "30 3 * * *" || p.Memory != 512<<20 || p.Workers < 1 ||
		p.Identifiers.Key.Reveal() != "k1:"+strings.Repeat("ab", 32) || p.Files.Root.Folder != filepath.Join(dir, "data") {
		t.Errorf("got %+v", p)
	}
	if names := strings.Join(p.Files.Names(), " "); names != "exposures payments viewing" {
		t.Errorf("streams %s", names)
	}
	if len(p.Experiments) != 1 || len(p.Metrics) != 8 || p.Experiments[0].Primary != "paid_second_month" {
		t.Errorf("experiments %+v, metrics %+v", p.Experiments, p.Metrics)
	}
}

// The starter project's metrics are measured as those whose effects the sandbox's worlds are made with, each of these is
// among them, and its mappings take files as the comments beside them describe.
func TestStarter(t *testing.T) {
	t.Parallel()
	dir := starter(t)
	p, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if name := p.Experiments[0].Name; name != world.Experiment {
		t.Errorf("experiment %s", name)
	}
	units := map[string]string{}
	for _, m := range p.Metrics {
		units[m.Name] = m.Unit
	}
	for _, effect := range world.Effects() {
		if units[effect.Metric] != effect.Unit {
			t.Errorf("%s in %q: the world has %+v", effect.Metric, units[effect.Metric], effect)
		}
	}
	key, err := identifier.ParseKey(p.Identifiers.Key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	const day = "2026-09-03"
	edit(t, dir, "data/exposures/"+day+".jsonl", "", `{"id":"e1","exposed_at":"2026-09-03T10:00:00Z","experiment":"cashback_99","variant":"offer","account":"u1","device":"d1","platform":"tv","country":"RU"}`)
	edit(t, dir, "data/payments/"+day+".csv", "", "id,paid_at,account,amount,currency,status,plan\np1,2026-09-03T10:00:00Z,u1,299.00,RUB,succeeded,first_month\n")
	edit(t, dir, "data/viewing/"+day+".csv", "", "id,viewed_at,account,title,seconds\nv1,1788429600,u1,t1,60\n")
	for _, name := range p.Files.Names() {
		mapping := p.Files.Streams[name]
		mapping.Path = strings.TrimSuffix(mapping.Path, ".gz")
		stream, err := files.New(name, mapping, files.Folder(p.Files.Root.Folder), nil, key, p.Zone)
		if err != nil {
			t.Fatal(err)
		}
		on, err := table.ParseDay(day)
		if err != nil {
			t.Fatal(err)
		}
		inputs, err := stream.Inputs(t.Context(), on)
		if err != nil {
			t.Fatal(err)
		}
		sink := &counter{table: stream.Table()}
		if err := stream.Extract(t.Context(), on, inputs, sink); err != nil || sink.rows != 1 || sink.rejected != 0 {
			t.Errorf("%s: %v, %d rows, rejected: %v", name, err, sink.rows, sink.reasons)
		}
	}
}

// The README's experiment and metric have every key, and are valid, also with the keys that it shows as comments.
func TestReadme(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(content), "### Experiments and metrics\n")
	section, _, _ = strings.Cut(section, "\n### ")
	parts := strings.Split(section, "```")
	if len(parts) != 5 {
		t.Fatalf("%d parts: expected an experiment and a metric", len(parts))
	}
	for _, of := range []reflect.Type{
		reflect.TypeFor[experiment.Experiment](), reflect.TypeFor[experiment.Variant](), reflect.TypeFor[experiment.Event](), reflect.TypeFor[experiment.Guardrail](),
		reflect.TypeFor[metric.Metric](), reflect.TypeFor[metric.Source](), reflect.TypeFor[metric.Filter](), reflect.TypeFor[metric.Days](), reflect.TypeFor[metric.Winsorise](),
	} {
		for i := range of.NumField() {
			if key, _, _ := strings.Cut(of.Field(i).Tag.Get("yaml"), ","); !strings.Contains(section, key+": ") && !strings.Contains(section, key+":\n") {
				t.Errorf("%s: %s is not shown", of, key)
			}
		}
	}
	price := strings.TrimPrefix(parts[3], "yaml\n")
	if err := strictyaml.Decode("README.md", []byte(strings.TrimPrefix(parts[1], "yaml\n")), nil, &experiment.Experiment{}); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"as it is": price,
		"quantile": "name: x\ntype: quantile\ntable: raw/viewing\nvalue: seconds\nunit: seconds\nwindow: 1d\n" + strings.TrimPrefix(price[strings.Index(price, "# quantile:"):], "# "),
		"days":     "name: x\ntype: retention\ntable: raw/viewing\n" + strings.TrimPrefix(price[strings.Index(price, "# days:"):], "# "),
	} {
		if err := strictyaml.Decode("README.md", []byte(text), nil, &metric.Metric{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// counter takes rows that keep their contract, and counts the others.
type counter struct {
	connectorstest.Discard

	table          *table.Table
	rows, rejected int
	reasons        []string
}

func (c *counter) Row(row any, _ connectors.Origin) error {
	c.rows++
	return c.table.Check(row)
}

func (c *counter) Reject(_ connectors.Origin, reason string) error {
	c.rejected++
	c.reasons = append(c.reasons, reason)
	return nil
}

func TestS3AndRemoteWarehouse(t *testing.T) {
	t.Parallel()
	dir := starter(t)
	edit(t, dir, "crosslift.yaml", "lake: file:lake", `lake: {url: s3://bucket/a/b/, endpoint: "http://localhost:9000", region: eu, path_style: true, access_key: "${S3_ACCESS_KEY}", secret_key: file:secrets/s3}`)
	edit(t, dir, "crosslift.yaml", "warehouse: local", "warehouse: ${WAREHOUSE_URL}")
	edit(t, dir, "crosslift.yaml", "memory: 512MB", "memory: ${MEMORY}\nworkers: 7")
	edit(t, dir, "crosslift.yaml", "root: data", "root: s3://input")
	edit(t, dir, "secrets/s3", "", "open sesame\n")
	p, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := p.Lake.S3
	if p.Lake.Folder != "" || s.Bucket != "bucket" || s.Prefix != "a/b" || s.Endpoint != "http://localhost:9000" || s.Region != "eu" || !s.PathStyle ||
		s.AccessKey.Reveal() != "AKIAEXAMPLE" || s.SecretKey.Reveal() != "open sesame" {
		t.Errorf("lake %+v", s)
	}
	if p.Warehouse.Local || p.Warehouse.URL.Reveal() != "postgres://me:hunter2@db.example.com/x" || p.Memory != 2<<30 || p.Workers != 7 {
		t.Errorf("got %+v", p)
	}
	if r := p.Files.Root.S3; r == nil || r.Bucket != "input" || r.Prefix != "" {
		t.Errorf("root %+v", p.Files.Root)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "project", p, "secret", s.SecretKey)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "project", p, "secret", s.SecretKey)
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	hidden := struct{ secret secret.Secret }{s.SecretKey} // an unexported field, where fmt calls no method
	all := log.String() + string(text) + fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %#v", p, p, p.Warehouse, s.SecretKey, s.SecretKey, s.SecretKey, hidden, hidden, hidden)
	for _, secret := range []string{"hunter2", "open sesame", "AKIAEXAMPLE", fmt.Sprintf("%x", "open sesame"), strings.Repeat("ab", 32)} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is given away by %s", secret, all)
		}
	}
}

func TestWarehouseByEnvironmentMayBeLocal(t *testing.T) {
	t.Parallel()
	dir := starter(t)
	edit(t, dir, "crosslift.yaml", "warehouse: local", "warehouse: ${WHERE}")
	if p, err := load(dir); err != nil || !p.Warehouse.Local {
		t.Errorf("got %+v, %v", p, err)
	}
}

// Every mistake is reported at its place; the messages are in testdata/errors.golden.
func TestBrokenProjects(t *testing.T) {
	t.Parallel()
	const main, offer = "crosslift.yaml", "experiments/cashback_99.yaml"
	const minimal = "time_zone: UTC\nlake: lake\nwarehouse: local\nidentifiers: {key: file:secrets/identifier.key}\n"
	var got strings.Builder
	for _, c := range []struct {
		name  string
		edits [][3]string
	}{
		{"unknown key", [][3]string{{main, "time_zone:", "timezone:"}}},
		{"unknown key in a stream", [][3]string{{main, "path: viewing", "quarantin: 2%\n        path: viewing"}}},
		{"empty file", [][3]string{{main, "", "# nothing yet\n"}}},
		{"not YAML", [][3]string{{main, "", "lake: [\n"}}},
		{"unknown zone", [][3]string{{main, "Europe/Moscow", "Europe/Moskow"}}},
		{"lake elsewhere", [][3]string{{main, "file:lake", "gs://bucket/x"}}},
		{"lake without bucket", [][3]string{{main, "file:lake", "s3:///x"}}},
		{"folder with S3 options", [][3]string{{main, "lake: file:lake", "lake: {url: file:lake, region: eu}"}}},
		{"one key of two", [][3]string{{main, "lake: file:lake", `lake: {url: s3://bucket, access_key: "${S3_ACCESS_KEY}", endpoint: localhost}`}}},
		{"literal secret", [][3]string{{main, "warehouse: local", "warehouse: postgres://me:hunter3@db/x"}}},
		{"literal key", [][3]string{{main, "key: file:secrets/identifier.key", "key: k1:00112233445566778899aabbccddeeff"}}},
		{"unset variable", [][3]string{{main, "warehouse: local", "warehouse: ${NO_SUCH}"}}},
		{"empty variable", [][3]string{{main, "warehouse: local", "warehouse: ${EMPTY}"}}},
		{"no key file", [][3]string{{main, "file:secrets/identifier.key", "file:secrets/other.key"}}},
		{"broken key file", [][3]string{{"secrets/identifier.key", "", "k1:xyz\n"}}},
		{"memory", [][3]string{{main, "512MB", "lots"}}},
		{"too little memory", [][3]string{{main, "512MB", "100KB"}}},
		{"workers", [][3]string{{main, "# workers: 2", "workers: 0"}}},
		{"cron", [][3]string{{main, "30 3 * * *", "30 25 * * *"}}},
		{"cron words", [][3]string{{main, "30 3 * * *", "@every 1h"}}},
		{"cron never", [][3]string{{main, "30 3 * * *", "0 0 30 2 *"}}},
		{"cron zone", [][3]string{{main, "30 3 * * *", "TZ=UTC 30 3 * *"}}},
		{"stream's name", [][3]string{{main, "      viewing:", "      Viewing!:"}}},
		{"stream's column", [][3]string{{main, "seconds: {from: seconds}", "second: {from: seconds}"}}},
		{"no streams", [][3]string{{main, "", minimal + "sources: {files: {root: data, streams: {}}}\n"}}},
		{"no sources", [][3]string{{main, "", minimal}}},
		{"metric of no stream", [][3]string{{main, "      viewing:\n        table: raw/viewing\n        path: viewing/{day}.csv.gz\n        columns:\n          source_id: {from: id}\n          viewed_at: {from: viewed_at, time: unix}\n          account: {from: account}\n          title: {from: title}\n          seconds: {from: seconds}\n", ""}}},
		{"no exposures", [][3]string{{main, "table: raw/exposure", "table: raw/assignment"}, {main, "exposed_at: {from", "assigned_at: {from"},
			{main, "          platform: {from: platform}\n          country: {from: country}\n", ""}}},
		{"unknown metric", [][3]string{{offer, "- revenue", "- revenu"}}},
		{"unknown primary", [][3]string{{offer, "primary: paid_second_month", "primary: paid_2nd_month"}}},
		{"unknown guardrail", [][3]string{{offer, "metric: payment_failed", "metric: payments_failed"}}},
		{"former experiment", [][3]string{{offer, "secondary:\n", "metrics:\n"}}},
		{"former filter", [][3]string{{"metrics/activated.yaml", "op: =, value: first_month", "in: [first_month]"}}},
		{"denominator of no stream", [][3]string{{"metrics/revenue.yaml", "type: mean", "type: ratio\ndenominator: {table: raw/web_event, value: 1}"}}},
		{"no rates", [][3]string{{"metrics/revenue.yaml", "# currency: RUB #", "currency: RUB #"}}},
		{"eligibility and activation of no stream", [][3]string{{offer, "activation:\n  table: raw/payment\n  filter: [{column: plan, op: =, value: first_month}]", "activation:\n  table: raw/subscription\neligibility: {table: raw/product_user}"}}},
		{"segments of no stream", [][3]string{{offer, "[platform, country", "[channel, country"}}},
		{"segments of nothing", [][3]string{{offer, "[platform, country", "[plan, country"}, {main, "table: raw/payment", "table: raw/refund"}, {main, "paid_at: {from: paid_at, time: rfc3339}\n          account: {from: account}", "created_at: {from: paid_at, time: rfc3339}\n          changed_at: {from: paid_at, time: rfc3339}\n          payment_id: {from: id}"}, {main, "          plan: {from: plan}\n", ""}}},
		{"a window before the start", [][3]string{{"metrics/views.yaml", "window: 14d", "window: until 2026-08-31"}}},
		{"second metric of the name", [][3]string{{"metrics/zzz.yaml", "", "name: revenue\ntype: proportion\ntable: raw/payment\nwindow: 1d\n"}}},
		{"second experiment of the name", [][3]string{{"experiments/zzz.yaml", "",
			"name: cashback_99\nassigned_by: account\nvariants: [{name: a}, {name: b}]\ncontrol: a\nstart: 2026-01-01\nprimary: revenue\n"}}},
		{"other extension", [][3]string{{"metrics/more.yml", "", "name: more\n"}}},
		{"broken experiment", [][3]string{{offer, "end: 2026-09-10", "end: 2026-08-10"}, {offer, "control: control", "control: contrl"}, {offer, "alpha: 0.05", "alpha: 5"}}},
		{"broken metric", [][3]string{{"metrics/revenue.yaml", "value: amount_minor", "value: amount"}, {"metrics/revenue.yaml", "op: =, value: succeeded", "op: equals, value: 3"}}},
		{"broken day", [][3]string{{offer, "2026-09-01", "1 September"}}},
		{"variables in a metric", [][3]string{{"metrics/revenue.yaml", "window: 32d", "window: ${DAYS}"}}},
		{"all at once", [][3]string{{main, "512MB", "many"}, {main, "Europe/Moscow", "Moscow"}, {offer, "- revenue", "- revenu"}, {offer, "start: 2026", "start: 26"},
			{"metrics/revenue.yaml", "type: mean", "type: average"}, {"metrics/watched_seconds.yaml", "window: 14d", "window: two weeks"}}},
	} {
		dir := starter(t)
		for _, e := range c.edits {
			edit(t, dir, e[0], e[1], e[2])
		}
		_, err := load(dir)
		if !errors.Is(err, config.ErrConfig) {
			t.Errorf("%s: got %v", c.name, err)
			continue
		}
		message := strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "")
		if strings.Contains(message, dir) || strings.Contains(message, "hunter") {
			t.Errorf("%s: the message holds what it should not: %s", c.name, message)
		}
		for _, line := range strings.Split(message, "\n") {
			if line == "" {
				t.Errorf("%s: an empty line in %q", c.name, message)
			}
		}
		fmt.Fprintf(&got, "# %s\n%s\n\n", c.name, message)
	}
	golden := filepath.Join("testdata", "errors.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestErrorsHavePlaces(t *testing.T) {
	t.Parallel()
	dir := starter(t)
	edit(t, dir, "experiments/cashback_99.yaml", "- revenue", "- revenu")
	_, err := load(dir)
	var placed *strictyaml.Error
	if !errors.As(err, &placed) || placed.File != filepath.Join(dir, "experiments/cashback_99.yaml") || placed.Line != 54 || placed.Column != 5 {
		t.Errorf("got %+v", placed)
	}
}

func TestMissingProject(t *testing.T) {
	t.Parallel()
	_, err := config.Load(filepath.Join(t.TempDir(), "crosslift.yaml"), env)
	if !errors.Is(err, config.ErrConfig) || !strings.Contains(err.Error(), "crosslift init") {
		t.Errorf("got %v", err)
	}
	if _, err := config.Load(t.TempDir(), env); !errors.Is(err, config.ErrConfig) {
		t.Errorf("a folder: got %v", err)
	}
}

func TestProjectWithoutExperimentsLoads(t *testing.T) {
	t.Parallel()
	dir := starter(t)
	for _, sub := range []string{"experiments", "metrics"} {
		if err := os.RemoveAll(filepath.Join(dir, sub)); err != nil {
			t.Fatal(err)
		}
	}
	if p, err := load(dir); err != nil || len(p.Experiments)+len(p.Metrics) != 0 {
		t.Errorf("got %+v, %v", p, err)
	}
}

func tree(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestInit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() // an empty folder that is there will do
	written, err := config.Init(dir, fixed())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{".gitignore", "crosslift.yaml", "experiments/cashback_99.yaml", "metrics/activated.yaml", "metrics/paid_first_month.yaml",
		"metrics/paid_second_month.yaml", "metrics/payment_failed.yaml", "metrics/retained.yaml", "metrics/revenue.yaml", "metrics/views.yaml",
		"metrics/watched_seconds.yaml", "secrets/identifier.key"}
	for i, name := range want {
		want[i] = filepath.Join(dir, name)
	}
	if strings.Join(written, "\n") != strings.Join(want, "\n") {
		t.Errorf("wrote %q, want %q", written, want)
	}
	for path, mode := range map[string]fs.FileMode{"secrets": 0o700 | fs.ModeDir, "secrets/identifier.key": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, path)); err != nil || info.Mode() != mode {
			t.Errorf("%s: mode %v, %v, want %v", path, info.Mode(), err, mode)
		}
	}
	if _, err := config.Init(dir, fixed()); !errors.Is(err, config.ErrConfig) || !strings.Contains(err.Error(), "exists") {
		t.Errorf("a second time: got %v", err)
	}
}

func TestInitOverwritesNothingAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(dir string) error{
		"a file that is there": func(dir string) error {
			return errors.Join(os.MkdirAll(filepath.Join(dir, "metrics"), 0o755), os.WriteFile(filepath.Join(dir, "metrics/revenue.yaml"), []byte("mine"), 0o644))
		},
		"a dangling link":                 func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "crosslift.yaml")) },
		"a file where a folder should be": func(dir string) error { return os.WriteFile(filepath.Join(dir, "secrets"), []byte("mine"), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := prepare(dir); err != nil {
				t.Fatal(err)
			}
			before := tree(t, dir)
			if written, err := config.Init(dir, fixed()); err == nil || written != nil {
				t.Errorf("wrote %q, %v", written, err)
			}
			if after := tree(t, dir); strings.Join(before, " ") != strings.Join(after, " ") {
				t.Errorf("before %q, after %q", before, after)
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "new")
	if _, err := config.Init(dir, bytes.NewReader([]byte("too short"))); err == nil {
		t.Error("no error without randomness")
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}
