package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/connectors/sandbox"
	sandboxworld "crosslift/connectors/sandbox/world"
	"crosslift/jobs/verify"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// verified runs `sandbox verify`, and reads what it prints, whose form is fixed.
func verified(t *testing.T, dir string, args ...string) []verify.Check {
	t.Helper()
	a := must(t, dir, append([]string{"sandbox", "verify", "-o", "json"}, args...)...)
	var v struct{ Checks []verify.Check }
	d := json.NewDecoder(strings.NewReader(a.stdout))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in\n%s", err, a.stdout)
	}
	if len(v.Checks) < 40 {
		t.Errorf("%d checks only", len(v.Checks))
	}
	for _, c := range v.Checks {
		if !c.OK || c.N <= 0 || !slices.Contains(verify.Stages, c.Stage) || c.Name == "" || !slices.Contains([]string{"<=", ">=", "=="}, c.Op) {
			t.Errorf("%+v", c)
		}
	}
	for _, member := range []string{"stage", "name", "value", "op", "limit", "n", "ok"} {
		if n := strings.Count(a.stdout, `"`+member+`":`); n != len(v.Checks) {
			t.Errorf("%d of %d checks have %s", n, len(v.Checks), member)
		}
	}
	return v.Checks
}

// TestSandboxVerify runs the whole pipeline on small worlds: everything is as the truth says.
func TestSandboxVerify(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"sound":      {"--seed", "10", "--people", "600", "--nights", "3", "--stage", "extract"},
		"all faults": {"--seed", "10", "--people", "600", "--nights", "3", "--faults", "all"},
		"by device":  {"--seed", "10", "--people", "600", "--nights", "3", "--assigned-by", "device"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			checks := verified(t, dir, append(args, "--dir", "project")...)
			unreadable := slices.ContainsFunc(checks, func(c verify.Check) bool { return strings.Contains(c.Name, "unreadable") })
			if unreadable != (name == "all faults") {
				t.Errorf("rows are made unreadable: %v", unreadable)
			}
			// The identity that its nights came to, one after the other, is that of all observations at once.
			project := filepath.Join(dir, "project")
			must(t, project, "identity", "verify")
			must(t, project, "identity", "verify", "--full")
		})
	}
}

// TestSandboxVerifyUsage refuses what it does not know, and a folder in which something lies.
func TestSandboxVerifyUsage(t *testing.T) {
	t.Parallel()
	fails(t, 2, "extract", t.TempDir(), "sandbox", "verify", "--stage", "extrakt")
	fails(t, 2, "--faults", t.TempDir(), "sandbox", "verify", "--faults", "fire")
	full := t.TempDir()
	write(t, full, map[string]string{"x/y": "z"})
	fails(t, 2, "is not empty", full, "sandbox", "verify", "--dir", "x")
}

// TestSandboxTruth writes every table as Parquet that DuckDB reads, and the same seed the same bytes.
func TestSandboxTruth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, out := range []string{"one", "two"} {
		must(t, dir, "sandbox", "truth", "--seed", "3", "--people", "300", "--nights", "3", "--faults", "all", "--out", out)
	}
	must(t, dir, "sandbox", "truth", "--seed", "4", "--people", "300", "--nights", "3", "--faults", "all", "--out", "other")
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 3 {
		t.Errorf("the temporary world stays: %v, %v", left, err)
	}
	tables := map[string]string{ // by table: columns that it has
		"node":       `"node", "type", "account", "human", "household", "from", "to"`,
		"attendance": `"device", "from", "to", "human", "household", "account", "shared", "events"`,
		"effect":     `"metric"`, "planted": `"kind", "value"`,
		"subscription": `"subscription_id", "account", "started_at", "trial"`,
		"payment":      `"payment_id", "account", "captured_at", "amount_minor", "currency", "plan", "eligible", "reason", "expected_minor"`,
		"accrual":      `"accrual_id", "payment_id", "kind", "amount_minor", "posted_at", "visible_from_night"`,
		"exposure":     `"arm", "t0"`, "damaged": `"source", "stream", "id", "at", "member"`,
	}
	for name := range tables {
		one, err := os.ReadFile(filepath.Join(dir, "one", name+".parquet"))
		if err != nil {
			t.Fatal(err)
		}
		two, _ := os.ReadFile(filepath.Join(dir, "two", name+".parquet"))
		other, _ := os.ReadFile(filepath.Join(dir, "other", name+".parquet"))
		if !bytes.Equal(one, two) || bytes.Equal(one, other) {
			t.Errorf("%s: the same seed gives the same bytes: %v, another one others: %v", name, bytes.Equal(one, two), !bytes.Equal(one, other))
		}
	}
	fails(t, 2, "--out", dir, "sandbox", "truth")

	const script = `
import duckdb, json, sys
for table, columns in json.loads(sys.argv[2]).items():
    rows = duckdb.sql(f"SELECT {columns} FROM '{sys.argv[1]}/{table}.parquet'").aggregate('count(*)').fetchall()[0][0]
    assert rows > 0, table
`
	list, err := json.Marshal(tables)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(python(t), "-c", script, filepath.Join(dir, "one"), string(list)).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// compared holds the lake of a project over a sandbox against its world, as it was on the morning after a night.
// History is when the first day was read.
func compared(t *testing.T, dir string, store object.Store, from, to table.Day, history time.Time) []verify.Check {
	t.Helper()
	w, err := sandboxworld.Open(filepath.Join(dir, "world"))
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation(w.About().Zone)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(filepath.Join(dir, "secrets/identifier.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := identifier.ParseKey(strings.TrimSpace(string(secret)))
	if err != nil {
		t.Fatal(err)
	}
	checks, err := verify.Stage(t.Context(), "extract", verify.Input{
		World: w, Lake: lake.New(store, t.TempDir()), Zone: zone, Key: key, At: sandbox.Night(to, zone), From: from, To: to, History: history,
		Written: []string{filepath.Join(dir, "lake"), filepath.Join(dir, ".crosslift/journals"), filepath.Join(dir, ".crosslift/postgres")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return checks
}

// asTrue fails for every comparison that is not as it should be, but those of nothing: a small world has not everything.
func asTrue(t *testing.T, what string, checks []verify.Check, but ...string) {
	t.Helper()
	some := 0
	for _, c := range checks {
		if c.N > 0 {
			some++
		}
		if !c.OK && c.N > 0 && !slices.Contains(but, c.Name) {
			t.Errorf("%s: %+v", what, c)
		}
	}
	if some < 40 {
		t.Errorf("%s: %d comparisons are of something, no more", what, some)
	}
}
