package resourceserver

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
)

// otherSpellings tries the ways in which a guard and what it guards read a path
// differently. What is refused or not found is fine; what is let through is not.
func otherSpellings(s *session, t *trial.Trial) {
	_, _, protected := s.admit(t, s.Read)
	tokens := []string{""}
	if s.Other != nil {
		learned := s.learn(t, s.Other)
		tokens = append(tokens, s.double.show(learned.owner, learned.all()))
	}
	everything := s.send(t, s.Read, "/"+rand.Text(), http.Header{}).granted() // a server that says 200 to any path
	s.otherPathInHeader(t, protected)
	for _, target := range spellings(s.Read.Path, s.Open, s.Other) {
		for _, rpt := range tokens {
			h := http.Header{}
			if rpt != "" {
				h.Set("Authorization", "Bearer "+rpt)
			}
			v := s.send(t, s.Read, target, h)
			// Below an open path, and where anything is answered, only what is told counts.
			elsewhere := everything || s.Open != nil && strings.HasPrefix(target, s.Open.Path)
			if v.granted() && (!elsewhere || v.answer.AnswerBody == protected.answer.AnswerBody) {
				t.Fault(v.messages(), "%s is let through without permission for %s", target, s.Read.Path)
			}
			if v.answer.Status >= 500 {
				t.Fault(v.messages(), "%s causes a fault of the server", target)
			}
		}
	}
}

// rewriting are headers with which some servers let anybody name another path
// than the guard saw.
var rewriting = []string{"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Forwarded-Path", "X-Original-Uri"}

// otherPathInHeader asks for something open and names the protected path in a
// header.
func (s *session) otherPathInHeader(t *trial.Trial, protected visit) {
	if s.Open == nil {
		return
	}
	for _, name := range rewriting {
		v := s.send(t, s.Open, s.Open.Path, http.Header{name: {s.Read.Path}})
		if v.granted() && v.answer.AnswerBody == protected.answer.AnswerBody {
			t.Fault(v.messages(), "the header %s opens %s", name, s.Read.Path)
		}
	}
}

func spellings(target string, openRequest, other *Request) []string {
	path, query, _ := strings.Cut(target, "?")
	if query != "" {
		query = "?" + query
	}
	at := strings.LastIndex(path, "/")
	head, last := path[:at], path[at+1:]
	first := ""
	if last != "" {
		first = "%" + strings.ToUpper(hex(last[0])) + last[1:]
	}
	out := []string{
		"/" + path, head + "//" + last, "/." + path, head + "/./" + last, head + "/x/../" + last, head + "/x/..;/" + last,
		head + "/x/%2e%2e/" + last, head + "/x%2f..%2f" + last, head + "/x/%2e%2e%2f" + last, head + "%2f" + last, head + "%2F" + last,
		head + "%252f" + last, head + "/%252e/" + last, head + `\` + last, head + "%5c" + last, path + "/", path + "/.", path + ".",
		path + "%2e", path + "%00", path + "%20", path + "%09", path + ";x=y", path + ";/", path + "%3bx=y", path + "/..;/" + last,
		path + "%23x", path + "%3f", head + "/" + swapCase(last), path + ".json", path + "/x/..", head + "/" + first,
		head + ";a=b/" + last, path + "%0d%0a", head + "/%c0%ae/" + last,
	}
	for _, r := range []*Request{openRequest, other} {
		if r != nil {
			prefix, _, _ := strings.Cut(r.Path, "?")
			prefix = strings.TrimRight(prefix, "/")
			up := strings.Repeat("/..", strings.Count(prefix, "/"))
			out = append(out, prefix+up+path, prefix+strings.ReplaceAll(up, "..", "%2e%2e")+path, prefix+strings.ReplaceAll(up, "..", "..;")+path,
				prefix+strings.ReplaceAll(up, "/", "%2f")+path, path+"?"+prefix, path+"%3f"+prefix, prefix+";"+path)
		}
	}
	for _, authority := range []string{"127.0.0.1", "other.example", "user@other.example:1"} {
		out = append(out, "http://"+authority+path, "http://"+authority+"/"+path)
	}
	for i := range out {
		if !strings.Contains(out[i], "?") {
			out[i] += query
		}
	}
	// The plain spelling is a request of its own.
	return slices.DeleteFunc(out, func(s string) bool { return s == target })
}

func hex(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}

// brokenCredentials are what no client should send.
func brokenCredentials(s *session, t *trial.Trial) {
	rpt, _, _ := s.admit(t, s.Read)
	for _, credentials := range []string{
		"Bearer ", "Bearer", "Basic " + rpt, "Bearer x y", "Bearer " + strings.Repeat("a", 7000), `Bearer "` + rpt + `"`,
		"Bearer " + rpt[:len(rpt)-1], "Bearer " + rpt + "A", "Bearer " + swapCase(rpt), "Bearer rpt-\u00e9\u4e2d", "Bearer x&token=" + rpt,
	} {
		name := credentials[:min(30, len(credentials))]
		v := s.send(t, s.Read, s.Read.Path, http.Header{"Authorization": {credentials}})
		switch {
		case v.granted():
			t.Fault(v.messages(), "%s: the request is let through", name)
		case v.answer.Status >= 500:
			t.Fault(v.messages(), "%s causes a fault of the server", name)
		}
	}
}
