package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"crosslift/jobs"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
	"crosslift/warehouse/postgres"
)

// ended is a pipeline with an experiment whose last night is day 3: units of what was viewed on its days 1 and 2, facts of
// logins until the night, statistics, and their publication.
type ended struct {
	*pipeline
	folder                        string // of the lake
	exposure, facts, stats, shown *jobs.Job
	published                     map[table.Day]string // by night: what the warehouse holds
	wrong                         error                // of facts
}

func newEnded(t *testing.T) *ended {
	e := &ended{pipeline: newPipeline(t), folder: t.TempDir(), published: map[table.Day]string{}}
	e.Lake = lake.New(object.NewFolder(e.folder), t.TempDir())
	last := table.Day(3)
	upto := func(most table.Day) func(table.Day) (from, to table.Day) {
		return func(night table.Day) (from, to table.Day) { return 1, min(night, most) }
	}
	job := func(name string, reads ...jobs.Read) *jobs.Job {
		return &jobs.Job{Name: name + "/x", Experiment: "x", Last: &last, Logic: 1, Reads: reads}
	}
	read := func(w *jobs.Work, j *jobs.Job) string { // in full, and by which definitions
		said := fmt.Sprint(j.Definitions)
		for _, read := range j.Reads {
			for _, h := range w.Heads(read.Table) {
				said += " " + h.Key() + " " + h.Content
			}
		}
		return said
	}
	e.exposure = job("exposure", jobs.Read{Table: table.Viewing, Span: upto(2)}, jobs.Read{Table: table.ProfileIdentifier})
	e.exposure.Writes = []*table.Table{table.UnitExposure}
	e.exposure.Make = func(_ context.Context, w *jobs.Work) error {
		return w.Draft(table.UnitExposure).Add(&table.UnitExposureRow{
			Stitching: "s", Unit: identifier.ID{1}, UnitType: "profile", Variant: read(w, e.exposure), Exposures: 1})
	}
	e.facts = job("facts", jobs.Read{Table: table.UnitExposure}, jobs.Read{Table: table.ProductLogin, Span: upto(9)})
	e.facts.Writes = []*table.Table{table.UnitMetric}
	e.facts.Make = func(_ context.Context, w *jobs.Work) error {
		return errors.Join(e.wrong, w.Draft(table.UnitMetric).Add(&table.UnitMetricRow{Metric: read(w, e.facts), Stitching: "s", Unit: identifier.ID{1}}))
	}
	e.stats = job("stats", jobs.Read{Table: table.UnitExposure}, jobs.Read{Table: table.UnitMetric})
	e.stats.Writes = []*table.Table{table.ExperimentResult}
	e.stats.Make = func(_ context.Context, w *jobs.Work) error {
		return w.Draft(table.ExperimentResult).Add(&table.ExperimentResultRow{Metric: read(w, e.stats), Variant: "v", Unit: "u", Estimand: "e",
			Method: "m", Adjustment: "a", Stitching: "s", Baseline: "b", ValueUnit: "u", DefinitionHash: "d"})
	}
	e.shown = job("publish", jobs.Read{Table: table.ExperimentResult})
	e.shown.Published = func(_ context.Context, h *lake.Head) (bool, error) { return e.published[h.Day] == h.Recipe.Hash(), nil }
	e.shown.Publish = func(_ context.Context, _ *lake.Lake, h *lake.Head, _ *postgres.Claim) (int64, error) {
		e.published[h.Day] = h.Recipe.Hash()
		return h.Rows, nil
	}
	define("1", e.exposure, e.facts, e.stats)
	e.Jobs = append(e.Jobs, e.exposure, e.facts, e.stats, e.shown)
	return e
}

// define gives jobs another definition of a metric.
func define(as string, of ...*jobs.Job) {
	for _, j := range of {
		j.Definitions = map[string]string{"metric m": as}
	}
}

// say holds what `status` says of the experiment against what is expected: what is neither current nor idle, and why.
func (e *ended) say(what string, want ...string) {
	e.t.Helper()
	var got []string
	for _, v := range e.status() {
		if v.Task.Job.Experiment != "" && v.State != Current && v.State != Idle {
			got = append(got, fmt.Sprintf("%s %d %s: %s", v.Task.Job.Name, v.Task.Day, v.State, v.Reason))
		}
	}
	if !slices.Equal(got, want) {
		e.t.Errorf("%s: status says\n     %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// nights runs nights one by one; what they do is not looked at.
func (e *ended) nights(from, to table.Day) {
	e.t.Helper()
	for day := from; day <= to; day++ {
		plan, err := e.Plan(e.t.Context(), nightly(day))
		if err != nil {
			e.t.Fatal(err)
		}
		for _, task := range plan.Tasks {
			v, err := e.verdict(e.t.Context(), plan.snapshot, task, plan.Request)
			if err != nil {
				e.t.Fatal(err)
			}
			if plan.Request.Wants(v) {
				a := &attempt{Task: task, res: &Result{}}
				if e.make(e.t.Context(), plan, []*attempt{a}); a.err != nil {
					e.t.Fatal(a.err)
				}
			}
		}
	}
}

func stale(day table.Day) Request { return Request{From: day, To: day, Stale: true, Heal: true} }

// TestEndedIsIdle: nights after the last one have nothing to do, and say so.
func TestEndedIsIdle(t *testing.T) {
	t.Parallel()
	e := newEnded(t)
	e.nights(1, 2)
	e.does("its last night", nightly(3), "viewing 3", "logins 3", "edges 3", "night 3", "exposure/x 3", "facts/x 3", "stats/x 3", "publish/x 3 published")
	e.does("the night after", nightly(4), "viewing 4", "logins 4", "edges 4", "night 4")
	e.does("the night after that, which is late", nightly(6), "viewing 5", "viewing 6", "logins 5", "logins 6", "edges 5", "edges 6", "night 6")
	plan, err := e.Plan(t.Context(), nightly(6))
	if err != nil {
		t.Fatal(err)
	}
	verdicts, err := e.Verdicts(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, v := range verdicts {
		if v.Task.Job.Experiment == "x" {
			n++
			if v.Task.Day != 3 || v.State != Idle || v.Reason != "its last night was 1970-01-04" {
				t.Errorf("%s is %s: %s", v.Task, v.State, v.Reason)
			}
		}
	}
	if n != 4 {
		t.Errorf("%d jobs of the experiment", n)
	}
	e.does("by force, a later day", only(Request{From: 6, To: 6, Force: true}, "facts/x"))
	e.does("by force, its own", only(Request{From: 3, To: 3, Force: true}, "facts/x"), "facts/x 3 unchanged")
}

// TestEndedIsStale: its last night is held against what it would be made from now, and made again of what that night had.
func TestEndedIsStale(t *testing.T) {
	t.Parallel()
	e := newEnded(t)
	e.nights(1, 5)
	e.say("nothing has changed")
	now := stale(5)

	define("2", e.facts, e.stats)
	e.say("a metric", "facts/x 3 stale: metric m changed", "stats/x 3 stale: metric m changed", "publish/x 3 stale: follows stats/x 1970-01-04")
	e.does("a metric", now, "facts/x 3", "stats/x 3", "publish/x 3 published")
	e.does("once more", now)
	e.say("after that")

	e.facts.Logic++
	e.say("a logic", "facts/x 3 stale: logic 1, now 2", "stats/x 3 stale: follows facts/x 1970-01-04", "publish/x 3 stale: follows stats/x 1970-01-04")
	e.does("another job", only(now, "exposure/x"))
	e.does("a logic, by the nightly run", nightly(5), "facts/x 3 recommitted")
	e.does("once more", nightly(5))

	e.said["viewing 2"] = "more"
	e.say("a restated day", "exposure/x 3 stale: follows viewing 1970-01-03", "facts/x 3 stale: follows exposure/x 1970-01-04",
		"stats/x 3 stale: follows exposure/x 1970-01-04", "publish/x 3 stale: follows stats/x 1970-01-04")
	e.does("a restated day", now, "viewing 2", "edges 2", "night 5 recommitted", "exposure/x 3", "facts/x 3", "stats/x 3", "publish/x 3 published")
	e.said["logins 3"] = "more"
	e.does("its source alone", only(days(3, 3), "logins"), "logins 3")
	e.say("after that", "facts/x 3 stale: changed: raw/product_login/dt=1970-01-04", "stats/x 3 stale: follows facts/x 1970-01-04",
		"publish/x 3 stale: follows stats/x 1970-01-04")
	e.does("what is left, as asked for its own night", stale(3), "edges 3", "night 5 recommitted", "facts/x 3", "stats/x 3", "publish/x 3 published")
	e.said["logins 4"], e.said["viewing 3"] = "more", "more"
	e.does("days that it does not read", now, "viewing 3", "logins 4", "edges 3", "edges 4", "night 5 recommitted")
	e.said["viewing 1"] = "more"
	e.does("a day that is sealed", now)
	e.does("unsealed", Request{From: 1, To: 1, Unseal: true}, "viewing 1", "edges 1", "night 5 recommitted", "exposure/x 3", "facts/x 3", "stats/x 3", "publish/x 3 published")
	e.say("after all")

	clear(e.published)
	e.say("another warehouse", "publish/x 3 missing: revision 5 is not in the warehouse")
	e.does("another warehouse", now, "publish/x 3 published")
	h, err := e.Lake.Head(t.Context(), lake.Partition{Table: table.UnitExposure, Experiment: "x", Day: 3})
	if err != nil {
		t.Fatal(err)
	}
	for key := range h.Recipe.Inputs {
		if p, _ := lake.ParseKey(key); p.Table.Layer == "core" && p.Day != 3 || p.Day > 3 {
			t.Errorf("its last night has read %s", key)
		}
	}
}

// TestEndedMakesUp: a last night that came to nothing is made up for by a later one, which is its last then; one that came
// off in part is completed.
func TestEndedMakesUp(t *testing.T) {
	t.Parallel()
	e := newEnded(t)
	e.wrong = errors.New("no rate")
	e.does("facts fail", Request{From: 1, To: 3}, "viewing 1", "viewing 2", "viewing 3", "logins 1", "logins 2", "logins 3", "edges 1", "edges 2", "edges 3",
		"night 3", "exposure/x 3", "facts/x 3 failed", "stats/x 3 blocked", "publish/x 3 blocked")
	e.wrong = nil
	e.does("the night after", nightly(4), "viewing 4", "logins 4", "edges 4", "night 4", "facts/x 3", "stats/x 3", "publish/x 3 published")

	late := newEnded(t)
	late.does("installed later", Request{From: 1, To: 4}, "viewing 1", "viewing 2", "viewing 3", "viewing 4", "logins 1", "logins 2", "logins 3", "logins 4",
		"edges 1", "edges 2", "edges 3", "edges 4", "night 4", "exposure/x 4", "facts/x 4", "stats/x 4", "publish/x 4 published")
	late.nights(5, 6)
	define("2", late.stats)
	late.say("a metric", "stats/x 4 stale: metric m changed", "publish/x 4 stale: follows stats/x 1970-01-05")
	late.does("a metric", nightly(6), "stats/x 4", "publish/x 4 published")

	end := table.Day(9) // a window that is longer than before
	for _, j := range late.Jobs {
		if j.Last != nil {
			j.Last = &end
		}
	}
	late.does("its last night is yet to come", nightly(6), "exposure/x 6", "facts/x 6", "stats/x 6", "publish/x 6 published")
}

// TestEndedAllNights makes each night until the last one, once.
func TestEndedAllNights(t *testing.T) {
	t.Parallel()
	e := newEnded(t)
	all := Request{From: 2, To: 5, AllNights: true, Jobs: []string{"night", "exposure/x"}}
	e.does("the sources", only(days(1, 5), "viewing", "logins", "edges"), "viewing 1", "viewing 2", "viewing 3", "viewing 4", "viewing 5",
		"logins 1", "logins 2", "logins 3", "logins 4", "logins 5", "edges 1", "edges 2", "edges 3", "edges 4", "edges 5")
	e.does("all nights", all, "night 2", "exposure/x 2", "night 3", "exposure/x 3", "night 4", "night 5")
	e.exposure.Logic++
	e.does("and again", all, "exposure/x 3 recommitted")
	e.does("later nights", Request{From: 7, To: 8, AllNights: true, Jobs: []string{"night", "exposure/x"}}, "night 7", "night 8")
}
