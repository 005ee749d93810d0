package catalog

import (
	"context"
	"testing"
	"time"

	"crosslift/jobs"
	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/transform/identity/timeline"
	"crosslift/transform/identity/who/whotest"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// TestAgain makes nights one by one as the job does, each from what the one before has left, and the last one again from
// scratch. Every table is equal; a row that is changed afterwards is found, with its column; and a night whose inputs have
// changed is not compared.
func TestAgain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	l := lake.New(object.NewFolder(t.TempDir()), t.TempDir())
	edges, days := whotest.StoryEdges(), []table.Day{whotest.First, whotest.First + 2, whotest.First + 6}
	for day, rows := range edges {
		put(t, l, table.IdentityEdge, day, lake.Recipe{}, rows)
	}
	s := stitcher{Identity: Identity{Rules: graph.DefaultRules(), Timeline: timeline.Default()}, zone: time.UTC, memory: 1 << 24}
	for i, day := range days {
		before := table.Day(0)
		if i > 0 {
			before = days[i-1]
		}
		makeNight(ctx, t, l, s.job(), day, before)
	}
	again := Again{Lake: l, Identity: s.Identity, Zone: time.UTC, Memory: 1 << 24, Workers: 2, Scratch: t.TempDir()}
	last := days[len(days)-1]
	compared, err := again.Run(ctx, last)
	if err != nil {
		t.Fatal(err)
	}
	if len(compared) != len(night.Tables())+1 {
		t.Fatalf("%d tables are compared", len(compared))
	}
	for _, c := range compared {
		if !c.Equal() || c.Row != 0 {
			t.Errorf("%s differs: %+v", c.Table, c)
		}
	}

	head, err := l.Head(ctx, lake.Partition{Table: table.Profile, Day: last})
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Read(ctx, head)
	if err != nil {
		t.Fatal(err)
	}
	var rows []*table.ProfileRow
	for row, err := range r.Each(ctx, table.Profile) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row.(*table.ProfileRow))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	rows[3].Refused += 5
	put(t, l, table.Profile, last, head.Recipe, rows)
	if compared, err = again.Run(ctx, last); err != nil {
		t.Fatal(err)
	}
	for _, c := range compared {
		if differs := c.Table == table.Profile; c.Equal() == differs || differs && (c.Row != 4 || c.Column != "refused") {
			t.Errorf("after one row of core/profile was changed: %s: row %d, column %q", c.Table, c.Row, c.Column)
		}
	}

	put(t, l, table.IdentityEdge, whotest.First, lake.Recipe{}, edges[whotest.First][:1])
	if _, err := again.Run(ctx, last); err == nil {
		t.Error("a night whose observations were restated was compared")
	}
}

// put writes a partition.
func put[Row any](t *testing.T, l *lake.Lake, of *table.Table, day table.Day, recipe lake.Recipe, rows []*Row) {
	t.Helper()
	p := lake.Partition{Table: of, Day: day}
	d := l.Draft(p, 1<<20)
	defer d.Close()
	for _, row := range rows {
		if err := d.Add(row); err != nil {
			t.Fatal(err)
		}
	}
	was, err := l.Head(t.Context(), p)
	if err != nil {
		was = nil
	}
	if _, _, err := d.Commit(t.Context(), recipe, lake.Counts{}, was); err != nil {
		t.Fatal(err)
	}
}

// makeNight does what a run does with the job.
func makeNight(ctx context.Context, t *testing.T, l *lake.Lake, j *jobs.Job, day, before table.Day) {
	t.Helper()
	recipe := lake.Recipe{
		Job: j.Name, Logic: j.Logic, Tables: lake.Tables(j.Writes...), Definitions: j.Definitions, Window: day.Window(time.UTC).String(), Zone: "UTC",
		Inputs: map[string]string{}, Previous: map[string]string{},
	}
	inputs := map[string][]*lake.Head{}
	for _, read := range j.Reads {
		heads, err := l.Heads(ctx, read.Table, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range heads {
			switch {
			case read.Previous && h.Day == before:
				recipe.Previous[h.Key()] = h.Content
			case !read.Previous && h.Day <= day:
				recipe.Inputs[h.Key()] = h.Content
			default:
				continue
			}
			inputs[read.Table.Path()] = append(inputs[read.Table.Path()], h)
		}
	}
	w := jobs.NewWork(l, j, day, inputs, 1<<24)
	defer w.Close()
	w.Window, w.Workers = day.Window(time.UTC), 2
	if err := j.Make(ctx, w); err != nil {
		t.Fatal(err)
	}
	for _, of := range j.Writes {
		if _, _, err := w.Draft(of).Commit(ctx, recipe, w.Counts, nil); err != nil {
			t.Fatal(err)
		}
	}
}
