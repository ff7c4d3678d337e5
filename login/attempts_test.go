package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/limit"
)

// bounded is a desk where little may be tried.
func bounded(t *testing.T, account, address int) *desk {
	t.Helper()
	return newDesk(t, true, func(c *as.Config) {
		c.Attempts = as.Attempts{Account: limit.Rate{Count: account, Per: 15 * time.Minute}, Address: limit.Rate{Count: address, Per: 15 * time.Minute}}
	})
}

// another is the sign-in of a second node on the same store.
func (d *desk) another() *Login {
	d.t.Helper()
	server, err := as.New(context.Background(), d.AS.Config)
	if err != nil {
		d.t.Fatal(err)
	}
	p, err := New(Config{AS: server, Secure: true, Methods: Methods{Passwords: true}})
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

// try signs in at a node from an address, and says how long one has to wait.
func (d *desk) try(at *Login, from, email, password string, cookies ...*http.Cookie) (ok bool, wait time.Duration) {
	d.t.Helper()
	r := atSignIn(context.Background())
	r.RemoteAddr = from + ":99"
	for _, c := range cookies {
		r.AddCookie(c)
	}
	ok, err := at.SignIn(httptest.NewRecorder(), r, email, password)
	var many as.TooManyAttempts
	if err != nil && (!errors.As(err, &many) || ok || many.Wait <= 0) {
		d.t.Fatal(ok, err)
	}
	return ok, many.Wait
}

// An account is shut after so many attempts, in whatever spelling, from wherever
// and at whatever node; and so is an address that has no account, after as many,
// for as long.
//
// Proves SEC-098, PEER-CVE-2025-24806.
func TestOneCountForEachAccountAtAllNodes(t *testing.T) {
	for _, who := range []string{"bob", "nobody"} {
		d := bounded(t, 5, 100)
		nodes := []*Login{d.Login, d.another()}
		spellings := []string{who + "@example.com", who + "@Example.COM", " " + who + "@example.com\t", "B" + who[1:] + "@example.com"}
		if who == "nobody" {
			spellings[3] = "NOBODY@example.com"
		}
		for n := range 5 {
			if ok, wait := d.try(nodes[n%2], fmt.Sprintf("198.51.100.%d", n), spellings[n%4], "not the password"); ok || wait != 0 {
				t.Fatalf("%s: attempt %d: %v, %v", who, n, ok, wait)
			}
			d.now = d.now.Add(time.Minute)
		}
		for n := range 8 {
			ok, wait := d.try(nodes[n%2], fmt.Sprintf("198.51.100.%d", n), spellings[n%4], password)
			if ok || wait != 10*time.Minute {
				t.Errorf("%s: one too many with the right password: %v, wait %v", who, ok, wait)
			}
		}
		d.now = d.now.Add(10 * time.Minute)
		if ok, wait := d.try(nodes[1], "198.51.100.1", spellings[0], password); ok != (who == "bob") || wait != 0 {
			t.Errorf("%s: after the time: %v, %v", who, ok, wait)
		}
	}
}

func TestOneAddressTriesSoManyAccounts(t *testing.T) {
	d := bounded(t, 100, 5)
	for n := range 5 {
		if _, wait := d.try(d.Login, fmt.Sprintf("2001:db8::%d", n), fmt.Sprintf("person%d@example.com", n), password); wait != 0 {
			t.Fatalf("attempt %d has to wait %v", n, wait)
		}
	}
	if ok, wait := d.try(d.another(), "2001:db8::99", "bob@example.com", password); ok || wait == 0 {
		t.Errorf("from the same network: %v, %v", ok, wait)
	}
	if ok, _ := d.try(d.Login, "2001:db8:0:1::1", "bob@example.com", password); !ok {
		t.Error("from another network it is refused")
	}
}

// Attempts are counted before the password is looked at: however many come at the
// same time, so many are tried.
func TestAttemptsAtTheSameTimeAreNotMore(t *testing.T) {
	d := bounded(t, 5, 100)
	nodes := []*Login{d.Login, d.another()}
	var tried, refused atomic.Int64
	var all sync.WaitGroup
	for n := range 24 {
		all.Go(func() {
			r := atSignIn(context.Background())
			_, err := nodes[n%2].SignIn(httptest.NewRecorder(), r, "bob@example.com", "not the password")
			var many as.TooManyAttempts
			switch {
			case err == nil:
				tried.Add(1)
			case errors.As(err, &many):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if tried.Load() != 5 || refused.Load() != 19 {
		t.Errorf("%d were tried and %d refused", tried.Load(), refused.Load())
	}
}

func TestTheRightPasswordIsNotCounted(t *testing.T) {
	d := bounded(t, 2, 2)
	d.try(d.Login, "198.51.100.1", "bob@example.com", "not the password")
	for range 5 {
		if ok, wait := d.try(d.Login, "198.51.100.1", "bob@example.com", password); !ok || wait != 0 {
			t.Fatal(ok, wait)
		}
	}
	d.try(d.Login, "198.51.100.1", "bob@example.com", "not the password")
	if ok, wait := d.try(d.Login, "198.51.100.1", "bob@example.com", password); ok || wait == 0 {
		t.Error("a right password took away the count of the wrong ones")
	}
}

// Others may shut an account by trying, but not where its owner is signed in: the
// session stays, and with it the owner signs in anew. Without it, nobody uses up
// what the owner may try with it.
func TestNobodyIsShutOutWhereTheyAreSignedIn(t *testing.T) {
	d := bounded(t, 3, 100)
	cookie := d.signIn("bob@example.com", password)
	for range 10 {
		d.try(d.Login, "203.0.113.66", "bob@example.com", "not the password")
	}
	if ok, wait := d.try(d.Login, "198.51.100.1", "bob@example.com", password); ok || wait == 0 {
		t.Fatal("the account is not shut")
	}
	if account, _, in := d.Person(with(cookie)); !in || account.ID != d.bob.ID {
		t.Error("the session has ended")
	}
	for range 2 {
		d.try(d.Login, "198.51.100.1", "bob@example.com", "not the password", cookie)
	}
	if ok, wait := d.try(d.Login, "198.51.100.1", "bob@example.com", password, cookie); !ok {
		t.Errorf("with the session one has to wait %v", wait)
	}
	// A session is no way around: it has a count of its own.
	cookie = d.signInAs("bob@example.com", cookie)
	for range 3 {
		d.try(d.Login, "203.0.113.66", "bob@example.com", "not the password", cookie)
	}
	if ok, wait := d.try(d.Login, "203.0.113.66", "bob@example.com", password, cookie); ok || wait == 0 {
		t.Error("with a session one may try for ever")
	}
	// And it is a way around for nobody else.
	carlos := d.account(as.Account{Email: "carlos@example.com", PasswordHash: d.bob.PasswordHash})
	other := d.signIn(carlos.Email, password)
	if ok, wait := d.try(d.Login, "198.51.100.1", "bob@example.com", password, other); ok || wait == 0 {
		t.Error("another person's session opens the account")
	}
}

// Whoever waits is not kept waiting by those who go on.
func TestAttemptsThatAreRefusedPutNothingOff(t *testing.T) {
	d := bounded(t, 2, 100)
	begin := d.now
	for d.now.Sub(begin) < 15*time.Minute {
		d.try(d.Login, "203.0.113.66", "bob@example.com", "not the password")
		d.now = d.now.Add(time.Minute)
	}
	if ok, wait := d.try(d.Login, "198.51.100.1", "bob@example.com", password); !ok {
		t.Errorf("after fifteen minutes one has to wait %v", wait)
	}
}

func TestWithoutLimitsAttemptsAreNotCounted(t *testing.T) {
	d := newDesk(t, true, func(c *as.Config) { c.Attempts = as.Attempts{Account: limit.Off, Address: limit.Off} })
	for range 25 {
		if _, wait := d.try(d.Login, "198.51.100.1", "bob@example.com", "not the password"); wait != 0 {
			t.Fatal(wait)
		}
	}
}

// signInAs signs in with a cookie and returns the new one.
func (d *desk) signInAs(email string, cookie *http.Cookie) *http.Cookie {
	d.t.Helper()
	w, r := httptest.NewRecorder(), atSignIn(context.Background())
	d.now = d.now.Add(15 * time.Minute)
	if cookie != nil {
		r.AddCookie(cookie)
	}
	if ok, err := d.SignIn(w, r, email, password); !ok || err != nil {
		d.t.Fatal(ok, err)
	}
	// The account is shut again for those without a session.
	for range 3 {
		d.try(d.Login, "203.0.113.66", email, "not the password")
	}
	return w.Result().Cookies()[0]
}
