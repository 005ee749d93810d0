package stats

import (
	"fmt"
	"math"
)

// SRM tests for a sample ratio mismatch: whether the numbers of units in the arms fit the shares that the assignment
// was to give them. It returns the p-value of Pearson's chi-square test of goodness of fit,
//
//	χ² = Σ (nᵢ − N·wᵢ/W)² / (N·wᵢ/W)
//
// with one degree of freedom less than there are arms of positive weight (K. Pearson, Philosophical Magazine 50 (1900);
// for experiments A. Fabijan et al., Diagnosing Sample Ratio Mismatch, KDD 2019). An arm of weight 0 that has units all
// the same makes it 0. The approximation is coarse where an expected count is below about 5.
func SRM(counts []int64, weights []float64) (p float64, err error) {
	if len(counts) != len(weights) {
		return 0, fmt.Errorf("srm: %d counts and %d weights: expected one of each for every arm",
			len(counts), len(weights))
	}
	var units, weight float64
	arms := 0
	stray := false
	for i, n := range counts {
		w := weights[i]
		switch {
		case n < 0:
			return 0, fmt.Errorf("srm: %d units in an arm: expected 0 or more", n)
		case math.IsNaN(w) || math.IsInf(w, 0) || w < 0:
			return 0, fmt.Errorf("srm: a weight of %g: expected 0 or more", w)
		case w > 0:
			arms++
		case n > 0:
			stray = true
		}
		units += float64(n)
		weight += w
	}
	switch {
	case arms < 2:
		return 0, fmt.Errorf("srm: %d arms with a weight above 0: expected at least 2", arms)
	case units == 0:
		return 0, fmt.Errorf("srm: %w", ErrNoUnits)
	case stray:
		return 0, nil
	}
	chi2 := 0.0
	for i, n := range counts {
		if weights[i] > 0 {
			share := weights[i] / weight
			d := float64(n) - units*share
			chi2 += d * d / (units * share)
		}
	}
	return chiSquareTail(chi2, arms-1), nil
}
