package web

import (
	"html/template"

	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/owner"
)

// use is one line of what was really used.
type use struct {
	Said template.HTML
	At   page.Moment
}

// lastUses shows what was really used last.
func (s *Server) lastUses(v *visit, q owner.UsesQuery) ([]use, error) {
	lines, _, err := s.uses(v, q, owner.Page{Limit: thingLately})
	return lines[:min(len(lines), thingLately)], err
}

// uses shows what was really used, newest first, and after what to go on.
func (s *Server) uses(v *visit, q owner.UsesQuery, p owner.Page) (lines []use, next string, err error) {
	q.Zone = v.Now().Location()
	found, err := v.views.Uses(v.ctx, v.owner, q, p)
	if err != nil {
		return nil, "", err
	}
	for _, u := range found.List {
		thing, app, times := v.thing(u.Thing).Name, v.app(u.App), v.Say("%d times", u.N)
		said := v.Say("%s used %s, %s", app, thing, times)
		if u.Who.Kind != "" {
			said = v.Say("%s used %s through %s, %s", v.who(u.Who).Name, thing, app, times)
		}
		lines = append(lines, use{said, v.At(u.LastAt)})
	}
	return lines, found.Next, nil
}
