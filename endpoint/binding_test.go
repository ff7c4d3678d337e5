package endpoint

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/client"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The example of RFC 7636 Appendix B.
const (
	aVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	aChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// back sends Bob to the claims interaction endpoint and returns the ticket with
// which he comes back; more are parameters.
func (w *world) back(c registered, ticket uma.Ticket, more ...string) uma.Ticket {
	w.t.Helper()
	b := w.browser()
	_, query := sentTo(w.t, b.press(b.signIn(b.get(knock(c, ticket, more...)), w.Bob), "allow"))
	if query.Get("ticket") == "" {
		w.t.Fatalf("Bob came back with %v", query)
	}
	return uma.Ticket(query.Get("ticket"))
}

// Another program can call itself by the id of a public client, and see what is in
// the address to which a browser is sent. The ticket there is of no use to it.
func TestATicketTakenFromTheRedirectIsWorthless(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	binding := []string{"code_challenge", aChallenge, "code_challenge_method", "S256"}
	present := func(ticket uma.Ticket, more ...string) answer { return w.postTicket(w.Public, ticket, more...) }
	wantStatus(t, present(w.back(w.Public, p.ticket(w)), "scope", "view"), http.StatusOK) // the control: one that is not bound

	taken := w.back(w.Public, p.ticket(w), binding...)
	wantError(t, present(taken), http.StatusBadRequest, uma.InvalidGrant)
	taken = w.back(w.Public, p.ticket(w), binding...)
	wantError(t, present(taken, "code_verifier", strings.Repeat("v", 43)), http.StatusBadRequest, uma.InvalidGrant)
	taken = w.back(w.Public, p.ticket(w), binding...)
	wantError(t, present(taken, "code_verifier", aChallenge), http.StatusBadRequest, uma.InvalidGrant)
	// Nor can it be bound anew.
	taken = w.back(w.Public, p.ticket(w), binding...)
	isSentBackWith(t, w.browser().get(knock(w.Public, taken, binding...)), "https://public.example/claims", uma.InvalidRequest, w.Issuer)
	wantError(t, present(taken, "code_verifier", aVerifier), http.StatusBadRequest, uma.InvalidGrant)

	wantStatus(t, present(w.back(w.Public, p.ticket(w), binding...), "code_verifier", aVerifier), http.StatusOK)
}

// Proves SEC-083.
func TestTicketsAreBoundByS256Alone(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	ticket := p.ticket(w)
	for name, more := range map[string][]string{
		"plain":                {"code_challenge", aVerifier, "code_challenge_method", "plain"},
		"no method":            {"code_challenge", aChallenge},
		"a method alone":       {"code_challenge_method", "S256"},
		"s256":                 {"code_challenge", aChallenge, "code_challenge_method", "s256"},
		"no sum":               {"code_challenge", "abc", "code_challenge_method", "S256"},
		"a sum with padding":   {"code_challenge", aChallenge + "=", "code_challenge_method", "S256"},
		"a sum that is longer": {"code_challenge", aChallenge + "AAAA", "code_challenge_method", "S256"},
	} {
		a := w.browser().get(knock(w.C1, ticket, append(more, "state", "s")...))
		if query := isSentBackWith(t, a, "https://c1.example/claims", uma.InvalidRequest, w.Issuer); query.Get("state") != "s" {
			t.Errorf("%s: sent back with %v", name, query)
		}
	}
	isErrorPage(t, w.browser().get(knock(w.C1, ticket, "code_challenge", aChallenge)+"&code_challenge="+aChallenge))
	isErrorless(t, w.browser().get(knock(w.C1, ticket))) // the ticket was not touched

	strict := w.Public
	strict.RequireTicketBinding = true
	strict = w.client(strict.Client, "strict", "Strict App", "http://127.0.0.1/cb", "https://strict.example/claims")
	ticket = p.ticket(w)
	isSentBackWith(t, w.browser().get(knock(strict, ticket)), "https://strict.example/claims", uma.InvalidRequest, w.Issuer)
	isErrorless(t, w.browser().get(knock(strict, ticket, "code_challenge", aChallenge, "code_challenge_method", "S256")))
}

// The SDK binds its tickets to this server, as the server says that it can.
func TestTheSDKBindsItsTickets(t *testing.T) {
	w := newWorld(t)
	api := w.guarded(nil)
	owner := as.Owner{Space: w.Alice.Space, Account: w.Alice.ID}
	w.must(w.AS.WithdrawShare(context.Background(), owner, api.share.ID, api.share.Version))
	w.share(w.Alice, policy.Share{Resource: api.share.Resource, Scopes: []uma.Scope{"view"}, Claims: withEmail(w.Bob.Email)})

	var sent, came url.Values
	meddle := func(url.Values) {}
	transport, err := client.New(client.Config{
		ClientID: string(w.Public.ID), Trust: client.Issuers(w.Issuer), Now: w.Clock.Now,
		ClaimsRedirectURI: "https://public.example/claims",
		Redirect: func(_ context.Context, to client.Redirect) (url.Values, error) {
			u, err := url.Parse(to.URL)
			if err != nil {
				return nil, err
			}
			sent = u.Query()
			meddle(sent)
			b := w.browser()
			_, came = sentTo(t, b.press(b.signIn(b.get(pathClaims+"?"+sent.Encode()), w.Bob), "allow"))
			return came, nil
		},
	})
	w.must(err)
	app := &http.Client{Transport: transport}
	wantStatus(t, w.send(app, http.MethodGet, api.URL+"/photo", nil, ""), http.StatusOK)
	if sent.Get("code_challenge_method") != "S256" || len(sent.Get("code_challenge")) != 43 {
		t.Errorf("Bob was sent there with %v", sent)
	}
	wantError(t, w.postTicket(w.Public, uma.Ticket(came.Get("ticket"))), http.StatusBadRequest, uma.InvalidGrant)

	// Where somebody takes the challenge away, the app does not go on.
	w.Clock.Advance(2 * w.AS.Lifetimes.Refresh)
	meddle = func(query url.Values) { query.Del("code_challenge"); query.Del("code_challenge_method") }
	request, err := http.NewRequest(http.MethodGet, api.URL+"/photo", nil)
	w.must(err)
	response, err := app.Do(request)
	if err == nil {
		_ = response.Body.Close()
		t.Errorf("the app gets %s", response.Status)
	}
}
