// Package stitch is `crosslift identity stitch` and `identity evaluate`: who is one person, in files of anybody's, with no
// lake and no warehouse.
package stitch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"crosslift/jobs/sheet"
	"crosslift/transform/identity/graph"
)

// Options say what to stitch.
type Options struct {
	Edges   string      // a file with the columns left and right, and for profiles those of typed
	Out     string      // the map that is written, by its name CSV or Parquet
	Plain   bool        // connected components, whatever other columns there are
	Rules   graph.Rules // for profiles: the types that the file may have; without any, the default ones
	Workers int         // 0: a processor each
	Now     func() time.Time
}

// The columns of edges. Those of profiles come together; source is for whoever reads the file.
var (
	ends  = []string{"left", "right"}
	typed = []string{"left_type", "right_type", "rule", "first_ts", "last_ts"}
)

// UsageError is a mistake in how the files were named.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Report is what was done; it marshals to the documented JSON.
type Report struct {
	Nodes      int64            `json:"nodes"`
	Edges      int64            `json:"edges"`
	Components int64            `json:"components"`
	Largest    int64            `json:"largest"`
	Profiles   bool             `json:"profiles"`           // rather than connected components
	Shared     int64            `json:"shared"`             // nodes that belong to no profile
	Refused    map[string]int64 `json:"refused"`            // edges that link nothing, by reason
	Together   map[string]int64 `json:"together,omitempty"` // edges within a profile: those that link, and those that repeat it
	Seconds    []Part           `json:"seconds"`
}

// Part is a part of the work.
type Part struct {
	Name    string  `json:"part"`
	Seconds float64 `json:"seconds"`
}

// clock notes how long the parts take.
type clock struct {
	now   func() time.Time
	since time.Time
	parts []Part
}

func (c *clock) done(part string) {
	now := c.now()
	c.parts = append(c.parts, Part{part, now.Sub(c.since).Seconds()})
	c.since = now
}

// Run reads the edges, finds who belongs together and writes the map. When it fails, nothing is written. An error of what
// the file holds is a sheet.ContentError; one of how it was called a UsageError.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Rules.Types == nil {
		o.Rules = graph.DefaultRules()
	}
	write, err := writerFor(o)
	if err != nil {
		return nil, err
	}
	c := &clock{now: o.Now, since: o.Now()}
	e, err := read(ctx, o, guess)
	if errors.Is(err, errForm) { // a row that is not what the first ones promised
		e, err = read(ctx, o, text)
	}
	if err != nil {
		return nil, err
	}
	c.done("keys")
	nodes, err := e.number(ctx, o.Workers)
	if err != nil {
		return nil, err
	}
	c.done("numbers")
	r := &Report{Nodes: int64(nodes.len()), Edges: int64(len(e.a)), Profiles: e.typed, Refused: map[string]int64{}}
	var component []uint32
	if e.typed {
		component, err = e.profiles(ctx, o, nodes, r)
	} else {
		component, err = graph.Components(ctx, nodes.len(), e.a, e.b, o.Workers)
	}
	if err != nil {
		return nil, err
	}
	e = nil
	c.done("clusters")
	r.Components, r.Largest = sizes(component)
	if err := write(ctx, nodes, component); err != nil {
		return nil, fmt.Errorf("writing %s: %w", o.Out, err)
	}
	c.done("map")
	r.Seconds = c.parts
	return r, nil
}

// profiles stitches typed edges.
func (e *edges) profiles(ctx context.Context, o Options, nodes *nodes, r *Report) ([]uint32, error) {
	rules := o.Rules
	types, clash := e.types(rules, nodes.len())
	if clash >= 0 {
		return nil, e.clash(ctx, o, nodes, uint32(clash))
	}
	s, err := graph.Solve(ctx, &graph.Problem{
		Rules: rules, Keys: nodes.keys(), Types: types,
		Links: graph.Links{A: e.a, B: e.b, Class: e.class, First: e.first},
	}, o.Workers)
	if err != nil {
		return nil, err
	}
	for _, shared := range s.Shared {
		if shared {
			r.Shared++
		}
	}
	r.Together = map[string]int64{}
	for _, status := range s.Status {
		if status.Together() {
			r.Together[rules.Reason(status)]++
		} else {
			r.Refused[rules.Reason(status)]++
		}
	}
	return s.Latest, nil
}

// sizes counts the components, and the nodes of the largest.
func sizes(component []uint32) (components, largest int64) {
	size := make([]uint32, len(component))
	for _, c := range component {
		size[c]++
	}
	for _, n := range size {
		if n > 0 {
			components++
			largest = max(largest, int64(n))
		}
	}
	return components, largest
}

// choose tells from the columns whether the edges are to be stitched to profiles.
func choose(s *sheet.Sheet, o Options) (profiles bool, err error) {
	var has, lacks []string
	for _, c := range typed {
		if slices.ContainsFunc(s.Columns, func(x sheet.Column) bool { return x.Name == c }) {
			has = append(has, c)
		} else {
			lacks = append(lacks, c)
		}
	}
	switch {
	case o.Plain || len(has) == 0:
		return false, nil
	case len(lacks) > 0:
		return false, fmt.Errorf("%s: it has no column %q, which profiles need beside %q: add it, or pass --plain for connected components",
			o.Edges, lacks[0], has[0])
	}
	return true, nil
}

// sameFile reports whether two names are of one file.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
