package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// gate is what must hold.
type gate struct {
	What   string  `json:"what"`
	Value  float64 `json:"value"`
	Bound  float64 `json:"bound"`
	AtMost bool    `json:"at_most"` // Bound is the most, and otherwise the least
}

func (g gate) holds() bool {
	if g.AtMost {
		return g.Value <= g.Bound
	}
	return g.Value >= g.Bound
}

// gated are the workloads that gates are about: the cost of each may hardly grow with
// the population.
var gated = map[string]bool{"introspect": true, "ticket": true, "grant": true, "decide-10": true, "register": true, "list-owner": true}

// gates judges a report. What was not measured has no gate. Ratios are those of
// the smallest population of each store; the exponent is what is asked of the
// others.
func gates(r report) []gate {
	var out []gate
	smallest := map[string]int{}
	for _, row := range r.Rows {
		if n := smallest[row.Store]; n == 0 || row.Resources < n {
			smallest[row.Store] = row.Resources
		}
	}
	for _, row := range r.Rows {
		if row.Resources != smallest[row.Store] {
			continue
		}
		of := func(what string) string { return row.Store + ": " + what }
		switch row.Workload {
		case "introspect":
			out = append(out, gate{What: of("bare / introspect"), Value: row.Ratio, Bound: 0.70})
		case "ticket":
			out = append(out, gate{What: of("bare / ticket"), Value: row.Ratio, Bound: 0.65})
		case "grant":
			out = append(out, gate{What: of("2 bare / grant"), Value: row.Ratio, Bound: 0.25},
				gate{What: of("fsyncs per grant"), Value: row.Commits, Bound: 0.10, AtMost: true})
		}
	}
	for _, g := range r.Growth {
		if gated[g.Workload] {
			out = append(out, gate{What: fmt.Sprintf("%s: k of %s from %s to %s", g.Store, g.Workload, power(g.From), power(g.To)), Value: g.K, Bound: 0.08, AtMost: true})
		}
	}
	for _, f := range r.Facts {
		if bound, ok := factBounds[f.Name]; ok {
			what := fmt.Sprintf("%s %s: %s", f.Store, power(f.Resources), f.Name)
			out = append(out, gate{What: what, Value: f.Value, Bound: bound, AtMost: true})
		}
	}
	return out
}

// factBounds are the most that facts may come to.
var factBounds = map[string]float64{
	factStale: 0, factMassStale: 0, factMassWrites: 1, factHostile: 3, factColdEmpty: 100, factCold: 250, factIdle: 40, factBinary: 40,
}

// gateTable prints what was wanted and what was reached, and tells how much was not.
func gateTable(to io.Writer, list []gate) (missed int, err error) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ngate\tfigure\twanted\treached\t")
	for _, g := range list {
		reached, sign := "yes", "≥"
		if g.AtMost {
			sign = "≤"
		}
		if !g.holds() {
			reached = "no"
			missed++
		}
		fmt.Fprintf(w, "%s\t%.3g\t%s %g\t%s\t\n", g.What, g.Value, sign, g.Bound, reached)
	}
	return missed, w.Flush()
}
