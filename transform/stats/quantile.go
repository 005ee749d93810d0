package stats

import (
	"math"
	"slices"
)

// Quantile is the q-quantile of values by nearest rank: the smallest of them that at least a share q does not exceed. q is
// taken to eight decimals, so that the rank is a whole number without rounding. It sorts the values; NaN without any.
func Quantile(values []float64, q float64) float64 {
	const one = 100_000_000
	slices.Sort(values)
	n := int64(len(values))
	if n == 0 {
		return math.NaN()
	}
	rank := (int64(math.Round(q*one))*n + one - 1) / one
	return values[min(max(rank, 1), n)-1]
}
