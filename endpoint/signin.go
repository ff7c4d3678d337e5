package endpoint

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/uma"
)

// The problems with a sign-in form. Which of the two was wrong is not told.
var (
	problemWrong   = page.Sentence("This e-mail address and this password do not go together.")
	problemMissing = page.Sentence("Write your e-mail address and your password.")
)

// problem says what was wrong with a form; "" is nothing.
func (s *Server) problem(c *call, problem string) template.HTML {
	if problem == "" {
		return ""
	}
	return s.page(c).Say(problem)
}

// signInPage shows the sign-in form or, to somebody who is signed in and did
// not come from anywhere, who that is.
func (s *Server) signInPage(c *call) error {
	account, _, in := s.SignIn.Person(c.r)
	to := s.placeToReturn(c.form["return"])
	if in && to == "" && s.Home != "" {
		s.redirect(c, s.atHome())
		return nil
	}
	if in && to == "" {
		s.page(c).Show(http.StatusOK, s.pages, "welcome", page.Options{}, struct {
			formPage
			Person person
		}{s.form(c, pathSignOut), about(account)})
		return nil
	}
	_, query, _ := strings.Cut(to, "?")
	hint := ""
	if asked, err := uma.ParseQuery(query); err == nil {
		hint = asked["login_hint"]
	}
	s.showSignIn(c, http.StatusOK, to, hint, "")
	return nil
}

// signInForm is the sign-in page. With an application, it is part of a visit
// and can be cancelled.
type signInForm struct {
	formPage
	Wrong  bool   // what was sent before was
	Path   string // where the form is posted to
	Return string
	Email  string
	App    *application
}

func (s *Server) showSignIn(c *call, status int, to, email, problem string) {
	s.page(c).Show(status, s.pages, "sign-in", page.Options{Problem: s.problem(c, problem), Stay: s.signInPath(to)}, signInForm{
		formPage: s.form(c, pathSignIn), Wrong: problem != "", Path: pathSignIn, Return: to, Email: email,
	})
}

// signIn answers the sign-in form.
func (s *Server) signIn(c *call) error {
	to := s.placeToReturn(c.form["return"])
	problem, err := s.enter(c)
	if err != nil {
		return err
	}
	if problem != "" {
		s.showSignIn(c, http.StatusUnprocessableEntity, to, c.form["email"], problem)
		return nil
	}
	if to == "" {
		to = s.atHome()
	}
	s.redirect(c, to)
	return nil
}

// enter signs in with the form's e-mail address and password. Whoever was
// signed in at this browser is signed out first, so that a session which
// somebody planted ends here and the new one is known to nobody else (SEC-063).
func (s *Server) enter(c *call) (problem string, err error) {
	email, password := strings.TrimSpace(c.form["email"]), c.form["password"]
	if email == "" || password == "" {
		return problemMissing, nil
	}
	ok, err := s.SignIn.SignIn(c.w, c.r, email, password)
	if err != nil || ok {
		return "", err
	}
	return problemWrong, nil
}

// placeToReturn lets a person go back to an authorization request, or to where they
// are at home, and to nowhere else: what does not begin with a path of ours is "".
// What is behind it leads to no other host, however it is read.
func (s *Server) placeToReturn(to string) string {
	notInURL := func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' || r == '#' }
	home := s.Home != "" && strings.HasPrefix(to, s.base+s.Home) && !strings.Contains(to, "..")
	if !home && !strings.HasPrefix(to, s.base+pathAuthorize+"?") || strings.ContainsFunc(to, notInURL) {
		return ""
	}
	return to
}

// atHome is where a person is who did not come from anywhere.
func (s *Server) atHome() string {
	if s.Home == "" {
		return s.base + pathSignIn
	}
	return s.base + s.Home
}

// signInAndReturn sends a browser to the sign-in form and back.
func (s *Server) signInAndReturn(c *call, asked uma.Form) {
	to := s.base + pathAuthorize + "?" + encode(asked)
	s.redirect(c, s.signInPath(to))
}

// signInPath is the sign-in form that leads on to a place of ours, or to nowhere.
func (s *Server) signInPath(to string) string {
	if to == "" {
		return s.base + pathSignIn
	}
	return s.base + pathSignIn + "?" + url.Values{"return": {to}}.Encode()
}

// signOutPage asks before it signs out: a link alone changes nothing.
func (s *Server) signOutPage(c *call) error {
	s.showSignOut(c, signOutForm{Path: pathSignOut}, "")
	return nil
}

// signOutForm is the sign-out page. With an application, that one asks for it.
type signOutForm struct {
	formPage
	Path   string // where the form is posted to
	In     bool
	Person person
	App    *application
	Asked  string       // what the application sent
	Back   template.URL // a link to the application, once nobody is signed in; checked to be its own
}

// showSignOut shows the sign-out page, from which the browser may come to the
// redirect URI leadsTo.
func (s *Server) showSignOut(c *call, f signOutForm, leadsTo string) {
	account, _, in := s.SignIn.Person(c.r)
	f.formPage, f.In, f.Person = s.form(c, f.Path), in, about(account)
	s.page(c).Show(http.StatusOK, s.pages, "sign-out", page.Options{LeadsTo: leadsTo}, f)
}

func (s *Server) signOut(c *call) error {
	if err := s.SignIn.SignOut(c.w, c.r); err != nil {
		return err
	}
	s.redirect(c, s.base+pathSignOut)
	return nil
}
