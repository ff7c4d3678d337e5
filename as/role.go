package as

import (
	"context"
	"errors"
	"time"

	"github.com/licet/licet/uma"
)

// Who may act in a space, and as what. docs/reference/roles.md is the table of
// what each role may do; a test holds this file against it.

var (
	errNoSpace   = uma.NewError(uma.NotFound, "There is no such space.")
	errOnlyLooks = uma.NewError(uma.AccessDenied, "You may look here, and change nothing.")
	errNoRole    = uma.NewError(uma.NotFound, "This person has no role here.")
	errOwnRole   = uma.NewError(uma.InvalidRequest, "Nobody gives a role to themselves.")
	errNotToGive = uma.NewError(uma.AccessDenied, "This role is not yours to give or to end.")
	errTooLong   = uma.NewError(uma.AccessDenied, "No role lasts longer than that of whoever gives it.")
	errRoleKind  = uma.NewError(uma.InvalidRequest, "A role that can be given is guardian, delegate or viewer.")
	errRoleOver  = uma.NewError(uma.InvalidRequest, "The role would have ended already.")
	errOwnerGoes = uma.NewError(uma.InvalidRequest, "The owner of a space stays its owner.")
)

// Manages says whether a role of this kind may change anything in its space. A
// kind that is not known may not.
func (k RoleKind) Manages() bool { return k == RoleOwner || k == RoleGuardian || k == RoleDelegate }

// Gives says whether a role of this kind may give, and end, one of the other.
// Nobody gives what they are themselves, so that a role is always traced back to
// the owner in two steps; and nobody makes an owner.
func (k RoleKind) Gives(other RoleKind) bool {
	switch k {
	case RoleOwner:
		return other == RoleGuardian || other == RoleDelegate || other == RoleViewer
	case RoleGuardian:
		return other == RoleDelegate || other == RoleViewer
	default:
		return false
	}
}

func (r Role) live(now time.Time) bool { return r.EndsAt.IsZero() || now.Before(r.EndsAt) }

func (r Role) manages(now time.Time) bool { return r.Kind.Manages() && r.live(now) }

// within says whether the role ends no later than the other.
func (r Role) within(other Role) bool {
	return other.EndsAt.IsZero() || !r.EndsAt.IsZero() && !r.EndsAt.After(other.EndsAt)
}

// roleIn is the role that an account has in a space now; otherwise ErrNotFound.
func (s *Server) roleIn(r Reader, account AccountID, space SpaceID) (Role, error) {
	role, err := r.Role(account, space)
	if err == nil && !role.live(s.now()) {
		err = ErrNotFound
	}
	if err != nil {
		return Role{}, err
	}
	return role, nil
}

// ActIn is the one gate of people to a space: as whom an account acts there, and
// in which role, now. not_found is the answer for a space in which it has no
// role, or none any more, as for one that does not exist.
//
// The Owner is good for reading. Every act that changes something looks at the
// role again, in its own transaction, so that a role that was ended meanwhile, or
// that only looks, changes nothing whatever a page forgot to ask.
func (s *Server) ActIn(ctx context.Context, account AccountID, space SpaceID) (Owner, Role, error) {
	var role Role
	err := s.Store.View(ctx, func(r Reader) error {
		a, err := r.Account(account)
		if err == nil && a.Disabled {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		role, err = s.roleIn(r, account, space)
		return err
	})
	if err != nil {
		return Owner{}, Role{}, absent(err, errNoSpace)
	}
	return Owner{Space: space, Account: account}, role, nil
}

// manage runs an act in a transaction in which whoever acts has a role that
// manages the space. The act must assign, not append, to what it captures.
func (s *Server) manage(ctx context.Context, o Owner, act func(Tx) error) error {
	return s.Store.Update(ctx, func(tx Tx) error {
		if o.Account == "" {
			return act(tx) // an organisation's own client; its token speaks for the space
		}
		role, err := s.roleIn(tx, o.Account, o.Space)
		switch {
		case err != nil:
			return absent(err, errNoSpace)
		case !role.Kind.Manages():
			return errOnlyLooks
		}
		return act(tx)
	})
}

// SpaceRole is a space with the role that somebody has in it.
type SpaceRole struct {
	Space
	Role Role
}

// SpacesOf lists the spaces in which an account has a role now, in the order of
// their ids.
func (s *Server) SpacesOf(ctx context.Context, account AccountID) ([]SpaceRole, error) {
	var out []SpaceRole
	err := s.Store.View(ctx, func(r Reader) error {
		out = nil
		roles, err := r.RolesOf(account)
		if err != nil {
			return err
		}
		for _, role := range roles {
			if !role.live(s.now()) {
				continue
			}
			space, err := r.Space(role.Space)
			if err != nil {
				return err
			}
			out = append(out, SpaceRole{space, role})
		}
		return nil
	})
	return out, err
}

// RoleHolder is a role with who has it.
type RoleHolder struct {
	Role
	Name  string
	Email string
}

// RolesIn lists who has a role in the space now. Every role may look.
func (s *Server) RolesIn(ctx context.Context, o Owner) ([]RoleHolder, error) {
	var out []RoleHolder
	err := s.Store.View(ctx, func(r Reader) error {
		out = nil
		roles, err := r.RolesIn(o.Space)
		if err != nil {
			return err
		}
		for _, role := range roles {
			if !role.live(s.now()) {
				continue
			}
			a, err := r.Account(role.Account)
			if err != nil {
				return err
			}
			out = append(out, RoleHolder{role, a.Name, a.Email})
		}
		return nil
	})
	return out, err
}

// GrantRole gives an account a role in the space, or another one than it has,
// until a time (zero: without an end). What the account has given itself ends
// with what it may give no longer.
func (s *Server) GrantRole(ctx context.Context, o Owner, to AccountID, kind RoleKind, endsAt time.Time) (Role, error) {
	var role Role
	err := s.manage(ctx, o, func(tx Tx) error {
		if _, err := tx.Account(to); err != nil {
			return absent(err, errNoRole)
		}
		giver, err := s.roleIn(tx, o.Account, o.Space)
		if err != nil {
			return absent(err, errNotToGive) // an organisation's client gives no roles
		}
		role, err = s.giveRole(tx, o, giver, Role{Account: to, Kind: kind, EndsAt: endsAt}, nil)
		return err
	})
	s.posted()
	return role, err
}

// mayGive says whether a role may give another. The other's space is the giver's.
func (s *Server) mayGive(giver, role Role) error {
	switch {
	case !RoleOwner.Gives(role.Kind):
		return errRoleKind
	case !giver.Kind.Gives(role.Kind):
		return errNotToGive
	case !role.live(s.now()):
		return errRoleOver
	case !role.within(giver):
		return errTooLong
	}
	return nil
}

// giveRole is the one way in which a role comes into a space that is there
// already. by is who acts, giver the role by whose right.
func (s *Server) giveRole(tx Tx, by Owner, giver, role Role, more detail) (Role, error) {
	if role.Account == giver.Account {
		return Role{}, errOwnRole
	}
	if err := s.mayGive(giver, role); err != nil {
		return Role{}, err
	}
	role.Space, role.GrantedBy, role.CreatedAt = giver.Space, giver.Account, s.now()
	old, err := s.roleIn(tx, role.Account, role.Space)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return Role{}, err
	case !giver.Kind.Gives(old.Kind):
		return Role{}, errNotToGive
	}
	if err := tx.PutRole(role); err != nil {
		return Role{}, err
	}
	if err := s.recordRole(tx, by, role, more); err != nil {
		return Role{}, err
	}
	if err := s.tellOfRole(tx, by, role, LetterRole); err != nil {
		return Role{}, err
	}
	return role, s.boundRoles(tx, by, role)
}

func (s *Server) recordRole(tx Tx, by Owner, role Role, more detail) error {
	d := detail{"kind": role.Kind}
	if !role.EndsAt.IsZero() {
		d["ends_at"] = role.EndsAt.Unix()
	}
	for name, v := range more {
		d[name] = v
	}
	return s.record(tx, role.Space, EventRoleGranted, by.actor(), string(role.Account), d)
}

// EndRole ends the role of an account in the space, at once, with every token for
// the policy API that was made under it and every role that it gave. Everybody
// but the owner may end their own.
func (s *Server) EndRole(ctx context.Context, o Owner, of AccountID) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		mine, err := s.roleIn(tx, o.Account, o.Space)
		if err != nil {
			return absent(err, errNoSpace)
		}
		role, err := s.roleIn(tx, of, o.Space)
		switch {
		case err != nil:
			return absent(err, errNoRole)
		case role.Kind == RoleOwner:
			return errOwnerGoes
		case of != o.Account && !mine.Kind.Gives(role.Kind):
			return errNotToGive
		}
		return s.endRole(tx, o, role)
	})
	s.posted()
	return err
}

func (s *Server) endRole(tx Tx, by Owner, role Role) error {
	if err := tx.DeleteRole(role.Account, role.Space); err != nil {
		return err
	}
	if err := s.record(tx, role.Space, EventRoleEnded, by.actor(), string(role.Account), detail{"kind": role.Kind}); err != nil {
		return err
	}
	if err := s.tellOfRole(tx, by, role, LetterRoleEnded); err != nil {
		return err
	}
	return s.boundRoles(tx, by, Role{Account: role.Account, Space: role.Space})
}

// boundRoles holds what an account has given to what it may give now: nobody has
// more, or has it for longer, than the one it comes from.
func (s *Server) boundRoles(tx Tx, by Owner, giver Role) error {
	roles, err := tx.RolesIn(giver.Space)
	if err != nil {
		return err
	}
	for _, role := range roles {
		switch {
		case role.GrantedBy != giver.Account:
		case !giver.Kind.Gives(role.Kind):
			err = s.endRole(tx, by, role)
		case !role.within(giver):
			role.EndsAt = giver.EndsAt
			if err = tx.PutRole(role); err == nil {
				err = s.recordRole(tx, by, role, nil)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
