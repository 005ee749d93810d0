package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	sandboxworld "crosslift/connectors/sandbox/world"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake/object"
)

// playing is a sandbox that is served by a process of its own.
type playing struct {
	said string // what it printed
	stop func()
}

// serve starts `sandbox serve` for the project in a folder, and waits until it serves.
func serve(t *testing.T, dir string, args ...string) playing {
	t.Helper()
	c := command(t, filepath.Dir(dir), append([]string{"sandbox", "serve", "--dir", filepath.Base(dir)}, args...)...)
	var complaints strings.Builder
	c.Stderr = &complaints
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	p := playing{stop: func() {
		if stopped {
			return
		}
		stopped = true
		_ = c.Process.Signal(syscall.SIGINT) // it may have ended already
		if err := c.Wait(); err != nil {
			t.Errorf("the sandbox ended with %v\n%s", err, complaints.String())
		}
	}}
	t.Cleanup(p.stop)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.said += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			return p
		}
	}
	t.Fatalf("the sandbox does not serve:\n%s%s", p.said, complaints.String())
	return p
}

// playground is the folder of a project over a sandbox.
func playground(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "play")
	stopped(t, dir)
	return dir
}

// nights are those of the world in a folder.
func nights(t *testing.T, dir string) (first, last table.Day, zone *time.Location) {
	t.Helper()
	w, err := sandboxworld.Open(filepath.Join(dir, "world"))
	if err != nil {
		t.Fatal(err)
	}
	if zone, err = time.LoadLocation(w.About().Zone); err != nil {
		t.Fatal(err)
	}
	return w.About().First, w.About().First + table.Day(w.About().Nights) - 1, zone
}

func backfill(from, to table.Day) []string {
	return []string{"backfill", "--from", from.String(), "--to", to.String()}
}

// finding is a line of `check`.
type finding struct {
	Of, What, Problem, Remedy string
	OK                        bool
}

// TestSandboxServe serves a world that ends at the present to a process on the real clock.
func TestSandboxServe(t *testing.T) {
	t.Parallel()
	dir := playground(t)
	p := serve(t, dir, "--people", "300", "--nights", "4", "--seed", "6")
	first, last, zone := nights(t, dir)
	if age := table.DayOf(time.Now(), zone) - last; age != 1 && age != 2 { // before six in the morning two
		t.Errorf("the last night lies %d days back", age)
	}
	for _, part := range []string{"seed 6", "300 people", fmt.Sprintf("4 nights from %s to %s", first, last), "morning after " + last.String(), "--from " + first.String()} {
		if !strings.Contains(p.said, part) {
			t.Errorf("%q is not said:\n%s", part, p.said)
		}
	}
	for _, f := range decode[[]finding](t, must(t, dir, "check", "-o", "json")) {
		if !f.OK || f.Problem != "" || f.Remedy != "" {
			t.Errorf("%+v", f)
		}
	}
	must(t, dir, backfill(first, last)...)
	asTrue(t, "the present", compared(t, dir, object.NewFolder(filepath.Join(dir, "lake")), first, last, time.Now()))
	p.stop()

	// The world is found again without flags; one that is another is not served in its place.
	fails(t, 2, "holds another world", filepath.Dir(dir), "sandbox", "serve", "--dir", "play", "--people", "301")
	fails(t, 2, "nights are", filepath.Dir(dir), "sandbox", "serve", "--dir", "play", "--night", (first - 1).String())
	p = serve(t, dir, "--night", first.String())
	if !strings.Contains(p.said, "morning after "+first.String()) || !strings.Contains(p.said, "days ago") {
		t.Error(p.said)
	}
}

// TestSandboxNights follows a world night by night: what was restated and what came late is picked up by the next night,
// and a night that failed is caught up with.
func TestSandboxNights(t *testing.T) {
	t.Parallel()
	dir := playground(t)
	serve(t, dir, "--first", "2026-09-01", "--people", "600", "--nights", "6", "--seed", "12", "--faults", "restated").stop()
	first, last, _ := nights(t, dir)
	p := serve(t, dir, "--night", (last - 2).String())
	must(t, dir, backfill(first, last-2)...)
	installed := time.Now()
	store := object.NewFolder(filepath.Join(dir, "lake"))
	asTrue(t, "history", compared(t, dir, store, first, last-2, installed))
	was, results := contents(t, dir), must(t, dir, "results", "-o", "json").stdout
	p.stop()

	// Payments are down for a day: what depends on them fails, and yesterday's results stay published.
	p = serve(t, dir, "--night", (last - 1).String())
	secret := filepath.Join(dir, ".crosslift/sandbox/stripe_key")
	if err := os.WriteFile(secret, []byte("rk_test_revoked\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := fails(t, 14, "payments", dir, "run", "--day", (last - 1).String()); strings.Contains(a.stdout+a.stderr, "rk_test_revoked") {
		t.Error("the key was printed")
	}
	if now := must(t, dir, "results", "-o", "json").stdout; now != results {
		t.Errorf("after a night that failed the results are\n%s\nthose of yesterday were\n%s", now, results)
	}
	p.stop()

	// The next night, of which the sandbox has written the right key again, catches up.
	serve(t, dir, "--night", last.String())
	must(t, dir, "run", "--day", last.String())
	asTrue(t, "caught up", compared(t, dir, store, first, last, installed))
	equal(t, "status", notCurrent(t, dir), nil)
	now, restated := contents(t, dir), map[string]int{}
	for key, content := range was {
		if rest, ok := strings.CutPrefix(key, "raw/"); ok && now[key] != content {
			name, _, _ := strings.Cut(rest, "/")
			restated[name]++
		}
	}
	if restated["web_event"] == 0 || restated["refund"] == 0 {
		t.Errorf("days that were made again, by table: %v", restated)
	}
	if now := must(t, dir, "results", "-o", "json").stdout; now == results {
		t.Error("the results are still those of the night before")
	}
}

// TestCheckCrosses shows, for what is wrong, a cross with what to do about it.
func TestCheckCrosses(t *testing.T) {
	t.Parallel()
	dir := playground(t)
	p := serve(t, dir, "--people", "100", "--nights", "2")
	crosses := func(of string) (found []finding) {
		t.Helper()
		for _, f := range decode[[]finding](t, fails(t, 14, "not as a night needs them", dir, "check", of, "-o", "json")) {
			if f.OK != (f.Problem == "") || f.OK != (f.Remedy == "") {
				t.Errorf("%+v", f)
			}
			if !f.OK {
				found = append(found, f)
			}
		}
		return found
	}
	secrets := filepath.Join(dir, ".crosslift/sandbox")
	edit := func(name string, to func([]byte) []byte) (undo func()) {
		path := filepath.Join(secrets, name)
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, to(was), 0o600); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := os.WriteFile(path, was, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}

	undo := edit("stripe_key", func([]byte) []byte { return []byte("rk_test_wrong\n") })
	if found := crosses("payments"); len(found) == 0 || !strings.Contains(found[0].Remedy, "key") {
		t.Errorf("with a wrong key: %+v", found)
	}
	undo()

	// The certificate of another client: that of a sandbox whose authority the bank has never heard of.
	other := playground(t)
	elsewhere := serve(t, other, "--people", "100", "--nights", "2")
	elsewhere.stop()
	for _, name := range []string{"bank_client.pem", "bank_client.key"} {
		foreign, err := os.ReadFile(filepath.Join(other, ".crosslift/sandbox", name))
		if err != nil {
			t.Fatal(err)
		}
		defer edit(name, func([]byte) []byte { return foreign })()
	}
	if found := crosses("bank"); len(found) == 0 || !strings.Contains(found[0].Remedy, "certificate") {
		t.Errorf("with a wrong certificate: %+v", found)
	}

	p.stop()
	for of, says := range map[string]string{"payments": "network", "productdb": "see that the server runs"} {
		if found := crosses(of); len(found) == 0 || !strings.Contains(found[0].Remedy, says) {
			t.Errorf("with %s stopped: %+v", of, found)
		}
	}
}

// record is a line of a world.
type record struct {
	ID     string
	At     time.Time
	Object struct {
		Status, Currency, Kind string
		Amount                 int64
	}
}

// editOne changes the first line of a stream that is given to it and of which there is one version, and gives what it was.
func editOne(t *testing.T, stream string, from time.Time, edit func(record, string) string) record {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(stream, "*.ndjson"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no files: %v", stream, err)
	}
	versions := map[string]int{}
	each := func(line string) (r record) {
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		return r
	}
	contents := map[string][]string{}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		contents[path] = strings.Split(strings.TrimSpace(string(content)), "\n")
		for _, line := range contents[path] {
			versions[each(line).ID]++
		}
	}
	for _, path := range files {
		for i, line := range contents[path] {
			r := each(line)
			if versions[r.ID] > 1 || r.At.Before(from) {
				continue
			}
			if to := edit(r, line); to != line {
				contents[path][i] = to
				if err := os.WriteFile(path, []byte(strings.Join(contents[path], "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				return r
			}
		}
	}
	t.Fatalf("%s has no line to edit", stream)
	return record{}
}

// TestEditedWorld serves a world that somebody has edited as it stands.
func TestEditedWorld(t *testing.T) {
	t.Parallel()
	dir := playground(t)
	serve(t, dir, "--people", "300", "--nights", "4", "--seed", "6").stop()
	first, last, zone := nights(t, dir)
	begin := first.Window(zone).From
	charge := editOne(t, filepath.Join(dir, "world/stripe/charges"), begin, func(r record, line string) string {
		if r.Object.Status == "succeeded" {
			return ""
		}
		return line
	})
	login := editOne(t, filepath.Join(dir, "world/product/logins"), begin, func(r record, line string) string {
		return strings.Replace(line, `"kind":"login"`, `"kind":"refresh"`, 1)
	})

	serve(t, dir, "--world", filepath.Join(dir, "world"))
	must(t, dir, backfill(first, last)...)
	checks := compared(t, dir, object.NewFolder(filepath.Join(dir, "lake")), first, last, time.Now())
	paid := "payments in " + strings.ToUpper(charge.Object.Currency) + ", minor units"
	asTrue(t, "an edited world", checks, paid)
	for _, c := range checks { // the truth still knows of the charge
		if c.Name == paid && c.Limit-c.Value != float64(charge.Object.Amount) {
			t.Errorf("%+v without a charge of %d", c, charge.Object.Amount)
		}
	}
	day := func(r record) string { return table.DayOf(r.At, zone).String() }
	if a := must(t, dir, "extract", "payments/charges", "--day", day(charge), "-o", "json"); strings.Contains(a.stdout, charge.ID) {
		t.Errorf("%s was removed, and is served", charge.ID)
	}
	found := false
	for line := range strings.Lines(must(t, dir, "extract", "productdb/logins", "--day", day(login), "-o", "json").stdout) {
		if strings.Contains(line, login.ID) {
			found = strings.Contains(line, `"refresh"`)
		}
	}
	if !found {
		t.Errorf("login %s is not served as it was edited", login.ID)
	}
}
