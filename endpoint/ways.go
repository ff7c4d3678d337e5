package endpoint

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
)

// The page where people see how they sign in, and where they are signed in. Whoever
// has lost a device comes here by a code, takes its passkey away and ends its session.

// provedFor is how long a proof of who one is is good enough to change how one signs
// in, and to let an application change whom things are shared with.
const provedFor = 10 * time.Minute

// waysForm is that page.
type waysForm struct {
	formPage
	Person     person
	Proved     bool   // whatever is on the page may be done now
	Again      string // where to prove once more who one is
	Passkey    *passkeyForm
	Device     string // what a new passkey could be called
	Passkeys   []wayPasskey
	PasskeysAt string // the host at which there can be any; "" for none
	Sessions   []waySession
	Linked     []wayLinked
	Providers  []providerLink // at which an account may be linked; Path is the id
	LinkForm   string         // the token of that form
}

type wayPasskey struct {
	ID, Name    string
	Made        page.Moment
	Used        *page.Moment
	Synchronous bool // it is copied to the person's other devices
}

type waySession struct {
	ID, Device string
	Since      *page.Moment
	Here       bool
}

type wayLinked struct{ Issuer, Subject, Name, Email string }

// waysPage shows it, to who is signed in.
func (s *Server) waysPage(c *call) error {
	account, _, in := s.SignIn.Person(c.r)
	if !in {
		s.redirect(c, s.signInPath(s.base+pathWays))
		return nil
	}
	return s.showWays(c, http.StatusOK, account, "")
}

func (s *Server) showWays(c *call, status int, account as.Account, problem string) error {
	ctx, a := c.r.Context(), s.page(c)
	f := waysForm{
		formPage: s.form(c, pathWays), Person: about(account), Proved: s.SignIn.Recent(c.r, provedFor), Device: device(c.r.UserAgent()),
		PasskeysAt: s.SignIn.PasskeysAt(), Again: s.againPath(s.base + pathWays), LinkForm: a.Form(s.about(c, pathLink)...),
	}
	if f.Proved && f.PasskeysAt != "" {
		options, ceremony, err := s.SignIn.OfferPasskey(c.w, c.r)
		if err != nil {
			return err
		}
		f.Passkey = &passkeyForm{options, ceremony, f.PasskeysAt}
	}
	passkeys, err := s.AS.Passkeys(ctx, account.ID)
	if err != nil {
		return err
	}
	for _, p := range passkeys {
		f.Passkeys = append(f.Passkeys, wayPasskey{
			ID: base64.RawURLEncoding.EncodeToString(p.ID), Name: p.Name, Made: a.At(p.CreatedAt), Used: a.Until(p.UsedAt), Synchronous: p.BackedUp,
		})
	}
	sessions, err := s.AS.Sessions(ctx, account.ID)
	if err != nil {
		return err
	}
	here := s.SignIn.Session(c.r)
	for _, one := range sessions {
		f.Sessions = append(f.Sessions, waySession{string(one.ID), device(one.Agent), a.Until(one.CreatedAt), one.ID == here})
	}
	linked, err := s.AS.Identities(ctx, account.ID)
	if err != nil {
		return err
	}
	for _, one := range linked {
		f.Linked = append(f.Linked, wayLinked{one.Issuer, one.Subject, hostOf(one.Issuer), one.Email})
	}
	ids, names := s.SignIn.Providers()
	for i, id := range ids {
		f.Providers = append(f.Providers, providerLink{names[i], id})
	}
	a.Show(status, s.pages, "ways", page.Options{Problem: s.problem(c, problem)}, f)
	return nil
}

// changeWays does what a button on the page says. To end a session it is enough to be
// signed in; for everything else one has to have proved lately who one is.
func (s *Server) changeWays(c *call) error {
	ctx := c.r.Context()
	account, _, in := s.SignIn.Person(c.r)
	if !in {
		return errStaleForm
	}
	action := c.form["action"]
	if action != "end" && action != "end-others" && !s.SignIn.Recent(c.r, provedFor) {
		s.redirect(c, s.againPath(s.base+pathWays))
		return nil
	}
	var err error
	switch action {
	case "end":
		err = s.AS.EndSessionOf(ctx, account.ID, as.SessionID(c.form["session"]))
	case "end-others":
		err = s.AS.EndOtherSessions(ctx, account.ID, s.SignIn.Session(c.r))
	case "add":
		ok, err := s.SignIn.AddPasskey(c.r, c.form["ceremony"], c.form["response"], strings.TrimSpace(c.form["name"]))
		if err != nil {
			return err
		}
		if !ok {
			return s.showWays(c, http.StatusUnprocessableEntity, account, problemNewPasskey)
		}
	case "remove":
		id, wrong := base64.RawURLEncoding.Strict().DecodeString(c.form["passkey"])
		if wrong != nil {
			return errUnknownAnswer
		}
		err = s.AS.RemovePasskey(ctx, account.ID, id)
	case "unlink":
		err = s.AS.UnlinkIdentity(ctx, account.ID, c.form["issuer"], c.form["subject"])
	default:
		return errUnknownAnswer
	}
	if err != nil && !errors.Is(err, as.ErrNotFound) { // what is gone already is gone
		return err
	}
	s.redirect(c, s.base+pathWays)
	return nil
}

var problemNewPasskey = page.Sentence("No passkey was made. Try once more.")

// linkProvider begins to link an account at a provider. It is begun by a form of ours
// alone: a link would let somebody else's page link somebody else's account. The page
// that answers has the way there as a link, because a form that is redirected to
// another site is stopped by the browser.
func (s *Server) linkProvider(c *call) error {
	if _, _, in := s.SignIn.Person(c.r); !in {
		return errStaleForm
	}
	if !s.SignIn.Recent(c.r, provedFor) {
		s.redirect(c, s.againPath(s.base+pathWays))
		return nil
	}
	id := c.form["provider"]
	uri, err := s.SignIn.ToProvider(c.w, c.r, id, s.base+pathWays, true, false)
	if errors.Is(err, as.ErrNotFound) {
		return errStaleForm
	}
	if err != nil {
		return err
	}
	ids, names := s.SignIn.Providers()
	name := ""
	for i := range ids {
		if ids[i] == id {
			name = names[i]
		}
	}
	s.page(c).Show(http.StatusOK, s.pages, "link", page.Options{}, struct{ Name, To, Back string }{name, uri, s.base + pathWays})
	return nil
}

func hostOf(uri string) string {
	if u, err := url.Parse(uri); err == nil && u.Host != "" {
		return u.Host
	}
	return uri
}

// device puts into words what a browser calls itself. It is for the person who knows
// their devices, and for nothing else.
func device(agent string) string {
	first := func(words [][2]string) string {
		for _, w := range words {
			if strings.Contains(agent, w[0]) {
				return w[1]
			}
		}
		return ""
	}
	browser := first([][2]string{{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}})
	system := first([][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"CrOS", "Chromebook"}, {"Linux", "Linux"}})
	switch {
	case browser != "" && system != "":
		return browser + ", " + system
	default:
		return browser + system
	}
}
