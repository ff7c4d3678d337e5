package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// Bob's application goes for a photo of Alice's. He says who he is and why he asks,
// waits, and when Alice says yes his page opens by itself. He finds the photo among
// what he can use, and gives it back.
func TestAskingWaitingAndGivingBack(t *testing.T) {
	journey(t, everyWay, func(v *visitor) {
		bob := v.place.fixture.RequestingParties["bob"]
		v.open(v.place.knockAt(v.t, v.place.photo(v.t, "Harbour"), "ask"))
		v.signIn(bob)
		v.want("#visit", "#why")
		v.look("may I?")
		v.write("#why", "I help with the album.")
		v.follow("#allow")
		if r := v.place.redeem(v.t, v.wantAt("https://c1.example/claims").Get("ticket")); r.Error != "request_submitted" {
			v.fatalf("Bob does not wait: %+v", r)
		}
		v.open("/app/asked")
		v.want("#asked .rows")
		v.look("what he has asked for")
		v.follow("#asked .rows li:first-child a")
		v.want("[data-waits]", "#look")
		v.look("he waits")
		if !v.way.scripts {
			v.follow("#often")
			v.look("he waits, and the page is loaded again and again")
		}
		v.leads("the answer", func() { v.place.answer(v.t, strings.TrimPrefix(v.at().Path, "/app/asked/"), "approve") })
		v.want("#go", "#open")
		v.look("the answer is yes")
		v.follow("section a[href$='/app/received']")
		v.want("#received .rows")
		v.look("what he can use")
		v.press("#received li:first-child summary")
		v.look("is it to be given back?")
		v.follow("#received li:first-child .btn.stop")
		v.wantAt("/app/received")
		v.want("#done")
		v.look("given back")
	})
}

// A no is told, kindly.
func TestAnAnswerThatIsNo(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		v.place.asks(v.t, "Secret garden")
		v.open("/app/asked")
		v.signIn(v.place.fixture.RequestingParties["bob"])
		v.follow("#asked .rows li:first-child a")
		if !v.way.scripts {
			v.follow("#often")
		}
		v.leads("the answer", func() { v.place.answer(v.t, strings.TrimPrefix(v.at().Path, "/app/asked/"), "deny") })
		v.want("#answer")
		v.look("the answer is no")
		if v.has("#go") || v.has("#open") {
			v.t.Error("the page leads on")
		}
	})
}

// Somebody with things of their own finds what others opened to them from home.
func TestAnOwnerIsAlsoSomebodyElsesGuest(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		v.open("/app/")
		v.signIn(v.place.fixture.Owners["anna"])
		v.follow("main a[href$='/app/received']")
		v.want("#received .empty", ".tabs")
		v.look("nothing to use")
		v.follow("main a[href$='/app/asked']")
		v.look("nothing asked for")
	})
}

// Somebody opens a link that Alice made, takes it, and gets in with an app without
// saying who they are. A link that never was is told kindly.
func TestALinkIsOpenedAndTaken(t *testing.T) {
	p := visit(t)
	photo := p.photo(t, "Garden")
	alice := p.visitor(t, way{width: desk, scripts: true})
	alice.open("/app/share?thing=" + photo)
	alice.signIn(p.fixture.Owners["alice"])
	alice.press("#who-link")
	alice.follow("#check")
	alice.follow("#do-share")
	link := alice.value("#link")
	journey(t, everyWay, func(v *visitor) {
		v.open("/l/never-was")
		v.want("#error")
		v.look("a link that never was")
		v.open(link)
		v.wantAt("/l")
		v.want("#opens", "#take")
		v.look("a link")
		v.follow("#take")
		v.wantAt("/l")
		v.want("#held")
		v.look("a link that was taken")
		v.open(v.place.knockFor(v.t, photo))
		v.want("#visit", "#who")
		v.look("an app asks for what the link opens")
		v.follow("#allow")
		if q := v.wantAt("https://c1.example/claims"); q.Get("ticket") == "" {
			v.t.Errorf("the application was told %v", q)
		}
		v.open("/l")
		v.follow("#drop")
		v.want("#take")
	})
}

// answer answers a request as Alice does.
func (p *place) answer(t *testing.T, id, how string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, p.fixture.Issuer+"/owner/requests/"+id+"/"+how, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.fixture.PolicyTokens["alice"])
	send(t, req, http.StatusOK, &struct{}{})
}
