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
	Then   bool // after they have said or agreed to something, or after a yes
	Reason template.HTML
}

// couldDo is one thing with all of it.
type couldDo struct {
	thing
	what
	Can  []canDo
	Shut template.HTML // what of it they could not do, in one phrase
}

// anyOther is chosen for an application that no promise speaks of.
const anyOther = "*"

// could tells what somebody could do, by the judge that answers apps, at this moment
// and without any effect. Nobody is told that it was asked. Somebody is named by an
// address, or by the key of one with whom something is shared.
func (s *Server) could(v *visit) error {
	data := struct {
		common
		Email, App, Person string
		Thing              uma.ResourceID
		Apps               []who
		Keep               string // the key of one who has no address
		Choose             bool   // an app can be chosen
		Asked              bool
		Says               template.HTML
		Could              []couldDo
		Next               string
	}{common: s.common(v), Email: v.form["email"], App: v.form["app"], Person: v.form["person"], Thing: uma.ResourceID(v.form["thing"])}
	data.Choose = v.form["through"] != "" || data.App != ""
	if data.Choose { // they have to be looked for in all that is shared
		apps, err := v.views.People(v.ctx, v.owner, owner.PeopleQuery{Kind: policy.PartyApp}, owner.Page{Limit: 50})
		if err != nil {
			return err
		}
		data.Apps = v.whos(apps.List)
		for i, p := range apps.List {
			data.Apps[i].Key = string(p.App.ID)
		}
	}
	supposed := as.Supposed{App: oauth.ClientID(data.App), Whichever: data.App == ""}
	if data.App == anyOther {
		supposed.App = ""
	}
	switch {
	case data.Person != "" && data.Email == "": // an address that was written beside the key is another person's
		p, err := v.views.Who(v.ctx, v.owner, data.Person)
		if err != nil {
			return err
		}
		supposed.Party, data.Says = p.Party, v.Say("If %s asked now:", v.who(p).Name)
		if p.Kind == policy.PartyEmail {
			data.Email = p.Value
		} else {
			data.Keep = data.Person
		}
	case data.Email != "":
		email, err := policy.CanonicalEmail(data.Email)
		if err != nil {
			o := page.Options{Problem: v.Say("Write the e-mail address of the person, such as bob@example.org.")}
			return s.showAs(v, http.StatusUnprocessableEntity, "people", "could", o, data)
		}
		supposed.Party, data.Says = policy.Party{Kind: policy.PartyEmail, Value: email}, v.Say("If %s asked now:", email)
	default:
		return s.show(v, "people", "could", page.Options{}, data)
	}
	var list []as.Could
	var err error
	if data.Thing != "" {
		if _, err := v.views.Thing(v.ctx, v.owner, data.Thing); err != nil {
			return err
		}
		list, err = s.AS.Could(v.ctx, v.owner, supposed, []uma.ResourceID{data.Thing})
	} else {
		var found owner.CouldPage
		found, err = v.views.Could(v.ctx, v.owner, supposed, owner.ThingsQuery{}, owner.Page{After: v.form["after"], Limit: 20})
		list, data.Next = found.List, s.next(v, "could", found.Next, "email", v.form["email"], "person", data.Person, "app", data.App)
	}
	if err != nil {
		return err
	}
	data.Asked, data.Could = true, s.couldDo(v, list)
	return s.show(v, "people", "could", page.Options{}, data)
}

func (s *Server) couldDo(v *visit, list []as.Could) []couldDo {
	out := make([]couldDo, len(list))
	for i, c := range list {
		out[i].thing = v.thing(owner.ThingName{ID: c.Resource.ID, Name: c.Resource.Description.Name})
		out[i].what = s.what(v, owner.Thing{Resource: c.Resource, Service: s.appNamed(v, c.Resource.ResourceServer)})
		out[i].Told = brief(out[i].Told)
		var shut []template.HTML
		for _, scope := range c.Scopes {
			can := s.canDo(v, scope)
			if out[i].Can = append(out[i].Can, can); !can.Yes && !can.Then {
				shut = append(shut, can.Said)
			}
		}
		out[i].Shut = v.listed(shut)
	}
	return out
}

// canDo says why. Of several reasons the one that is nearest to yes counts.
func (s *Server) canDo(v *visit, c as.CouldScope) canDo {
	out := canDo{verb: s.verb(v, c.Scope), Yes: c.Outcome == policy.Permit, Then: c.Outcome == policy.Need || c.Outcome == policy.AskOwner}
	if c.Scope == "" {
		out.verb = verb{Act: page.Act{Icon: "see", Said: v.Say("reach"), Known: true}}
	}
	best := -1
	for _, w := range c.Shares {
		for i, o := range nearest {
			if o.obstacle == w.Obstacle && i > best {
				best = i
			}
		}
	}
	reason := template.HTML("")
	if best >= 0 {
		reason = v.Say(nearest[best].said)
		if nearest[best].obstacle == policy.ObstacleAsk {
			reason = v.whose(nearest[best].said, page.Sentence("Whoever acts for %s is asked first."))
		}
	}
	switch {
	case c.Forbidden:
		out.Reason = v.Say("Whoever runs this place forbids it.")
	case best < 0:
		out.Reason = v.Say("This is not shared.")
	case c.Through != "":
		out.Reason = v.Say("%s Only through %s.", reason, v.service(s.appNamed(v, c.Through)))
	default:
		out.Reason = reason
	}
	return out
}

// nearest are the reasons, from the farthest from yes to yes.
var nearest = []struct {
	obstacle policy.Obstacle
	said     string
}{
	{policy.ObstacleBroke, page.Sentence("A promise about this says nobody.")},
	{policy.ObstacleThing, page.Sentence("This is not shared.")},
	{policy.ObstacleOther, page.Sentence("This is shared with others only.")},
	{policy.ObstacleScope, page.Sentence("This is shared, but not for that.")},
	{policy.ObstacleEnded, page.Sentence("The time for it is over.")},
	{policy.ObstacleEarly, page.Sentence("The time for it has not begun.")},
	{policy.ObstacleApp, page.Sentence("Only through another app.")},
	{policy.ObstacleNeeds, page.Sentence("They have to say more about themselves, or agree to something.")},
	{policy.ObstacleAsk, page.Sentence("You are asked first.")},
	{policy.NoObstacle, page.Sentence("This is shared.")},
}
