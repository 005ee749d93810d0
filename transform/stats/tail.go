package stats

import "math"

// The tails below keep their relative accuracy however small they are: a p-value of 1e-40 is right to about 1e-13.

// tail is P(|T| > t) for t ≥ 0 and Student's t with df degrees of freedom; an infinite df means the normal.
//
// For Student's t it is the regularised incomplete beta function I_x(df/2, 1/2), x = df/(df+t²) (DLMF 8.17, NIST).
// Both x and 1−x are computed from t, so neither suffers from the other's rounding.
func tail(t, df float64) float64 {
	switch {
	case math.IsNaN(t):
		return math.NaN()
	case math.IsInf(df, 1):
		return math.Erfc(t / math.Sqrt2)
	case t == 0:
		return 1
	case math.IsInf(t, 1):
		return 0
	}
	u := t / df * t // t²/df = (1−x)/x
	x, y := 1/(1+u), 1/(1+1/u)
	a, b := df/2, 0.5
	// x^a·y^b/B(a, b), with B(a, 1/2) = √π·Γ(a)/Γ(a+1/2).
	front := math.Exp(-a*math.Log1p(u)) * math.Sqrt(y) * gammaRatio(a) / math.Sqrt(math.Pi)
	if y*(a+b+2) > b+1 {
		return front / a * fraction(a, b, x)
	}
	return 1 - front/b*fraction(b, a, y)
}

// gammaRatio is Γ(a+1/2)/Γ(a), by its asymptotic series in 1/a (DLMF 5.11.13) where that is good to the last digits,
// and by the recurrence of the gamma function below.
func gammaRatio(a float64) float64 {
	factor := 1.0
	for ; a < 32; a++ {
		factor *= a / (a + 0.5)
	}
	r := 1 / a
	series := 1 + r*(-1./8+r*(1./128+r*(5./1024+r*(-21./32768+r*(-399./262144+r*869./4194304)))))
	return factor * math.Sqrt(a) * series
}

// fraction is the continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's method, for x below
// (a+1)/(a+b+2), where it converges in about √max(a, b) steps.
func fraction(a, b, x float64) float64 {
	const tiny = 1e-300
	c, d := 1.0, 1-(a+b)*x/(a+1)
	if d == 0 {
		d = tiny
	}
	d = 1 / d
	h := d
	step := func(k float64) float64 {
		if d = 1 + k*d; d == 0 {
			d = tiny
		}
		if c = 1 + k/c; c == 0 {
			c = tiny
		}
		d = 1 / d
		h *= c * d
		return math.Abs(c*d - 1)
	}
	limit := 1000 + int(20*math.Sqrt(max(a, b)))
	for i := 1; i < limit; i++ {
		m := float64(i)
		even := step(m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m)))
		odd := step(-(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1)))
		if even < 1e-16 && odd < 1e-16 {
			break
		}
	}
	return h
}

// quantile is the t for which tail(t, df) = alpha, 0 < alpha < 1: the half-width of an interval in standard errors.
// It solves for log t by Newton's method: the logarithm of the tail is concave and falling in it, so from the second
// step on the approach is from one side.
func quantile(alpha, df float64) float64 {
	target := math.Log(alpha)
	u := math.Log(math.Sqrt(-2 * target))
	for range 200 {
		t := math.Exp(u)
		p := tail(t, df)
		if p == 0 { // too far out for a slope
			u -= 0.5
			continue
		}
		step := (math.Log(p) - target) * p / (2 * t * density(t, df))
		u += step
		if math.Abs(step) < 1e-15 {
			break
		}
	}
	return math.Exp(u)
}

// density is that of the normal or of Student's t.
func density(t, df float64) float64 {
	if math.IsInf(df, 1) {
		return math.Exp(-t*t/2) / math.Sqrt(2*math.Pi)
	}
	return math.Exp(-(df+1)/2*math.Log1p(t/df*t)) * gammaRatio(df/2) / math.Sqrt(math.Pi*df)
}

// chiSquareTail is P(X > x) for a chi-square variable with df degrees of freedom: the upper regularised incomplete
// gamma function Q(df/2, x/2), which for whole df is a finite sum of positive terms, by the recurrence
// Q(a+1, h) = Q(a, h) + h^a·e^−h/Γ(a+1) from Q(0, h) = 0 or Q(1/2, h) = erfc(√h) (DLMF 8.4.6, 8.8.2).
func chiSquareTail(x float64, df int) float64 {
	h := x / 2
	if h == 0 {
		return 1
	}
	a, p := 0.0, 0.0
	if df%2 == 1 {
		a, p = 0.5, math.Erfc(math.Sqrt(h))
	}
	for ; a < float64(df)/2; a++ {
		gamma, _ := math.Lgamma(a + 1)
		p += math.Exp(a*math.Log(h) - h - gamma)
	}
	return min(p, 1)
}
