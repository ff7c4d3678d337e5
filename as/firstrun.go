package as

import (
	"context"
	"errors"
	"time"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The first account. Whoever can read what the server prints may make it, within
// half an hour of the start and once; when there is an account, nobody may any more.

const firstRunLife = 30 * time.Minute

// FirstRun returns the secret with which the first account can be made. While there
// is an account it is ErrExists.
func (s *Server) FirstRun(ctx context.Context) (string, error) {
	if err := s.Store.View(ctx, noAccounts); err != nil {
		return "", err
	}
	return s.BeginCeremony(ceremonyFirstRun, "", nil, firstRunLife), nil
}

func noAccounts(r Reader) error {
	some, err := r.Accounts(Page{Limit: 1})
	if err == nil && len(some) > 0 {
		err = ErrExists
	}
	return err
}

// CheckFirstRun says whether a secret is one that can make the first account now;
// otherwise it is ErrNotFound. It spends nothing.
func (s *Server) CheckFirstRun(ctx context.Context, secret string) error {
	_, err := s.OpenCeremony(ceremonyFirstRun, "", secret)
	if err == nil {
		err = s.Store.View(ctx, noAccounts)
	}
	return firstRunError(err)
}

// EnterFirst makes the first account, with a space of its own, and opens its
// session. A secret that is not good any more is ErrNotFound.
func (s *Server) EnterFirst(ctx context.Context, secret, email, name string, e Entry) (string, error) {
	c, err := s.OpenCeremony(ceremonyFirstRun, "", secret)
	if err != nil {
		return "", firstRunError(err)
	}
	canonical, err := policy.CanonicalEmail(email)
	if err != nil {
		return "", errNoAddress.Because(err)
	}
	if name == "" || len(name) > maxName {
		return "", uma.NewError(uma.InvalidRequest, "Write a name that is not too long.")
	}
	now := s.now()
	account := Account{ID: AccountID(s.vault.id(now)), Email: canonical, Name: name, Generation: 1, CreatedAt: now}
	space := Space{ID: SpaceID(s.vault.id(now)), Name: name, Generation: 1, CreatedAt: now}
	e.Method = ByFirstRun
	session := s.vault.bearer()
	err = s.Store.Update(ctx, func(tx Tx) error {
		if err := noAccounts(tx); err != nil {
			return err
		}
		if err := spendCeremony(tx, c); err != nil {
			return err
		}
		if err := errors.Join(tx.InsertAccount(account), s.openSpace(tx, space), tx.PutRole(Role{Account: account.ID, Space: space.ID, Kind: RoleOwner})); err != nil {
			return err
		}
		if err := s.record(tx, "", EventFirstRun, string(account.ID), "", nil); err != nil {
			return err
		}
		return s.enter(tx, account, session, e)
	})
	return session, firstRunError(err)
}

func firstRunError(err error) error {
	if errors.Is(err, ErrExists) {
		return ErrNotFound
	}
	return err
}
