package resourceserver

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/licet/licet/conformance/internal/wire"
)

// registration is the resource registration API (FedAuthz 3.2).
func (d *double) registration(w http.ResponseWriter, r *http.Request, owner string) {
	id := strings.Trim(strings.TrimPrefix(r.URL.Path, pathResources), "/")
	have, known := d.resources[id]
	if id != "" && (!known || have.owner != owner) {
		wire.Refuse(w, http.StatusNotFound, "not_found", "there is no such resource of this owner")
		return
	}
	switch {
	case id == "" && r.Method == http.MethodGet:
		ids := []string{}
		for id, have := range d.resources {
			if have.owner == owner {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		wire.JSON(w, http.StatusOK, ids)
	case id == "" && r.Method == http.MethodPost, id != "" && r.Method == http.MethodPut:
		d.describe(w, r, owner, id)
	case id != "" && r.Method == http.MethodGet:
		o := map[string]any{"_id": id}
		for name, raw := range have.raw {
			o[name] = raw
		}
		d.say(w, http.StatusOK, o)
	case id != "" && r.Method == http.MethodDelete:
		delete(d.resources, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		wire.Refuse(w, http.StatusMethodNotAllowed, "unsupported_method_type", "not here")
	}
}

// describe creates a resource, or replaces the description of one.
func (d *double) describe(w http.ResponseWriter, r *http.Request, owner, id string) {
	raw, err := object(r)
	var scopes []string
	if err == nil {
		scopes, err = texts(raw["resource_scopes"])
	}
	if err != nil {
		d.wrong("FED-3.1-01", r, "a resource description is no object with resource_scopes, an array of strings: %s", err)
		wire.Refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	status := http.StatusOK
	if id == "" {
		id, status = "res-"+rand.Text(), http.StatusCreated
		w.Header().Set("Location", d.issuer+pathResources+"/"+id)
	}
	d.resources[id] = resource{owner: owner, scopes: scopes, raw: raw}
	d.say(w, status, map[string]any{"_id": id})
}

// permission is the permission endpoint (FedAuthz 4).
func (d *double) permission(w http.ResponseWriter, r *http.Request, owner string) {
	list, err := permissions(r)
	if err != nil {
		d.wrong("FED-RS-4.1-01", r, "a permission request is not as FedAuthz 4.1 says: %s", err)
		wire.Refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	for _, p := range list {
		have, known := d.resources[p.Resource]
		switch {
		case !known || have.owner != owner:
			d.wrong("FED-RS-4.1-01", r, "it asks for %q, which is not registered for the owner of this PAT (%s)", p.Resource, owner)
			wire.Refuse(w, http.StatusBadRequest, "invalid_resource_id", p.Resource)
			return
		case slices.ContainsFunc(p.Scopes, func(s string) bool { return !slices.Contains(have.scopes, s) }):
			d.wrong("FED-RS-4.1-01", r, "it asks for the scopes %q, and %q is registered with %q", p.Scopes, p.Resource, have.scopes)
			wire.Refuse(w, http.StatusBadRequest, "invalid_scope", strings.Join(p.Scopes, " "))
			return
		}
	}
	t := ticket{value: "tkt-" + rand.Text(), owner: owner, asked: list}
	d.tickets = append(d.tickets, t)
	d.say(w, http.StatusCreated, map[string]any{"ticket": t.value})
}

// introspect is the token introspection endpoint (FedAuthz 5). Another owner's
// RPT is as unknown as any other string.
func (d *double) introspect(w http.ResponseWriter, r *http.Request, owner string) {
	tokens, err := []string(nil), error(nil)
	if r.Method != http.MethodPost {
		err = errors.New("the method is " + r.Method)
	} else if kind := r.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/x-www-form-urlencoded") {
		err = errors.New("the content type is " + kind)
	} else if err = r.ParseForm(); err == nil {
		tokens = r.PostForm["token"]
		if len(tokens) != 1 {
			err = errors.New("there is not one token")
		}
	}
	if err != nil {
		d.wrong("FED-RS-5-02", r, "an introspection request is no posted form with one token: %s", err)
		wire.Refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	have, known := d.shown[tokens[0]]
	if !known || have.owner != owner {
		d.say(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	answer := map[string]any{}
	for name, value := range have.answer {
		answer[name] = value
	}
	d.say(w, http.StatusOK, answer)
}

func object(r *http.Request) (map[string]json.RawMessage, error) {
	if kind := r.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		return nil, errors.New("the content type is " + kind)
	}
	var raw map[string]json.RawMessage
	err := json.NewDecoder(r.Body).Decode(&raw)
	return raw, err
}

// permissions reads one permission or an array of them; both members have to be
// there in each.
func permissions(r *http.Request) ([]asked, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		raw = append(append([]byte("["), raw...), ']')
	}
	var list []struct {
		Resource *string         `json:"resource_id"`
		Scopes   json.RawMessage `json:"resource_scopes"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("nothing is asked for")
	}
	var out []asked
	for _, p := range list {
		if p.Resource == nil {
			return nil, errors.New("resource_id is missing")
		}
		scopes, err := texts(p.Scopes)
		if err != nil {
			return nil, err
		}
		out = append(out, asked{*p.Resource, scopes})
	}
	return out, nil
}

// texts reads an array of strings that has to be there; null is none.
func texts(raw json.RawMessage) ([]string, error) {
	var out []*string
	if err := json.Unmarshal(raw, &out); err != nil || out == nil {
		return nil, errors.New("resource_scopes is no array of strings")
	}
	list := []string{}
	for _, s := range out {
		if s == nil {
			return nil, errors.New("resource_scopes has null in it")
		}
		list = append(list, *s)
	}
	return list, nil
}

// posted reads the form of a recorded introspection request.
func posted(m wire.Message) url.Values {
	form, _ := m.Form()
	return form
}
