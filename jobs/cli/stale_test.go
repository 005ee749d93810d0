package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crosslift/schemas/table"
	"crosslift/transform/facts"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// reasons is what is not current, as "job: reason", with the day where it is not that of the night.
func reasons(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	for _, d := range outstanding(t, dir) {
		name := d.Job
		if d.Day != "2026-11-04" {
			name += " " + d.Day
		}
		found = append(found, name+": "+strings.ReplaceAll(d.Reason, " 2026-11-04", ""))
	}
	return found
}

// rebuilt are the jobs that a run had to do with, and what came of each.
func rebuilt(t *testing.T, dir string, args ...string) []string {
	t.Helper()
	var found []string
	for _, r := range decode[[]struct{ Job, Day, Outcome string }](t, must(t, dir, append(args, "-o", "json")...)) {
		if r.Outcome != "left" && r.Outcome != "idle" {
			found = append(found, r.Job+" "+r.Outcome)
		}
	}
	return found
}

// TestStaleNames: status names what a change makes stale, and why; --stale makes that again, and nothing else.
func TestStaleNames(t *testing.T) {
	t.Parallel()
	dir := three(t)
	must(t, dir, fourDays...)
	edit := func(file, old, changed string) func() {
		return func() {
			path := filepath.Join(dir, file)
			content, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(content), old) {
				t.Fatalf("%s: %v in\n%s", file, err, content)
			}
			write(t, dir, map[string]string{file: strings.Replace(string(content), old, changed, 1)})
		}
	}
	night := []string{"run", "--day", "2026-11-04", "--stale"}
	for _, c := range []struct {
		what    string
		change  func()
		stale   []string
		rebuilt []string
	}{
		{"a metric's window", edit("metrics/revenue.yaml", "window: 2d", "window: 1d"), []string{
			"facts/offer: metric revenue changed", "stats/offer: metric revenue changed", "publish/offer: follows stats/offer",
		}, []string{"facts/offer written", "stats/offer written", "publish/offer published"}},
		{"a metric that two experiments use", edit("metrics/payments.yaml", "12h", "13h"), []string{
			"facts/late: metric payments changed", "stats/late: metric payments changed", "publish/late: follows stats/late",
			"facts/wide: metric payments changed", "stats/wide: metric payments changed", "publish/wide: follows stats/wide",
		}, []string{"facts/late recommitted", "stats/late written", "publish/late published",
			"facts/wide written", "stats/wide written", "publish/wide published"}},
		{"its description", edit("metrics/revenue.yaml", "type: mean", "type: mean\ndescription: what people paid"), nil, nil},
		{"what is good", edit("metrics/revenue.yaml", "type: mean", "type: mean\ndirection: down"), []string{
			"stats/offer: metric revenue changed", "publish/offer: follows stats/offer",
		}, []string{"stats/offer written", "publish/offer published"}},
		{"an owner", edit("experiments/offer.yaml", "control: control", "control: control\nowner: Ann\nhypothesis: it pays"), nil, nil},
		{"an activation", edit("experiments/offer.yaml", "control: control", "control: control\nactivation: {table: raw/payment}"), []string{
			"exposure/offer: experiment offer changed", "facts/offer: follows exposure/offer",
			"stats/offer: experiment offer changed", "publish/offer: follows stats/offer",
		}, []string{"exposure/offer written", "facts/offer recommitted", "stats/offer written", "publish/offer published"}},
		{"the same activation in other words", edit("experiments/offer.yaml", "raw/payment}", "raw/payment, filter: []}"), nil, nil},
		{"an alpha", edit("experiments/wide.yaml", "control: control", "control: control\nalpha: 0.1"), []string{
			"stats/wide: experiment wide changed", "publish/wide: follows stats/wide",
		}, []string{"stats/wide written", "publish/wide published"}},
		{"a metric less", edit("experiments/wide.yaml", "[payments, biggest]", "[biggest]"), []string{
			"facts/wide: metric payments is gone", "stats/wide: experiment wide changed", "publish/wide: follows stats/wide",
		}, []string{"facts/wide written", "stats/wide written", "publish/wide published"}},
		{"a former logic", func() { madeBefore(t, dir, "late") }, []string{
			fmt.Sprintf("facts/late: logic %d, now %d", facts.Logic-1, facts.Logic), "stats/late: follows facts/late", "publish/late: follows stats/late",
		}, []string{"facts/late recommitted"}},
	} {
		c.change()
		equal(t, "status after another "+c.what, reasons(t, dir), c.stale)
		equal(t, "what was made again after another "+c.what, rebuilt(t, dir, night...), c.rebuilt)
		equal(t, "status after that", reasons(t, dir), nil)
	}

	// A restated day: what reads it, and what follows. What comes to the same is made again no further.
	payments := "data/payments/2026-11-03.csv"
	content, err := os.ReadFile(filepath.Join(dir, payments))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{payments: string(content) + "late1,2026-11-03T23:00:00Z,user-1,199.00,succeeded\n"})
	stale := reasons(t, dir)
	for _, want := range []string{"extract/payment 2026-11-03: changed: files/payments: payments/2026-11-03.csv", "identity_edge 2026-11-03: follows extract/payment 2026-11-03",
		"facts/offer: follows extract/payment 2026-11-03", "facts/wide: follows extract/payment 2026-11-03"} {
		found := false
		for _, s := range stale {
			found = found || s == want
		}
		if !found {
			t.Errorf("a restated day: status does not say %q:\n%s", want, strings.Join(stale, "\n"))
		}
	}
	for _, line := range rebuilt(t, dir, "backfill", "--from", "2026-11-01", "--to", "2026-11-04", "--stale") {
		if job, _, _ := strings.Cut(line, " "); job == "extract/exposure" {
			t.Errorf("a restated day of payments: %s", line)
		}
	}
	equal(t, "status after a restated day", reasons(t, dir), nil)
}

// madeBefore gives an experiment's facts the recipe that a program with the logic before would have given them.
func madeBefore(t *testing.T, dir, experiment string) {
	t.Helper()
	l := lake.New(object.NewFolder(filepath.Join(dir, "lake")), t.TempDir())
	for _, of := range []*table.Table{table.UnitMetric, table.ExperimentDay, table.Exclusion} {
		heads, err := l.Heads(t.Context(), of, experiment)
		if err != nil {
			t.Fatal(err)
		}
		h := heads[len(heads)-1]
		r, err := l.Read(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		draft := l.Draft(h.Partition, 1<<20)
		defer draft.Close()
		for row, err := range r.Each(t.Context(), of) {
			if err == nil {
				err = draft.Add(row)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		recipe := h.Recipe
		recipe.Logic--
		if _, did, err := draft.Commit(t.Context(), recipe, h.Counts, h); err != nil || did != lake.Recommitted {
			t.Fatal(did, err)
		}
	}
}
