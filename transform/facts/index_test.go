package facts

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"crosslift/schemas/identifier"
)

// ids are different identifiers, ascending.
func ids(r *rand.Rand, n int, uniform bool) []identifier.ID {
	list := make([]identifier.ID, n)
	for i := range list {
		if uniform {
			binary.BigEndian.PutUint64(list[i][:], r.Uint64())
		}
		binary.BigEndian.PutUint64(list[i][8:], uint64(r.IntN(4*n+1)))
	}
	slices.SortFunc(list, compare)
	return slices.Compact(list)
}

func TestIndexFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 3, 100, 5000} {
		for _, uniform := range []bool{true, false} {
			list := ids(r, n, uniform)
			x := newIndex(list)
			asked := append(ids(r, n, uniform), list...)
			numbers, found := make([]int32, len(asked)), false
			any := x.findAll(asked, numbers)
			for i := range asked {
				if found = found || numbers[i] != none; numbers[i] != x.find(&asked[i]) {
					t.Fatalf("of %d, among many: %d instead of %d", n, numbers[i], x.find(&asked[i]))
				}
			}
			if any != found {
				t.Errorf("of %d: some were found: %t", n, any)
			}
			for i := range list {
				if got := x.find(&list[i]); got != int32(i) {
					t.Fatalf("of %d: the number of %d is %d", n, i, got)
				}
				other := list[i]
				other[15]++
				want := int32(slices.Index(list, other))
				if got := x.find(&other); got != want {
					t.Fatalf("of %d: %d instead of %d", n, got, want)
				}
			}
			for _, edge := range []identifier.ID{{}, identifier.ID(bytes.Repeat([]byte{255}, 16))} {
				if got := x.find(&edge); !slices.Contains(list, edge) && got != none {
					t.Errorf("of %d: a stranger has the number %d", n, got)
				}
			}
		}
	}
}

func TestUnion(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		a, b := ids(r, r.IntN(20), false), ids(r, r.IntN(20), false)
		want := slices.Concat(a, b)
		slices.SortFunc(want, compare)
		if got := union(a, b); !slices.Equal(got, slices.Compact(want)) {
			t.Fatalf("%v and %v: %v", a, b, got)
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	list := ids(r, 1_000_000, true)
	x := newIndex(list)
	shuffled := slices.Clone(list)
	for i := range shuffled[:len(shuffled)/2] {
		shuffled[2*i][0]++ // half of them are strangers
	}
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for name, asked := range map[string][]identifier.ID{"ascending": list, "random": shuffled} {
		b.Run(name, func(b *testing.B) {
			hits := 0
			for b.Loop() {
				for i := range asked {
					if x.find(&asked[i]) != none {
						hits++
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(asked)), "ns/id")
		})
		b.Run(name+"/together", func(b *testing.B) {
			numbers := make([]int32, len(asked))
			for b.Loop() {
				x.findAll(asked, numbers)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(asked)), "ns/id")
		})
	}
}
