package stats

import "fmt"

// Homogeneity tests whether several arms have one share of units that did something. It returns the p-value of Pearson's
// chi-square test of homogeneity, without a correction for continuity,
//
//	χ² = Σ (kᵢ − nᵢ·p)² / (nᵢ·p·(1−p)),  p = Σkᵢ / Σnᵢ
//
// with one degree of freedom less than there are arms with units (e.g. J. Fleiss, Statistical Methods for Rates and
// Proportions). Where everybody did or nobody, it is 1. The approximation is coarse where an expected count is below about 5.
func Homogeneity(did, units []int64) (p float64, err error) {
	if len(did) != len(units) {
		return 0, fmt.Errorf("homogeneity: %d counts of %d arms", len(did), len(units))
	}
	var k, n float64
	arms := 0
	for i := range units {
		if did[i] < 0 || did[i] > units[i] {
			return 0, fmt.Errorf("homogeneity: %d of %d units in an arm", did[i], units[i])
		}
		if units[i] > 0 {
			arms++
		}
		k, n = k+float64(did[i]), n+float64(units[i])
	}
	if arms < 2 {
		return 0, fmt.Errorf("homogeneity: %d arms with units, at least 2 are needed: %w", arms, ErrNoUnits)
	}
	share := k / n
	if k == 0 || k == n {
		return 1, nil
	}
	chi2 := 0.0
	for i := range units {
		if units[i] > 0 {
			expected := float64(units[i]) * share
			d := float64(did[i]) - expected
			chi2 += d * d / (expected * (1 - share))
		}
	}
	return chiSquareTail(chi2, arms-1), nil
}
