package stats

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func pairs(t testing.TB, numerators, denominators []float64) *Pairs {
	t.Helper()
	p := new(Pairs)
	for i, x := range numerators {
		if err := p.Add(x, denominators[i]); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// pairsFromSums makes pairs of what a publication gives: n, Σm, Σd, Σm², Σm·d, Σd².
func pairsFromSums(n int64, sums ...float64) *Pairs {
	p := &Pairs{n: n}
	p.sum.Add(sums[0])
	p.over.Add(sums[1])
	p.squares.Add(sums[2])
	p.products.Add(sums[3])
	p.overs.Add(sums[4])
	return p
}

// TestPublishedRatios holds variances by the delta method against other implementations.
func TestPublishedRatios(t *testing.T) {
	t.Parallel()
	// e10v/tea-tasting, tests/test_aggr.py: means 5 and 4, variances 3 and 2, covariance 1 of 100 units.
	if v := pairsFromSums(100, 500, 400, 2797, 2099, 1798).Variance(); !near(v, 0.2265625, 1e-14) {
		t.Errorf("tea-tasting: %g", v)
	}

	// growthbook, tests/test_gbstats.py, test_get_metric_dfs_frequentist_ratio. Its difference is relative, and so is its
	// standard error.
	control := pairsFromSums(100, 270, 510, 848.79, -900, 810)
	treatment := pairsFromSums(120, 300, 500, 869, -905, 800)
	c, err := CompareRatio(control, treatment, 0.05)
	if err != nil || c.Problem != nil {
		t.Fatal(err, c.Problem)
	}
	r := control.Ratio()
	se := math.Sqrt(treatment.Variance()/120/(r*r) + control.Variance()/100*math.Pow(treatment.Ratio(), 2)/math.Pow(r, 4))
	if !near(*c.DiffRel, 0.13333333333333328, 1e-12) || !near(se, 0.2615080376577792, 1e-12) {
		t.Errorf("growthbook: %g with a standard error of %g", *c.DiffRel, se)
	}

	// R's estimatr: the cluster-robust standard error, with n − 1 of each arm.
	s, n := []float64{2, 5, 5, 4, 4, 0, 10, 2, 4, 4, 6, 4}, []float64{1, 2, 3, 1, 2, 1, 4, 2, 1, 3, 2, 2}
	arms := [2]*Pairs{{}, {}}
	for i := range s {
		if err := arms[i%2].Add(s[i], n[i]); err != nil {
			t.Fatal(err)
		}
	}
	c, err = CompareRatio(arms[0], arms[1], 0.05)
	if err != nil || !near(*c.DiffAbs, -0.6573426573426573, 1e-13) {
		t.Fatal(err, *c.DiffAbs)
	}
	const z = 1.959963984540054
	if got := (*c.DiffAbsHigh - *c.DiffAbsLow) / 2 / z; !near(got, 0.4596461074269369, 1e-12) {
		t.Errorf("estimatr: a standard error of %g", got)
	}
	if want := math.Erfc(0.6573426573426573 / 0.4596461074269369 / math.Sqrt2); !near(*c.PValue, want, 1e-11) {
		t.Errorf("a p-value of %g instead of %g", *c.PValue, want)
	}
}

// A ratio whose denominators are all 1 is a mean, but for the distribution of its error.
func TestRatioOverOnesIsAMean(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 0))
	var values, ones [2][]float64
	for range 500 {
		arm := r.IntN(2)
		values[arm], ones[arm] = append(values[arm], math.Round(100*r.ExpFloat64())/100), append(ones[arm], 1)
	}
	ratio, err := CompareRatio(pairs(t, values[0], ones[0]), pairs(t, values[1], ones[1]), 0.05)
	if err != nil || ratio.Problem != nil {
		t.Fatal(err, ratio.Problem)
	}
	mean := compare(t, Mean, sample(t, values[0]...), sample(t, values[1]...))
	if *ratio.DiffAbs != *mean.DiffAbs || *ratio.DiffRel != *mean.DiffRel || ratio.Method != "delta" || ratio.RelMethod != "log" {
		t.Errorf("%g, %g instead of %g, %g", *ratio.DiffAbs, *ratio.DiffRel, *mean.DiffAbs, *mean.DiffRel)
	}
	for what, ends := range map[string][2]*float64{"low": {ratio.DiffAbsLow, mean.DiffAbsLow}, "relative high": {ratio.DiffRelHigh, mean.DiffRelHigh}} {
		if !near(*ends[0], *ends[1], 0.01) {
			t.Errorf("%s: %g, of the mean %g", what, *ends[0], *ends[1])
		}
	}
}

// Nothing cancels: where the numerator is nearly a multiple of the denominator, the variance is that of what is left.
func TestRatioIsExact(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(12, 0))
	var m, d, rest []float64
	for range 100 {
		x, e := 1e9+float64(r.IntN(1000)), float64(r.IntN(3)-1)
		m, d, rest = append(m, 4*x+e), append(d, x), append(rest, e)
	}
	p := pairs(t, m, d)
	mean := sample(t, d...).Mean()
	if got, want := p.Variance(), sample(t, rest...).Variance()/(mean*mean); !near(got, want, 1e-6) {
		t.Errorf("%g instead of %g", got, want)
	}
	order := r.Perm(len(m))
	var shuffledM, shuffledD []float64
	for _, i := range order {
		shuffledM, shuffledD = append(shuffledM, m[i]), append(shuffledD, d[i])
	}
	if again := pairs(t, shuffledM, shuffledD); again.Ratio() != p.Ratio() || again.Variance() != p.Variance() {
		t.Error("the order of units plays a part")
	}
}

func TestRatiosThatDoNotExist(t *testing.T) {
	t.Parallel()
	good := pairs(t, []float64{1, 2, 5}, []float64{1, 1, 2})
	for name, c := range map[string]struct {
		control *Pairs
		problem error
	}{
		"no units":         {new(Pairs), ErrNoUnits},
		"no denominator":   {pairs(t, []float64{1, 2}, []float64{0, 0}), ErrNoDivisor},
		"cancelled":        {pairs(t, []float64{1, 2}, []float64{1, -1}), ErrNoDivisor},
		"one unit":         {pairs(t, []float64{1}, []float64{2}), ErrOneUnit},
		"a ratio of 0":     {pairs(t, []float64{0, 0}, []float64{1, 3}), ErrNotPositive},
		"a negative ratio": {pairs(t, []float64{-1, -2}, []float64{1, 3}), ErrNotPositive},
	} {
		got, err := CompareRatio(c.control, good, 0.05)
		if err != nil || !errors.Is(got.Problem, c.problem) || got.DiffRelLow != nil {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
		if exists := got.PValue != nil; exists != (c.problem == ErrNotPositive) {
			t.Errorf("%s: a p-value: %t", name, exists)
		}
	}
	if _, err := CompareRatio(good, good, 2); err == nil {
		t.Error("an alpha of 2 was accepted")
	}
	for _, x := range []float64{math.NaN(), math.Inf(1)} {
		before := *good
		if good.Add(x, 1) == nil || good.Add(1, x) == nil || !reflect.DeepEqual(before, *good) {
			t.Errorf("%g was accepted", x)
		}
	}
}

// TestQuantile is the smallest value that a share does not exceed, by counting.
func TestQuantile(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(13, 0))
	for range 2000 {
		values := make([]float64, 1+r.IntN(30))
		for i := range values {
			values[i] = float64(r.IntN(10))
		}
		percent := 1 + r.IntN(99)
		got := Quantile(slices.Clone(values), float64(percent)/100)
		want := math.Inf(1)
		for _, x := range values {
			atMost := 0
			for _, y := range values {
				if y <= x {
					atMost++
				}
			}
			if 100*atMost >= percent*len(values) {
				want = min(want, x)
			}
		}
		if got != want {
			t.Fatalf("%d %% of %v: %g instead of %g", percent, values, got, want)
		}
	}
	if !math.IsNaN(Quantile(nil, 0.5)) {
		t.Error("a quantile of nothing")
	}
}
