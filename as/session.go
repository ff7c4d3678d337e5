package as

import (
	"context"
	"errors"
	"time"

	"github.com/licet/licet/oauth"
)

// NewSession opens a session for an account that has proved who it is, and
// returns its secret for the browser's cookie.
func (s *Server) NewSession(ctx context.Context, id AccountID) (string, error) {
	return s.ReplaceSession(ctx, "", id, Attempt{})
}

// ReplaceSession does the same at a browser that may have had a session before:
// the old secret is good for nothing from then on. Where it was the same
// person's, the session goes on under the new secret, so that proving again who
// one is signs nobody out anywhere; otherwise it has ended. The attempt in which
// they proved it is taken back.
func (s *Server) ReplaceSession(ctx context.Context, old string, id AccountID, a Attempt) (string, error) {
	secret, now := s.vault.bearer(), s.now()
	fresh := SessionID(s.vault.id(now))
	err := s.Store.Update(ctx, func(tx Tx) error {
		account, err := tx.Account(id)
		if err != nil {
			return err
		}
		for _, c := range a.counts {
			if err := tx.CountDown(c.digest); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		session := Session{
			Digest: s.vault.digest(aSession, secret), ID: fresh, Account: id, AccountGeneration: account.Generation,
			AuthTime: now, ExpiresAt: now.Add(s.Lifetimes.Session),
		}
		before, err := tx.Session(s.vault.digest(aSession, old))
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		case before.Account == id && before.AccountGeneration == account.Generation:
			session.ID = before.ID
			err = tx.DeleteSession(before.Digest)
		default:
			err = s.endSession(tx, before)
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		return tx.InsertSession(session)
	})
	s.posted()
	return secret, err
}

// Session returns the session of a secret, and the account that is signed in
// with it; ErrNotFound when nobody is.
func (s *Server) Session(ctx context.Context, secret string) (Session, Account, error) {
	var session Session
	var account Account
	err := s.Store.View(ctx, func(r Reader) (err error) {
		if session, err = r.Session(s.vault.digest(aSession, secret)); err != nil {
			return err
		}
		account, err = s.signedIn(r, session)
		return err
	})
	if err != nil {
		return Session{}, Account{}, err
	}
	return session, account, nil
}

// signedIn returns the account of a session that has not ended; otherwise
// ErrNotFound.
func (s *Server) signedIn(r Reader, session Session) (Account, error) {
	account, err := r.Account(session.Account)
	if err != nil {
		return Account{}, err
	}
	if account.Disabled || account.Generation != session.AccountGeneration || !s.now().Before(session.ExpiresAt) {
		return Account{}, ErrNotFound
	}
	return account, nil
}

// SessionAccount returns the account that is signed in with a session secret,
// and when it signed in; ErrNotFound when nobody is.
func (s *Server) SessionAccount(ctx context.Context, secret string) (Account, time.Time, error) {
	session, account, err := s.Session(ctx, secret)
	return account, session.AuthTime, err
}

// EndSession signs a browser out. A session that is gone already is no error.
func (s *Server) EndSession(ctx context.Context, secret string) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		session, err := tx.Session(s.vault.digest(aSession, secret))
		if err != nil {
			return err
		}
		return s.endSession(tx, session)
	})
	s.posted()
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// endSession is the one way in which a session ends before its time: the clients
// that were told of it are told of its end.
func (s *Server) endSession(tx Tx, session Session) error {
	if err := s.announceEnd(tx, session); err != nil {
		return err
	}
	if err := tx.DeleteParticipants(session.ID); err != nil {
		return err
	}
	return tx.DeleteSession(session.Digest)
}

// endSessions ends every session of an account. Who calls it calls posted after
// the transaction.
func (s *Server) endSessions(tx Tx, id AccountID) error {
	sessions, err := tx.SessionsOf(id, s.now())
	if err != nil {
		return err
	}
	for _, session := range sessions {
		if err := s.endSession(tx, session); err != nil {
			return err
		}
	}
	return nil
}

// sid is what a client knows a session by (OpenID Connect Front-Channel Logout 3):
// at every client something else, so that two of them cannot tell that it is the
// same browser.
func (s *Server) sid(session SessionID, client oauth.ClientID) string {
	return encode(s.vault.digest(aSessionAtClient, string(session)+"\x00"+string(client)))
}
