package as

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/licet/licet/oauth"
)

// keyring is this server's key set as it was last read. Keys only sign ID
// tokens and are long-lived, so that a reading may be a few seconds old.
type keyring struct {
	mu     sync.Mutex
	keys   []ringKey
	loaded time.Time
}

type ringKey struct {
	SigningKey
	key oauth.Key
}

const keyringFresh = 10 * time.Second

// ErrSecrets: the store's keys cannot be opened with the Secrets of this
// configuration. Every node of a store needs the same.
var ErrSecrets = errors.New("as: these are not the secrets that the store's signing keys are sealed with")

// loadKeys reads the key set, and makes the first key when there is none.
func (s *Server) loadKeys(ctx context.Context) error {
	if err := s.readKeys(ctx); err != nil {
		return err
	}
	if len(s.keys.keys) > 0 {
		return s.withdrawKeys(ctx)
	}
	if err := s.addKey(ctx, s.now(), func(old []SigningKey) bool { return len(old) == 0 }); err != nil {
		return err
	}
	return s.readKeys(ctx)
}

func (s *Server) readKeys(ctx context.Context) error {
	var stored []SigningKey
	err := s.Store.View(ctx, func(r Reader) (err error) {
		stored, err = r.SigningKeys()
		return err
	})
	if err != nil {
		return err
	}
	ring := make([]ringKey, 0, len(stored))
	for _, k := range stored {
		jwk, err := s.vault.open(sealedKey, k.Sealed)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrSecrets, err)
		}
		key, err := oauth.ParsePrivate(jwk)
		if err != nil {
			return err
		}
		ring = append(ring, ringKey{SigningKey: k, key: key})
	}
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	s.keys.keys, s.keys.loaded = ring, s.now()
	return nil
}

// addKey makes a signing key that signs from the given time on, if that is
// wanted with those that are there: another node may have been faster. Keys that
// signed until then stay published for as long as what they signed lives.
func (s *Server) addKey(ctx context.Context, from time.Time, wanted func(old []SigningKey) bool) error {
	fresh, err := s.newKey(from)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		old, err := tx.SigningKeys()
		if err != nil || !wanted(old) {
			return err
		}
		for _, k := range old {
			if !k.ExpiresAt.IsZero() {
				continue
			}
			k.ExpiresAt = from.Add(s.Lifetimes.IDToken + s.Lifetimes.KeyOverlap)
			if err := tx.UpdateSigningKey(k); err != nil {
				return err
			}
		}
		return tx.InsertSigningKey(fresh)
	})
}

// newKey makes a signing key that signs from the given time on.
func (s *Server) newKey(from time.Time) (SigningKey, error) {
	key, err := oauth.GenerateKey(s.Rand, oauth.DefaultAlgorithm)
	if err != nil {
		return SigningKey{}, err
	}
	jwk, err := key.MarshalPrivate()
	if err != nil {
		return SigningKey{}, err
	}
	return SigningKey{ID: key.ID, Sealed: s.vault.seal(sealedKey, jwk), CreatedAt: s.now(), ActiveFrom: from}, nil
}

// withdrawn says whether the key was taken back: it ended when it began, so that
// nothing it signed was ever good.
func (k SigningKey) withdrawn() bool { return !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(k.CreatedAt) }

// withdrawKeys takes back the compromised keys, whatever they have signed. Where no
// other key signs, a new one does at once: nobody can be asked to wait until all
// have seen it. Other nodes learn of it from the store.
func (s *Server) withdrawKeys(ctx context.Context) error {
	if len(s.CompromisedKeys) == 0 {
		return nil
	}
	now := s.now()
	fresh, err := s.newKey(now)
	if err != nil {
		return err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		keys, err := tx.SigningKeys()
		if err != nil {
			return err
		}
		signs := false
		for _, k := range keys {
			switch {
			case !contains(s.CompromisedKeys, k.ID):
				signs = signs || k.ExpiresAt.IsZero() && !now.Before(k.ActiveFrom)
			case !k.withdrawn():
				k.ExpiresAt = k.CreatedAt
				if err := tx.UpdateSigningKey(k); err != nil {
					return err
				}
			}
		}
		if signs {
			return nil
		}
		return tx.InsertSigningKey(fresh)
	})
	if err != nil {
		return err
	}
	return s.readKeys(ctx)
}

// RotateKeys publishes a new signing key now and signs with it after
// Lifetimes.KeyOverlap, when everybody has seen it. The keys before it stay
// published until the last token they signed has expired.
func (s *Server) RotateKeys(ctx context.Context) error {
	return s.rotateKeysIf(ctx, func([]SigningKey) bool { return true })
}

func (s *Server) rotateKeysIf(ctx context.Context, wanted func(old []SigningKey) bool) error {
	if err := s.addKey(ctx, s.now().Add(s.Lifetimes.KeyOverlap), wanted); err != nil {
		return err
	}
	return s.readKeys(ctx)
}

// published returns the keys of which tokens may be about, newest first.
func (s *Server) published() []ringKey {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	now := s.now()
	var out []ringKey
	for _, k := range s.keys.keys {
		if k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt) {
			out = append(out, k)
		}
	}
	return out
}

// refreshKeys reads the key set again when the last reading is old, so that
// every node learns of a rotation. A failed reading is no reason to stop: the
// last one is still good.
func (s *Server) refreshKeys(ctx context.Context) {
	s.keys.mu.Lock()
	stale := s.now().Sub(s.keys.loaded) >= keyringFresh
	s.keys.mu.Unlock()
	if !stale {
		return
	}
	if err := s.readKeys(ctx); err != nil {
		s.Log.ErrorContext(ctx, "reading the signing keys", "error", err)
	}
}

// JWKS is the document that the jwks_uri serves.
func (s *Server) JWKS(ctx context.Context) (json.RawMessage, error) {
	s.refreshKeys(ctx)
	var set oauth.KeySet
	for _, k := range s.published() {
		set = append(set, k.key)
	}
	return set.Public()
}

// everyPublicKey are the keys of which there may be old ID tokens: those that are
// not published any more, too, but for those that were taken back.
func (s *Server) everyPublicKey(ctx context.Context) (oauth.PublicKeys, error) {
	s.refreshKeys(ctx)
	s.keys.mu.Lock()
	var set oauth.KeySet
	for _, k := range s.keys.keys {
		if !k.withdrawn() {
			set = append(set, k.key)
		}
	}
	s.keys.mu.Unlock()
	jwks, err := set.Public()
	if err != nil {
		return nil, err
	}
	return oauth.ParseJWKS(jwks)
}

// publicKeys are the keys that this server's own ID tokens are verified with.
func (s *Server) publicKeys() oauth.PublicKeys {
	jwks, err := s.JWKS(context.Background())
	if err != nil {
		return oauth.PublicKeys{}
	}
	keys, err := oauth.ParseJWKS(jwks)
	if err != nil {
		return oauth.PublicKeys{}
	}
	return keys
}

// signingKey is the newest key that is active.
func (s *Server) signingKey() (oauth.Key, error) {
	now := s.now()
	var best *ringKey
	for _, k := range s.published() {
		if !now.Before(k.ActiveFrom) && (best == nil || k.ActiveFrom.After(best.ActiveFrom)) {
			best = &k
		}
	}
	if best == nil {
		return oauth.Key{}, errors.New("as: no signing key is active")
	}
	return best.key, nil
}

// idToken makes an ID token about an account for the client of a code (OpenID
// Connect Core 2).
func (s *Server) idToken(client oauth.ClientID, account Account, g Grant, code Code) (string, error) {
	key, err := s.signingKey()
	if err != nil {
		return "", err
	}
	claims := oauth.IDTokenClaims{
		Issuer: s.Issuer, Subject: string(account.ID), Audience: string(client), Nonce: code.Nonce, SessionID: s.sid(code.Session, client),
		IssuedAt: s.now().Unix(), ExpiresAt: s.now().Add(s.Lifetimes.IDToken).Unix(),
	}
	if !g.AuthTime.IsZero() {
		claims.AuthTime = g.AuthTime.Unix()
	}
	if contains(g.Scopes, oauth.ScopeEmail) {
		claims.Email, claims.EmailVerified = account.Email, account.EmailVerified
	}
	if contains(g.Scopes, oauth.ScopeProfile) {
		claims.Name = account.Name
	}
	return oauth.Sign(key, "JWT", claims)
}

// RotateKeysAfter rotates the keys when the newest one is older than the given
// age. Of several nodes that find so one does it.
func (s *Server) RotateKeysAfter(ctx context.Context, age time.Duration) error {
	if err := s.readKeys(ctx); err != nil {
		return err
	}
	old := func(k SigningKey) bool { return s.now().Sub(k.CreatedAt) >= age }
	for _, k := range s.published() {
		if !old(k.SigningKey) {
			return nil
		}
	}
	return s.rotateKeysIf(ctx, func(keys []SigningKey) bool {
		return !slices.ContainsFunc(keys, func(k SigningKey) bool { return !old(k) })
	})
}
