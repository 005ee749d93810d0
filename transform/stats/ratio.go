package stats

import (
	"fmt"
	"math"
	"math/big"

	"crosslift/transform/stats/exact"
)

// Pairs are the values of one arm of a ratio: a numerator and a denominator a unit. The zero value is an arm without units.
type Pairs struct {
	n                        int64
	sum, over                exact.Sum // Σm, Σd
	squares, products, overs exact.Sum // Σm², Σm·d, Σd²
}

// Add adds a unit's values. A NaN or an infinity is refused and leaves the pairs as they were.
func (p *Pairs) Add(numerator, denominator float64) error {
	for _, x := range []float64{numerator, denominator} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("stats: %g over %g is not a value: expected finite numbers", numerator, denominator)
		}
	}
	p.n++
	p.sum.Add(numerator)
	p.over.Add(denominator)
	p.squares.AddProduct(numerator, numerator)
	p.products.AddProduct(numerator, denominator)
	p.overs.AddProduct(denominator, denominator)
	return nil
}

// N is the number of units.
func (p *Pairs) N() int64 { return p.n }

// Ratio is Σm/Σd, the exact one rounded once; NaN where Σd is 0.
func (p *Pairs) Ratio() float64 {
	m, d := p.sum.Int(), p.over.Int()
	if d.Sign() == 0 {
		return math.NaN()
	}
	return ratio(m, d, 0)
}

// Variance is n times that of Ratio by the delta method, Σ(m − R·d)²/(n−1) over the square of the mean of d, with R = Σm/Σd
// (W. G. Cochran, Sampling Techniques, 2.11; A. Deng et al., Applying the Delta Method in Metric Analytics, KDD 2018): the
// exact one rounded once. NaN below two units, or where Σd is 0.
func (p *Pairs) Variance() float64 {
	m, d, n := p.sum.Int(), p.over.Int(), big.NewInt(p.n)
	if p.n < 2 || d.Sign() == 0 {
		return math.NaN()
	}
	times := func(factors ...*big.Int) *big.Int {
		product := big.NewInt(1)
		for _, f := range factors {
			product.Mul(product, f)
		}
		return product
	}
	// d²·Σm² − 2·m·d·Σmd + m²·Σd², in units of 2^-3·Scale.
	spread := times(d, d, p.squares.Int())
	spread.Sub(spread, times(big.NewInt(2), m, d, p.products.Int()))
	spread.Add(spread, times(m, m, p.overs.Int()))
	return ratio(times(n, n, spread), times(d, d, d, d, big.NewInt(p.n-1)), exact.Scale)
}

func (p *Pairs) moments() moments {
	return moments{n: float64(p.n), mean: p.Ratio(), variance: p.Variance()}
}

// CompareRatio compares the ratios of two arms as Compare does means: by the normal distribution, with the variances of
// Pairs, which are right when both sums are of many units. The relative interval is on the logarithm of the ratio, too.
func CompareRatio(control, treatment *Pairs, alpha float64) (Comparison, error) {
	c := Comparison{Method: "delta", RelMethod: "log"}
	if err := checkAlpha(alpha); err != nil {
		return c, err
	}
	for _, arm := range []struct {
		name  string
		pairs *Pairs
	}{{"control", control}, {"treatment", treatment}} {
		switch {
		case arm.pairs.n == 0:
			c.problem(fmt.Errorf("%s arm: %w", arm.name, ErrNoUnits))
			return c, nil
		case arm.pairs.over.Int().Sign() == 0:
			c.problem(fmt.Errorf("%s arm: %w", arm.name, ErrNoDivisor))
			return c, nil
		case arm.pairs.n < 2:
			c.problem(fmt.Errorf("%s arm: %w", arm.name, ErrOneUnit))
		}
	}
	e := estimate{kind: Ratio, alpha: alpha, control: control.moments(), treatment: treatment.moments()}
	// m/d − m'/d' and (m/d)/(m'/d') − 1 are both (m·d' − m'·d) over a product.
	m, d, mc, dc := treatment.sum.Int(), treatment.over.Int(), control.sum.Int(), control.over.Int()
	rest := new(big.Int).Sub(new(big.Int).Mul(m, dc), new(big.Int).Mul(mc, d))
	e.diff = ratio(rest, new(big.Int).Mul(d, dc), 0)
	e.compare(&c, func() float64 { return ratio(rest, new(big.Int).Mul(mc, d), 0) })
	return c, nil
}
