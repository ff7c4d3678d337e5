package e2e

import (
	"strings"
	"testing"
)

// Alice makes a group, puts Bob into it, shares a photo with it, and takes both away
// again.
func TestSharingWithAGroup(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		photo := v.place.photo(t, "Sunrise")
		v.open("/app/groups")
		v.signIn(v.place.fixture.Owners["alice"])
		v.wantAt("/app/groups")
		v.look("no group yet")
		v.write("#name", "Family")
		v.follow("#make")
		v.look("a group that nobody is in")
		group := v.at().Path
		v.write("#email", v.place.fixture.RequestingParties["bob"].Email)
		v.follow("#add")
		v.want("#members .rows", "#done")
		v.look("somebody is in it")
		v.within("sharing with a group", 5, func() {
			v.open("/app/things/" + photo)
			v.follow("#share")
			v.press("#who-group")
			v.pick("#group", group[strings.LastIndex(group, "/")+1:])
			v.look("a group is chosen")
			v.follow("#check")
			v.look("is this what you mean?")
			v.follow("#do-share")
		})
		v.look("the promise to a group")
		v.open("/app/groups")
		v.look("groups")
		v.open(group)
		v.look("a group that can see something")
		v.follow("#members .btn.stop")
		v.want("#done")
		v.follow("#end")
		v.look("what ends with a group")
		v.follow("#do-end")
		v.wantAt("/app/groups")
		v.want("#done")
	})
}

// Alice makes a link to a photo, which she sees once, and stops it.
func TestSharingByALink(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		photo := v.place.photo(t, "Sunrise")
		v.open("/app/things/" + photo)
		v.signIn(v.place.fixture.Owners["alice"])
		v.within("making a link", 5, func() {
			v.follow("#share")
			v.press("#who-link")
			v.look("a link is chosen")
			v.follow("#check")
			v.look("is this what you mean?")
			v.follow("#do-share")
		})
		v.want("#made-link")
		v.look("the link")
		if link := v.value("#link"); !strings.HasPrefix(link, v.place.fixture.Issuer+"/l/") {
			t.Errorf("the link is %q", link)
		}
		v.open(v.at().Path)
		v.want("#link-gone")
		v.look("the link is not shown again")
		v.follow("#stop")
		v.follow("#do-stop")
		v.want("#done")
	})
}
