package endpoint

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/uma"
)

// What a browser sends is believed only when it comes from a page of ours that
// this very browser was shown. Three things stand in the way of a foreign page:
// the session cookie is SameSite=Lax, a cross-origin POST is refused by what the
// browser itself says about it, and every form carries a token that is bound
// to the browser, the form, who is signed in, and the visit.

// fieldForm is the input that carries the anti-forgery token.
const fieldForm = "csrf"

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
	token, ours := c.form[fieldForm]
	if (path == pathAuthorize || path == pathEndSession) && !ours {
		return nil // a request that an application sent as a form; see decide and endSessionForm
	}
	if err := new(http.CrossOriginProtection).Check(c.r); err != nil {
		return errForeignForm.Because(err)
	}
	secret, found := s.cookie(c, cookieForm)
	if !found || !hmac.Equal([]byte(token), []byte(s.formToken(c, path, secret))) {
		return errStaleForm
	}
	return nil
}

// formFor returns the anti-forgery token for a form that is posted to a path.
// It is to be called before the answer is written, because it may set a cookie.
func (s *Server) formFor(c *call, path string) string {
	secret, found := s.cookie(c, cookieForm)
	if !found {
		secret = rand.Text()
		s.setCookie(c, cookieForm, secret, 0)
		c.r.AddCookie(&http.Cookie{Name: s.cookieName(cookieForm), Value: secret}) // a second form on the page uses the same
	}
	return s.formToken(c, path, secret)
}

// formToken binds a form to the browser, to the path, to the person who is
// signed in and since when, and on the visit's page to the visit: the form of
// one visit must not answer another that was begun in a second window.
func (s *Server) formToken(c *call, path, secret string) string {
	account, at, _ := s.SignIn.Person(c.r)
	visit := ""
	if path == pathClaimsVisit {
		visit, _ = s.cookie(c, cookieVisit)
	}
	mac := hmac.New(sha256.New, s.FormKey)
	for _, part := range []string{path, secret, string(account.ID), at.UTC().Format(time.RFC3339Nano), visit} {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// The cookies of this package. login has one more, for the session.
const (
	cookieForm  = "licet-form"   // which browser a form was shown to
	cookieVisit = "licet-claims" // the handle of a visit
)

// cookieName adds the prefix with which a browser lets nobody but this very
// host set the cookie.
func (s *Server) cookieName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

func (s *Server) cookie(c *call, name string) (string, bool) {
	cookie, err := c.r.Cookie(s.cookieName(name))
	if err != nil || cookie.Value == "" {
		return "", false
	}
	return cookie.Value, true
}

// setCookie sets a cookie for maxAge seconds; 0 is until the browser closes, a
// negative age takes the cookie away.
func (s *Server) setCookie(c *call, name, value string, maxAge int) {
	http.SetCookie(c.w, &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}

// encode writes parameters as a query. As one value, they pass through a hidden
// input without a browser touching their line breaks.
func encode(form uma.Form) string {
	values := url.Values{}
	for name, value := range form {
		values.Set(name, value)
	}
	return values.Encode()
}
