package e2e

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the store of the server under test
)

// later makes everybody at the server have signed in so long before now: what was to be
// proved once more after a time is to be proved now, and nobody waits for it.
func (p *place) later(t *testing.T, d time.Duration) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(p.dir, "licet-dev-*", "licet.db"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the stores of the server are %q: %v", found, err)
	}
	store, err := sql.Open("sqlite", fmt.Sprintf("file:%s?_pragma=busy_timeout(10000)", found[0]))
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.ExecContext(t.Context(), "update sessions set auth_time = auth_time - ?", d.Milliseconds())
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
}

// Alice signed in a while ago. Before she makes a link, which opens something to whoever
// has it, she shows once more that it is her, and finds what she had filled in.
func TestWhoSignedInAWhileAgoShowsOnceMoreWhoTheyAre(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		alice, photo := v.place.fixture.Owners["alice"], v.place.photo(t, "Sunrise")
		v.open("/app/things/" + photo)
		v.signIn(alice)
		v.wantAt("/app/things/" + photo)
		v.place.later(t, 11*time.Minute)
		v.open("/app/things/" + photo)
		v.follow("#share")
		v.press("#who-link")
		v.write("#why", "the album")
		v.follow("#check")
		v.wantAt("/sign-in")
		v.look("who is it?")
		v.signInAgain(alice)
		v.want("#promise", "#do-share")
		v.look("what was filled in is there")
		v.follow("#do-share")
		v.want("#made-link")

		v.place.later(t, 11*time.Minute)
		v.open("/app/roles")
		v.write("#email", v.place.fixture.Owners["anna"].Email)
		v.follow("#check")
		v.wantAt("/sign-in")
		v.signInAgain(alice)
		v.want("#promise", "#offer")
		v.look("what was filled in about a helper is there")
	})
}

// signInAgain does so, and goes on to what was filled in before: with scripts that
// happens by itself.
func (v *visitor) signInAgain(who person) {
	v.t.Helper()
	v.signIn(who)
	if !v.way.scripts {
		v.wantAt("/app/again")
		v.want("#again-form")
		v.look("it is her")
		v.follow("#go-on")
		return
	}
	v.until("#promise", patience)
}
