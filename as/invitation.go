package as

import (
	"context"
	"errors"
	"time"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// An invitation offers a role to an e-mail address. It is no secret: what lets
// somebody accept it is an account with that address, verified. So a link to it
// may be mailed, forwarded and logged.

var errNoInvitation = uma.NewError(uma.NotFound, "There is no such invitation, or it has been answered, taken back, or has ended.")

var errHasMore = uma.NewError(Conflict, "You have a role here that whoever invited you could not end, and so cannot replace.")

// Invite offers a role, until a time (zero: without an end), to whoever has or
// will have an account with this address, by mail. Whether there is one is not told.
// The invitation is good for Lifetimes.Invitation. So many can be sent as codes can:
// one too many is TooManyAttempts.
func (s *Server) Invite(ctx context.Context, o Owner, email string, kind RoleKind, endsAt time.Time) (Invitation, error) {
	address, err := policy.CanonicalEmail(email)
	if err != nil {
		return Invitation{}, errNoAddress.Because(err)
	}
	now := s.now()
	i := Invitation{
		ID: InvitationID(s.vault.id(now)), Space: o.Space, Email: address, Kind: kind, EndsAt: endsAt,
		InvitedBy: o.Account, CreatedAt: now, ExpiresAt: now.Add(s.Lifetimes.Invitation),
	}
	_, err = s.countAttempt(ctx, attemptCount{s.vault.digest(aCount, "invitations to\x00"+address), s.Attempts.Mail},
		attemptCount{s.vault.digest(aCount, "invitations by\x00"+o.actor()), s.Attempts.Mail})
	if err != nil {
		return Invitation{}, err
	}
	err = s.manage(ctx, o, func(tx Tx) error {
		giver, err := s.roleIn(tx, o.Account, o.Space)
		if err != nil {
			return absent(err, errNotToGive)
		}
		if err := s.mayGive(giver, Role{Kind: kind, EndsAt: endsAt}); err != nil {
			return err
		}
		if err := tx.InsertInvitation(i); err != nil {
			return err
		}
		if err := s.record(tx, o.Space, EventInvited, o.actor(), string(i.ID), detail{"kind": kind}); err != nil {
			return err
		}
		return s.tellOfInvitation(tx, i)
	})
	s.posted()
	if err != nil {
		return Invitation{}, err
	}
	return i, nil
}

// Invitations returns a page of the invitations into the space that can still be
// accepted.
func (s *Server) Invitations(ctx context.Context, o Owner, page Page) ([]Invitation, error) {
	var list []Invitation
	err := s.Store.View(ctx, func(r Reader) (err error) {
		list, err = r.Invitations(o.Space, s.now(), page)
		return err
	})
	return list, err
}

// Uninvite takes an invitation back. One that was accepted is not found: there is
// a role, which can be ended.
func (s *Server) Uninvite(ctx context.Context, o Owner, id InvitationID) error {
	return s.manage(ctx, o, func(tx Tx) error {
		i, err := tx.Invitation(id)
		if err == nil && i.Space != o.Space {
			err = ErrNotFound
		}
		if err != nil {
			return absent(err, errNoInvitation)
		}
		mine, err := s.roleIn(tx, o.Account, o.Space)
		if err == nil && !mine.Kind.Gives(i.Kind) {
			err = errNotToGive
		}
		if err != nil {
			return absent(err, errNotToGive)
		}
		if err := tx.DeleteInvitation(o.Space, id); err != nil {
			return absent(err, errNoInvitation)
		}
		return s.record(tx, o.Space, EventUninvited, o.actor(), string(id), nil)
	})
}

// Invited is an invitation as the invited person sees it.
type Invited struct {
	Invitation
	SpaceName string
	From      string // the name of who invited
}

// InvitedTo lists what an account is invited to, which is nothing while its
// address is not verified.
func (s *Server) InvitedTo(ctx context.Context, account AccountID, page Page) ([]Invited, error) {
	var out []Invited
	err := s.Store.View(ctx, func(r Reader) error {
		out = nil
		a, err := r.Account(account)
		if err != nil || !a.reader() {
			return absent(err, errNoInvitation)
		}
		list, err := r.InvitationsTo(a.Email, s.now(), page)
		if err != nil {
			return err
		}
		for _, i := range list {
			space, err := r.Space(i.Space)
			if err != nil {
				return err
			}
			from, err := r.Account(i.InvitedBy)
			if err != nil {
				return err
			}
			out = append(out, Invited{i, space.Name, from.Name})
		}
		return nil
	})
	return out, err
}

// DeclineInvitation turns an invitation to the account down; one that cannot be
// accepted is not found.
func (s *Server) DeclineInvitation(ctx context.Context, account AccountID, id InvitationID) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		i, err := s.takeInvitation(tx, account, id)
		if err != nil {
			return err
		}
		return s.record(tx, i.Space, EventDeclined, string(account), string(id), nil)
	})
	return absent(err, errNoInvitation)
}

// takeInvitation spends an invitation to the address of an account.
func (s *Server) takeInvitation(tx Tx, account AccountID, id InvitationID) (Invitation, error) {
	a, err := tx.Account(account)
	if err == nil && !a.reader() {
		err = ErrNotFound
	}
	if err != nil {
		return Invitation{}, err
	}
	return tx.TakeInvitation(id, a.Email, s.now())
}

// AcceptInvitation gives the account the role that it was invited to. Whoever
// invited has to be able to give that role still. Every invitation that cannot be
// accepted is not found: unknown, to another address, answered, over.
func (s *Server) AcceptInvitation(ctx context.Context, account AccountID, id InvitationID) (Role, error) {
	var role Role
	err := s.Store.Update(ctx, func(tx Tx) error {
		i, err := s.takeInvitation(tx, account, id)
		if err != nil {
			return err
		}
		giver, err := s.roleIn(tx, i.InvitedBy, i.Space)
		if err != nil {
			return err
		}
		offered := Role{Account: account, Kind: i.Kind, EndsAt: i.EndsAt}
		if s.mayGive(giver, offered) != nil {
			return ErrNotFound // nor can anybody give it now
		}
		role, err = s.giveRole(tx, Owner{Space: i.Space, Account: account}, giver, offered, detail{"invitation": id})
		if errors.Is(err, errNotToGive) {
			err = errHasMore
		}
		return err
	})
	s.posted()
	return role, absent(err, errNoInvitation)
}
