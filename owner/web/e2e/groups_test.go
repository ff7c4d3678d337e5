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
		if v.way.scripts {
			v.press("#made-link .btn")
			ask[bool](v, `new Promise(done => {
				const button = document.querySelector("#made-link .btn");
				const look = () => button.textContent.trim() === button.dataset.copied ? done(true) : requestAnimationFrame(look);
				look();
			})`)
			v.look("the link was copied")
		}
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

// Alice says whom she means in each of the ways that there are, looks at the sentence,
// and changes her mind.
func TestSayingWhomOneMeans(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		photo := v.place.photo(t, "Sunrise")
		v.open("/app/share?thing=" + photo)
		v.signIn(v.place.fixture.Owners["alice"])
		v.press("#who-domain")
		v.look("whose address ends so")
		v.write("#domain", "clinic.example")
		v.follow("#check")
		v.want("#promise", "#many")
		v.look("anyone whose address ends so")
		v.follow("#back")
		if domain := v.value("#domain"); domain != "clinic.example" {
			t.Errorf("the end of the addresses is %q now", domain)
		}
		v.press("#who-provider")
		v.look("who signs in somewhere")
		v.follow("#check")
		v.want("#promise", "#many")
		v.look("anyone who signs in somewhere")
		v.follow("#back")
		v.press("#who-claim")
		v.write("#worth", "doctor")
		v.look("of whom something is confirmed")
		v.follow("#check")
		v.want("#promise", "#many")
		v.look("anyone of whom something is confirmed")
		v.follow("#back")
		if !ask[bool](v, `document.querySelector("#who-claim").checked`) || v.value("#worth") != "doctor" {
			t.Errorf("of whom what is confirmed is lost: %q", v.value("#worth"))
		}
		v.pick("#quality", "else")
		v.follow("#check")
		v.want("#problem")
		v.look("it is not said what is confirmed")
		v.write("#called", "ward")
		v.follow("#check")
		v.want("#promise")
		v.look("anyone of whom something else is confirmed")
		v.follow("#back")
		v.follow("#an-app")
		v.want("#who-app")
		v.look("an app")
		v.follow("#check")
		v.want("#problem")
		v.look("no app is chosen")
	})
}
