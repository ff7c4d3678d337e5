package client

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

// untrusted has the API name the stranger.
func untrusted(s *stage, t *trial.Trial) {
	if s.fixture.Client.Secret == "" && !s.fixture.PushesClaims {
		t.Skip("the client has neither a secret nor claims")
	}
	s.set(func() {
		s.other.steps = []step{needInfo, needInfo}
		s.challenge = func(w http.ResponseWriter, page string) { challengeFor(w, s.other, page) }
	})
	s.fetch(t, "/a")
	s.told(t, stranger, "because the API named it")
}

func redirectedToken(s *stage, t *trial.Trial) {
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		s.set(func() {
			s.as.script.token = func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Location", s.other.issuer+pathToken)
				w.WriteHeader(status)
				return true
			}
		})
		s.fetch(t, "/"+fmt.Sprint(status))
		s.told(t, stranger, "by a redirect of the token endpoint", tickets(s.asked(s.as))...)
	}
}

// outside is a stranger with plain http on an address that is not loopback.
func (s *stage) outside(t *trial.Trial) *wire.Server {
	host, ok := wire.NotLoopback()
	if !ok {
		t.Skip("this machine has no address besides loopback to try it on")
	}
	elsewhere, err := wire.Serve(host+":0", subject, stranger, &s.log, http.NotFoundHandler())
	if err != nil {
		t.Skip("nothing can listen on %s: %s", host, err)
	}
	return elsewhere
}

func plainEndpoint(s *stage, t *trial.Trial) {
	elsewhere := s.outside(t)
	defer elsewhere.Close()
	s.set(func() {
		s.as.script.metadata = func(o map[string]any) {
			o["token_endpoint"], o["claims_interaction_endpoint"] = elsewhere.URL+pathToken, elsewhere.URL+pathInteract
		}
	})
	s.fetch(t, "/a")
	var all []string
	s.set(func() {
		for value := range s.as.tickets {
			all = append(all, value)
		}
	})
	s.told(t, stranger, "over plain http", all...)
}

func otherIssuer(s *stage, t *trial.Trial) {
	for _, wrong := range []struct {
		name   string
		issuer any
	}{
		{"another", s.other.issuer}, {"one with a slash more", s.as.issuer + "/"}, {"one in another case", strings.ToUpper(s.as.issuer)},
		{"none", nil}, {"an empty one", ""},
	} {
		s.set(func() {
			s.as.script.metadata = func(o map[string]any) {
				if o["issuer"] = wrong.issuer; wrong.issuer == nil {
					delete(o, "issuer")
				}
			}
		})
		s.fetch(t, "/a")
		if list := append(s.asked(s.as), s.asked(s.other)...); len(list) > 0 {
			t.Fault(list, "the issuer of the discovery document is %s, and the client asks for a token", wrong.name)
		}
	}
}
