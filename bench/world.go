package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
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
}

// owner is a resource owner with the tokens of their resource server and app.
type owner struct {
	email  string
	pat    string // Authorization
	policy string // Authorization
}

type resource struct {
	id    string
	owner int
}

type liveRPT struct {
	token    string
	resource int
}

// The clients of a run.
const (
	clientRS      = "rs"
	clientApp     = "app"
	clientOwners  = "owners-app"
	clientService = "service"
)

// clients are the clients of a run; service acts for an organisation.
func clients(organisation string) []oauth.Client {
	return []oauth.Client{
		{
			ID: clientRS, Name: "Resource server", AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantAuthorizationCode},
			RedirectURIs: []string{"https://rs.example/callback"}, Scopes: []uma.Scope{uma.ScopeProtection},
		},
		{
			ID: clientOwners, Name: "Owners' app", AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantAuthorizationCode},
			RedirectURIs: []string{"https://owners.example/callback"}, Scopes: []uma.Scope{oauth.ScopePolicy},
		},
		{
			ID: clientApp, Name: "App", AuthMethod: oauth.AuthBasic, GrantTypes: []string{uma.GrantType},
			Scopes: []uma.Scope{"view", "edit"}, PushClaims: true,
		},
		{
			ID: clientService, Name: "Service", AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantClientCredentials},
			Scopes: []uma.Scope{oauth.ScopePolicy}, Space: organisation,
		},
	}
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// enter makes the clients, the owners and their tokens.
func (w *world) enter(t *target, owners int) error {
	emails := make([]string, owners)
	for i := range emails {
		emails[i] = fmt.Sprintf("owner%d@example.com", i)
	}
	if err := t.operate(http.MethodPost, "/accounts", emails, nil); err != nil {
		return err
	}
	var spaces []string
	if err := t.operate(http.MethodPost, "/spaces", emails[:1], &spaces); err != nil {
		return err
	}
	var secrets map[string]string
	if err := t.operate(http.MethodPost, "/clients", clients(spaces[0]), &secrets); err != nil {
		return err
	}
	w.app, w.service = basic(clientApp, secrets[clientApp]), basic(clientService, secrets[clientService])
	type ask struct {
		Client string    `json:"client"`
		Scope  uma.Scope `json:"scope"`
		Emails []string  `json:"emails"`
	}
	var pats, policies []string
	if err := t.operate(http.MethodPost, "/tokens", ask{clientRS, uma.ScopeProtection, emails}, &pats); err != nil {
		return err
	}
	if err := t.operate(http.MethodPost, "/tokens", ask{clientOwners, oauth.ScopePolicy, emails}, &policies); err != nil {
		return err
	}
	w.owners = make([]owner, owners)
	for i, email := range emails {
		w.owners[i] = owner{email, "Bearer " + pats[i], "Bearer " + policies[i]}
	}
	return nil
}

// seed makes every run choose alike.
const seed = 20

// populate registers resources, each with a share for anybody. The first owner
// has a tenth of everything.
func (w *world) populate(t *target, n int) error {
	w.resources = make([]resource, n)
	return w.each(t, n, func(k *worker, i int) error {
		o := 0
		if i%10 != 0 {
			o = 1 + i%(len(w.owners)-1)
		}
		id, err := k.register(o)
		if err != nil {
			return err
		}
		w.resources[i] = resource{id, o}
		return k.share(w.resources[i], `"anyone":true`)
	})
}

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

// grantMany makes live RPTs.
func (w *world) grantMany(t *target, n int) error {
	rpts := make([]liveRPT, n)
	err := w.each(t, n, func(k *worker, i int) (err error) {
		rpts[i], err = k.grant()
		return err
	})
	w.rpts = rpts
	return err
}
