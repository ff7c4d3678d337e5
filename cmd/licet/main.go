// Command licet is the Licet authorization server and its tools.
//
//	licet serve          run the server
//	licet demo           a whole world to try it out in: people, services, an app
//	licet dev            a throw-away server for other people's tests
//	licet import         take people, clients, resources and shares from a file
//	licet revoke         take back what a client, a person or everybody was given
//	licet initial-token  let somebody register clients
//	licet conform        check an authorization server, a resource server or a client
//	licet version        what this is
//
// It reads the configuration, builds the rooms, connects them and runs; it has
// no rule of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// surroundings are what a command may use of the process it runs in.
type surroundings struct {
	ctx            context.Context
	env            func(string) (string, bool)
	stdout, stderr io.Writer
}

// commands is the command line.
type commands struct {
	Serve        serveCommand        `cmd:"" help:"Run the server."`
	Demo         demoCommand         `cmd:"" help:"Try it out: the server with people, services and an app around it, in the browser."`
	Dev          devCommand          `cmd:"" help:"Run a throw-away server with people and clients, for tests."`
	Import       importCommand       `cmd:"" help:"Take people, clients, resources and shares from a file."`
	Revoke       revokeCommand       `cmd:"" help:"Take back the tokens of a client, of a person or of everybody, and sign people out."`
	InitialToken initialTokenCommand `cmd:"" help:"Make an initial access token: whoever has it may register clients."`
	Conform      conformCommand      `cmd:"" help:"Check an authorization server, a resource server or a client against the two specifications."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := run(surroundings{ctx: ctx, env: os.LookupEnv, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run runs one command and returns the exit status: 0, 1 for a failure, 2 for a
// command line that makes no sense.
func run(s surroundings, args []string) int {
	exit := -1
	parser, err := kong.New(&commands{}, kong.Name("licet"), kong.Description("A User-Managed Access (UMA 2.0) authorization server."),
		kong.Writers(s.stdout, s.stderr), kong.Exit(func(code int) { exit = code }), kong.UsageOnError())
	if err != nil {
		fmt.Fprintln(s.stderr, "licet:", err)
		return 1
	}
	chosen, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		fmt.Fprintln(s.stderr, "licet:", err)
		return 2
	}
	if err := chosen.Run(s); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(s.stderr, "licet:", err)
		return 1
	}
	return 0
}

type versionCommand struct{}

// Run prints the version of the module and the revision it was built from.
func (versionCommand) Run(s surroundings) error {
	version, revision := "(development)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" && info.Main.Version != "(devel)" {
			version = info.Main.Version
		}
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				revision = " " + setting.Value
			}
		}
		revision += " " + info.GoVersion
	}
	_, err := fmt.Fprintf(s.stdout, "licet %s%s\n", version, revision)
	return err
}
