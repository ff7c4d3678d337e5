package web

import (
	"html/template"
	"slices"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/uma"
)

// acts is a space in which the person may act.
type acts struct {
	ID    as.SpaceID
	Name  string
	Role  template.HTML
	Until *page.Moment
	Now   bool // this browser acts for it
}

// connected is a service or an app that holds a key to the space.
type connected struct {
	ID    as.GrantID
	Name  template.HTML
	Does  template.HTML
	Since page.Moment
	Used  *page.Moment
}

// roleNames are what people are in a space.
var roleNames = map[as.RoleKind]string{
	as.RoleOwner: page.Sentence("yours"), as.RoleGuardian: page.Sentence("you are the guardian"),
	as.RoleDelegate: page.Sentence("you act for them"), as.RoleViewer: page.Sentence("you may look"),
}

// me is about the person: for whom they act, and what is connected.
func (s *Server) me(v *visit) error {
	data := struct {
		common
		Name, Email string
		Checked     bool
		Acts        []acts
		Connected   []connected
		Next        string
	}{common: s.common(v), Name: v.called(), Email: v.account.Email, Checked: v.account.EmailVerified}
	for _, space := range v.spaces {
		data.Acts = append(data.Acts, acts{
			ID: space.ID, Name: space.Name, Role: v.Say(roleNames[space.Role.Kind]), Until: v.Until(space.Role.EndsAt), Now: space.ID == v.owner.Space,
		})
	}
	if v.owner.Space != "" {
		const most = 100
		list, err := s.AS.Connections(v.ctx, v.owner, as.Page{Limit: most})
		if err != nil {
			return err
		}
		for _, c := range list {
			one := connected{ID: c.ID, Name: v.service(owner.App{ID: c.Client, Name: c.ClientName}), Since: v.At(c.CreatedAt), Used: v.Until(c.Use.LastAt)}
			switch {
			case slices.Contains(c.Scopes, uma.ScopeProtection):
				one.Does = v.Say("keeps things of yours, and asks here who may get at them")
			case slices.Contains(c.Scopes, oauth.ScopePolicy):
				one.Does = v.Say("may see and change whom you share your things with")
			default:
				one.Does = v.Say("knows who you are")
			}
			data.Connected = append(data.Connected, one)
		}
	}
	return s.show(v, "me", "me", page.Options{Done: v.done(s)}, data)
}

// disconnect takes the key from a service or an app.
func (s *Server) disconnect(v *visit) error {
	if err := s.AS.Disconnect(v.ctx, v.owner, as.GrantID(v.R.PathValue("id"))); err != nil {
		return err
	}
	v.tell("saved", 0)
	v.Redirect(s.below("me"))
	return nil
}
