package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/licet/licet/conformance/authorizationserver"
	"github.com/licet/licet/conformance/client"
	"github.com/licet/licet/conformance/report"
	"github.com/licet/licet/conformance/resourceserver"
)

// conformCommand checks other people's programs, and ours.
type conformCommand struct {
	AuthorizationServer conformAuthorizationServer `cmd:"" default:"withargs" help:"Check an authorization server: the suite plays everybody else. The default."`
	ResourceServer      conformResourceServer      `cmd:"" help:"Check an API: the suite plays its authorization server and its client."`
	Client              conformClient              `cmd:"" help:"Check a client: the suite plays an authorization server and an API, both hostile at times."`
}

// conformFlags are what every suite is asked.
type conformFlags struct {
	Fixture string   `required:"" help:"File that describes what is checked; see docs/reference/conformance.md."`
	Only    []string `help:"Only the checks whose ids begin so, as GRANT-3.5."`
	Format  string   `enum:"text,json,junit" default:"text" help:"Of the report: ${enum}."`
}

var errNotConforming = errors.New("it does not conform")

// tell runs a suite with a line of progress for each check, and writes the
// report.
func (c conformFlags) tell(s surroundings, run func(ctx context.Context, only []string, progress func(report.Result)) (report.Report, error)) error {
	found, err := run(s.ctx, c.Only, func(r report.Result) { fmt.Fprintln(s.stderr, r.Outcome, r.ID) })
	if err != nil {
		return err
	}
	if len(found.Results) == 0 {
		return fmt.Errorf("no check begins with one of %q", c.Only)
	}
	write := map[string]func(io.Writer) error{"text": found.Text, "json": found.JSON, "junit": found.JUnit}[c.Format]
	if err := write(s.stdout); err != nil {
		return err
	}
	if found.Count(report.Fail) > 0 {
		return errNotConforming
	}
	return nil
}

type conformAuthorizationServer struct{ conformFlags }

// Run checks an authorization server.
func (c conformAuthorizationServer) Run(s surroundings) error {
	f, err := authorizationserver.Load(c.Fixture)
	if err != nil {
		return err
	}
	return c.tell(s, func(ctx context.Context, only []string, progress func(report.Result)) (report.Report, error) {
		return authorizationserver.Run(ctx, f, only, progress)
	})
}

type conformResourceServer struct{ conformFlags }

// Run checks a resource server.
func (c conformResourceServer) Run(s surroundings) error {
	f, err := resourceserver.Load(c.Fixture)
	if err != nil {
		return err
	}
	return c.tell(s, func(ctx context.Context, only []string, progress func(report.Result)) (report.Report, error) {
		return resourceserver.Run(ctx, f, only, progress)
	})
}

type conformClient struct{ conformFlags }

// Run checks a client.
func (c conformClient) Run(s surroundings) error {
	f, err := client.Load(c.Fixture)
	if err != nil {
		return err
	}
	return c.tell(s, func(ctx context.Context, only []string, progress func(report.Result)) (report.Report, error) {
		return client.Run(ctx, f, only, progress)
	})
}
