package endpoint

import (
	"html/template"
	"net/http"
	"slices"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
)

// Links that owners make, for whoever has them:
//
//	GET  /l/{secret}  the browser remembers which link it came by, and goes on to a
//	                  page whose address has no secret in it
//	GET  /l           who opens what to whoever has this link
//	POST /l           the browser holds the link from now on, or forgets it
//
// A link that never was, has ended or was withdrawn is one answer. Nothing is changed
// here by opening a link, so whoever looks at mail before its reader does no harm.

// cookieLink is the link that the browser came by last; Held are those it holds.
const cookieLink = "licet-link"

// openLink lets a browser come in by a link. Who tries many is refused before they
// are looked at.
func (s *Server) openLink(c *call) error {
	secret := c.r.PathValue("id")
	c.r.URL.Path = s.base + pathOpened // the log has no secrets
	if _, err := s.AS.OpenLink(c.r.Context(), secret); err != nil {
		return err
	}
	s.page(c).SetCookie(cookieLink, secret, 0)
	s.redirect(c, s.base+pathOpened)
	return nil
}

// cameBy is the link that this browser came by, and what it opens.
func (s *Server) cameBy(c *call) (secret string, opens as.Received, err error) {
	secret, _ = s.page(c).Cookie(cookieLink)
	opens, err = s.AS.OpenLink(c.r.Context(), secret)
	return secret, opens, err
}

// linkPage shows what a link opens.
func (s *Server) linkPage(c *call) error {
	secret, opens, err := s.cameBy(c)
	if err != nil {
		return err
	}
	a := s.page(c)
	account, _, in := s.SignIn.Person(c.r)
	scopes := make([]string, len(opens.Scopes))
	for i, scope := range opens.Scopes {
		scopes[i] = string(scope)
	}
	data := struct {
		formPage
		Opens  as.Received
		Thing  template.HTML
		Acts   []page.Act
		Until  page.Moment
		Held   bool
		In     bool
		Person person
		SignIn string
		Home   string // where they find it again; "" for nowhere
	}{
		formPage: s.form(c, pathOpened), Opens: opens, Thing: a.Say("a thing without a name"), Acts: a.Acts(scopes), Until: a.At(opens.NotAfter),
		Held: slices.Contains(a.Held(), secret), In: in, Person: about(account), SignIn: s.signInPath(s.base + pathOpened),
	}
	if opens.Thing != "" {
		data.Thing = template.HTML("<bdi>" + template.HTMLEscapeString(opens.Thing) + "</bdi>")
	}
	if s.Home != "" {
		data.Home = s.base + s.Home + "received"
	}
	a.Show(http.StatusOK, s.pages, "open", page.Options{}, data)
	return nil
}

// takeLink answers its form.
func (s *Server) takeLink(c *call) error {
	secret, _, err := s.cameBy(c)
	if err != nil {
		return err
	}
	switch c.form["action"] {
	case "take":
		s.page(c).Hold(secret)
	case "drop":
		s.page(c).Drop(secret)
	default:
		return errUnknownAnswer
	}
	s.redirect(c, s.base+pathOpened)
	return nil
}
