package number

import (
	"context"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"crosslift/schemas/identifier"
)

// Shapes of keys that the radix must not care about: hashes, keys with much in common, counters, few keys often.
var shapes = map[string]func(*rand.Rand) identifier.ID{
	"hashes": func(r *rand.Rand) (id identifier.ID) {
		binary.NativeEndian.PutUint64(id[:8], r.Uint64())
		binary.NativeEndian.PutUint64(id[8:], r.Uint64())
		return id
	},
	"one byte in the middle": func(r *rand.Rand) (id identifier.ID) { id[7] = byte(r.Uint32()); return id },
	"counters":               func(r *rand.Rand) (id identifier.ID) { binary.BigEndian.PutUint64(id[8:], r.Uint64N(3000)); return id },
	"one":                    func(*rand.Rand) identifier.ID { return identifier.ID{1, 15: 2} },
	"the ends": func(r *rand.Rand) (id identifier.ID) {
		id[0], id[15] = byte(r.Uint32N(2)*255), byte(r.Uint32N(2)*255)
		return id
	},
}

// A key's number is its place among the sorted distinct keys, however the keys are split into lists.
func TestRank(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Log("seed", seed)
			r := rand.New(rand.NewPCG(seed, 1))
			for _, n := range []int{0, 1, 2, 33, 20_000} {
				lists := []*List{{}, {}, {}}
				added := make([][]identifier.ID, len(lists))
				var all []identifier.ID
				for range n {
					i, id := r.IntN(len(lists)), shape(r)
					if r.IntN(3) == 0 && len(all) > 0 {
						id = all[r.IntN(len(all))]
					}
					lists[i].Add(id)
					added[i] = append(added[i], id)
					all = append(all, id)
				}
				keys, err := Rank(context.Background(), 2, lists...)
				if err != nil {
					t.Fatal(err)
				}
				compare := func(a, b identifier.ID) int { return slices.Compare(a[:], b[:]) }
				slices.SortFunc(all, compare)
				if want := slices.Compact(all); !slices.Equal(keys, want) {
					t.Fatalf("%d keys: %d distinct ones in order instead of %d", n, len(keys), len(want))
				}
				for i, l := range lists {
					numbers := l.AppendNumbers([]uint32{7})
					if numbers[0] != 7 || len(numbers) != len(added[i])+1 || l.Len() != len(added[i]) {
						t.Fatalf("%d numbers for %d keys", len(numbers)-1, len(added[i]))
					}
					for k, id := range added[i] {
						if keys[numbers[k+1]] != id {
							t.Fatalf("list %d: key %d has the number of another", i, k)
						}
					}
				}
			}
		})
	}
}

func TestRankTexts(t *testing.T) {
	seed := rand.Uint64()
	t.Log("seed", seed)
	odd := []string{"", " ", "a", "a ", "a\x00", "é", "e\u0301", strings.Repeat("x", 127), strings.Repeat("x", 128), strings.Repeat("x", 40_000), "\xff"}
	for _, split := range []int{1, 3} {
		lists := make([]*TextList, split)
		added := make([][]string, split)
		for i := range lists {
			lists[i] = &TextList{}
		}
		r := rand.New(rand.NewPCG(seed, 1))
		seen := map[string]bool{}
		for n := range 20_000 {
			text := odd[n%len(odd)]
			if n%2 == 0 {
				text = string(binary.AppendUvarint(nil, r.Uint64N(5000)))
			}
			if n%3 == 0 {
				text = "a prefix longer than sixteen bytes" + text
			}
			i := n % split
			lists[i].Add(text)
			added[i] = append(added[i], text)
			seen[text] = true
		}
		texts, err := RankTexts(context.Background(), 2, lists...)
		if err != nil {
			t.Fatal(err)
		}
		if want := slices.Sorted(maps.Keys(seen)); !slices.Equal(texts, want) {
			t.Fatalf("%d distinct texts in order instead of %d", len(texts), len(want))
		}
		for i, l := range lists {
			for k, n := range l.AppendNumbers(nil) {
				if texts[n] != added[i][k] {
					t.Fatalf("list %d: text %d has the number of another", i, k)
				}
			}
		}
	}
}

func TestRankEndsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	l, texts := &List{}, &TextList{}
	l.Add(identifier.ID{1})
	texts.Add("a")
	if _, err := Rank(ctx, 2, l); err == nil {
		t.Error("keys were ranked all the same")
	}
	if _, err := RankTexts(ctx, 2, texts); err == nil {
		t.Error("texts were ranked all the same")
	}
}

// BenchmarkRank adds and numbers two occurrences of each key.
func BenchmarkRank(b *testing.B) {
	const n = 1 << 21
	r := rand.New(rand.NewPCG(1, 1))
	ids := make([]identifier.ID, n)
	for i := range ids {
		ids[i] = shapes["hashes"](r)
		if i >= n/2 {
			ids[i] = ids[r.IntN(n/2)]
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		left, right := &List{}, &List{}
		for _, id := range ids[:n/2] {
			left.Add(id)
		}
		for _, id := range ids[n/2:] {
			right.Add(id)
		}
		if _, err := Rank(b.Context(), 2, left, right); err != nil {
			b.Fatal(err)
		}
		right.AppendNumbers(left.AppendNumbers(make([]uint32, 0, n)))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/key")
}
