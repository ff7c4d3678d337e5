//go:build seeded

package endpoint

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// mistakes are stories over HTTP, each of which ends well on a server that makes
// no mistake and is reported to show the one that it is named after.
var mistakes = map[string]func(t *testing.T, w *world) (shows bool){
	"ticket-not-spent": func(t *testing.T, w *world) bool {
		p := w.photo()
		sealed := p.ticket(w)
		stored := uma.Ticket(w.postTicket(w.C1, sealed).json(t)["ticket"].(string))
		again := w.postTicket(w.C1, sealed).json(t)["error"] == string(uma.NeedInfoCode)
		w.postTicket(w.C1, stored)
		return again && w.postTicket(w.C1, stored).json(t)["error"] == string(uma.NeedInfoCode)
	},
	"ticket-not-rotated": func(t *testing.T, w *world) bool {
		ticket := w.photo().ticket(w)
		return w.postTicket(w.C1, ticket).json(t)["ticket"] == string(ticket)
	},
	"owner-check-missing": func(t *testing.T, w *world) bool {
		pat, id := w.gallery()
		foreign := w.pat(w.RS1, w.Anna)
		rpt := w.rpt(t, w.ticketFor(pat, id, "view"))
		asked := w.api(http.MethodPost, pathPermission, foreign, `{"resource_id":"`+string(id)+`","resource_scopes":["view"]}`)
		return w.api(http.MethodGet, pathResources+"/"+string(id), foreign, "").StatusCode == http.StatusOK &&
			asked.StatusCode == http.StatusCreated && w.introspected(t, foreign, rpt)["active"] == true
	},
	"pat-leaks-between-resource-servers": func(t *testing.T, w *world) bool {
		pat, id := w.gallery()
		foreign := w.pat(w.RS2, w.Alice)
		rpt := w.rpt(t, w.ticketFor(pat, id, "view"))
		asked := w.api(http.MethodPost, pathPermission, foreign, `{"resource_id":"`+string(id)+`","resource_scopes":["view"]}`)
		return w.api(http.MethodGet, pathResources+"/"+string(id), foreign, "").StatusCode == http.StatusOK &&
			asked.StatusCode == http.StatusCreated && w.introspected(t, foreign, rpt)["active"] == true
	},
	"no-policy-permits": func(t *testing.T, w *world) bool {
		pat := w.pat(w.RS1, w.Alice)
		a := w.postTicket(w.C1, w.ticketFor(pat, w.resource(pat, "diary", "view"), "view"))
		return a.StatusCode == http.StatusOK && w.introspected(t, pat, a.json(t)["access_token"].(string))["active"] == true
	},
	"zero-scope-granted": func(t *testing.T, w *world) bool {
		pat, id := w.gallery()
		a := w.postTicket(w.C1, w.ticketFor(pat, id))
		return a.StatusCode == http.StatusOK && w.introspected(t, pat, a.json(t)["access_token"].(string))["active"] == true
	},
	"scope-filter-missing": func(t *testing.T, w *world) bool {
		pat, id := w.gallery("print")
		w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"edit", "print"}, Anyone: true})
		unregistered := mustJSON(t, w.introspected(t, pat, w.rpt(t, w.ticketFor(pat, id, "view"), "scope", "edit")))
		ticket := w.ticketFor(pat, id, "view", "print")
		w.api(http.MethodPut, pathResources+"/"+string(id), pat, `{"resource_scopes":["view","edit"]}`)
		gone := mustJSON(t, w.introspected(t, pat, w.rpt(t, ticket)))
		return strings.Contains(unregistered, "edit") && strings.Contains(gone, "print")
	},
	"permissions-missing": func(t *testing.T, w *world) bool {
		pat, id := w.gallery()
		in := w.introspected(t, pat, w.rpt(t, w.ticketFor(pat, id, "view")))
		return in["active"] == true && in["permissions"] == nil
	},
	"unsigned-claim-token-accepted": func(t *testing.T, w *world) bool {
		signed := strings.Split(w.signInWith(t), ".")
		token := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + signed[1] + "."
		pat := w.pat(w.RS1, w.Alice)
		id := w.resource(pat, "diary", "view")
		w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "sub"}}}})
		return w.postTicket(w.C1, w.ticketFor(pat, id, "view"), "claim_token", token, "claim_token_format", uma.IDTokenFormat).StatusCode == http.StatusOK
	},
	"foreign-audience-accepted": func(t *testing.T, w *world) bool {
		pat := w.pat(w.RS1, w.Alice)
		id := w.resource(pat, "diary", "view")
		w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "sub"}}}})
		forC1 := w.signInWith(t)
		return w.postTicket(w.C2, w.ticketFor(pat, id, "view"), "claim_token", forC1, "claim_token_format", uma.IDTokenFormat).StatusCode == http.StatusOK
	},
	"pct-not-bound-to-client": func(t *testing.T, w *world) bool {
		p, b := w.photo(), w.browser()
		_, query := sentTo(t, b.press(b.signIn(b.get(knock(w.C1, p.ticket(w))), w.Bob), "allow", "remember", "yes"))
		pct := w.postTicket(w.C1, uma.Ticket(query.Get("ticket"))).json(t)["pct"].(string)
		return w.postTicket(w.C2, p.ticket(w), "pct", pct).StatusCode == http.StatusOK
	},
	"refresh-revives-withdrawn": func(t *testing.T, w *world) bool {
		pat := w.pat(w.RS1, w.Alice)
		id := w.resource(pat, "diary", "view")
		share := w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Anyone: true})
		granted := w.postTicket(w.C1, w.ticketFor(pat, id, "view")).json(t)
		w.api(http.MethodDelete, pathPolicies+"/"+string(share.ID), w.token(w.C1, w.Alice, oauth.ScopePolicy), "")
		a := w.postToken(w.C1, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {granted["refresh_token"].(string)}})
		return a.StatusCode == http.StatusOK && w.introspected(t, pat, a.json(t)["access_token"].(string))["active"] == true
	},
	"wrong-upgraded": func(t *testing.T, w *world) bool {
		pat, id := w.gallery()
		bob := []string{"claim_token", w.signInWith(t), "claim_token_format", uma.IDTokenFormat}
		first := w.postTicket(w.C1, w.ticketFor(pat, id, "view"), bob...).json(t)
		second := w.postTicket(w.C1, w.ticketFor(pat, id, "view"), append(bob, "rpt", first["access_token"].(string))...).json(t)
		return first["upgraded"] == true && second["upgraded"] == nil
	},
	"claims-redirect-not-exact": func(t *testing.T, w *world) bool {
		a := w.browser().get(knock(w.C2, w.photo().ticket(w), "claims_redirect_uri", "https://c2.example/claims.evil.example/"))
		return a.StatusCode == http.StatusOK
	},
	"csrf-missing": func(t *testing.T, w *world) bool {
		b := w.browser()
		shown := b.signIn(b.get(knock(w.C1, w.photo().ticket(w))), w.Bob)
		form, _ := findForm(t, shown.Body, "allow")
		form.values.Del(page.FieldForm)
		_, query, _ := strings.Cut(b.postFrom("cross-site", form.action, form.values).Header.Get("Location"), "?")
		return strings.Contains(query, "ticket=")
	},
	"array-loses-entries": func(t *testing.T, w *world) bool {
		pat, id := w.gallery()
		_, other := w.gallery()
		a := w.api(http.MethodPost, pathPermission, pat, `[{"resource_id":"`+string(id)+`","resource_scopes":["view"]},{"resource_id":"`+string(other)+`","resource_scopes":["view"]}]`)
		rpt := w.rpt(t, uma.Ticket(a.json(t)["ticket"].(string)))
		return !bytes.Contains([]byte(mustJSON(t, w.introspected(t, pat, rpt))), []byte(other))
	},
}

func (w *world) rpt(t *testing.T, ticket uma.Ticket, more ...string) string {
	t.Helper()
	return w.postTicket(w.C1, ticket, more...).json(t)["access_token"].(string)
}

func (w *world) introspected(t *testing.T, pat, rpt string) map[string]any {
	t.Helper()
	return w.ask(pathIntrospect, pat, url.Values{"token": {rpt}}).json(t)
}

// Each seeded mistake is really there to be noticed, over HTTP, when its switch
// is on, and not when it is off.
func TestASeededMistakeIsMade(t *testing.T) {
	for name, on := range seeded.Names {
		story, ok := mistakes[name]
		if !ok {
			t.Errorf("there is no story of %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			if story(t, newWorld(t)) {
				t.Error("the mistake is made without its switch")
			}
			*on = true
			defer func() { *on = false }()
			if !story(t, newWorld(t)) {
				t.Error("the mistake is not made")
			}
		})
	}
}
