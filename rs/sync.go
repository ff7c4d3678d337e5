package rs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/licet/licet/uma"
)

// KeyMember is the extension member of a resource description in which the
// resource's own key travels. With it a lost registry is found again by
// reading what is registered; authorization servers keep what they do not
// understand (FedAuthz 3.1). A key is therefore seen by the authorization
// server: do not put into it what that should not know.
const KeyMember = "resource_key"

// Resource is one resource to protect. Only Key and Scopes have to be there,
// and the less the rest says, the less the description tells about its owner
// (FedAuthz 8).
type Resource struct {
	Key         string      `json:"resource_key"` // the resource server's own name, unique for the owner
	Scopes      []uma.Scope `json:"resource_scopes"`
	Name        string      `json:"name,omitempty"` // what the owner reads
	Description string      `json:"description,omitempty"`
	IconURI     string      `json:"icon_uri,omitempty"`
	Type        string      `json:"type,omitempty"`
}

// equal says whether two resources are the same to an authorization server,
// which may order scopes as it likes.
func (r Resource) equal(o Resource) bool {
	return r.Key == o.Key && r.Name == o.Name && r.Description == o.Description && r.IconURI == o.IconURI && r.Type == o.Type &&
		slices.Equal(sorted(r.Scopes), sorted(o.Scopes))
}

func sorted(scopes []uma.Scope) []uma.Scope {
	return slices.Compact(slices.Sorted(slices.Values(scopes)))
}

func (r Resource) body() ([]byte, error) {
	if r.Scopes == nil {
		r.Scopes = []uma.Scope{} // null is no array
	}
	return json.Marshal(r)
}

// Sync makes what is registered for the owner at the authorization server the
// same as desired: it registers what is missing, replaces what has changed and
// deregisters what is not desired any more (FedAuthz 3). Resources that were
// registered without a key, by other means, are left alone.
//
// It starts from the list of the authorization server, so it may be called
// whenever in doubt: at the start, after a failure, after a lost registry. Call
// it when resources come and go, too. It is not all or nothing: after an error,
// what was done is remembered, and the next call does the rest.
func (s *Server) Sync(ctx context.Context, owner Owner, desired []Resource) error {
	want := make(map[string]Resource, len(desired))
	for _, r := range desired {
		if _, twice := want[r.Key]; twice || r.Key == "" {
			return fmt.Errorf("rs: the resource key %q is empty or given twice", r.Key)
		}
		want[r.Key] = r
	}
	defer s.syncing.lock(owner)()
	return s.sync(ctx, owner, want, true)
}

// sync registers what is wanted. Only with prune does it deregister the rest.
func (s *Server) sync(ctx context.Context, owner Owner, want map[string]Resource, prune bool) (err error) {
	have, surplus, err := s.registered(ctx, owner)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.registry.Save(context.WithoutCancel(ctx), owner, have)) }()
	for key, r := range want {
		e, known := have[key]
		if known && e.Resource.equal(r) {
			continue
		}
		if e, err = s.register(ctx, owner, e.ID, r); err != nil {
			return err
		}
		have[key] = e
	}
	if !prune {
		return nil
	}
	for key, e := range have {
		if _, wanted := want[key]; !wanted {
			surplus = append(surplus, e.ID)
		}
	}
	for _, id := range surplus {
		if _, err := s.api.resource(ctx, owner, http.MethodDelete, id, nil); err != nil && !errors.Is(err, errNoResource) {
			return err
		}
		maps.DeleteFunc(have, func(_ string, e Entry) bool { return e.ID == id })
	}
	return nil
}

// register creates a resource, or replaces the description of the given id. An
// id that vanished meanwhile is created anew.
func (s *Server) register(ctx context.Context, owner Owner, id uma.ResourceID, r Resource) (Entry, error) {
	raw, err := r.body()
	if err != nil {
		return Entry{}, err
	}
	method := http.MethodPost
	if id != "" {
		method = http.MethodPut
	}
	res, err := s.api.resource(ctx, owner, method, id, raw)
	if errors.Is(err, errNoResource) {
		res, err = s.api.resource(ctx, owner, http.MethodPost, "", raw)
	}
	if err != nil {
		return Entry{}, err
	}
	done, err := uma.ParseRegisteredResource(res.reader())
	if err != nil {
		return Entry{}, fmt.Errorf("resource registration: %w", err)
	}
	return Entry{Issuer: s.issuer, ID: done.ID, Resource: r}, nil
}

// registered returns what the authorization server has of ours by key, and the
// ids that it has in excess: a registration whose answer was lost and that was
// done again leaves two with one key.
func (s *Server) registered(ctx context.Context, owner Owner) (have map[string]Entry, surplus []uma.ResourceID, err error) {
	res, err := s.api.resource(ctx, owner, http.MethodGet, "", nil)
	if err != nil {
		return nil, nil, err
	}
	listed, err := uma.ParseResourceIDs(res.reader(), maxResources)
	if err != nil {
		return nil, nil, fmt.Errorf("resource registration: %w", err)
	}
	remembered, err := s.registry.Load(ctx, owner)
	if err != nil {
		return nil, nil, err
	}
	unknown := map[uma.ResourceID]bool{}
	for _, id := range listed {
		unknown[id] = true
	}
	have = map[string]Entry{}
	for key, e := range remembered {
		if e.Issuer == s.issuer && unknown[e.ID] {
			have[key] = e
			delete(unknown, e.ID)
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(unknown), cmp.Compare[uma.ResourceID]) {
		e, ok, err := s.adopt(ctx, owner, id)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			continue
		}
		if _, twice := have[e.Resource.Key]; twice {
			surplus = append(surplus, id)
			continue
		}
		have[e.Resource.Key] = e
	}
	return have, surplus, nil
}

// adopt reads a description that the registry does not know. It is ours if it
// has our key.
func (s *Server) adopt(ctx context.Context, owner Owner, id uma.ResourceID) (Entry, bool, error) {
	res, err := s.api.resource(ctx, owner, http.MethodGet, id, nil)
	if errors.Is(err, errNoResource) {
		return Entry{}, false, nil
	}
	if err != nil {
		return Entry{}, false, err
	}
	o, err := uma.ParseObject(res.reader())
	if err != nil {
		return Entry{}, false, fmt.Errorf("resource registration: %w", err)
	}
	d, err := uma.ParseResourceDescription(o)
	if err != nil {
		return Entry{}, false, fmt.Errorf("resource registration: %w", err)
	}
	key, ok, err := o.String(KeyMember)
	if err != nil || !ok || key == "" {
		return Entry{}, false, nil
	}
	r := Resource{Key: key, Scopes: d.Scopes, Name: d.Name, Description: d.Description, IconURI: d.IconURI, Type: d.Type}
	return Entry{Issuer: s.issuer, ID: id, Resource: r}, true, nil
}
