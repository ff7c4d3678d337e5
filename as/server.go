package as

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Config is what a Server needs. Zero values of Lifetimes, Attempts, Now, Rand, Fetch and
// Log mean the documented defaults; the rest is required or off.
type Config struct {
	Issuer    string // this server's issuer identifier, exactly
	Store     Store
	Secrets   Secrets
	Lifetimes Lifetimes
	Attempts  Attempts // to sign in

	// Forbids is operator-wide Cedar: forbid policies that always win.
	Forbids string
	// ClaimIssuers are the foreign issuers whose ID tokens are believed.
	ClaimIssuers []ClaimIssuer
	// Registration says who may register clients over the network.
	Registration Registration
	// FAPI2 holds everybody to the FAPI 2.0 Security Profile: clients authenticate
	// with a key or a certificate, push their authorization requests, and all tokens
	// are bound.
	FAPI2 bool
	// ClientAuthorities issue the certificates of clients that authenticate with
	// tls_client_auth (RFC 8705 2.1); nil for nobody.
	ClientAuthorities *x509.CertPool
	// Partial says what happens when only a part can be granted.
	Partial Partial
	// StrictScopes refuses a requested scope that the client is not registered
	// for with invalid_scope, instead of ignoring it (Grant 3.3.6, AMB-07).
	StrictScopes bool
	// RevokeOnReplay revokes what a process led to when one of its spent tickets
	// is presented again (Grant 5.5).
	RevokeOnReplay bool

	// CompromisedKeys are the ids of signing keys that somebody else may have. They
	// are taken back at the start, for every node of the store.
	CompromisedKeys []string

	ClaimsInteractionEndpoint string                              // the redirect_user of need_info
	Fetch                     *http.Client                        // goes where others say: to keys of claim issuers and clients, to clients' logout URIs, to icons of resources
	Mail                      func(context.Context, Letter) error // sends a letter; nil for nobody
	Now                       func() time.Time                    // nil is the store's, which all nodes share
	Rand                      io.Reader
	Log                       *slog.Logger
}

// Lifetimes says how long things live. A zero member means its default.
type Lifetimes struct {
	Ticket      time.Duration // a permission ticket; 10 minutes
	Poll        time.Duration // a ticket from request_submitted; 24 hours
	Interval    time.Duration // between polls; 5 seconds
	RPT         time.Duration // 10 minutes
	SignedRPT   time.Duration // one that is verified without asking; 5 minutes at most
	PAT         time.Duration // an OAuth access token, PATs included; 1 hour
	Refresh     time.Duration // a refresh token, from its issue; 90 days
	PCT         time.Duration // 30 days
	Claims      time.Duration // how long a claim counts after it was acquired; 30 days
	Code        time.Duration // an authorization code; 60 seconds
	Pushed      time.Duration // a pushed authorization request; 5 minutes
	Interaction time.Duration // a visit at the claims interaction endpoint; 15 minutes
	IDToken     time.Duration // 10 minutes
	Session     time.Duration // a signed-in browser; 12 hours
	Invitation  time.Duration // an invitation to a role; 14 days
	KeyOverlap  time.Duration // a new signing key is published this long before it signs; 1 hour
	Dormant     time.Duration // shares outlive their resource's registration; 30 days
	Uses        time.Duration // what was used is remembered; 400 days
}

func (l *Lifetimes) setDefaults() {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&l.Ticket, 10*time.Minute)
	set(&l.Poll, 24*time.Hour)
	set(&l.Interval, 5*time.Second)
	set(&l.RPT, 10*time.Minute)
	set(&l.SignedRPT, 5*time.Minute)
	set(&l.PAT, time.Hour)
	set(&l.Refresh, 90*24*time.Hour)
	set(&l.PCT, 30*24*time.Hour)
	set(&l.Claims, 30*24*time.Hour)
	set(&l.Code, time.Minute)
	set(&l.Pushed, 5*time.Minute)
	set(&l.Interaction, 15*time.Minute)
	set(&l.IDToken, 10*time.Minute)
	set(&l.Session, 12*time.Hour)
	set(&l.Invitation, 14*24*time.Hour)
	set(&l.KeyOverlap, time.Hour)
	set(&l.Dormant, 30*24*time.Hour)
	set(&l.Uses, 400*24*time.Hour)
}

// Partial says which answer is preferred when not everything asked for can be
// granted (Grant 3.3.4; AMB-06).
type Partial string

const (
	// PartialLast grants a part only when neither further claims nor the owner
	// could add to it. The default.
	PartialLast Partial = ""
	// PartialFirst grants a part as soon as there is one.
	PartialFirst Partial = "first"
	// PartialNever grants all or nothing.
	PartialNever Partial = "never"
)

// Server is the authorization server. Its methods may be called concurrently.
type Server struct {
	Config
	vault      *vault
	judge      *policy.Engine
	trusted    map[string]*trustedIssuer
	statements map[string]*trustedIssuer // of software
	clients    clientKeys
	keys       keyring
	memory     *memory
	uses       useLog
	flushing   sync.Mutex // of the use log

	outgoing chan struct{} // see Outgoing
}

// New checks the configuration and makes a Server. It makes the first signing
// key when the store has none.
func New(ctx context.Context, c Config) (*Server, error) {
	if c.Store == nil {
		return nil, errors.New("as: no store")
	}
	if c.Issuer == "" {
		return nil, errors.New("as: no issuer")
	}
	switch c.Partial {
	case PartialLast, PartialFirst, PartialNever:
	default:
		return nil, fmt.Errorf("as: unknown value %q for partial grants", c.Partial)
	}
	switch c.Registration.Mode {
	case RegistrationOff, RegistrationToken, RegistrationOpen:
	default:
		return nil, fmt.Errorf("as: unknown mode %q of registration", c.Registration.Mode)
	}
	if c.Now == nil {
		c.Now = c.Store.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Lifetimes.setDefaults()
	c.Attempts.setDefaults()
	if c.Lifetimes.Poll <= c.Lifetimes.Interval {
		return nil, errors.New("as: a ticket for polling has to live longer than the polling interval")
	}
	if c.Lifetimes.SignedRPT > 5*time.Minute {
		return nil, errors.New("as: a signed RPT lives for five minutes at most, as nobody can take it back")
	}
	if c.FAPI2 && (c.Lifetimes.Code > time.Minute || c.Lifetimes.Pushed >= 10*time.Minute) {
		return nil, errors.New("as: FAPI 2.0 has codes live for a minute, and pushed requests for less than ten")
	}
	s := &Server{Config: c, memory: newMemory(c.Store), outgoing: make(chan struct{}, 1), clients: clientKeys{fetch: c.Fetch}}
	var err error
	if s.vault, err = newVault(c.Secrets, c.Rand); err != nil {
		return nil, err
	}
	if s.judge, err = policy.New(c.Forbids); err != nil {
		return nil, err
	}
	if s.trusted, err = newTrustedIssuers(c.ClaimIssuers, c.Fetch); err != nil {
		return nil, err
	}
	if s.statements, err = newTrustedIssuers(c.Registration.StatementIssuers, c.Fetch); err != nil {
		return nil, err
	}
	if err := s.loadKeys(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// now is the server's time, in the milliseconds that stores keep.
func (s *Server) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// settle runs f in a transaction that is kept also when f refuses: what was
// presented stays spent, and what is to be remembered is remembered. Only an
// error that is no refusal takes it back.
func (s *Server) settle(ctx context.Context, f func(Tx) (*uma.Error, error)) error {
	var refusal *uma.Error
	err := s.Store.Update(ctx, func(tx Tx) (err error) {
		refusal, err = f(tx)
		return err
	})
	if err == nil && refusal != nil {
		return refusal
	}
	return err
}
