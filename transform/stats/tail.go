package stats

import "math"

// The tails below keep their relative accuracy however small they are: a p-value of 1e-40 is right to 12 digits.

// tail is P(|T| > t) for t ≥ 0 and Student's t with df ≥ 1 degrees of freedom; an infinite df means the normal.
//
// For Student's t it is the density at t times ∫₀^∞ of the density at t+s relative to that at t, by the trapezoidal rule
// after s = scale·exp(π/2·sinh v), the double exponential transform of H. Takahasi and M. Mori (Publ. RIMS 9 (1974)):
// positive terms throughout, so nothing cancels, for any df. (The continued fraction of the incomplete beta function
// loses half of the digits at 10⁹ degrees of freedom.)
func tail(t, df float64) float64 {
	switch {
	case math.IsInf(df, 1):
		return math.Erfc(t / math.Sqrt2)
	case t == 0:
		return 1
	}
	const step, end = 1. / 24, 4.5                    // s/scale from 1e-31 to 1e+31
	scale := (df + t*t) / ((df+1)*t + (df+t*t)/(1+t)) // over which the density falls
	integral := 0.0
	for v := -end; v <= end; v += step {
		s := scale * math.Exp(math.Pi/2*math.Sinh(v))
		term := math.Exp(-(df+1)/2*math.Log1p(s*(2*t+s)/(df+t*t))) * s * math.Cosh(v)
		integral += term
		if v > 0 && term < 1e-18*integral {
			break
		}
	}
	return min(2*density(t, df)*integral*step*math.Pi/2, 1)
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

// quantile is the t for which tail(t, df) = alpha, 1e-60 < alpha < 1: the half-width of an interval in standard errors.
// It solves for log t by Newton's method: the logarithm of the tail is concave and falling in it, so from the second
// step on the approach is from one side.
func quantile(alpha, df float64) float64 {
	target := math.Log(alpha)
	u := math.Log(math.Sqrt(-2 * target))
	for range 200 {
		t := math.Exp(u)
		p := tail(t, df)
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
