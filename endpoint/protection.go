package endpoint

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// protectionRoutes are the protection API (FedAuthz 1.5). The registration
// endpoint answers with and without a final slash, because a redirect would turn
// a POST into a GET (AMB-25).
func protectionRoutes() []route {
	return []route{
		{http.MethodPost, pathResources, byPAT, faceProtection, (*Server).createResource},
		{http.MethodGet, pathResources, byPAT, faceProtection, (*Server).listResources},
		{http.MethodPost, pathResources + "/{$}", byPAT, faceProtection, (*Server).createResource},
		{http.MethodGet, pathResources + "/{$}", byPAT, faceProtection, (*Server).listResources},
		{http.MethodGet, pathResources + "/{id}", byPAT, faceProtection, (*Server).readResource},
		{http.MethodPut, pathResources + "/{id}", byPAT, faceProtection, (*Server).updateResource},
		{http.MethodDelete, pathResources + "/{id}", byPAT, faceProtection, (*Server).deleteResource},
		{http.MethodPost, pathPermission, byPAT, faceProtection, (*Server).permission},
		{http.MethodPost, pathIntrospect, byPATOrClient, faceProtection, (*Server).introspect},
	}
}

func (c *call) resourceID() uma.ResourceID { return uma.ResourceID(c.r.PathValue("id")) }

func (s *Server) description(c *call) (uma.ResourceDescription, error) {
	o, err := body(c)
	if err != nil {
		return uma.ResourceDescription{}, err
	}
	return uma.ParseResourceDescription(o)
}

// registered is the body of create and update. Where people have pages here, it says
// where the owner sees and decides who gets to the resource.
func (s *Server) registered(res as.Resource) uma.RegisteredResource {
	out := uma.RegisteredResource{ID: res.ID}
	if s.Home != "" {
		out.UserAccessPolicyURI = s.URL(s.Home + "things/" + url.PathEscape(string(res.ID)))
	}
	return out
}

// createResource registers a resource (FedAuthz 3.2.1).
func (s *Server) createResource(c *call) error {
	d, err := s.description(c)
	if err != nil {
		return err
	}
	res, err := s.AS.RegisterResource(c.r.Context(), c.pat, d)
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", s.URL(pathResources+"/"+string(res.ID)))
	writeJSON(c.w, http.StatusCreated, s.registered(res))
	return nil
}

// readResource returns the description as it was sent, with the _id
// (FedAuthz 3.2.2).
func (s *Server) readResource(c *call) error {
	res, err := s.AS.ReadResource(c.r.Context(), c.pat, c.resourceID())
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, withID(res))
	return nil
}

// withID is a resource's description with its _id, as members of one object.
func withID(res as.Resource) uma.Object {
	o := uma.Object{}
	for name, value := range res.Description.Members {
		o[name] = value
	}
	id, err := json.Marshal(res.ID)
	if err != nil {
		panic("endpoint: " + err.Error()) // a string can always be written
	}
	o["_id"] = id
	return o
}

// updateResource replaces a description (FedAuthz 3.2.3).
func (s *Server) updateResource(c *call) error {
	d, err := s.description(c)
	if err != nil {
		return err
	}
	res, err := s.AS.UpdateResource(c.r.Context(), c.pat, c.resourceID(), d)
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, s.registered(res))
	return nil
}

// deleteResource deregisters a resource (FedAuthz 3.2.4).
func (s *Server) deleteResource(c *call) error {
	if err := s.AS.DeregisterResource(c.r.Context(), c.pat, c.resourceID()); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// listPage is how many ids are held in memory while a list is written.
const listPage = 1000

// listResources lists the ids of the resources (FedAuthz 3.2.5). The whole list
// is written, however long, and only a page of it is held at a time.
func (s *Server) listResources(c *call) error {
	page := as.Page{Limit: listPage}
	ids, err := s.AS.ListResources(c.r.Context(), c.pat, page)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	out := bufio.NewWriter(c.w)
	separator := "["
	for len(ids) > 0 {
		for _, id := range ids {
			text, err := json.Marshal(id)
			if err != nil {
				panic("endpoint: " + err.Error())
			}
			_, _ = out.WriteString(separator) // bufio keeps the first error for Flush
			_, _ = out.Write(text)
			separator = ","
		}
		if len(ids) < listPage {
			break
		}
		page.After = string(ids[len(ids)-1])
		if ids, err = s.AS.ListResources(c.r.Context(), c.pat, page); err != nil {
			// The status is sent already. Cut the answer off, so that a part is not
			// taken for the whole.
			panic(http.ErrAbortHandler)
		}
	}
	if separator == "[" {
		_, _ = out.WriteString(separator)
	}
	_, _ = out.WriteString("]")
	if err := out.Flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// permission is the permission endpoint (FedAuthz 4).
func (s *Server) permission(c *call) error {
	if err := hasContentType(c.r, "application/json"); err != nil {
		return err
	}
	asked, err := uma.ParsePermissionRequest(c.r.Body)
	if err != nil {
		return err
	}
	ticket, err := s.AS.RequestPermissions(c.r.Context(), c.pat, asked)
	if err != nil {
		return err
	}
	writeWritten(c.w, http.StatusCreated, typeJSON, []byte(`{"ticket":"`+string(ticket)+`"}`)) // base64url
	return nil
}

// introspect is the introspection endpoint (FedAuthz 5, RFC 7662).
func (s *Server) introspect(c *call) error {
	if err := c.readForm(); err != nil {
		return err
	}
	token := c.form["token"]
	if token == "" {
		return uma.NewError(uma.InvalidRequest, "The parameter token is missing.")
	}
	var answer []byte
	var err error
	if c.client != nil {
		answer, err = s.AS.IntrospectAsClientJSON(c.r.Context(), *c.client, token)
	} else {
		answer, err = s.AS.IntrospectJSON(c.r.Context(), c.pat, token)
	}
	if err != nil {
		return err
	}
	writeWritten(c.w, http.StatusOK, typeJSON, answer)
	return nil
}
