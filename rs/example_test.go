package rs_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/licet/licet/rs"
	"github.com/licet/licet/uma"
)

// authorizationServer stands in for a real one, which would be at a fixed issuer
// such as https://as.example.
func authorizationServer() *httptest.Server {
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		switch {
		case strings.HasPrefix(r.URL.Path, "/.well-known/"):
			fmt.Fprintf(w, `{"issuer":"%[1]s","token_endpoint":"%[1]s/token","permission_endpoint":"%[1]s/permission",
				"introspection_endpoint":"%[1]s/introspect","resource_registration_endpoint":"%[1]s/resources"}`, s.URL)
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `[]`) // nothing is registered yet
		case r.URL.Path == "/resources":
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"_id":"KX3A-39WE"}`)
		case r.URL.Path == "/permission":
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"ticket":"016f84e8"}`)
		case r.PostForm.Get("token") == "an-rpt":
			fmt.Fprint(w, `{"active":true,"sub":"bob","permissions":[{"resource_id":"KX3A-39WE","resource_scopes":["view"]}]}`)
		default:
			fmt.Fprint(w, `{"active":false}`)
		}
	}))
	return s
}

// An API with one protected album of Alice's, and a public front page.
func ExampleServer_Guard() {
	as := authorizationServer()
	defer as.Close()

	server, err := rs.New(rs.Config{
		Issuer:   as.URL,
		PAT:      rs.StaticPAT{"alice": "alices-pat"},
		CacheTTL: 5 * time.Second,
		Route: func(r *http.Request) (rs.Access, error) {
			if r.URL.Path == "/" {
				return rs.Access{Unprotected: true}, nil
			}
			scope := uma.Scope("view")
			if r.Method != http.MethodGet {
				scope = "edit"
			}
			return rs.Access{Owner: "alice", Needs: []rs.Need{{Resource: "album", Scopes: []uma.Scope{scope}}}}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Sync(context.Background(), "alice", []rs.Resource{{Key: "album", Name: "Holidays", Scopes: []uma.Scope{"view", "edit"}}}); err != nil {
		log.Fatal(err)
	}
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		grant, _ := rs.FromContext(r.Context())
		fmt.Fprintf(w, "%s for %q", r.URL.Path, grant.Introspection.Subject)
	})
	guarded := server.Guard(api) // http.ListenAndServe(":9000", guarded)

	call := func(method, path, rpt string) {
		r := httptest.NewRequest(method, path, nil)
		if rpt != "" {
			r.Header.Set("Authorization", "Bearer "+rpt)
		}
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		challenge := strings.ReplaceAll(w.Header().Get("WWW-Authenticate"), as.URL, "https://as.example")
		if w.Code == http.StatusOK {
			fmt.Println(w.Code, w.Body)
			return
		}
		fmt.Println(w.Code, challenge)
	}
	call("GET", "/", "")
	call("GET", "/album", "")
	call("GET", "/album", "an-rpt")
	call("PUT", "/album", "an-rpt")
	// Output:
	// 200 / for ""
	// 401 UMA as_uri="https://as.example", ticket="016f84e8"
	// 200 /album for "bob"
	// 401 UMA as_uri="https://as.example", ticket="016f84e8"
}
