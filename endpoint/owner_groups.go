package endpoint

import (
	"net/http"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// group is a group of the owner's.
type group struct {
	ID    policy.GroupID `json:"_id"`
	Name  string         `json:"name"`
	Since int64          `json:"created_at"` // seconds since the epoch
}

func newGroup(g as.Group) (any, error) {
	return group{ID: g.ID, Name: g.Name, Since: g.CreatedAt.Unix()}, nil
}

// member is somebody in a group.
type member struct {
	ID    as.MemberID `json:"_id"`
	Email string      `json:"email"`
	Since int64       `json:"created_at"` // seconds since the epoch
}

func newMember(m as.Member) (any, error) {
	return member{ID: m.ID, Email: m.Email, Since: m.CreatedAt.Unix()}, nil
}

func (c *call) groupID() policy.GroupID { return policy.GroupID(c.r.PathValue("id")) }

// soleText reads a body that has one member, a text.
func soleText(c *call, name string) (string, error) {
	o, err := body(c)
	if err == nil {
		err = o.OnlyMembers(name)
	}
	if err != nil {
		return "", err
	}
	text, found, err := o.String(name)
	if err == nil && !found {
		err = uma.NewError(uma.InvalidRequest, "The member "+name+" is missing.")
	}
	return text, err
}

func (s *Server) listGroups(c *call) error {
	l, err := s.listing(c)
	if err != nil {
		return err
	}
	list, err := s.AS.Groups(c.r.Context(), c.owner, l.Page)
	if err != nil {
		return err
	}
	return writePage(s, c, l, list, func(g as.Group) string { return string(g.ID) }, newGroup)
}

func (s *Server) createGroup(c *call) error {
	name, err := soleText(c, "name")
	if err != nil {
		return err
	}
	g, err := s.AS.CreateGroup(c.r.Context(), c.owner, name)
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", s.URL(pathGroups+"/"+string(g.ID)))
	return s.writeGroup(c, http.StatusCreated, g)
}

func (s *Server) writeGroup(c *call, status int, g as.Group) error {
	doc, err := newGroup(g)
	if err == nil {
		writeJSON(c.w, status, doc)
	}
	return err
}

func (s *Server) readGroup(c *call) error {
	g, err := s.AS.Group(c.r.Context(), c.owner, c.groupID())
	if err != nil {
		return err
	}
	return s.writeGroup(c, http.StatusOK, g)
}

func (s *Server) renameGroup(c *call) error {
	name, err := soleText(c, "name")
	if err == nil {
		err = s.AS.RenameGroup(c.r.Context(), c.owner, c.groupID(), name)
	}
	if err != nil {
		return err
	}
	return s.readGroup(c)
}

func (s *Server) deleteGroup(c *call) error {
	if err := s.AS.DeleteGroup(c.r.Context(), c.owner, c.groupID()); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) listMembers(c *call) error {
	l, err := s.listing(c)
	if err != nil {
		return err
	}
	list, err := s.AS.Members(c.r.Context(), c.owner, c.groupID(), l.Page)
	if err != nil {
		return err
	}
	return writePage(s, c, l, list, func(m as.Member) string { return string(m.ID) }, newMember)
}

func (s *Server) addMember(c *call) error {
	email, err := soleText(c, "email")
	if err != nil {
		return err
	}
	m, err := s.AS.AddMember(c.r.Context(), c.owner, c.groupID(), email)
	if err != nil {
		return err
	}
	doc, err := newMember(m)
	if err == nil {
		writeJSON(c.w, http.StatusCreated, doc)
	}
	return err
}

func (s *Server) removeMember(c *call) error {
	if err := s.AS.RemoveMember(c.r.Context(), c.owner, as.MemberID(c.r.PathValue("id"))); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}
