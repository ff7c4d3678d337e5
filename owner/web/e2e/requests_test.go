package e2e

import "testing"

// asks has Bob ask for a photo of Alice's, up to where he waits.
func (p *place) asks(t *testing.T, name string) (photo string) {
	t.Helper()
	photo = p.photo(t, name)
	bob := p.visitor(t, way{width: desk, scripts: true})
	bob.open(p.knockAt(t, photo, "ask"))
	bob.signIn(p.fixture.RequestingParties["bob"])
	bob.follow("#allow")
	if r := p.redeem(t, bob.wantAt("https://c1.example/claims").Get("ticket")); r.Error != "request_submitted" {
		t.Fatalf("Bob does not wait: %+v", r)
	}
	return photo
}

// Alice answers Bob: with less than he asked for, with not now and then all the same,
// and with never, which she takes back from the list of those who may not ask.
func TestAnsweringARequest(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		v.place.asks(v.t, "Sunset")
		v.open("/app/requests")
		v.signIn(v.place.fixture.Owners["alice"])
		v.want("#requests-listed .rows")
		v.look("somebody waits")
		v.follow("#requests-listed .btn")
		v.look("a request")
		v.follow("#allow")
		v.want("#problem")
		v.look("yes to nothing")
		v.press("[name=do-0-0]")
		v.follow("#allow")
		v.want("#promise")
		v.look("the promise")

		v.place.asks(v.t, "Moonrise")
		v.open("/app/requests")
		v.follow("#requests-listed .btn")
		v.follow("#later")
		v.want("#done", "#requests-listed .empty")
		v.look("not now")
		v.open("/app/requests?list=later")
		v.look("what was put off")
		v.follow("#requests-listed .btn")
		v.want("#later-note")
		v.look("a request that was put off")
		v.press("#told")
		v.follow("#later")
		v.want("#done", "#requests-listed .empty")

		v.place.asks(v.t, "Stars")
		v.open("/app/requests")
		v.follow("#requests-listed .btn")
		v.press("#apps")
		v.follow("#never")
		v.look("never from them")
		v.open("/app/people")
		v.look("people")
		v.follow("main a[href$='/app/blocked']")
		v.want("#blocked-ones .rows")
		v.look("who may not ask")
		v.follow("#blocked-ones .btn")
		v.want("#done", "#blocked-ones .empty")
		v.look("everybody may ask")
	})
}
