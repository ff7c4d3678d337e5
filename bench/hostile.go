package main

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Attackers send what costs a server most for the least: tickets that are none,
// tickets that are spent, tokens that are none, and bodies of a megabyte, on as
// many connections as the good traffic has, as fast as they are answered.

// attackPairs is how many samples there are with and without an attack.
const attackPairs = 5

// hostile compares the introspections of good callers with and without an
// attack.
func (f *facts) hostile(w workload, length time.Duration) error {
	t := f.on
	spent, err := t.spentTickets()
	if err != nil {
		return err
	}
	var calm, attacked, ratios []float64
	var blows int64
	for range attackPairs {
		alone, err := drive(t, w, length)
		if err != nil {
			return err
		}
		stop := t.attack(spent)
		under, err := drive(t, w, length)
		n, wrong := stop()
		if err := errors.Join(err, wrong); err != nil {
			return err
		}
		blows += n
		calm, attacked = append(calm, alone.at(0.99)), append(attacked, under.at(0.99))
		ratios = append(ratios, under.at(0.99)/alone.at(0.99))
	}
	f.add("introspect p99, calm", median(calm), "ms")
	f.add("introspect p99, under attack", median(attacked), "ms")
	f.add("blows per second", float64(blows)/(attackPairs*length.Seconds()), "")
	f.add(factHostile, median(ratios), "")
	return nil
}

// spentTickets makes tickets that were presented already.
func (t *target) spentTickets() ([]string, error) {
	tickets := make([]string, 256)
	err := t.world.each(t, len(tickets), func(k *worker, i int) (err error) {
		r := k.resources[k.pickOf(open)]
		if tickets[i], err = k.ticket(r); err != nil {
			return err
		}
		_, err = k.redeem(r, tickets[i], "")
		return err
	})
	return tickets, err
}

// attack begins an attack. stop ends it and tells how many blows there were, and
// whether one of them was answered as it must not be.
func (t *target) attack(spent []string) (stop func() (int64, error)) {
	var over atomic.Bool
	var blows atomic.Int64
	var group sync.WaitGroup
	failed := make([]error, connections)
	for i := range connections {
		group.Go(func() {
			k, err := newWorker(t)
			if err != nil {
				failed[i] = err
				return
			}
			defer func() { _ = k.close() }() // a blow may have broken it
			for !over.Load() && failed[i] == nil {
				failed[i] = k.blow(spent)
				blows.Add(1)
			}
		})
	}
	return func() (int64, error) {
		over.Store(true)
		group.Wait()
		return blows.Load(), errors.Join(failed...)
	}
}

var megabyte = "token=" + strings.Repeat("x", 1<<20)

// blow is one request of an attacker. It has to be refused, and never with a
// fault of the server; a server that hangs up instead is right, too.
func (k *worker) blow(spent []string) error {
	var status int
	var body []byte
	var err error
	switch k.rand.IntN(10) {
	case 0:
		status, body, err = k.call(http.MethodPost, "/token", k.app, typeForm, megabyte)
	case 1:
		status, body, err = k.call(http.MethodPost, "/introspect", k.owners[0].pat, typeForm, megabyte)
	case 2:
		status, body, err = k.call(http.MethodPost, "/uma/permission", "Bearer "+strings.Repeat("B", 51), typeJSON, permission("x"))
	case 3, 4, 5:
		status, body, err = k.call(http.MethodPost, "/token", k.app, typeForm, umaGrant+one(k, spent))
	default:
		status, body, err = k.call(http.MethodPost, "/token", k.app, typeForm, umaGrant+strings.Repeat("A", 43))
	}
	if err != nil {
		_ = k.close() // it may be closed already
		return k.redial()
	}
	if status < 400 || status >= 500 {
		return wrong("an attack", status, body)
	}
	return nil
}
