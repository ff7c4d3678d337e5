package as

import (
	"context"
	"errors"
	"time"
)

// NewSession opens a session for an account that has proved who it is, and
// returns its secret for the browser's cookie.
func (s *Server) NewSession(ctx context.Context, id AccountID) (string, error) {
	secret, now := s.vault.bearer(), s.now()
	err := s.Store.Update(ctx, func(tx Tx) error {
		account, err := tx.Account(id)
		if err != nil {
			return err
		}
		return tx.InsertSession(Session{
			Digest: s.vault.digest(aSession, secret), Account: id, AccountGeneration: account.Generation,
			AuthTime: now, ExpiresAt: now.Add(s.Lifetimes.Session),
		})
	})
	return secret, err
}

// SessionAccount returns the account that is signed in with a session secret,
// and when it signed in; ErrNotFound when nobody is.
func (s *Server) SessionAccount(ctx context.Context, secret string) (Account, time.Time, error) {
	var account Account
	var at time.Time
	err := s.Store.View(ctx, func(r Reader) error {
		session, err := r.Session(s.vault.digest(aSession, secret))
		if err != nil {
			return err
		}
		if account, err = r.Account(session.Account); err != nil {
			return err
		}
		at = session.AuthTime
		if account.Disabled || account.Generation != session.AccountGeneration || !s.now().Before(session.ExpiresAt) {
			return ErrNotFound
		}
		return nil
	})
	if err != nil {
		return Account{}, time.Time{}, err
	}
	return account, at, nil
}

// EndSession signs a browser out. A session that is gone already is no error.
func (s *Server) EndSession(ctx context.Context, secret string) error {
	err := s.Store.Update(ctx, func(tx Tx) error { return tx.DeleteSession(s.vault.digest(aSession, secret)) })
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
