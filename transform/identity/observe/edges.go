package observe

import (
	"sync"

	"crosslift/schemas/identifier"
	"crosslift/schemas/table"
)

// shape is what edges may have in common: everything but the two identifiers.
type shape struct {
	left, right string // types
	rule        int64
	source      string
}

// pair is the identifiers of an edge; right is zero where a source says that there is none.
type pair struct{ left, right identifier.ID }

// span is when a pair was seen, in microseconds, and by how many rows.
type span struct{ first, last, count int64 }

func (s span) with(other span) span {
	if s.count == 0 {
		return other
	}
	return span{min(s.first, other.first), max(s.last, other.last), s.count + other.count}
}

// pairs are the edges of one shape.
type pairs map[pair]span

func (p pairs) add(of pair, s span) { p[of] = p[of].with(s) }

// tally collects the edges of one shape from the rows of a row group. Rows are sorted, so equal pairs mostly follow each
// other: they are added up before they are looked for.
type tally struct {
	pairs pairs
	last  pair
	run   span // of last
}

func (t *tally) add(left, right identifier.ID, at int64) {
	seen, of := span{at, at, 1}, pair{left, right}
	if t.run.count > 0 && of == t.last {
		t.run = t.run.with(seen)
		return
	}
	t.flush()
	t.last, t.run = of, seen
}

func (t *tally) flush() {
	if t.run.count > 0 {
		t.pairs.add(t.last, t.run)
	}
	t.run = span{}
}

// link adds an edge, unless one of its ends is absent.
func (t *tally) link(left, right identifier.ID, at int64) (linked bool) {
	if linked = !left.IsZero() && !right.IsZero(); linked {
		t.add(left, right, at)
	}
	return linked
}

// edges are those of a day. Several goroutines may add to them.
type edges struct {
	mu sync.Mutex
	of map[shape]pairs
}

// add takes over the edges of a row group.
func (e *edges) add(tallies map[shape]*tally) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s, t := range tallies {
		t.flush()
		if e.of[s] == nil {
			e.of[s] = t.pairs
			continue
		}
		for of, seen := range t.pairs {
			e.of[s].add(of, seen)
		}
	}
}

func (e *edges) emit(emit func(*table.IdentityEdgeRow) error) error {
	for s, pairs := range e.of {
		for of, seen := range pairs {
			if err := emit(&table.IdentityEdgeRow{
				Left: of.left, LeftType: s.left, Right: of.right, RightType: s.right, Rule: s.rule, Source: s.source,
				FirstAt: table.Micros(seen.first), LastAt: table.Micros(seen.last), Count: seen.count,
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
