package stats

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

func load(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

// near allows a relative difference.
func near(got, want, tolerance float64) bool {
	return math.Abs(got-want) <= tolerance*math.Abs(want)
}

// fromSums makes a sample of the sums that a publication gives.
func fromSums(sums [3]float64) *Sample {
	s := &Sample{n: int64(sums[0])}
	s.sum.Add(sums[1])
	s.squares.Add(sums[2])
	return s
}

func TestPublishedComparisons(t *testing.T) {
	t.Parallel()
	var published struct {
		Comparisons []struct {
			Name               string
			Kind               Kind
			Control, Treatment [3]float64
			Diff, P            float64
			Interval, Relative []float64
		}
		SRM []struct {
			Name    string
			Counts  []int64
			Weights []float64
			P       float64
		}
	}
	load(t, "published.json", &published)
	if len(published.Comparisons) < 20 || len(published.SRM) < 10 {
		t.Fatalf("%d comparisons, %d ratios", len(published.Comparisons), len(published.SRM))
	}
	for _, p := range published.Comparisons {
		got, err := Compare(p.Kind, fromSums(p.Control), fromSums(p.Treatment), 0.05)
		if err != nil || got.Problem != nil {
			t.Errorf("%s: %v, %v", p.Name, err, got.Problem)
			continue
		}
		check := func(what string, got *float64, want, tolerance float64) {
			if !near(*got, want, tolerance) {
				t.Errorf("%s: %s: %.15g instead of %.15g", p.Name, what, *got, want)
			}
		}
		if p.Diff != 0 {
			check("difference", got.DiffAbs, p.Diff, 1e-11)
		}
		check("p-value", got.PValue, p.P, 1e-9)
		check("low", got.DiffAbsLow, p.Interval[0], 1e-9)
		check("high", got.DiffAbsHigh, p.Interval[1], 1e-9)
		if p.Relative != nil {
			check("relative difference", got.DiffRel, p.Relative[0], 1e-12)
			check("relative low", got.DiffRelLow, p.Relative[1], 1e-9)
			check("relative high", got.DiffRelHigh, p.Relative[2], 1e-9)
		}
	}
	for _, p := range published.SRM {
		if got, err := SRM(p.Counts, p.Weights); err != nil || !near(got, p.P, 1e-10) {
			t.Errorf("%s: %.15g, %v instead of %.15g", p.Name, got, err, p.P)
		}
	}
}

func TestTailsAreRelativelyRight(t *testing.T) {
	t.Parallel()
	var oracle struct {
		Student  [][3]*float64
		Quantile [][3]*float64
		Chi      [][3]float64 `json:"chi_square"`
	}
	load(t, "tails.json", &oracle)
	df := func(x *float64) float64 {
		if x == nil {
			return math.Inf(1)
		}
		return *x
	}
	worst, smallest := 0.0, 1.0
	check := func(what string, x, df, got, want float64) {
		worst, smallest = max(worst, math.Abs(got/want-1)), min(smallest, want)
		if !near(got, want, 1e-11) {
			t.Errorf("%s of %g, %g degrees of freedom: %.17g instead of %.17g, off by %.1e", what, x, df, got, want, got/want-1)
		}
	}
	for _, o := range oracle.Student {
		check("tail", *o[0], df(o[1]), tail(*o[0], df(o[1])), *o[2])
	}
	for _, o := range oracle.Quantile {
		check("quantile", *o[0], df(o[1]), quantile(*o[0], df(o[1])), *o[2])
	}
	for _, o := range oracle.Chi {
		check("chi-square tail", o[0], o[1], chiSquareTail(o[0], int(o[1])), o[2])
	}
	if smallest > 1e-100 {
		t.Errorf("the smallest tail is %g: the far tail is not tested", smallest)
	}
	t.Logf("off by at most %.1e, down to %g", worst, smallest)
}

func TestTailsAgreeWithGonum(t *testing.T) {
	t.Parallel()
	for _, df := range []float64{1, 2.5, 7, 30, 200} {
		student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}
		for x := 0.05; x < 6; x += 0.35 {
			if got, want := tail(x, df), 2*student.Survival(x); !near(got, want, 1e-9) {
				t.Errorf("t = %g, %g degrees of freedom: %g, gonum %g", x, df, got, want)
			}
		}
		for x := 0.1; x < 50; x *= 1.7 {
			if got, want := chiSquareTail(x, int(df)), (distuv.ChiSquared{K: math.Floor(df)}).Survival(x); !near(got, want, 1e-9) {
				t.Errorf("χ² = %g, %g degrees of freedom: %g, gonum %g", x, df, got, want)
			}
		}
	}
}

func TestQuantileInvertsTail(t *testing.T) {
	t.Parallel()
	for _, df := range []float64{1, 1.01, 3, 77.7, 1e5, 1e9, math.Inf(1)} {
		for _, alpha := range []float64{0.9999, 0.99, 0.3, 0.05, 1e-5, 1e-20, 1e-60} {
			if q := quantile(alpha, df); !near(tail(q, df), alpha, 1e-10) {
				t.Errorf("quantile(%g, %g) = %g, whose tail is %g", alpha, df, q, tail(q, df))
			}
		}
	}
}
