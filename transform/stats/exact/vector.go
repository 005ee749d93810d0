package exact

import "math"

// Vector is many exact sums, one an index, at 8 to 16 bytes each: made for millions of units with few terms each. The
// zero value is empty and grows as needed.
//
// A sum is kept as two float64 values whose exact sum it is (the error-free TwoSum of D. Knuth, The Art of Computer
// Programming vol. 2, 4.2.2, theorem B). The few that need more bits move to a Sum of their own.
type Vector struct {
	high, low []float64
	wide      map[int]*Sum
}

// Len is the number of indices.
func (v *Vector) Len() int { return len(v.high) }

// Add adds x to the sum at index i ≥ 0; indices up to it begin with empty sums.
func (v *Vector) Add(i int, x float64) {
	for len(v.high) <= i {
		v.high = append(v.high, 0)
	}
	if sum, ok := v.wide[i]; ok {
		sum.Add(x)
		return
	}
	high, rest := twoSum(v.high[i], x)
	if rest == 0 {
		v.high[i] = high
		return
	}
	low, lost := twoSum(v.lowAt(i), rest)
	if lost == 0 && !math.IsInf(high, 0) {
		for len(v.low) <= i {
			v.low = append(v.low, 0)
		}
		v.high[i], v.low[i] = high, low
		return
	}
	sum := new(Sum)
	sum.Add(v.high[i])
	sum.Add(v.lowAt(i))
	sum.Add(x)
	if v.wide == nil {
		v.wide = map[int]*Sum{}
	}
	v.wide[i] = sum
}

// At is the float64 nearest to the sum at index i: an infinity where it is beyond the largest one, NaN where a term was
// not finite, 0 beyond the last index.
func (v *Vector) At(i int) float64 {
	if i >= len(v.high) {
		return 0
	}
	if sum, ok := v.wide[i]; ok {
		return sum.Float64()
	}
	return v.high[i] + v.lowAt(i)
}

func (v *Vector) lowAt(i int) float64 {
	if i < len(v.low) {
		return v.low[i]
	}
	return 0
}

// twoSum splits a+b into the nearest float64 and what rounding took away, NaN when the sum overflows.
func twoSum(a, b float64) (sum, rest float64) {
	sum = a + b
	t := sum - a
	return sum, (a - (sum - t)) + (b - t)
}
