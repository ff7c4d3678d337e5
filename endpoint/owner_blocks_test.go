package endpoint

import (
	"net/http"
	"strings"
	"testing"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Not now, and then never: Bob's app is told what it was told, then a plain no; and
// nothing that it asks later reaches Alice until she wants to be asked again.
func TestNotNowAndNeverOverHTTP(t *testing.T) {
	w := newWorld(t)
	o := w.owner(w.Alice)
	pat := w.pat(w.RS1, w.Alice)
	diary := w.resource(pat, "diary", "read")
	w.share(w.Alice, policy.Share{Resource: diary, Scopes: []uma.Scope{"read"}, Anyone: true, Ask: true})
	ask := func() answer {
		ticket, _ := w.visited(t, w.Bob, w.C1, w.ticketFor(pat, diary, "read"))
		return w.postTicket(w.C1, ticket)
	}
	asked := ask()
	wantError(t, asked, http.StatusForbidden, uma.RequestSubmittedCode)
	waiting := func(status string) []map[string]any {
		return listed(t, o.call(http.MethodGet, pathRequests+"?status="+status, ""))
	}
	one := pathRequests + "/" + waiting("pending")[0]["_id"].(string)
	if status := o.call(http.MethodPost, one+"/aside", "").json(t)["status"]; status != "aside" {
		t.Errorf("the request is %v", status)
	}
	if len(waiting("pending")) != 0 || len(waiting("aside")) != 1 {
		t.Error("a request that was set aside is still among those that wait")
	}
	polled := w.postTicket(w.C1, uma.Ticket(asked.json(t)["ticket"].(string)))
	wantError(t, polled, http.StatusForbidden, uma.RequestSubmittedCode)

	blocked := o.call(http.MethodPost, one+"/block", `{"every_client":true}`)
	wantStatus(t, blocked, http.StatusCreated)
	wantStatus(t, o.call(http.MethodPost, one+"/block", ""), http.StatusConflict)
	final := w.postTicket(w.C1, uma.Ticket(polled.json(t)["ticket"].(string)))
	wantError(t, final, http.StatusForbidden, uma.RequestDenied)
	again := ask()
	wantError(t, again, http.StatusForbidden, uma.RequestDenied)
	if string(again.Body) != string(final.Body) {
		t.Errorf("a no is %s, and to somebody blocked %s", final.Body, again.Body)
	}
	list := listed(t, o.call(http.MethodGet, pathBlocks, ""))
	if len(list) != 1 || list[0]["client_id"] != nil || !strings.Contains(string(o.call(http.MethodGet, pathBlocks, "").Body), w.Bob.Email) {
		t.Errorf("the blocks are %v", list)
	}
	wantStatus(t, o.call(http.MethodDelete, pathBlocks+"/"+blocked.json(t)["_id"].(string), ""), http.StatusNoContent)
	wantError(t, ask(), http.StatusForbidden, uma.RequestSubmittedCode)
}
