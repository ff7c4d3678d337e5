package as

import (
	"context"
	"errors"

	"github.com/licet/licet/uma"
)

// errNoResource is the one answer for a resource that is absent and for one
// that belongs to somebody else (FedAuthz 3.2).
var errNoResource = uma.NewError(uma.NotFound, "There is no such resource.")

// RegisterResource puts a resource under protection (FedAuthz 3.2.1).
func (s *Server) RegisterResource(ctx context.Context, pat PAT, d uma.ResourceDescription) (Resource, error) {
	now := s.now()
	res := Resource{
		ID: uma.ResourceID(s.vault.id(now)), Space: pat.Space, ResourceServer: pat.ResourceServer,
		Description: d, Generation: 1, CreatedAt: now, UpdatedAt: now,
	}
	err := s.Store.Update(ctx, func(tx Tx) error {
		if err := tx.InsertResource(res); err != nil {
			return err
		}
		return s.record(tx, pat.Space, EventResourceRegistered, string(pat.ResourceServer), string(res.ID), nil)
	})
	return res, err
}

// ReadResource returns a registered resource (FedAuthz 3.2.2).
func (s *Server) ReadResource(ctx context.Context, pat PAT, id uma.ResourceID) (Resource, error) {
	var res Resource
	err := s.Store.View(ctx, func(r Reader) (err error) {
		res, err = r.Resource(pat.Space, pat.ResourceServer, id)
		return err
	})
	return res, absent(err, errNoResource)
}

// UpdateResource replaces a resource's description completely (FedAuthz
// 3.2.3). Scopes that are gone leave every ticket and permission with it: both
// are read through the scopes registered now.
func (s *Server) UpdateResource(ctx context.Context, pat PAT, id uma.ResourceID, d uma.ResourceDescription) (Resource, error) {
	var res Resource
	err := s.Store.Update(ctx, func(tx Tx) (err error) {
		if res, err = tx.Resource(pat.Space, pat.ResourceServer, id); err != nil {
			return err
		}
		// A scope that leaves and returns must not bring old permissions back.
		if len(without(res.Description.Scopes, d.Scopes)) > 0 {
			res.Generation++
		}
		if err := tx.KeepResource(pat.Space, id, s.now()); err != nil {
			return err
		}
		res.Description, res.UpdatedAt = d, s.now()
		if err := tx.UpdateResource(res); err != nil {
			return err
		}
		return s.record(tx, pat.Space, EventResourceUpdated, string(pat.ResourceServer), string(id), nil)
	})
	return res, absent(err, errNoResource)
}

// DeregisterResource ends the protection of a resource (FedAuthz 3.2.4). What
// was granted on it ends with it; the owner's shares stay, dormant, for
// Lifetimes.Dormant.
func (s *Server) DeregisterResource(ctx context.Context, pat PAT, id uma.ResourceID) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		if _, err := tx.Resource(pat.Space, pat.ResourceServer, id); err != nil {
			return err
		}
		shares, err := tx.SharesInForce(pat.Space, []uma.ResourceID{id})
		if err != nil {
			return err
		}
		seq, err := s.recorded(tx, pat.Space, EventResourceDeregistered, string(pat.ResourceServer), string(id), nil)
		if err != nil {
			return err
		}
		end := Ending{At: s.now(), How: EndGone, By: string(pat.ResourceServer), Event: seq}
		if err := tx.KeepShares(pat.Space, idsOf(shares), end); err != nil {
			return err
		}
		if err := tx.KeepResource(pat.Space, id, end.At); err != nil {
			return err
		}
		return tx.DeleteResource(pat.Space, pat.ResourceServer, id, end.At)
	})
	return absent(err, errNoResource)
}

// ListResources returns a page of the ids that this resource server registered
// for this space (FedAuthz 3.2.5, AMB-24).
func (s *Server) ListResources(ctx context.Context, pat PAT, page Page) ([]uma.ResourceID, error) {
	var ids []uma.ResourceID
	err := s.Store.View(ctx, func(r Reader) (err error) {
		ids, err = r.ResourceIDs(pat.Space, pat.ResourceServer, page)
		return err
	})
	return ids, err
}

// absent says e where a record was not found.
func absent(err error, e *uma.Error) error {
	if errors.Is(err, ErrNotFound) {
		return e
	}
	return err
}
