package as

import (
	"context"
	"errors"
	"strings"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Groups of an owner's. Who is in one is looked at when a requesting party is
// judged, and a permission names the member as whom it was granted. So whoever is
// taken out loses at once what was granted to them, and nobody else does: it is
// the removal of one row, whatever the number of members, shares and tokens.

var (
	errNoGroup    = uma.NewError(uma.NotFound, "There is no such group.")
	errNoMember   = uma.NewError(uma.NotFound, "There is no such member of the group.")
	errIsMember   = uma.NewError(Conflict, "This address is in the group already.")
	errGroupName  = uma.NewError(uma.InvalidRequest, "A group needs a name of at most 200 bytes.")
	maxNameLength = 200
)

// CreateGroup makes a group that nobody is in.
func (s *Server) CreateGroup(ctx context.Context, o Owner, name string) (Group, error) {
	name, err := groupName(name)
	if err != nil {
		return Group{}, err
	}
	now := s.now()
	g := Group{ID: policy.GroupID(s.vault.id(now)), Space: o.Space, Name: name, CreatedAt: now}
	err = s.manage(ctx, o, func(tx Tx) error {
		if err := tx.InsertGroup(g); err != nil {
			return err
		}
		return s.record(tx, o.Space, EventGroupCreated, o.actor(), string(g.ID), nil)
	})
	if err != nil {
		return Group{}, err
	}
	return g, nil
}

func groupName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxNameLength {
		return "", errGroupName
	}
	return name, nil
}

// RenameGroup gives a group another name. Names decide nothing.
func (s *Server) RenameGroup(ctx context.Context, o Owner, id policy.GroupID, name string) error {
	name, err := groupName(name)
	if err != nil {
		return err
	}
	return s.manage(ctx, o, func(tx Tx) error {
		if err := tx.RenameGroup(o.Space, id, name); err != nil {
			return absent(err, errNoGroup)
		}
		return s.record(tx, o.Space, EventGroupRenamed, o.actor(), string(id), nil)
	})
}

// DeleteGroup ends a group, the shares with it, and what was granted under them.
func (s *Server) DeleteGroup(ctx context.Context, o Owner, id policy.GroupID) error {
	return s.manage(ctx, o, func(tx Tx) error {
		if err := tx.DeleteGroup(o.Space, id); err != nil {
			return absent(err, errNoGroup)
		}
		shares, err := tx.SharesWith(o.Space, id, Page{Limit: maxAtOnce})
		if err != nil {
			return err
		}
		seq, err := s.recorded(tx, o.Space, EventGroupDeleted, o.actor(), string(id), detail{"shares": len(shares)})
		if err != nil {
			return err
		}
		if err := tx.KeepShares(o.Space, idsOf(shares), s.ending(o, EndWithdrawn, seq)); err != nil {
			return err
		}
		return tx.DeleteShares(o.Space, idsOf(shares))
	})
}

// Groups returns a page of the space's groups.
func (s *Server) Groups(ctx context.Context, o Owner, page Page) ([]Group, error) {
	var list []Group
	err := s.Store.View(ctx, func(r Reader) (err error) {
		list, err = r.Groups(o.Space, page)
		return err
	})
	return list, err
}

// Group returns one group of the space.
func (s *Server) Group(ctx context.Context, o Owner, id policy.GroupID) (Group, error) {
	var g Group
	err := s.Store.View(ctx, func(r Reader) (err error) {
		g, err = r.Group(o.Space, id)
		return err
	})
	return g, absent(err, errNoGroup)
}

// Members returns a page of who is in a group.
func (s *Server) Members(ctx context.Context, o Owner, id policy.GroupID, page Page) ([]Member, error) {
	var list []Member
	err := s.Store.View(ctx, func(r Reader) error {
		if _, err := r.Group(o.Space, id); err != nil {
			return absent(err, errNoGroup)
		}
		var err error
		list, err = r.Members(o.Space, id, page)
		return err
	})
	return list, err
}

// AddMember puts whoever has this e-mail address, verified, into a group. An
// address that is in it is a Conflict.
func (s *Server) AddMember(ctx context.Context, o Owner, id policy.GroupID, email string) (Member, error) {
	address, err := policy.CanonicalEmail(email)
	if err != nil {
		return Member{}, errNoAddress.Because(err)
	}
	now := s.now()
	m := Member{ID: MemberID(s.vault.id(now)), Space: o.Space, Group: id, Email: address, CreatedAt: now}
	err = s.manage(ctx, o, func(tx Tx) error {
		if _, err := tx.Group(o.Space, id); err != nil {
			return absent(err, errNoGroup)
		}
		if err := tx.InsertMember(m); errors.Is(err, ErrExists) {
			return errIsMember
		} else if err != nil {
			return err
		}
		return s.record(tx, o.Space, EventMemberAdded, o.actor(), string(id), detail{"member": m.ID})
	})
	if err != nil {
		return Member{}, err
	}
	return m, nil
}

// RemoveMember takes somebody out of a group, with all that was granted to them
// as its member.
func (s *Server) RemoveMember(ctx context.Context, o Owner, id MemberID) error {
	err := s.manage(ctx, o, func(tx Tx) error {
		m, err := tx.Member(o.Space, id)
		if err != nil {
			return err
		}
		if err := tx.DeleteMember(m.Space, m.Group, m.ID); err != nil {
			return err
		}
		return s.record(tx, o.Space, EventMemberRemoved, o.actor(), string(m.Group), detail{"member": id})
	})
	return absent(err, errNoMember)
}

// memberships are the groups that a requesting party is in, and as which member.
type memberships map[policy.GroupID]MemberID

// membershipsIn looks the requesting party of the facts up in the groups that the
// shares are with: one reading for each group and verified address, however large
// the group.
func membershipsIn(r Reader, shares map[uma.ResourceID][]Share, facts []policy.Fact) (memberships, error) {
	in, asked := memberships{}, map[policy.GroupID]bool{"": true}
	for _, list := range shares {
		for _, share := range list {
			if asked[share.Group] {
				continue
			}
			asked[share.Group] = true
			m, err := memberOf(r, share.Space, share.Group, facts)
			if err != nil {
				return nil, err
			}
			if m.ID != "" {
				in[share.Group] = m.ID
			}
		}
	}
	return in, nil
}

// supposedIn is in which groups a party would be: a group is in itself.
func supposedIn(r Reader, p policy.Party, shares []Share, facts []policy.Fact) (memberships, error) {
	if p.Kind == policy.PartyGroup {
		return memberships{policy.GroupID(p.Value): ""}, nil
	}
	return membershipsIn(r, map[uma.ResourceID][]Share{"": shares}, facts)
}

// memberOf is the member of a group that has one of the addresses; without an id
// when there is none.
func memberOf(r Reader, space SpaceID, group policy.GroupID, facts []policy.Fact) (Member, error) {
	for _, f := range facts {
		if f.Name != "email" {
			continue
		}
		address, err := policy.CanonicalEmail(f.Value)
		if err != nil {
			continue // it is compared with nothing
		}
		m, err := r.MemberByEmail(space, group, address)
		if !errors.Is(err, ErrNotFound) {
			return m, err
		}
	}
	return Member{}, nil
}
