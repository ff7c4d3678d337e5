package endpoint

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// ownerRoutes are the owner's own API: our completion of the Kantara Policy
// Manager draft. The space comes from the token, ids from the path, wishes from
// the body; nothing is found by name.
func ownerRoutes() []route {
	return []route{
		{http.MethodGet, pathOwnedResources, byOwner, faceProblem, (*Server).ownedResources},
		{http.MethodGet, pathOwnedResources + "/{id}", byOwner, faceProblem, (*Server).ownedResource},
		{http.MethodGet, pathPolicies, byOwner, faceProblem, (*Server).listPolicies},
		{http.MethodPost, pathPolicies, byOwner, faceProblem, (*Server).createPolicy},
		{http.MethodGet, pathPolicies + "/{id}", byOwner, faceProblem, (*Server).readPolicy},
		{http.MethodPut, pathPolicies + "/{id}", byOwner, faceProblem, (*Server).replacePolicy},
		{http.MethodDelete, pathPolicies + "/{id}", byOwner, faceProblem, (*Server).deletePolicy},
		{http.MethodGet, pathRequests, byOwner, faceProblem, (*Server).listRequests},
		{http.MethodGet, pathRequests + "/{id}", byOwner, faceProblem, (*Server).readRequest},
		{http.MethodPost, pathRequests + "/{id}/approve", byOwner, faceProblem, (*Server).approveRequest},
		{http.MethodPost, pathRequests + "/{id}/deny", byOwner, faceProblem, (*Server).denyRequest},
		{http.MethodPost, pathRequests + "/{id}/aside", byOwner, faceProblem, (*Server).setAside},
		{http.MethodPost, pathRequests + "/{id}/block", byOwner, faceProblem, (*Server).blockParty},
		{http.MethodGet, pathBlocks, byOwner, faceProblem, (*Server).listBlocks},
		{http.MethodDelete, pathBlocks + "/{id}", byOwner, faceProblem, (*Server).unblockParty},
		{http.MethodGet, pathGroups, byOwner, faceProblem, (*Server).listGroups},
		{http.MethodPost, pathGroups, byOwner, faceProblem, (*Server).createGroup},
		{http.MethodGet, pathGroups + "/{id}", byOwner, faceProblem, (*Server).readGroup},
		{http.MethodPut, pathGroups + "/{id}", byOwner, faceProblem, (*Server).renameGroup},
		{http.MethodDelete, pathGroups + "/{id}", byOwner, faceProblem, (*Server).deleteGroup},
		{http.MethodGet, pathGroups + "/{id}/members", byOwner, faceProblem, (*Server).listMembers},
		{http.MethodPost, pathGroups + "/{id}/members", byOwner, faceProblem, (*Server).addMember},
		{http.MethodDelete, pathMembers + "/{id}", byOwner, faceProblem, (*Server).removeMember},
		{http.MethodGet, pathConnections, byOwner, faceProblem, (*Server).listConnections},
		{http.MethodDelete, pathConnections + "/{id}", byOwner, faceProblem, (*Server).disconnect},
		{http.MethodPost, pathStop, byOwner, faceProblem, (*Server).stopEverything},
		{http.MethodGet, pathOpenAPI, anybody, faceProblem, (*Server).openAPI},
	}
}

// The pages of a list.
const (
	defaultPage = 100
	maxPage     = 1000
)

// listing is a list as it was asked for: which, and what page of it.
type listing struct {
	as.Page
	form uma.Form // the query, without after and limit
	list string   // names the list in its cursors: the path, and what narrows it
}

// listing parses the query of a list: after, limit, and what else is named. A
// parameter that is not known is refused. What comes after is a cursor that this
// list gave this owner (SEC-114).
func (s *Server) listing(c *call, more ...string) (listing, error) {
	l := listing{Page: as.Page{Limit: defaultPage}}
	form, err := uma.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return l, err
	}
	for name := range form {
		if !slices.Contains(append(more, "after", "limit"), name) {
			return l, uma.NewError(uma.InvalidRequest, "There is a query parameter that is not known here.")
		}
	}
	if form["limit"] != "" {
		l.Limit, err = strconv.Atoi(form["limit"])
		if err != nil || l.Limit < 1 || l.Limit > maxPage {
			return l, uma.NewError(uma.InvalidRequest, "The parameter limit has to be a number from 1 to 1000.")
		}
	}
	cursor := form["after"]
	delete(form, "after")
	delete(form, "limit")
	l.form, l.list = form, strings.TrimPrefix(c.r.URL.Path, s.base)+"?"+encode(form)
	l.After, err = s.AS.OpenCursor(c.owner, l.list, cursor)
	return l, err
}

// writePage answers with a list, and with a link to what follows when the page
// is full.
func writePage[T any](s *Server, c *call, l listing, page []T, id func(T) string, write func(T) (any, error)) error {
	out := make([]any, len(page))
	for i, item := range page {
		var err error
		if out[i], err = write(item); err != nil {
			return err
		}
	}
	if len(page) == l.Limit {
		next := maps.Clone(l.form)
		next["limit"] = strconv.Itoa(l.Limit)
		next["after"] = s.AS.Cursor(c.owner, l.list, id(page[len(page)-1]))
		path, _, _ := strings.Cut(l.list, "?")
		c.w.Header().Set("Link", "<"+s.URL(path)+"?"+encode(next)+`>; rel="next"`)
	}
	writeJSON(c.w, http.StatusOK, out)
	return nil
}

// policyDocument is a share as the owner sees it.
func policyDocument(share as.Share) (any, error) {
	o, err := share.MarshalDocument()
	if err != nil {
		return nil, err
	}
	status := "in_force"
	if !share.DormantSince.IsZero() {
		status = "dormant"
	}
	return with(o, map[string]any{"_id": share.ID, "resource_server": share.ResourceServer, "status": status})
}

// with adds members to an object.
func with(o uma.Object, members map[string]any) (uma.Object, error) {
	for name, v := range members {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		o[name] = raw
	}
	return o, nil
}

func etag(share as.Share) string { return `"` + strconv.FormatInt(share.Version, 10) + `"` }

func (s *Server) writePolicy(c *call, status int, share as.Share) error {
	doc, err := policyDocument(share)
	if err != nil {
		return err
	}
	c.w.Header().Set("ETag", etag(share))
	writeJSON(c.w, status, doc)
	return nil
}

func (s *Server) listPolicies(c *call) error {
	l, err := s.listing(c)
	if err != nil {
		return err
	}
	list, err := s.AS.ListShares(c.r.Context(), c.owner, l.Page)
	if err != nil {
		return err
	}
	return writePage(s, c, l, list, func(share as.Share) string { return string(share.ID) }, policyDocument)
}

func (s *Server) wish(c *call) (policy.Share, error) {
	o, err := body(c)
	if err != nil {
		return policy.Share{}, err
	}
	return policy.ParseDocument(o)
}

func (s *Server) createPolicy(c *call) error {
	wish, err := s.wish(c)
	if err != nil {
		return err
	}
	share, err := s.AS.CreateShare(c.r.Context(), c.owner, wish)
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", s.URL(pathPolicies+"/"+string(share.ID)))
	return s.writePolicy(c, http.StatusCreated, share)
}

func (c *call) shareID() policy.ShareID { return policy.ShareID(c.r.PathValue("id")) }

func (s *Server) readPolicy(c *call) error {
	share, err := s.AS.ReadShare(c.r.Context(), c.owner, c.shareID())
	if err != nil {
		return err
	}
	if match := c.r.Header.Get("If-None-Match"); match == "*" || match == etag(share) {
		c.w.Header().Set("ETag", etag(share))
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return s.writePolicy(c, http.StatusOK, share)
}

// ifMatch reads If-Match (RFC 9110 13.1.1): 0 when any version will do.
func (c *call) ifMatch() (int64, error) {
	values := c.r.Header.Values("If-Match")
	if len(values) == 0 || len(values) == 1 && values[0] == "*" {
		return 0, nil
	}
	tag, ok := strings.CutPrefix(values[0], `"`)
	tag, closed := strings.CutSuffix(tag, `"`)
	version, err := strconv.ParseInt(tag, 10, 64)
	if len(values) > 1 || !ok || !closed || err != nil || version < 1 {
		return 0, uma.NewError(uma.InvalidRequest, "If-Match has to be the ETag of the policy.")
	}
	return version, nil
}

func (s *Server) replacePolicy(c *call) error {
	version, err := c.ifMatch()
	if err != nil {
		return err
	}
	wish, err := s.wish(c)
	if err != nil {
		return err
	}
	share, err := s.AS.ReplaceShare(c.r.Context(), c.owner, c.shareID(), version, wish)
	if err != nil {
		return err
	}
	return s.writePolicy(c, http.StatusOK, share)
}

func (s *Server) deletePolicy(c *call) error {
	version, err := c.ifMatch()
	if err != nil {
		return err
	}
	if err := s.AS.WithdrawShare(c.r.Context(), c.owner, c.shareID(), version); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
