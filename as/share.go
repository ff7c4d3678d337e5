package as

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// What an owner does with shares. A share belongs to exactly one space and
// speaks of exactly one resource of it; the space comes from the token and the
// id from the path, never from the document.

var (
	errNoShare      = uma.NewError(uma.NotFound, "There is no such policy.")
	errShareScope   = uma.NewError(uma.InvalidScope, "At least one scope is not registered for the resource.")
	errShareGroup   = uma.NewError(uma.InvalidRequest, "There is no such group.")
	errShareChanged = uma.NewError(PreconditionFailed, "The policy has been changed meanwhile. Read it again.")
)

// PreconditionFailed is the code of our own APIs for an If-Match that does not
// match (RFC 9110 13.1.1).
const PreconditionFailed uma.Code = "precondition_failed"

// CreateShare writes down a new wish.
func (s *Server) CreateShare(ctx context.Context, o Owner, wish policy.Share) (Share, error) {
	var share Share
	err := s.manage(ctx, o, func(tx Tx) (err error) {
		share, err = s.createShare(tx, o, Share{Share: wish})
		return err
	})
	return share, err
}

// createShare makes a share of what is said in it: the wish, and what is known of
// whom it is for. Everything else of it is new.
func (s *Server) createShare(tx Tx, o Owner, said Share) (Share, error) {
	share, err := s.insertShare(tx, o, said)
	if err != nil {
		return Share{}, err
	}
	return share, s.record(tx, o.Space, EventShareCreated, o.actor(), string(share.ID), shareDetail(share))
}

// insertShare is createShare without its event.
func (s *Server) insertShare(tx Tx, o Owner, said Share) (Share, error) {
	now := s.now()
	share := Share{
		Share: said.Share, Space: o.Space, Version: 1, Generation: 1, KnownAs: said.KnownAs, LinkDigest: said.LinkDigest,
		CreatedBy: o.Account, CreatedAt: now, UpdatedBy: o.actor(), UpdatedAt: now,
	}
	share.ID = policy.ShareID(s.vault.id(now))
	if err := s.attach(tx, &share); err != nil {
		return Share{}, err
	}
	if err := tx.InsertShare(share); err != nil {
		return Share{}, err
	}
	return share, s.planEnding(tx, share)
}

// attach checks that the share speaks of a resource of its space and of scopes
// registered for it, and notes the resource server.
func (s *Server) attach(tx Tx, share *Share) error {
	res, err := tx.ResourceInSpace(share.Space, share.Resource)
	if errors.Is(err, ErrNotFound) {
		return uma.NewError(uma.InvalidResourceID, "There is no such resource.")
	}
	if err != nil {
		return err
	}
	if len(without(share.Scopes, res.Description.Scopes)) > 0 {
		return errShareScope
	}
	if err := s.checkLink(*share); err != nil {
		return err
	}
	if share.Group != "" {
		if _, err := tx.Group(share.Space, share.Group); err != nil {
			return absent(err, errShareGroup)
		}
	}
	share.ResourceServer = res.ResourceServer
	return nil
}

// ReadShare returns one share of the space.
func (s *Server) ReadShare(ctx context.Context, o Owner, id policy.ShareID) (Share, error) {
	var share Share
	err := s.Store.View(ctx, func(r Reader) (err error) {
		share, err = r.Share(o.Space, id)
		return err
	})
	return share, absent(err, errNoShare)
}

// ListShares returns a page of the space's shares.
func (s *Server) ListShares(ctx context.Context, o Owner, page Page) ([]Share, error) {
	var shares []Share
	err := s.Store.View(ctx, func(r Reader) (err error) {
		shares, err = r.Shares(o.Space, page)
		return err
	})
	return shares, err
}

// ReplaceShare replaces a share completely. What was granted under its old text
// ends with it, at once. version is what If-Match named; 0 for any.
func (s *Server) ReplaceShare(ctx context.Context, o Owner, id policy.ShareID, version int64, wish policy.Share) (Share, error) {
	var share Share
	err := s.manage(ctx, o, func(tx Tx) error {
		old, err := tx.Share(o.Space, id)
		if err != nil {
			return err
		}
		if version != 0 && version != old.Version {
			return errShareChanged
		}
		wish.ID = id
		if share = old; sameWish(wish, old.Share) && old.DormantSince.IsZero() {
			return nil
		}
		share, err = s.replaceShare(tx, o, old, wish, EventShareReplaced)
		return err
	})
	return share, absent(err, errNoShare)
}

// replaceShare puts a wish in the place of a share, tells of it as kind, and keeps
// what was before.
func (s *Server) replaceShare(tx Tx, o Owner, old Share, wish policy.Share, kind string) (Share, error) {
	share := s.revised(o, old, wish)
	if err := s.attach(tx, &share); err != nil {
		return Share{}, err
	}
	seq, err := s.recorded(tx, o.Space, kind, o.actor(), string(old.ID), shareDetail(share))
	if err != nil {
		return Share{}, err
	}
	return share, s.putInPlace(tx, share, s.ending(o, EndReplaced, seq))
}

// revised is the share with another wish.
func (s *Server) revised(o Owner, old Share, wish policy.Share) Share {
	share := old
	share.Share = wish
	if len(wish.Parties()) != 1 || len(old.Parties()) != 1 || wish.Parties()[0] != old.Parties()[0] {
		share.KnownAs = "" // that was somebody else
	}
	share.Version, share.Generation = old.Version+1, old.Generation+1
	share.UpdatedBy, share.UpdatedAt, share.DormantSince = o.actor(), s.now(), time.Time{}
	return share
}

// putInPlace writes a version of a share over the one before, which it keeps.
func (s *Server) putInPlace(tx Tx, share Share, end Ending) error {
	if err := tx.KeepShares(share.Space, []policy.ShareID{share.ID}, end); err != nil {
		return err
	}
	err := tx.UpdateShare(share)
	if errors.Is(err, ErrNotFound) {
		return errShareChanged
	}
	if err != nil {
		return err
	}
	return s.planEnding(tx, share)
}

func (s *Server) ending(o Owner, how ShareEnd, event int64) Ending {
	return Ending{At: s.now(), How: how, By: o.actor(), Event: event}
}

// sameWish says whether two shares say the same, however it is written.
func sameWish(a, b policy.Share) bool {
	x, errX := a.MarshalDocument()
	y, errY := b.MarshalDocument()
	return errX == nil && errY == nil && maps.EqualFunc(x, y, func(v, w json.RawMessage) bool { return string(v) == string(w) })
}

// WithdrawShare ends a share, and everything granted under it, at once: what
// was granted names the share, and a share that is not there grants nothing.
// version is what If-Match named; 0 for any.
func (s *Server) WithdrawShare(ctx context.Context, o Owner, id policy.ShareID, version int64) error {
	err := s.manage(ctx, o, func(tx Tx) error {
		old, err := tx.Share(o.Space, id)
		if err != nil {
			return err
		}
		if version != 0 && version != old.Version {
			return errShareChanged
		}
		seq, err := s.recorded(tx, o.Space, EventShareWithdrawn, o.actor(), string(id), shareDetail(old))
		if err != nil {
			return err
		}
		if err := tx.KeepShares(o.Space, []policy.ShareID{id}, s.ending(o, EndWithdrawn, seq)); err != nil {
			return err
		}
		return tx.DeleteShare(o.Space, id)
	})
	return absent(err, errNoShare)
}

// shareDetail is what the history says about a share. Who it is with is told
// by the share, not by the history: an address stays where it can be erased.
func shareDetail(share Share) detail {
	d := detail{"resource": share.Resource, "scopes": share.Scopes, "version": share.Version}
	if share.Link {
		d["link"] = true
	}
	return d
}

// RegisteredResources returns a page of all the space's resources, at every
// resource server.
func (s *Server) RegisteredResources(ctx context.Context, o Owner, page Page) ([]Resource, error) {
	var list []Resource
	err := s.Store.View(ctx, func(r Reader) (err error) {
		list, err = r.ResourcesInSpace(o.Space, page)
		return err
	})
	return list, err
}

// RegisteredResource returns one resource of the space.
func (s *Server) RegisteredResource(ctx context.Context, o Owner, id uma.ResourceID) (Resource, error) {
	var res Resource
	err := s.Store.View(ctx, func(r Reader) (err error) {
		res, err = r.ResourceInSpace(o.Space, id)
		return err
	})
	return res, absent(err, errNoResource)
}

// Connection is a client that holds a token in the space.
type Connection struct {
	Grant
	ClientName string
	Use        GrantUse // of its tokens; zero when they were never used
}

// Connections returns a page of the space's connections: the resource servers
// that hold a PAT, and the owner's apps that use the policy API.
func (s *Server) Connections(ctx context.Context, o Owner, page Page) ([]Connection, error) {
	var list []Connection
	err := s.Store.View(ctx, func(r Reader) error {
		grants, err := r.GrantsIn(o.Space, page)
		if err != nil {
			return err
		}
		list = make([]Connection, len(grants))
		for i, g := range grants {
			c, err := r.Client(g.Client)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			list[i] = Connection{Grant: g, ClientName: c.Name}
		}
		return addGrantUses(r, list)
	})
	return list, err
}

// addGrantUses tells when connections were used.
func addGrantUses(r Reader, list []Connection) error {
	at := map[GrantID]int{}
	var ids []GrantID
	for i, c := range list {
		at[c.ID] = i
		ids = append(ids, c.ID)
	}
	uses, err := r.GrantUses(ids)
	for _, u := range uses {
		list[at[u.Grant]].Use = u
	}
	return err
}

// Disconnect ends the grant of a resource server or an app in the space: its
// PAT, or its token for the policy API, is dead at once, and with a PAT what was
// granted on the resource server's resources (FedAuthz 8).
func (s *Server) Disconnect(ctx context.Context, o Owner, id GrantID) error {
	err := s.manage(ctx, o, func(tx Tx) error {
		g, err := tx.GrantState(id)
		if err != nil {
			return err
		}
		if g.Space != o.Space || g.Kind != GrantOAuth {
			return ErrNotFound
		}
		if err := tx.RevokeGrant(id, s.now()); err != nil {
			return err
		}
		if contains(g.Scopes, uma.ScopeProtection) {
			if err := tx.BumpResources(o.Space, g.Client); err != nil {
				return err
			}
		}
		return s.record(tx, o.Space, EventConnectionEnded, o.actor(), string(id), detail{"client": g.Client})
	})
	return absent(err, uma.NewError(uma.NotFound, "There is no such connection."))
}
