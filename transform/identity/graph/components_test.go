package graph

import (
	"slices"
	"strings"
	"testing"
)

func TestComponents(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		n          int
		a, b, want []uint32
	}{
		"nothing":     {0, nil, nil, []uint32{}},
		"no links":    {3, nil, nil, []uint32{0, 1, 2}},
		"self":        {2, []uint32{1}, []uint32{1}, []uint32{0, 1}},
		"two":         {5, []uint32{4, 3}, []uint32{1, 0}, []uint32{0, 1, 2, 0, 1}},
		"joined late": {6, []uint32{5, 3, 1, 5}, []uint32{4, 2, 0, 0}, []uint32{0, 0, 2, 2, 0, 0}},
	} {
		got, err := Components(t.Context(), c.n, c.a, c.b, 2)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
}

// TestComponentsIsBruteForce compares with labels that spread until none changes, on graphs large enough that several
// workers meet.
func TestComponentsIsBruteForce(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	for range 4 {
		n := chunk + r.IntN(chunk)
		a, b := make([]uint32, n+r.IntN(n)), []uint32(nil)
		number := r.Perm(n)
		reach := 1 + r.IntN(n)
		for i := range a {
			v := r.IntN(n)
			a[i] = uint32(number[v])
			b = append(b, uint32(number[min(v+r.IntN(reach), n-1)]))
		}
		want := spread(n, a, b)
		for _, workers := range []int{1, 3} {
			got, err := Components(t.Context(), n, a, b, workers)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%d workers, %d nodes, %d links: other components", workers, n, len(a))
			}
		}
	}
}

// spread finds components by breadth-first search.
func spread(n int, a, b []uint32) []uint32 {
	neighbours := make([][]uint32, n)
	for i := range a {
		neighbours[a[i]], neighbours[b[i]] = append(neighbours[a[i]], b[i]), append(neighbours[b[i]], a[i])
	}
	label, seen := make([]uint32, n), make([]bool, n)
	for v := range label {
		if seen[v] {
			continue
		}
		seen[v] = true
		for queue := []uint32{uint32(v)}; len(queue) > 0; {
			x := queue[len(queue)-1]
			queue = queue[:len(queue)-1]
			label[x] = uint32(v)
			for _, y := range neighbours[x] {
				if !seen[y] {
					seen[y] = true
					queue = append(queue, y)
				}
			}
		}
	}
	return label
}

// TestComponentsOfChains takes links in the orders that make trees deep.
func TestComponentsOfChains(t *testing.T) {
	t.Parallel()
	const n = 100_000
	up, down := make([]uint32, n-1), make([]uint32, n-1)
	for i := range up {
		up[i], down[i] = uint32(i), uint32(n-2-i)
	}
	mixed := slices.Clone(up)
	seeded(t).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	for name, a := range map[string][]uint32{"up": up, "down": down, "mixed": mixed} {
		b := slices.Clone(a)
		for i := range b {
			b[i]++
		}
		got, err := Components(t.Context(), n, a, b, 2)
		if err != nil || slices.ContainsFunc(got, func(r uint32) bool { return r != 0 }) {
			t.Errorf("%s: not one component: %v", name, err)
		}
	}
}

func TestComponentsRefusesWhatIsNotWellFormed(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		n    int
		a, b []uint32
	}{
		"different lengths":        {2, []uint32{0}, nil},
		"joins nodes 0 and 2 of 2": {2, []uint32{0}, []uint32{2}},
		"joins nodes 2 and 0 of 2": {2, []uint32{2}, []uint32{0}},
		"-1 nodes":                 {-1, nil, nil},
		"2147483648 nodes":         {1 << 31, nil, nil},
	} {
		if _, err := Components(t.Context(), c.n, c.a, c.b, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
