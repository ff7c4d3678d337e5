package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/licet/licet/client"
	"github.com/licet/licet/uma"
)

// authorizationServer stands in for a real one: it gives an RPT to whoever
// brings the right claim token, and asks others for one.
func authorizationServer() *httptest.Server {
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		switch {
		case strings.HasPrefix(r.URL.Path, "/.well-known/"):
			fmt.Fprintf(w, `{"issuer":"%[1]s","token_endpoint":"%[1]s/token"}`, s.URL)
		case r.PostForm.Get("claim_token") == "bobs-id-token":
			fmt.Fprint(w, `{"access_token":"an-rpt","token_type":"Bearer"}`)
		default:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"error":"need_info","ticket":"the-next-ticket","required_claims":[{"friendly_name":"e-mail address"}]}`)
		}
	}))
	return s
}

// resourceServer stands in for an API that the authorization server protects.
func resourceServer(issuer string) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer an-rpt" {
			fmt.Fprint(w, "the album")
			return
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`UMA as_uri=%q, ticket="the-first-ticket"`, issuer))
		w.WriteHeader(http.StatusUnauthorized)
	}))
}

// A program that has an ID token of Bob's to show.
func ExampleTransport() {
	as := authorizationServer()
	defer as.Close()
	photos := resourceServer(as.URL)
	defer photos.Close()

	transport, err := client.New(client.Config{
		ClientID:     "printer",
		ClientSecret: "a-secret",
		Trust:        client.Issuers(as.URL),
		Claims: func(_ context.Context, need client.Need) (token, format string, err error) {
			fmt.Println("asked for:", need.RequiredClaims[0].FriendlyName)
			return "bobs-id-token", uma.IDTokenFormat, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	api := &http.Client{Transport: transport}
	for range 2 { // the second time the RPT is there already
		res, err := api.Get(photos.URL + "/alice/album")
		if err != nil {
			log.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		fmt.Println(res.StatusCode, string(body))
	}
	// Output:
	// asked for: e-mail address
	// 200 the album
	// 200 the album
}

// A web application learns from the error that a person has to be asked.
func ExampleNeedInfoError() {
	as := authorizationServer()
	defer as.Close()
	photos := resourceServer(as.URL)
	defer photos.Close()

	transport, err := client.New(client.Config{ClientID: "printer", ClaimsRedirectURI: "https://printer.example/back"})
	if err != nil {
		log.Fatal(err)
	}
	ctx := client.WithUser(context.Background(), "bob")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, photos.URL+"/alice/album", nil)
	if err != nil {
		log.Fatal(err)
	}
	_, err = (&http.Client{Transport: transport}).Do(req)
	var need *client.NeedInfoError
	if errors.As(err, &need) {
		fmt.Println("missing:", need.RequiredClaims[0].FriendlyName)
		// address, err := transport.Begin(ctx, need, session)
	}
	// Output:
	// missing: e-mail address
}
