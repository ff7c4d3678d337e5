package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// uses has Bob use a photo of Alice's that is shared with him, once.
func (p *place) uses(t *testing.T, photo string) {
	t.Helper()
	bob := p.visitor(t, way{width: desk, scripts: true})
	bob.open(p.knockAt(t, photo, "none"))
	bob.signIn(p.fixture.RequestingParties["bob"])
	bob.follow("#allow")
	form := func(path, user, secret string, values url.Values, to any) {
		req, err := http.NewRequest(http.MethodPost, p.fixture.Issuer+path, strings.NewReader(values.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		if req.Header.Set("Content-Type", "application/x-www-form-urlencoded"); user == "" {
			req.Header.Set("Authorization", "Bearer "+secret)
		} else {
			req.SetBasicAuth(user, secret)
		}
		send(t, req, http.StatusOK, to)
	}
	var token struct {
		Access string `json:"access_token"`
	}
	app := p.fixture.Clients["c1"]
	form("/token", app.ID, app.Secret, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:uma-ticket"}, "ticket": {bob.wantAt("https://c1.example/claims").Get("ticket")},
	}, &token)
	var told struct{ Active bool }
	form("/introspect", "", p.fixture.PATs["alice@rs1"], url.Values{"token": {token.Access}}, &told)
	if !told.Active {
		t.Fatal("Bob is not let in")
	}
}

// Alice sees what Bob has really used, stops it, and opens it again from what was open
// before.
func TestWhatWasUsedAndWhatWasOpen(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		photo := v.place.photo(t, "Sunrise")
		v.place.uses(t, photo)
		v.open("/app/things/" + photo)
		v.signIn(v.place.fixture.Owners["alice"])
		for begin := time.Now(); !v.has("#used .time"); v.open("/app/things/" + photo) { // the server notes uses every second
			if time.Since(begin) > patience {
				v.fatalf("it is not told that Bob has used it")
			}
		}
		v.look("a thing that was used")
		v.open("/app/history?thing=" + photo)
		v.want("#used .time")
		v.look("the history of a thing")
		v.open("/app/history?slide=90")
		v.want("#slide", "#then li")
		v.look("who could see what on a day")
		v.open("/app/history?slide=90&thing=" + photo)
		v.want("#then li", ".lanes .now")
		v.look("who could see a thing on a day")
		v.follow("#slide-go")
		v.want("#then li")
		v.open("/app/history?day=" + time.Now().UTC().AddDate(0, 0, -100).Format(time.DateOnly) + "&thing=" + photo)
		v.want("#then", ".lanes")
		if v.has(".lanes .now") {
			t.Error("a day before all lanes is marked in them")
		}
		v.look("a day on which nobody could see a thing")
		v.open("/app/things/" + photo)
		v.follow("#who-can a[href*='/app/could']")
		v.look("seen as Bob")
		v.open("/app/things/" + photo)
		v.follow("#who-can .name a")
		v.want("#used .time")
		v.look("Bob")
		bob := v.at().Path
		v.open("/app/history?slide=90&person=" + bob[strings.LastIndex(bob, "/")+1:])
		v.want("#then li", ".lanes .now")
		v.look("what Bob could see on a day")
		v.open(bob)
		v.follow("#share")
		v.look("what would you like to share with Bob?")
		v.open("/app/things/" + photo)
		v.follow("#who-can a.stop")
		v.follow("#do-stop")
		v.want("#past", "#done")
		v.open("/app/things/" + photo)
		v.look("a thing that was open")
		v.follow("#past .btn")
		v.look("open it again?")
		v.follow("#do-reopen")
		v.want("#promise")
	})
}
