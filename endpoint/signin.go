package endpoint

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/uma"
)

// The problems with a sign-in form. Which of the two was wrong is not told.
var (
	problemWrong   = page.Sentence("This e-mail address and this password do not go together.")
	problemMissing = page.Sentence("Write your e-mail address and your password.")

	problemNoAddress = page.Sentence("Write your e-mail address.")
	problemCode      = page.Sentence("This code is not right, or its time is over. Look again, or let a new one be sent.")
	problemPasskey   = page.Sentence("This passkey did not work here. Try once more, or come in with a code.")
	problemProvider  = page.Sentence("You could not come in like this. Come in another way first. Then you can add this one, where you see how you sign in.")
	problemAfresh    = page.Sentence("This did not show that it is you, now. Show it in another way.")
	problemFirst     = page.Sentence("Write your name and an e-mail address that can be used.")
)

// problem says what was wrong with a form; "" is nothing.
func (s *Server) problem(c *call, problem string) template.HTML {
	if problem == "" {
		return ""
	}
	return s.page(c).Say(problem)
}

// signInPage shows the ways in or, to somebody who is signed in and did not come from
// anywhere, who that is.
func (s *Server) signInPage(c *call) error {
	account, _, in := s.SignIn.Person(c.r)
	to := s.placeToReturn(c.form["return"])
	if in && to == "" && s.Home != "" {
		s.redirect(c, s.orHome(""))
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
	again := c.form["again"] == "yes"
	if in && again {
		hint = account.Email
	}
	return s.showSignIn(c, http.StatusOK, signInForm{Return: to, Email: hint, Again: again}, "", page.Options{})
}

// signInForm is the sign-in page. With an application, it is part of a visit
// and can be cancelled.
type signInForm struct {
	formPage
	Wrong     bool   // what was sent before was
	Path      string // where the form is posted to
	Return    string
	Email     string
	Again     bool // it is not enough to be signed in, here or elsewhere
	Still     bool // and somebody is signed in here
	App       *application
	Service   string // where the application went; "" when it is not known
	Passwords bool
	Passkey   *passkeyForm // nil: there can be none
	Providers []providerLink
}

// passkeyForm is a form that the script fills in, with what a passkey answers. It shows
// it at the host At, in browsers that know passkeys.
type passkeyForm struct{ Options, Ceremony, At string }

// providerLink leads to an OpenID provider.
type providerLink struct{ Name, Path string }

// showSignIn shows the page with the ways in that there are here.
func (s *Server) showSignIn(c *call, status int, f signInForm, problem string, o page.Options) error {
	if f.Path == "" {
		f.Path = pathSignIn
	}
	f.formPage, f.Wrong, f.Passwords = s.form(c, f.Path), problem != "", s.SignIn.Passwords()
	_, _, in := s.SignIn.Person(c.r)
	f.Still = f.Again && in
	if at := s.SignIn.PasskeysAt(); at != "" {
		options, ceremony, err := s.SignIn.AskPasskey(c.w, c.r)
		if err != nil {
			return err
		}
		f.Passkey = &passkeyForm{options, ceremony, at}
	}
	asked := url.Values{"return": {f.Return}}
	if f.App != nil {
		asked.Set("return", s.base+pathClaimsVisit)
	}
	if f.Again {
		asked.Set("again", "yes")
	}
	ids, names := s.SignIn.Providers()
	for i, id := range ids {
		path := strings.Replace(pathSignInTo, "{id}", id, 1)
		f.Providers = append(f.Providers, providerLink{names[i], s.base + path + "?" + asked.Encode()})
	}
	o.Problem = s.problem(c, problem)
	if f.App == nil {
		o.Stay = s.signInPath(f.Return)
		if f.Again {
			o.Stay = s.againPath(f.Return)
		}
	}
	s.page(c).Show(status, s.pages, "sign-in", o, f)
	return nil
}

// signIn answers the sign-in form.
func (s *Server) signIn(c *call) error {
	to := s.placeToReturn(c.form["return"])
	problem, next, err := s.enter(c, to)
	if err != nil {
		return err
	}
	if problem != "" {
		return s.showSignIn(c, http.StatusUnprocessableEntity, signInForm{Return: to, Email: c.form["email"], Again: c.form["again"] == "yes"}, problem, page.Options{})
	}
	s.redirect(c, next)
	return nil
}

// orHome is a place to return to, or where a person is who did not come from anywhere:
// at home or, without one, at the sign-in page, which says who is in.
func (s *Server) orHome(to string) string {
	switch {
	case to != "":
		return to
	case s.Home == "":
		return s.base + pathSignIn
	default:
		return s.base + s.Home
	}
}

// enter does what a button of the sign-in form asks for, and says where the person
// goes next. Whoever was signed in at this browser is signed out by it, so that a
// session which somebody planted ends here and the new one is known to nobody else
// (SEC-063).
func (s *Server) enter(c *call, to string) (problem, next string, err error) {
	var ok bool
	switch c.form["action"] {
	case "code":
		return s.sendCode(c, to)
	case "passkey":
		problem = problemPasskey
		ok, err = s.SignIn.EnterPasskey(c.w, c.r, c.form["ceremony"], c.form["response"])
	case "sign-in", "":
		email, password := strings.TrimSpace(c.form["email"]), c.form["password"]
		if email == "" || password == "" {
			return problemMissing, "", nil
		}
		problem = problemWrong
		ok, err = s.SignIn.SignIn(c.w, c.r, email, password)
	default:
		return "", "", errUnknownAnswer
	}
	if err != nil {
		return "", "", err
	}
	if !ok {
		return problem, "", nil
	}
	return "", s.orHome(to), nil
}

// sendCode has a code sent, and goes on to where it is entered. The address is not
// kept in any URL.
func (s *Server) sendCode(c *call, to string) (problem, next string, err error) {
	email := strings.TrimSpace(c.form["email"])
	if email == "" {
		return problemNoAddress, "", nil
	}
	err = s.SignIn.SendCode(c.w, c.r, email)
	var refusal *uma.Error
	if errors.As(err, &refusal) && refusal.Code == uma.InvalidRequest {
		return problemNoAddress, "", nil
	}
	if err != nil {
		return "", "", err
	}
	return "", s.base + pathSignInCode + "?" + url.Values{"return": {to}}.Encode(), nil
}

// codeForm is the page where a code is entered.
type codeForm struct {
	formPage
	Wrong  bool
	Return string
	Again  string // the sign-in page, for another code
}

func (s *Server) codePage(c *call) error {
	s.showCode(c, http.StatusOK, "")
	return nil
}

func (s *Server) showCode(c *call, status int, problem string) {
	to := s.placeToReturn(c.form["return"])
	s.page(c).Show(status, s.pages, "sign-in-code", page.Options{Problem: s.problem(c, problem)}, codeForm{
		formPage: s.form(c, pathSignInCode), Wrong: problem != "", Return: to, Again: s.signInPath(to),
	})
}

// enterCode answers it.
func (s *Server) enterCode(c *call) error {
	ok, err := s.SignIn.EnterCode(c.w, c.r, c.form["code"])
	if err != nil {
		return err
	}
	if !ok {
		s.showCode(c, http.StatusUnprocessableEntity, problemCode)
		return nil
	}
	s.redirect(c, s.orHome(s.placeToReturn(c.form["return"])))
	return nil
}

// toProvider sends the browser to an OpenID provider. Nothing is written by that. A
// link on a page of somebody else leads to the sign-in page first: nobody is signed
// in as somebody by having looked at a page.
func (s *Server) toProvider(c *call) error {
	to := s.placeToReturn(c.form["return"])
	if c.r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		s.redirect(c, s.signInPath(to))
		return nil
	}
	uri, err := s.SignIn.ToProvider(c.w, c.r, c.r.PathValue("id"), to, false, c.form["again"] == "yes")
	if err != nil {
		return err
	}
	s.redirect(c, uri)
	return nil
}

// fromProvider is where it sends the browser back.
func (s *Server) fromProvider(c *call) error {
	to, afresh, ok, err := s.SignIn.FromProvider(c.w, c.r, c.r.PathValue("id"), c.form)
	if errors.Is(err, as.ErrNotFound) {
		return errStaleForm
	}
	if err != nil {
		return err
	}
	to = s.placeToReturn(to)
	if !ok && afresh {
		return s.showSignIn(c, http.StatusUnprocessableEntity, signInForm{Return: to, Again: true}, problemAfresh, page.Options{})
	}
	if !ok {
		return s.showSignIn(c, http.StatusUnprocessableEntity, signInForm{Return: to}, problemProvider, page.Options{})
	}
	s.redirect(c, s.orHome(to))
	return nil
}

// firstForm is the page on which the operator makes the first account.
type firstForm struct {
	formPage
	Secret, Email, Name string
	Passkeys            bool // one can be added then
}

var errNotFirst = uma.NewError(uma.NotFound, "This link is not good any more. A new one is printed at every start, as long as nobody has an account.")

func (s *Server) firstPage(c *call) error {
	err := s.AS.CheckFirstRun(c.r.Context(), c.form["secret"])
	if errors.Is(err, as.ErrNotFound) {
		return errNotFirst
	}
	if err != nil {
		return err
	}
	s.showFirst(c, http.StatusOK, "")
	return nil
}

func (s *Server) showFirst(c *call, status int, problem string) {
	s.page(c).Show(status, s.pages, "first", page.Options{Problem: s.problem(c, problem)}, firstForm{
		formPage: s.form(c, pathFirst), Secret: c.form["secret"], Email: c.form["email"], Name: c.form["name"], Passkeys: s.SignIn.PasskeysAt() != "",
	})
}

func (s *Server) enterFirst(c *call) error {
	ok, err := s.SignIn.EnterFirst(c.w, c.r, c.form["secret"], strings.TrimSpace(c.form["email"]), strings.TrimSpace(c.form["name"]))
	var refusal *uma.Error
	switch {
	case errors.As(err, &refusal) && refusal.Code == uma.InvalidRequest:
		s.showFirst(c, http.StatusUnprocessableEntity, problemFirst)
	case err != nil:
		return err
	case !ok:
		return errNotFirst
	default:
		s.redirect(c, s.base+pathWays)
	}
	return nil
}

// FirstRunURL is where the first account is made, with the secret of as.FirstRun.
func FirstRunURL(issuer, secret string) string {
	return strings.TrimSuffix(issuer, "/") + pathFirst + "?" + url.Values{"secret": {secret}}.Encode()
}

// placeToReturn lets a person go back to a place of ours that needs to know who they
// are: an authorization request, a visit, where they are at home, the ways in.
// Everything else is "". Behind the path of a request there is only a query, which
// leads to no other host however it is read.
func (s *Server) placeToReturn(to string) string {
	notInURL := func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' || r == '#' }
	switch below, ours := strings.CutPrefix(to, s.base); {
	case !ours || strings.ContainsFunc(to, notInURL):
		return ""
	case below == pathClaimsVisit, below == pathWays, below == pathOpened, strings.HasPrefix(below, pathAuthorize+"?"):
		return to
	case s.Home != "" && strings.HasPrefix(below, s.Home) && !strings.Contains(below, "//") && !strings.Contains(below, ".."):
		return to
	default:
		return ""
	}
}

// signInAndReturn sends a browser to the sign-in form and back; with again it is not
// enough to be signed in.
func (s *Server) signInAndReturn(c *call, asked uma.Form, again bool) {
	to := s.base + pathAuthorize + "?" + encode(asked)
	if again {
		s.redirect(c, s.againPath(to))
		return
	}
	s.redirect(c, s.signInPath(to))
}

// signInPath is the sign-in form that leads on to a place of ours, or to nowhere.
func (s *Server) signInPath(to string) string {
	if to == "" {
		return s.base + pathSignIn
	}
	return s.base + pathSignIn + "?" + url.Values{"return": {to}}.Encode()
}

// againPath is the sign-in form for who has to prove anew who they are.
func (s *Server) againPath(to string) string {
	return s.base + pathSignIn + "?" + url.Values{"return": {to}, "again": {"yes"}}.Encode()
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
