package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/licet/licet/oauth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the command line asks for.
type options struct {
	only       string
	rounds     int
	sample     time.Duration
	accessLog  bool
	cpuProfile string
	json       string
	sizes      map[string][]int // by the store
	mass       int
	gates      bool
	pages      bool
}

// The two ways to run without thinking: a look within three minutes, and
// everything.
var (
	quick = options{rounds: 3, sample: 500 * time.Millisecond, mass: 10_000, sizes: map[string][]int{"sqlite": {1000}}}
	full  = options{rounds: 5, sample: 700 * time.Millisecond, mass: 100_000, sizes: map[string][]int{
		"sqlite": {1000, 100_000, 1_000_000}, "postgres": {1000, 100_000, 1_000_000},
	}}
)

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	small := f.Bool("quick", false, "one small population and few samples; less than three minutes")
	f.StringVar(&o.only, "only", "", "measure only these workloads, separated by commas, and no facts")
	f.IntVar(&o.rounds, "rounds", 0, "how many samples of each workload count")
	f.DurationVar(&o.sample, "sample", 0, "how long a sample is")
	f.BoolVar(&o.accessLog, "access-log", true, "let the server log requests, as licet serve does")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of the server for each workload into this directory")
	f.StringVar(&o.json, "json", "", "write everything as JSON into this file, too")
	f.BoolVar(&o.gates, "gates", false, "measure what must hold, and judge it")
	f.BoolVar(&o.pages, "pages", false, "measure the pages of the owner's app, and nothing else")
	stores := f.String("store", "", "the stores: sqlite, postgres, or both with a comma between")
	sizes := f.String("sizes", "", "the populations: numbers of resources, separated by commas")
	if err = f.Parse(args); err == nil && f.NArg() > 0 {
		err = fmt.Errorf("what is %q?", f.Arg(0))
	}
	if err != nil {
		return o, err
	}
	usual := full
	if *small {
		usual = quick
	}
	o.rounds, o.sample, o.mass = cmp.Or(o.rounds, usual.rounds), cmp.Or(o.sample, usual.sample), usual.mass
	o.sizes, err = populations(*stores, *sizes, usual.sizes)
	return o, err
}

// populations reads which stores are wanted with which populations.
func populations(stores, sizes string, usual map[string][]int) (map[string][]int, error) {
	wanted := slices.Sorted(maps.Keys(usual))
	if stores != "" {
		wanted = strings.Split(stores, ",")
	}
	out := map[string][]int{}
	for _, store := range wanted {
		if full.sizes[store] == nil {
			return nil, fmt.Errorf("there is no store %q", store)
		}
		if sizes == "" {
			if out[store] = usual[store]; out[store] == nil {
				out[store] = usual["sqlite"]
			}
			continue
		}
		for text := range strings.SplitSeq(sizes, ",") {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1000 {
				return nil, fmt.Errorf("a population of %q resources cannot be made", text)
			}
			out[store] = append(out[store], n)
		}
	}
	return out, nil
}

// chosen are the workloads that are wanted; the yardstick always is.
func (o options) chosen() ([]workload, error) {
	all := workloads()
	names := append(strings.Split(o.only, ","), bare)
	switch {
	case o.only == "" && o.gates:
		names = append(slices.Collect(maps.Keys(gated)), bare)
	case o.only == "":
		return all, nil
	}
	out := slices.DeleteFunc(slices.Clone(all), func(w workload) bool { return !slices.Contains(names, w.name) })
	for _, name := range names {
		if !slices.ContainsFunc(all, func(w workload) bool { return w.name == name }) {
			return nil, fmt.Errorf("there is no workload %q", name)
		}
	}
	return out, nil
}

func run(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	chosen, err := o.chosen()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "licet-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	say := func(format string, args ...any) { fmt.Fprintf(progress, "bench: "+format+"\n", args...) }

	licet, server, err := binaries(dir)
	if err != nil {
		return err
	}
	jwks, idToken, err := claims(dir)
	if err != nil {
		return err
	}
	targets := o.targets(dir)
	if o.pages {
		targets = pageTargets(targets)
	}
	stop, err := giveDatabases(targets)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	for _, t := range targets {
		say("building %s", t.name())
		t.world.bob = pushed + idToken
		defer func() { err = errors.Join(err, t.stop()) }()
		prepare := t.prepare
		if o.pages {
			prepare = t.preparePages
		}
		if err := prepare(licet, server, jwks, o.accessLog, say); err != nil {
			return fmt.Errorf("%s: %w", t.name(), err)
		}
	}
	var r report
	if o.pages {
		if r.Pages, err = measurePages(ctx, targets, o, say); err != nil {
			return err
		}
		return o.conclude(out, r)
	}
	if r.Rows, err = measure(ctx, targets, chosen, o, say); err != nil {
		return err
	}
	r.Growth = growths(r.Rows)
	if err := errors.Join(table(out, r.Rows), growthTable(out, r.Growth)); err != nil {
		return err
	}
	if o.only == "" {
		if r.Facts, err = findOut(ctx, targets, o, licet, dir, say); err != nil {
			return err
		}
		if err := factTable(out, r.Facts); err != nil {
			return err
		}
	}
	return o.conclude(out, r)
}

// conclude judges what a run has found, and writes it down.
func (o options) conclude(out io.Writer, r report) (err error) {
	failed := 0
	if o.pages {
		failed, err = pageTable(out, r.Pages)
	} else if o.gates {
		r.Gates = gates(r)
		failed, err = gateTable(out, r.Gates)
	}
	if err == nil && o.json != "" {
		err = writeJSON(o.json, r)
	}
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d gates do not hold", failed)
	}
	return err
}

// findOut finds the facts, and ends the servers: a cold start needs their data.
func findOut(ctx context.Context, targets []*target, o options, licet, dir string, say func(string, ...any)) ([]fact, error) {
	f := &facts{}
	for i, t := range targets {
		say("facts of %s", t.name())
		f.on = t
		f.add(factImport, float64(t.importRate), "")
		steps := []func() error{
			f.visibility, func() error { return f.hostile(introspectWorkloads()[0], o.sample) }, t.stop, func() error { return f.cold(licet) },
		}
		if i == 0 || targets[i-1].store != t.store { // to issue so many takes its time, and no share is on more than one resource
			steps = slices.Insert(steps, 1, func() error { return f.massWithdrawal(o.mass) })
		}
		if i == 0 {
			steps = append(steps, func() error { return f.empty(licet, dir) })
		}
		for _, step := range steps {
			if err := errors.Join(ctx.Err(), step()); err != nil {
				return nil, fmt.Errorf("%s: %w", t.name(), err)
			}
		}
	}
	return f.list, nil
}

// targets are the servers that are wanted.
func (o options) targets(dir string) []*target {
	var out []*target
	for _, store := range slices.Backward(slices.Sorted(maps.Keys(o.sizes))) {
		for _, size := range o.sizes[store] {
			out = append(out, &target{store: store, size: size, dir: filepath.Join(dir, fmt.Sprintf("%s-%d", store, size)), world: &world{}})
		}
	}
	return out
}

// giveDatabases starts PostgreSQL, if a target wants it, and makes a database for
// each.
func giveDatabases(targets []*target) (stop func() error, err error) {
	wants := func(t *target) bool { return t.store == "postgres" }
	if !slices.ContainsFunc(targets, wants) {
		return func() error { return nil }, nil
	}
	db, err := startPostgres()
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		if !wants(t) {
			continue
		}
		t.db = db
		if t.url, err = db.database(fmt.Sprintf("licet%d", t.size)); err != nil {
			return nil, errors.Join(err, db.stop())
		}
	}
	return db.stop, nil
}

// binaries builds the product and the server to measure.
func binaries(dir string) (licet, server string, err error) {
	licet, server = filepath.Join(dir, "licet"), filepath.Join(dir, "server")
	for path, room := range map[string]string{licet: "cmd/licet", server: "bench/server"} {
		text, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "github.com/licet/licet/"+room).CombinedOutput()
		if err != nil {
			return "", "", fmt.Errorf("building %s: %w\n%s", room, err, text)
		}
	}
	return licet, server, nil
}

// claimIssuer vouches for Bob.
const claimIssuer = "https://people.example"

// claims makes the issuer whose ID tokens are believed: its keys for the server,
// and an ID token of Bob, good for the run.
func claims(dir string) (jwks, idToken string, err error) {
	key, err := oauth.GenerateKey(rand.Reader, oauth.EdDSA)
	if err != nil {
		return "", "", err
	}
	public, err := oauth.KeySet{key}.Public()
	if err != nil {
		return "", "", err
	}
	now := time.Now()
	idToken, err = oauth.Sign(key, "JWT", oauth.IDTokenClaims{
		Issuer: claimIssuer, Subject: "bob", Audience: clientApp, IssuedAt: now.Unix(), ExpiresAt: now.Add(24 * time.Hour).Unix(),
		Email: bob, EmailVerified: true,
	})
	if err != nil {
		return "", "", err
	}
	jwks = filepath.Join(dir, "jwks.json")
	return jwks, idToken, os.WriteFile(jwks, public, 0o600)
}

// liveRPTs is how many live RPTs a target has at the most before it is measured.
const liveRPTs = 20_000

// prepare builds the population, starts the server and makes tokens.
func (t *target) prepare(licet, server, jwks string, accessLog bool, say func(string, ...any)) error {
	if err := t.build(licet, func(to io.Writer) error { return rows(to, t.size) }, t.readIDs); err != nil {
		return err
	}
	say("imported %d rows/s", t.importRate)
	if err := t.startServer(server, jwks, accessLog); err != nil {
		return err
	}
	say("issuing tokens")
	if err := t.world.enter(t); err != nil {
		return err
	}
	say("making RPTs")
	soon := time.Now().Add(15 * time.Second)
	if err := t.world.expireMany(t, soon); err != nil {
		return fmt.Errorf("making RPTs that expire: %w", err)
	}
	if err := t.world.revokeMany(t); err != nil {
		return fmt.Errorf("making RPTs that are revoked: %w", err)
	}
	if err := t.world.grantMany(t, min(t.size, liveRPTs)); err != nil {
		return fmt.Errorf("making RPTs: %w", err)
	}
	time.Sleep(time.Until(soon))
	return t.openGallery()
}

// measure takes the samples, interleaved: every round has one of each workload
// on each target. The first round warms up and does not count. The first of the
// chosen workloads is the yardstick.
func measure(ctx context.Context, targets []*target, chosen []workload, o options, say func(string, ...any)) ([]row, error) {
	got := results{}
	for round := range o.rounds + 1 {
		say("round %d of %d", round, o.rounds)
		for _, w := range chosen {
			for _, t := range targets {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				take := beside
				if w.name == bare {
					take = alone
				}
				s, err := take(t, w, chosen[0], o.sample)
				if err != nil {
					return nil, err
				}
				if got[t] == nil {
					got[t] = map[string][]sample{}
				}
				if round > 0 {
					got[t][w.name] = append(got[t][w.name], s)
				}
			}
		}
	}
	if o.cpuProfile != "" {
		if err := profileAll(targets, chosen, o, say); err != nil {
			return nil, err
		}
	}
	var rows []row
	for _, t := range targets {
		for _, w := range chosen {
			r, err := got.row(t, w)
			if err != nil {
				return nil, err
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// profileTime is how long each profile is.
const profileTime = 5 * time.Second

// profileAll drives each workload once more, with a profile taken. That is
// apart from what is measured, because a profile costs something.
func profileAll(targets []*target, chosen []workload, o options, say func(string, ...any)) error {
	if err := os.MkdirAll(o.cpuProfile, 0o755); err != nil {
		return err
	}
	for _, t := range targets {
		for _, w := range chosen {
			path := filepath.Join(o.cpuProfile, fmt.Sprintf("%s-%d-%s.pprof", t.store, t.size, w.name))
			done := make(chan error, 1)
			go func() { done <- t.profile(path, profileTime) }()
			_, err := drive(t, w, profileTime)
			if err := errors.Join(err, <-done); err != nil {
				return err
			}
			say("wrote %s", path)
		}
	}
	return nil
}
