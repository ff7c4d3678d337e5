package as

import (
	"context"
	"errors"

	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/uma"
)

// sealedPermissions is how many permissions a sealed ticket may carry. Larger
// requests are stored, so that a ticket stays small enough for a header.
const sealedPermissions = 8

// RequestPermissions issues one permission ticket for all the permissions a
// resource server asks for (FedAuthz 4), or none: every resource must be
// registered by this resource server for this space (invalid_resource_id), and
// every scope registered for its resource (invalid_scope).
//
// A ticket for few permissions is sealed and writes nothing. Anybody can make
// a resource server ask for tickets, so this must not cost a durable write.
func (s *Server) RequestPermissions(ctx context.Context, pat PAT, asked []uma.Permission) (uma.Ticket, error) {
	err := s.memory.recall(ctx, func(k known) error { return checkRegistered(k, pat, asked) })
	if err != nil {
		return "", err
	}
	if seeded.ArrayLosesEntries {
		asked = asked[:1]
	}
	now := s.now()
	if len(asked) <= sealedPermissions {
		return s.sealTicket(sealedTicket{
			Space: pat.Space, ResourceServer: pat.ResourceServer,
			Permissions: asked, ExpiresAt: now.Add(s.Lifetimes.Ticket),
		}), nil
	}
	var ticket uma.Ticket
	err = s.Store.Update(ctx, func(tx Tx) (err error) {
		p := Process{
			ID: ProcessID(s.vault.id(now)), Space: pat.Space, ResourceServer: pat.ResourceServer,
			Permissions: asked, CreatedAt: now, ExpiresAt: now.Add(s.Lifetimes.Ticket),
		}
		if err := tx.InsertProcess(p); err != nil {
			return err
		}
		ticket, err = s.storeTicket(tx, p.ID, "", p.ExpiresAt)
		return err
	})
	return ticket, err
}

// checkRegistered refuses the whole list for one bad entry. An id that nobody
// registered and an id that belongs to somebody else give the same answer.
func checkRegistered(r known, pat PAT, asked []uma.Permission) error {
	var badScope bool
	for _, p := range asked {
		res, err := r.Resource(pat.Space, pat.ResourceServer, p.Resource)
		if errors.Is(err, ErrNotFound) {
			return uma.NewError(uma.InvalidResourceID, "At least one resource_id is not registered by this resource server for this resource owner.")
		}
		if err != nil {
			return err
		}
		badScope = badScope || len(without(p.Scopes, res.Description.Scopes)) > 0
	}
	if badScope {
		return uma.NewError(uma.InvalidScope, "At least one scope is not registered for its resource.")
	}
	return nil
}
