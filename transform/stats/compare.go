package stats

import (
	"errors"
	"fmt"
	"math"
)

// Kind is what a metric measures of a unit.
type Kind string

// The kinds of metrics, named as in their definitions.
const (
	Proportion Kind = "proportion" // 1 or 0: the share of units that did
	Mean       Kind = "mean"       // any number: the average over all units
	Ratio      Kind = "ratio"      // two numbers: the sum of the one over the sum of the other
)

// Why a part of a comparison does not exist. Comparison.Problem wraps one of them.
var (
	ErrNoUnits     = errors.New("no units")
	ErrOneUnit     = errors.New("a single unit has no variance: at least 2 are needed")
	ErrNoVariance  = errors.New("no arm has units of different values, so no interval")
	ErrNotPositive = errors.New("no mean above 0, so no relative difference with an interval")
	ErrNoDivisor   = errors.New("the denominators add up to nothing")
	ErrTooLarge    = errors.New("values too large for the arithmetic: use a larger unit")
)

// Comparison is a treatment against the control. What does not exist is nil, and Problem says why.
type Comparison struct {
	Method    string // "z", "welch" or "delta"
	RelMethod string // "log"

	DiffAbs, DiffAbsLow, DiffAbsHigh *float64 // mean of the treatment − mean of the control, with its interval
	DiffRel, DiffRelLow, DiffRelHigh *float64 // the same as a share of the control's mean: 0.1 is 10 % more
	PValue                           *float64 // two-sided, of no absolute difference

	// Problem is the first reason, in one line, why something above is nil; nil when all of it is there.
	Problem error
}

// Compare compares a treatment with the control by intervals at the level 1−alpha and a two-sided test. The absolute
// test decides; the relative interval is another view of the same data and may include 0 when the test rejects, or the
// other way round.
//
// Proportion: the p-value is that of the z test with the pooled proportion, the interval Wald's with unpooled variances
// v = p(1−p) (e.g. A. Agresti, Categorical Data Analysis, 3.1). Its samples hold 0 and 1.
//
// Mean: Welch's t test and interval for unequal variances (B. L. Welch, Biometrika 34 (1947)), v the sample variance.
//
// Relative: (m_T/m_C)·exp(±q·√(v_T/(n_T·m_T²) + v_C/(n_C·m_C²))) − 1, the delta method on the logarithm of the ratio,
// which keeps the interval inside what is possible; q is the normal quantile for proportions and, for means, Student's
// with Welch's degrees of freedom of these two log variances (as tea-tasting does). It needs positive means.
//
// The error is a misuse: an unknown kind or one of CompareRatio, an alpha outside [1e-12, 1), a proportion with other values than 0 and 1.
func Compare(kind Kind, control, treatment *Sample, alpha float64) (Comparison, error) {
	c := Comparison{RelMethod: "log"}
	if err := checkAlpha(alpha); err != nil {
		return c, err
	}
	switch kind {
	case Proportion:
		c.Method = "z"
		if control.notBinary || treatment.notBinary {
			return Comparison{}, errors.New("stats: a proportion of values other than 0 and 1")
		}
	case Mean:
		c.Method = "welch"
	default:
		return Comparison{}, fmt.Errorf("stats: a sample of kind %q: expected %q or %q", kind, Proportion, Mean)
	}
	for _, arm := range []struct {
		name   string
		sample *Sample
	}{{"control", control}, {"treatment", treatment}} {
		if arm.sample.n == 0 {
			c.problem(fmt.Errorf("%s arm: %w", arm.name, ErrNoUnits))
			return c, nil
		}
		if kind == Mean && arm.sample.n < 2 {
			c.problem(fmt.Errorf("%s arm: %w", arm.name, ErrOneUnit))
		}
	}
	e := estimate{kind: kind, alpha: alpha, control: momentsOf(kind, control), treatment: momentsOf(kind, treatment)}
	e.diff = difference(treatment, control)
	e.compare(&c, func() float64 { return lift(treatment, control) })
	return c, nil
}

func checkAlpha(alpha float64) error {
	if !(alpha >= 1e-12 && alpha < 1) {
		return fmt.Errorf("stats: alpha %g: expected a number between 1e-12 and 1", alpha)
	}
	return nil
}

func (c *Comparison) problem(err error) {
	if c.Problem == nil {
		c.Problem = err
	}
}

// put sets a figure, unless it is not a number that exists.
func (c *Comparison) put(at **float64, x float64) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		c.problem(ErrTooLarge)
		return
	}
	*at = &x
}

// moments are those of an arm.
type moments struct{ n, mean, variance float64 }

func momentsOf(kind Kind, s *Sample) moments {
	m := moments{n: float64(s.n), mean: s.Mean()}
	if kind == Proportion {
		m.variance = m.mean * (1 - m.mean)
	} else {
		m.variance = s.Variance()
	}
	return m
}

// Deviation is the standard deviation between the units of an arm, √v with the v of Compare: √(p(1−p)) of a proportion,
// the sample's of a mean. NaN where there are too few units for one.
func Deviation(kind Kind, s *Sample) float64 { return math.Sqrt(momentsOf(kind, s).variance) }

// estimate is what a comparison is computed from.
type estimate struct {
	kind               Kind
	alpha, diff        float64
	control, treatment moments
}

// compare fills in what there is to say; lift gives the relative difference of positive means.
func (e *estimate) compare(c *Comparison, lift func() float64) {
	c.put(&c.DiffAbs, e.diff)
	if c.Problem == nil {
		e.absolute(c)
	}
	e.relative(c, lift)
}

func (e *estimate) absolute(c *Comparison) {
	vc, vt := e.control.variance/e.control.n, e.treatment.variance/e.treatment.n
	se, df := math.Sqrt(vc+vt), math.Inf(1)
	if math.IsInf(se, 1) {
		c.problem(ErrTooLarge)
		return
	}
	test := se
	switch e.kind {
	case Mean:
		df = welch(e.treatment, vt, e.control, vc)
	case Proportion:
		n := e.control.n + e.treatment.n
		pooled := (e.control.n*e.control.mean + e.treatment.n*e.treatment.mean) / n
		test = math.Sqrt(pooled * (1 - pooled) * (1/e.control.n + 1/e.treatment.n))
	}
	if test > 0 {
		c.put(&c.PValue, tail(math.Abs(e.diff)/test, df))
	}
	if se == 0 {
		c.problem(ErrNoVariance)
		return
	}
	half := quantile(e.alpha, df) * se
	c.put(&c.DiffAbsLow, e.diff-half)
	c.put(&c.DiffAbsHigh, e.diff+half)
}

func (e *estimate) relative(c *Comparison, lift func() float64) {
	if e.control.mean <= 0 {
		c.problem(fmt.Errorf("control arm: %w", ErrNotPositive))
		return
	}
	rel := lift()
	c.put(&c.DiffRel, rel)
	if e.treatment.mean <= 0 {
		c.problem(fmt.Errorf("treatment arm: %w", ErrNotPositive))
		return
	}
	if c.Problem != nil {
		return // a missing variance has been told
	}
	vc, vt := e.control.logVariance(), e.treatment.logVariance()
	df := math.Inf(1)
	if e.kind == Mean {
		df = welch(e.treatment, vt, e.control, vc)
	}
	half := quantile(e.alpha, df) * math.Sqrt(vc+vt)
	log := math.Log1p(rel)
	c.put(&c.DiffRelLow, math.Expm1(log-half))
	c.put(&c.DiffRelHigh, math.Expm1(log+half))
}

// logVariance is the variance of the logarithm of the mean, by the delta method.
func (m moments) logVariance() float64 {
	s := math.Sqrt(m.variance) / m.mean
	return s * s / m.n
}

// welch is the degrees of freedom of the Welch–Satterthwaite equation for means with variances vt and vc.
func welch(t moments, vt float64, c moments, vc float64) float64 {
	share := vt / (vt + vc)
	return 1 / (share*share/(t.n-1) + (1-share)*(1-share)/(c.n-1))
}
