package login

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/teststore"
)

const password = "correct horse"

// desk is a sign-in over a real store, with a clock to turn.
type desk struct {
	*Login
	t   *testing.T
	now time.Time
	bob as.Account
}

func newDesk(t *testing.T, secure bool, options ...func(*as.Config)) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	store := teststore.Open(t)
	c := as.Config{
		Issuer: "https://as.example", Store: store, Now: func() time.Time { return d.now },
		Secrets: as.Secrets{Digest: bytes.Repeat([]byte{1}, 32), Seal: [][]byte{bytes.Repeat([]byte{2}, 32)}},
	}
	for _, change := range options {
		change(&c)
	}
	server, err := as.New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	if d.Login, err = New(Config{AS: server, Secure: secure, Methods: Methods{Passwords: true, Guests: true}}); err != nil {
		t.Fatal(err)
	}
	hash, err := HashPassword(password, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d.bob = d.account(as.Account{Email: "bob@example.com", EmailVerified: true, PasswordHash: hash})
	return d
}

func (d *desk) account(a as.Account) as.Account {
	d.t.Helper()
	a, _, err := d.AS.CreateAccount(context.Background(), a, "")
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// signIn returns the cookie, nil when the sign-in was refused.
func (d *desk) signIn(email, password string) *http.Cookie {
	d.t.Helper()
	w := httptest.NewRecorder()
	ok, err := d.SignIn(w, atSignIn(context.Background()), email, password)
	if err != nil {
		d.t.Fatal(err)
	}
	cookies := w.Result().Cookies()
	if ok != (len(cookies) == 1) {
		d.t.Fatalf("signed in: %v, but there are %d cookies", ok, len(cookies))
	}
	if !ok {
		return nil
	}
	return cookies[0]
}

func with(cookie *http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(cookie)
	return r
}

func TestSignInNeedsTheRightPassword(t *testing.T) {
	d := newDesk(t, true)
	cookie := d.signIn("Bob@Example.com", password) // any spelling of the address
	if cookie == nil {
		t.Fatal("the right password was refused")
	}
	account, at, ok := d.Person(with(cookie))
	if !ok || account.ID != d.bob.ID || !at.Equal(d.now) {
		t.Errorf("signed in is %v since %v (%v)", account.ID, at, ok)
	}
	if d.signIn("bob@example.com", password+"!") != nil {
		t.Error("a wrong password was accepted")
	}
}

func TestRefusalDoesNotTellWhy(t *testing.T) {
	d := newDesk(t, true)
	gone := d.account(as.Account{Email: "gone@example.com", PasswordHash: d.bob.PasswordHash})
	d.account(as.Account{Email: "passwordless@example.com"})
	if err := d.AS.DisableAccount(context.Background(), gone.ID); err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{"bob@example.com", "nobody@example.com", "gone@example.com", "passwordless@example.com", "no address", ""} {
		attempt := "wrong " + password
		if email != "bob@example.com" {
			attempt = password
		}
		w := httptest.NewRecorder()
		if ok, err := d.SignIn(w, atSignIn(context.Background()), email, attempt); ok || err != nil || len(w.Header()) != 0 {
			t.Errorf("%q: %v, %v, %v", email, ok, err, w.Header())
		}
	}
}

// While every slot is taken, an unknown account waits like a known one: the
// work is the same, and so is the memory that is in use.
func TestHashingIsBoundedAndTheSameForUnknownAccounts(t *testing.T) {
	d := newDesk(t, true)
	for range hashesAtOnce {
		d.slots <- struct{}{}
	}
	for _, email := range []string{"bob@example.com", "nobody@example.com"} {
		ctx, cancel := context.WithCancel(context.Background())
		result := make(chan error, 1)
		go func() {
			_, err := d.SignIn(httptest.NewRecorder(), atSignIn(ctx), email, password)
			result <- err
		}()
		select {
		case err := <-result:
			t.Fatalf("%s was hashed beyond the bound: %v", email, err)
		case <-time.After(50 * time.Millisecond):
		}
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", email, err)
		}
	}
	<-d.slots
	if d.signIn("bob@example.com", password) == nil {
		t.Error("a free slot is not used")
	}
}

func TestSessionCookieIsForThisHostAndNoScript(t *testing.T) {
	for secure, name := range map[bool]string{true: "__Host-licet-session", false: "licet-session"} {
		c := newDesk(t, secure).signIn("bob@example.com", password)
		if c.Name != name || c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("secure %v: %s", secure, c)
		}
		if want := int((12 * time.Hour).Seconds()); c.MaxAge != want || len(c.Value) < 43 {
			t.Errorf("lives %d s with a secret of %d characters", c.MaxAge, len(c.Value))
		}
	}
}

func TestSignOutEndsTheSessionAndNotOnlyTheCookie(t *testing.T) {
	d := newDesk(t, true)
	cookie, other := d.signIn("bob@example.com", password), d.signIn("bob@example.com", password)
	if cookie.Value == other.Value {
		t.Error("two sign-ins have the same session")
	}
	w := httptest.NewRecorder()
	if err := d.SignOut(w, with(cookie)); err != nil {
		t.Fatal(err)
	}
	if set := w.Result().Cookies(); len(set) != 1 || set[0].Name != cookie.Name || set[0].MaxAge >= 0 || set[0].Value != "" {
		t.Errorf("the cookie is not taken away: %v", set)
	}
	if _, _, ok := d.Person(with(cookie)); ok {
		t.Error("a copy of the cookie still signs in")
	}
	if _, _, ok := d.Person(with(other)); !ok {
		t.Error("another browser was signed out")
	}
	if err := d.SignOut(httptest.NewRecorder(), with(cookie)); err != nil {
		t.Errorf("signing out twice: %v", err)
	}
}

func TestSigningOutAndInIsOneChangeOfTheCookie(t *testing.T) {
	d := newDesk(t, true)
	old := d.signIn("bob@example.com", password)
	w := httptest.NewRecorder()
	http.SetCookie(w, &http.Cookie{Name: "another", Value: "kept"})
	if err := d.SignOut(w, with(old)); err != nil {
		t.Fatal(err)
	}
	if ok, err := d.SignIn(w, atSignIn(context.Background()), "bob@example.com", password); !ok || err != nil {
		t.Fatal(ok, err)
	}
	set := w.Result().Cookies()
	if len(set) != 2 || set[0].Name != "another" || set[1].Name != old.Name || set[1].Value == "" {
		t.Errorf("the answer sets %v", set)
	}
}

func TestSessionEnds(t *testing.T) {
	t.Run("after its time", func(t *testing.T) {
		d := newDesk(t, true)
		cookie := d.signIn("bob@example.com", password)
		d.now = d.now.Add(12*time.Hour - time.Millisecond)
		if _, _, ok := d.Person(with(cookie)); !ok {
			t.Error("ended early")
		}
		d.now = d.now.Add(time.Millisecond)
		if _, _, ok := d.Person(with(cookie)); ok {
			t.Error("lives on")
		}
	})
	t.Run("with the account", func(t *testing.T) {
		d := newDesk(t, true)
		cookie := d.signIn("bob@example.com", password)
		if err := d.AS.DisableAccount(context.Background(), d.bob.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, ok := d.Person(with(cookie)); ok {
			t.Error("a disabled account is signed in")
		}
	})
}

func TestOtherCookiesSignNobodyIn(t *testing.T) {
	d := newDesk(t, true)
	good := d.signIn("bob@example.com", password)
	for _, c := range []http.Cookie{
		{Name: "licet-session", Value: good.Value}, {Name: good.Name, Value: ""},
		{Name: good.Name, Value: good.Value + "A"}, {Name: good.Name, Value: good.Value[:len(good.Value)-1]},
	} {
		if _, _, ok := d.Person(with(&c)); ok {
			t.Errorf("%s=%s signs in", c.Name, c.Value)
		}
	}
	if _, _, ok := d.Person(httptest.NewRequest(http.MethodGet, "/", nil)); ok {
		t.Error("no cookie signs in")
	}
}

// atSignIn is a browser's request to the sign-in form, without a cookie.
func atSignIn(ctx context.Context) *http.Request {
	return httptest.NewRequestWithContext(ctx, http.MethodPost, "/sign-in", nil)
}

// Whoever has told no language is written to in that of the browser they come in with;
// whoever has, goes on in theirs.
func TestTheLanguageOfTheFirstBrowserIsRemembered(t *testing.T) {
	d := newDesk(t, true)
	for _, browser := range []string{"de", "fr"} {
		d.Login.Language = func(*http.Request) string { return browser }
		if d.signIn("bob@example.com", password) == nil {
			t.Fatal("he is not in")
		}
		if bob, err := d.AS.AccountByEmail(t.Context(), "bob@example.com"); err != nil || bob.Language != "de" {
			t.Errorf("with a browser in %s he is written to in %q, %v", browser, bob.Language, err)
		}
	}
}
