package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// pipeline is two sources, a job by day that reads what they fill, and a night, over a lake of its own. Days are small
// numbers.
type pipeline struct {
	t *testing.T
	*Runner
	said  map[string]string // by "source day": what a source says; what follows a ~ changes the file and not the rows
	down  map[string]bool   // by "source day"
	edges *jobs.Job
}

func newPipeline(t *testing.T) *pipeline {
	p := &pipeline{t: t, said: map[string]string{}, down: map[string]bool{}}
	p.Runner = &Runner{Lake: lake.New(object.NewFolder(t.TempDir()), t.TempDir()), Zone: time.UTC, Memory: 8 << 20, Workers: 2, Now: time.Now}
	that := func(day table.Day) (from, to table.Day) { return day, day }
	p.edges = &jobs.Job{
		Name: "edges", Writes: []*table.Table{table.IdentityEdge}, Logic: 1,
		Reads: []jobs.Read{{Table: table.Viewing, Span: that}, {Table: table.ProductLogin, Span: that}},
	}
	p.edges.Make = func(_ context.Context, w *jobs.Work) error {
		row := &table.IdentityEdgeRow{Left: identifier.ID{1}, LeftType: "account", RightType: "email", Count: 1}
		for _, read := range p.edges.Reads {
			for _, h := range w.Heads(read.Table) {
				row.Source += h.Key() + " " + h.Content
			}
		}
		return w.Draft(table.IdentityEdge).Add(row)
	}
	night := &jobs.Job{Name: "night", Writes: []*table.Table{table.ProfileIdentifier}, Reads: []jobs.Read{{
		Table: table.IdentityEdge, Span: func(night table.Day) (from, to table.Day) { return -1 << 30, night },
	}}}
	night.Make = func(context.Context, *jobs.Work) error { return nil }
	p.Jobs = []*jobs.Job{
		p.source("viewing", table.Viewing, 3, func(w *jobs.Work, said string) any {
			return &table.ViewingRow{SourceID: said, ViewedAt: table.MicrosOf(w.Window.From), Seconds: 1}
		}),
		p.source("logins", table.ProductLogin, 5, func(w *jobs.Work, said string) any {
			return &table.ProductLoginRow{SourceID: said, EventAt: table.MicrosOf(w.Window.From), Account: identifier.ID{1}, Device: identifier.ID{2}, Kind: "login"}
		}),
		p.edges, night,
	}
	return p
}

func (p *pipeline) source(name string, of *table.Table, restatement int, row func(*jobs.Work, string) any) *jobs.Job {
	key := func(day table.Day) string { return fmt.Sprint(name, " ", int(day)) }
	return &jobs.Job{
		Name: name, Writes: []*table.Table{of}, Restatement: restatement,
		Files: func(_ context.Context, day table.Day) (map[string]string, error) {
			return map[string]string{"file": p.said[key(day)]}, nil
		},
		Make: func(_ context.Context, w *jobs.Work) error {
			if p.down[key(w.Day)] {
				return errors.New("down")
			}
			said, _, _ := strings.Cut("said "+p.said[key(w.Day)], "~")
			return w.Draft(of).Add(row(w, said))
		},
	}
}

// does plans a request, does what it wants, and holds what was made, and what was blocked, against what is expected.
func (p *pipeline) does(what string, q Request, want ...string) {
	p.t.Helper()
	plan, err := p.Plan(p.t.Context(), q)
	if err != nil {
		p.t.Fatal(err)
	}
	foreseen, err := p.Verdicts(p.t.Context(), plan)
	if err != nil {
		p.t.Fatal(err)
	}
	var did []string
	failed := make([]bool, len(plan.Tasks))
	for i, t := range plan.Tasks {
		v, err := p.verdict(p.t.Context(), plan.snapshot, t, q)
		if err != nil {
			p.t.Fatal(err)
		}
		name := fmt.Sprint(t.Job.Name, " ", int(t.Day))
		switch {
		case q.blocks(v), slices.ContainsFunc(plan.needs[i], func(k int) bool { return failed[k] }):
			failed[i] = true
			did = append(did, name+" blocked")
		case q.Wants(v):
			if !q.Wants(foreseen[i]) {
				p.t.Errorf("%s: a dry run says that %s is %s", what, name, foreseen[i].State)
			}
			var res Result
			a := &attempt{Task: t, res: &res}
			if p.make(p.t.Context(), plan, []*attempt{a}); a.err != nil {
				failed[i] = true
				did = append(did, name+" failed")
			} else if res.Outcome == Written {
				did = append(did, name)
			} else {
				did = append(did, name+" "+string(res.Outcome))
			}
		}
	}
	if !slices.Equal(did, want) {
		p.t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(did, ", "), strings.Join(want, ", "))
	}
}

// status is what `status` says.
func (p *pipeline) status() []Verdict {
	p.t.Helper()
	plan, _, err := p.Status(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	verdicts, err := p.Verdicts(p.t.Context(), plan)
	if err != nil {
		p.t.Fatal(err)
	}
	return verdicts
}

// stands holds what `status` says of edges against what is expected, by day and state.
func (p *pipeline) stands(what string, want ...string) {
	p.t.Helper()
	var got []string
	for _, v := range p.status() {
		if v.Task.Job == p.edges {
			got = append(got, fmt.Sprint(int(v.Task.Day), " ", v.State))
		}
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("%s:\n got %s\nwant %s", what, strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

func days(from, to table.Day) Request { return Request{From: from, To: to} }

func only(q Request, names ...string) Request {
	q.Jobs = names
	return q
}

func nightly(day table.Day) Request { return Request{From: day, To: day, Heal: true} }

// TestDaysFollow: a day is made once all that it reads is there, made again when something of it has changed, also days
// before, and left alone when it is the same after all.
func TestDaysFollow(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.does("a backfill", days(1, 2), "viewing 1", "viewing 2", "logins 1", "logins 2", "edges 1", "edges 2", "night 2")
	p.does("the same again", days(1, 2))
	p.does("a night", nightly(3), "viewing 3", "logins 3", "edges 3", "night 3")

	p.said["logins 2"] = "more"
	p.stands("a restated day", "1 current", "2 stale", "3 current")
	p.does("the night after", nightly(4), "viewing 4", "logins 2", "logins 4", "edges 2", "edges 4", "night 4")
	p.said["logins 3"] = "~in another order"
	p.does("a day that was restated to the same", nightly(4), "logins 3 recommitted")

	p.said["logins 3"] = "more"
	p.does("the source alone", only(days(3, 3), "logins"), "logins 3")
	p.does("what is left to do", nightly(5), "viewing 5", "logins 5", "edges 3", "edges 5", "night 5")

	p.said["viewing 4"] = "more"
	p.does("only what is stale", Request{From: 4, To: 6, Stale: true}, "viewing 4", "edges 4")
}

// TestDaysAreNeverHalf: a day of which a source is missing is not made from the others; the night after makes up for it.
func TestDaysAreNeverHalf(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.does("a backfill", days(1, 2), "viewing 1", "viewing 2", "logins 1", "logins 2", "edges 1", "edges 2", "night 2")
	p.down["logins 3"] = true
	p.does("a source is down", nightly(3), "viewing 3", "logins 3 failed", "edges 3 blocked", "night 3 blocked")
	p.stands("after that", "1 current", "2 current", "3 missing")
	p.does("the job alone", only(nightly(3), "edges"), "edges 3 blocked")
	p.does("a night without that source", only(nightly(4), "viewing", "edges"), "viewing 4", "edges 3 blocked", "edges 4 blocked")
	p.does("days of which nothing is there", only(days(8, 8), "edges"), "edges 8 blocked")
	delete(p.down, "logins 3")
	p.does("the source is back", nightly(4), "logins 3", "logins 4", "edges 3", "edges 4", "night 4")
}

// TestSourceAddedLater: its first day is where it begins; days before are not waited for, and follow when they are read.
func TestSourceAddedLater(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	all := p.Jobs
	p.Jobs = slices.Concat(all[:1], all[2:]) // without logins
	p.does("without it", days(1, 9), "viewing 1", "viewing 2", "viewing 3", "viewing 4", "viewing 5", "viewing 6", "viewing 7", "viewing 8", "viewing 9",
		"edges 1", "edges 2", "edges 3", "edges 4", "edges 5", "edges 6", "edges 7", "edges 8", "edges 9", "night 9")
	p.Jobs = all
	p.does("its first night", nightly(10), "viewing 10", "logins 10", "edges 10", "night 10")
	p.stands("after that", "1 sealed", "2 sealed", "3 sealed", "4 sealed", "5 current", "6 current", "7 current", "8 current", "9 current", "10 current")
	p.does("its history", days(2, 3), "logins 2", "logins 3", "edges 2", "edges 3", "night 10 recommitted")
	p.does("the days between were never read", nightly(11), "viewing 11", "logins 4", "logins 5", "logins 6", "logins 7", "logins 8", "logins 9", "logins 11",
		"edges 4", "edges 5", "edges 6", "edges 7", "edges 8", "edges 9", "edges 11", "night 11")
	p.Jobs = slices.Concat(all[:1], all[2:])
	p.does("taken out again", nightly(11))
}

// TestDaysAreSealed with the last of the sources that they are made of; what is unsealed below them reaches them.
func TestDaysAreSealed(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.does("a backfill", only(days(1, 7), "viewing", "logins"), "viewing 1", "viewing 2", "viewing 3", "viewing 4", "viewing 5", "viewing 6", "viewing 7",
		"logins 1", "logins 2", "logins 3", "logins 4", "logins 5", "logins 6", "logins 7")
	p.does("a lake that lacks all of their days", nightly(7), "edges 1", "edges 2", "edges 3", "edges 4", "edges 5", "edges 6", "edges 7", "night 7")
	p.edges.Logic++ // the night is 7: viewing is sealed up to day 3, logins up to day 1
	p.stands("a new logic", "1 sealed", "2 stale", "3 stale", "4 stale", "5 stale", "6 stale", "7 stale")
	p.does("the night again", nightly(7), "edges 2 recommitted", "edges 3 recommitted", "edges 4 recommitted", "edges 5 recommitted",
		"edges 6 recommitted", "edges 7 recommitted")
	p.does("unsealed", Request{From: 1, To: 1, Unseal: true}, "edges 1 recommitted")

	p.said["viewing 1"] = "more"
	p.does("a sealed source", nightly(7))
	p.does("a source is unsealed, and nothing else", Request{From: 1, To: 1, Unseal: true, Jobs: []string{"viewing"}}, "viewing 1")
	p.stands("after that", "1 stale", "2 current", "3 current", "4 current", "5 current", "6 current", "7 current")
	p.does("the next night", nightly(8), "viewing 8", "logins 8", "edges 1", "edges 8", "night 8")
}
