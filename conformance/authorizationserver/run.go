package authorizationserver

import (
	"context"
	"slices"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/report"
)

// check is one named check. The levels are those of docs/spec/requirements.tsv.
type check struct {
	id, level, requirement string
	run                    func(*session, *trial.Trial)
}

// all are the checks in the order of their ids.
func all() ([]check, error) {
	list := slices.Concat(discoveryChecks, registrationChecks, protectionChecks, grantChecks, claimChecks, interactionChecks)
	files, err := vectors()
	for _, v := range files {
		list = append(list, v.check())
	}
	slices.SortStableFunc(list, func(a, b check) int { return strings.Compare(a.id, b.id) })
	return list, err
}

// Run runs the checks whose ids begin with one of only, or all of them, against
// the server of a fixture; progress hears each result at once. An error means that
// nothing could be checked.
func Run(ctx context.Context, f Fixture, only []string, progress func(report.Result)) (report.Report, error) {
	out := report.Report{Subject: "authorization server"}
	list, err := all()
	if err != nil {
		return out, err
	}
	s, err := open(ctx, f)
	if err != nil {
		return out, err
	}
	for _, c := range list {
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
