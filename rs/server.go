package rs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/licet/licet/dpop"
	"github.com/licet/licet/uma"
)

// MaxCacheTTL is the longest that an answer of the authorization server may be
// kept: for that long a withdrawn permission would still open the door.
const MaxCacheTTL = time.Minute

// Owner is the resource server's own name of a resource owner, such as the
// account's number. The authorization server never sees it.
type Owner string

// Access is what one request needs. The zero value is never let through.
type Access struct {
	// Unprotected says that the request is nobody's to permit: the handler
	// answers it, and the authorization server is not asked.
	Unprotected bool

	Owner Owner // whose resources they are; selects the PAT
	// Needs are all needed. Ask for what the operation takes and no more: a
	// scope for reading where the request reads (Grant 3.2).
	Needs []Need
}

// Need is one resource, by the key it was registered with, and the scopes
// that the request needs on it. No scope is the bare resource (FedAuthz 4).
type Need struct {
	Resource string
	Scopes   []uma.Scope
}

// Route says what a request needs. It sees the path in its only spelling. An
// error refuses the request with 403, which is also how a resource server is
// stricter than any RPT (FedAuthz 1.4).
type Route func(*http.Request) (Access, error)

// Config says how a Server works. Issuer, PAT and Route are required.
type Config struct {
	Issuer string    // of the authorization server, as in its discovery document
	PAT    PATSource // one PAT for each owner
	Route  Route

	// Key has PATs bound to it (RFC 9449): give the same one to OAuth. nil is for
	// bearer tokens. RPTs that are bound are understood either way.
	Key *dpop.Key
	// Origin is what clients call this API by, such as https://api.example: what a
	// client proves its key for has to begin with it. Empty is for the scheme and
	// host of each request, which behind a proxy may be others.
	Origin string

	Registry Registry // which resource has which id; nil is one in memory
	Realm    string   // of the challenge; may be empty

	// CacheTTL is how long an introspection may be used again, at most
	// MaxCacheTTL and never past the end of the token or of a permission in
	// it. Zero asks for every request, so that what an owner withdraws is gone
	// at once; five seconds take most of the load away.
	CacheTTL  time.Duration
	CacheSize int // RPTs remembered at most; 0 is 4096

	// HTTP speaks to the authorization server; nil is a client of our own
	// that gives up after ten seconds. Redirects are never followed: a PAT
	// goes where the discovery document says and nowhere else.
	HTTP *http.Client
	Now  func() time.Time // nil is time.Now

	// Alarm hears why a request was refused though nobody said no: the
	// authorization server does not answer, a PAT is not good any more, a
	// resource is not registered. nil writes to slog.Default.
	Alarm func(ctx context.Context, owner Owner, err error)
}

// Server guards the API of a resource server. It may be used by any number of
// goroutines.
type Server struct {
	issuer   string
	external string // Config.Origin
	proofs   proofs
	route    Route
	realm    string
	registry Registry
	api      protection
	cache    *cache
	now      func() time.Time
	alarm    func(ctx context.Context, owner Owner, err error)
	syncing  keyed
	healed   lastTimes
}

// New makes a Server. It does not speak to the authorization server, which may
// start later; it tells all that is wrong with the configuration at once.
func New(c Config) (*Server, error) {
	var faults []error
	if err := secure(c.Issuer); err != nil {
		faults = append(faults, fmt.Errorf("rs: the issuer: %w", err))
	}
	if c.PAT == nil {
		faults = append(faults, errors.New("rs: there is no source of PATs"))
	}
	if c.Route == nil {
		faults = append(faults, errors.New("rs: there is no Route that says what a request needs"))
	}
	if c.CacheTTL < 0 || c.CacheTTL > MaxCacheTTL {
		faults = append(faults, fmt.Errorf("rs: CacheTTL has to be between 0 and %s", MaxCacheTTL))
	}
	if c.CacheSize < 0 {
		faults = append(faults, errors.New("rs: CacheSize is negative"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if c.Registry == nil {
		c.Registry = &MemoryRegistry{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Alarm == nil {
		c.Alarm = func(ctx context.Context, owner Owner, err error) {
			slog.WarnContext(ctx, "a request was refused in doubt", "owner", string(owner), "error", err)
		}
	}
	client := proving(withoutRedirects(c.HTTP), c.Key, c.Now)
	return &Server{
		issuer: c.Issuer, external: strings.TrimSuffix(c.Origin, "/"), route: c.Route, realm: c.Realm, registry: c.Registry, now: c.Now, alarm: c.Alarm,
		api:   protection{http: client, as: discovery{issuer: c.Issuer, http: client, now: c.Now}, pats: c.PAT, scheme: schemeOf(c.Key)},
		cache: newCache(c.CacheTTL, c.CacheSize, c.Now),
	}, nil
}

// proving gives a client the key that its requests prove to have, if there is one.
func proving(c *http.Client, key *dpop.Key, now func() time.Time) *http.Client {
	if key != nil {
		c.Transport = &dpop.Transport{Key: key, Base: c.Transport, Now: now}
	}
	return c
}

// schemeOf is the type of the tokens that somebody with this key, or none, gets.
func schemeOf(key *dpop.Key) string {
	if key != nil {
		return "DPoP"
	}
	return "Bearer"
}

// withoutRedirects copies a client and forbids it to follow redirects.
func withoutRedirects(c *http.Client) *http.Client {
	out := http.Client{Timeout: 10 * time.Second}
	if c != nil {
		out = *c
	}
	out.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &out
}

// secure refuses a URL over which a token must not travel: TLS is demanded by
// FedAuthz 1.3, and only traffic that does not leave the machine may do without.
func secure(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("%q is no absolute URL", raw)
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		return fmt.Errorf("%q is not https", raw)
	}
	return nil
}
