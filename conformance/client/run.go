package client

import (
	"context"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
	"github.com/licet/licet/conformance/report"
)

// check is one named check. The levels are those of docs/spec/requirements.tsv.
type check struct {
	id, level, requirement string
	web                    bool // only of web applications
	run                    func(*stage, *trial.Trial)
}

// Run runs the checks whose ids begin with one of only, or all of them, against
// the client of a fixture; progress hears each result at once. An error means
// that the run was broken off.
func Run(ctx context.Context, f Fixture, only []string, progress func(report.Result)) (report.Report, error) {
	out := report.Report{Subject: "client"}
	walks := map[bool]walk{} // of a web application or not
	for _, c := range append(grantChecks, interactionChecks...) {
		if !trial.Selected(c.id, only) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return out, err
		}
		web := c.web || len(f.Run) == 0
		r := trial.Run(ctx, c.id, c.level, c.requirement, func(t *trial.Trial) {
			if web && f.Web == nil {
				t.Skip("it is about web applications")
			}
			if _, known := walks[web]; !known {
				walks[web] = honest(ctx, &f, web)
			}
			if w := walks[web]; w.fault != "" {
				t.Broken(w.messages, "%s", w.fault)
			}
			s, err := newStage(ctx, &f, web)
			if err != nil {
				t.Broken(nil, "%s", err)
			}
			defer s.end()
			c.run(s, t)
		})
		out.Results = append(out.Results, r)
		progress(r)
	}
	return out, nil
}

// walk is what came of a walk on which nobody is hostile.
type walk struct {
	fault    string // why the client does not get the page; empty if it does
	messages []wire.Message
}

// honest walks with the client. One that never gets anything would pass most
// checks.
func honest(ctx context.Context, f *Fixture, web bool) walk {
	s, err := newStage(ctx, f, web)
	if err != nil {
		return walk{fault: err.Error()}
	}
	defer s.end()
	if web {
		s.as.steps = []step{needInfo}
	}
	r := trial.Run(ctx, "", "M", "", func(t *trial.Trial) {
		s.fetch(t, "/honest")
		s.gets(t, "everything is as it should be", "/honest")
	})
	return walk{r.Detail, s.all()}
}
