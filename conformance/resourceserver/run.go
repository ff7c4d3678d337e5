package resourceserver

import (
	"context"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/report"
)

// Run runs the checks whose ids begin with one of only, or all of them, against
// the resource server of a fixture; progress hears each result at once. An error
// means that nothing could be checked.
func Run(ctx context.Context, f Fixture, only []string, progress func(report.Result)) (report.Report, error) {
	out := report.Report{Subject: "resource server"}
	s, err := open(ctx, &f)
	if err != nil {
		return out, err
	}
	defer s.close()
	for _, c := range checks {
		if !trial.Selected(c.id, only) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return out, err
		}
		r := trial.Run(ctx, c.id, c.level, c.requirement, func(t *trial.Trial) { c.run(s, t) })
		out.Results = append(out.Results, r)
		progress(r)
	}
	return out, nil
}
