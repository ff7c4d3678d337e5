package as

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/licet/licet/oauth"
)

// Entry is somebody's coming in: what is known besides the proof itself of a
// sign-in that succeeds. The zero value of each is nothing known.
type Entry struct {
	Old     string  // the secret of the session that the browser had
	Attempt Attempt // in which they proved it; it is taken back
	Method  Method
	Agent   string // how the browser names itself; it is shortened
	// Language is that of the browser, as BCP 47 has it: whoever has told us none is
	// written to in that one from now on.
	Language string

	proved time.Time // when a provider was shown it; zero when it does not say
}

// maxAgent is how much is kept of the name of a browser, in bytes.
const maxAgent = 300

// NewSession opens a session for an account that has proved who it is, and
// returns its secret for the browser's cookie.
func (s *Server) NewSession(ctx context.Context, id AccountID) (string, error) {
	return s.OpenSession(ctx, id, Entry{})
}

// OpenSession does the same at a browser that may have had a session before: the
// old secret is good for nothing from then on. Where it was the same person's,
// the session goes on under the new secret, so that proving again who one is
// signs nobody out anywhere; otherwise it has ended.
func (s *Server) OpenSession(ctx context.Context, id AccountID, e Entry) (string, error) {
	secret := s.vault.bearer()
	err := s.Store.Update(ctx, func(tx Tx) error {
		account, err := tx.Account(id)
		if err != nil {
			return err
		}
		return s.enter(tx, account, secret, e)
	})
	s.posted()
	return secret, err
}

// enter is the one way in, whatever was proved: it opens the session of an account
// under a secret. Who calls it calls posted after the transaction. A disabled
// account is ErrNotFound.
func (s *Server) enter(tx Tx, account Account, secret string, e Entry) error {
	if account.Disabled {
		return ErrNotFound
	}
	for _, c := range e.Attempt.counts {
		if err := tx.CountDown(c.digest); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if account.Language == "" && e.Language != "" {
		account.Language = shortened(e.Language, maxLanguage)
		if err := tx.UpdateAccount(account); err != nil {
			return err
		}
	}
	now := s.now()
	session := Session{
		Digest: s.vault.digest(aSession, secret), ID: SessionID(s.vault.id(now)), Account: account.ID, AccountGeneration: account.Generation,
		AuthTime: now, CreatedAt: now, ExpiresAt: now.Add(s.Lifetimes.Session), Method: e.Method, Agent: shortened(e.Agent, maxAgent),
	}
	if e.Method == ByProvider {
		session.AuthTime = e.proved
	}
	before, err := tx.Session(s.vault.digest(aSession, e.Old))
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return err
	case before.Account == account.ID && before.AccountGeneration == account.Generation:
		session.ID, session.CreatedAt = before.ID, before.CreatedAt
		if session.AuthTime.Before(before.AuthTime) { // what was shown here counts on
			session.AuthTime = before.AuthTime
		}
		err = tx.DeleteSession(before.Digest)
	default:
		err = s.endSession(tx, before)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return tx.InsertSession(session)
}

// shortened is the beginning of a text, at most so many bytes of whole characters.
func shortened(text string, most int) string {
	text = strings.ToValidUTF8(text, "")
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
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

// Sessions lists the browsers that an account is signed in at, the newest sign-in
// first.
func (s *Server) Sessions(ctx context.Context, id AccountID) ([]Session, error) {
	var live []Session
	err := s.Store.View(ctx, func(r Reader) error {
		live = nil
		account, err := r.Account(id)
		if err != nil {
			return err
		}
		all, err := r.SessionsOf(id, s.now())
		for _, session := range all {
			if session.AccountGeneration == account.Generation {
				live = append(live, session)
			}
		}
		return err
	})
	slices.SortFunc(live, func(a, b Session) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return live, err
}

// EndSessionOf ends one session of an account; one that is gone, or another
// account's, is ErrNotFound.
func (s *Server) EndSessionOf(ctx context.Context, account AccountID, id SessionID) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		session, err := tx.SessionByID(id)
		if err != nil {
			return err
		}
		if session.Account != account {
			return ErrNotFound
		}
		return s.endSession(tx, session)
	})
	s.posted()
	return err
}

// EndOtherSessions ends all sessions of an account but one; "" for all.
func (s *Server) EndOtherSessions(ctx context.Context, account AccountID, but SessionID) error {
	err := s.Store.Update(ctx, func(tx Tx) error { return s.endSessions(tx, account, but) })
	s.posted()
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

// endSessions ends every session of an account but one, "" for all. Who calls it
// calls posted after the transaction.
func (s *Server) endSessions(tx Tx, id AccountID, but SessionID) error {
	sessions, err := tx.SessionsOf(id, s.now())
	if err != nil {
		return err
	}
	for _, session := range sessions {
		if session.ID == but {
			continue
		}
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
