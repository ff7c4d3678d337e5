package as

import (
	"context"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"strconv"
	"time"

	"github.com/licet/licet/dpop"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// Sender-constrained tokens: an access token may be bound to a key that whoever
// uses it has to prove to have, by DPoP (RFC 9449) or by a TLS client certificate
// (RFC 8705).

// Sender is what a request shows of who sent it, beside credentials and tokens. It
// travels in the context, and is used where tokens are issued and accepted. A
// request without one has proved nothing: it gets and may use bearer tokens only.
type Sender struct {
	Proof       string // the DPoP header, as it came; "" for none
	Method, URL string // of the request: what the proof has to be about
	DPoP        bool   // the access token came with the scheme DPoP, not Bearer

	// Certificates are those that the other end of the TLS connection has shown,
	// its own first. Nobody has looked where they come from.
	Certificates []*x509.Certificate
}

type senderKey struct{}

// WithSender returns a context of a request by that sender.
func WithSender(ctx context.Context, from Sender) context.Context {
	return context.WithValue(ctx, senderKey{}, from)
}

func senderOf(ctx context.Context) Sender {
	from, _ := ctx.Value(senderKey{}).(Sender)
	return from
}

var (
	errInvalidProof = uma.NewError(oauth.InvalidDPoPProof, "The DPoP proof is missing, used before, or not for this request.")
	errUseNonce     = uma.NewError(dpop.UseNonce, "The DPoP proof needs the nonce of the header DPoP-Nonce.")
	errNoHolder     = uma.NewError(uma.InvalidRequest, "Tokens are bound here: a DPoP proof or a client certificate is needed.")
)

// prove verifies the sender's DPoP proof, which is good once on whatever node it is
// shown, and returns its key; "" for a request without one. accessToken is what
// it came with, "" where none is presented.
func (s *Server) prove(ctx context.Context, from Sender, accessToken string) (oauth.Confirmation, error) {
	if from.Proof == "" {
		return "", nil
	}
	now := s.now()
	p, err := dpop.Verify(from.Proof, from.Method, from.URL, accessToken, now)
	if err != nil {
		return "", errInvalidProof.Because(err)
	}
	if !s.validNonce(p.Nonce, now) {
		return "", errUseNonce
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		return tx.InsertSpent(s.vault.digest(aProof, p.Thumbprint+"\x00"+p.ID), now.Add(dpop.MaxAge+dpop.Skew))
	})
	if errors.Is(err, ErrExists) {
		return "", errInvalidProof.Because(errors.New("the proof was used before"))
	}
	return oauth.KeyConfirmation(p.Thumbprint), err
}

// PushedKey is the key that a pushed authorization request is bound to by the
// proof it came with (RFC 9449 10.1); "" when it came without.
func (s *Server) PushedKey(ctx context.Context) (oauth.Confirmation, error) {
	return s.prove(ctx, senderOf(ctx), "")
}

// bind says what tokens of the client are bound to that are issued for this
// request: what the sender has proved to have; "" for bearer tokens, where they
// are allowed.
func (s *Server) bind(ctx context.Context, c oauth.Client) (oauth.Confirmation, error) {
	from := senderOf(ctx)
	key, err := s.prove(ctx, from, "")
	switch {
	case err != nil || key != "":
		return key, err
	case c.DPoPBound:
		return "", errInvalidProof
	case !c.CertificateBound && !s.FAPI2:
		return "", nil
	}
	certificate := oauth.CertificateOf(from.Certificates)
	if certificate == "" {
		return "", errNoHolder
	}
	return certificate, nil
}

// confirm says whether the sender may use an access token that is bound so. A
// token of the one kind is never taken for one of the other (RFC 9449 7.1, 7.2).
func (s *Server) confirm(ctx context.Context, token string, bound oauth.Confirmation) error {
	from := senderOf(ctx)
	switch {
	case bound == "" && !from.DPoP && !s.FAPI2:
		return nil
	case bound.ByKey() && from.DPoP:
		key, err := s.prove(ctx, from, token)
		if err == nil && key == "" {
			err = errInvalidProof
		}
		if err != nil {
			return err
		}
		if key == bound {
			return nil
		}
		return errInvalidToken.Because(errors.New("the proof is of another key"))
	case bound != "" && !from.DPoP && bound == oauth.CertificateOf(from.Certificates):
		return nil
	}
	return errInvalidToken.Because(errors.New("the token is not bound to what it was shown with"))
}

// nonceTerm is how long one nonce is given out. It is accepted for two terms more.
const nonceTerm = time.Minute

// Nonce is what a DPoP proof made now has to hold (RFC 9449 8): it shows that the
// proof was not made in advance, whatever the clock of its maker says. All nodes
// give out the same, and none of them remembers any.
func (s *Server) Nonce() string { return s.nonce(s.now(), 0) }

func (s *Server) nonce(now time.Time, ago int64) string {
	term := now.Unix()/int64(nonceTerm/time.Second) - ago
	return encode(s.vault.digest(aNonce, strconv.FormatInt(term, 10))[:16])
}

func (s *Server) validNonce(nonce string, now time.Time) bool {
	valid := 0
	for ago := range int64(3) {
		valid |= subtle.ConstantTimeCompare([]byte(nonce), []byte(s.nonce(now, ago)))
	}
	return valid == 1
}
