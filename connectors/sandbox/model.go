package sandbox

import "math"

// The names that the starter project knows the experiment by.
const (
	experimentName = "cashback_99"
	control        = "control"
	treatment      = "offer"
)

// arm holds the parameters that the offer changes. 99 % cashback makes many more people pay for a first month, of
// whom fewer stay; the injected effect is the difference between the arms.
type arm struct {
	name   string
	first  float64 // probability of paying a first month
	second float64 // of paying a second one, having paid the first
	family float64 // of the dearer plan, among those who pay
	viewer float64 // of watching anything
	more   float64 // probability of one more session after each, in the window
}

var arms = [2]arm{
	{control, 0.220, 0.550, 0.300, 0.480, 0.700},
	{treatment, 0.295, 0.452, 0.270, 0.520, 0.710},
}

// Prices in minor units of roubles; in Kazakhstan people pay in tenge, six times the number.
const (
	basicPrice  = 29900
	familyPrice = 49900
	tengeFactor = 6
)

// A session's length is log-normal, cut at a night's worth: a few people watch very much.
const (
	sessionMu    = 7.2 // of the logarithm of seconds: a median of 22 minutes
	sessionSigma = 1.15
	sessionMax   = 6 * 3600
)

// countries are weighted by their cumulative probabilities.
var countries = []struct {
	name string
	upTo float64
}{{"RU", 0.82}, {"BY", 0.88}, {"KZ", 0.96}, {"AM", 1}}

// tenge is the share of those who pay in another currency than roubles.
const tenge = 0.96 - 0.88

// truth computes the population means from the parameters:
//
//	P(first) = p₁, P(second) = p₁·p₂,
//	E[revenue] = p₁·(1+p₂)·E[price]·P(roubles),
//	E[watched] = P(viewer)·1/(1−more)·E[session], the number of sessions being geometric from 1.
func (o Options) truth() Truth {
	t := Truth{
		Seed: o.Seed, Users: o.Users, Days: o.Days, First: o.First, Experiment: experimentName,
		Control: control, Treatment: treatment, Metrics: map[string]Effect{},
	}
	if o.Zone != nil {
		t.Zone = o.Zone.String()
	}
	add := func(metric, unit string, mean func(arm) float64) {
		t.Metrics[metric] = Effect{Unit: unit, Control: mean(arms[0]), Treatment: mean(arms[1])}
	}
	add("paid_first_month", "share", func(a arm) float64 { return a.first })
	add("paid_second_month", "share", func(a arm) float64 { return a.first * a.second })
	add("revenue", "RUB minor", func(a arm) float64 {
		price := basicPrice*(1-a.family) + familyPrice*a.family
		return a.first * (1 + a.second) * price * (1 - tenge)
	})
	add("watched_seconds", "seconds", func(a arm) float64 { return a.viewer / (1 - a.more) * meanSession() })
	return t
}

// meanSession is E[min(X, c)] for a log-normal X and c = sessionMax:
// exp(μ+σ²/2)·Φ((ln c−μ−σ²)/σ) + c·(1−Φ((ln c−μ)/σ)).
func meanSession() float64 {
	phi := func(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
	z := (math.Log(sessionMax) - sessionMu) / sessionSigma
	return math.Exp(sessionMu+sessionSigma*sessionSigma/2)*phi(z-sessionSigma) + sessionMax*phi(-z)
}
