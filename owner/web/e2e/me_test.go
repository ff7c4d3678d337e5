package e2e

import "testing"

// Alice asks Anna to help for a time: Anna says yes, acts for Alice with a banner on
// every page, and gives it up again.
func TestHelpingSomebody(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		alice, anna := v.place.fixture.Owners["alice"], v.place.fixture.Owners["anna"]
		v.open("/app/me")
		v.signIn(alice)
		v.wantAt("/app/me")
		v.look("about Alice")
		v.follow("#roles")
		v.look("who looks after her things")
		v.follow("#check")
		v.want("#problem")
		v.look("no address")
		v.write("#email", anna.Email)
		v.follow("#check")
		v.want("#promise")
		v.look("the sentence")
		v.follow("#offer")
		v.want("#done", "#offered")
		v.look("Anna is asked")

		v.leave()
		v.open("/app/me")
		v.signIn(anna)
		v.want(".ask button.go")
		v.look("Anna is asked to help")
		v.follow(".ask button.go")
		v.want("#acting", "#done")
		v.look("she may act")
		photo := "/app/things/" + v.place.photo(v.t, "Sunrise")
		v.open(photo)
		v.want("#elsewhere")
		v.look("a thing of Alice's, while at her own")
		v.follow("#open-it")
		v.wantAt(photo)
		v.want(".acting", "#who-can")
		for _, page := range []string{"/app/", "/app/things", "/app/people", "/app/requests", "/app/history", "/app/me", "/app/roles"} {
			v.open(page)
			v.want(".acting")
			v.look("acting for Alice")
		}
		v.open("/app/history?slide=90")
		v.want("#acted li", "#then", ".acting")
		v.look("who could act on a day")
		v.open("/app/history?slide=90&thing=" + photo[len("/app/things/"):])
		v.want("#acted li", "#then")
		v.look("who could act on a day, beside what one thing was open for")
		v.open("/app/me")
		v.follow("#save-letters")
		v.want("#done", ".acting")
		v.follow("#leave-" + alice.Space)
		v.wantAt("/app/me")
		if v.has(".acting") {
			v.t.Error("she still acts")
		}
		v.look("it has ended")
	})
}

// leave signs out.
func (v *visitor) leave() {
	v.t.Helper()
	v.open("/sign-out")
	v.follow("#sign-out")
}
