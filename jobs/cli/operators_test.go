package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTwoOperators runs the same backfill twice at once: each task has one owner, and the state is that of one run.
func TestTwoOperators(t *testing.T) {
	t.Parallel()
	alone := world(t)
	must(t, alone, fourDays...)
	want, results := objects(t, filepath.Join(alone, "lake")), must(t, alone, "results", "-o", "json").stdout

	dir := world(t)
	both := []*exec.Cmd{command(t, dir, fourDays...), command(t, dir, fourDays...)}
	for _, c := range both {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range both {
		_ = c.Wait()
		if code := c.ProcessState.ExitCode(); code != 0 && code != 11 && code != 3 {
			t.Errorf("an operator ended with exit code %d", code)
		}
	}
	must(t, dir, fourDays...)
	same(t, "objects after two operators", objects(t, filepath.Join(dir, "lake")), want)
	if got := must(t, dir, "results", "-o", "json").stdout; got != results {
		t.Errorf("the warehouse after two operators:\n%s\nafter one:\n%s", got, results)
	}
}

// TestInterrupted ends on a signal with its exit code, and is resumed by running again.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	dir := world(t)
	c := command(t, dir, fourDays...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for { // until it has begun to write
		if found, _ := filepath.Glob(filepath.Join(dir, "lake/raw/*/*/data.parquet")); len(found) > 0 {
			break
		}
		if c.ProcessState != nil {
			t.Fatal("it ended before it wrote anything")
		}
		time.Sleep(time.Millisecond)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != 143 && code != 0 { // 0: it was done before it heard
		t.Errorf("exit code %d after SIGTERM", code)
	}
	must(t, dir, fourDays...)
	equal(t, "status after an interrupt", notCurrent(t, dir), nil)
}

// TestSealed leaves a day alone that is older than its source may restate, until it is unsealed; then the newest night
// follows.
func TestSealed(t *testing.T) {
	t.Parallel()
	dir := project(t, "data", worldStreams+"  restatement: 2\n", worldFiles(1))
	must(t, dir, fourDays...)
	payments := "data/payments/2026-11-01.csv"
	content, err := os.ReadFile(filepath.Join(dir, payments))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{payments: string(content) + late("2026-11-01")})
	equal(t, "a sealed day is not compared", notCurrent(t, dir), nil)
	before := contents(t, dir)
	must(t, dir, "run", "--day", "2026-11-01")
	same(t, "after a run without --unseal", contents(t, dir), before)
	must(t, dir, "run", "--day", "2026-11-01", "--unseal")
	after := contents(t, dir)
	for key, changed := range map[string]bool{
		"raw/payment/dt=2026-11-01/data.parquet": true, "raw/payment/dt=2026-11-02/data.parquet": false,
		"facts/unit_metric/experiment=offer/dt=2026-11-04/data.parquet": true,
	} {
		if (after[key] != before[key]) != changed {
			t.Errorf("after --unseal, %s changed: %t, expected %t", key, !changed, changed)
		}
	}

	// The source may still restate the day before yesterday: the nightly run finds that by itself.
	payments = "data/payments/2026-11-03.csv"
	if content, err = os.ReadFile(filepath.Join(dir, payments)); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{payments: string(content) + late("2026-11-03")})
	must(t, dir, "run", "--day", "2026-11-04")
	if now := contents(t, dir); now["raw/payment/dt=2026-11-03/data.parquet"] == after["raw/payment/dt=2026-11-03/data.parquet"] {
		t.Error("a restated day was not read again")
	}
}

// TestLooking covers the verbs that only look: nothing is written to the lake, and what they print is stable.
func TestLooking(t *testing.T) {
	t.Parallel()
	dir := world(t)
	a := must(t, dir, "extract", "files/payments", "--day", "2026-11-02", "--limit", "3")
	lines := strings.Split(strings.TrimSpace(a.stdout), "\n")
	if len(lines) != 4 || lines[0] != "source_id,changed_at,paid_at,account,amount_minor,currency,status,plan,subscription_id,invoice_id,card_hash,card_hash_kind,rrn_hash,auth_code,system" || strings.Contains(a.stdout, "user-") {
		t.Errorf("extract printed\n%s", a.stdout)
	}
	if _, err := os.Stat(filepath.Join(dir, "lake")); err == nil {
		t.Error("extract wrote to the lake")
	}
	fails(t, 2, "files/exposures, files/payments", dir, "extract", "files/nothing", "--day", "2026-11-02")
	fails(t, 2, "--day is required", dir, "run")
	fails(t, 2, `did you mean "analyze"?`, dir, "analyse")
	fails(t, 2, "expected one of cat, ls, tables, verify", dir, "lake", "nothing")
	fails(t, 2, "no job is named", dir, "run", "--day", "2026-11-02", "extract/nothing")
	fails(t, 2, "YYYY-MM-DD", dir, "run", "--day", "03.11.2026")

	a = fails(t, 14, "2 of 5 things", dir, "check") // the files of yesterday are not there
	if !strings.Contains(a.stdout, "✓  lake       conditional writes") || !strings.Contains(a.stdout, "✗  files") {
		t.Errorf("check printed\n%s", a.stdout)
	}
	must(t, dir, "check", "warehouse")
	fails(t, 2, "expected one of lake, warehouse, files", dir, "check", "nothing")

	if a := must(t, dir, "lake", "tables", "raw/payment"); !strings.Contains(a.stdout, "hashed as account") || !strings.Contains(a.stdout, "decides the day") {
		t.Errorf("the columns of a table:\n%s", a.stdout)
	}
	for _, of := range decode[[]struct{ Table string }](t, must(t, dir, "lake", "tables", "-o", "json")) {
		must(t, dir, "lake", "tables", of.Table)
	}
	fails(t, 2, `did you mean "raw/payment"?`, dir, "lake", "tables", "raw/payments")

	type job struct {
		Job     string
		Follows []string
	}
	follows := map[string][]string{}
	for _, j := range decode[[]job](t, must(t, dir, "jobs", "-o", "json")) {
		follows[j.Job] = j.Follows
	}
	equal(t, "what facts follow", follows["facts/offer"], []string{"exposure/offer", "extract/payment", "identity"})
	equal(t, "what publication follows", follows["publish/offer"], []string{"stats/offer"})

	plan := must(t, dir, append(fourDays, "--dry-run", "-o", "json")...)
	if n := len(decode[[]struct{ Job string }](t, plan)); n != 3*len(worldDays)+5 {
		t.Errorf("the plan of an empty lake has %d tasks\n%s", n, plan.stdout)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "lake/raw")); len(found) > 0 {
		t.Error("--dry-run wrote to the lake")
	}
	must(t, dir, fourDays...)
	head := strings.SplitN(must(t, dir, "lake", "cat", "results/experiment", "--columns", "metric,variant,n").stdout, "\n", 3)
	if head[0] != "metric,variant,n" || !strings.HasPrefix(head[1], "paid,cashback,") {
		t.Errorf("lake cat printed %q", head)
	}
	fails(t, 2, "no column", dir, "lake", "cat", "results/experiment", "--columns", "nothing")
	fails(t, 2, "name one table", dir, "lake", "cat", "raw")
}

// TestDamagedPartition is found by `lake verify` and told by what reads it.
func TestDamagedPartition(t *testing.T) {
	t.Parallel()
	dir := world(t)
	must(t, dir, fourDays...)
	path := filepath.Join(dir, "lake/raw/payment/dt=2026-11-02/data.parquet")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 64 { // a single byte could be one that says nothing of the rows, as a page's statistics
		content[len(content)/4+i] ^= 0xff
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	a := crosslift(t, dir, "lake", "verify", "raw")
	if a.code != 1 || !strings.Contains(a.stdout, "raw/payment/dt=2026-11-02") {
		t.Errorf("exit code %d\n%s%s", a.code, a.stdout, a.stderr)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	must(t, dir, "run", "--day", "2026-11-02", "--missing", "extract/payment")
	must(t, dir, "lake", "verify")
	equal(t, "status after the repair", notCurrent(t, dir), nil)
}

// TestRaces runs a pipeline with the race detector, when the tests are built with it.
func TestRaces(t *testing.T) {
	t.Parallel()
	dir := three(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := command(t, dir, fourDays...)
	c.Path, c.Args[0] = self, self
	c.Env = append(os.Environ(), asCommand+"=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
