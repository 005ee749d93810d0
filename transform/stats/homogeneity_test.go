package stats

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// TestHomogeneityPublished: the smokers among four groups of patients in Fleiss (1981), as R's prop.test has them, and its
// first example of two.
func TestHomogeneityPublished(t *testing.T) {
	t.Parallel()
	p, err := Homogeneity([]int64{83, 90, 129, 70}, []int64{86, 93, 136, 82})
	if err != nil || math.Abs(p-0.005585) > 5e-7 {
		t.Errorf("p = %g, %v, published 0.005585", p, err)
	}
}

// TestHomogeneityOfTwoArms is the two-sided z test with the pooled share.
func TestHomogeneityOfTwoArms(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := []int64{1 + r.Int64N(1000), 1 + r.Int64N(1000)}
		k := []int64{r.Int64N(n[0] + 1), r.Int64N(n[1] + 1)}
		got, err := Homogeneity(k, n)
		if err != nil {
			t.Fatal(err)
		}
		c := compare(t, Proportion, did(t, k[0], n[0]), did(t, k[1], n[1]))
		if want := 1.0; c.PValue != nil {
			if want = *c.PValue; math.Abs(got-want) > 1e-12*max(want, 1e-300)+1e-12 {
				t.Errorf("%v of %v: %g, want %g", k, n, got, want)
			}
		}
	}
}

func TestHomogeneityEdges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		did, units []int64
		p          float64
	}{
		"everybody":          {[]int64{3, 4}, []int64{3, 4}, 1},
		"nobody":             {[]int64{0, 0}, []int64{3, 4}, 1},
		"equal shares":       {[]int64{1, 2}, []int64{3, 6}, 1},
		"an arm of no units": {[]int64{0, 0, 5}, []int64{5, 0, 5}, math.Erfc(math.Sqrt(5))},
	} {
		if p, err := Homogeneity(c.did, c.units); err != nil || math.Abs(p-c.p) > 1e-15 {
			t.Errorf("%s: %g, %v, want %g", name, p, err, c.p)
		}
	}
	if _, err := Homogeneity([]int64{1, 0}, []int64{1, 0}); !errors.Is(err, ErrNoUnits) {
		t.Errorf("one arm: %v", err)
	}
	for _, units := range [][]int64{{1}, {0, 5}} {
		if _, err := Homogeneity([]int64{1, 0}, units); err == nil {
			t.Errorf("1 and 0 of %v: no error", units)
		}
	}
}
