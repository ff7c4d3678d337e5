package client

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

func notUpgraded(s *stage, t *trial.Trial) {
	s.fetch(t, "/a", "/b", "/a")
	s.gets(t, "one RPT for each page", "/a", "/b")
	delivered := 0
	for _, m := range s.log.Since(0, api, "/a") {
		if m.Status == http.StatusOK {
			delivered++
		}
	}
	if delivered != 2 {
		t.Fault(s.all(), "a second RPT without upgraded makes the client lose the first: /a was asked for twice and delivered %d times", delivered)
	}
}

func upgraded(s *stage, t *trial.Trial) {
	var old string
	mark := 0
	s.set(func() {
		s.as.steps = []step{success, func(d *double, w http.ResponseWriter, form url.Values, t *ticket) {
			if old = form.Get("rpt"); old == "" {
				success(d, w, form, t)
				return
			}
			o := d.rpt(append(slices.Clone(d.good[old]), t.page)...)
			o["upgraded"] = true
			mark = d.log.Mark()
			d.say(w, http.StatusOK, o)
		}}
	})
	s.fetch(t, "/a", "/b", "/a")
	s.gets(t, "with an upgraded RPT", "/a", "/b")
	if old == "" {
		t.Skip("the client asks for no upgrade")
	}
	for _, m := range s.log.Since(mark, api, "") {
		if m.Asks(old) {
			t.Fault([]wire.Message{m}, "the old RPT is shown after it was upgraded into another string")
		}
	}
}

// interval is measured at the double: from the answer that named it to the next
// request.
func interval(s *stage, t *trial.Trial) {
	const seconds = 2
	s.set(func() { s.as.steps = []step{submitted(seconds)} })
	s.fetch(t, "/a")
	list := s.asked(s.as)
	for i := 1; i < len(list); i++ {
		if pause := list[i].Came.Sub(list[i-1].Left); pause < seconds*time.Second && strings.Contains(list[i-1].AnswerBody, "interval") {
			t.Fault(list[i-1:i+1], "the interval is %d seconds and the client polls after %s", seconds, pause.Round(time.Millisecond))
		}
	}
	if s.web {
		return // a person who waits for ever is not played
	}
	before := len(list)
	s.set(func() { s.as.steps = []step{submitted(longestInterval), submitted(longestInterval)} })
	s.fetch(t, "/b")
	if list = s.asked(s.as)[before:]; len(list) > 1 {
		t.Fault(list[:2], "the interval is %d seconds, and the client polls at once", longestInterval)
	}
}

// longestInterval is a number of seconds that overflows where nobody looks.
const longestInterval = 1<<63/1_000_000_000 + 1

// rpts are all that the doubles gave out.
func (s *stage) rpts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for rpt := range s.good {
		out = append(out, rpt)
	}
	return out
}

func bearerHeader(s *stage, t *trial.Trial) {
	s.fetch(t, "/a")
	s.gets(t, "with a bearer RPT", "/a")
	for _, m := range s.all() {
		for _, rpt := range s.rpts() {
			if strings.Contains(m.Target, rpt) || m.To == api && strings.Contains(m.Body, rpt) {
				t.Fault([]wire.Message{m}, "an RPT is in a URL or in a body")
			}
		}
	}
}

func unknownType(s *stage, t *trial.Trial) {
	s.set(func() {
		s.as.steps = []step{func(d *double, w http.ResponseWriter, _ url.Values, t *ticket) {
			o := d.rpt(t.page)
			o["token_type"] = "x-unknown"
			d.say(w, http.StatusOK, o)
		}}
	})
	s.fetch(t, "/a")
	first := s.asked(s.as)
	if len(first) == 0 {
		t.Broken(s.all(), "the client does not ask for a token")
	}
	for _, m := range s.log.Since(0, api, "") {
		for _, rpt := range s.rpts() {
			if m.Asks(rpt) && strings.Contains(first[0].AnswerBody, rpt) {
				t.Fault([]wire.Message{first[0], m}, "a token of the type x-unknown is used as a bearer token")
			}
		}
	}
}

// rptElsewhere leads the client away with its RPT: by a redirect of the API to
// another origin, and by a challenge that names another authorization server.
func rptElsewhere(s *stage, t *trial.Trial) {
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		s.set(func() {
			s.answer = func(w http.ResponseWriter, page, rpt string) bool {
				if rpt == "" {
					return false
				}
				w.Header().Set("Location", s.other.issuer+page)
				w.WriteHeader(status)
				return true
			}
		})
		s.fetch(t, "/"+fmt.Sprint(status))
		s.told(t, stranger, "by a redirect of the API", s.rpts()...)
	}
	s.set(func() {
		s.answer = nil
		s.challenge = func(w http.ResponseWriter, page string) {
			if page == "/b" {
				challengeFor(w, s.other, page)
				return
			}
			challengeFor(w, s.as, page)
		}
	})
	s.fetch(t, "/a", "/b")
	s.gets(t, "at the trusted authorization server", "/a")
	s.told(t, stranger, "as an RPT to upgrade", s.rptsFrom(s.as)...)
}

// rptsFrom are the RPTs that one double gave out.
func (s *stage) rptsFrom(d *double) []string {
	return slices.DeleteFunc(s.rpts(), func(rpt string) bool {
		return !slices.ContainsFunc(s.asked(d), func(m wire.Message) bool { return strings.Contains(m.AnswerBody, rpt) })
	})
}

// remembering gives a PCT with the RPT.
func remembering(d *double, w http.ResponseWriter, _ url.Values, t *ticket) {
	o := d.rpt(t.page)
	pct := "pct-" + rand.Text()
	d.pcts = append(d.pcts, pct)
	o["pct"] = pct
	d.say(w, http.StatusOK, o)
}

func pctElsewhere(s *stage, t *trial.Trial) {
	s.set(func() {
		s.as.steps = []step{remembering, remembering}
		s.challenge = func(w http.ResponseWriter, page string) {
			if page == "/c" {
				challengeFor(w, s.other, page)
				return
			}
			challengeFor(w, s.as, page)
		}
	})
	s.fetch(t, "/a", "/b", "/c")
	s.gets(t, "with a PCT", "/a", "/b")
	s.mu.Lock()
	pcts := slices.Clone(s.pcts)
	s.mu.Unlock()
	s.told(t, stranger, "as if it was for any authorization server", pcts...)
	s.told(t, api, "who is not to know it", pcts...)
	for _, m := range s.all() {
		for _, pct := range pcts {
			if strings.Contains(m.Target, pct) {
				t.Fault([]wire.Message{m}, "a PCT is in a URL")
			}
		}
	}
}
