package endpoint

import (
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
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
		{http.MethodGet, pathSignInCode, byBrowser, facePage, (*Server).codePage},
		{http.MethodPost, pathSignInCode, byBrowser, facePage, (*Server).enterCode},
		{http.MethodGet, pathSignInTo, byBrowser, facePage, (*Server).toProvider},
		{http.MethodGet, pathSignInFrom, byBrowser, facePage, (*Server).fromProvider},
		{http.MethodGet, pathFirst, byBrowser, facePage, (*Server).firstPage},
		{http.MethodPost, pathFirst, byBrowser, facePage, (*Server).enterFirst},
		{http.MethodGet, pathWays, byBrowser, facePage, (*Server).waysPage},
		{http.MethodPost, pathWays, byBrowser, facePage, (*Server).changeWays},
		{http.MethodPost, pathLink, byBrowser, facePage, (*Server).linkProvider},
		{http.MethodGet, pathOpen, byBrowser, facePage, (*Server).openLink},
		{http.MethodGet, pathOpened, byBrowser, facePage, (*Server).linkPage},
		{http.MethodPost, pathOpened, byBrowser, facePage, (*Server).takeLink},
		{http.MethodGet, pathSignOut, byBrowser, facePage, (*Server).signOutPage},
		{http.MethodPost, pathSignOut, byBrowser, facePage, (*Server).signOut},
		{http.MethodGet, pathEndSession, byBrowser, facePage, (*Server).endSession},
		{http.MethodPost, pathEndSession, byBrowser, facePage, (*Server).endSessionForm},
		{http.MethodPost, pathLanguage, byBrowser, facePage, (*Server).chooseLanguage},
		{http.MethodGet, pathAssets, anybody, facePage, (*Server).asset},
	}
}

const (
	pathAssets   = page.AssetsPath + "{name}"
	pathLanguage = "/language"
)

//go:embed pages
var pageFiles embed.FS

// formPage is what every page with a form shows or sends back.
type formPage struct {
	Base string // before every path
	Form string // the anti-forgery token
}

// page is the answer to a browser; there is one for each call.
func (s *Server) page(c *call) *page.Answer {
	if c.page == nil {
		c.page = s.Pages.Open(c.w, c.r)
	}
	return c.page
}

// form makes the common part of a page with a form that is posted to a path.
func (s *Server) form(c *call, path string) formPage {
	return formPage{Base: s.base, Form: s.page(c).Form(s.about(c, path)...)}
}

// errorPage tells a person that something failed. It leads nowhere by itself.
func (s *Server) errorPage(c *call, status int, message string) {
	a := s.page(c)
	a.Show(status, s.pages, "error", page.Options{}, struct{ Message template.HTML }{a.Tell(message)})
}

// redirect sends a browser on.
func (s *Server) redirect(c *call, uri string) { s.page(c).Redirect(uri) }

// asset serves what pages refer to.
func (s *Server) asset(c *call) error {
	if !s.Pages.ServeAsset(c.w, c.r, c.r.PathValue("name")) {
		return uma.NewError(uma.NotFound, "There is no such page.")
	}
	return nil
}

// chooseLanguage answers the form at the foot of every page. Whoever is signed in is
// written to in that language from now on.
func (s *Server) chooseLanguage(c *call) error {
	language := c.form["language"]
	if account, _, in := s.SignIn.Person(c.r); in && page.Preferred(language).String() == language {
		if err := s.AS.SetLetters(c.r.Context(), account.ID, account.Letters, language); err != nil {
			return err
		}
	}
	if !s.page(c).Choose(c.form["language"], c.form["return"]) {
		return errUnknownAnswer
	}
	return nil
}

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

// Called is the name, or the address where there is none.
func (p person) Called() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Email
}

// Named is Called, as the tests of pages find it.
func (p person) Named() template.HTML {
	return template.HTML(`<b id="person"><bdi>` + template.HTMLEscapeString(p.Called()) + `</bdi></b>`)
}

func about(a as.Account) person {
	return person{Name: a.Name, Email: a.Email, Confirmed: a.EmailVerified}
}
