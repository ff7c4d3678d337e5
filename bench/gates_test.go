package main

import "testing"

// What does not hold is judged so, on either side of its bound.
func TestAGateCanFail(t *testing.T) {
	r := report{
		Rows: []row{
			{Store: "sqlite", Resources: 1000, Workload: "introspect", Ratio: 0.71},
			{Store: "sqlite", Resources: 1000, Workload: "ticket", Ratio: 0.64},
			{Store: "sqlite", Resources: 1000, Workload: "grant", Ratio: 0.26, Commits: 0.11},
			{Store: "sqlite", Resources: 100_000, Workload: "introspect", Ratio: 0.1}, // judged by its growth
		},
		Growth: []growth{{Store: "sqlite", Workload: "grant", K: 0.09}, {Store: "sqlite", Workload: "list-all", K: 1}},
		Facts:  []fact{{Name: factMassWrites, Value: 1}, {Name: factStale, Value: 1}, {Name: factImport, Value: 1}},
	}
	want := []bool{true, false, true, false, false, true, false}
	got := gates(r)
	if len(got) != len(want) {
		t.Fatalf("there are %d gates, want %d: %+v", len(got), len(want), got)
	}
	for i, g := range got {
		if g.holds() != want[i] {
			t.Errorf("%s: %v to %v holds: %v", g.What, g.Value, g.Bound, g.holds())
		}
	}
}
