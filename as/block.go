package as

import (
	"context"
	"errors"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// "Never from them": an owner who does not want to be asked by somebody any more.
// For whoever is blocked, what the owner wants to be asked about has been decided:
// the answer is request_denied, as after any no, and nobody hears of it. What is
// shared with them stays shared.

var (
	errNoBlock   = uma.NewError(uma.NotFound, "There is no such block.")
	errIsBlocked = uma.NewError(Conflict, "They are blocked already.")
)

// RefuseAndBlock answers a request with no, with every other that waits from the
// same party, and blocks the party: through the application that asked, or through
// every one.
func (s *Server) RefuseAndBlock(ctx context.Context, o Owner, id RequestID, everyApp bool) (Block, error) {
	var block Block
	now := s.now()
	made := BlockID(s.vault.id(now))
	err := s.manage(ctx, o, func(tx Tx) error {
		q, err := tx.Request(o.Space, id)
		if err != nil {
			return absent(err, errNoRequest)
		}
		if !q.Status.Waits() {
			return errRequestDecided
		}
		block = Block{ID: made, Space: o.Space, Subject: q.Subject, Client: q.Client, Claims: q.Claims, Request: id, CreatedBy: o.Account, CreatedAt: now}
		if everyApp {
			block.Client = ""
		}
		waiting, err := tx.PendingFrom(o.Space, block.Client, q.Subject)
		if err != nil {
			return err
		}
		for _, other := range waiting {
			if _, err := s.decideOne(tx, o, other, s.no(o)); err != nil {
				return err
			}
		}
		if err := tx.InsertBlock(block); errors.Is(err, ErrExists) {
			return errIsBlocked
		} else if err != nil {
			return err
		}
		return s.record(tx, o.Space, EventPartyBlocked, o.actor(), string(block.ID), blockDetail(block))
	})
	s.posted()
	if err != nil {
		return Block{}, err
	}
	return block, nil
}

// blockDetail is what the history says about a block. Who it is about the block
// tells.
func blockDetail(b Block) detail {
	if b.Client == "" {
		return nil
	}
	return detail{"client": b.Client}
}

// Unblock lets a party ask again.
func (s *Server) Unblock(ctx context.Context, o Owner, id BlockID) error {
	err := s.manage(ctx, o, func(tx Tx) error {
		b, err := tx.Block(o.Space, id)
		if err != nil {
			return err
		}
		if err := tx.DeleteBlock(o.Space, id); err != nil {
			return err
		}
		return s.record(tx, o.Space, EventPartyUnblocked, o.actor(), string(id), blockDetail(b))
	})
	return absent(err, errNoBlock)
}

// BlockedParty is a block with whom it is about, as they were when they asked.
type BlockedParty struct {
	Block
	ClientName string // of the application; "" for every application, and when it is gone
	Facts      []policy.Fact
}

// Party is as whom the owner knows them, as PendingRequest.Party.
func (b BlockedParty) Party() policy.Party { return knownBy(b.Facts, b.Subject) }

// Blocks returns a page of the space's blocks.
func (s *Server) Blocks(ctx context.Context, o Owner, page Page) ([]BlockedParty, error) {
	var list []BlockedParty
	err := s.Store.View(ctx, func(r Reader) error {
		found, err := r.Blocks(o.Space, page)
		if err != nil {
			return err
		}
		list = make([]BlockedParty, len(found))
		for i, b := range found {
			list[i].Block = b
			if list[i].Facts, err = s.openFacts(b.Claims); err != nil {
				return err
			}
			c, err := r.Client(b.Client)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			list[i].ClientName = c.Name
		}
		return nil
	})
	return list, err
}

// blocks says whether the party of a process is blocked where the owner would be
// asked. It is looked up only there.
func blocks(r Reader, p Process, client oauth.ClientID, shares map[uma.ResourceID][]Share) (bool, error) {
	for _, list := range shares {
		for _, share := range list {
			if share.Ask && p.Subject != "" {
				return r.Blocked(p.Space, client, p.Subject)
			}
		}
	}
	return false, nil
}
