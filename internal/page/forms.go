package page

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
)

// What a browser sends is believed only when it comes from a page of ours that
// this very browser was shown. Three things stand in the way of a foreign page:
// the session cookie is SameSite=Lax, a cross-origin POST is refused by what the
// browser itself says about it, and every form carries a token that is bound to
// the browser and to what its page was about.

// FieldForm is the input that carries the anti-forgery token.
const FieldForm = "csrf"

// CookieForm is the cookie that says which browser a form was shown to.
const CookieForm = "licet-form"

// Form returns the anti-forgery token for forms that are about the given things,
// such as a path and who is signed in. It is to be called before the answer is
// written, because it may set a cookie.
func (a *Answer) Form(about ...string) string {
	secret, found := a.Cookie(CookieForm)
	if !found {
		secret = rand.Text()
		a.SetCookie(CookieForm, secret, 0)
		a.R.AddCookie(&http.Cookie{Name: a.pages.CookieName(CookieForm), Value: secret}) // a second form on the page uses the same
	}
	return a.pages.formToken(secret, about)
}

// FromHere reports whether the token came from a form of this browser about the
// given things.
func (a *Answer) FromHere(token string, about ...string) bool {
	secret, found := a.Cookie(CookieForm)
	return found && hmac.Equal([]byte(token), []byte(a.pages.formToken(secret, about)))
}

// SameOrigin is the error of a request that another site's page made, by what the
// browser says of it.
func (a *Answer) SameOrigin() error { return new(http.CrossOriginProtection).Check(a.R) }

func (p *Pages) formToken(secret string, about []string) string {
	mac := hmac.New(sha256.New, p.FormKey)
	for _, part := range append([]string{secret}, about...) {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CookieName adds the prefix with which a browser lets nobody but this very host
// set the cookie.
func (p *Pages) CookieName(name string) string {
	if p.secure {
		return "__Host-" + name
	}
	return name
}

// Cookie returns a cookie that the browser sent.
func (a *Answer) Cookie(name string) (string, bool) {
	cookie, err := a.R.Cookie(a.pages.CookieName(name))
	if err != nil || cookie.Value == "" {
		return "", false
	}
	return cookie.Value, true
}

// SetCookie sets a cookie for maxAge seconds; 0 is until the browser closes, a
// negative age takes the cookie away.
func (a *Answer) SetCookie(name, value string, maxAge int) {
	http.SetCookie(a.W, &http.Cookie{
		Name: a.pages.CookieName(name), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: a.pages.secure, SameSite: http.SameSiteLaxMode,
	})
}
