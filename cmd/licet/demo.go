package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/licet/licet/internal/demo"
)

type demoCommand struct {
	Script bool   `help:"Walk through the demonstration with nobody at the keyboard; the exit status tells whether every step came out as it must."`
	Listen string `help:"Where the authorization server listens; a loopback address." default:"localhost:0" placeholder:"ADDRESS"`
}

// Run makes the world of the demonstration, and keeps it until the context ends.
func (cmd demoCommand) Run(s surroundings) error {
	dir, err := os.MkdirTemp("", "licet-demo-")
	if err != nil {
		return err
	}
	return errors.Join(cmd.run(s, dir), os.RemoveAll(dir))
}

func (cmd demoCommand) run(s surroundings, dir string) (err error) {
	begun := time.Now()
	listener, issuer, err := listenLoopback(cmd.Listen)
	if err != nil {
		return err
	}
	world, err := demo.Open(s.ctx, demo.Config{
		Listener: listener, Issuer: issuer, Data: dir, Log: slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return cmd.interrupted(s.ctx, err)
	}
	defer func() { err = errors.Join(err, world.Close()) }()
	if cmd.Script {
		return cmd.interrupted(s.ctx, world.Walk(s.ctx, s.stdout))
	}
	fmt.Fprintf(s.stdout, `Ready in %.1f seconds. Open this page, and follow its steps:

  %s

Everything is made up, on this machine, and gone when you stop it with Ctrl-C.
`, time.Since(begun).Seconds(), world.StartPage())
	<-world.Done()
	return nil
}

// interrupted says so where what went wrong went wrong for that reason.
func (demoCommand) interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errors.New("the demonstration was interrupted")
	}
	return err
}
