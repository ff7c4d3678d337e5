package resourceserver

import (
	"crypto/rand"
	"time"

	"github.com/licet/licet/conformance/internal/trial"
)

// refusedWithTicket: Grant 3.5 answers an RPT that is not good for the request
// like no RPT at all.
func refusedWithTicket(s *session, t *trial.Trial) {
	_, learned, _ := s.admit(t, s.Read)
	seen := map[string]bool{}
	refused := func(what, rpt string) {
		v := s.call(t, s.Read, rpt)
		got := s.challenged(t, v, what)
		if seen[got] {
			t.Fault(v.messages(), "%s: the ticket was handed out before", what)
		}
		seen[got] = true
	}
	refused("no RPT", "")
	refused("an unknown RPT", "rpt-"+rand.Text())
	for _, d := range s.insufficient(t, learned) {
		if d.answer["active"] == true && sameID(d, learned) {
			continue // an id that has no letters
		}
		refused(d.name, s.double.show(d.owner, d.answer))
	}
	for _, d := range timed(learned) {
		if !d.good {
			refused(d.name, s.double.show(learned.owner, d.answer))
		}
	}
}

func noAccess(s *session, t *trial.Trial) {
	_, learned, _ := s.admit(t, s.Read)
	refused := func(what string, r *Request, rpt string) {
		if v := s.call(t, r, rpt); v.granted() {
			t.Fault(v.messages(), "%s opens %s %s", what, r.Method, r.Path)
		}
	}
	refused("an unknown RPT", s.Read, "rpt-"+rand.Text())
	for _, d := range append(s.insufficient(t, learned), doubtful(learned)...) {
		if !sameID(d, learned) {
			refused(d.name, s.Read, s.double.show(d.owner, d.answer))
		}
	}
	// What is good at one place is not at another.
	for _, r := range []*Request{s.Write, s.Other, s.Foreign} {
		if r == nil {
			continue
		}
		elsewhere := s.learn(t, r)
		refused("an RPT for "+r.Method+" "+r.Path, s.Read, s.double.show(elsewhere.owner, elsewhere.all()))
		refused("an RPT for "+s.Read.Method+" "+s.Read.Path, r, s.double.show(learned.owner, learned.all()))
	}
	// The answer does not come at all.
	for _, failure := range failures {
		s.double.play(script{instead: at(pathIntrospect, failure.instead)})
		v := s.call(t, s.Read, s.double.show(learned.owner, learned.all()))
		s.settle(t)
		if v.granted() {
			t.Fault(v.messages(), "introspection that %s opens %s", failure.name, s.Read.Path)
		}
	}
}

func stricterTimes(s *session, t *trial.Trial) {
	_, learned, _ := s.admit(t, s.Read)
	for _, d := range timed(learned) {
		v := s.call(t, s.Read, s.double.show(learned.owner, d.answer))
		switch {
		case d.good && !v.granted():
			t.Fault(v.messages(), "%s: the request is refused", d.name)
		case !d.good && v.granted():
			t.Fault(v.messages(), "%s: the request is let through", d.name)
		}
	}
}

// remembered takes permission away in the two ways in which it goes.
func remembered(s *session, t *trial.Trial) {
	rpt, learned, _ := s.admit(t, s.Read)
	s.double.change(rpt, map[string]any{"active": false})
	if !pause(t, s.cache()) {
		return
	}
	if v := s.call(t, s.Read, rpt); v.granted() {
		t.Fault(v.messages(), "an RPT that was revoked %d seconds ago still opens %s", s.CacheSeconds, s.Read.Path)
	}
	end := time.Now().Add(2 * time.Second).Unix()
	short := s.double.show(learned.owner, each(learned.all(), "exp", end))
	if v := s.call(t, s.Read, short); !v.granted() {
		t.Broken(v.messages(), "a permission that lasts two seconds more does not open %s", s.Read.Path)
	}
	if !pause(t, time.Until(time.Unix(end, 0).Add(100*time.Millisecond))) {
		return
	}
	if v := s.call(t, s.Read, short); v.granted() {
		t.Fault(v.messages(), "a permission opens %s after its end", s.Read.Path)
	}
}

// comparedAnew uses one RPT, that may be remembered by now, for something else.
func comparedAnew(s *session, t *trial.Trial) {
	if s.Write == nil && s.Other == nil && s.Foreign == nil {
		t.Skip("the fixture has no second request")
	}
	rpt, _, _ := s.admit(t, s.Read)
	for _, r := range []*Request{s.Write, s.Other, s.Foreign} {
		if r == nil {
			continue
		}
		if v := s.call(t, r, rpt); v.granted() {
			t.Fault(v.messages(), "an RPT for %s %s opens %s %s", s.Read.Method, s.Read.Path, r.Method, r.Path)
		}
	}
	if v := s.call(t, s.Read, rpt); !v.granted() {
		t.Fault(v.messages(), "an RPT that was good before does not open %s any more", s.Read.Path)
	}
}
