package e2e

import "testing"

// within fails when something takes more presses than people are to be asked for.
func (v *visitor) within(what string, most int, does func()) {
	v.t.Helper()
	v.presses = 0
	does()
	if v.presses > most {
		v.t.Errorf("%s takes %d presses, and at most %d are borne", what, v.presses, most)
	}
}

// Alice shares a photo with Bob, stops it, and brings it back: from her home in five
// presses, and from the photo in two.
func TestSharingAndStopping(t *testing.T) {
	journey(t, everyWay, func(v *visitor) {
		photo := "/app/things/" + v.place.photo(t, "Sunrise")
		v.open("/app/")
		v.look("sign in first")
		v.signIn(v.place.fixture.Owners["alice"])
		v.wantAt("/app/")
		v.look("home")
		v.within("sharing", 5, func() {
			v.follow(".tabs a[href$='/app/things']")
			v.look("things")
			v.follow("main a[href$='" + photo + "']")
			v.look("a thing that is shut")
			v.follow("#share")
			v.look("sharing")
			v.write("#email", v.place.fixture.RequestingParties["bob"].Email)
			v.follow("#check")
			v.look("is this what you mean?")
			v.follow("#do-share")
		})
		v.want("#promise")
		v.look("the promise")
		v.open("/app/")
		v.look("home, with somebody who can see something")
		v.open(photo)
		v.look("a thing that is open")
		v.within("stopping", 2, func() {
			v.follow("#who-can a.stop")
			v.look("what stops")
			v.follow("#do-stop")
		})
		v.wantAt(photo)
		v.want("#done", "#who-can .empty")
		v.look("stopped")
		v.follow("#undo")
		v.wantAt(photo)
		v.want("#done", "#who-can .rows")
		v.look("open again")
	})
}

// What is left to do is said, and nothing is lost of what was filled in.
func TestAnUnfinishedShareIsNotMade(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		photo := v.place.photo(t, "Sunrise")
		v.open("/app/share?thing=" + photo)
		v.signIn(v.place.fixture.Owners["alice"])
		v.wantAt("/app/share")
		v.write("#why", "For the album")
		v.follow("#check")
		v.want("#problem", "#share-form")
		v.look("no address")
		if why := v.value("#why"); why != "For the album" {
			t.Errorf("the reason is %q now", why)
		}
	})
}
