package as

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/licet/licet/uma"
)

// Passkeys. What WebAuthn says about a key and a signature is for package login to
// verify; here is what is remembered of keys, and what follows from a use.

// maxPasskeys is how many passkeys an account may have.
const maxPasskeys = 50

// maxPasskeyName is how long the name of a passkey may be, in bytes.
const maxPasskeyName = 100

var (
	errPasskeyTaken    = uma.NewError(Conflict, "This passkey is in use already.")
	errTooManyPasskeys = uma.NewError(Conflict, "There are as many passkeys as there can be. Remove one that you do not use.")
)

// Passkeys lists the passkeys of an account, oldest first.
func (s *Server) Passkeys(ctx context.Context, id AccountID) ([]Passkey, error) {
	var all []Passkey
	err := s.Store.View(ctx, func(r Reader) (err error) {
		all, err = r.PasskeysOf(id)
		return err
	})
	return all, err
}

// Passkey finds a passkey by its credential id, with the account that it is of.
func (s *Server) Passkey(ctx context.Context, id []byte) (Passkey, Account, error) {
	var p Passkey
	var a Account
	err := s.Store.View(ctx, func(r Reader) (err error) {
		if p, err = r.Passkey(id); err != nil {
			return err
		}
		a, err = r.Account(p.Account)
		return err
	})
	return p, a, err
}

// AddPasskey gives an account a passkey that it made in a ceremony, and tells the
// person by mail. A credential id that is in use is a Conflict, and a ceremony that
// is spent ErrNotFound.
func (s *Server) AddPasskey(ctx context.Context, c Ceremony, p Passkey) error {
	p.Name, p.CreatedAt = shortened(p.Name, maxPasskeyName), s.now()
	err := s.Store.Update(ctx, func(tx Tx) error {
		if err := spendCeremony(tx, c); err != nil {
			return err
		}
		account, err := tx.Account(p.Account)
		if err != nil {
			return err
		}
		has, err := tx.PasskeysOf(p.Account)
		if err != nil {
			return err
		}
		if len(has) >= maxPasskeys {
			return errTooManyPasskeys
		}
		if err := tx.InsertPasskey(p); err != nil {
			return err
		}
		if err := s.record(tx, "", EventPasskeyAdded, string(p.Account), passkeyName(p.ID), nil); err != nil {
			return err
		}
		return s.mail(tx, account.Email, Letter{Kind: LetterPasskeyAdded, Name: p.Name})
	})
	s.posted()
	if errors.Is(err, ErrExists) {
		return errPasskeyTaken
	}
	return err
}

// RemovePasskey takes a passkey from an account; one that is not the account's is
// ErrNotFound. Sessions that were opened with it go on: EndOtherSessions ends them.
func (s *Server) RemovePasskey(ctx context.Context, account AccountID, id []byte) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		if err := tx.DeletePasskey(account, id); err != nil {
			return err
		}
		return s.record(tx, "", EventPasskeyRemoved, string(account), passkeyName(id), nil)
	})
}

// EnterByPasskey opens a session after a passkey has signed the challenge of a
// ceremony, with the count and the backup state that it told. A ceremony that is
// spent is ErrNotFound. So is a count that does not rise: somebody has a copy of the
// key, and nobody can say who is the right one; that is recorded, and told to the
// person.
func (s *Server) EnterByPasskey(ctx context.Context, c Ceremony, p Passkey, e Entry) (string, error) {
	secret := s.vault.bearer()
	e.Method = ByPasskey
	cloned := false
	err := s.Store.Update(ctx, func(tx Tx) error {
		cloned = false
		if err := spendCeremony(tx, c); err != nil {
			return err
		}
		account, err := tx.Account(p.Account)
		if err != nil {
			return err
		}
		err = tx.UsePasskey(p.ID, p.SignCount, p.BackedUp, s.now())
		if errors.Is(err, ErrNotFound) {
			cloned = true // the ceremony stays spent, and what is told is kept
			return s.noteClone(tx, account, p)
		}
		if err != nil {
			return err
		}
		return s.enter(tx, account, secret, e)
	})
	s.posted()
	if err == nil && cloned {
		err = ErrNotFound
	}
	return secret, err
}

// noteClone tells of a passkey whose count did not rise; not of one that is gone
// meanwhile.
func (s *Server) noteClone(tx Tx, account Account, p Passkey) error {
	now, err := tx.Passkey(p.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.record(tx, "", EventPasskeyCloned, string(account.ID), passkeyName(p.ID), nil); err != nil {
		return err
	}
	return s.mail(tx, account.Email, Letter{Kind: LetterPasskeyCloned, Name: now.Name})
}

// passkeyName is a credential id as text.
func passkeyName(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }
