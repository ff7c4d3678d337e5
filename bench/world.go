package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

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
	bob       string             // what pushes Bob's ID token

	revoked, expired []liveRPT

	asked    bool         // for a ticket for each resource
	met      bool         // a resource was registered for each owner
	gallery  string       // URL of a resource server that guards everything
	cached   http.Handler // the same, with a cache
	viewer   *http.Client // of a client
	visitors atomic.Int64
	workers  atomic.Int64

	// What one workload makes and another takes away.
	spare      stock[liveRPT] // never asked about
	seen       stock[liveRPT]
	registered stock[resource]
	shared     stock[share]
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
	photo    int // which of the resources it is, where somebody wants to know
}

// share is a share that can be taken back.
type share struct {
	id    string
	owner int
}

// stock is what waits to be used up, once each.
type stock[T any] struct {
	mu   sync.Mutex
	list []T
}

// maxStock bounds the memory of the driver.
const maxStock = 200_000

func (s *stock[T]) put(v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) < maxStock {
		s.list = append(s.list, v)
	}
}

// any chooses one and leaves it there.
func (s *stock[T]) any(r *rand.Rand) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		return v, false
	}
	return s.list[r.IntN(len(s.list))], true
}

func (s *stock[T]) take() (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		return v, false
	}
	v = s.list[len(s.list)-1]
	s.list = s.list[:len(s.list)-1]
	return v, true
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

// seed makes every run choose alike; every worker of a run chooses by itself.
const seed = 20

// each does something n times, on all connections at once.
func (w *world) each(t *target, n int, do func(k *worker, i int) error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	failed := make([]error, connections)
	for c := range connections {
		k, err := newWorker(t)
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
	zipf  *rand.Zipf
	out   []byte
	rest  []byte // where the next page of the list is; empty for at its beginning
	count int
	due   []func() error // checks of answers that cost the server something
}

func newWorker(t *target) (*worker, error) {
	w, err := dial(t.address)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(seed, uint64(t.world.workers.Add(1))))
	return &worker{wire: w, world: t.world, rand: r, zipf: rand.NewZipf(r, 1.1, 1, uint64(t.size-1))}, nil
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

// afterwards puts a check off until the sample has been taken, if there is one: what
// it costs the server is no part of what is measured.
func (k *worker) afterwards(check func() error) { k.due = append(k.due, check) }

// check carries out what was put off.
func (k *worker) check() error {
	for _, check := range k.due {
		if err := check(); err != nil {
			return err
		}
	}
	k.due = nil
	return nil
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
		photo := k.pickOf(open)
		if rpts[i], err = k.grant(k.resources[photo], ""); err != nil {
			return err
		}
		rpts[i].photo = photo
		return k.inspect(rpts[i])
	})
	w.rpts = rpts
	return err
}

// deadRPTs is how many revoked and how many expired RPTs there are.
const deadRPTs = 256

// revokeMany makes RPTs that were revoked.
func (w *world) revokeMany(t *target) error {
	w.revoked = make([]liveRPT, deadRPTs)
	return w.each(t, deadRPTs, func(k *worker, i int) (err error) {
		if w.revoked[i], err = k.grant(k.resources[k.pickOf(open)], ""); err != nil {
			return err
		}
		return k.revoke(w.revoked[i])
	})
}

// expireMany makes RPTs whose share ends at a time.
func (w *world) expireMany(t *target, at time.Time) error {
	w.expired = make([]liveRPT, deadRPTs)
	return w.each(t, deadRPTs, func(k *worker, i int) error {
		r, err := k.register(0)
		if err != nil {
			return err
		}
		if _, err := k.share(r, fmt.Sprintf(`"anyone":true,"not_after":%d`, at.Unix())); err != nil {
			return err
		}
		w.expired[i], err = k.grant(r, "")
		return err
	})
}
