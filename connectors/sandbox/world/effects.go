package world

import "math"

// Effect is the population mean of a metric in both arms, were everybody in it, over the accounts that enter.
type Effect struct {
	Metric             string
	Unit               string // share, RUB minor, seconds
	WindowDays         int64
	Control, Treatment float64
}

// Effects follow from the parameters:
//
//	P(first) = p₁, P(second) = p₁·p₂,
//	E[revenue] = p₁·(1+p₂)·E[price]·P(roubles),
//	E[watched] = P(viewer)·1/(1−more)·E[session], the number of sessions being geometric from 1.
func Effects() []Effect {
	effect := func(metric, unit string, window int64, mean func(arm) float64) Effect {
		return Effect{metric, unit, window, mean(arms[0]), mean(arms[1])}
	}
	return []Effect{
		effect("paid_first_month", "share", firstWindow, func(a arm) float64 { return a.first }),
		effect("paid_second_month", "share", payWindow, func(a arm) float64 { return a.first * a.second }),
		effect("revenue", "RUB minor", payWindow, func(a arm) float64 {
			rub := prices["RUB"]
			return a.first * (1 + a.second) * (float64(rub[0])*(1-a.family) + float64(rub[1])*a.family) * (1 - tenge)
		}),
		effect("watched_seconds", "seconds", watchWindow, func(a arm) float64 { return a.viewer / (1 - a.more) * meanSession() }),
	}
}

// tenge is the share of those who pay in another currency than roubles.
const tenge = 0.08

// meanSession is E[min(X, c)] for a log-normal X and c = sessionMax:
// exp(μ+σ²/2)·Φ((ln c−μ−σ²)/σ) + c·(1−Φ((ln c−μ)/σ)).
func meanSession() float64 {
	phi := func(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
	z := (math.Log(sessionMax) - sessionMu) / sessionSigma
	return math.Exp(sessionMu+sessionSigma*sessionSigma/2)*phi(z-sessionSigma) + sessionMax*phi(-z)
}
