package differential

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/store/sqlite"
	"github.com/licet/licet/uma"
)

const (
	issuer   = "https://as.example"
	provider = "https://claims.example" // a trusted issuer of claim tokens
)

var (
	allScopes   = []string{"view", "edit", "print", "download"}
	allClients  = []string{"c1", "c2", "c3"}
	providerKey = sync.OnceValue(makeKey)
	strangerKey = sync.OnceValue(makeKey)
)

func makeKey() oauth.Key {
	key, err := oauth.GenerateKey(rand.Reader, oauth.EdDSA)
	if err != nil {
		panic(err)
	}
	return key
}

// dice decide what happens. Everything that is drawn comes from one seed.
type dice struct{ *mrand.Rand }

func newDice(seed, stream uint64) dice { return dice{mrand.New(mrand.NewPCG(seed, stream))} }

// once says yes once in n times.
func (d dice) once(n int) bool { return d.IntN(n) == 0 }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

// some is a part of a list, in any order.
func some[T any](d dice, from []T) []T {
	var out []T
	for _, i := range d.Perm(len(from)) {
		if d.once(2) {
			out = append(out, from[i])
		}
	}
	return out
}

func toScopes(names []string) []uma.Scope {
	out := []uma.Scope{}
	for _, n := range names {
		out = append(out, uma.Scope(n))
	}
	return out
}

// house is one real server on one real store, with the worlds that live in it.
type house struct {
	*as.Server
	dice
	rules
	ctx      context.Context
	store    *sqlite.Store
	now      atomic.Int64 // milliseconds since the epoch
	clients  map[string]oauth.Client
	accounts []as.Account
}

// began is when every house is opened.
var began = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func (h *house) time() time.Time { return time.UnixMilli(h.now.Load()).UTC() }

// openHouse makes a server whose configuration is drawn from the seed, if
// configure does not say otherwise.
func openHouse(ctx context.Context, dir string, seed uint64, configure func(*rules)) (*house, error) {
	h := &house{ctx: ctx, dice: newDice(seed, 0), clients: map[string]oauth.Client{}}
	h.now.Store(began.UnixMilli())
	h.rules = rules{
		partial: pick(h.dice, "", "first", "never"), strict: h.once(5), revokeOnReplay: h.once(2),
		forbid: forbids[0], registered: map[string]set{},
	}
	if h.once(3) {
		h.forbid = pick(h.dice, forbids...)
	}
	if configure != nil {
		configure(&h.rules)
	}
	var err error
	if h.store, err = sqlite.Open(ctx, filepath.Join(dir, "licet.db")); err != nil {
		return nil, err
	}
	jwks, err := oauth.KeySet{providerKey()}.Public()
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 64)
	_, _ = rand.Read(secret) // never fails
	h.Server, err = as.New(ctx, as.Config{
		Issuer: issuer, Store: h.store, Now: h.time, ClaimsInteractionEndpoint: issuer + "/claims",
		Secrets:      as.Secrets{Digest: secret[:32], Seal: [][]byte{secret[32:]}},
		ClaimIssuers: []as.ClaimIssuer{{Issuer: provider, JWKS: jwks}}, Forbids: h.forbid.cedar,
		Partial: as.Partial(h.partial), StrictScopes: h.strict, RevokeOnReplay: h.revokeOnReplay,
		Lifetimes: as.Lifetimes{Claims: claimsLife},
	})
	if err != nil {
		return nil, err
	}
	return h, h.furnish()
}

func (h *house) furnish() error {
	for _, id := range allClients {
		scopes := some(h.dice, allScopes)
		c := oauth.Client{
			ID: oauth.ClientID(id), AuthMethod: oauth.AuthBasic, ClaimsRedirectURIs: []string{"https://" + id + ".example/claims"},
			Scopes: toScopes(scopes), GrantTypes: []string{uma.GrantType, oauth.GrantRefreshToken}, PushClaims: true,
		}
		if id == "c3" {
			c.GrantTypes, c.PushClaims = c.GrantTypes[:1], false
		}
		made, _, err := h.RegisterClient(h.ctx, c)
		if err != nil {
			return err
		}
		h.clients[id], h.registered[id] = made, setOf(scopes...)
	}
	for _, id := range []string{"rs1", "rs2"} {
		made, _, err := h.RegisterClient(h.ctx, oauth.Client{
			ID: oauth.ClientID(id), AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantClientCredentials}, Scopes: []uma.Scope{uma.ScopeProtection},
		})
		h.clients[id] = made
		if err != nil {
			return err
		}
	}
	for _, email := range []string{"bob@example.org", "carlos@clinic.example"} {
		account, _, err := h.CreateAccount(h.ctx, as.Account{Name: email, Email: email, EmailVerified: true}, "")
		if err != nil {
			return err
		}
		h.accounts = append(h.accounts, account)
	}
	return nil
}

// How many worlds live in one house at a time, how long, and how much happens in
// each between two moves of the clock.
const (
	worldsInHouse = 32
	daysInHouse   = 10
	stepsInDay    = 8
)

// live lets worlds live in the house, side by side, and returns what happened how
// often, and the first difference. Within a day the clock
// stands still.
func (h *house) live() (seen map[string]int, err error) {
	worlds := make([]*world, worldsInHouse)
	errs := make([]error, worldsInHouse)
	all := func(do func(*world) error) error {
		var wg sync.WaitGroup
		for i, w := range worlds {
			wg.Go(func() { errs[i] = do(w) })
		}
		wg.Wait()
		return errors.Join(errs...)
	}
	for i := range worlds {
		worlds[i] = h.newWorld(newDice(h.Uint64(), uint64(i)))
	}
	err = all((*world).begin)
	for day := 0; day < daysInHouse && err == nil; day++ {
		err = all((*world).day)
		h.now.Add(pick[int64](h.dice, 1, 1000, 1500, 4000, 5000, 60_000, 60_000, 299_000, 300_000, 600_000, 3_600_000, 2*3_600_000))
	}
	seen = map[string]int{}
	for _, w := range worlds {
		for what, n := range w.seen {
			seen[what] += n
		}
	}
	return seen, err
}

// visit opens a house, lets it live and closes it.
func visit(ctx context.Context, seed uint64, configure func(*rules)) (seen map[string]int, err error) {
	dir, err := os.MkdirTemp("", "licet-differential-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	h, err := openHouse(ctx, dir, seed, configure)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.store.Close()) }()
	seen, err = h.live()
	if err != nil {
		err = fmt.Errorf("house %d (partial %q, strict %v, forbid %s):\n%w", seed, h.partial, h.strict, h.forbid.cedar, err)
	}
	return seen, err
}

// neighbourhood lives house after house, two at a time, until enough assessments
// were compared or one differs.
func neighbourhood(t *testing.T, first uint64, wanted int, configure func(*rules)) (seen map[string]int, err error) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen = map[string]int{}
	next := first
	for range 2 {
		wg.Go(func() {
			for {
				mu.Lock()
				seed, done := next, err != nil || seen["assessed"] >= wanted
				next++
				mu.Unlock()
				if done {
					return
				}
				more, e := visit(t.Context(), seed, configure)
				mu.Lock()
				err = errors.Join(err, e)
				for what, n := range more {
					seen[what] += n
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return seen, err
}
