package exact

import "math"

// Vector is many exact sums, one an index, at 8 to 24 bytes each: made for millions of units with few terms each. The
// zero value is empty and grows as needed.
//
// A sum is kept as an integer and two float64 values whose exact sum it is (the error-free TwoSum of D. Knuth, The Art of
// Computer Programming vol. 2, 4.2.2, theorem B). The few that need more bits move to a Sum of their own.
type Vector struct {
	whole     []int64
	high, low []float64
	wide      map[int]*Sum
	expected  int
}

// Expect says that there will be indices below n, so that memory is taken once.
func (v *Vector) Expect(n int) { v.expected = n }

// Empty reports whether nothing was added yet.
func (v *Vector) Empty() bool { return len(v.whole) == 0 && len(v.high) == 0 && len(v.wide) == 0 }

// Add adds x to the sum at index i ≥ 0; indices up to it begin with empty sums.
func (v *Vector) Add(i int, x float64) {
	v.high = reach(v.high, i, v.expected)
	if v.wide != nil {
		if sum, ok := v.wide[i]; ok {
			sum.Add(x)
			return
		}
	}
	high, rest := twoSum(v.high[i], x)
	if rest == 0 {
		v.high[i] = high
		return
	}
	low, lost := twoSum(get(v.low, i), rest)
	if lost == 0 && !math.IsInf(high, 0) {
		v.low = reach(v.low, i, v.expected)
		v.high[i], v.low[i] = high, low
		return
	}
	v.widen(i).Add(x)
}

// AddInt adds a whole number, which need not be one that a float64 can hold.
func (v *Vector) AddInt(i int, x int64) {
	v.whole = reach(v.whole, i, v.expected)
	total := v.whole[i] + x
	if (total^x)&(total^v.whole[i]) < 0 { // overflow
		v.widen(i).addInt(x)
		return
	}
	v.whole[i] = total
}

// Merge adds the sums of another vector, index by index, and leaves it as it is.
func (v *Vector) Merge(o *Vector) {
	for i, x := range o.whole {
		if x != 0 {
			v.AddInt(i, x)
		}
	}
	for i, x := range o.high {
		if x != 0 {
			v.Add(i, x)
		}
	}
	for i, x := range o.low {
		if x != 0 {
			v.Add(i, x)
		}
	}
	for i, sum := range o.wide {
		v.widen(i).Merge(sum)
	}
}

// widen moves the sum at an index to a Sum, where it has none yet.
func (v *Vector) widen(i int) *Sum {
	if sum, ok := v.wide[i]; ok {
		return sum
	}
	sum := new(Sum)
	sum.Add(get(v.high, i))
	sum.Add(get(v.low, i))
	if v.wide == nil {
		v.wide = map[int]*Sum{}
	}
	v.wide[i] = sum
	if i < len(v.high) {
		v.high[i] = 0
	}
	if i < len(v.low) {
		v.low[i] = 0
	}
	return sum
}

// At is the float64 nearest to the sum at index i: an infinity where it is beyond the largest one, NaN where a term was
// not finite, 0 beyond the last index.
func (v *Vector) At(i int) float64 {
	whole, high, low := get(v.whole, i), get(v.high, i), get(v.low, i)
	wide := v.wide[i]
	switch {
	case wide == nil && whole == 0:
		return high + low
	case wide == nil && high == 0 && low == 0:
		return float64(whole)
	}
	var sum Sum
	sum.addInt(whole)
	sum.Add(high)
	sum.Add(low)
	if wide != nil {
		sum.Merge(wide)
	}
	return sum.Float64()
}

// reach makes an index valid.
func reach[T any](values []T, i, expected int) []T {
	if i < len(values) {
		return values
	}
	if values == nil {
		values = make([]T, max(i+1, expected))
		clear(values) // memory that is read before it is written is handed out twice by the system
		return values
	}
	return append(values, make([]T, i+1-len(values))...)
}

func get[T any](values []T, i int) (none T) {
	if i < len(values) {
		return values[i]
	}
	return none
}

// twoSum splits a+b into the nearest float64 and what rounding took away, NaN when the sum overflows.
func twoSum(a, b float64) (sum, rest float64) {
	sum = a + b
	t := sum - a
	return sum, (a - (sum - t)) + (b - t)
}
