package web

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// What matters most is done only by somebody who has shown lately who they are: giving
// a role, opening something to whoever has a link or of a kind that the operator has
// marked, in whatever way, handing out the history. Stopping is never asked for that. What was filled in
// is sealed for this person and this space, goes along through signing in, and comes
// back to where it is looked at before it is done.

const (
	// provedFor is how long it is good to have signed in.
	provedFor = 10 * time.Minute
	// keptFor is how long what was filled in is kept meanwhile.
	keptFor = 20 * time.Minute
	// maxKept is how long it may be, as a part of an address.
	maxKept = 6000
)

// kept is a form that waits for whoever filled it in.
type kept struct {
	Path   string            `json:"path"`
	Method string            `json:"method"` // in small letters, as a form has it
	Fields map[string]string `json:"fields"`
}

// proved reports whether the person has shown lately who they are.
func (v *visit) proved() bool { return v.Now().Sub(v.in) <= provedFor }

// prove has the person show once more who they are, and brings them to a path below the
// issuer's with what they filled in. The path shows something and does nothing.
func (s *Server) prove(v *visit, method, path string) error {
	k := kept{s.Pages.Base() + path, method, map[string]string{}}
	for name, value := range v.form {
		if name != page.FieldForm && name != "back" {
			k.Fields[name] = value
		}
	}
	plain, err := json.Marshal(k)
	if err != nil {
		return err
	}
	to := s.below("again", "kept", s.AS.BeginCeremony(as.CeremonyForm, v.keeper(), plain, keptFor))
	if len(to) > maxKept {
		to = s.below("")
	}
	s.signIn(v, to)
	return nil
}

// keeper is for whom a form is kept.
func (v *visit) keeper() string { return string(v.account.ID) + " " + string(v.owner.Space) }

// signIn has the person show once more who they are, and come back.
func (s *Server) signIn(v *visit, to string) {
	v.Redirect(s.Pages.Base() + "/sign-in?" + url.Values{"return": {to}, "again": {"yes"}}.Encode())
}

// again gives back what was filled in before signing in.
func (s *Server) again(v *visit) error {
	c, err := s.AS.OpenCeremony(as.CeremonyForm, v.keeper(), v.form["kept"])
	if errors.Is(err, as.ErrNotFound) {
		return errNothing
	}
	if err != nil {
		return err
	}
	var k kept
	if err := json.Unmarshal(c.Data, &k); err != nil {
		return err
	}
	if !v.proved() {
		s.signIn(v, v.R.URL.RequestURI())
		return nil
	}
	return s.show(v, "home", "again", page.Options{}, struct {
		common
		kept
	}{s.common(v), k})
}

// mustProve reports whether wishes open something that is opened only by who has shown
// lately who they are, and this person has not: something for whoever has a link, or of
// a kind that the operator has marked. What is not there opens nothing.
func (s *Server) mustProve(v *visit, wishes ...policy.Share) (bool, error) {
	if v.proved() {
		return false, nil
	}
	kinds := map[uma.ResourceID]string{}
	for _, wish := range wishes {
		if wish.Link {
			return true, nil
		}
		if _, known := kinds[wish.Resource]; known || len(s.Sensitive) == 0 {
			continue
		}
		res, err := s.AS.RegisteredResource(v.ctx, v.owner, wish.Resource)
		if err != nil && !absent(err) {
			return false, err
		}
		if kinds[wish.Resource] = res.Description.Type; slices.Contains(s.Sensitive, res.Description.Type) {
			return true, nil
		}
	}
	return false, nil
}
