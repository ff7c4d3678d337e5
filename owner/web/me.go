package web

import (
	"cmp"
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
	Tone  string // of its face
	Role  template.HTML
	Until *page.Moment
	Now   bool // this browser acts for it
	Own   bool
}

// invited is a role that the person is asked to take on.
type invited struct {
	ID    as.InvitationID
	Space string
	From  string
	role
	Until *page.Moment // the end of the role
	Gone  page.Moment  // the end of the invitation
}

// helper is somebody who has a role in the space.
type helper struct{ Name, Email string }

// connected is a service or an app that holds a key to the space.
type connected struct {
	ID     as.GrantID
	Name   template.HTML
	Client oauth.ClientID
	Plain  string // for the letters of the face
	Does   template.HTML
	Since  page.Moment
	Used   *page.Moment
}

// letterKinds are how people may be written to.
var letterKinds = []struct {
	kind       as.Letters
	said, more string
}{
	{as.LettersAtOnce, page.Sentence("At once"), page.Sentence("When somebody asks, and a week before something ends.")},
	{as.LettersDaily, page.Sentence("Once a day"), page.Sentence("In the morning, everything that waits, in one mail.")},
	{as.LettersNone, page.Sentence("Not at all"), page.Sentence("You look here by yourself.")},
}

// wanting is one of them, to be chosen.
type wanting struct {
	Kind       string
	Said, More template.HTML
	On         bool
}

// me is about the person: for whom they act, and what is connected.
func (s *Server) me(v *visit) error {
	const most = 100
	data := struct {
		common
		Name, Email string
		Checked     bool
		Account     as.AccountID
		Letters     []wanting
		Invited     []invited
		Acts        []acts
		Own         bool     // the space that this browser acts in is theirs
		Space       string   // "" for none
		Helpers     []helper // who else has a role in it
		Connected   []connected
		Next        string
	}{common: s.common(v), Name: v.called(), Email: v.account.Email, Checked: v.account.EmailVerified, Account: v.account.ID}
	for _, l := range letterKinds {
		data.Letters = append(data.Letters, wanting{string(l.kind), v.Say(l.said), v.Say(l.more), v.account.Letters == l.kind})
	}
	if v.account.EmailVerified {
		list, err := s.AS.InvitedTo(v.ctx, v.account.ID, as.Page{Limit: most})
		if err != nil {
			return err
		}
		for _, i := range list {
			data.Invited = append(data.Invited, invited{i.ID, i.SpaceName, i.From, v.role(i.Kind), v.Until(i.EndsAt), v.At(i.ExpiresAt)})
		}
	}
	for _, space := range v.spaces {
		data.Acts = append(data.Acts, acts{
			ID: space.ID, Name: space.Name, Tone: string(space.ID), Role: v.Say(roleWords[space.Role.Kind].mine), Until: v.Until(space.Role.EndsAt), Now: space.ID == v.owner.Space,
			Own: space.Role.Kind == as.RoleOwner,
		})
		if one := &data.Acts[len(data.Acts)-1]; one.Own {
			one.Tone = v.account.Email
		}
	}
	if v.owner.Space != "" {
		data.Space, data.Own = v.space.Name, v.space.Role.Kind == as.RoleOwner
		holders, err := s.AS.RolesIn(v.ctx, v.owner)
		if err != nil {
			return err
		}
		for _, one := range holders {
			if one.Kind != as.RoleOwner {
				data.Helpers = append(data.Helpers, helper{cmp.Or(one.Name, one.Email), one.Email})
			}
		}
		list, err := s.AS.Connections(v.ctx, v.owner, as.Page{Limit: most})
		if err != nil {
			return err
		}
		for _, c := range list {
			one := connected{ID: c.ID, Client: c.Client, Name: v.service(owner.App{ID: c.Client, Name: c.ClientName}), Plain: c.ClientName, Since: v.At(c.CreatedAt), Used: v.Until(c.Use.LastAt)}
			switch {
			case slices.Contains(c.Scopes, uma.ScopeProtection):
				one.Does = v.whose("keeps things of yours, and asks here who may get at them", "keeps things of %s's, and asks here who may get at them")
			case slices.Contains(c.Scopes, oauth.ScopePolicy):
				one.Does = v.whose("may see and change whom you share your things with", "may see and change whom %s's things are shared with")
			default:
				one.Does = v.whose("knows who you are", "knows who acts for %s")
			}
			data.Connected = append(data.Connected, one)
		}
	}
	return s.show(v, "me", "me", page.Options{Done: v.done(s)}, data)
}

// letters notes how this person wants to be written to, in the language of the page.
func (s *Server) letters(v *visit) error {
	if err := s.AS.SetLetters(v.ctx, v.account.ID, as.Letters(v.form["letters"]), v.Language()); err != nil {
		return err
	}
	v.tell("saved", 0)
	v.Redirect(s.below("me"))
	return nil
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
