package graph

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/identifier"
)

func solved(t testing.TB, p *Problem, workers int) *Solution {
	t.Helper()
	s, err := Solve(t.Context(), p, workers)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// forRandom calls f with n random problems of each shape.
func forRandom(t *testing.T, n int, f func(t *testing.T, r *rand.Rand, p *Problem)) {
	t.Helper()
	for _, shape := range slices.Sorted(maps.Keys(shapes)) {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			r := seeded(t)
			for i := 0; i < n && !t.Failed(); i++ {
				p := randomProblem(r, shapes[shape])
				if f(t, r, p); t.Failed() {
					t.Logf("problem %d: %+v", i, *p)
				}
			}
		})
	}
}

func TestSolveIsBruteForce(t *testing.T) {
	t.Parallel()
	forRandom(t, 700, func(t *testing.T, r *rand.Rand, p *Problem) {
		if got, want := solved(t, p, 1+r.IntN(3)), brute(p); !reflect.DeepEqual(got, want) {
			t.Errorf("solved: %+v\nbrute:  %+v", *got, *want)
		}
		together(t, p, brute(p))
	})
}

// TestNumbersAndOrderDoNotMatter renumbers the nodes, shuffles the links and swaps their ends: each key keeps its groups,
// and each link its status.
func TestNumbersAndOrderDoNotMatter(t *testing.T) {
	t.Parallel()
	forRandom(t, 400, func(t *testing.T, r *rand.Rand, p *Problem) {
		q := shuffled(r, p)
		if was, is := told(p, solved(t, p, 1)), told(q, solved(t, q, 2)); !slices.Equal(was, is) {
			t.Errorf("was:\n%s\nis:\n%s", strings.Join(was, "\n"), strings.Join(is, "\n"))
		}
	})
}

// shuffled is the same problem in other words.
func shuffled(r *rand.Rand, p *Problem) *Problem {
	n := len(p.Keys)
	q := &Problem{Rules: p.Rules, Keys: make([]identifier.ID, n), Types: make([]uint8, n)}
	if p.Shared != nil {
		q.Shared = make([]bool, n)
	}
	number := r.Perm(n)
	for v, w := range number {
		q.Keys[w], q.Types[w] = p.Keys[v], p.Types[v]
		if p.Shared != nil {
			q.Shared[w] = p.Shared[v]
		}
	}
	pair := func(a, b uint32) [2]uint32 {
		to := [2]uint32{uint32(number[a]), uint32(number[b])}
		if r.IntN(2) == 0 {
			slices.Reverse(to[:])
		}
		return to
	}
	for _, i := range r.Perm(len(p.Links.A)) {
		to := pair(p.Links.A[i], p.Links.B[i])
		q.Links.A, q.Links.B = append(q.Links.A, to[0]), append(q.Links.B, to[1])
		q.Links.Class, q.Links.First = append(q.Links.Class, p.Links.Class[i]), append(q.Links.First, p.Links.First[i])
	}
	for _, i := range r.Perm(len(p.Must)) {
		q.Must = append(q.Must, pair(p.Must[i][0], p.Must[i][1]))
	}
	for _, i := range r.Perm(len(p.Cannot)) {
		q.Cannot = append(q.Cannot, pair(p.Cannot[i][0], p.Cannot[i][1]))
	}
	return q
}

// told puts a solution in words that know keys but no numbers: a line for each node and link, sorted.
func told(p *Problem, s *Solution) []string {
	key := func(v uint32) string { return p.Keys[v].String() }
	var lines []string
	for v := range uint32(len(p.Keys)) {
		lines = append(lines, fmt.Sprintln(key(v), s.Shared[v], key(s.Block[v]), key(s.Strict[v]), key(s.Latest[v]), key(s.Loose[v])))
	}
	link := func(class int, first int64, a, b uint32, status Status) {
		x, y := key(a), key(b)
		if x > y {
			x, y = y, x
			switch status {
			case SharedA:
				status = SharedB
			case SharedB:
				status = SharedA
			}
		}
		lines = append(lines, fmt.Sprintln(x, y, class, first, p.Rules.Reason(status)))
	}
	for i, a := range p.Links.A {
		link(int(p.Links.Class[i]), p.Links.First[i], a, p.Links.B[i], s.Status[i])
	}
	for i, pair := range p.Must {
		link(-1, 0, pair[0], pair[1], s.Must[i])
	}
	slices.Sort(lines)
	return lines
}

func TestWorkersDoNotMatter(t *testing.T) {
	t.Parallel()
	p := world(20_000, true)
	want := solved(t, p, 1)
	for _, workers := range []int{0, 2, 3, 8} {
		if got := solved(t, p, workers); !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers find another solution than one", workers)
		}
	}
}

// TestInvariants holds identity's gates on a world with all kinds of trouble.
func TestInvariants(t *testing.T) {
	t.Parallel()
	p := world(20_000, true)
	p.Rules.MaxSize = 12
	s := solved(t, p, 2)

	// What a group has of each type, and how many.
	count := func(group []uint32) (types map[[2]uint32]int, sizes map[uint32]int) {
		types, sizes = map[[2]uint32]int{}, map[uint32]int{}
		for v, g := range group {
			types[[2]uint32{g, uint32(p.Types[v])}]++
			sizes[g]++
		}
		return types, sizes
	}
	for name, group := range map[string][]uint32{"strict": s.Strict, "latest": s.Latest, "loose": s.Loose} {
		types, sizes := count(group)
		for at, n := range types {
			if limit := p.Rules.Types[at[1]].Limit; limit > 0 && n > limit {
				t.Errorf("%s: a profile has %d of %s", name, n, p.Rules.Types[at[1]].Name)
			}
		}
		for _, n := range sizes {
			if n > p.Rules.MaxSize && name != "loose" {
				t.Errorf("%s: a profile has %d identifiers", name, n)
			}
		}
		for v, g := range group {
			if s.Block[g] != s.Block[v] || group[g] != g || bytes.Compare(p.Keys[g][:], p.Keys[v][:]) > 0 {
				t.Fatalf("%s: node %d is represented by %d", name, v, g)
			}
			if s.Shared[v] && (g != uint32(v) || sizes[g] != 1) {
				t.Errorf("%s: the shared node %d is in a profile", name, v)
			}
			if name != "strict" && group[s.Strict[v]] != g || name == "loose" && s.Loose[s.Latest[v]] != g {
				t.Errorf("%s does not hold the tighter profile of node %d together", name, v)
			}
		}
	}

	seen := map[Status]int{}
	leaf := map[uint32]int{} // accepted links of a device
	var accepted [2][]uint32
	for i, status := range s.Status {
		a, b := p.Links.A[i], p.Links.B[i]
		seen[status]++
		apart := s.Shared[a] || s.Shared[b] || status == Outside
		if !apart && s.Block[a] != s.Block[b] {
			t.Errorf("link %d joins two blocks", i)
		}
		if status == Linked {
			accepted[0], accepted[1] = append(accepted[0], a), append(accepted[1], b)
			for _, v := range []uint32{a, b} {
				if p.Rules.Types[p.Types[v]].Device {
					leaf[v]++
				}
			}
		}
	}
	together(t, p, s)
	for v, n := range leaf {
		if n > 1 {
			t.Errorf("device %d has %d accepted links", v, n)
		}
	}
	_, profiles := count(s.Latest)
	if want := len(p.Keys) - len(profiles); len(accepted[0]) != want {
		t.Errorf("%d links are accepted of %d nodes in %d profiles", len(accepted[0]), len(p.Keys), len(profiles))
	}
	spanned, err := Components(t.Context(), len(p.Keys), accepted[0], accepted[1], 2)
	if err != nil {
		t.Fatal(err)
	}
	if !samePartition(spanned, s.Latest) {
		t.Error("the accepted links span other groups than the profiles")
	}
	for _, status := range []Status{Linked, Implied, SharedA, SharedB, SharedBoth, Outside, Bridge, Size, LimitOf(0)} {
		if seen[status] == 0 {
			t.Errorf("no link is %s: the world is too easy", p.Rules.Reason(status))
		}
	}
}

// together holds that statuses and profiles tell the same.
func together(t *testing.T, p *Problem, s *Solution) {
	t.Helper()
	for i, status := range s.Status {
		if a, b := p.Links.A[i], p.Links.B[i]; a != b && status.Together() != (s.Latest[a] == s.Latest[b]) {
			t.Errorf("link %d is %v, but its ends are represented by %d and %d", i, status, s.Latest[a], s.Latest[b])
		}
	}
}

func samePartition(x, y []uint32) bool {
	to, from := map[uint32]uint32{}, map[uint32]uint32{}
	for v := range x {
		if _, ok := to[x[v]]; !ok {
			to[x[v]] = y[v]
		}
		if _, ok := from[y[v]]; !ok {
			from[y[v]] = x[v]
		}
		if to[x[v]] != y[v] || from[y[v]] != x[v] {
			return false
		}
	}
	return true
}

// TestBlocksAreIndependent solves some blocks alone, told which nodes are shared: an incremental night. They come out as
// they do when everything is solved.
func TestBlocksAreIndependent(t *testing.T) {
	t.Parallel()
	forRandom(t, 300, func(t *testing.T, r *rand.Rand, p *Problem) {
		whole := solved(t, p, 1)
		dirty := map[uint32]bool{} // blocks
		for _, b := range whole.Block {
			if _, known := dirty[b]; !known {
				dirty[b] = r.IntN(2) == 0
			}
		}
		part := &Problem{Rules: p.Rules, Shared: []bool{}}
		number, nodes := map[uint32]uint32{}, []uint32{}
		for v, b := range whole.Block {
			if dirty[b] {
				number[uint32(v)] = uint32(len(nodes))
				nodes = append(nodes, uint32(v))
				part.Keys, part.Types = append(part.Keys, p.Keys[v]), append(part.Types, p.Types[v])
				part.Shared = append(part.Shared, whole.Shared[v])
			}
		}
		within := func(a, b uint32) ([2]uint32, bool) {
			x, okX := number[a]
			y, okY := number[b]
			return [2]uint32{x, y}, okX && okY
		}
		var statuses, must []Status
		for i, a := range p.Links.A {
			if pair, ok := within(a, p.Links.B[i]); ok {
				l := &part.Links
				l.A, l.B = append(l.A, pair[0]), append(l.B, pair[1])
				l.Class, l.First = append(l.Class, p.Links.Class[i]), append(l.First, p.Links.First[i])
				statuses = append(statuses, whole.Status[i])
			}
		}
		for i, pair := range p.Must {
			if pair, ok := within(pair[0], pair[1]); ok {
				part.Must, must = append(part.Must, pair), append(must, whole.Must[i])
			}
		}
		for _, pair := range p.Cannot {
			if pair, ok := within(pair[0], pair[1]); ok {
				part.Cannot = append(part.Cannot, pair)
			}
		}
		got := solved(t, part, 2)
		if !slices.Equal(got.Status, statuses) || !slices.Equal(got.Must, must) || !slices.Equal(got.Shared, part.Shared) {
			t.Errorf("statuses %v %v, want %v %v; shared %v, want %v", got.Status, got.Must, statuses, must, got.Shared, part.Shared)
		}
		for w, v := range nodes {
			for name, pair := range map[string][2]uint32{
				"block": {got.Block[w], whole.Block[v]}, "strict": {got.Strict[w], whole.Strict[v]},
				"latest": {got.Latest[w], whole.Latest[v]}, "loose": {got.Loose[w], whole.Loose[v]},
			} {
				if nodes[pair[0]] != pair[1] {
					t.Errorf("%s of node %d: %d alone, %d of the whole", name, v, nodes[pair[0]], pair[1])
				}
			}
		}
	})
}

func TestSolveRefusesWhatIsNotWellFormed(t *testing.T) {
	t.Parallel()
	for want, damage := range map[string]func(p *Problem){
		"have 1 types":             func(p *Problem) { p.Types = p.Types[:1] },
		"for 1 whether":            func(p *Problem) { p.Shared = []bool{true} },
		"different lengths":        func(p *Problem) { p.Links.Class = nil },
		"joins nodes 0 and 2 of 2": func(p *Problem) { p.Links.B[0] = 2 },
		"must-link 0 joins":        func(p *Problem) { p.Must = [][2]uint32{{0, 9}} },
		"cannot-link 1 parts":      func(p *Problem) { p.Cannot = [][2]uint32{{0, 1}, {9, 0}} },
		"parts nodes 1 and 1":      func(p *Problem) { p.Cannot = [][2]uint32{{1, 1}} },
		"node 1 has type 13 of 13": func(p *Problem) { p.Types[1] = 13 },
		"129 types":                func(p *Problem) { p.Rules.Types = make([]Type, 129) },
		"at most -1 identifiers":   func(p *Problem) { p.Rules.MaxSize = -1 },
		"cap -1":                   func(p *Problem) { p.Rules.Types[0].Cap = -1 },
		"limit -1":                 func(p *Problem) { p.Rules.Types[0].Limit = -1 },
		"need 66 bits":             func(p *Problem) { p.Rules.Types[0].Limit = 1 << 60 },
	} {
		p := &Problem{Rules: DefaultRules(), Keys: []identifier.ID{{1}, {2}}, Types: []uint8{0, 1},
			Links: Links{A: []uint32{0}, B: []uint32{1}, Class: []uint8{0}, First: []int64{0}}}
		solved(t, p, 1)
		damage(p)
		if _, err := Solve(t.Context(), p, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestSolveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := world(1000, true)
	if _, err := Solve(ctx, p, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("solve: %v", err)
	}
	if _, err := Components(ctx, len(p.Keys), p.Links.A, p.Links.B, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("components: %v", err)
	}
}
