package as

import (
	"context"
	"errors"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// What an operator does: people, their spaces, and clients.

var errEmailTaken = uma.NewError(Conflict, "There is an account with this e-mail address.")

// CreateAccount makes an account. With a space name it makes a space, too, and
// the account its owner. The e-mail address is canonicalised; one that is taken
// is a Conflict.
func (s *Server) CreateAccount(ctx context.Context, a Account, spaceName string) (Account, Space, error) {
	var space Space
	email, err := policy.CanonicalEmail(a.Email)
	if err != nil {
		return Account{}, Space{}, errNoAddress.Because(err)
	}
	now := s.now()
	a.ID, a.Email, a.Generation, a.CreatedAt = AccountID(s.vault.id(now)), email, 1, now
	if spaceName != "" {
		space = Space{ID: SpaceID(s.vault.id(now)), Name: spaceName, Generation: 1, CreatedAt: now}
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if err := tx.InsertAccount(a); err != nil {
			return err
		}
		if spaceName == "" {
			return nil
		}
		if err := s.openSpace(tx, space); err != nil {
			return err
		}
		return tx.PutRole(Role{Account: a.ID, Space: space.ID, Kind: RoleOwner})
	})
	if errors.Is(err, ErrExists) {
		err = errEmailTaken
	}
	return a, space, err
}

// AccountByEmail finds an account by its address in any spelling.
func (s *Server) AccountByEmail(ctx context.Context, email string) (Account, error) {
	canonical, err := policy.CanonicalEmail(email)
	if err != nil {
		return Account{}, ErrNotFound
	}
	var a Account
	err = s.Store.View(ctx, func(r Reader) (err error) {
		a, err = r.AccountByEmail(canonical)
		return err
	})
	return a, err
}

// DisableAccount shuts an account out: its sessions and tokens are dead at once.
func (s *Server) DisableAccount(ctx context.Context, id AccountID) error {
	err := s.Store.Update(ctx, func(tx Tx) error { return s.revokeAccount(tx, id, true) })
	s.posted()
	return err
}

// RegisterClient registers a client, or replaces the registration of one with
// the same id. A client with a secret is given one when it has none; the secret
// is returned this once. The id is made when it is empty.
func (s *Server) RegisterClient(ctx context.Context, c oauth.Client) (oauth.Client, string, error) {
	var secret string
	if c.ID == "" {
		c.ID = oauth.ClientID(s.vault.id(s.now()))
	}
	if c.Secret() && len(c.SecretHash) == 0 {
		var err error
		if secret, c.SecretHash, err = oauth.NewSecret(s.Rand); err != nil {
			return oauth.Client{}, "", err
		}
	}
	if err := c.Validate(); err != nil {
		return oauth.Client{}, "", err
	}
	err := s.Store.Update(ctx, func(tx Tx) error {
		err := tx.InsertClient(c)
		if errors.Is(err, ErrExists) {
			return tx.UpdateClient(c)
		}
		return err
	})
	return c, secret, err
}

// IssueToken gives a client an access token in a space without any
// interaction, for the people who run the server and for demonstrations.
func (s *Server) IssueToken(ctx context.Context, c oauth.ClientID, account AccountID, space SpaceID, scopes ...uma.Scope) (uma.TokenResponse, error) {
	var answer uma.TokenResponse
	err := s.Store.Update(ctx, func(tx Tx) error {
		answer = uma.TokenResponse{}
		client, err := tx.Client(c)
		if err != nil {
			return err
		}
		a, err := tx.Account(account)
		if err != nil {
			return err
		}
		if err := s.mayManage(tx, account, space); err != nil {
			return err
		}
		if _, err := s.bind(ctx, client); err != nil {
			return err
		}
		g := Grant{
			ID: GrantID(s.vault.id(s.now())), Kind: GrantOAuth, Client: c, Account: account, Space: space, Scopes: scopes,
			AuthTime: s.now(), AccountGeneration: a.Generation, CreatedAt: s.now(),
		}
		answer.Scope = uma.JoinScopes(scopes)
		return s.issueOAuth(tx, &answer, issuance{client: &client, grant: g, life: s.Lifetimes.PAT, renews: client.Allows(oauth.GrantRefreshToken)})
	})
	return answer, err
}

// Sweep deletes what ended long ago, a batch of at most limit records and as many
// uses at a time, and returns how
// many records it deleted.
func (s *Server) Sweep(ctx context.Context, limit int) (int, error) {
	var n int
	err := s.Store.Update(ctx, func(tx Tx) (err error) {
		if n, err = tx.Sweep(s.now().Add(-s.Lifetimes.Dormant), limit); err != nil {
			return err
		}
		uses, err := tx.SweepUses(s.now().Add(-s.Lifetimes.Uses), limit)
		n += uses
		return err
	})
	return n, err
}
