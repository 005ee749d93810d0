// Package graph groups numbered identifiers into profiles, in memory. It is the hot part of identity: nodes are
// identifiers, links are observations that two of them belong together, and the answer says which nodes are one profile
// and what became of each link.
//
// Plain connected components would glue strangers together, so there are three phases:
//
//	A  caps      a node with more distinct neighbours of one unique namespace than its type's cap is shared: its links
//	             merge nothing, and it belongs to no profile
//	B  blocks    connected components over the links whose ends are both not shared
//	C  profiles  within each block the links in a fixed order, strongest and oldest first (Kruskal's algorithm), each
//	             refused if it would join what may not be one profile
//
// The order of links is (class, first, smaller key, greater key). It depends on nothing that a later observation of the
// same pair could change, and every step is local to its block. Hence the answer is a pure function of the problem,
// whatever the numbering of nodes, the order of links or the number of workers; and solving some blocks alone, given
// which of their nodes are shared, gives what solving everything gives for them.
//
// The best partition under unique namespaces is a multiway cut, which is NP-hard; this is the greedy one, which can be
// explained link by link.
package graph

import (
	"context"
	"fmt"
	"math"
	"slices"

	"crosslift/schemas/identifier"
)

// Links are columns of equal length, a link a row. A pair may have several, of other classes and times; a link of a node
// with itself says nothing.
type Links struct {
	A, B  []uint32 // the nodes it joins; which is which does not matter
	Class []uint8  // 0 is the strongest
	First []int64  // when it was seen first, in any unit that grows with time
}

// lastStrict is the weakest class that the strict stitching takes.
const lastStrict = 1

// Problem is what is to be grouped.
type Problem struct {
	Rules  Rules
	Keys   []identifier.ID // of the nodes, all different: ties are broken by them, never by numbers
	Types  []uint8         // of the nodes, as in Rules
	Shared []bool          // nodes that are shared whatever Links shows of them; nil: none
	Links  Links
	// Human decisions. A must-link comes before every link, and obeys the same rules; it is no observation, so it counts
	// towards no cap. The nodes of a cannot-link never lie in one profile, by whatever path.
	Must, Cannot [][2]uint32
}

// Solution says for each node and each link what became of it. A group is told by its representative: the member with the
// smallest key. A shared or outside node is a group of its own.
type Solution struct {
	Shared []bool   // nodes beyond their cap, and those given as shared
	Block  []uint32 // by node: what could affect what
	// Profiles by node, of three stitchings: after the links of classes 0 and 1; after all links; and after those, in the
	// same order, that were refused for size alone. Where none was, Loose is the same slice as Latest.
	Strict, Latest, Loose []uint32
	Status, Must          []Status // by link and by must-link, under Latest
}

// Solve groups the nodes of a problem. The cost is proportional to the problem; beside the solution, of 13 bytes a node
// and one a link, it needs about five bytes a node and eight a link. Of links that are equal in class, time and pair, the
// first is the one that links. Speed comes from nodes that are numbered near their block's others; with numbers at random
// the cost is several times as high.
//
// An error means that the problem is not well formed, or that ctx ended.
func Solve(ctx context.Context, p *Problem, workers int) (*Solution, error) {
	if err := p.validate(ctx, workers); err != nil {
		return nil, fmt.Errorf("group identifiers: %w", err)
	}
	n := len(p.Keys)
	s := &Solution{
		Block: make([]uint32, n), Strict: make([]uint32, n), Latest: make([]uint32, n),
		Status: make([]Status, len(p.Links.A)), Must: make([]Status, len(p.Must)),
	}
	var err error
	if s.Shared, err = findShared(ctx, p, s.Latest, workers); err != nil {
		return nil, err
	}
	if err := s.block(ctx, p, workers); err != nil {
		return nil, err
	}
	blocks, err := s.group(ctx, p, workers)
	if err != nil {
		return nil, err
	}
	if err := s.stitch(ctx, p, blocks, workers); err != nil {
		return nil, err
	}
	return s, nil
}

func (p *Problem) validate(ctx context.Context, workers int) error {
	if err := p.Rules.validate(); err != nil {
		return err
	}
	n, l := len(p.Keys), p.Links
	switch {
	case n > math.MaxInt32:
		return fmt.Errorf("%d nodes, at most %d are possible", n, math.MaxInt32)
	case len(p.Types) != n:
		return fmt.Errorf("%d nodes have %d types", n, len(p.Types))
	case p.Shared != nil && len(p.Shared) != n:
		return fmt.Errorf("of %d nodes it is said for %d whether they are shared", n, len(p.Shared))
	case len(l.B) != len(l.A) || len(l.Class) != len(l.A) || len(l.First) != len(l.A):
		return fmt.Errorf("columns of links of different lengths: %d, %d, %d, %d", len(l.A), len(l.B), len(l.Class), len(l.First))
	case len(l.A)+len(p.Must) > math.MaxInt32:
		return fmt.Errorf("%d links, at most %d are possible", len(l.A)+len(p.Must), math.MaxInt32)
	}
	for i, pair := range p.Must {
		if int(max(pair[0], pair[1])) >= n {
			return fmt.Errorf("must-link %d joins nodes %d and %d of %d", i, pair[0], pair[1], n)
		}
	}
	for i, pair := range p.Cannot {
		if int(max(pair[0], pair[1])) >= n || pair[0] == pair[1] {
			return fmt.Errorf("cannot-link %d parts nodes %d and %d of %d", i, pair[0], pair[1], n)
		}
	}
	err := each(ctx, n, chunk, workers, func(from, to int) error {
		for v, t := range p.Types[from:to] {
			if int(t) >= len(p.Rules.Types) {
				return fmt.Errorf("node %d has type %d of %d", from+v, t, len(p.Rules.Types))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return each(ctx, len(l.A), chunk, workers, func(from, to int) error {
		if c := slices.Max(l.Class[from:to]); c == math.MaxUint8 {
			return fmt.Errorf("a link of class %d, at most %d is possible", c, math.MaxUint8-1)
		}
		return validEnds(n, l.A[from:to], l.B[from:to], from)
	})
}
