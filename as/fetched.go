package as

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/licet/licet/internal/egress"
	"github.com/licet/licet/oauth"
)

// fetchedKeys are the keys of somebody who publishes them at an address: a claim
// issuer whom the operator trusts, or a client.
type fetchedKeys struct {
	uri   string
	fetch *http.Client

	mu      sync.Mutex
	keys    oauth.PublicKeys
	fetched time.Time // when the keys came
	tried   time.Time // when they were last asked for
	failed  error     // why they did not come then
}

// How long fetched keys are used, and how soon they may be fetched again when
// a token names a key that is not among them.
const (
	keysFresh   = 10 * time.Minute
	keysRefetch = 30 * time.Second
)

// current returns the keys, fetched anew when they are old, or when again is set
// and the last attempt is not just over. An address that does not answer is not
// asked again for a while; meanwhile keys that are not old are still good, and
// otherwise what is signed with them counts for nothing.
func (k *fetchedKeys) current(ctx context.Context, now time.Time, again bool) (oauth.PublicKeys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fresh := !k.fetched.IsZero() && now.Sub(k.fetched) < keysFresh
	justTried := !k.tried.IsZero() && now.Sub(k.tried) < keysRefetch
	if !justTried && (again || !fresh) {
		k.tried, k.failed = now, k.refetch(ctx)
		if k.failed == nil {
			k.fetched, fresh = now, true
		}
	}
	if fresh {
		return k.keys, nil
	}
	return nil, k.failed
}

// refetch fetches the keys. Whoever asked may hang up: others wait for the
// same answer. The egress client bounds how long it takes.
func (k *fetchedKeys) refetch(ctx context.Context) error {
	body, err := egress.Fetch(context.WithoutCancel(ctx), k.fetch, k.uri)
	if err != nil {
		return err
	}
	keys, err := oauth.ParseJWKS(body)
	if err == nil {
		k.keys = keys
	}
	return err
}

// clientKeys are the keys of clients that registered a jwks_uri.
type clientKeys struct {
	fetch *http.Client

	mu sync.Mutex
	of map[clientAddress]*fetchedKeys
}

// clientAddress is one client at one address: registering another address begins
// anew.
type clientAddress struct {
	client oauth.ClientID
	uri    string
}

// maxClientKeys is of how many clients keys are kept; beyond, they are fetched
// again.
const maxClientKeys = 1024

var errNoEgress = errors.New("as: a client has a jwks_uri, but there is no egress client")

// at returns the place of a client's keys.
func (k *clientKeys) at(c oauth.Client) (*fetchedKeys, error) {
	if k.fetch == nil {
		return nil, errNoEgress
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	place := clientAddress{c.ID, c.JWKSURI}
	kept, ok := k.of[place]
	if ok {
		return kept, nil
	}
	for other := range k.of {
		if len(k.of) < maxClientKeys {
			break
		}
		delete(k.of, other)
	}
	kept = &fetchedKeys{uri: c.JWKSURI, fetch: k.fetch}
	if k.of == nil {
		k.of = map[clientAddress]*fetchedKeys{}
	}
	k.of[place] = kept
	return kept, nil
}

// verify verifies an assertion of a client that has been found. The network is
// asked for nothing that would be refused whatever the keys are, and not again and
// again for keys that nobody has.
func (k *clientKeys) verify(ctx context.Context, c oauth.Client, token, issuer string, now time.Time) (oauth.Assertion, error) {
	if c.JWKSURI == "" {
		keys, err := c.Keys()
		if err != nil {
			return oauth.Assertion{}, err
		}
		return oauth.VerifyAssertion(c, keys, token, issuer, now)
	}
	if err := oauth.CheckAssertion(c, token, issuer, now); err != nil {
		return oauth.Assertion{}, err
	}
	elsewhere, err := k.at(c)
	if err != nil {
		return oauth.Assertion{}, err
	}
	keys, err := elsewhere.current(ctx, now, false)
	if err != nil {
		return oauth.Assertion{}, err
	}
	a, err := oauth.VerifyAssertion(c, keys, token, issuer, now)
	if !errors.Is(err, oauth.ErrUnknownKey) {
		return a, err
	}
	if keys, err = elsewhere.current(ctx, now, true); err != nil {
		return oauth.Assertion{}, err
	}
	return oauth.VerifyAssertion(c, keys, token, issuer, now)
}
