package e2e

import (
	"strings"
	"testing"
)

// Alice asks what somebody could do, in any app, in one that she chooses, and in none
// of those that she knows.
func TestAskingWhatSomebodyCouldDo(t *testing.T) {
	journey(t, fewWays, func(v *visitor) {
		photo, bob := v.place.photo(t, "Sunrise"), v.place.fixture.RequestingParties["bob"].Email
		v.place.post(t, strings.TrimPrefix(v.place.fixture.PolicyEndpoint, v.place.fixture.Issuer), v.place.fixture.PolicyTokens["alice"], map[string]any{
			"resource_id": photo, "resource_scopes": []string{"view"}, "client_id": v.place.fixture.Clients["c1"].ID,
			"required_claims": []map[string]string{{"name": "email", "value": bob}},
		}, &struct{}{})
		v.open("/app/could?thing=" + photo)
		v.signIn(v.place.fixture.Owners["alice"])
		v.want("#through", "#email")
		v.look("nobody is named yet")
		v.follow("#through")
		v.want("#app option[value='*']")
		v.look("an app can be chosen")
		v.write("#email", bob)
		v.follow("#ask")
		v.want("#answer .pill.ok")
		v.look("whichever app it is")
		v.pick("#app", "*")
		v.follow("#ask")
		v.want("#answer")
		if v.has("#answer .pill.ok") {
			t.Error("what is open through one app is open through another")
		}
		v.look("any other app")
		v.open("/app/could?email=" + "%40" + "&thing=" + photo)
		v.want("#problem")
		v.look("no address")
	})
}
