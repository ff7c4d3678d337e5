package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// world is what the driver knows of a target's population.
type world struct {
	owners    []owner
	resources []resource
	app       string // Authorization of a client that may ask for RPTs
	service   string // Authorization of a client with client_credentials
	rpts      []liveRPT
	crowded   map[int][]resource // by the number of shares on it
}

// owner is a resource owner with the tokens of their resource server and app.
type owner struct {
	pat    string // Authorization
	policy string // Authorization; "" beyond policyOwners
}

type resource struct {
	id    string
	owner int
}

type liveRPT struct {
	token    string
	resource resource
}

// policyOwners is how many owners use the policy API in a run, from the first.
const policyOwners = 1000

// enter gives the owners their tokens.
func (w *world) enter(t *target) error {
	w.app, w.service = basic(clientApp), basic(clientService)
	emails := make([]string, ownersOf(t.size))
	for i := range emails {
		emails[i] = emailOf(i)
	}
	pats, err := t.tokens(clientRS, uma.ScopeProtection, emails)
	if err != nil {
		return err
	}
	policies, err := t.tokens(clientOwners, oauth.ScopePolicy, emails[:min(len(emails), policyOwners)])
	if err != nil {
		return err
	}
	w.owners = make([]owner, len(emails))
	for i := range emails {
		w.owners[i].pat = "Bearer " + pats[i]
		if i < len(policies) {
			w.owners[i].policy = "Bearer " + policies[i]
		}
	}
	return nil
}

// seed makes every run choose alike.
const seed = 20

// each does something n times, on all connections at once.
func (w *world) each(t *target, n int, do func(k *worker, i int) error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	failed := make([]error, connections)
	for c := range connections {
		k, err := newWorker(t, c)
		if err != nil {
			return err
		}
		group.Go(func() {
			defer k.close()
			for failed[c] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				failed[c] = do(k, i)
			}
		})
	}
	group.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// worker is one connection that does operations, with its own choices.
type worker struct {
	*wire
	*world
	rand  *rand.Rand
	out   []byte
	count int
}

func newWorker(t *target, number int) (*worker, error) {
	w, err := dial(t.address)
	if err != nil {
		return nil, err
	}
	return &worker{wire: w, world: t.world, rand: rand.New(rand.NewPCG(seed, uint64(number)))}, nil
}

// call sends one request.
func (k *worker) call(method, path, authorization, contentType, body string) (int, []byte, error) {
	k.out = request(k.out[:0], method, path, authorization, contentType, body)
	return k.do(k.out)
}

// closely says whether this answer is one of those that are read in full.
func (k *worker) closely() bool {
	k.count++
	return k.count%64 == 1
}

// wrong is an answer that ends the run.
func wrong(what string, status int, body []byte) error {
	return fmt.Errorf("%s: a wrong answer: %d %.300s", what, status, body)
}

// member reads a text member of a JSON answer without parsing it: tickets,
// tokens and ids have nothing in them that JSON would escape.
func member(body []byte, name string) string {
	_, rest, found := bytes.Cut(body, []byte(`"`+name+`":"`))
	value, _, closed := bytes.Cut(rest, []byte{'"'})
	if !found || !closed {
		return ""
	}
	return string(value)
}

// grantMany makes live RPTs, each of which has been seen by its resource server
// once.
func (w *world) grantMany(t *target, n int) error {
	rpts := make([]liveRPT, n)
	err := w.each(t, n, func(k *worker, i int) (err error) {
		if rpts[i], err = k.grant(k.resources[k.pickOf(open)]); err != nil {
			return err
		}
		return k.inspect(rpts[i])
	})
	w.rpts = rpts
	return err
}
