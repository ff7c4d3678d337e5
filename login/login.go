package login

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/licet/licet/as"
)

// Config is what Passwords needs.
type Config struct {
	AS *as.Server
	// Secure says that people come over https: the cookie is Secure and has the
	// prefix __Host-, which no other host, path or plain connection can plant.
	// False is for development on a loopback address.
	Secure bool
}

// Passwords signs people in. Its methods may be called concurrently.
type Passwords struct {
	Config
	slots chan struct{}
}

// hashesAtOnce bounds how many passwords are hashed at the same time, and so
// the memory that strangers at the sign-in form can make us use: 4 times 19
// MiB. The others wait.
const hashesAtOnce = 4

// New checks the configuration.
func New(c Config) (*Passwords, error) {
	if c.AS == nil {
		return nil, errors.New("login: no authorization server")
	}
	return &Passwords{Config: c, slots: make(chan struct{}, hashesAtOnce)}, nil
}

// Person returns the account that is signed in at this browser, and when it
// signed in; ok is false when nobody is. A store that cannot be asked knows
// nobody.
func (p *Passwords) Person(r *http.Request) (account as.Account, at time.Time, ok bool) {
	session, account, ok := p.session(r)
	return account, session.AuthTime, ok
}

// Session names the session of this browser, "" when nobody is signed in.
func (p *Passwords) Session(r *http.Request) as.SessionID {
	session, _, _ := p.session(r)
	return session.ID
}

func (p *Passwords) session(r *http.Request) (as.Session, as.Account, bool) {
	secret, found := p.secret(r)
	if !found {
		return as.Session{}, as.Account{}, false
	}
	session, account, err := p.AS.Session(r.Context(), secret)
	if err != nil {
		if !errors.Is(err, as.ErrNotFound) {
			p.AS.Log.ErrorContext(r.Context(), "session not read", "error", err)
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
func (p *Passwords) SignIn(w http.ResponseWriter, r *http.Request, email, password string) (bool, error) {
	ctx := r.Context()
	_, in, _ := p.session(r)
	account, attempt, err := p.AS.BeginSignIn(ctx, email, r.RemoteAddr, in.ID)
	if err != nil {
		return false, err
	}
	hash := account.PasswordHash
	if hash == "" {
		hash = decoy
	}
	right, err := p.check(ctx, hash, password)
	if err != nil || !right || account.ID == "" || account.Disabled {
		return false, err
	}
	old, _ := p.secret(r)
	secret, err := p.AS.OpenSession(ctx, account.ID, as.Entry{Old: old, Attempt: attempt, Method: as.ByPassword, Agent: r.UserAgent()})
	if err != nil {
		return false, err
	}
	p.setCookie(w, secret, int(p.AS.Lifetimes.Session/time.Second))
	return true, nil
}

// SignOut ends the browser's session, everywhere, and takes its cookie away.
func (p *Passwords) SignOut(w http.ResponseWriter, r *http.Request) error {
	if secret, found := p.secret(r); found {
		if err := p.AS.EndSession(r.Context(), secret); err != nil {
			return err
		}
	}
	p.setCookie(w, "", -1)
	return nil
}

// decoy is the hash against which the password for an unknown account is
// checked. Its sum is all zero, which nobody knows a password for.
var decoy = phc(defaultCost, make([]byte, saltBytes), make([]byte, sumBytes))

// check hashes the password when there is a slot for it.
func (p *Passwords) check(ctx context.Context, hash, password string) (bool, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-p.slots }()
	return CheckPassword(hash, password)
}

func (p *Passwords) cookieName() string {
	if p.Secure {
		return "__Host-licet-session"
	}
	return "licet-session"
}

func (p *Passwords) secret(r *http.Request) (string, bool) {
	cookie, err := r.Cookie(p.cookieName())
	if err != nil || cookie.Value == "" {
		return "", false
	}
	return cookie.Value, true
}

// setCookie sets the session cookie for maxAge seconds, and takes it away when
// that is negative. It replaces what this answer has said about the cookie
// before: signing out and in again is one change for the browser.
//
// SameSite is Lax and not Strict, because people arrive from applications and
// have to be recognised then.
func (p *Passwords) setCookie(w http.ResponseWriter, secret string, maxAge int) {
	h := w.Header()
	said := h.Values("Set-Cookie")
	h.Del("Set-Cookie")
	for _, line := range said {
		if !strings.HasPrefix(line, p.cookieName()+"=") {
			h.Add("Set-Cookie", line)
		}
	}
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(), Value: secret, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode,
	})
}
