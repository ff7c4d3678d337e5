package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
)

// row is one line of the table: medians over the samples of a workload on a
// target.
type row struct {
	Store     string  `json:"store"`
	Resources int     `json:"resources"`
	Workload  string  `json:"workload"`
	Requests  int     `json:"requests"`
	CPU       float64 `json:"cpu_us_per_op"`
	Later     float64 `json:"later_cpu_us_per_op"`
	Rate      float64 `json:"ops_per_s"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Allocs    float64 `json:"allocs_per_op"`
	Bytes     float64 `json:"bytes_per_op"`
	Commits   float64 `json:"fsyncs_per_op"`
	Written   float64 `json:"written_bytes_per_op"`
	Ratio     float64 `json:"bare_ratio"`
	RSS       int64   `json:"rss_bytes"`

	costs []float64 // CPU of each sample as a multiple of the yardstick beside it
}

// results are the samples by target and workload, one of each in each round.
type results map[*target]map[string][]sample

func (r results) row(t *target, w workload) (row, error) {
	samples := r[t][w.name]
	mid := func(f func(sample) float64) float64 {
		values := make([]float64, len(samples))
		for i, s := range samples {
			values[i] = f(s)
		}
		return median(values)
	}
	out := row{
		Store: t.store, Resources: t.size, Workload: w.name, Requests: w.requests,
		CPU: mid(sample.cpuMicros), Later: mid(func(s sample) float64 { return s.per(float64(s.later) / 1e3) }), Rate: mid(sample.rate),
		P50: mid(func(s sample) float64 { return s.at(0.5) }), P99: mid(func(s sample) float64 { return s.at(0.99) }),
		Allocs:  mid(func(s sample) float64 { return s.per(float64(s.allocs)) }),
		Bytes:   mid(func(s sample) float64 { return s.per(float64(s.bytes)) }),
		Commits: mid(func(s sample) float64 { return s.per(float64(s.commits)) }),
		Written: mid(func(s sample) float64 { return s.per(float64(s.written)) }),
	}
	var ratios []float64
	for _, s := range samples {
		cost := s.cpuMicros() / s.bare
		out.costs = append(out.costs, cost)
		ratios = append(ratios, float64(w.requests)/cost)
	}
	out.Ratio = median(ratios)
	var err error
	out.RSS, err = resident(t.cmd.Process.Pid)
	return out, err
}

// table prints the rows for people.
func table(to io.Writer, rows []row) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "store\tresources\tworkload\tCPU µs/op\tlater µs/op\tbare ratio\top/s\tp50 ms\tp99 ms\tallocs/op\tB/op\tfsyncs/op\tdisk B/op\tRSS MB\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.1f\t%.1f\t%.2f\t%.0f\t%.2f\t%.2f\t%.0f\t%.0f\t%.3f\t%.0f\t%.0f\t\n",
			r.Store, power(r.Resources), r.Workload, r.CPU, r.Later, r.Ratio, r.Rate, r.P50, r.P99, r.Allocs, r.Bytes, r.Commits, r.Written, float64(r.RSS)/1e6)
	}
	return w.Flush()
}

// report is all that a run finds out.
type report struct {
	Rows   []row    `json:"rows"`
	Growth []growth `json:"growth"`
	Facts  []fact   `json:"facts"`
	Gates  []gate   `json:"gates"`

	Pages []pageCost `json:"pages,omitempty"`
}

// writeJSON writes a report for programs.
func writeJSON(path string, r report) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
