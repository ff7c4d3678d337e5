package endpoint

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/uma"
)

// SignIn knows who is at the browser.
type SignIn interface {
	// Person returns the account that is signed in at this browser, and when it
	// signed in; ok is false when nobody is.
	Person(r *http.Request) (account as.Account, at time.Time, ok bool)
	// SignIn checks an e-mail address and a password from a sign-in form and, if
	// they are right, signs the browser in by setting a cookie on w; whoever was
	// signed in before is not any more. The reason of a refusal is not told. The
	// error of one attempt too many is as.TooManyAttempts.
	SignIn(w http.ResponseWriter, r *http.Request, email, password string) (ok bool, err error)
	// Recent reports whether who is signed in has proved within a time who they are.
	Recent(r *http.Request, within time.Duration) bool
	// Passwords reports whether people can sign in with these, PasskeysAt at which host
	// there can be passkeys ("" for none), and Providers which OpenID providers there are.
	Passwords() bool
	PasskeysAt() string
	Providers() (ids, names []string)
	// SendCode sends a code to an e-mail address. Whether somebody has the address is
	// not told: what is none is an *uma.Error, one too many as.TooManyAttempts.
	SendCode(w http.ResponseWriter, r *http.Request, email string) error
	// EnterCode, EnterPasskey and EnterFirst sign the browser in, like SignIn: with a
	// code that was sent for this browser, with a passkey's answer to AskPasskey, and
	// with the secret that the server printed, for the first account.
	EnterCode(w http.ResponseWriter, r *http.Request, code string) (ok bool, err error)
	EnterPasskey(w http.ResponseWriter, r *http.Request, ceremony, response string) (ok bool, err error)
	EnterFirst(w http.ResponseWriter, r *http.Request, secret, email, name string) (ok bool, err error)
	// AskPasskey and OfferPasskey begin the use and the making of a passkey: options
	// are for the browser's script, and ceremony comes back with its answer.
	AskPasskey(w http.ResponseWriter, r *http.Request) (options, ceremony string, err error)
	OfferPasskey(w http.ResponseWriter, r *http.Request) (options, ceremony string, err error)
	// AddPasskey gives who is signed in the passkey that their browser has made.
	AddPasskey(r *http.Request, ceremony, response, name string) (ok bool, err error)
	// ToProvider begins a sign-in at a provider, or the linking of an account there to
	// who is signed in, and says where the browser has to go; with afresh the person has
	// to prove there anew who they are. FromProvider ends it, and says where the person
	// wanted to be. What this browser has not begun is as.ErrNotFound.
	ToProvider(w http.ResponseWriter, r *http.Request, id, to string, link, afresh bool) (uri string, err error)
	FromProvider(w http.ResponseWriter, r *http.Request, id string, form uma.Form) (to string, afresh, ok bool, err error)
	// Session names the session of this browser, "" when nobody is signed in.
	Session(r *http.Request) as.SessionID
	// SignOut signs the browser out.
	SignOut(w http.ResponseWriter, r *http.Request) error
}

// Config is what a Server needs.
type Config struct {
	AS     *as.Server
	SignIn SignIn
	Pages  *page.Pages
	// Home is the path, below the issuer, at which a person is at home, such as /app/.
	// Whoever signs in comes there, or back to a place below it. "" is nowhere.
	Home string
	// Mutual is the origin of the listener that asks for client certificates, such
	// as https://mtls.as.example, for [Server.Mutual]; "" for none.
	Mutual string
	Limits Limits
	Log    *slog.Logger
}

// Server serves the endpoints below the issuer's path.
type Server struct {
	Config
	issuer  *url.URL
	mutual  *url.URL
	base    string // the issuer's path without a final slash
	pages   *page.Set
	mux     *http.ServeMux
	budgets budgets
	held    held
}

var errMutual = errors.New("it has to be an https origin such as https://mtls.as.example, without a path")

// New checks the configuration and builds the routes. The issuer has to be an
// https URL; http is for a loopback address only.
func New(c Config) (*Server, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Pages == nil {
		return nil, errors.New("endpoint: no pages")
	}
	u, err := ParseIssuer(c.AS.Issuer)
	if err != nil {
		return nil, err
	}
	mutual, err := parseMutual(c.Mutual)
	if err != nil {
		return nil, err
	}
	s := &Server{Config: c, issuer: u, mutual: mutual, base: strings.TrimSuffix(u.Path, "/"), budgets: newBudgets(c.Limits), held: make(held, mostHeld)}
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, err
	}
	s.pages = c.Pages.Set(files)
	s.mux = s.buildMux()
	return s, nil
}

// ServeHTTP answers one request. It may be called concurrently.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// URL returns the absolute URL of a path below the issuer. The issuer comes
// from the configuration and never from a request's headers.
func (s *Server) URL(path string) string { return strings.TrimSuffix(s.AS.Issuer, "/") + path }

// ClaimsInteractionURL is the claims interaction endpoint of an issuer: what
// need_info names as redirect_user (Grant 3.3.6).
func ClaimsInteractionURL(issuer string) string { return strings.TrimSuffix(issuer, "/") + pathClaims }

// OwnerURLs are the policy endpoint and the requests endpoint of an issuer.
func OwnerURLs(issuer string) (policies, requests string) {
	base := strings.TrimSuffix(issuer, "/")
	return base + pathPolicies, base + pathRequests
}
