// Package exact adds floating-point numbers without rounding, so that a sum depends neither on the order of its terms
// nor on how they were split between partitions and merged again.
package exact

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

const (
	// Scale is the number of binary places after the point: the square of the smallest positive float64 is 2^-2148.
	Scale = 2148
	// limbs of 32 bits cover 2^-2148 to 2^2048, the largest square, and 63 bits for the number of terms.
	limbs = 134
	// A limb takes 2^31 terms of 32 bits before it may overflow; carries are resolved long before.
	maxPending = 1 << 29
)

// Sum is the exact sum of up to 2^63 float64 values or products of two. The zero value is an empty sum. It is a long
// fixed-point number in carry-save form, a "small superaccumulator" (R. Neal, Fast exact summation using small and
// large superaccumulators, arXiv:1505.05571) that is wide enough for products. It takes 1 KiB.
//
// A NaN or an infinity among the terms makes the sum NaN for good.
type Sum struct {
	limb    [limbs]int64 // Σ limb[i]·2^(32i−Scale)
	pending int          // how many terms limbs may hold since carries were resolved
	nan     bool
}

// Add adds x.
func (s *Sum) Add(x float64) {
	negative, m, e, ok := split(x)
	if !ok {
		s.nan = true
		return
	}
	s.add(negative, 0, m, e+Scale)
}

// addInt adds a whole number, in two halves that float64 values hold.
func (s *Sum) addInt(x int64) {
	s.Add(float64(x >> 32 << 32))
	s.Add(float64(x & (1<<32 - 1)))
}

// AddProduct adds x·y, not rounded.
func (s *Sum) AddProduct(x, y float64) {
	negativeX, mx, ex, okX := split(x)
	negativeY, my, ey, okY := split(y)
	if !okX || !okY {
		s.nan = true
		return
	}
	hi, lo := bits.Mul64(mx, my)
	s.add(negativeX != negativeY, hi, lo, ex+ey+Scale)
}

// split takes a finite x apart: ±m·2^e.
func split(x float64) (negative bool, m uint64, e int, ok bool) {
	b := math.Float64bits(x)
	e = int(b >> 52 & 0x7ff)
	m = b & (1<<52 - 1)
	if e == 0x7ff {
		return false, 0, 0, false
	}
	if e == 0 {
		e = 1
	} else {
		m |= 1 << 52
	}
	return b>>63 == 1, m, e - 1075, true
}

// add adds ±(hi·2^64+lo)·2^(place−Scale).
func (s *Sum) add(negative bool, hi, lo uint64, place int) {
	i, shift := place>>5, uint(place&31)
	a := lo << shift
	b := hi<<shift | lo>>(64-shift)
	c := hi >> (64 - shift)
	var mask int64 // −1 negates: (v ^ −1) − (−1) = −v
	if negative {
		mask = -1
	}
	l := s.limb[i : i+5 : i+5]
	l[0] += (int64(uint32(a)) ^ mask) - mask
	l[1] += (int64(a>>32) ^ mask) - mask
	l[2] += (int64(uint32(b)) ^ mask) - mask
	l[3] += (int64(b>>32) ^ mask) - mask
	l[4] += (int64(c) ^ mask) - mask
	if s.pending++; s.pending >= maxPending {
		s.carry()
	}
}

// Merge adds another sum, which it leaves as it is.
func (s *Sum) Merge(o *Sum) {
	pending := o.pending + 1 // before s changes: o may be s
	for i := range s.limb {
		s.limb[i] += o.limb[i]
	}
	s.nan = s.nan || o.nan
	if s.pending += pending; s.pending >= maxPending {
		s.carry()
	}
}

// carry brings every limb but the highest into [0, 2^32), which makes the representation of a value unique.
func (s *Sum) carry() {
	for i := range limbs - 1 {
		c := s.limb[i] >> 32
		s.limb[i] -= c << 32
		s.limb[i+1] += c
	}
	s.pending = 1
}

// Int is the sum times 2^Scale; nil when the sum is NaN.
func (s *Sum) Int() *big.Int {
	if s.nan {
		return nil
	}
	t := *s
	t.carry()
	negative := t.limb[limbs-1] < 0
	if negative {
		for i := range t.limb {
			t.limb[i] = -t.limb[i]
		}
		t.carry()
	}
	var buffer [4 * limbs]byte
	for i, l := range t.limb {
		binary.BigEndian.PutUint32(buffer[4*(limbs-1-i):], uint32(l))
	}
	z := new(big.Int).SetBytes(buffer[:])
	if negative {
		z.Neg(z)
	}
	return z
}

// Float64 is the float64 nearest to the sum, ties to even: an infinity where the sum is beyond the largest one.
func (s *Sum) Float64() float64 {
	z := s.Int()
	if z == nil {
		return math.NaN()
	}
	f := new(big.Float).SetInt(z) // as precise as z is long
	x, _ := f.SetMantExp(f, -Scale).Float64()
	return x
}
