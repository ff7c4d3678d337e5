package resourceserver

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

// session is one run of the suite against one resource server.
type session struct {
	*Fixture
	double  *double
	program *wire.Program // nil when the resource server was running before
}

func open(ctx context.Context, f *Fixture) (*session, error) {
	d, err := newDouble(f)
	if err != nil {
		return nil, fmt.Errorf("the double: %w", err)
	}
	s := &session{Fixture: f, double: d}
	if err := s.start(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) close() {
	s.stop()
	s.double.server.Close()
}

func (s *session) stop() {
	if s.program != nil {
		s.program.Stop()
		s.program = nil
	}
}

// start starts the resource server, if the fixture says how, and waits until it
// answers.
func (s *session) start(ctx context.Context) (err error) {
	if len(s.Start) == 0 {
		return nil
	}
	if s.program, err = wire.Start(wire.Replace(s.Start, map[string]string{"issuer": s.double.issuer})); err != nil {
		return err
	}
	return s.program.Ready(ctx, s.API+"/")
}

// restart makes the resource server forget what it remembers of the double. An
// error means that it did not come up.
func (s *session) restart(t *trial.Trial) error {
	if len(s.Start) == 0 {
		t.Skip("the fixture has no start command, and this needs the resource server to start anew")
	}
	s.stop()
	return s.start(t.Context)
}

// visit is one request to the API with all that came of it.
type visit struct {
	answer  wire.Message
	heard   []wire.Message // what the double was asked meanwhile
	tickets []ticket       // that it handed out meanwhile
}

// granted says whether the request was let through.
func (v visit) granted() bool { return v.answer.Status >= 200 && v.answer.Status <= 299 }

// messages are all of the visit, in their order.
func (v visit) messages() []wire.Message { return append(slices.Clone(v.heard), v.answer) }

// call does a request of the fixture, with an RPT unless it is empty.
func (s *session) call(t *trial.Trial, r *Request, rpt string) visit {
	h := http.Header{}
	if rpt != "" {
		h.Set("Authorization", "Bearer "+rpt)
	}
	return s.send(t, r, r.Path, h)
}

// send does a request with another target and headers of its own.
func (s *session) send(t *trial.Trial, r *Request, target string, h http.Header) visit {
	h = h.Clone()
	if r.Body != "" && h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	mark := s.double.log.Mark()
	before, _ := s.double.counts()
	answer, err := wire.Call{Method: r.Method, Base: s.API, Target: target, Header: h, Body: r.Body}.Do(t.Context, client, api)
	v := visit{answer: answer, heard: s.double.log.Since(mark, "", ""), tickets: s.double.granted(before)}
	if err != nil {
		t.Broken(v.messages(), "the API does not answer: %s", err)
	}
	return v
}

// learn does a request without a token and returns what the API asked the
// double for.
func (s *session) learn(t *trial.Trial, r *Request) ticket {
	v := s.call(t, r, "")
	if v.granted() {
		t.Broken(v.messages(), "%s %s is let through without an RPT: is it protected?", r.Method, r.Path)
	}
	if len(v.tickets) == 0 {
		t.Broken(v.messages(), "%s %s without an RPT leads to no permission request", r.Method, r.Path)
	}
	return v.tickets[len(v.tickets)-1]
}

// all is the introspection answer that permits everything that was asked for.
func (t ticket) all() map[string]any { return active(t.asked) }

func active(list []asked) map[string]any {
	permissions := []any{}
	for _, p := range list {
		permissions = append(permissions, map[string]any{"resource_id": p.Resource, "resource_scopes": p.Scopes})
	}
	return map[string]any{"active": true, "permissions": permissions}
}

// with copies an answer and sets members of it.
func with(answer map[string]any, members ...any) map[string]any {
	out := maps.Clone(answer)
	for i := 0; i < len(members); i += 2 {
		out[members[i].(string)] = members[i+1]
	}
	return out
}

// each copies an answer and sets members in each of its permissions.
func each(answer map[string]any, members ...any) map[string]any {
	list := []any{}
	for _, p := range answer["permissions"].([]any) {
		list = append(list, with(p.(map[string]any), members...))
	}
	return with(answer, "permissions", list)
}

// admit does a request with an RPT that permits it, which has to go through.
// Without this, a resource server that refuses everything would pass.
func (s *session) admit(t *trial.Trial, r *Request) (rpt string, learned ticket, v visit) {
	learned = s.learn(t, r)
	rpt = s.double.show(learned.owner, learned.all())
	v = s.call(t, r, rpt)
	if !v.granted() {
		t.Broken(v.messages(), "%s %s is refused with an RPT that permits all that was asked for", r.Method, r.Path)
	}
	return rpt, learned, v
}

// need returns a request of the fixture or skips.
func need(t *trial.Trial, r *Request, name string) *Request {
	if r == nil {
		t.Skip("the fixture has no %q request", name)
	}
	return r
}

// challenged checks an answer against Grant 3.2.1 and returns its ticket: 401,
// one UMA challenge, the issuer, the ticket that was handed out for it.
func (s *session) challenged(t *trial.Trial, v visit, what string) string {
	if v.granted() {
		t.Fault(v.messages(), "%s: the request is let through", what)
	}
	list := wire.UMA(v.answer.Answer)
	switch {
	case v.answer.Status != http.StatusUnauthorized:
		t.Fault(v.messages(), "%s: the answer is %d and not 401", what, v.answer.Status)
	case len(list) != 1:
		t.Fault(v.messages(), "%s: the answer has %d UMA challenges and not one", what, len(list))
	case list[0].Twice != "":
		t.Fault(v.messages(), "%s: the challenge has %s twice", what, list[0].Twice)
	case list[0].Parameters["as_uri"] != s.double.issuer:
		t.Fault(v.messages(), "%s: as_uri is %q and the issuer is %q", what, list[0].Parameters["as_uri"], s.double.issuer)
	}
	got := list[0].Parameters["ticket"]
	if !slices.ContainsFunc(v.tickets, func(t ticket) bool { return t.value == got }) {
		t.Fault(v.messages(), "%s: the ticket %q was not handed out for this request", what, got)
	}
	return got
}

// settle waits until the resource server has noticed that the double is well
// again.
func (s *session) settle(t *trial.Trial) {
	s.double.play(script{})
	for end := time.Now().Add(30 * time.Second); ; {
		v := s.call(t, s.Read, "")
		if len(wire.UMA(v.answer.Answer)) > 0 {
			return
		}
		if time.Now().After(end) {
			t.Broken(v.messages(), "the API does not recover from an authorization server that was away")
		}
		if !pause(t, 100*time.Millisecond) {
			return
		}
	}
}

// pause waits; false means that the run is over.
func pause(t *trial.Trial, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-t.Context.Done():
		return false
	}
}

// quote prints a list of scopes for a sentence.
func quote(scopes []string) string { return fmt.Sprintf("[%s]", strings.Join(scopes, " ")) }
