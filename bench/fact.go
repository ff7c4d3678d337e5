package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// fact is one thing that a run finds out beside the table.
type fact struct {
	Store     string  `json:"store"`
	Resources int     `json:"resources"`
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Unit      string  `json:"unit"`
}

// The names of facts that gates ask for.
const (
	factStale      = "stale answers after a change"
	factMassStale  = "stale answers after a mass withdrawal"
	factMassWrites = "durable writes of a mass withdrawal"
	factHostile    = "introspect p99 under attack / without"
	factColdEmpty  = "cold start, empty"
	factCold       = "cold start"
	factIdle       = "idle RSS, empty"
	factBinary     = "stripped binary"
	factImport     = "rows imported per second"
)

// facts collects them.
type facts struct {
	list []fact
	on   *target
}

func (f *facts) add(name string, value float64, unit string) {
	f.list = append(f.list, fact{f.on.store, f.on.size, name, value, unit})
}

// factTable prints the facts.
func factTable(to io.Writer, list []fact) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nstore\tresources\twhat\tvalue\t")
	for _, f := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\t\n", f.Store, power(f.Resources), f.Name, short(f.Value), f.Unit)
	}
	return w.Flush()
}

func short(v float64) string {
	if v == float64(int64(v)) {
		return fmt.Sprint(int64(v))
	}
	return fmt.Sprintf("%.2f", v)
}

// visibilityTrials is how many shares are given and taken back to see when that
// shows.
const visibilityTrials = 400

// visibility gives and takes back shares, and asks at once. What is not seen by
// the first question is stale.
func (f *facts) visibility() error {
	var stale atomic.Int64
	given, taken := make([]time.Duration, visibilityTrials), make([]time.Duration, visibilityTrials)
	err := f.on.world.each(f.on, visibilityTrials, func(k *worker, i int) error {
		r, err := k.register(k.rand.IntN(min(len(k.owners), policyOwners)))
		if err != nil {
			return err
		}
		s, err := k.share(r, `"anyone":true`)
		if err != nil {
			return err
		}
		var rpt liveRPT
		given[i], err = seen(&stale, func() error { rpt, err = k.grant(r, ""); return err })
		if err != nil {
			return err
		}
		if err := errors.Join(k.inspect(rpt), k.unshare(s)); err != nil {
			return err
		}
		taken[i], err = seen(&stale, func() error { return k.inactive(rpt) })
		return errors.Join(err, k.refused(r, "", "request_denied"))
	})
	f.add(factStale, float64(stale.Load()), "")
	f.add("a share decides after, p99", milliseconds(given), "ms")
	f.add("a withdrawn share is inactive after, p99", milliseconds(taken), "ms")
	return err
}

// seen asks until the answer is the right one, and tells how long that took.
func seen(stale *atomic.Int64, ask func() error) (time.Duration, error) {
	begin := time.Now()
	for {
		err := ask()
		if err == nil || time.Since(begin) > 5*time.Second {
			return time.Since(begin), err
		}
		stale.Add(1)
	}
}

// milliseconds is the 99th percentile.
func milliseconds(list []time.Duration) float64 {
	slices.Sort(list)
	return float64(list[len(list)*99/100]) / 1e6
}

// massChecks is how many of the RPTs are asked about when their share is gone.
const massChecks = 5000

// massWithdrawal takes back a share under which n RPTs live.
func (f *facts) massWithdrawal(n int) error {
	t := f.on
	var r resource
	var s share
	err := t.world.each(t, 1, func(k *worker, _ int) (err error) {
		if r, err = k.register(0); err != nil {
			return err
		}
		s, err = k.share(r, `"anyone":true`)
		return err
	})
	if err != nil {
		return err
	}
	rpts := make([]liveRPT, n)
	err = t.world.each(t, n, func(k *worker, i int) (err error) {
		if rpts[i], err = k.grant(r, ""); err != nil {
			return err
		}
		return k.inspect(rpts[i])
	})
	if err != nil {
		return err
	}
	k, err := newWorker(t) // now: the server closes connections that idle
	if err != nil {
		return err
	}
	defer k.close() // nothing is on its way
	before, err := t.used()
	if err != nil {
		return err
	}
	begin := time.Now()
	err = k.unshare(s)
	took := time.Since(begin)
	if err != nil {
		return err
	}
	after, err := t.used()
	if err != nil {
		return err
	}
	var stale atomic.Int64
	err = t.world.each(t, min(n, massChecks), func(k *worker, _ int) error {
		_, err := seen(&stale, func() error { return k.inactive(rpts[k.rand.IntN(n)]) })
		return err
	})
	f.add("live RPTs of one share, withdrawn", float64(n), "")
	f.add(factMassWrites, float64(after.Updates-before.Updates), "")
	f.add("time of a mass withdrawal", float64(took)/1e6, "ms")
	f.add(factMassStale, float64(stale.Load()), "")
	return err
}
