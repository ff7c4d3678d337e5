package endpoint

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// pageRoutes are what people's browsers come to.
func pageRoutes() []route {
	return []route{
		{http.MethodGet, pathAuthorize, byBrowser, facePage, (*Server).authorize},
		{http.MethodPost, pathAuthorize, byBrowser, facePage, (*Server).decide},
		{http.MethodGet, pathClaims, byBrowser, facePage, (*Server).claims},
		{http.MethodGet, pathClaimsVisit, byBrowser, facePage, (*Server).visit},
		{http.MethodPost, pathClaimsVisit, byBrowser, facePage, (*Server).answerVisit},
		{http.MethodGet, pathSignIn, byBrowser, facePage, (*Server).signInPage},
		{http.MethodPost, pathSignIn, byBrowser, facePage, (*Server).signIn},
		{http.MethodGet, pathSignOut, byBrowser, facePage, (*Server).signOutPage},
		{http.MethodPost, pathSignOut, byBrowser, facePage, (*Server).signOut},
		{http.MethodGet, pathEndSession, byBrowser, facePage, (*Server).endSession},
		{http.MethodPost, pathEndSession, byBrowser, facePage, (*Server).endSessionForm},
		{http.MethodGet, pathStyle, anybody, facePage, (*Server).style},
	}
}

const pathStyle = "/style.css"

//go:embed pages
var pageFiles embed.FS

// pages has one template for each page, each with the frame around it.
var pages = func() map[string]*template.Template {
	frame := template.Must(template.ParseFS(pageFiles, "pages/frame.html"))
	out := map[string]*template.Template{}
	for _, name := range []string{"consent", "error", "sign-in", "sign-out", "visit", "welcome"} {
		out[name] = template.Must(template.Must(frame.Clone()).ParseFS(pageFiles, "pages/"+name+".html"))
	}
	return out
}()

// page is what every page shows or sends back.
type page struct {
	Base    string // before every path
	Form    string // the anti-forgery token
	Problem string // what was wrong with the form sent before; "" for nothing
}

// page makes the common part of a page with a form that is posted to a path.
func (s *Server) page(c *call, path, problem string) page {
	return page{Base: s.base, Form: s.formFor(c, path), Problem: problem}
}

// show answers with a page. The page's forms may lead to this server and, with
// the redirect that answers them, to the redirect URI leadsTo; Chromium holds
// redirects to form-action, too.
func (s *Server) show(c *call, status int, name, leadsTo string, data any) {
	var b bytes.Buffer
	if err := pages[name].ExecuteTemplate(&b, "frame.html", data); err != nil {
		// The templates and their data are ours; only a slip of ours comes here.
		panic("endpoint: " + err.Error())
	}
	h := c.w.Header()
	s.browserHeaders(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; "+
		"form-action 'self'"+formTarget(leadsTo)+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b.Bytes()) // a browser that is gone cannot be told
}

// browserHeaders are for every answer to a browser.
func (s *Server) browserHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if s.secure {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// formTarget is the form-action source for a redirect URI: its origin, or its
// scheme where an origin cannot be written (a native application's own scheme,
// an IPv6 address).
func formTarget(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || uri == "":
		return ""
	case u.Scheme != "https" && u.Scheme != "http" || strings.Contains(u.Host, "["):
		return " " + u.Scheme + ":"
	default:
		return " " + u.Scheme + "://" + u.Host
	}
}

// errorPage tells a person that something failed. It leads nowhere by itself.
func (s *Server) errorPage(c *call, status int, message string) {
	s.show(c, status, "error", "", struct {
		page
		Message string
	}{page{Base: s.base}, message})
}

// redirect sends a browser on. It is 303 whatever came before, so that no form
// with a password in it is ever sent on (SEC-068), and it has no body.
func (s *Server) redirect(c *call, uri string) {
	h := c.w.Header()
	s.browserHeaders(h)
	h.Set("Location", uri)
	c.w.WriteHeader(http.StatusSeeOther)
}

// style serves the one style sheet.
func (s *Server) style(c *call) error {
	h := c.w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("Cache-Control", "no-cache") // asks, and mostly hears "not modified"
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", styleTag)
	http.ServeContent(c.w, c.r, "style.css", time.Time{}, bytes.NewReader(styleSheet))
	return nil
}

var styleSheet, styleTag = func() ([]byte, string) {
	b, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		panic("endpoint: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return b, `"` + hex.EncodeToString(sum[:8]) + `"`
}()

// wayBack is where a browser goes when it is done here. The URI was checked to
// be the client's.
type wayBack struct {
	uri      string
	state    string
	hasState bool
}

// sendBack sends the browser back to the client with parameters, with the state
// if there was one, and with this server's name, so that the client cannot be
// made to believe that another server sent it (RFC 9207, AMB-34).
func (s *Server) sendBack(c *call, to wayBack, params ...[2]string) {
	if to.hasState {
		params = append(params, [2]string{"state", to.state})
	}
	s.redirect(c, oauth.AddQuery(to.uri, append(params, [2]string{"iss", s.AS.Issuer})))
}

// sendBackError tells the client about a failure (RFC 6749 4.1.2.1, Grant
// 3.3.3). A failure of ours is told as server_error, and its cause to the log.
func (s *Server) sendBackError(c *call, to wayBack, err error) {
	var e *uma.Error
	if !errors.As(err, &e) {
		s.Log.ErrorContext(c.r.Context(), "request failed", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
		e = uma.NewError(uma.ServerError, "The server could not answer.")
	}
	s.sendBack(c, to, [2]string{"error", string(e.Code)}, [2]string{"error_description", e.Description})
}

// application is what a page tells about a client.
type application struct {
	Name  string
	Place string // the host the browser goes back to; "" for an application on this device
}

func describe(client oauth.Client, redirectURI string) application {
	a := application{Name: client.Name}
	if a.Name == "" {
		a.Name = string(client.ID)
	}
	if u, err := url.Parse(redirectURI); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
		a.Place = u.Host
	}
	return a
}

// person is what a page tells somebody about their own account.
type person struct {
	Name      string
	Email     string
	Confirmed bool
}

func about(a as.Account) person {
	return person{Name: a.Name, Email: a.Email, Confirmed: a.EmailVerified}
}
