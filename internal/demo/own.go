package demo

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"

	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/rs"
	"github.com/licet/licet/uma"
)

// own is the page of a service for somebody who keeps things there, as if they were
// signed in there.
func (w *World) own(s *site, owner string) string {
	return s.address + "/" + owner + "?" + url.Values{"key": {w.key}}.Encode()
}

func (w *World) keyed(r *http.Request) bool {
	return subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("key")), []byte(w.key)) == 1
}

// ownThings shows somebody what a service keeps for them, with a way to where they
// decide who sees it.
func (w *World) ownThings(s *site, of func(rs.Owner) ([]rs.Resource, rs.Registry)) http.HandlerFunc {
	type thing struct {
		Name, Key, Manage string
	}
	return func(rw http.ResponseWriter, r *http.Request) {
		owner := r.PathValue("owner")
		things, registry := of(rs.Owner(owner))
		p := w.person(owner)
		if p == nil || len(things) == 0 || !w.keyed(r) {
			http.NotFound(rw, r)
			return
		}
		data := struct {
			Start, Key, Owner, Name string
			Things                  []thing
		}{w.start.address, w.key, owner, p.Name, nil}
		for _, t := range things {
			e, found, err := registry.Lookup(r.Context(), rs.Owner(owner), t.Key)
			if err != nil || !found {
				continue // it is not protected yet
			}
			data.Things = append(data.Things, thing{t.Name, t.Key, w.manage(p, e.ID)})
		}
		a := s.open(rw, r)
		a.Show(http.StatusOK, s.set, "things", page.Options{}, data)
	}
}

// manage is where somebody decides who gets to a thing, at their own host.
func (w *World) manage(p *person, id uma.ResourceID) string {
	return fmt.Sprintf("%s/app/things/%s", w.at(p.Host), id)
}
