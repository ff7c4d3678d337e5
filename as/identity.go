package as

import (
	"context"
	"errors"
	"time"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Accounts at OpenID providers, with which people sign in here. An account there is
// known by its issuer and subject and by nothing else. Its e-mail address leads to an
// account here only the first time, and only where the operator trusts the provider
// to know whose mailbox that is: anybody may call themselves alice@example.com at
// some provider.

var errIdentityTaken = uma.NewError(Conflict, "This account is linked to somebody else here.")

// Vouched is an account at a provider, as the provider has just vouched for it.
type Vouched struct {
	Identity
	Name string // how the person is called
	// Mailbox says that the provider has verified the e-mail address, and that the
	// operator trusts it in that.
	Mailbox bool
	At      time.Time // when they proved there who they are; zero when it does not say
}

// AccountOf finds the account that somebody a provider vouches for signs in to:
// that which is linked or, with a mailbox, has the address. Without one it is
// ErrNotFound.
func (s *Server) AccountOf(ctx context.Context, v Vouched) (Account, error) {
	var account Account
	err := s.Store.View(ctx, func(r Reader) (err error) {
		account, _, err = accountOf(r, v)
		return err
	})
	return account, err
}

// accountOf finds the account, and says whether it is linked already.
func accountOf(r Reader, v Vouched) (account Account, linked bool, err error) {
	known, err := r.Identity(v.Issuer, v.Subject)
	switch {
	case err == nil:
		account, err = r.Account(known.Account)
		return account, true, err
	case errors.Is(err, ErrNotFound) && v.Mailbox:
		email, err := policy.CanonicalEmail(v.Email)
		if err != nil {
			return Account{}, false, ErrNotFound
		}
		account, err = r.AccountByEmail(email)
		return account, false, err
	default:
		return Account{}, false, err
	}
}

// EnterByProvider opens a session for somebody whom a provider vouches for. Who
// comes for the first time with a mailbox is linked to the account that has the
// address, which is told by mail; where there is none it is made, if guests may come
// in. Everybody else is ErrNotFound.
func (s *Server) EnterByProvider(ctx context.Context, v Vouched, guests bool, e Entry) (string, error) {
	secret := s.vault.bearer()
	e.Method, e.proved = ByProvider, v.At
	err := s.Store.Update(ctx, func(tx Tx) error {
		account, linked, err := accountOf(tx, v)
		absent := errors.Is(err, ErrNotFound)
		if err != nil && !(absent && !linked && v.Mailbox && guests) {
			return err
		}
		if account.Disabled {
			return ErrNotFound
		}
		if !linked {
			email, err := policy.CanonicalEmail(v.Email)
			if err != nil {
				return ErrNotFound
			}
			if account, err = s.ofMailbox(tx, email); err != nil {
				return err
			}
			if absent && v.Name != "" {
				account.Name = shortened(v.Name, maxName)
				if err := tx.UpdateAccount(account); err != nil {
					return err
				}
			}
			if err := s.link(tx, account, v.Identity, !absent); err != nil {
				return err
			}
		}
		return s.enter(tx, account, secret, e)
	})
	s.posted()
	return secret, err
}

// maxName is how long the name of a person may be that a provider tells, in bytes.
const maxName = 200

// LinkIdentity links an account at a provider to an account here, whose person is
// signed in and has asked for it. One that is linked to another account is a
// Conflict.
func (s *Server) LinkIdentity(ctx context.Context, id AccountID, i Identity) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		account, err := tx.Account(id)
		if err != nil {
			return err
		}
		known, err := tx.Identity(i.Issuer, i.Subject)
		switch {
		case errors.Is(err, ErrNotFound):
			return s.link(tx, account, i, true)
		case err != nil:
			return err
		case known.Account != id:
			return errIdentityTaken
		default:
			return nil
		}
	})
	s.posted()
	return err
}

func (s *Server) link(tx Tx, account Account, i Identity, tell bool) error {
	i.Account, i.CreatedAt = account.ID, s.now()
	if err := tx.InsertIdentity(i); err != nil {
		return err
	}
	if err := s.record(tx, "", EventIdentityLinked, string(account.ID), i.Issuer, nil); err != nil || !tell {
		return err
	}
	return s.mail(tx, account.Email, Letter{Kind: LetterIdentityLinked, Name: i.Issuer})
}

// Identities lists the accounts at providers that an account signs in with.
func (s *Server) Identities(ctx context.Context, id AccountID) ([]Identity, error) {
	var all []Identity
	err := s.Store.View(ctx, func(r Reader) (err error) {
		all, err = r.IdentitiesOf(id)
		return err
	})
	return all, err
}

// UnlinkIdentity takes an account at a provider from an account; one that is not
// linked to it is ErrNotFound.
func (s *Server) UnlinkIdentity(ctx context.Context, id AccountID, issuer, subject string) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		if err := tx.DeleteIdentity(id, issuer, subject); err != nil {
			return err
		}
		return s.record(tx, "", EventIdentityGone, string(id), issuer, nil)
	})
}
