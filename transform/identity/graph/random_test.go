package graph

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"crosslift/schemas/identifier"
)

// seeded gives a random source, and logs how to have the same again.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 13))
}

// key spreads a number over 128 bits. Three in a row share their beginning.
func key(i uint64) (id identifier.ID) {
	binary.BigEndian.PutUint64(id[:8], i/3*0x9E3779B97F4A7C15)
	binary.BigEndian.PutUint64(id[8:], i*0xD1B54A32D192ED03+1)
	return id
}

// shapes are the forms of graphs that have gone wrong in union-finds: each gives the ends of its next link.
var shapes = map[string]func(r *rand.Rand, n int) (a, b int){
	"any":     func(r *rand.Rand, n int) (int, int) { return r.IntN(n), r.IntN(n) },
	"chain":   func(r *rand.Rand, n int) (int, int) { a := r.IntN(n); return a, min(a+1, n-1) },
	"star":    func(r *rand.Rand, n int) (int, int) { return 0, r.IntN(n) },
	"clique":  func(r *rand.Rand, n int) (int, int) { return r.IntN(min(n, 5)), r.IntN(min(n, 5)) },
	"cliques": func(r *rand.Rand, n int) (int, int) { a := r.IntN(n); return a, min(a/4*4+r.IntN(4), n-1) },
	"pairs":   func(r *rand.Rand, n int) (int, int) { a := r.IntN(n); return a, a ^ 1%n },
	"hubs":    func(r *rand.Rand, n int) (int, int) { return r.IntN(min(n, 3)), r.IntN(n) },
}

// randomProblem is small, and has what there may be: few times and classes, so that many tie, several limits, nodes said
// to be shared, decisions.
func randomProblem(r *rand.Rand, shape func(*rand.Rand, int) (int, int)) *Problem {
	p := &Problem{Rules: DefaultRules()}
	if r.IntN(2) == 0 {
		p.Rules = Rules{Types: make([]Type, 1+r.IntN(7)), MaxSize: r.IntN(8)}
		for i := range p.Rules.Types {
			t := Type{Name: string(rune('a' + i)), Cap: max(0, r.IntN(6)-2), Device: r.IntN(4) == 0, Outside: r.IntN(10) == 0}
			if r.IntN(2) == 0 {
				t.Limit = 1 + r.IntN(4)
			}
			p.Rules.Types[i] = t
		}
	} else if r.IntN(2) == 0 {
		p.Rules.MaxSize = 1 + r.IntN(12)
	}
	n := 1 + r.IntN(24)
	if r.IntN(100) == 0 {
		n = 100 + r.IntN(100)
	}
	types := 1 + r.IntN(len(p.Rules.Types))
	for i := range n {
		p.Keys = append(p.Keys, key(uint64(i)))
		p.Types = append(p.Types, uint8(r.IntN(types)))
	}
	r.Shuffle(n, func(i, j int) { p.Keys[i], p.Keys[j] = p.Keys[j], p.Keys[i] })
	if r.IntN(3) == 0 {
		p.Shared = make([]bool, n)
		for v := range p.Shared {
			p.Shared[v] = r.IntN(10) == 0
		}
	}
	times, classes := []int64{math.MinInt64, math.MaxInt64, 0}, 1+r.IntN(7) // of which two are far from each other
	if r.IntN(4) > 0 {
		for i := range times {
			times[i] = int64(r.IntN(6) - 2)
		}
	}
	for range r.IntN(3 * n) {
		a, b := shape(r, n)
		p.Links.A, p.Links.B = append(p.Links.A, uint32(a%n)), append(p.Links.B, uint32(b%n))
		p.Links.Class = append(p.Links.Class, uint8(r.IntN(classes)))
		p.Links.First = append(p.Links.First, times[r.IntN(len(times))]-int64(r.IntN(2)))
	}
	pair := func() [2]uint32 { return [2]uint32{uint32(r.IntN(n)), uint32(r.IntN(n))} }
	for range r.IntN(3) {
		p.Must = append(p.Must, pair())
	}
	for range r.IntN(4) {
		if c := pair(); c[0] != c[1] {
			p.Cannot = append(p.Cannot, c)
		}
	}
	return p
}
