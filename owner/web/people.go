package web

import (
	"html/template"

	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
)

// people lists everybody and every app with whom something is shared.
func (s *Server) people(v *visit) error {
	q := owner.PeopleQuery{Search: v.form["q"], Kind: policy.PartyKind(v.form["kind"])}
	found, err := v.views.People(v.ctx, v.owner, q, owner.Page{After: v.form["after"]})
	if err != nil {
		return err
	}
	return s.show(v, "people", "people", page.Options{Done: v.done(s)}, struct {
		common
		Search string
		Apps   bool
		People []who
		Next   string
	}{s.common(v), q.Search, q.Kind == policy.PartyApp, v.whos(found.List), s.next(v, "people", found.Next, "q", q.Search, "kind", string(q.Kind))})
}

// personPage is somebody with everything they can do, at every service.
type personPage struct {
	common
	Who      who
	Says     template.HTML
	Sharings []sharing
	More     int    // how many there are besides Sharings
	Rest     string // where the next of them are; "" behind the last
	Used     *page.Moment
	Checked  []template.HTML // what was proven when they asked
	Lately   []line
	Stop     string // where to stop all of it
	History  string
	Could    string
	Share    string // where to share something with them; "" where that cannot be said
	Uses     []use
}

func (s *Server) personOf(v *visit, p owner.Person) personPage {
	out := personPage{common: s.common(v), Who: v.who(p.Who), Could: s.below("could", "person", p.Key), Sharings: s.sharings(v, p.Sharings), More: p.Shares - len(p.Sharings), Used: v.Until(p.LastUsed)}
	seen := map[template.HTML]bool{}
	for _, c := range p.Checked {
		said := v.Say("%s, checked %s", c.Value, v.At(c.At).Away())
		if (c.Name == "email" || c.Name == "name") && !seen[said] {
			seen[said] = true
			out.Checked = append(out.Checked, said)
		}
	}
	for i, one := range p.Sharings {
		if p.Kind == policy.PartyApp && one.Through.ID != "" {
			out.Sharings[i].Others, out.Sharings[i].Through = out.Sharings[i].Whom, ""
		}
	}
	switch p.Kind {
	case policy.PartyEmail, policy.PartyDomain, policy.PartyApp:
		out.Share = s.below("things", "with", p.Key)
	}
	out.Says = v.whose("<b>%s</b> can get at %s of yours.", "<b>%s</b> can get at %s of %s's.", out.Who.Name, v.Say("%d things", p.Things))
	if p.Things == 0 {
		out.Says = v.whose("<b>%s</b> can get at nothing of yours.", "<b>%s</b> can get at nothing of %s's.", out.Who.Name)
	}
	return out
}

// person shows one of those with whom something is shared.
func (s *Server) person(v *visit) error {
	key := v.R.PathValue("key")
	p, err := v.views.Person(v.ctx, v.owner, key, owner.Page{After: v.form["after"]})
	if err != nil {
		return err
	}
	if p.Kind == policy.PartyApp {
		v.Redirect(s.below("apps/" + p.Value))
		return nil
	}
	if p.Kind == policy.PartyGroup && p.Group != "" {
		v.Redirect(s.below("groups/" + p.Value))
		return nil
	}
	data := s.personOf(v, p)
	data.Stop, data.History = s.below("stop", "person", key), s.below("history", "person", key)
	data.Rest = s.next(v, "people/"+key, p.Next)
	if data.Lately, err = s.lately(v, owner.HistoryFilter{Person: key}); err != nil {
		return err
	}
	if data.Uses, err = s.lastUses(v, owner.UsesQuery{Person: key}); err != nil {
		return err
	}
	return s.show(v, "people", "person", page.Options{Done: v.done(s)}, data)
}

// app shows one app with everything that is open through it.
func (s *Server) app(v *visit) error {
	id := oauth.ClientID(v.R.PathValue("id"))
	a, err := v.views.App(v.ctx, v.owner, id, owner.Page{After: v.form["after"]})
	if err != nil {
		return err
	}
	data := s.personOf(v, a.Person)
	data.Stop, data.History = s.below("stop", "app", string(id)), s.below("history", "app", string(id))
	data.Rest = s.next(v, "apps/"+string(id), a.Next)
	if data.Lately, err = s.lately(v, owner.HistoryFilter{App: id}); err != nil {
		return err
	}
	if data.Uses, err = s.lastUses(v, owner.UsesQuery{App: id}); err != nil {
		return err
	}
	return s.show(v, "people", "person", page.Options{Done: v.done(s)}, data)
}

func (s *Server) lately(v *visit, f owner.HistoryFilter) ([]line, error) {
	h, err := v.views.History(v.ctx, v.owner, f, owner.Page{Limit: thingLately})
	return v.lines(h.List), err
}
