package login

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/licet/licet/as"
)

// Config is what Login needs.
type Config struct {
	AS *as.Server
	// Secure says that people come over https: the cookie is Secure and has the
	// prefix __Host-, which no other host, path or plain connection can plant.
	// False is for development on a loopback address.
	Secure bool
	// Language is the language of a browser, as BCP 47 has it; nil when nobody knows.
	Language func(*http.Request) string
	Methods
}

// Methods are how people may sign in besides passkeys and codes by e-mail. The zero
// value is nothing else, and nobody comes in who has no account.
type Methods struct {
	Passwords bool       // with a password
	Guests    bool       // who has no account gets one by a code, or from a provider that is trusted with addresses
	Providers []Provider // with an account at an OpenID provider
}

// Login signs people in. Its methods may be called concurrently.
type Login struct {
	Config
	slots     chan struct{}
	passkeys  *webauthn.WebAuthn // nil: there can be none at this address
	providers []*upstream
}

// hashesAtOnce bounds how many passwords are hashed at the same time, and so
// the memory that strangers at the sign-in form can make us use: 4 times 19
// MiB. The others wait.
const hashesAtOnce = 4

// New checks the configuration.
func New(c Config) (*Login, error) {
	if c.AS == nil {
		return nil, errors.New("login: no authorization server")
	}
	l := &Login{Config: c, slots: make(chan struct{}, hashesAtOnce)}
	var err error
	if l.passkeys, err = relyingParty(c.AS.Issuer); err != nil {
		return nil, err
	}
	if l.providers, err = upstreams(c.AS, c.Providers); err != nil {
		return nil, err
	}
	return l, nil
}

// Person returns the account that is signed in at this browser, and when it
// signed in; ok is false when nobody is. A store that cannot be asked knows
// nobody.
func (l *Login) Person(r *http.Request) (account as.Account, at time.Time, ok bool) {
	session, account, ok := l.session(r)
	return account, session.AuthTime, ok
}

// Session names the session of this browser, "" when nobody is signed in.
func (l *Login) Session(r *http.Request) as.SessionID {
	session, _, _ := l.session(r)
	return session.ID
}

func (l *Login) session(r *http.Request) (as.Session, as.Account, bool) {
	secret, found := l.secret(r)
	if !found {
		return as.Session{}, as.Account{}, false
	}
	session, account, err := l.AS.Session(r.Context(), secret)
	if err != nil {
		if !errors.Is(err, as.ErrNotFound) && !errors.Is(err, context.Canceled) { // a browser that is gone
			l.AS.Log.ErrorContext(r.Context(), "session not read", "error", err)
		}
		return as.Session{}, as.Account{}, false
	}
	return session, account, true
}

// SignIn checks an e-mail address and a password and, if they are right, opens a
// session in place of the browser's old one and puts it into the browser's cookie.
// An unknown address, an account without a password, a disabled account and a
// wrong password give the same answer after the same work, and change nothing but
// the count of attempts. One attempt too many is as.TooManyAttempts, for all of
// them alike, and without any work.
func (l *Login) SignIn(w http.ResponseWriter, r *http.Request, email, password string) (bool, error) {
	ctx := r.Context()
	if !l.Methods.Passwords {
		return false, nil
	}
	_, in, _ := l.session(r)
	account, attempt, err := l.AS.BeginSignIn(ctx, email, r.RemoteAddr, in.ID)
	if err != nil {
		return false, err
	}
	hash := account.PasswordHash
	if hash == "" {
		hash = decoy
	}
	right, err := l.check(ctx, hash, password)
	if err != nil || !right || account.ID == "" || account.Disabled {
		return false, err
	}
	e := l.entry(r, as.ByPassword)
	e.Attempt = attempt
	secret, err := l.AS.OpenSession(ctx, account.ID, e)
	return l.in(w, secret, err)
}

// entry is what is known of a browser that is about to come in.
func (l *Login) entry(r *http.Request, method as.Method) as.Entry {
	old, _ := l.secret(r)
	e := as.Entry{Old: old, Method: method, Agent: r.UserAgent()}
	if l.Language != nil {
		e.Language = l.Language(r)
	}
	return e
}

// in puts the secret of a new session into the browser's cookie. What is not found
// was no good, or is not any more: that is no error.
func (l *Login) in(w http.ResponseWriter, secret string, err error) (bool, error) {
	if errors.Is(err, as.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	l.setCookie(w, l.cookieName(), secret, int(l.AS.Lifetimes.Session/time.Second))
	return true, nil
}

// SignOut ends the browser's session, everywhere, and takes its cookie away.
func (l *Login) SignOut(w http.ResponseWriter, r *http.Request) error {
	if secret, found := l.secret(r); found {
		if err := l.AS.EndSession(r.Context(), secret); err != nil {
			return err
		}
	}
	l.setCookie(w, l.cookieName(), "", -1)
	return nil
}

// decoy is the hash against which the password for an unknown account is
// checked. Its sum is all zero, which nobody knows a password for.
var decoy = phc(defaultCost, make([]byte, saltBytes), make([]byte, sumBytes))

// check hashes the password when there is a slot for it.
func (l *Login) check(ctx context.Context, hash, password string) (bool, error) {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-l.slots }()
	return CheckPassword(hash, password)
}

// Recent reports whether the person at this browser has proved within a time who
// they are. Who is about to do something that cannot be taken back is asked again.
func (l *Login) Recent(r *http.Request, within time.Duration) bool {
	session, _, ok := l.session(r)
	return ok && l.AS.Now().Sub(session.AuthTime) <= within
}

// Passwords reports whether people may sign in with a password.
func (l *Login) Passwords() bool { return l.Methods.Passwords }

func (l *Login) cookieName() string { return l.named("licet-session") }

// named is the name of a cookie, with the prefix with which a browser lets nobody but
// this very host set it.
func (l *Login) named(name string) string {
	if l.Secure {
		return "__Host-" + name
	}
	return name
}

func (l *Login) secret(r *http.Request) (string, bool) {
	cookie, err := r.Cookie(l.cookieName())
	if err != nil || cookie.Value == "" {
		return "", false
	}
	return cookie.Value, true
}

// browserAge is how long a browser is known that has begun to sign in, in seconds:
// until what it has begun is over, and somewhat longer.
const browserAge = 60 * 60

// browser returns the handle of a browser: it ties the second step of a sign-in to
// the first. One that has none is given one.
func (l *Login) browser(w http.ResponseWriter, r *http.Request) string {
	name := l.named("licet-browser")
	if handle, known := l.known(r); known {
		return handle
	}
	handle := rand.Text()
	l.setCookie(w, name, handle, browserAge)
	r.AddCookie(&http.Cookie{Name: name, Value: handle}) // what else begins in this answer uses the same
	return handle
}

// known returns the handle that a browser has.
func (l *Login) known(r *http.Request) (string, bool) {
	cookie, err := r.Cookie(l.named("licet-browser"))
	if err != nil || cookie.Value == "" {
		return "", false
	}
	return cookie.Value, true
}

// setCookie sets a cookie for maxAge seconds, and takes it away when that is
// negative. It replaces what this answer has said about the cookie before: signing
// out and in again is one change for the browser.
//
// SameSite is Lax and not Strict, because people arrive from applications and
// have to be recognised then.
func (l *Login) setCookie(w http.ResponseWriter, name, value string, maxAge int) {
	h := w.Header()
	said := h.Values("Set-Cookie")
	h.Del("Set-Cookie")
	for _, line := range said {
		if !strings.HasPrefix(line, name+"=") {
			h.Add("Set-Cookie", line)
		}
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: l.Secure, SameSite: http.SameSiteLaxMode,
	})
}
