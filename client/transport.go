package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/assertion"
	"github.com/licet/licet/dpop"
	"github.com/licet/licet/uma"
)

// Need is what an authorization server wants to know (Grant 3.3.6).
type Need struct {
	Issuer         string // who wants to know, and where the answer goes
	Origin         string // of the resource server
	RequiredClaims []uma.RequiredClaim
}

// Redirect is a page to which the requesting party has to go (Grant 3.3.2).
type Redirect struct {
	Issuer string
	URL    string
}

// Config says how a Transport works. Only ClientID is always required.
type Config struct {
	ClientID     string
	ClientSecret Secret // client_secret_basic; empty for a public client
	// AuthKey proves the client instead of a secret (private_key_jwt, RFC 7523). Its
	// JWKS is registered at the authorization server; what is shown there is of no
	// use to anybody else.
	AuthKey *assertion.Key

	// Trust says which authorization servers, by their issuers, may be spoken
	// to. They are named by whatever resource server is called, and are given
	// the client's secret, claims and PCTs: a client with a secret has to say
	// (see Issuers). nil accepts every issuer. Either way only https goes, and
	// http on a loopback address.
	Trust func(issuer string) bool

	// Scopes to ask for beyond what the resource server asks for. They count
	// when the client is registered for them (Grant 3.3.1). Which scopes the
	// resource server asks for should be in its API's documentation.
	Scopes []uma.Scope

	// Claims returns a claim token and its format, both empty where it has
	// none that helps. It is asked only when the authorization server wants to
	// know something; whether the requesting party agrees to tell is its
	// affair (Grant 5.7).
	Claims func(ctx context.Context, need Need) (token, format string, err error)

	// Redirect brings the requesting party to a page and returns the
	// parameters with which it came back to ClaimsRedirectURI. It is for
	// programs that can wait for that; servers leave it nil and go from a
	// NeedInfoError to Begin.
	Redirect func(ctx context.Context, to Redirect) (url.Values, error)
	// ClaimsRedirectURI has to be registered at the authorization server, as
	// it is here, to the letter (Grant 3.3.2).
	ClaimsRedirectURI string

	// MaxWait is how long to wait for a resource owner who was asked. Zero is
	// not at all: a PendingError comes at once.
	MaxWait time.Duration

	// Key has the tokens of this client bound to it, where the authorization server
	// binds tokens (RFC 9449): nobody who takes one away can use it. nil is for bearer
	// tokens.
	Key *dpop.Key

	PCTs         PCTs         // nil is a Memory
	Tokens       Tokens       // nil is a Memory
	Interactions Interactions // nil is in memory

	Base http.RoundTripper                                // nil is http.DefaultTransport
	Now  func() time.Time                                 // nil is time.Now
	Wait func(ctx context.Context, d time.Duration) error // nil waits by the clock
	Rand io.Reader                                        // nil is crypto/rand
}

// Transport is an http.RoundTripper that meets UMA challenges. It may be used
// by any number of goroutines. It never changes a request that brings its own
// Authorization header.
type Transport struct {
	c       Config
	gate    gate
	servers directory
	proving http.RoundTripper // Config.Base, with proofs of Config.Key if there is one
	lock    chan struct{}     // of reading and then writing Config.Tokens
}

// New makes a Transport; it tells all that is wrong with the configuration at
// once.
func New(c Config) (*Transport, error) {
	var faults []error
	if c.ClientID == "" {
		faults = append(faults, errors.New("client: ClientID is missing"))
	}
	if c.ClientSecret != "" && c.Trust == nil {
		faults = append(faults, errors.New("client: with a ClientSecret, Trust has to say which authorization servers may see it"))
	}
	if c.ClientSecret != "" && c.AuthKey != nil {
		faults = append(faults, errors.New("client: there is a ClientSecret and an AuthKey; a client authenticates in one way"))
	}
	if c.Redirect != nil && c.ClaimsRedirectURI == "" {
		faults = append(faults, errors.New("client: Redirect needs a ClaimsRedirectURI to come back to"))
	}
	if u, err := url.Parse(c.ClaimsRedirectURI); c.ClaimsRedirectURI != "" && (err != nil || !u.IsAbs() || strings.Contains(c.ClaimsRedirectURI, "#")) {
		faults = append(faults, errors.New("client: ClaimsRedirectURI has to be an absolute URI without a fragment"))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	c.setDefaults()
	t := &Transport{c: c, servers: directory{base: c.Base, trust: c.Trust, now: c.Now}, lock: make(chan struct{}, 1), proving: c.Base}
	if c.Key != nil {
		t.proving = &dpop.Transport{Key: c.Key, Base: c.Base, Now: c.Now}
	}
	return t, nil
}

func (c *Config) setDefaults() {
	memory := &Memory{}
	if c.PCTs == nil {
		c.PCTs = memory
	}
	if c.Tokens == nil {
		c.Tokens = memory
	}
	if c.Interactions == nil {
		c.Interactions = &memoryInteractions{}
	}
	if c.Base == nil {
		c.Base = http.DefaultTransport
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wait == nil {
		c.Wait = wait
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Trust == nil {
		c.Trust = func(string) bool { return true }
	}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Issuers is a Trust that accepts the named authorization servers.
func Issuers(trusted ...string) func(string) bool {
	return func(issuer string) bool { return slices.Contains(trusted, issuer) }
}

// RoundTrip implements http.RoundTripper. When the resource server answers with
// a UMA challenge, RoundTrip seeks permission and sends the request again. An
// answer that is still a challenge then is returned as it is.
//
// Apart from errors of the network it returns *NeedInfoError, *PendingError,
// *DeniedError, *ASError and the errors of this package; http.Client wraps them,
// so use errors.As.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Header.Get("Authorization") != "" || !mayDance(req) {
		return t.c.Base.RoundTrip(req)
	}
	ctx := req.Context()
	at, use := Place{Origin: origin(req.URL), User: userOf(ctx)}, req.Method+" "+req.URL.EscapedPath()
	sent, err := t.pick(ctx, at, use)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	for restarted := false; ; restarted = true {
		res, err := t.send(req, sent, restarted)
		if err != nil {
			return nil, err
		}
		p, challenged, err := t.challenge(res, at, use)
		if err == nil && !challenged {
			return res, nil
		}
		discard(res)
		if err != nil {
			return nil, err
		}
		err = t.obtain(ctx, p, sent.RPT, restarted)
		switch {
		case err == nil && !replayable(req):
			return nil, ErrSendAgain
		case err == nil:
			if sent, err = t.pick(ctx, at, use); err != nil {
				return nil, err
			}
			return t.send(req, sent, true)
		case restarted || !replayable(req) || !startsAnew(ctx, err):
			return nil, err
		}
		sent = Token{}
	}
}

// mayDance says whether a challenge would be met. One that comes from another
// origin than the one the program called, by a redirect, is not: that origin
// could bring a ticket it got elsewhere, and be handed an RPT that is good there.
func mayDance(req *http.Request) bool {
	first := req
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return origin(first.URL) == origin(req.URL)
}

// startsAnew says whether a failure ends only this authorization process, so
// that it is worth another begin at the resource server (Grant 3.3.6): the
// ticket was spent or is lost, with an answer that never came.
func startsAnew(ctx context.Context, err error) bool {
	var refused *ASError
	if errors.As(err, &refused) {
		return refused.Code == uma.InvalidGrant || refused.Code == uma.InvalidScope
	}
	var lost *lostError
	return errors.As(err, &lost) && ctx.Err() == nil
}

// challenge finds the UMA challenge in a refusal, whose status is not fixed by
// the specification (Grant 3.2.1). Of several, one of a trusted authorization
// server comes first.
func (t *Transport) challenge(res *http.Response, at Place, use string) (Process, bool, error) {
	if res.StatusCode < 400 || res.StatusCode > 499 {
		return Process{}, false, nil
	}
	values := res.Header.Values("WWW-Authenticate")
	c, ok := uma.ParseChallenge(values)
	if !ok {
		return Process{}, false, nil
	}
	for _, value := range values {
		if other, ok := uma.ParseChallenge([]string{value}); ok && t.c.Trust(other.ASURI) {
			c = other
			break
		}
	}
	if err := secure(at.Origin); err != nil {
		return Process{}, false, fmt.Errorf("client: an RPT cannot be sent to the resource server: %w", err)
	}
	return Process{Issuer: c.ASURI, Ticket: c.Ticket, At: at, Use: use}, true, nil
}

// send sends a copy of the request, with the RPT if there is one (RFC 6750 2.1, RFC
// 9449 7.1). The response refers to the request without it.
func (t *Transport) send(req *http.Request, with Token, again bool) (*http.Response, error) {
	out := req.Clone(req.Context())
	if again && req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	by := t.c.Base
	switch {
	case with.RPT == "":
	case with.Bound:
		out.Header.Set("Authorization", "DPoP "+string(with.RPT))
		by = t.proving
	default:
		out.Header.Set("Authorization", "Bearer "+string(with.RPT))
	}
	res, err := by.RoundTrip(out)
	if err == nil {
		res.Request = req
	}
	return res, err
}

func replayable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// discard reads what little is left, so that the connection can be used again.
func discard(res *http.Response) {
	io.CopyN(io.Discard, res.Body, 64<<10)
	res.Body.Close()
}

// origin is scheme://host:port in one spelling.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(u.Scheme) + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// secure refuses a URL over which a secret must not travel.
func secure(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || strings.Contains(raw, "#") {
		return fmt.Errorf("%q is no absolute URL", raw)
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		return fmt.Errorf("%q is not https", raw)
	}
	return nil
}
