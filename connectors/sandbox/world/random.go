package world

import (
	"math"
	"math/rand/v2"
	"time"
)

// dice are the random numbers of one concern of one household. Concerns have dice of their own, so that more web events
// do not change who pays.
type dice struct{ *rand.Rand }

// The concerns. Their numbers never change: worlds depend on them.
const (
	ofPeople = iota + 1
	ofDevices
	ofExperiment
	ofBilling
	ofBank
	ofCRM
	ofVisits
	ofWeb
	ofPayments
	ofLives
	ofVersions
	ofFaults
	ofLending
	ofPlaces
	ofNumbers
)

func roll(seed uint64, household int64, concern uint64) dice {
	return dice{rand.New(rand.NewPCG(mix(seed^concern*0x9e3779b97f4a7c15), mix(uint64(household)+concern)))}
}

// mix is the finaliser of SplitMix64, a bijection of 64 bits (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom
// number generators", 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// chance is true with a probability.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// within is a span between two, to the second and never at the ends, wherever they are two seconds apart.
func (d dice) within(from, to time.Duration) time.Duration {
	return from + time.Second + time.Duration(d.Float64()*(to-from-2*time.Second).Seconds())*time.Second
}

// millis is a span between two, to the millisecond.
func (d dice) millis(from, to time.Duration) time.Duration {
	return (from + time.Duration(d.Float64()*float64(to-from))).Truncate(time.Millisecond)
}

// pick is an index by weight.
func (d dice) pick(weights ...float64) int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	x := d.Float64() * total
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// poisson draws a count (D. Knuth, TAOCP 2, 3.4.1); means are small here.
func (d dice) poisson(mean float64) int {
	n, limit := 0, math.Exp(-mean)
	for p := d.Float64(); p > limit; p *= d.Float64() {
		n++
	}
	return n
}

// exponential is a waiting time with a mean, to the second.
func (d dice) exponential(mean time.Duration) time.Duration {
	return time.Duration(d.ExpFloat64() * float64(mean)).Truncate(time.Second)
}

// among is one of a list.
func among[T any](d dice, list []T) T { return list[d.IntN(len(list))] }
