package client

import (
	"context"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
)

// Result is how one check ended.
type Result struct {
	ID, Level, Requirement string
	*trial.Trial
}

// check is one named check. The levels are those of docs/spec/requirements.tsv.
type check struct {
	id, level, requirement string
	web                    bool // only of web applications
	run                    func(*stage, *trial.Trial)
}

// Run runs the checks whose ids begin with one of only, or all of them, against
// the client of a fixture. An error means that nothing could be checked.
func Run(ctx context.Context, f Fixture, only []string, progress func(Result)) ([]Result, error) {
	var out []Result
	works := map[bool]string{} // for a web application or not: why nothing can be said of it
	for _, c := range append(grantChecks, interactionChecks...) {
		if !selected(c.id, only) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return out, err
		}
		web := c.web || len(f.Run) == 0
		r := Result{c.id, c.level, c.requirement, trial.Run(ctx, strings.HasPrefix(c.level, "S"), func(t *trial.Trial) {
			if web && f.Web == nil {
				t.Skip("it is about web applications")
			}
			if _, known := works[web]; !known {
				works[web] = honest(ctx, &f, web)
			}
			if works[web] != "" {
				t.Broken(nil, "%s", works[web])
			}
			s, err := newStage(ctx, &f, web)
			if err != nil {
				t.Broken(nil, "%s", err)
			}
			defer s.end()
			c.run(s, t)
		})}
		out = append(out, r)
		progress(r)
	}
	return out, nil
}

// honest says why a client does not get a page where nobody is hostile; empty
// if it does. A client that never gets anything would pass most checks.
func honest(ctx context.Context, f *Fixture, web bool) string {
	s, err := newStage(ctx, f, web)
	if err != nil {
		return err.Error()
	}
	defer s.end()
	if web {
		s.as.steps = []step{needInfo}
	}
	t := trial.Run(ctx, false, func(t *trial.Trial) {
		s.fetch(t, "/honest")
		s.gets(t, "everything is as it should be", "/honest")
	})
	if t.Outcome() == trial.Pass {
		return ""
	}
	return t.Detail() + "\n" + t.Messages()
}

func selected(id string, only []string) bool {
	if len(only) == 0 {
		return true
	}
	for _, prefix := range only {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}
