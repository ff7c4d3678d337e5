package web

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/uma"
)

// SignIn knows who is at the browser.
type SignIn interface {
	// Person returns the account that is signed in at this browser, and when it
	// signed in; ok is false when nobody is.
	Person(r *http.Request) (account as.Account, at time.Time, ok bool)
	// PasskeysAt is the name of the host at which there can be passkeys; "" for none.
	PasskeysAt() string
}

// Config is what a Server needs.
type Config struct {
	AS     *as.Server
	SignIn SignIn
	Pages  *page.Pages
	// Sensitive are the kinds of things, as a description's type, that are opened only by
	// who has shown lately who they are.
	Sensitive []string
	Log       *slog.Logger
}

// Server serves the pages below [Path]. It may be called concurrently.
type Server struct {
	Config
	views owner.Views
	pages *page.Set
	icons *pictures
	mux   *http.ServeMux

	left    chan struct{} // closed by leaving
	leaving func()
}

// Path is where the pages are, below the issuer's path.
const Path = "/app/"

//go:embed pages
var pageFiles embed.FS

// New checks the configuration and builds the routes.
func New(c Config) (*Server, error) {
	if c.AS == nil || c.SignIn == nil || c.Pages == nil {
		return nil, errors.New("web: there is no authorization server, no sign-in or no pages")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c, views: owner.Views{AS: c.AS}, pages: c.Pages.Set(files), icons: newPictures(), mux: http.NewServeMux(), left: make(chan struct{})}
	s.leaving = sync.OnceFunc(func() { close(s.left) })
	for _, rt := range routes() {
		if rt.does == 0 || rt.handle == nil {
			panic("web: route " + rt.method + " " + rt.path + " does not say what it does")
		}
		s.mux.HandleFunc(rt.method+" "+c.Pages.Base()+rt.path, func(w http.ResponseWriter, r *http.Request) { s.serve(rt, w, r) })
	}
	s.mux.HandleFunc(c.Pages.Base()+Path, s.nothing)
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// does says what a route does. The zero value is nothing that may be served.
type does int

const (
	looks    does = iota + 1 // shows something of the space; every role may
	changes                  // changes something in the space, or asks whether to; for a role that manages
	personal                 // is about the person alone, and not about the space; a POST is a form
)

// waiting counts the requests that wait for an answer.
func (s *Server) waiting(v *visit) (int, error) {
	if v.owner.Space == "" {
		return 0, nil
	}
	return v.views.Waiting(v.ctx, v.owner)
}

// route is one line of the route table.
type route struct {
	method string
	path   string
	does   does
	handle func(*Server, *visit) error
}

// routes is the whole app. What is not here does not exist.
func routes() []route {
	return []route{
		{http.MethodGet, Path + "{$}", looks, (*Server).home},
		{http.MethodGet, Path + "me", personal, (*Server).me},
		{http.MethodPost, Path + "connections/{id}/end", changes, (*Server).disconnect},
		{http.MethodGet, Path + "received", personal, (*Server).received},
		{http.MethodPost, Path + "received/{id}/give-back", personal, (*Server).giveBack},
		{http.MethodGet, Path + "asked", personal, (*Server).questions},
		{http.MethodGet, Path + "asked/{id}", personal, (*Server).question},
		{http.MethodGet, Path + "asked/{id}/live", personal, (*Server).liveQuestion},
		{http.MethodPost, Path + "act", personal, (*Server).act},
		{http.MethodGet, Path + "again", personal, (*Server).again},
		{http.MethodPost, Path + "letters", personal, (*Server).letters},
		{http.MethodGet, Path + "roles", looks, (*Server).roles},
		{http.MethodPost, Path + "roles/check", changes, (*Server).checkRole},
		{http.MethodPost, Path + "roles", changes, (*Server).offerRole},
		{http.MethodPost, Path + "roles/{account}/end", personal, (*Server).endRole},
		{http.MethodPost, Path + "invitations/{id}/take-back", changes, (*Server).takeBack},
		{http.MethodPost, Path + "invitations/{id}/accept", personal, (*Server).accept},
		{http.MethodPost, Path + "invitations/{id}/decline", personal, (*Server).decline},
		{http.MethodGet, Path + "things", looks, (*Server).things},
		{http.MethodGet, Path + "things/{id}", looks, (*Server).thing},
		{http.MethodGet, Path + "things/{id}/icon", looks, (*Server).icon},
		{http.MethodGet, Path + "share", changes, (*Server).share},
		{http.MethodPost, Path + "share/check", changes, (*Server).checkShare},
		{http.MethodPost, Path + "share", changes, (*Server).doShare},
		{http.MethodGet, Path + "reopen", changes, (*Server).reopen},
		{http.MethodPost, Path + "reopen", changes, (*Server).doReopen},
		{http.MethodGet, Path + "shares/{id}", looks, (*Server).receipt},
		{http.MethodPost, Path + "shares/{id}/keep", changes, (*Server).keep},
		{http.MethodGet, Path + "stop", changes, (*Server).stop},
		{http.MethodPost, Path + "stop", changes, (*Server).doStop},
		{http.MethodPost, Path + "undo", changes, (*Server).undo},
		{http.MethodGet, Path + "requests", looks, (*Server).requests},
		{http.MethodGet, Path + "requests/{id}", looks, (*Server).request},
		{http.MethodPost, Path + "requests/{id}", changes, (*Server).answer},
		{http.MethodGet, Path + "blocked", looks, (*Server).blocked},
		{http.MethodPost, Path + "blocked/{id}/end", changes, (*Server).unblock},
		{http.MethodGet, Path + "groups", looks, (*Server).groups},
		{http.MethodPost, Path + "groups", changes, (*Server).makeGroup},
		{http.MethodGet, Path + "groups/{id}", looks, (*Server).group},
		{http.MethodPost, Path + "groups/{id}/name", changes, (*Server).nameGroup},
		{http.MethodPost, Path + "groups/{id}/members", changes, (*Server).addMember},
		{http.MethodPost, Path + "groups/{id}/members/{member}/end", changes, (*Server).removeMember},
		{http.MethodGet, Path + "groups/{id}/end", changes, (*Server).endGroup},
		{http.MethodPost, Path + "groups/{id}/end", changes, (*Server).doEndGroup},
		{http.MethodGet, Path + "people", looks, (*Server).people},
		{http.MethodGet, Path + "people/{key}", looks, (*Server).person},
		{http.MethodGet, Path + "apps/{id}", looks, (*Server).app},
		{http.MethodGet, Path + "could", looks, (*Server).could},
		{http.MethodGet, Path + "history", looks, (*Server).history},
		{http.MethodGet, Path + "history/export", looks, (*Server).export},
		{http.MethodGet, pathLive, looks, (*Server).live},
	}
}

// visit is one request with who makes it and for whom.
type visit struct {
	*page.Answer
	ctx     context.Context
	account as.Account
	in      time.Time // signed in since
	owner   as.Owner  // whose things, and who acts
	space   as.SpaceRole
	spaces  []as.SpaceRole // where this person may act
	issuer  string         // this place, among those where somebody may sign in
	form    uma.Form       // of a POST, or the query of a GET
	views   owner.Views    // for a GET those of one page
}

// cookieSpace says for whom this browser acts.
const cookieSpace = "licet-space"

var (
	errForeignForm = uma.NewError(uma.AccessDenied, "This was sent from a page of somebody else, so nothing was done.")
	errStaleForm   = uma.NewError(uma.AccessDenied, "The page that this was sent from is out of date, so nothing was done. Go back, load it again and try once more.")
	errUsedForm    = uma.NewError(as.Conflict, "This page was used already, so nothing was done. Look at who can get at it now, and begin anew if you still want to.")
	errNothing     = uma.NewError(uma.NotFound, "There is no such page, or it is not yours to see.")
)

func (s *Server) serve(rt route, w http.ResponseWriter, r *http.Request) {
	v := &visit{Answer: s.Pages.Open(w, r), ctx: r.Context(), issuer: s.AS.Issuer, views: s.views}
	if r.Method == http.MethodGet {
		v.views = s.views.OfOnePage()
	}
	if err := s.admit(rt, v); err != nil {
		s.fail(v, err)
		return
	}
	if v.account.ID == "" {
		return // sent elsewhere
	}
	if err := rt.handle(s, v); err != nil {
		s.fail(v, err)
	}
}

// admit finds out who is there and for whom, and believes a form only when it is
// theirs. Whoever is not signed in is sent to do that, and comes back.
func (s *Server) admit(rt route, v *visit) error {
	var in bool
	if v.account, v.in, in = s.SignIn.Person(v.R); !in {
		v.account = as.Account{}
		to := s.Pages.Base() + Path
		if v.R.Method == http.MethodGet {
			to = v.R.URL.RequestURI()
		}
		v.Redirect(s.Pages.Base() + "/sign-in?" + url.Values{"return": {to}}.Encode())
		return nil
	}
	if err := s.chooseSpace(v); err != nil {
		return err
	}
	if err := v.readForm(rt); err != nil {
		return err
	}
	if rt.does != personal && v.owner.Space == "" {
		// This person has nothing here, and looks after nobody: at home is what others
		// have opened to them.
		if rt.path != Path+"{$}" {
			return errNothing
		}
		v.account = as.Account{}
		v.Redirect(s.below("received"))
	}
	if v.account.ID != "" && rt.does == changes && !v.space.Role.Kind.Manages() {
		return uma.NewError(uma.AccessDenied, "You may look here, and change nothing.")
	}
	return nil
}

// chooseSpace finds the space that this browser has chosen or, when that one is not
// theirs to see any more, the person's own.
func (s *Server) chooseSpace(v *visit) error {
	var err error
	if v.spaces, err = s.AS.SpacesOf(v.ctx, v.account.ID); err != nil || len(v.spaces) == 0 {
		return err
	}
	v.space = v.spaces[0]
	chosen, _ := v.Cookie(cookieSpace)
	for _, space := range v.spaces {
		if own := space.Role.Kind == as.RoleOwner; chosen == "" && own || string(space.ID) == chosen {
			v.space = space
			break
		}
		if space.Role.Kind == as.RoleOwner && v.space.Role.Kind != as.RoleOwner {
			v.space = space
		}
	}
	v.owner, v.space.Role, err = s.AS.ActIn(v.ctx, v.account.ID, v.space.ID)
	return err
}

// readForm reads the parameters, each given once, and for a POST checks that its
// form is of this browser, person and space.
func (v *visit) readForm(rt route) error {
	var err error
	if v.R.Method == http.MethodGet {
		v.form, err = uma.ParseQuery(v.R.URL.RawQuery)
		return err
	}
	if v.form, err = uma.ParseForm(v.R.Body); err != nil {
		return err
	}
	if err := v.SameOrigin(); err != nil {
		return errForeignForm.Because(err)
	}
	if !v.FromHere(v.form[page.FieldForm], v.about()...) {
		return errStaleForm
	}
	return nil
}

// about is what every form of a page is about: who is signed in since when, and for
// whom they act.
func (v *visit) about() []string {
	return []string{Path, string(v.account.ID), v.in.UTC().Format(time.RFC3339Nano), string(v.owner.Space)}
}

// token is the token of every form on a page.
func (v *visit) token() string { return v.Form(v.about()...) }

// show answers with a page below a tab.
func (s *Server) show(v *visit, tab, name string, o page.Options, data any) error {
	return s.showAs(v, http.StatusOK, tab, name, o, data)
}

func (s *Server) showAs(v *visit, status int, tab, name string, o page.Options, data any) error {
	o.Who, o.Tone = v.called(), v.account.Email
	if v.owner.Space == "" {
		o.Wide = true // nothing is behind the tabs
	} else if o.Tab = tab; o.Live == "" {
		o.Live = s.Pages.Base() + pathLive
	}
	if v.space.Role.Kind != as.RoleOwner && v.owner.Space != "" {
		o.Acting = &page.Acting{
			Name: v.space.Name, Until: v.Until(v.space.Role.EndsAt), Looks: !v.space.Role.Kind.Manages(), Leave: s.below("me"),
		}
		for _, space := range v.spaces {
			if space.Role.Kind == as.RoleOwner {
				o.Acting.Leave, o.Acting.Own, o.Acting.Form = s.below("act"), string(space.ID), v.token()
			}
		}
	}
	waiting, err := s.waiting(v)
	if err != nil {
		return err
	}
	o.Waiting = waiting
	v.Show(status, s.pages, name, o, data)
	return nil
}

// called is the person's name, or the address where there is none.
func (v *visit) called() string {
	if v.account.Name != "" {
		return v.account.Name
	}
	return v.account.Email
}

// common is what the data of every page begins with.
type common struct {
	Base    string // before every path
	Form    string // the token of every form
	Manages bool   // whether this person may change anything here
	Guest   bool   // whether this person has nothing here, and looks after nobody
	For     string // for whom they act; "" for themselves
}

func (s *Server) common(v *visit) common {
	return common{Base: s.Pages.Base(), Form: v.token(), Manages: v.space.Role.Kind.Manages(), Guest: v.owner.Space == "", For: v.acting()}
}

// fail tells a person what went wrong, and the log when it is our fault.
func (s *Server) fail(v *visit, err error) {
	status, text := http.StatusBadRequest, ""
	var e *uma.Error
	var attempts as.TooManyAttempts
	switch {
	case errors.As(err, &attempts):
		status, text = http.StatusTooManyRequests, page.Sentence("There were too many attempts. Try again later.")
	case errors.Is(err, as.ErrUnavailable):
		s.Log.ErrorContext(v.ctx, "the store is unavailable", "method", v.R.Method, "path", v.R.URL.Path, "error", err)
		v.W.Header().Set("Retry-After", "2")
		status, text = http.StatusServiceUnavailable, page.Sentence("We cannot look it up at the moment. Try again soon.")
	case errors.As(err, &e):
		text = e.Description
		other := page.Sentence("We cannot do this as it was said. Go back and look at it once more.")
		switch e.Code {
		case uma.NotFound, uma.InvalidResourceID:
			status, text = http.StatusNotFound, errNothing.Description
		case uma.AccessDenied:
			status = http.StatusForbidden
		case as.Conflict, as.PreconditionFailed:
			status, other = http.StatusConflict, page.Sentence("It has been done already, or has changed meanwhile. Load the page again.")
		}
		if !v.Says(text) {
			text = other // what is said to programs
		}
	case errors.Is(err, context.Canceled):
		return // the browser is gone
	default:
		s.Log.ErrorContext(v.ctx, "request failed", "method", v.R.Method, "path", v.R.URL.Path, "error", err)
		status, text = http.StatusInternalServerError, page.Sentence("We could not do this. Nothing was changed.")
	}
	v.Show(status, s.pages, "problem", page.Options{}, struct {
		Base    string
		Message template.HTML
	}{s.Pages.Base(), v.Tell(text)})
}

// nothing answers for what does not exist.
func (s *Server) nothing(w http.ResponseWriter, r *http.Request) {
	s.fail(&visit{Answer: s.Pages.Open(w, r), ctx: r.Context()}, errNothing)
}

// pathLive is what every page listens to.
const pathLive = Path + "live"

// act chooses for whom this browser acts.
func (s *Server) act(v *visit) error {
	for _, space := range v.spaces {
		if string(space.ID) == v.form["space"] {
			v.SetCookie(cookieSpace, string(space.ID), 0)
			v.Redirect(s.thence(v))
			return nil
		}
	}
	return errNothing
}

// thence is where a form leads on to: a page of the app, or home.
func (s *Server) thence(v *visit) string {
	if to := v.Within(v.form["to"]); strings.HasPrefix(to, s.below("")) {
		return to
	}
	return s.below("")
}

// below is an address of the app, with what of a query is not "".
func (s *Server) below(path string, query ...string) string {
	to := s.Pages.Base() + Path + strings.TrimPrefix(path, "/")
	q := url.Values{}
	for i := 0; i+1 < len(query); i += 2 {
		if query[i+1] != "" {
			q.Set(query[i], query[i+1])
		}
	}
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	return to
}
