package e2e

import "testing"

// Whoever is worried closes everything, sees that it is closed, and brings back what
// they had promised.
func TestStoppingEverything(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		alice := v.place.fixture.Owners["alice"]
		thing := v.place.photo(v.t, "Lighthouse")
		v.signIn(alice)
		v.wantAt("/app/")
		v.open("/app/share?thing=" + thing)
		v.write("#email", "grace@example.com")
		v.follow("#check")
		v.follow("#do-share")
		v.open("/app/stop")
		v.look("everything that would stop")
		v.follow("#do-stop")
		v.wantAt("/app/")
		v.look("everything is stopped")
		v.follow("#undo")
		v.look("it is brought back")
	})
}
