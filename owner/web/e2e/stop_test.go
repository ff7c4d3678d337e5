package e2e

import "testing"

// Whoever is worried closes everything, with two presses, and sees that it is closed.
// Anna does: what keeps the things of the others is needed again.
func TestStoppingEverything(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		v.open("/app/")
		v.signIn(v.place.fixture.Owners["anna"])
		v.wantAt("/app/")
		v.open("/app/stop")
		v.look("everything that would stop")
		v.follow("#do-stop")
		v.wantAt("/app/")
		v.want("#done")
		v.look("everything is stopped")
		v.open("/app/me")
		v.look("nothing is connected")
	})
}
