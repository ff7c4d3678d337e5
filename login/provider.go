package login

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
	"golang.org/x/oauth2"
)

// Provider is an OpenID provider at which people have accounts. This server is a
// client of it, with the redirection URI [Callback].
type Provider struct {
	ID           string // names it in addresses: letters, digits and hyphens
	Name         string // names it to people
	Issuer       string
	ClientID     string
	ClientSecret string
	Scopes       []string // besides openid; nil for email and profile
	// TrustEmail says that an address which the provider calls verified leads to the
	// account here that has it, or makes one. The provider has to be trusted like
	// this server itself: it can sign in as everybody whose address it names.
	TrustEmail bool
}

// PathFrom is the path, below the issuer, at which people come back from a provider;
// its id follows.
const PathFrom = "/sign-in/from/"

// Callback is the redirection URI of this server at a provider. Each has its own, so
// that the answer of one never passes as another's.
func Callback(issuer, provider string) string {
	return strings.TrimSuffix(issuer, "/") + PathFrom + provider
}

// upstream is a provider with what it says about itself, once that is known.
type upstream struct {
	Provider
	callback string
	server   *as.Server

	mu    sync.Mutex
	found *discovered
}

// discovered is what a provider says about itself.
type discovered struct {
	*oidc.Provider
	namesItself bool // it says in each answer who it is (RFC 9207)
	at          time.Time
}

// discoveredFor is how long that is believed.
const discoveredFor = time.Hour

var providerID = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// CheckProviders reports what is wrong with how providers are configured.
func CheckProviders(all []Provider) error {
	seen := map[string]bool{}
	for i, p := range all {
		switch {
		case !providerID.MatchString(p.ID):
			return fmt.Errorf("login: the id of provider %d has to be of small letters, digits and hyphens", i)
		case seen[p.ID]:
			return fmt.Errorf("login: there are two providers with the id %q", p.ID)
		case p.ClientID == "":
			return fmt.Errorf("login: the provider %q has no client id", p.ID)
		}
		if u, err := url.Parse(p.Issuer); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("login: the issuer of the provider %q is no URL", p.ID)
		}
		seen[p.ID] = true
	}
	return nil
}

func upstreams(server *as.Server, all []Provider) ([]*upstream, error) {
	if err := CheckProviders(all); err != nil {
		return nil, err
	}
	var out []*upstream
	for _, p := range all {
		if p.Name == "" {
			p.Name = p.ID
		}
		if p.Scopes == nil {
			p.Scopes = []string{"email", "profile"}
		}
		out = append(out, &upstream{Provider: p, callback: Callback(server.Issuer, p.ID), server: server})
	}
	return out, nil
}

// Providers lists the ids and the names of the providers, in the order in which they
// are configured.
func (l *Login) Providers() (ids, names []string) {
	for _, p := range l.providers {
		ids, names = append(ids, p.ID), append(names, p.Name)
	}
	return ids, names
}

func (l *Login) provider(id string) (*upstream, error) {
	for _, p := range l.providers {
		if p.ID == id {
			return p, nil
		}
	}
	return nil, uma.NewError(uma.NotFound, "There is no such place to sign in with.")
}

// errAway is the answer when a provider cannot be asked.
func (u *upstream) errAway(cause error) error {
	return uma.NewError(uma.TemporarilyUnavailable, "The place that you sign in with does not answer. Try again soon, or sign in in another way.").Because(cause)
}

// discover asks a provider about itself, or remembers. A failure is not remembered.
func (u *upstream) discover(ctx context.Context) (*discovered, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.server.Now()
	if u.found != nil && now.Sub(u.found.at) < discoveredFor {
		return u.found, nil
	}
	if u.server.Fetch == nil {
		return nil, errors.New("login: there is no egress client to reach a provider with")
	}
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, u.server.Fetch), u.Issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		NamesItself bool `json:"authorization_response_iss_parameter_supported"`
	}
	if err := p.Claims(&more); err != nil {
		return nil, err
	}
	u.found = &discovered{p, more.NamesItself, now}
	return u.found, nil
}

func (u *upstream) config(d *discovered) *oauth2.Config {
	return &oauth2.Config{
		ClientID: u.ClientID, ClientSecret: u.ClientSecret, Endpoint: d.Endpoint(), RedirectURL: u.callback,
		Scopes: append([]string{oidc.ScopeOpenID}, u.Scopes...),
	}
}

// journey is what has to be known when somebody comes back from a provider.
type journey struct {
	Provider string       `json:"p"`
	Nonce    string       `json:"n"`
	Verifier string       `json:"v"`
	To       string       `json:"t"`
	Link     as.AccountID `json:"l,omitempty"` // the account that asked to be linked; "" to sign in
	Since    time.Time    `json:"s,omitzero"`  // the person has to prove there anew who they are, from now on; zero when they need not
}

const journeyTime = 15 * time.Minute

// clockApart is how far the clock of a provider may be behind ours.
const clockApart = time.Minute

// ToProvider returns the address at a provider where the browser goes to sign in, or,
// to link the account of the person who is signed in here. With afresh it is not
// enough that the person is signed in there. to is where they want to be afterwards.
func (l *Login) ToProvider(w http.ResponseWriter, r *http.Request, id, to string, link, afresh bool) (string, error) {
	u, err := l.provider(id)
	if err != nil {
		return "", err
	}
	d, err := u.discover(r.Context())
	if err != nil {
		l.AS.Log.WarnContext(r.Context(), "a provider does not answer", "provider", id, "error", err)
		return "", u.errAway(err)
	}
	j := journey{Provider: id, Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), To: to}
	if link {
		_, account, in := l.session(r)
		if !in {
			return "", as.ErrNotFound
		}
		j.Link = account.ID
	}
	how := []oauth2.AuthCodeOption{oidc.Nonce(j.Nonce), oauth2.S256ChallengeOption(j.Verifier)}
	if afresh {
		// OpenID Connect Core 3.1.2.1: with max_age the ID token has an auth_time. The
		// browser, on whose way this is, may take both away, so that it is looked at.
		j.Since = l.AS.Now()
		how = append(how, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	data, err := json.Marshal(j)
	if err != nil {
		return "", err
	}
	state := l.AS.BeginCeremony(as.CeremonyProvider, l.browser(w, r), data, journeyTime)
	return u.config(d).AuthCodeURL(state, how...), nil
}

// FromProvider ends what ToProvider began, with the parameters that the browser
// brings. It returns where the person wanted to be; ok is false when the provider
// vouches for nobody who may come in, or not for what afresh asked for. What is not
// of this browser, is over or was used is as.ErrNotFound.
func (l *Login) FromProvider(w http.ResponseWriter, r *http.Request, id string, form uma.Form) (to string, afresh, ok bool, err error) {
	u, j, err := l.journey(r, id, form["state"])
	if err != nil {
		return "", false, false, err
	}
	ok, err = l.arrive(w, r, u, j, form)
	return j.To, !j.Since.IsZero(), ok, err
}

// journey finds what somebody comes back from, and spends it.
func (l *Login) journey(r *http.Request, id, state string) (*upstream, journey, error) {
	u, err := l.provider(id)
	if err != nil {
		return nil, journey{}, err
	}
	handle, known := l.known(r)
	if !known {
		return nil, journey{}, as.ErrNotFound
	}
	c, err := l.AS.OpenCeremony(as.CeremonyProvider, handle, state)
	if err != nil {
		return nil, journey{}, err
	}
	var j journey
	if err := json.Unmarshal(c.Data, &j); err != nil {
		return nil, journey{}, err
	}
	if j.Provider != id {
		return nil, journey{}, as.ErrNotFound
	}
	return u, j, l.AS.SpendCeremony(r.Context(), c)
}

// arrive signs in, or links, whom the provider vouches for.
func (l *Login) arrive(w http.ResponseWriter, r *http.Request, u *upstream, j journey, form uma.Form) (bool, error) {
	ctx := r.Context()
	if form["code"] == "" {
		return false, nil // they did not want to, or were not let
	}
	vouched, err := u.vouch(ctx, j, form)
	if err != nil {
		l.AS.Log.WarnContext(ctx, "a provider has not vouched for anybody", "provider", u.ID, "error", err)
		return false, nil
	}
	if vouched.At, err = j.provedAt(vouched.At, l.AS.Now()); err != nil {
		l.AS.Log.WarnContext(ctx, "a provider was not shown anew who somebody is", "provider", u.ID, "error", err)
		return false, nil
	}
	_, in, _ := l.session(r)
	if j.Link != "" {
		if in.ID != j.Link {
			return false, nil
		}
		err := l.AS.LinkIdentity(ctx, j.Link, vouched.Identity)
		return err == nil, err
	}
	account, err := l.AS.AccountOf(ctx, vouched)
	if err != nil && !errors.Is(err, as.ErrNotFound) {
		return false, err
	}
	e := l.entry(r, "")
	if e.Attempt, err = l.AS.BeginAttempt(ctx, account.ID, r.RemoteAddr, in.ID); err != nil {
		return false, err
	}
	secret, err := l.AS.EnterByProvider(ctx, vouched, l.Guests, e)
	return l.in(w, secret, err)
}

// provedAt is when the person proved at the provider who they are: after what the
// provider says, which is zero when it says nothing, never in our future, and where
// it had to be anew not before the journey.
func (j journey) provedAt(said, now time.Time) (time.Time, error) {
	if said.After(now) {
		said = now
	}
	switch {
	case j.Since.IsZero():
		return said, nil
	case said.IsZero():
		return said, errors.New("login: the ID token has no auth_time")
	case said.Before(j.Since.Add(-clockApart)):
		return said, fmt.Errorf("login: auth_time is %v", said)
	case said.Before(j.Since):
		return j.Since, nil
	default:
		return said, nil
	}
}

// vouch exchanges the code and verifies the ID token (OpenID Connect Core 3.1.3).
func (u *upstream) vouch(ctx context.Context, j journey, form uma.Form) (as.Vouched, error) {
	d, err := u.discover(ctx)
	if err != nil {
		return as.Vouched{}, err
	}
	// RFC 9207 2.4: an answer of another issuer is refused, and so is one without
	// where each has one.
	if iss, said := form["iss"]; said && iss != u.Issuer || !said && d.namesItself {
		return as.Vouched{}, fmt.Errorf("login: the answer is of the issuer %q", iss)
	}
	ctx = oidc.ClientContext(ctx, u.server.Fetch)
	token, err := u.config(d).Exchange(ctx, form["code"], oauth2.VerifierOption(j.Verifier))
	if err != nil {
		return as.Vouched{}, err
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return as.Vouched{}, errors.New("login: there is no ID token")
	}
	verified, err := d.VerifierContext(ctx, &oidc.Config{ClientID: u.ClientID, Now: u.server.Now}).Verify(ctx, raw)
	if err != nil {
		return as.Vouched{}, err
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(j.Nonce)) != 1 {
		return as.Vouched{}, errors.New("login: the ID token is for another sign-in")
	}
	var said struct {
		Email         string `json:"email"`
		EmailVerified any    `json:"email_verified"` // some say it in a text, which is not believed
		Name          string `json:"name"`
		AuthTime      int64  `json:"auth_time"`
	}
	if err := verified.Claims(&said); err != nil {
		return as.Vouched{}, err
	}
	var at time.Time
	if said.AuthTime > 0 {
		at = time.Unix(said.AuthTime, 0)
	}
	return as.Vouched{
		Identity: as.Identity{Issuer: verified.Issuer, Subject: verified.Subject, Email: said.Email},
		Name:     said.Name, Mailbox: u.TrustEmail && said.EmailVerified == true, At: at,
	}, nil
}
