package endpoint

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
)

// paged are the lists that come in pages.
var paged = []string{pathPolicies, pathOwnedResources, pathConnections, pathRequests, pathRequests + "?status=all"}

// following returns the path of what follows a page, "" for nothing.
func (o owner) following(page answer) string {
	target, _, _ := strings.Cut(strings.TrimPrefix(page.Header.Get("Link"), "<"), ">")
	return strings.TrimPrefix(target, o.Issuer)
}

// limited is the path of a list in pages of one.
func limited(list string) string {
	if strings.Contains(list, "?") {
		return list + "&limit=1"
	}
	return list + "?limit=1"
}

// stocked is an owner who has two of everything that is listed.
func (w *world) stocked(who resident) owner {
	w.t.Helper()
	o := w.owner(who)
	pat := w.pat(w.RS1, who)
	for _, name := range []string{"one", "two"} {
		id := w.resource(pat, name, "read")
		o.create(withBob(id, `["read"]`))
		if who.ID == w.Alice.ID {
			w.pendingRequest(w.t, pat, w.resource(pat, name+" to ask for", "read"))
		}
	}
	return o
}

func TestEveryListIsReadToItsEndByItsLinks(t *testing.T) {
	w := newWorld(t)
	o := w.stocked(w.Alice)
	for _, list := range paged {
		var whole, parts []map[string]any
		w.must(json.Unmarshal(o.call(http.MethodGet, list, "").Body, &whole))
		for path := limited(list); path != ""; {
			page := o.call(http.MethodGet, path, "")
			var some []map[string]any
			w.must(json.Unmarshal(page.Body, &some))
			parts = append(parts, some...)
			path = o.following(page)
		}
		if len(whole) < 2 || !slices.EqualFunc(whole, parts, func(a, b map[string]any) bool { return a["_id"] == b["_id"] }) {
			t.Errorf("%s: all at once %v, page by page %v", list, whole, parts)
		}
	}
}

// A cursor is good for the owner and the list that it was given to and for. Every
// other is refused in the same words, whether it is edited, made up, an id that
// exists, another owner's, or another list's.
//
// Proves SEC-114.
func TestACursorIsGoodForItsOwnListAlone(t *testing.T) {
	w := newWorld(t)
	alice, anna := w.stocked(w.Alice), w.stocked(w.Anna)
	cursor := func(o owner, list string) string {
		u, err := url.Parse(o.following(o.call(http.MethodGet, limited(list), "")))
		w.must(err)
		return u.Query().Get("after")
	}
	for _, list := range paged {
		at := func(o owner, cursor string) answer {
			return o.call(http.MethodGet, limited(list)+"&after="+url.QueryEscape(cursor), "")
		}
		good := cursor(alice, list)
		if a := at(alice, good); a.StatusCode != http.StatusOK {
			t.Fatalf("%s: its own cursor: %s %s", list, a.Status, a.Body)
		}
		if again := cursor(alice, list); again == good {
			t.Errorf("%s: the same page has the same cursor twice: it is not sealed", list)
		}
		var first []map[string]any
		w.must(json.Unmarshal(alice.call(http.MethodGet, limited(list), "").Body, &first))
		bad := map[string]string{
			"an id": first[0]["_id"].(string), "SQL": "' or 1=1 --", "cut short": good[:len(good)-1], "longer": good + "A",
			"one space": " ", "a line break": good + "\n", "padded": good + "=",
		}
		for i := range good {
			bad["edited at "+string(rune('A'+i%26))+good[:i]] = good[:i] + string(other(good[i])) + good[i+1:]
		}
		for _, elsewhere := range paged {
			if elsewhere != list {
				bad["of "+elsewhere] = cursor(alice, elsewhere)
			}
		}
		refused := at(alice, "made up")
		wantStatus(t, refused, http.StatusBadRequest)
		for what, c := range bad {
			if a := at(alice, c); a.StatusCode != http.StatusBadRequest || string(a.Body) != string(refused.Body) {
				t.Errorf("%s: %s: %s %s", list, what, a.Status, a.Body)
			}
		}
		if a := at(anna, good); a.StatusCode != http.StatusBadRequest || string(a.Body) != string(refused.Body) {
			t.Errorf("%s: another owner's: %s %s", list, a.Status, a.Body)
		}
	}
}

// The same person has a second space, whose cursors are no use in the first.
func TestACursorIsGoodForItsOwnSpaceAlone(t *testing.T) {
	w := newWorld(t)
	first := w.stocked(w.Alice)
	owner, err := w.AS.AuthenticateOwner(context.Background(), first.token)
	w.must(err)
	owner.Space = w.Anna.Space
	foreign := w.AS.Cursor(owner, pathPolicies+"?", "")
	a := first.call(http.MethodGet, pathPolicies+"?after="+foreign, "")
	wantStatus(t, a, http.StatusBadRequest)
	owner.Space = w.Alice.Space // the control: it was refused for its space alone
	own := w.AS.Cursor(owner, pathPolicies+"?", "")
	wantStatus(t, first.call(http.MethodGet, pathPolicies+"?after="+own, ""), http.StatusOK)
}

// Another app of the same owner goes on where the first one stopped: what counts
// is whose list it is.
func TestACursorIsTheOwnersInEveryApp(t *testing.T) {
	w := newWorld(t)
	first := w.stocked(w.Alice)
	second := first
	second.token = w.token(w.C2, w.Alice, oauth.ScopePolicy)
	next := first.following(first.call(http.MethodGet, limited(pathPolicies), ""))
	wantStatus(t, second.call(http.MethodGet, next, ""), http.StatusOK)
}

// other is another character of the alphabet of cursors.
func other(c byte) byte {
	if c == 'A' {
		return 'B'
	}
	return 'A'
}
