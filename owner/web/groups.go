package web

import (
	"html/template"
	"net/http"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
)

// Groups of people: who is in one, and what is open to it.

// groups lists them, and makes new ones.
func (s *Server) groups(v *visit) error {
	found, err := v.views.Groups(v.ctx, v.owner, owner.Page{After: v.form["after"]})
	if err != nil {
		return err
	}
	type row struct {
		ID     policy.GroupID
		Name   template.HTML
		Plain  string
		Things int
	}
	rows := make([]row, len(found.List))
	for i, g := range found.List {
		rows[i] = row{g.ID, v.text(g.Name), g.Name, g.Things}
	}
	return s.show(v, "people", "groups", page.Options{Done: v.done(s)}, struct {
		common
		Groups []row
		Next   string
	}{s.common(v), rows, s.next(v, "groups", found.Next)})
}

func (s *Server) makeGroup(v *visit) error {
	made, err := s.AS.CreateGroup(v.ctx, v.owner, v.form["name"])
	if err != nil {
		return err
	}
	v.Redirect(s.below("groups/" + string(made.ID)))
	return nil
}

// groupPage is one group.
type groupPage struct {
	personPage
	ID      policy.GroupID
	Title   template.HTML
	Plain   string // the name, for a field
	Members []member
	Next    string
	Written string // what was written for a member, who is not in
}

type member struct {
	ID    as.MemberID
	Email string
	Could string // where to see what they could do
	Since page.Moment
}

func (s *Server) groupOf(v *visit) (groupPage, error) {
	id := policy.GroupID(v.R.PathValue("id"))
	g, err := v.views.Group(v.ctx, v.owner, id, owner.Page{After: v.form["after"]}, owner.Page{After: v.form["shared"]})
	if err != nil {
		return groupPage{}, err
	}
	data := groupPage{
		personPage: s.personOf(v, g.Person), ID: id, Title: v.text(g.Group.Name), Plain: g.Group.Name,
		Next: s.next(v, "groups/"+string(id), g.Next), Written: v.form["email"],
	}
	if g.Person.Next != "" {
		data.Rest = s.below("groups/"+string(id), "shared", g.Person.Next)
	}
	for _, m := range g.Members {
		data.Members = append(data.Members, member{m.ID, m.Email, s.below("could", "email", m.Email), v.At(m.CreatedAt)})
	}
	return data, nil
}

// group shows one group.
func (s *Server) group(v *visit) error {
	data, err := s.groupOf(v)
	if err != nil {
		return err
	}
	return s.show(v, "people", "group", page.Options{Done: v.done(s)}, data)
}

// nameGroup gives a group another name. Names decide nothing.
func (s *Server) nameGroup(v *visit) error {
	id := policy.GroupID(v.R.PathValue("id"))
	if err := s.AS.RenameGroup(v.ctx, v.owner, id, v.form["name"]); err != nil {
		return err
	}
	v.tell("saved", 0)
	v.Redirect(s.below("groups/" + string(id)))
	return nil
}

// addMember puts somebody in.
func (s *Server) addMember(v *visit) error {
	id := policy.GroupID(v.R.PathValue("id"))
	if _, err := policy.CanonicalEmail(v.form["email"]); err != nil {
		data, err := s.groupOf(v)
		if err != nil {
			return err
		}
		o := page.Options{Problem: v.Say("Write the e-mail address of the person, such as bob@example.org.")}
		return s.showAs(v, http.StatusUnprocessableEntity, "people", "group", o, data)
	}
	g, err := v.views.Group(v.ctx, v.owner, id, owner.Page{}, owner.Page{Limit: owner.MaxLimit})
	if err != nil {
		return err
	}
	var wishes []policy.Share
	for _, one := range g.Sharings {
		wishes = append(wishes, one.Share.Share)
	}
	must, err := s.mustProve(v, wishes...)
	if err != nil {
		return err
	}
	if must || g.Person.Next != "" && !v.proved() {
		return s.prove(v, "get", Path+"groups/"+string(id))
	}
	if _, err := s.AS.AddMember(v.ctx, v.owner, id, v.form["email"]); err != nil {
		return err
	}
	v.tell("saved", 0)
	v.Redirect(s.below("groups/" + string(id)))
	return nil
}

// removeMember takes somebody out, with all that they had as a member.
func (s *Server) removeMember(v *visit) error {
	if err := s.AS.RemoveMember(v.ctx, v.owner, as.MemberID(v.R.PathValue("member"))); err != nil {
		return err
	}
	v.tell("out", 0)
	v.Redirect(s.below("groups/" + v.R.PathValue("id")))
	return nil
}

// endGroup shows what ends with a group.
func (s *Server) endGroup(v *visit) error {
	data, err := s.groupOf(v)
	if err != nil {
		return err
	}
	return s.show(v, "people", "group-end", page.Options{}, data)
}

func (s *Server) doEndGroup(v *visit) error {
	id := policy.GroupID(v.R.PathValue("id"))
	if err := s.AS.DeleteGroup(v.ctx, v.owner, id); err != nil {
		return err
	}
	v.tell("no group", 0)
	v.Redirect(s.below("groups"))
	return nil
}
