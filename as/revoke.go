package as

import (
	"context"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// What an operator takes back after an accident. Each raises a generation, and
// generations only grow: whatever else was or will be taken back, before or after,
// nothing that is dead lives again, and the latest counts (decision 2).

// RevokeClient ends every token, code and PCT that a client has, at once. What it
// is given from then on is good; to give it nothing, disable it.
func (s *Server) RevokeClient(ctx context.Context, id oauth.ClientID) error {
	err := s.Store.Update(ctx, func(tx Tx) error { return tx.RevokeClient(id) })
	return absent(err, uma.NewError(uma.NotFound, "There is no such client."))
}

// RevokeAccount signs an account out everywhere and ends every token that it has
// authorized.
func (s *Server) RevokeAccount(ctx context.Context, id AccountID) error {
	err := s.Store.Update(ctx, func(tx Tx) error { return s.revokeAccount(tx, id, false) })
	s.posted()
	return absent(err, uma.NewError(uma.NotFound, "There is no such account."))
}

// revokeAccount ends what an account has; disabled says whether it ends the
// account, too. Who calls it calls posted after the transaction.
func (s *Server) revokeAccount(tx Tx, id AccountID, disabled bool) error {
	a, err := tx.Account(id)
	if err != nil {
		return err
	}
	a.Disabled, a.Generation = a.Disabled || disabled, a.Generation+1
	if err := s.endSessions(tx, id, ""); err != nil {
		return err
	}
	return tx.UpdateAccount(a)
}

// RevokeEverything ends every token, code and PCT of every client, and signs
// everybody out. Shares, resources and requests stay. Applications are not told of
// it one by one.
func (s *Server) RevokeEverything(ctx context.Context) error {
	return s.Store.Update(ctx, func(tx Tx) error { return tx.RevokeAll() })
}
