package endpoint

import (
	"net/http"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// ownedDocument is a resource as its owner sees it: the description, where it
// is, and its id.
func ownedDocument(res as.Resource) (any, error) {
	return with(withID(res), map[string]any{"resource_server": res.ResourceServer})
}

func (s *Server) ownedResources(c *call) error {
	l, err := s.listing(c)
	if err != nil {
		return err
	}
	list, err := s.AS.RegisteredResources(c.r.Context(), c.owner, l.Page)
	if err != nil {
		return err
	}
	return writePage(s, c, l, list, func(res as.Resource) string { return string(res.ID) }, ownedDocument)
}

func (s *Server) ownedResource(c *call) error {
	res, err := s.AS.RegisteredResource(c.r.Context(), c.owner, c.resourceID())
	if err != nil {
		return err
	}
	doc, err := ownedDocument(res)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, doc)
	return nil
}

// connection is a resource server, or an app of the owner's own, that holds a
// token in the space.
type connection struct {
	ID       as.GrantID  `json:"_id"`
	ClientID string      `json:"client_id"`
	Name     string      `json:"client_name,omitempty"`
	Scopes   []uma.Scope `json:"scopes"`
	Since    int64       `json:"created_at"` // seconds since the epoch
}

func (s *Server) listConnections(c *call) error {
	l, err := s.listing(c)
	if err != nil {
		return err
	}
	list, err := s.AS.Connections(c.r.Context(), c.owner, l.Page)
	if err != nil {
		return err
	}
	return writePage(s, c, l, list, func(g as.Connection) string { return string(g.ID) }, func(g as.Connection) (any, error) {
		return connection{ID: g.ID, ClientID: string(g.Client), Name: g.ClientName, Scopes: g.Scopes, Since: g.CreatedAt.Unix()}, nil
	})
}

func (s *Server) disconnect(c *call) error {
	if err := s.AS.Disconnect(c.r.Context(), c.owner, as.GrantID(c.r.PathValue("id"))); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// stopEverything ends every policy, every permission and every token in the space.
func (s *Server) stopEverything(c *call) error {
	if _, err := s.AS.StopEverything(c.r.Context(), c.owner); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
