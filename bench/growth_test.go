package main

import (
	"math"
	"testing"
)

// The slope of costs that are made by a law is found, and what is not a law has
// an error that says so.
func TestTheExponentOfGrowthIsFound(t *testing.T) {
	sizes := []float64{1e3, 1e3, 1e5, 1e5, 1e6, 1e6}
	for _, want := range []float64{0, 0.04, 1} {
		costs := make([]float64, len(sizes))
		for i, n := range sizes {
			costs[i] = 17 * math.Pow(n, want)
		}
		if k, e := fit(sizes, costs); math.Abs(k-want) > 1e-9 || e > 1e-6 {
			t.Errorf("k is %v ± %v, want %v", k, e, want)
		}
	}
	if _, e := fit(sizes, []float64{1, 3, 1, 3, 1, 3}); e < 0.05 {
		t.Errorf("scattered costs have an error of only %v", e)
	}
}
