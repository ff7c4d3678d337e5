package resourceserver

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

// stranger is whom nobody should speak to.
const stranger = "stranger"

var warning = regexp.MustCompile(`^199 \S+ "UMA Authorization Server Unreachable"( |$)`)

func unreachable(s *session, t *trial.Trial) {
	s.learn(t, s.Read)
	for _, failure := range failures {
		s.double.play(script{instead: func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/.well-known/uma2-configuration" {
				return false
			}
			failure.instead(w, r)
			return true
		}})
		v := s.call(t, s.Read, "")
		s.settle(t)
		what := "the authorization server " + failure.name
		switch {
		case v.granted():
			t.Fault(v.messages(), "%s: the request is let through", what)
		case len(wire.UMA(v.answer.Answer)) > 0:
			t.Fault(v.messages(), "%s: the answer has a UMA challenge", what)
		case v.answer.Status != http.StatusForbidden:
			t.Fault(v.messages(), "%s: the answer is %d and not 403", what, v.answer.Status)
		case !slices.ContainsFunc(v.answer.Answer.Values("Warning"), warning.MatchString):
			t.Fault(v.messages(), `%s: the answer has no header Warning: 199 - "UMA Authorization Server Unreachable"`, what)
		}
	}
}

// unknownMembers has every answer extended, from the discovery document on.
func unknownMembers(s *session, t *trial.Trial) {
	s.admit(t, s.Read)
	defer s.double.play(script{})
	s.double.play(script{extend: true})
	if len(s.Start) > 0 {
		if err := s.restart(t); err != nil {
			t.Fault(nil, "with members that nobody knows in every answer: %s", err)
		}
	}
	learned := s.call(t, s.Read, "")
	s.challenged(t, learned, "with unknown members in the answers")
	last := learned.tickets[len(learned.tickets)-1]
	v := s.call(t, s.Read, s.double.show(last.owner, each(last.all(), "x_unknown", map[string]any{"a": []int{1}})))
	if !v.granted() {
		t.Fault(v.messages(), "a permission with a member that nobody knows does not open %s", s.Read.Path)
	}
}

// misled starts the resource server anew with another discovery document and
// sends it a request. What it says to whom meanwhile is returned.
func (s *session) misled(t *trial.Trial, metadata func(map[string]any)) visit {
	s.learn(t, s.Read)
	mark := s.double.log.Mark()
	s.double.play(script{metadata: metadata})
	defer func() {
		s.double.play(script{})
		if err := s.restart(t); err != nil {
			t.Broken(nil, "the API does not start any more: %s", err)
		}
		s.settle(t)
	}()
	if err := s.restart(t); err != nil {
		return visit{heard: s.double.log.Since(mark, "", "")} // refusing to run is refusing
	}
	v := s.call(t, s.Read, "")
	v.heard = s.double.log.Since(mark, "", "")
	return v
}

func otherIssuer(s *session, t *trial.Trial) {
	v := s.misled(t, func(o map[string]any) { o["issuer"] = "https://other.example" })
	for _, m := range v.heard {
		if strings.HasPrefix(m.Path(), "/.well-known/") {
			continue
		}
		t.Fault([]wire.Message{m}, "an endpoint is spoken to whose discovery document is another issuer's")
	}
	if v.answer.Status != 0 && (v.granted() || len(wire.UMA(v.answer.Answer)) > 0) {
		t.Fault(v.messages(), "the request is answered as if the discovery document was good")
	}
}

// plainEndpoints declares endpoints over plain http on an address that is not
// loopback: a token must not travel there.
func plainEndpoints(s *session, t *trial.Trial) {
	host, ok := wire.NotLoopback()
	if !ok {
		t.Skip("this machine has no address besides loopback to try it on")
	}
	elsewhere, err := wire.Serve(host+":0", api, stranger, &s.double.log, http.NotFoundHandler())
	if err != nil {
		t.Skip("nothing can listen on %s: %s", host, err)
	}
	defer elsewhere.Close()
	v := s.misled(t, func(o map[string]any) {
		for name, path := range map[string]string{
			"token_endpoint": pathToken, "permission_endpoint": pathPermission, "introspection_endpoint": pathIntrospect,
			"resource_registration_endpoint": pathResources,
		} {
			o[name] = elsewhere.URL + path
		}
	})
	s.unspoken(t, v.heard, "plain http that leaves the machine")
}

// unspoken checks that no secret went to the stranger.
func (s *session) unspoken(t *trial.Trial, heard []wire.Message, what string) {
	for _, m := range heard {
		if m.To == stranger && slices.ContainsFunc(s.double.secrets(), m.Asks) {
			t.Fault([]wire.Message{m}, "a secret is sent over %s", what)
		}
	}
}

// redirectedPAT has the protection API answer with a redirect to another origin.
func redirectedPAT(s *session, t *trial.Trial) {
	_, learned, _ := s.admit(t, s.Read)
	elsewhere, err := wire.Serve("127.0.0.1:0", api, stranger, &s.double.log, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		wire.JSON(w, http.StatusOK, with(learned.all(), "ticket", "tkt-"+rand.Text()))
	}))
	if err != nil {
		t.Skip("nothing can listen: %s", err)
	}
	defer elsewhere.Close()
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		for _, path := range []string{pathPermission, pathIntrospect} {
			rpt := ""
			if path == pathIntrospect {
				rpt = "rpt-" + rand.Text()
			}
			mark := s.double.log.Mark()
			s.double.play(script{instead: at(path, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", elsewhere.URL+path)
				w.WriteHeader(status)
			})})
			v := s.call(t, s.Read, rpt)
			s.settle(t)
			s.unspoken(t, s.double.log.Since(mark, "", ""), "a redirect to another origin")
			if v.granted() {
				t.Fault(v.messages(), "what a redirect led to opens %s", s.Read.Path)
			}
		}
	}
}

// nothingTold looks at what anybody is answered, also when something is wrong.
func nothingTold(s *session, t *trial.Trial) {
	_, learned, _ := s.admit(t, s.Read)
	look := func(rpt string) {
		v := s.call(t, s.Read, rpt)
		for _, secret := range append(s.double.secrets(), "sub-of-somebody") {
			if v.answer.Tells(secret) {
				t.Fault([]wire.Message{v.answer}, "the answer has a secret of the resource server in it")
			}
		}
		// The path is the client's own words; only what it did not say is told.
		if owner := learned.owner; !strings.Contains(s.Read.Path, owner) && v.answer.Tells(owner) {
			t.Fault([]wire.Message{v.answer}, "the answer names the owner %q", owner)
		}
	}
	inactive := s.double.show(learned.owner, map[string]any{"active": false, "sub": "sub-of-somebody"})
	for _, rpt := range []string{"", "rpt-" + rand.Text(), inactive} {
		look(rpt)
	}
	for _, failure := range failures {
		s.double.play(script{instead: at(pathPermission, failure.instead)})
		look("")
		s.double.play(script{instead: at(pathIntrospect, failure.instead)})
		look(inactive)
		s.settle(t)
	}
	if s.Open != nil {
		if v := s.call(t, s.Open, ""); len(wire.UMA(v.answer.Answer)) > 0 || !v.granted() {
			t.Fault(v.messages(), "a request that needs no permission is not simply answered")
		}
	}
}
