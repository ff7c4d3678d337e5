package as

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// Pushed authorization requests (RFC 9126). What is pushed is kept sealed: it may
// say who is expected at the browser.

// requestURIPrefix is what every request_uri of ours begins with (RFC 9126 2.2).
const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

var errInvalidRequestURI = uma.NewError(oauth.InvalidRequestURI, "The request_uri is unknown, expired, used before, or was issued to another client.")

// PushRequest keeps an authorization request that the client pushed, which has
// been checked like any other, and returns its request_uri and how long it lives.
func (s *Server) PushRequest(ctx context.Context, c oauth.ClientID, parameters uma.Form) (string, time.Duration, error) {
	values := url.Values{}
	for name, value := range parameters {
		values.Set(name, value)
	}
	uri := requestURIPrefix + s.vault.bearer()
	life := s.Lifetimes.Pushed
	err := s.Store.Update(ctx, func(tx Tx) error {
		return tx.InsertPushedRequest(PushedRequest{
			Digest: s.vault.digest(aPushedRequest, uri), Client: c,
			Parameters: s.vault.seal(aPushedRequest, []byte(values.Encode())), ExpiresAt: s.now().Add(life),
		})
	})
	return uri, life, err
}

// PushedRequest returns what a client pushed, and when. It may be looked at until a
// code is issued for it: a person who signs in comes back to it.
func (s *Server) PushedRequest(ctx context.Context, c oauth.ClientID, uri string) (uma.Form, time.Time, error) {
	var r PushedRequest
	err := s.Store.View(ctx, func(read Reader) (err error) {
		r, err = read.PushedRequest(s.vault.digest(aPushedRequest, uri))
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, time.Time{}, errInvalidRequestURI
	case err != nil:
		return nil, time.Time{}, err
	case r.Client != c || !r.SpentAt.IsZero() || !s.now().Before(r.ExpiresAt):
		return nil, time.Time{}, errInvalidRequestURI
	}
	raw, err := s.vault.open(aPushedRequest, r.Parameters)
	if err != nil {
		return nil, time.Time{}, err
	}
	form, err := uma.ParseQuery(string(raw))
	return form, r.ExpiresAt.Add(-s.Lifetimes.Pushed), err
}

// spendPushed uses a pushed request up, in the transaction that issues its code.
func (s *Server) spendPushed(tx Tx, uri string) error {
	if uri == "" {
		return nil
	}
	_, err := tx.SpendPushedRequest(s.vault.digest(aPushedRequest, uri), s.now())
	return absent(err, errInvalidRequestURI)
}
