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

// edit changes something in a project's file when it is called.
func edit(t *testing.T, dir, file, old, changed string) func() {
	return func() {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(content), old) {
			t.Fatalf("%s: %v in\n%s", file, err, content)
		}
		write(t, dir, map[string]string{file: strings.Replace(string(content), old, changed, 1)})
	}
}

// TestStaleNames: status names what a change makes stale, and why; --stale makes that again, and nothing else.
func TestStaleNames(t *testing.T) {
	t.Parallel()
	dir := three(t)
	must(t, dir, fourDays...)
	edit := func(file, old, changed string) func() { return edit(t, dir, file, old, changed) }
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

// TestEnded gives an experiment its results whose last night had passed before the pipeline was installed, once; and again when
// something of it is changed, as of that night.
func TestEnded(t *testing.T) {
	t.Parallel()
	files := worldFiles(1)
	files["experiments/offer.yaml"] = strings.Replace(files["experiments/offer.yaml"], "start: 2026-11-01", "start: 2026-11-01\nend: 2026-11-01", 1)
	dir := project(t, "data", worldStreams, files)
	must(t, dir, fourDays...)
	for _, r := range decode[[]result](t, must(t, dir, "results", "-o", "json")) {
		if r.AsOf != "2026-11-04" || r.Matured != r.N {
			t.Errorf("%s: as of %s, %d of %d matured", r.Metric, r.AsOf, r.Matured, r.N)
		}
	}
	for _, day := range []string{"exposures", "payments"} {
		write(t, dir, map[string]string{"data/" + day + "/2026-11-05.csv": strings.SplitAfter(files["data/"+day+"/2026-11-04.csv"], "\n")[0]})
	}
	if a := must(t, dir, "run", "--day", "2026-11-05"); !strings.Contains(a.stdout, "idle: its last night was 2026-11-03") {
		t.Errorf("the run printed\n%s", a.stdout)
	}
	equal(t, "status after its last night", notCurrent(t, dir), nil)

	night := []string{"run", "--day", "2026-11-05", "--stale"}
	payments := "data/payments/2026-11-01.csv"
	for _, c := range []struct {
		what    string
		change  func()
		run     []string
		stale   []string
		rebuilt []string
	}{
		{"a metric's window", edit(t, dir, "metrics/revenue.yaml", "window: 2d", "window: 1d"), night, []string{
			"facts/offer: metric revenue changed", "stats/offer: metric revenue changed", "publish/offer: follows stats/offer",
		}, []string{"facts/offer written", "stats/offer written", "publish/offer published"}},
		{"a former logic", func() { madeBefore(t, dir, "offer") }, night, []string{
			fmt.Sprintf("facts/offer: logic %d, now %d", facts.Logic-1, facts.Logic), "stats/offer: follows facts/offer", "publish/offer: follows stats/offer",
		}, []string{"facts/offer recommitted"}},
		{"a restated day", func() { write(t, dir, map[string]string{payments: files[payments] + late("2026-11-01")}) }, night, []string{
			"extract/payment 2026-11-01: changed: files/payments: payments/2026-11-01.csv", "identity_edge 2026-11-01: follows extract/payment 2026-11-01",
			"identity 2026-11-05: follows identity_edge 2026-11-01", "facts/offer: follows extract/payment 2026-11-01",
			"stats/offer: follows facts/offer", "publish/offer: follows stats/offer",
		}, []string{"extract/payment written", "identity_edge written", "identity written", "facts/offer written", "stats/offer written", "publish/offer published"}},
		{"an alpha, by the nightly run", edit(t, dir, "experiments/offer.yaml", "control: control", "control: control\nalpha: 0.1"), night[:3], []string{
			"stats/offer: experiment offer changed", "publish/offer: follows stats/offer",
		}, []string{"stats/offer written", "publish/offer published"}},
	} {
		c.change()
		equal(t, "status after "+c.what, reasons(t, dir), c.stale)
		equal(t, "what was made again after "+c.what, rebuilt(t, dir, c.run...), c.rebuilt)
		equal(t, "what was made once more after "+c.what, rebuilt(t, dir, c.run...), nil)
	}
	equal(t, "status after all", notCurrent(t, dir), nil)
	for _, r := range decode[[]result](t, must(t, dir, "results", "-o", "json")) {
		if r.AsOf != "2026-11-04" || r.Revision != 4 || r.Matured != r.N {
			t.Errorf("%s: as of %s, revision %d, %d of %d matured", r.Metric, r.AsOf, r.Revision, r.Matured, r.N)
		}
	}
	if recipes := must(t, dir, "lake", "cat", "facts/unit_metric", "--recipe").stdout; strings.Contains(recipes, "dt=2026-11-05") {
		t.Errorf("its night was made from a later one:\n%s", recipes)
	}

	// Without that night's identity it is not made again by itself, and on request of a later one's.
	nights, err := filepath.Glob(filepath.Join(dir, "lake/core/*/dt=2026-11-04"))
	if err != nil || len(nights) == 0 {
		t.Fatal(nights, err)
	}
	for _, of := range nights {
		if !strings.Contains(of, "identity_edge") {
			if err := os.RemoveAll(of); err != nil {
				t.Fatal(err)
			}
		}
	}
	equal(t, "status without the night's identity", reasons(t, dir), nil)
	edit(t, dir, "metrics/revenue.yaml", "window: 1d", "window: 12h")()
	equal(t, "status after a metric's window, without it", reasons(t, dir), []string{
		"facts/offer: metric revenue changed, but core/device_timeline/dt=2026-11-04 is not there: `crosslift run --day --revise` makes it of what is there",
		"stats/offer: metric revenue changed, but facts/offer is sealed"})
	equal(t, "what was made again without the night's identity", rebuilt(t, dir, night...), nil)
	equal(t, "what was made again on request", rebuilt(t, dir, "run", "--day", "2026-11-04", "--revise"), []string{
		"exposure/offer recommitted", "facts/offer written", "stats/offer written", "publish/offer published"})
	equal(t, "status after that", reasons(t, dir), nil)
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
