package web

import (
	"html/template"
	"net/http"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// canDo is one thing that somebody could do or not, with the reason.
type canDo struct {
	verb
	Yes    bool
	Reason template.HTML
}

// couldDo is one thing with all of it.
type couldDo struct {
	thing
	Can []canDo
}

// could tells what somebody could do, by the judge that answers apps, at this moment
// and without any effect. Nobody is told that it was asked.
func (s *Server) could(v *visit) error {
	data := struct {
		common
		Email, App string
		Thing      uma.ResourceID
		Apps       []who
		Asked      bool
		Says       template.HTML
		Could      []couldDo
		Next       string
	}{common: s.common(v), Email: v.form["email"], App: v.form["app"], Thing: uma.ResourceID(v.form["thing"])}
	apps, err := s.views.People(v.ctx, v.owner, owner.PeopleQuery{Kind: policy.PartyApp}, owner.Page{Limit: 50})
	if err != nil {
		return err
	}
	data.Apps = v.whos(apps.List)
	for i, p := range apps.List {
		data.Apps[i].Key = string(p.App.ID)
	}
	if data.Email == "" {
		return s.show(v, "people", "could", page.Options{}, data)
	}
	email, err := policy.CanonicalEmail(data.Email)
	if err != nil {
		o := page.Options{Problem: v.Say("Write the e-mail address of the person, such as bob@example.org.")}
		return s.showAs(v, http.StatusUnprocessableEntity, "people", "could", o, data)
	}
	who := as.Supposed{Party: policy.Party{Kind: policy.PartyEmail, Value: email}, App: oauth.ClientID(data.App)}
	var list []as.Could
	if data.Thing != "" {
		if _, err := s.views.Thing(v.ctx, v.owner, data.Thing); err != nil {
			return err
		}
		list, err = s.AS.Could(v.ctx, v.owner, who, []uma.ResourceID{data.Thing})
	} else {
		var found owner.CouldPage
		found, err = s.views.Could(v.ctx, v.owner, who, owner.ThingsQuery{}, owner.Page{After: v.form["after"], Limit: 20})
		list, data.Next = found.List, s.next(v, "could", found.Next, "email", data.Email, "app", data.App)
	}
	if err != nil {
		return err
	}
	data.Asked, data.Says = true, v.Say("If %s asked now:", email)
	for _, c := range list {
		one := couldDo{thing: v.thing(owner.ThingName{ID: c.Resource.ID, Name: c.Resource.Description.Name})}
		for _, scope := range c.Scopes {
			one.Can = append(one.Can, s.canDo(v, scope))
		}
		data.Could = append(data.Could, one)
	}
	return s.show(v, "people", "could", page.Options{}, data)
}

// canDo says why. Of several reasons the one that is nearest to yes counts.
func (s *Server) canDo(v *visit, c as.CouldScope) canDo {
	out := canDo{verb: s.verb(v, c.Scope), Yes: c.Outcome == policy.Permit}
	if c.Scope == "" {
		out.verb = verb{Icon: "see", Said: v.Say("reach"), Known: true}
	}
	best := -1
	for _, w := range c.Shares {
		for i, o := range nearest {
			if o.obstacle == w.Obstacle && i > best {
				best = i
			}
		}
	}
	switch {
	case c.Forbidden:
		out.Reason = v.Say("Whoever runs this place forbids it.")
	case best < 0:
		out.Reason = v.Say("You have not shared this.")
	default:
		out.Reason = v.Say(nearest[best].said)
	}
	return out
}

// nearest are the reasons, from the farthest from yes to yes.
var nearest = []struct {
	obstacle policy.Obstacle
	said     string
}{
	{policy.ObstacleBroke, page.Sentence("A promise about this says nobody.")},
	{policy.ObstacleThing, page.Sentence("You have not shared this.")},
	{policy.ObstacleOther, page.Sentence("You have shared this with others only.")},
	{policy.ObstacleScope, page.Sentence("You have shared this, but not for that.")},
	{policy.ObstacleEnded, page.Sentence("The time for it is over.")},
	{policy.ObstacleEarly, page.Sentence("The time for it has not begun.")},
	{policy.ObstacleApp, page.Sentence("Only through another app.")},
	{policy.ObstacleNeeds, page.Sentence("They have to say more about themselves, or agree to something.")},
	{policy.ObstacleAsk, page.Sentence("You are asked first.")},
	{policy.NoObstacle, page.Sentence("You have shared this.")},
}
