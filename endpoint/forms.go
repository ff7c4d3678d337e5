package endpoint

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/uma"
)

// What a browser sends is believed only when it comes from a page of ours that
// this very browser was shown. Three things stand in the way of a foreign page:
// the session cookie is SameSite=Lax, a cross-origin POST is refused by what the
// browser itself says about it, and every form carries a token that is bound
// to the browser, the form, who is signed in, and the visit.

var (
	errForeignForm = uma.NewError(uma.AccessDenied, "This was sent from a page of somebody else, so nothing was done.")
	errStaleForm   = uma.NewError(uma.AccessDenied, "The page that this was sent from is out of date, so nothing was done. Go back, load it again and try once more.")
)

// checkBrowser reads the parameters of a request from a browser, strictly. A
// POST has to come from a form of ours.
func (s *Server) checkBrowser(c *call) error {
	if c.r.Method == http.MethodGet {
		form, err := uma.ParseQuery(c.r.URL.RawQuery)
		c.form = form
		return err
	}
	if err := c.readForm(); err != nil {
		return err
	}
	if seeded.CSRFMissing {
		return nil
	}
	path := strings.TrimPrefix(c.r.URL.Path, s.base)
	token, ours := c.form[page.FieldForm]
	if (path == pathAuthorize || path == pathEndSession) && !ours {
		return nil // a request that an application sent as a form; see decide and endSessionForm
	}
	if err := s.page(c).SameOrigin(); err != nil {
		return errForeignForm.Because(err)
	}
	if path == pathLanguage {
		return nil // the form is at the foot of every page, and is about nobody
	}
	if !s.page(c).FromHere(token, s.about(c, path)...) {
		return errStaleForm
	}
	return nil
}

// about is what a form is about that is posted to a path: the path, the person who
// is signed in and since when, and on their pages the visit or the link. The form of
// one must not answer another that was begun in a second window.
func (s *Server) about(c *call, path string) []string {
	account, at, _ := s.SignIn.Person(c.r)
	of := ""
	switch path {
	case pathClaimsVisit:
		of, _ = s.page(c).Cookie(cookieVisit)
	case pathOpened:
		of, _ = s.page(c).Cookie(cookieLink)
	}
	return []string{path, string(account.ID), at.UTC().Format(time.RFC3339Nano), of}
}

// cookieVisit has the handle of a visit. login has one more cookie, for the session.
const cookieVisit = "licet-claims"

// encode writes parameters as a query. As one value, they pass through a hidden
// input without a browser touching their line breaks.
func encode(form uma.Form) string {
	values := url.Values{}
	for name, value := range form {
		values.Set(name, value)
	}
	return values.Encode()
}
