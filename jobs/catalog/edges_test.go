package catalog

import (
	"slices"
	"testing"
	"time"

	"crosslift/connectors"
	"crosslift/jobs"
	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
	"crosslift/transform/identity/observe"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// exposures is a stream of the experiment's own feed.
type exposures struct{ stream }

func (exposures) Table() *table.Table { return table.Exposure }

// TestEdgesAreRead where a source shows any: then from all tables that may, whatever fills them.
func TestEdgesAreRead(t *testing.T) {
	t.Parallel()
	find := func(streams ...connectors.Stream) *jobs.Job {
		all, err := Jobs(Project{Zone: time.UTC, Streams: streams, Key: testKey(t)})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range all {
			if j.Name == "identity_edge" {
				return j
			}
		}
		return nil
	}
	if j := find(); j != nil {
		t.Error("a project without sources has a job for them")
	}
	j := find(exposures{stream{name: "files/exposures"}})
	if j == nil || !j.Derived() || j.Night() {
		t.Fatalf("the job is %+v", j)
	}
	for _, of := range observe.Tables() {
		if !slices.ContainsFunc(j.Reads, func(r jobs.Read) bool { return r.Table == of }) {
			t.Errorf("%s is not read", of)
		}
	}
}

// TestEdgesOfADay are made from the day's partitions, of several tables or of one.
func TestEdgesOfADay(t *testing.T) {
	t.Parallel()
	const day = table.Day(20000)
	l := lake.New(object.NewFolder(t.TempDir()), t.TempDir())
	at := table.MicrosOf(day.Window(time.UTC).From)
	ann, tv := identifier.ID{1}, identifier.ID{2}
	inputs := map[string][]*lake.Head{}
	land := func(of *table.Table, row any) {
		d := l.Draft(lake.Partition{Table: of, Day: day}, 1<<20)
		defer d.Close()
		if err := d.Add(row); err != nil {
			t.Fatal(err)
		}
		h, _, err := d.Commit(t.Context(), lake.Recipe{}, lake.Counts{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		inputs[of.Path()] = []*lake.Head{h}
	}
	land(table.Viewing, &table.ViewingRow{SourceID: "1", ViewedAt: at, Account: ann, Device: tv, Seconds: 60})
	land(table.ProductDevice, &table.ProductDeviceRow{SourceID: "2", ChangedAt: at + 1, Device: tv, Type: "tv"})

	j, _ := edges(nil)
	w := jobs.NewWork(l, j, day, inputs, 4<<20)
	defer w.Close()
	if err := j.Make(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	h, _, err := w.Draft(table.IdentityEdge).Commit(t.Context(), lake.Recipe{}, w.Counts, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Read(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rows []table.IdentityEdgeRow
	for row, err := range r.Each(t.Context(), table.IdentityEdge) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, *row.(*table.IdentityEdgeRow))
	}
	want := []table.IdentityEdgeRow{
		{Left: ann, LeftType: "account", Right: tv, RightType: "device", Rule: 4, Source: "viewing", FirstAt: at, LastAt: at, Count: 1},
		{Left: tv, LeftType: "tv", RightType: "device", Rule: 6, Source: "product_device", FirstAt: at + 1, LastAt: at + 1, Count: 1},
	}
	if !slices.Equal(rows, want) || w.Counts.Read != 2 {
		t.Errorf("%d rows read, edges\n%+v\nexpected\n%+v", w.Counts.Read, rows, want)
	}
}
