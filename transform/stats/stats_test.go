package stats

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
)

func sample(t testing.TB, values ...float64) *Sample {
	t.Helper()
	s := new(Sample)
	for _, x := range values {
		if err := s.Add(x); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// did is a sample of k ones and n−k zeros.
func did(t testing.TB, k, n int64) *Sample {
	t.Helper()
	s := new(Sample)
	if err := errors.Join(s.AddN(1, k), s.AddN(0, n-k)); err != nil {
		t.Fatal(err)
	}
	return s
}

func compare(t testing.TB, kind Kind, control, treatment *Sample) Comparison {
	t.Helper()
	c, err := Compare(kind, control, treatment, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSampleMoments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values         []float64
		mean, variance float64
	}{
		"small numbers":               {[]float64{1, 2, 3, 4}, 2.5, 5. / 3},
		"a large offset":              {[]float64{1e15 + 1, 1e15 + 2, 1e15 + 3}, 1e15 + 2, 1},
		"an offset that floats lose":  {[]float64{1e200, 1e200, 1e200}, 1e200, 0},
		"one value":                   {[]float64{7}, 7, math.NaN()},
		"none":                        {nil, math.NaN(), math.NaN()},
		"the mean of the largest two": {[]float64{math.MaxFloat64, math.MaxFloat64}, math.MaxFloat64, 0},
		"a variance beyond floats":    {[]float64{math.MaxFloat64, -math.MaxFloat64}, 0, math.Inf(1)},
		"tiny":                        {[]float64{0, 4e-160}, 2e-160, 8e-320},
		"zeros":                       {[]float64{0, 0, 0}, 0, 0},
	} {
		s := sample(t, c.values...)
		same := func(a, b float64) bool { return near(a, b, 1e-15) || a == b || math.IsNaN(a) && math.IsNaN(b) }
		if !same(s.Mean(), c.mean) || !near(s.Variance(), c.variance, 1e-4) && !same(s.Variance(), c.variance) || s.N() != int64(len(c.values)) {
			t.Errorf("%s: %d, %g, %g", name, s.N(), s.Mean(), s.Variance())
		}
	}
}

func TestSampleRoundsTheExactMomentsOnce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 0))
	for round := range 50 {
		values := make([]float64, 2+r.IntN(50))
		sum, squares, n := new(big.Rat), new(big.Rat), new(big.Rat).SetInt64(int64(len(values)))
		for i := range values {
			values[i] = (1e9 + r.NormFloat64()) * math.Pow(10, float64(r.IntN(2)))
			x := new(big.Rat).SetFloat64(values[i])
			sum.Add(sum, x)
			squares.Add(squares, x.Mul(x, x))
		}
		s := sample(t, values...)
		mean, _ := new(big.Rat).Quo(sum, n).Float64()
		squares.Sub(squares, new(big.Rat).Quo(sum.Mul(sum, sum), n))
		variance, _ := squares.Quo(squares, new(big.Rat).SetInt64(int64(len(values)-1))).Float64()
		if s.Mean() != mean || s.Variance() != variance {
			t.Fatalf("round %d: %v, %v instead of %v, %v", round, s.Mean(), s.Variance(), mean, variance)
		}
	}
}

func TestSampleRefusesWhatIsNotFinite(t *testing.T) {
	t.Parallel()
	s := sample(t, 1, 2)
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if s.Add(x) == nil || s.AddN(x, 3) == nil {
			t.Errorf("%g was accepted", x)
		}
	}
	if s.AddN(1, -1) == nil {
		t.Error("−1 units were accepted")
	}
	if s.N() != 2 || s.Mean() != 1.5 {
		t.Errorf("refused values changed the sample: %d, %g", s.N(), s.Mean())
	}
}

func TestAddNIsManyAdds(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 1, 2, 3, 7, 64, 1000} {
		one, many := sample(t, 5), sample(t, 5)
		for range n {
			if err := one.Add(0.1); err != nil {
				t.Fatal(err)
			}
		}
		if err := many.AddN(0.1, n); err != nil {
			t.Fatal(err)
		}
		if one.N() != many.N() || one.Mean() != many.Mean() || n > 0 && one.Variance() != many.Variance() {
			t.Errorf("%d times: %v, %v instead of %v, %v", n, many.Mean(), many.Variance(), one.Mean(), one.Variance())
		}
	}
}

// Any order, any split: the comparison is equal to the last bit.
func TestComparisonDependsOnNeitherOrderNorPartitions(t *testing.T) {
	t.Parallel()
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 0))
	values := [2][]float64{make([]float64, 700), make([]float64, 900)}
	for arm := range values {
		for i := range values[arm] {
			values[arm][i] = math.Exp(12*r.NormFloat64()) + 1e10*float64(r.IntN(2)) // far apart, so that rounding would show
		}
	}
	want := compare(t, Mean, sample(t, values[0]...), sample(t, values[1]...))
	if want.Problem != nil {
		t.Fatal(want.Problem)
	}
	for round := range 30 {
		var arms [2]Sample
		for arm := range values {
			v := values[arm]
			r.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
			parts := make([]Sample, 1+r.IntN(9))
			for _, x := range v {
				if err := parts[r.IntN(len(parts))].Add(x); err != nil {
					t.Fatal(err)
				}
			}
			for i := range parts {
				arms[arm].Merge(&parts[i])
			}
		}
		if got := compare(t, Mean, &arms[0], &arms[1]); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d round %d: %+v instead of %+v", seed, round, got, want)
		}
	}
}

func TestSwappingTheArmsNegatesTheDifference(t *testing.T) {
	t.Parallel()
	for kind, arms := range map[Kind][2]*Sample{
		Proportion: {did(t, 30, 100), did(t, 45, 130)},
		Mean:       {sample(t, 1, 2, 3.5, 9), sample(t, 0.1, 8, 4)},
	} {
		a, b := compare(t, kind, arms[0], arms[1]), compare(t, kind, arms[1], arms[0])
		if *a.DiffAbs != -*b.DiffAbs || *a.DiffAbsLow != -*b.DiffAbsHigh || !near(*a.PValue, *b.PValue, 1e-14) {
			t.Errorf("%s: %v, %v, %v and %v, %v, %v", kind, *a.DiffAbs, *a.DiffAbsLow, *a.PValue, *b.DiffAbs, *b.DiffAbsHigh, *b.PValue)
		}
		if got := (1 + *a.DiffRelLow) * (1 + *b.DiffRelHigh); !near(got, 1, 1e-12) {
			t.Errorf("%s: the relative interval is not symmetric on the log scale: %v", kind, got)
		}
	}
}

// With two degrees of freedom Student's t has a closed form: P(|T| > t) = 1 − t/√(t²+2).
func TestWelchInClosedForm(t *testing.T) {
	t.Parallel()
	got := compare(t, Mean, sample(t, 1, 3), sample(t, 6, 8)) // variances 2 and 2, n 2 and 2: df 2, se √2
	q := 0.95 / math.Sqrt((1-0.95*0.95)/2)
	x := 5 / math.Sqrt2
	want := []float64{5, 5 - q*math.Sqrt2, 5 + q*math.Sqrt2, 1 - x/math.Sqrt(x*x+2), 2.5}
	for i, p := range []*float64{got.DiffAbs, got.DiffAbsLow, got.DiffAbsHigh, got.PValue, got.DiffRel} {
		if !near(*p, want[i], 1e-12) {
			t.Errorf("figure %d: %v instead of %v", i, *p, want[i])
		}
	}
}

// z² of the pooled test is the chi-square of the 2×2 table; at huge z the p-value stays right.
func TestFarTailOfTheZTest(t *testing.T) {
	t.Parallel()
	got := compare(t, Proportion, did(t, 40_000, 100_000), did(t, 43_000, 100_000))
	// N(ad−bc)²/((a+b)(c+d)(a+c)(b+d)), in whole numbers
	a, b, c, d := 40_000., 60_000., 43_000., 57_000.
	chi2 := 200_000 * (a*d - b*c) * (a*d - b*c) / (1e10 * (a + c) * (b + d))
	if want := math.Erfc(math.Sqrt(chi2 / 2)); !near(*got.PValue, want, 1e-11) || want > 1e-40 {
		t.Errorf("p %g instead of %g", *got.PValue, want)
	}
}

func TestWhatDoesNotExistIsNil(t *testing.T) {
	t.Parallel()
	const abs, interval, p, rel, relInterval = 1, 2, 4, 8, 16
	for name, c := range map[string]struct {
		kind               Kind
		control, treatment *Sample
		has                int
		problem            error
		says               string
	}{
		"all there":                 {Mean, sample(t, 1, 2), sample(t, 2, 3), abs | interval | p | rel | relInterval, nil, ""},
		"no control":                {Mean, sample(t), sample(t, 2, 3), 0, ErrNoUnits, "control arm"},
		"no treatment":              {Proportion, did(t, 1, 3), sample(t), 0, ErrNoUnits, "treatment arm"},
		"one unit":                  {Mean, sample(t, 1), sample(t, 2, 3), abs | rel, ErrOneUnit, "control arm"},
		"one treated unit":          {Mean, sample(t, 1, 2), sample(t, 3), abs | rel, ErrOneUnit, "treatment arm"},
		"one unit of a proportion":  {Proportion, did(t, 1, 1), did(t, 3, 5), abs | interval | p | rel | relInterval, nil, ""},
		"no variance":               {Mean, sample(t, 2, 2), sample(t, 3, 3), abs | rel, ErrNoVariance, "no interval"},
		"no variance in one arm":    {Mean, sample(t, 2, 2), sample(t, 3, 4), abs | interval | p | rel | relInterval, nil, ""},
		"nobody did":                {Proportion, did(t, 0, 4), did(t, 0, 5), abs, ErrNoVariance, ""},
		"everybody did":             {Proportion, did(t, 4, 4), did(t, 5, 5), abs | rel, ErrNoVariance, ""},
		"none against all":          {Proportion, did(t, 0, 4), did(t, 5, 5), abs | p, ErrNoVariance, ""},
		"none in control":           {Proportion, did(t, 0, 4), did(t, 2, 5), abs | interval | p, ErrNotPositive, "control arm"},
		"none in treatment":         {Proportion, did(t, 2, 4), did(t, 0, 5), abs | interval | p | rel, ErrNotPositive, "treatment arm"},
		"negative control mean":     {Mean, sample(t, -3, -2), sample(t, 2, 3), abs | interval | p, ErrNotPositive, "control arm"},
		"beyond the largest number": {Mean, sample(t, -1.7e308, -1.6e308), sample(t, 1.7e308, 1.6e308), 0, ErrTooLarge, "larger unit"},
		"variance beyond the largest": {Mean, sample(t, 1e300, 2e300), sample(t, 1e300, 3e300),
			abs | rel, ErrTooLarge, "larger unit"},
	} {
		got := compare(t, c.kind, c.control, c.treatment)
		has := 0
		for bit, figures := range map[int][]*float64{abs: {got.DiffAbs}, interval: {got.DiffAbsLow, got.DiffAbsHigh},
			p: {got.PValue}, rel: {got.DiffRel}, relInterval: {got.DiffRelLow, got.DiffRelHigh}} {
			for _, f := range figures {
				if f != nil {
					has |= bit
					if math.IsNaN(*f) || math.IsInf(*f, 0) {
						t.Errorf("%s: a figure is %g", name, *f)
					}
				} else if has&bit != 0 {
					t.Errorf("%s: half an interval", name)
				}
			}
		}
		if has != c.has || !errors.Is(got.Problem, c.problem) || (got.Problem == nil) != (c.problem == nil) {
			t.Errorf("%s: has %05b instead of %05b; %v", name, has, c.has, got.Problem)
		}
		if got.Problem != nil && (!strings.Contains(got.Problem.Error(), c.says) || strings.Contains(got.Problem.Error(), "\n")) {
			t.Errorf("%s: %q does not say %q in one line", name, got.Problem, c.says)
		}
	}
}

func TestMisuseIsAnError(t *testing.T) {
	t.Parallel()
	a, b := sample(t, 0, 1), sample(t, 0, 2)
	for name, call := range map[string]func() error{
		"alpha 0":    func() error { _, err := Compare(Mean, a, b, 0); return err },
		"alpha NaN":  func() error { _, err := Compare(Mean, a, b, math.NaN()); return err },
		"kind":       func() error { _, err := Compare("median", a, b, 0.05); return err },
		"not binary": func() error { _, err := Compare(Proportion, a, b, 0.05); return err },
		"merged": func() error {
			var c Sample
			c.Merge(b)
			_, err := Compare(Proportion, a, &c, 0.05)
			return err
		},
		"srm lengths":  func() error { _, err := SRM([]int64{1, 2}, []float64{1}); return err },
		"srm one arm":  func() error { _, err := SRM([]int64{1, 0}, []float64{1, 0}); return err },
		"srm nobody":   func() error { _, err := SRM([]int64{0, 0}, []float64{1, 1}); return err },
		"srm count":    func() error { _, err := SRM([]int64{-1, 3}, []float64{1, 1}); return err },
		"srm weight":   func() error { _, err := SRM([]int64{1, 3}, []float64{1, -1}); return err },
		"srm infinity": func() error { _, err := SRM([]int64{1, 3}, []float64{1, math.Inf(1)}); return err },
	} {
		if call() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSRM(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		counts  []int64
		weights []float64
		p       float64
	}{
		"as intended":                       {[]int64{500, 500}, []float64{1, 1}, 1},
		"three arms in closed form":         {[]int64{90, 100, 110}, []float64{1, 1, 1}, math.Exp(-1)}, // χ² 2, e^−χ²/2
		"weights need not be shares":        {[]int64{900, 100}, []float64{90, 10}, 1},
		"a stray unit in an arm without":    {[]int64{500, 500, 1}, []float64{1, 1, 0}, 0},
		"a bad split of a milliard is tiny": {[]int64{500_200_000, 499_800_000}, []float64{1, 1}, math.Erfc(math.Sqrt(80))},
	} {
		if p, err := SRM(c.counts, c.weights); err != nil || !near(p, c.p, 1e-11) {
			t.Errorf("%s: %g, %v instead of %g", name, p, err, c.p)
		}
	}
}

// The 95 % intervals cover the truth about 95 % of the time, and the tests reject 5 % of the time when there is none.
func TestCoverage(t *testing.T) {
	if os.Getenv("CROSSLIFT_SOAK") == "" {
		t.Skip("CROSSLIFT_SOAK is not set")
	}
	t.Parallel()
	const seed, rounds, units = 11, 8000, 600
	r := rand.New(rand.NewPCG(seed, 0))
	draw := map[Kind]func(effect float64) float64{
		Proportion: func(effect float64) float64 {
			if r.Float64() < 0.2*(1+effect) {
				return 1
			}
			return 0
		},
		Mean: func(effect float64) float64 { return (1 + effect) * r.ExpFloat64() },
	}
	base := map[Kind]float64{Proportion: 0.2, Mean: 1}
	for kind, value := range draw {
		for _, effect := range []float64{0, 0.15} {
			var abs, rel, rejected int
			for range rounds {
				control, treatment := new(Sample), new(Sample)
				for i := range 2 * units {
					if i%2 == 0 {
						_ = control.Add(value(0))
					} else {
						_ = treatment.Add(value(effect))
					}
				}
				c := compare(t, kind, control, treatment)
				if truth := base[kind] * effect; *c.DiffAbsLow <= truth && truth <= *c.DiffAbsHigh {
					abs++
				}
				if *c.DiffRelLow <= effect && effect <= *c.DiffRelHigh {
					rel++
				}
				if *c.PValue < 0.05 {
					rejected++
				}
			}
			// 95 % of 8000 has a standard error of 0.25 %; the asymptotics themselves may cost half a percent.
			for what, n := range map[string]int{"absolute": abs, "relative": rel} {
				if share := float64(n) / rounds; math.Abs(share-0.95) > 0.0125 {
					t.Errorf("seed %d, %s, effect %g: the %s interval covers %.1f %%", seed, kind, effect, what, 100*share)
				}
			}
			if share := float64(rejected) / rounds; effect == 0 && math.Abs(share-0.05) > 0.0125 {
				t.Errorf("seed %d, %s: rejects %.1f %% without an effect", seed, kind, 100*share)
			}
			t.Logf("%s, effect %g: absolute %d, relative %d, rejected %d of %d", kind, effect, abs, rel, rejected, rounds)
		}
	}
}

func BenchmarkSampleAdd(b *testing.B) {
	var s Sample
	for i := 0; b.Loop(); i++ {
		_ = s.Add(float64(i&1023) / 100)
	}
}

func BenchmarkCompare(b *testing.B) {
	control, treatment := sample(b, 1.1, 2.2, 3.3), sample(b, 1.4, 2.2, 3.6)
	for b.Loop() {
		_ = compare(b, Mean, control, treatment)
	}
}

func BenchmarkCompareMillions(b *testing.B) { // the continued fraction is longest for many degrees of freedom
	control, treatment := sample(b, 1, 2), sample(b, 1, 2.001)
	for range 29 {
		control.Merge(control)
		treatment.Merge(treatment)
	}
	for b.Loop() {
		_ = compare(b, Mean, control, treatment)
	}
}
