package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// growth is how the cost of a workload grows with the population: cost = a·n^k.
// What is fitted are the costs of single samples as multiples of the yardstick
// beside them, so that a noisy minute counts for little.
type growth struct {
	Store    string  `json:"store"`
	Workload string  `json:"workload"`
	From     int     `json:"from"`
	To       int     `json:"to"`
	K        float64 `json:"k"`
	Error    float64 `json:"standard_error"`
}

// fit is the least squares line through log cost over log n: its slope, and the
// standard error of that.
func fit(sizes, costs []float64) (k, standardError float64) {
	n := float64(len(sizes))
	var meanX, meanY float64
	for i := range sizes {
		meanX += math.Log(sizes[i]) / n
		meanY += math.Log(costs[i]) / n
	}
	var xx, xy float64
	for i := range sizes {
		x, y := math.Log(sizes[i])-meanX, math.Log(costs[i])-meanY
		xx += x * x
		xy += x * y
	}
	k = xy / xx
	var rest float64
	for i := range sizes {
		e := math.Log(costs[i]) - meanY - k*(math.Log(sizes[i])-meanX)
		rest += e * e
	}
	return k, math.Sqrt(rest / (n - 2) / xx)
}

// growths fits every workload of every store that was measured at several sizes.
func growths(rows []row) []growth {
	var out []growth
	for _, first := range rows {
		g := growth{Store: first.Store, Workload: first.Workload, From: first.Resources, To: first.Resources}
		var sizes, costs []float64
		for _, r := range rows {
			if r.Store != g.Store || r.Workload != g.Workload {
				continue
			}
			if r.Resources < first.Resources {
				sizes = nil // a smaller one is the first
				break
			}
			g.To = max(g.To, r.Resources)
			for _, cost := range r.costs {
				sizes, costs = append(sizes, float64(r.Resources)), append(costs, cost)
			}
		}
		if g.Workload == bare || len(sizes) < 3 || g.From == g.To {
			continue
		}
		g.K, g.Error = fit(sizes, costs)
		out = append(out, g)
	}
	return out
}

// growthTable prints how costs grow.
func growthTable(to io.Writer, list []growth) error {
	if len(list) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nstore\tworkload\tfrom\tto\tk\t±\t")
	for _, g := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.3f\t%.3f\t\n", g.Store, g.Workload, power(g.From), power(g.To), g.K, g.Error)
	}
	return w.Flush()
}
