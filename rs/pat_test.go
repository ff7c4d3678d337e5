package rs

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/assertion"
	"github.com/licet/licet/uma"
)

// tokenEndpoint makes the double hand out pat-1, pat-2, … for refresh tokens of
// one use, and for client credentials.
func tokenEndpoint(d *double) {
	issued, refresh := 0, "refresh-0"
	d.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/token" {
			return false
		}
		asked := d.seen[len(d.seen)-1]
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("photos%3Aprod:s%C3%A9cret"))
		switch {
		case r.Header.Get("Authorization") != basic:
			d.say(w, 401, `{"error":"invalid_client"}`)
			return true
		case asked.body == "grant_type=client_credentials&scope=uma_protection":
		case asked.body == "grant_type=refresh_token&refresh_token="+refresh:
		default:
			d.say(w, 400, `{"error":"invalid_grant"}`)
			return true
		}
		issued++
		refresh = fmt.Sprintf("refresh-%d", issued)
		pat := fmt.Sprintf("pat-%d", issued)
		d.pats = map[string]Owner{pat: "alice"}
		d.say(w, 200, `{"access_token":%q,"token_type":"Bearer","expires_in":100,"refresh_token":%q,"x_unknown":1}`, pat, refresh)
		return true
	}
}

// keep is a store of one refresh token.
type keep struct {
	mu    sync.Mutex
	token Secret
	err   error
}

func (k *keep) RefreshToken(_ context.Context, owner Owner) (Secret, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if owner != "alice" {
		return "", nil
	}
	return k.token, nil
}

func (k *keep) SaveRefreshToken(_ context.Context, _ Owner, token Secret) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.token = token
	return k.err
}

func refreshing(t *testing.T) (*photos, *keep) {
	p := newPhotos(t)
	k := &keep{token: "refresh-0"}
	p.as.locked(func() { tokenEndpoint(p.as) })
	p.api.pats = RefreshPAT(OAuth{Issuer: p.as.URL, ClientID: "photos:prod", ClientSecret: "sécret", Now: p.clock.now}, k)
	p.as.forget()
	return p, k
}

func TestAPATIsRenewedWhenItEndsAndWhenItIsRefused(t *testing.T) {
	p, k := refreshing(t)
	renewals := func() int { return len(p.as.asked("/token")) }
	for range 3 {
		challenged(t, p, p.call("GET", "/alice/album", ""))
	}
	if renewals() != 1 || k.token != "refresh-1" {
		t.Errorf("%d renewals, the refresh token is %q", renewals(), string(k.token))
	}
	p.clock.advance(100 * time.Second) // it ended
	challenged(t, p, p.call("GET", "/alice/album", ""))
	p.as.locked(func() { p.as.pats = nil }) // it was revoked
	challenged(t, p, p.call("GET", "/alice/album", ""))
	if renewals() != 3 || k.token != "refresh-3" {
		t.Errorf("%d renewals, the refresh token is %q", renewals(), string(k.token))
	}
	// The owner disconnected the resource server.
	k.token = "gone"
	p.as.locked(func() { p.as.pats = nil })
	p.as.forget()
	unreachable(t, p.call("GET", "/alice/album", ""))
	if renewals() != 1 {
		t.Errorf("%d attempts", renewals())
	}
}

func TestAPATThatIsRefusedAfterItsRenewalIsNotRenewedAgain(t *testing.T) {
	p, _ := refreshing(t)
	p.as.locked(func() {
		endpoint := p.as.intercept
		p.as.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			done := endpoint(w, r)
			p.as.pats = nil
			return done
		}
	})
	unreachable(t, p.call("GET", "/alice/album", ""))
	if n := len(p.as.asked("/token")); n != 2 { // the first PAT, and one renewal
		t.Errorf("%d token requests", n)
	}
}

func TestOneRefreshTokenIsUsedOnceHoweverManyNeedIt(t *testing.T) {
	p, _ := refreshing(t)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { challenged(t, p, p.call("GET", "/alice/album", "")) })
	}
	all.Wait()
	if n := len(p.as.asked("/token")); n != 1 {
		t.Errorf("%d token requests", n)
	}
}

func TestARefreshTokenThatCannotBeKeptIsTold(t *testing.T) {
	p, k := refreshing(t)
	k.err = errors.New("disk full")
	unreachable(t, p.call("GET", "/alice/album", ""))
	if len(p.alarms) != 1 || !strings.Contains(p.alarms[0].Error(), "disk full") {
		t.Errorf("the alarm heard %v", p.alarms)
	}
	challenged(t, p, p.call("GET", "/alice/album", "")) // the PAT itself is good
}

func TestAnOrganisationsPATIsForItselfOnly(t *testing.T) {
	p, _ := refreshing(t)
	p.api.pats = ClientCredentialsPAT(OAuth{Issuer: p.as.URL, ClientID: "photos:prod", ClientSecret: "sécret", Now: p.clock.now}, "alice")
	challenged(t, p, p.call("GET", "/alice/album", ""))
	p.as.forget()
	unreachable(t, p.call("GET", "/anna/album", ""))
	if len(p.as.asked("/")) != 0 {
		t.Error("the authorization server was asked for another owner")
	}
}

func TestATokenAnswerThatIsNoneIsNoPAT(t *testing.T) {
	for _, body := range []string{`{}`, `{"access_token":"pat-1","token_type":"DPoP"}`, `{"access_token":"","token_type":"Bearer"}`, `pat-1`} {
		p, _ := refreshing(t)
		p.as.locked(func() {
			p.as.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				p.as.pats["pat-1"] = "alice"
				if r.URL.Path == "/token" {
					p.as.say(w, 200, "%s", body)
				}
				return r.URL.Path == "/token"
			}
		})
		unreachable(t, p.call("GET", "/alice/album", ""))
	}
}

func TestSecretsPrintAsFingerprints(t *testing.T) {
	oauth := OAuth{ClientID: "photos", ClientSecret: "hush"}
	if s := fmt.Sprintf("%v %+v %#v %s", oauth, oauth, oauth, oauth.ClientSecret); strings.Contains(s, "hush") {
		t.Error(s)
	}
	if s := fmt.Sprintf("%v %#v", StaticPAT{"alice": uma.PAT("hush")}, StaticPAT{"alice": uma.PAT("hush")}); strings.Contains(s, "hush") {
		t.Error(s)
	}
}

func TestAPanicOfASourceIsAnErrorOfTheRequest(t *testing.T) {
	var f flight[int]
	if _, err := f.do(t.Context(), "", func(context.Context) (int, error) { panic("broken") }); err == nil {
		t.Error("the panic is not told")
	}
	if v, err := f.do(t.Context(), "", func(context.Context) (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Error("the flight is stuck")
	}
}

func TestAWaitingCallerMayLeaveAndTheWorkGoesOn(t *testing.T) {
	var f flight[int]
	started, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := f.do(ctx, "", func(ctx context.Context) (int, error) {
			close(started)
			<-release
			done <- ctx.Err()
			return 0, nil
		})
		left <- err
	}()
	<-started
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller who left got %v", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Errorf("the work ended with the caller: %v", err)
	}
}

func TestAResourceServerAuthenticatesInOneWay(t *testing.T) {
	p := newPhotos(t)
	key, err := assertion.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	both := OAuth{Issuer: p.as.URL, ClientID: "photos", ClientSecret: "s", AuthKey: key}
	if pat, err := ClientCredentialsPAT(both, "alice").PAT(t.Context(), "alice", ""); err == nil || len(p.as.asked("/token")) > 0 {
		t.Errorf("with a secret and a key it has %s, %v", pat, err)
	}
}
