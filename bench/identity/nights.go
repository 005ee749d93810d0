package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"time"

	"crosslift/schemas/table"
	"crosslift/transform/identity/graph"
	"crosslift/transform/identity/night"
	"crosslift/warehouse/columns"
	"crosslift/warehouse/lake"
	"crosslift/warehouse/lake/object"
)

// Nights is what lake-nights says: of a first night, of the next one with 0.25 % new edges, and of that one made from nothing.
type Nights struct{ First, Next, Whole Night }

// Night is a night's work by part, in seconds of wall time, with the bytes of the state that it wrote.
type Night struct {
	Made    float64 `json:"made"`    // reading edges and links, deciding; the rows themselves
	Sorted  float64 `json:"sorted"`  // rows encoded, sorted and spilled
	Written float64 `json:"written"` // merged, hashed, compressed, committed
	Bytes   int64   `json:"bytes"`
	Rows    int64   `json:"rows"`
	Links   int64   `json:"links"`
	Redone  int64   `json:"redone"`
}

// lakeNights makes two nights in a lake in a folder, from a graph of so many edges: end to end, but for the device timeline.
func lakeNights(ctx context.Context, args []string) error {
	edges, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp(args[0], "nights-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	n := &nightLake{lake: lake.New(object.NewFolder(temp), temp)}
	if err := n.observe(ctx, newGraphWorld(edges)); err != nil {
		return err
	}
	var said Nights
	if said.First, err = n.make(ctx, lastDay-1, nil); err != nil {
		return err
	}
	before, err := n.before(ctx, lastDay-1)
	if err != nil {
		return err
	}
	if said.Next, err = n.make(ctx, lastDay, before); err != nil {
		return err
	}
	next := n.contents
	before.Links = nil
	if said.Whole, err = n.make(ctx, lastDay, before); err != nil {
		return err
	}
	for t, content := range n.contents {
		if next[t] != content {
			return fmt.Errorf("%s is another from the night before than from nothing", t)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(said)
}

// lastDay is that of the new edges. All others are of the first, which is sealed by then, as most of what is known is.
const lastDay = table.Day(night.Open + 10)

// nightLake is a lake with two days of edges.
type nightLake struct {
	lake     *lake.Lake
	contents map[string]string // by table, of the last night made
}

// observe writes a graph's edges as core/identity_edge: one of 400 on the last day.
func (n *nightLake) observe(ctx context.Context, w *graphWorld) error {
	const day = 86400e6
	types := graph.DefaultRules().Types
	r := rand.New(rand.NewPCG(25, 1))
	drafts := map[table.Day]*lake.Draft{}
	for _, d := range []table.Day{1, lastDay} {
		drafts[d] = n.lake.Draft(lake.Partition{Table: table.IdentityEdge, Day: d}, 256<<20)
		defer drafts[d].Close()
	}
	type pair struct{ a, b uint32 }
	seen := map[pair]bool{}
	for i, a := range w.a {
		b := w.b[i]
		if name := types[w.types[b]].Name; name == table.TypeAccount || name == table.TypeCRM && types[w.types[a]].Name != table.TypeAccount {
			a, b = b, a
		}
		if seen[pair{a, b}] {
			continue
		}
		seen[pair{a, b}] = true
		d := table.Day(1)
		if r.IntN(400) == 0 {
			d = lastDay
		}
		at := table.Micros(int64(d)*day + w.first[i]%day)
		if err := drafts[d].Add(&table.IdentityEdgeRow{
			Left: key(a), LeftType: types[w.types[a]].Name, Right: key(b), RightType: types[w.types[b]].Name,
			Rule: int64(w.class[i]), Source: "bench", FirstAt: at, LastAt: at, Count: 1,
		}); err != nil {
			return err
		}
	}
	for _, d := range drafts {
		if _, _, err := d.Commit(ctx, lake.Recipe{}, lake.Counts{}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (n *nightLake) file(ctx context.Context, t *table.Table, day table.Day) (*lake.Reading, error) {
	heads, err := n.lake.Heads(ctx, t, "")
	if err != nil {
		return nil, err
	}
	for _, h := range heads {
		if h.Day == day {
			return n.lake.Read(ctx, h)
		}
	}
	return nil, fmt.Errorf("%s of %s is not there", t, day)
}

// before is a night as the next one takes it.
func (n *nightLake) before(ctx context.Context, day table.Day) (*night.Previous, error) {
	p := &night.Previous{Night: day}
	for t, to := range map[*table.Table]**columns.File{
		table.IdentityLink: &p.Links, table.ProfileIdentifier: &p.Identifiers, table.Profile: &p.Profiles, table.Person: &p.Persons,
		table.Household: &p.Households, table.IdentityRefused: &p.Refused, table.IdentityQuality: &p.Quality,
	} {
		r, err := n.file(ctx, t, day)
		if err != nil {
			return nil, err
		}
		*to = r.File
	}
	return p, nil
}

// make makes a night and commits it.
func (n *nightLake) make(ctx context.Context, day table.Day, before *night.Previous) (of Night, err error) {
	runtime.GC()
	in := night.Input{Night: day, Rules: graph.DefaultRules(), Previous: before}
	since := table.Day(1)
	if before != nil && before.Links != nil {
		since = night.Unsealed(before.Night)
	}
	for _, d := range []table.Day{1, lastDay} {
		if d < since || d > day {
			continue
		}
		r, err := n.file(ctx, table.IdentityEdge, d)
		if err != nil {
			return of, err
		}
		defer r.Close()
		in.Edges = append(in.Edges, night.Day{Day: d, File: r.File})
	}
	drafts := map[*table.Table]*lake.Draft{}
	for _, t := range night.Tables() {
		drafts[t] = n.lake.Draft(lake.Partition{Table: t, Day: day}, 128<<20)
		defer drafts[t].Close()
	}
	began, sorting := time.Now(), time.Duration(0)
	emit := func(t *table.Table, row any) error {
		from := time.Now()
		err := drafts[t].Add(row)
		sorting += time.Since(from)
		of.Rows++
		return err
	}
	known, s, err := night.Build(ctx, in, runtime.GOMAXPROCS(0), emit)
	if err != nil {
		return of, err
	}
	if err := night.Quality(ctx, in, known.Numbers, emit); err != nil {
		return of, err
	}
	of.Sorted = sorting.Seconds()
	of.Made = time.Since(began).Seconds() - of.Sorted
	of.Links, of.Redone = s.Links, s.Redone
	began = time.Now()
	n.contents = map[string]string{}
	for t, d := range drafts {
		var was *lake.Head
		if heads, err := n.lake.Heads(ctx, t, ""); err != nil {
			return of, err
		} else if len(heads) > 0 && heads[len(heads)-1].Day == day {
			was = heads[len(heads)-1]
		}
		h, _, err := d.Commit(ctx, lake.Recipe{Job: fmt.Sprint(before != nil && before.Links == nil)}, lake.Counts{}, was)
		if err != nil {
			return of, err
		}
		of.Bytes += h.Size
		n.contents[t.Path()] = h.Content
	}
	of.Written = time.Since(began).Seconds()
	return of, nil
}
