package storetest

import (
	"errors"
	"time"

	"github.com/licet/licet/as"
)

var durability = []rule{
	{"everything is there after close and reopen", everythingIsThereAfterReopen},
}

func everythingIsThereAfterReopen(s *scene) {
	dir := s.TempDir()
	own := s.beside()
	list := own.recordsOf(fillers["full"])
	spent, revoked := own.digest("spent"), as.GrantID(own.id("revoked"))
	reopen := func(use func()) {
		own.store = s.open(s.T, dir)
		defer func() {
			if err := own.store.Close(); err != nil {
				s.Errorf("closing: %v", err)
			}
		}()
		use()
	}
	reopen(func() {
		own.insertAll(list)
		own.update(func(tx as.Tx) error {
			return errors.Join(tx.InsertTicket(as.Ticket{Digest: spent, ExpiresAt: now.Add(time.Hour)}), tx.InsertGrant(as.Grant{ID: revoked}))
		})
		own.update(func(tx as.Tx) error {
			return errors.Join(errOf(tx.SpendTicket(spent, now)), tx.RevokeGrant(revoked, now))
		})
	})
	for range 2 {
		reopen(func() {
			own.readAll(list)
			own.refused(as.ErrNotFound, "spending again what was spent before", func(tx as.Tx) error { return errOf(tx.SpendTicket(spent, now)) })
			if g := must(own, func(r as.Reader) (as.GrantState, error) { return r.GrantState(revoked) }); g.RevokedAt.IsZero() {
				s.Error("a revoked grant is not revoked any more")
			}
		})
	}
}
