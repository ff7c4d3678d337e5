package endpoint

import (
	"net/http"
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

// Alice shares with a group through her app; Carlos is put in, comes, and is taken
// out; then the group goes.
func TestAGroupIsMadeSharedWithAndLeftOverHTTP(t *testing.T) {
	w := newWorld(t)
	o := w.owner(w.Alice)
	pat := w.pat(w.RS1, w.Alice)
	photo := w.resource(pat, "photo", "view")

	made := o.call(http.MethodPost, pathGroups, `{"name":"Family"}`)
	wantStatus(t, made, http.StatusCreated)
	id := made.json(t)["_id"].(string)
	one := pathGroups + "/" + id
	if made.Header.Get("Location") != w.Issuer+one {
		t.Errorf("Location is %q", made.Header.Get("Location"))
	}
	wantStatus(t, o.call(http.MethodPut, one, `{"name":"My family"}`), http.StatusOK)
	if name := o.call(http.MethodGet, one, "").json(t)["name"]; name != "My family" {
		t.Errorf("the group is called %v", name)
	}
	put := o.call(http.MethodPost, one+"/members", `{"email":"Carlos@Example.com"}`)
	wantStatus(t, put, http.StatusCreated)
	wantStatus(t, o.call(http.MethodPost, one+"/members", `{"email":"carlos@example.com"}`), http.StatusConflict)
	if list := listed(t, o.call(http.MethodGet, one+"/members", "")); len(list) != 1 || list[0]["email"] != "carlos@example.com" {
		t.Errorf("the members are %v", list)
	}
	if list := listed(t, o.call(http.MethodGet, pathGroups, "")); len(list) != 1 {
		t.Errorf("the groups are %v", list)
	}

	policyID, _ := o.create(`{"resource_id":"` + string(photo) + `","resource_scopes":["view"],"group_id":"` + id + `"}`)
	if told := o.call(http.MethodGet, pathPolicies+"/"+policyID, "").json(t)["group_id"]; told != id {
		t.Errorf("the policy is with the group %v", told)
	}
	need := w.postTicket(w.C1, w.ticketFor(pat, photo, "view"))
	wantError(t, need, http.StatusForbidden, uma.NeedInfoCode)
	if s := string(need.Body); strings.Contains(s, id) || strings.Contains(s, "amily") || !strings.Contains(s, `"email"`) {
		t.Errorf("need_info is %s", s)
	}
	come := func(who resident) answer {
		ticket, _ := w.visited(t, who, w.C1, w.ticketFor(pat, photo, "view"))
		return w.postTicket(w.C1, ticket)
	}
	wantError(t, come(w.Bob), http.StatusForbidden, uma.RequestDenied)
	granted := come(w.Carlos)
	wantStatus(t, granted, http.StatusOK)
	active := func() bool {
		return w.do(http.MethodPost, pathIntrospect, http.Header{"Authorization": {"Bearer " + pat}, "Content-Type": {"application/x-www-form-urlencoded"}},
			"token="+granted.json(t)["access_token"].(string)).json(t)["active"] == true
	}
	if !active() {
		t.Fatal("the RPT is not active")
	}
	wantStatus(t, o.call(http.MethodDelete, pathMembers+"/"+put.json(t)["_id"].(string), ""), http.StatusNoContent)
	if active() {
		t.Error("Carlos was taken out, and his RPT is active")
	}
	wantError(t, come(w.Carlos), http.StatusForbidden, uma.RequestDenied)
	wantStatus(t, o.call(http.MethodDelete, one, ""), http.StatusNoContent)
	for _, gone := range []string{one, one + "/members", pathPolicies + "/" + policyID} {
		wantStatus(t, o.call(http.MethodGet, gone, ""), http.StatusNotFound)
	}
	wantStatus(t, o.call(http.MethodPost, pathPolicies, `{"resource_id":"`+string(photo)+`","resource_scopes":["view"],"group_id":"`+id+`"}`), http.StatusBadRequest)
}
