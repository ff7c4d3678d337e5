package resourceserver

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

// Run runs the checks whose ids begin with one of only, or all of them, against
// the resource server of a fixture. An error means that nothing could be checked.
func Run(ctx context.Context, f Fixture, only []string, progress func(Result)) ([]Result, error) {
	s, err := open(ctx, &f)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var out []Result
	for _, c := range checks {
		if !selected(c.id, only) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return out, err
		}
		r := Result{c.id, c.level, c.requirement, trial.Run(ctx, strings.HasPrefix(c.level, "S"), func(t *trial.Trial) { c.run(s, t) })}
		out = append(out, r)
		progress(r)
	}
	return out, nil
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
