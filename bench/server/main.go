// Command server is the server that bench measures: the product's own node,
// served as licet serve serves it, with one more handler beside it, bench's
// yardstick, and a control API on a socket of its own.
//
// What is measured must be the product, so nothing of it is rebuilt here:
// internal/node connects the rooms and serves. The control API does what an
// operator would do from a shell on the same machine: it makes clients and
// tokens, and tells what the process has used.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/node"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/server:", err)
		os.Exit(1)
	}
}

// Ready is the one line that the server prints, when it can be asked.
type ready struct {
	Issuer  string `json:"issuer"`
	Control string `json:"control"`
}

// The lifetimes of a run: nothing that was prepared ends while it is measured.
var lifetimes = as.Lifetimes{PAT: 24 * time.Hour, RPT: 12 * time.Hour, Ticket: time.Hour}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	data := flags.String("data", "", "the data directory")
	database := flags.String("store", "", "the URL of a PostgreSQL database instead of a file in the data directory")
	jwks := flags.String("jwks", "", "a file with the keys of the issuer whose ID tokens are believed")
	claimIssuer := flags.String("claim-issuer", "https://people.example", "that issuer")
	accessLog := flags.Bool("access-log", true, "log requests as licet serve does")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *data == "" {
		return errors.New("-data is missing")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c := as.Config{Issuer: "http://" + listener.Addr().String(), Lifetimes: lifetimes}
	if *jwks != "" {
		keys, err := os.ReadFile(*jwks)
		if err != nil {
			return err
		}
		c.ClaimIssuers = []as.ClaimIssuer{{Issuer: *claimIssuer, JWKS: keys}}
	}
	lines := node.NewLog(os.Stderr)
	log := slog.New(slog.NewJSONHandler(lines, nil))
	var surface node.Surface
	surface.SignIn.Passwords = true // for the person whose pages are measured
	n, err := node.Open(ctx, node.Place{Data: *data, Database: *database}, c, surface, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	face := n.Face
	if *accessLog {
		face = lines.Requests(face)
	}
	err = serve(ctx, n, listener, beside(bareMux(), n.WithHealth(face)))
	return errors.Join(err, n.Close(), lines.Flush())
}

// beside serves the yardstick's path with its own mux and everything else with
// the product, which so pays one comparison for it.
func beside(bare, product http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/bench/") {
			bare.ServeHTTP(w, r)
			return
		}
		product.ServeHTTP(w, r)
	})
}

func serve(ctx context.Context, n *node.Node, listener net.Listener, handler http.Handler) error {
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	own := &http.Server{Handler: controlMux(n), ReadHeaderTimeout: node.HeaderTimeout}
	go func() { _ = own.Serve(control) }() // ends when it is closed, below
	err = json.NewEncoder(os.Stdout).Encode(ready{Issuer: n.AS.Issuer, Control: "http://" + control.Addr().String()})
	if err == nil {
		err = n.Serve(ctx, node.Door{Listener: listener, Handler: handler})
	}
	return errors.Join(err, own.Close())
}
