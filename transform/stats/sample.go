// Package stats compares the arms of an experiment. Its functions are pure: equal samples give equal bits, in whatever
// order and in however many partitions their values came.
//
// The arithmetic that could cancel, the sums behind means, variances and differences, is exact and rounded once.
package stats

import (
	"fmt"
	"math"
	"math/big"

	"crosslift/transform/stats/exact"
)

// Sample is the values of one arm, one a unit. The zero value is an arm without units.
type Sample struct {
	n            int64
	sum, squares exact.Sum
	notBinary    bool
}

// Add adds a unit's value. A NaN or an infinity is refused and leaves the sample as it was.
func (s *Sample) Add(x float64) error {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("stats: %g is not a value: expected a finite number", x)
	}
	s.n++
	if x == 0 {
		return nil
	}
	s.sum.Add(x)
	s.squares.AddProduct(x, x)
	s.notBinary = s.notBinary || x != 1
	return nil
}

// AddN adds the same value for n units, in time that grows with the logarithm of n.
func (s *Sample) AddN(x float64, n int64) error {
	if n < 0 {
		return fmt.Errorf("stats: %d units: expected 0 or more", n)
	}
	var doubled Sample
	if err := doubled.Add(x); err != nil || n == 0 {
		return err
	}
	if x == 0 {
		s.n += n
		return nil
	}
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			s.Merge(&doubled)
		}
		if n > 1 {
			doubled.Merge(&doubled)
		}
	}
	return nil
}

// Merge adds the units of another sample, which it leaves as it is.
func (s *Sample) Merge(o *Sample) {
	s.sum.Merge(&o.sum)
	s.squares.Merge(&o.squares)
	s.n += o.n
	s.notBinary = s.notBinary || o.notBinary
}

// N is the number of units.
func (s *Sample) N() int64 { return s.n }

// Mean is the arithmetic mean, the exact one rounded once; NaN without units.
func (s *Sample) Mean() float64 {
	if s.n == 0 {
		return math.NaN()
	}
	return ratio(s.sum.Int(), big.NewInt(s.n), -exact.Scale)
}

// Variance is the unbiased sample variance (Σx² − (Σx)²/n)/(n−1), the exact one rounded once; NaN below two units, an
// infinity beyond the largest float64.
func (s *Sample) Variance() float64 {
	if s.n < 2 {
		return math.NaN()
	}
	n := big.NewInt(s.n)
	// n·Σx² − (Σx)², in units of 2^-2·Scale.
	spread := s.squares.Int()
	spread.Mul(spread, n).Lsh(spread, exact.Scale)
	sum := s.sum.Int()
	spread.Sub(spread, sum.Mul(sum, sum))
	return ratio(spread, n.Mul(n, big.NewInt(s.n-1)), -2*exact.Scale)
}

// difference is the mean of a less the mean of b, rounded once.
func difference(a, b *Sample) float64 {
	na, nb := big.NewInt(a.n), big.NewInt(b.n)
	x, y := a.sum.Int(), b.sum.Int()
	x.Sub(x.Mul(x, nb), y.Mul(y, na))
	return ratio(x, na.Mul(na, nb), -exact.Scale)
}

// lift is the mean of a over the positive mean of b, less 1, rounded once.
func lift(a, b *Sample) float64 {
	x, y := a.sum.Int(), b.sum.Int()
	x.Mul(x, big.NewInt(b.n))
	y.Mul(y, big.NewInt(a.n))
	return ratio(x.Sub(x, y), y, 0)
}

// ratio is a/b·2^exponent, rounded to a float64.
func ratio(a, b *big.Int, exponent int) float64 {
	x, y := new(big.Float).SetInt(a), new(big.Float).SetInt(b)
	q := new(big.Float).SetPrec(53).Quo(x, y)
	f, _ := q.SetMantExp(q, exponent).Float64()
	return f
}
