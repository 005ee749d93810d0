package cli_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var fourDays = []string{"backfill", "--from", "2026-11-01", "--to", "2026-11-04"}

func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	if maps.Equal(got, want) {
		return
	}
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("%s: %s: %.12s instead of %.12s", what, key, got[key], want[key])
		}
	}
	for key := range got {
		if want[key] == "" {
			t.Errorf("%s: %s was not there before", what, key)
		}
	}
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// TestNothingIsDoneTwice runs a finished pipeline again, as it is, by force, and elsewhere.
func TestNothingIsDoneTwice(t *testing.T) {
	t.Parallel()
	dir := world(t)
	must(t, dir, fourDays...)
	must(t, dir, "lake", "verify")
	lake, results := objects(t, filepath.Join(dir, "lake")), must(t, dir, "results", "-o", "json").stdout
	equal(t, "status after a backfill", notCurrent(t, dir), nil)

	a := must(t, dir, append(fourDays, "-o", "json")...)
	for _, r := range decode[[]struct{ Job, Day, Outcome string }](t, a) {
		if r.Outcome != "left" {
			t.Errorf("with nothing touched, %s %s was %s", r.Job, r.Day, r.Outcome)
		}
	}
	for range 2 {
		for _, r := range decode[[]struct{ Job, Day, Outcome string }](t, must(t, dir, "run", "--day", "2026-11-04", "--force", "-o", "json")) {
			if r.Outcome != "unchanged" && r.Outcome != "published" {
				t.Errorf("by force, %s %s was %s", r.Job, r.Day, r.Outcome)
			}
		}
		same(t, "objects after --force", objects(t, filepath.Join(dir, "lake")), lake)
		if again := must(t, dir, "results", "-o", "json").stdout; again != results {
			t.Errorf("the warehouse after --force:\n%s\nbefore:\n%s", again, results)
		}
	}

	elsewhere := filepath.Join(dir, "elsewhere")
	if err := os.CopyFS(elsewhere, os.DirFS(filepath.Join(dir, "lake"))); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(dir, "crosslift.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"crosslift.yaml": strings.Replace(string(config), "file:lake", "file:elsewhere", 1)})
	equal(t, "status of a copied lake", notCurrent(t, dir), nil)
}

// TestStaleness changes one input and looks at exactly what follows from it.
func TestStaleness(t *testing.T) {
	t.Parallel()
	dir := world(t)
	must(t, dir, fourDays...)
	payments := filepath.Join(dir, "data/payments/2026-11-02.csv")
	before, err := os.ReadFile(payments)
	if err != nil {
		t.Fatal(err)
	}
	was := contents(t, dir)

	// Late payments: what reads payments is stale, exposures are stale as identity is, the days around are not.
	write(t, dir, map[string]string{"data/payments/2026-11-02.csv": string(before) + late("2026-11-02")})
	equal(t, "after late payments", notCurrent(t, dir), []string{
		"extract/payment 2026-11-02 stale", "identity_edge 2026-11-02 stale", "identity 2026-11-04 stale", "exposure/offer 2026-11-04 stale",
		"facts/offer 2026-11-04 stale", "stats/offer 2026-11-04 stale", "publish/offer 2026-11-04 stale"})
	must(t, dir, "run", "--day", "2026-11-04")
	equal(t, "after the next run", notCurrent(t, dir), nil)
	for _, r := range decode[[]result](t, must(t, dir, "results", "-o", "json")) {
		if r.Revision != 2 {
			t.Errorf("a corrected result has revision %d", r.Revision)
		}
	}

	// The same lines in another order: the extract is made again to equal rows, and there staleness stops.
	lines := strings.Split(strings.TrimSpace(string(before)), "\n")
	slices.Reverse(lines[1:])
	write(t, dir, map[string]string{"data/payments/2026-11-02.csv": strings.Join(lines, "\n") + "\n"})
	must(t, dir, "run", "--day", "2026-11-02", "extract/payment")
	now := contents(t, dir)
	key := "raw/payment/dt=2026-11-02/data.parquet"
	if now[key] != was[key] {
		t.Errorf("the order of lines changed the content of %s", key)
	}
	must(t, dir, "run", "--day", "2026-11-04")
	lake := contents(t, dir)
	slices.Sort(lines[1:])
	write(t, dir, map[string]string{"data/payments/2026-11-02.csv": strings.Join(lines, "\n") + "\n"})
	must(t, dir, "run", "--day", "2026-11-02", "extract/payment")
	equal(t, "after an upstream was rebuilt to equal content", notCurrent(t, dir), nil)
	same(t, "contents after that", contents(t, dir), lake)
}

// TestContentDependsOnNothingElse makes the same world with little and much memory, shuffled input, one and many
// workers.
func TestContentDependsOnNothingElse(t *testing.T) {
	t.Parallel()
	var want map[string]string
	for i, settings := range []string{"memory: 64MB\nworkers: 1", "memory: 1MB\nworkers: 8", "memory: 1GB\nworkers: 3"} {
		dir := project(t, "data", threeStreams, threeFiles(uint64(i)))
		config, err := os.ReadFile(filepath.Join(dir, "crosslift.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, map[string]string{"crosslift.yaml": strings.Replace(string(config), "memory: 64MB", settings, 1)})
		must(t, dir, fourDays...)
		got := contents(t, dir)
		if want == nil {
			want = got
		}
		same(t, settings, got, want)
	}
}

// late are payments that a source delivers after its day was read.
func late(day string) (lines string) {
	for u := range 50 {
		lines += fmt.Sprintf("late%d,%sT23:00:00Z,user-%d,199.00,succeeded\n", u, day, u)
	}
	return lines
}

// TestNights holds the rules of nights.
func TestNights(t *testing.T) {
	t.Parallel()
	dir := world(t)
	must(t, dir, "run", "--day", "2026-11-01")
	must(t, dir, "backfill", "--from", "2026-11-02", "--to", "2026-11-03")
	states := func() (nights []string) {
		for key := range contents(t, dir) {
			if rest, ok := strings.CutPrefix(key, "core/profile_identifier/dt="); ok {
				nights = append(nights, strings.TrimSuffix(rest, "/data.parquet"))
			}
		}
		return nights
	}
	equal(t, "a backfill makes the last night", states(), []string{"2026-11-01", "2026-11-03"})

	// A night is never inserted before a later one.
	must(t, dir, "backfill", "--from", "2026-11-02", "--to", "2026-11-02", "--nights", "all")
	equal(t, "the gap stays", states(), []string{"2026-11-01", "2026-11-03"})

	// The commit of a night seals the one before: a change of the past reaches the newest night only.
	sealed := contents(t, dir)["core/profile_identifier/dt=2026-11-01/data.parquet"]
	payments := "data/payments/2026-11-01.csv"
	content, err := os.ReadFile(filepath.Join(dir, payments))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{payments: string(content) + late("2026-11-01")})
	must(t, dir, "run", "--day", "2026-11-01")
	if now := contents(t, dir)["core/profile_identifier/dt=2026-11-01/data.parquet"]; now != sealed {
		t.Error("a sealed night was rebuilt")
	}
	equal(t, "the newest night was brought up to date", notCurrent(t, dir), nil)

	// A past result is recomputed on request, as a new revision, and the newest one stays published.
	must(t, dir, "run", "--day", "2026-11-01", "--revise")
	if got := contents(t, dir); got["results/experiment/experiment=offer/dt=2026-11-01/revision=2/data.parquet"] == "" {
		t.Error("--revise made no second revision")
	}
	for _, r := range decode[[]result](t, must(t, dir, "results", "-o", "json")) {
		if r.AsOf != "2026-11-03" {
			t.Errorf("after --revise the newest published result is of %s", r.AsOf)
		}
	}
}

// TestAllNights makes each night in order: the last one is the same as with `last`.
func TestAllNights(t *testing.T) {
	t.Parallel()
	last, all := world(t), world(t)
	must(t, last, fourDays...)
	must(t, all, append(fourDays, "--nights", "all")...)
	a, b := contents(t, last), contents(t, all)
	for key, content := range a {
		if b[key] != content && !tellsOfNights(key) {
			t.Errorf("%s: %.12s with --nights all, %.12s with last", key, b[key], content)
		}
	}
	if len(b) <= len(a) {
		t.Errorf("%d partitions with --nights all, %d with last", len(b), len(a))
	}
}
