package endpoint

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// photo is a resource of Alice that she shares with Bob.
type photo struct {
	pat string
	id  uma.ResourceID
}

func (w *world) photo() photo {
	w.t.Helper()
	p := photo{pat: w.pat(w.RS1, w.Alice)}
	p.id = w.resource(p.pat, "Photo", "view", "comment")
	w.share(w.Alice, policy.Share{Resource: p.id, Scopes: []uma.Scope{"view"}, Claims: withEmail(w.Bob.Email)})
	return p
}

func (p photo) ticket(w *world) uma.Ticket { return w.ticketFor(p.pat, p.id, "view") }

// knock is the path to the claims interaction endpoint for a client and a
// ticket; more are name and value pairs. C1's URI is named, as it has two.
func knock(c registered, ticket uma.Ticket, more ...string) string {
	query := url.Values{"client_id": {string(c.ID)}, "ticket": {string(ticket)}}
	if len(c.ClaimsRedirectURIs) > 1 {
		query.Set("claims_redirect_uri", c.ClaimsRedirectURIs[0])
	}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
		if more[i+1] == "" {
			query.Del(more[i])
		}
	}
	return pathClaims + "?" + query.Encode()
}

// isErrorPage fails unless an answer tells the person, and leads nowhere.
func isErrorPage(t *testing.T, a answer) {
	t.Helper()
	if a.StatusCode < 400 || a.StatusCode > 499 {
		t.Errorf("status %d, want 4xx", a.StatusCode)
	}
	if _, found := tagByID(t, a.Body, "error"); !found || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Errorf("no error page: %s", a.Body)
	}
	for _, name := range []string{"Location", "Refresh", "WWW-Authenticate"} {
		if a.Header.Get(name) != "" {
			t.Errorf("%s: %s", name, a.Header.Get(name))
		}
	}
	for tag := range tags(t, a.Body) {
		if tag.Name.Local == "script" && !strings.Contains(attr(tag, "src"), page.AssetsPath) || has(tag, "http-equiv") || tag.Name.Local == "form" && !strings.HasSuffix(attr(tag, "action"), pathLanguage) || attr(tag, "href") != "" && strings.Contains(attr(tag, "href"), "://") {
			t.Errorf("the page leads on: %v", tag)
		}
	}
}

// isSentBackWith fails unless an answer sends the browser back to a URI with an
// error and without a ticket.
func isSentBackWith(t *testing.T, a answer, uri string, code uma.Code, issuer string) url.Values {
	t.Helper()
	to, query := sentTo(t, a)
	if to != uri || query.Get("error") != string(code) || query.Get("iss") != issuer || query.Has("ticket") || query.Has("code") {
		t.Errorf("sent to %s with %v, want %s with %s", to, query, uri, code)
	}
	return query
}

// Proves GRANT-3.3.2-02, GRANT-3.3.2-05, GRANT-3.3.3-01, GRANT-3.3.3-02, GRANT-3.3.3-03, GRANT-3.3.3-08, AMB-34.
func TestVisitEndsWithANewTicketAndNoClaims(t *testing.T) {
	w := newWorld(t)
	const state = "a b&=%+/;\u00fc\n\"<>"
	first := w.photo().ticket(w)
	need := w.postTicket(w.C1, first).json(t)
	if need["error"] != "need_info" || need["redirect_user"] != w.Issuer+pathClaims {
		t.Fatalf("the client was not told where to send the person: %v", need)
	}
	presented := uma.Ticket(need["ticket"].(string))
	b := w.browser()
	page := b.signIn(b.get(knock(w.C1, presented, "claims_redirect_uri", "https://c1.example/claims?from=licet", "state", state)), w.Bob)
	done := b.press(page, "allow")

	uri, query := sentTo(t, done)
	if uri != "https://c1.example/claims" || !strings.HasPrefix(done.Header.Get("Location"), "https://c1.example/claims?from=licet&") {
		t.Errorf("sent to %s", done.Header.Get("Location"))
	}
	if query.Get("state") != state {
		t.Errorf("state is %q", query.Get("state"))
	}
	if query.Get("iss") != w.Issuer {
		t.Errorf("iss is %q", query.Get("iss"))
	}
	ticket := uma.Ticket(query.Get("ticket"))
	if ticket == "" || ticket == presented || ticket == first {
		t.Errorf("the ticket is not a new one")
	}
	for name, values := range query {
		switch name {
		case "from", "state", "iss", "ticket":
		default:
			t.Errorf("also sent back: %s=%s", name, values)
		}
	}
	if location := strings.ToLower(done.Header.Get("Location")); strings.Contains(location, "bob") || strings.Contains(location, string(w.Bob.ID)) {
		t.Errorf("a claim is in %s", location)
	}
	if b.cookie(cookieVisit) != "" {
		t.Error("the handle stays in the browser")
	}
	granted := w.postTicket(w.C1, ticket)
	if granted.StatusCode != http.StatusOK || granted.json(t)["access_token"] == nil {
		t.Errorf("the new ticket leads to %d %s", granted.StatusCode, granted.Body)
	}
}

// Proves GRANT-3.3.2-11, GRANT-3.3.3-03.
func TestStateIsNotMadeUp(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	for _, button := range []string{"allow", "cancel"} {
		b := w.browser()
		done := b.press(b.signIn(b.get(knock(w.C1, p.ticket(w))), w.Bob), button)
		if _, query := sentTo(t, done); query.Has("state") {
			t.Errorf("%s: state %q", button, query.Get("state"))
		}
	}
	isErrorless(t, w.browser().get(knock(w.C2, p.ticket(w), "state", "x")))
}

func isErrorless(t *testing.T, a answer) {
	t.Helper()
	if a.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", a.StatusCode, a.Body)
	}
}

// Proves GRANT-3.3.2-01, GRANT-3.3.3-05, GRANT-3.3.3-06.
func TestUnknownClientIsToldToThePersonAlone(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	off := w.C2
	off.Disabled = true
	if _, _, err := w.AS.RegisterClient(context.Background(), off.Client); err != nil {
		t.Fatal(err)
	}
	ticket := p.ticket(w)
	for _, id := range []string{"", "nobody", "C1", "c1 ", "c2"} {
		isErrorPage(t, w.browser().get(knock(w.C1, ticket, "client_id", id, "claims_redirect_uri", "https://c1.example/claims")))
	}
	isErrorless(t, w.browser().get(knock(w.C1, ticket))) // the ticket was not touched
}

// Proves GRANT-3.3.2-04, GRANT-3.3.2-06, GRANT-3.3.2-07, GRANT-3.3.2-08, GRANT-3.3.2-09, GRANT-3.3.2-10.
// Proves GRANT-3.3.3-05, GRANT-3.3.3-06, SEC-060, SEC-061.
func TestBrowserIsSentOnlyWhereTheClientRegistered(t *testing.T) {
	w := newWorld(t)
	ticket := w.photo().ticket(w)
	without := w.client(w.Public.Client, "public-without", "Without", "http://127.0.0.1/cb")
	foreign := func(c registered, uris ...string) {
		t.Helper()
		for _, uri := range uris {
			a := w.browser().get(knock(c, ticket, "claims_redirect_uri", uri, "state", "x"))
			if isErrorPage(t, a); t.Failed() {
				t.Fatalf("%s was sent to %q", c.ID, uri)
			}
		}
	}
	foreign(w.C1,
		"https://evil.example/claims", "https://c1.example/cb", // the second is for authorization codes
		"https://C1.example/claims", "HTTPS://c1.example/claims", "https://c1.example/claims/", "https://c1.example:443/claims",
		"https://c1.example/%63laims", "https://c1.example/claims?x=1", "https://c1.example/claims?from=licet&x=1", "https://c1.example/claims?",
		"https://c1.example/claims#f", "https://c1.example/claims#", "https://c1.example/Claims", "https://c1.example/claims/sub",
		"https://c1.example/../claims", "https://c1.example//claims", "http://c1.example/claims", "//c1.example/claims", "/claims", "claims",
		"https://c1.example@evil.example/claims", "https://evil.example\\@c1.example/claims", "https://c1.example\t/claims", " https://c1.example/claims",
		"https://c1.example/claims ", "https://c1.example/claims\n", "https://c1.example.evil.example/claims", "javascript:alert(1)", "data:text/html,x",
		"https://c2.example/claims")
	foreign(w.Public, "https://evil.example/claims", "http://127.0.0.1/cb", "http://127.0.0.1:8080/cb")
	foreign(without, "", "https://evil.example/claims", "http://127.0.0.1/cb")

	bad := w.C1.Client
	bad.ClaimsRedirectURIs = []string{"https://c1.example/claims#f"}
	if _, _, err := w.AS.RegisterClient(context.Background(), bad); err == nil {
		t.Error("a redirection URI with a fragment was registered")
	}
	isErrorless(t, w.browser().get(knock(w.C1, ticket))) // the ticket was not touched
}

// Proves GRANT-3.3.2-03.
func TestRedirectURIMayBeLeftOutWhenThereIsOne(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	b := w.browser()
	done := b.press(b.get(knock(w.C2, p.ticket(w))), "cancel")
	isSentBackWith(t, done, "https://c2.example/claims", uma.AccessDenied, w.Issuer)
	isErrorPage(t, w.browser().get(knock(w.C1, p.ticket(w), "claims_redirect_uri", ""))) // it has two
}

// Proves GRANT-3.3.2-02, GRANT-3.3.3-07, AMB-15, SEC-004.
func TestBadTicketGoesBackAsInvalidRequest(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	const uri = "https://c1.example/claims"
	refused := func(ticket uma.Ticket) {
		t.Helper()
		a := w.browser().get(knock(w.C1, ticket, "state", "s&1"))
		if query := isSentBackWith(t, a, uri, uma.InvalidRequest, w.Issuer); query.Get("state") != "s&1" {
			t.Errorf("state %q", query.Get("state"))
		}
	}
	refused("")
	refused("AAAA")
	refused("no ticket")

	atToken := p.ticket(w)
	next := uma.Ticket(w.postTicket(w.C1, atToken).json(t)["ticket"].(string))
	if next == atToken {
		t.Error("need_info returned the ticket that was presented")
	}
	refused(atToken) // presented at the token endpoint before
	isErrorless(t, w.browser().get(knock(w.C1, next)))
	refused(next) // presented here before
	if answer := w.postTicket(w.C1, next); answer.json(t)["error"] != "invalid_grant" {
		t.Errorf("a ticket that was presented here leads to %s", answer.Body)
	}

	foreign := uma.Ticket(w.postTicket(w.C2, p.ticket(w)).json(t)["ticket"].(string))
	refused(foreign) // bound to C2

	late := p.ticket(w)
	w.Clock.Advance(10 * time.Minute)
	refused(late)
}

// Proves GRANT-3.3.3-07, AMB-15.
func TestCancelledVisitIsAccessDenied(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	for _, signIn := range []bool{false, true} {
		b := w.browser()
		page := b.get(knock(w.C1, p.ticket(w), "state", "s"))
		if signIn {
			page = b.signIn(page, w.Bob)
		}
		handle := b.cookie(cookieVisit)
		query := isSentBackWith(t, b.press(page, "cancel"), "https://c1.example/claims", uma.AccessDenied, w.Issuer)
		if query.Get("state") != "s" {
			t.Errorf("state %q", query.Get("state"))
		}
		if b.cookie(cookieVisit) != "" {
			t.Error("the handle stays in the browser")
		}
		b.setCookie(cookieVisit, handle)
		isErrorPage(t, b.get(pathClaimsVisit)) // it is over, and there is no next ticket
	}
}

// failing is a store that fails to write when it is told to.
type failing struct {
	as.Store
	now atomic.Bool
}

func (f *failing) Update(ctx context.Context, do func(as.Tx) error) error {
	if f.now.Load() {
		return errors.New("the disk is full")
	}
	return f.Store.Update(ctx, do)
}

// Proves GRANT-3.3.3-07.
func TestFaultOfOursGoesBackAsServerError(t *testing.T) {
	var store failing
	w := newWorld(t, func(c *as.Config) {
		store.Store = c.Store
		c.Store = &store
	})
	p := w.photo()
	b := w.browser()
	page, second := b.signIn(b.get(knock(w.C1, p.ticket(w), "state", "s")), w.Bob), p.ticket(w)
	store.now.Store(true)
	for name, a := range map[string]answer{
		"begin": w.browser().get(knock(w.C1, second, "state", "s")), "allow": b.press(page, "allow"),
	} {
		query := isSentBackWith(t, a, "https://c1.example/claims", uma.ServerError, w.Issuer)
		if query.Get("state") != "s" || strings.Contains(a.Header.Get("Location"), "disk") {
			t.Errorf("%s: sent to %s", name, a.Header.Get("Location"))
		}
	}
}

func TestParameterGivenTwiceIsAPage(t *testing.T) {
	w := newWorld(t)
	ticket := w.photo().ticket(w)
	for _, name := range []string{"client_id", "ticket", "claims_redirect_uri", "state"} {
		isErrorPage(t, w.browser().get(knock(w.C1, ticket, "state", "x")+"&"+name+"=x"))
	}
}

// A browser that fetches a link ahead of time has not been there: the ticket is
// as it was.
func TestFetchingAheadSpendsNothing(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery()
	ticket := w.ticketFor(pat, id, "view")
	path := pathClaims + "?" + url.Values{"client_id": {"c2"}, "ticket": {string(ticket)}}.Encode()
	ahead := w.do(http.MethodGet, path, http.Header{"Sec-Purpose": {"prefetch;prerender"}}, "")
	wantStatus(t, ahead, http.StatusBadRequest)
	wantStatus(t, w.postTicket(w.C2, ticket), http.StatusOK)
}
