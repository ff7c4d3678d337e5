package authorizationserver

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
)

// A vector is one request and what has to come back, in a file of its own:
//
//	id: FED-3.2-09/twice
//	level: M
//	requirement: a parameter given twice → 400
//	send: POST <resource_registration_endpoint>
//	Authorization: Bearer <alice@rs1>
//	Content-Type: application/json
//
//	{"resource_scopes":["a"],"resource_scopes":["b"]}
//	---
//	status: 400
//	error: invalid_request
//
// What stands in angle brackets is put in by the suite: a member of the metadata,
// a PAT by its name, and the words of placeholder below. What has to come back is
// any of: status and error (alternatives behind |), member, no-member, body (the
// whole JSON) and header (a name, and what its value contains).

//go:embed vectors/*.txt
var vectorFiles embed.FS

type vector struct {
	id, level, requirement string
	method, uri            string
	header                 [][2]string
	body                   string
	want                   [][2]string
}

// vectors reads all files, in the order of their ids.
func vectors() ([]vector, error) {
	var out []vector
	err := fs.WalkDir(vectorFiles, "vectors", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := vectorFiles.ReadFile(path)
		if err != nil {
			return err
		}
		v, err := parseVector(string(raw))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, v)
		return nil
	})
	slices.SortFunc(out, func(a, b vector) int { return strings.Compare(a.id, b.id) })
	return out, err
}

func parseVector(raw string) (v vector, err error) {
	request, want, found := strings.Cut(raw, "\n---\n")
	if !found {
		return v, fmt.Errorf("there is no line ---")
	}
	head, body, _ := strings.Cut(request, "\n\n")
	v.body = strings.TrimSpace(body)
	for line := range strings.Lines(head) {
		name, value, found := strings.Cut(strings.TrimRight(line, "\n"), ": ")
		if !found {
			return v, fmt.Errorf("%q is no line of a head", line)
		}
		switch name {
		case "id":
			v.id = value
		case "level":
			v.level = value
		case "requirement":
			v.requirement = value
		case "send":
			v.method, v.uri, _ = strings.Cut(value, " ")
		default:
			v.header = append(v.header, [2]string{name, value})
		}
	}
	for line := range strings.Lines(want) {
		name, value, found := strings.Cut(strings.TrimSpace(line), ": ")
		if !found || !slices.Contains([]string{"status", "error", "member", "no-member", "body", "header"}, name) {
			return v, fmt.Errorf("%q is nothing that can come back", line)
		}
		v.want = append(v.want, [2]string{name, value})
	}
	if v.id == "" || v.level == "" || v.requirement == "" || v.uri == "" || len(v.want) == 0 {
		return v, fmt.Errorf("id, level, requirement, send or what has to come back is missing")
	}
	return v, nil
}

func (v vector) check() check {
	return check{v.id, v.level, v.requirement, v.run}
}

var placeholders = regexp.MustCompile(`<[a-z0-9@_ ]+>`)

func (v vector) run(s *session, t *trial.Trial) {
	known := map[string]string{}
	fill := func(text string) string {
		return placeholders.ReplaceAllStringFunc(text, func(p string) string {
			name := strings.Trim(p, "<>")
			if _, ok := known[name]; !ok {
				known[name] = s.placeholder(t, name, known)
			}
			return known[name]
		})
	}
	header := http.Header{}
	for _, h := range v.header {
		header.Add(h[0], fill(h[1]))
	}
	body := fill(v.body)
	m := s.call(t, "anybody", v.method, fill(v.uri), header, body)
	for _, w := range v.want {
		alternatives := strings.Split(w[1], "|")
		var o map[string]any
		if w[0] != "status" && w[0] != "header" {
			o = object(t, m)
		}
		switch w[0] {
		case "status":
			if !slices.Contains(alternatives, strconv.Itoa(m.Status)) {
				t.Fault(one(m), "the status is %d, want %s", m.Status, w[1])
			}
		case "error":
			if !slices.Contains(alternatives, text(o, "error")) {
				t.Fault(one(m), "the error is %q, want %s", text(o, "error"), w[1])
			}
		case "member", "no-member":
			if _, there := o[w[1]]; there != (w[0] == "member") {
				t.Fault(one(m), "the member %s: it is there: %v", w[1], there)
			}
		case "body":
			var want map[string]any
			if err := json.Unmarshal([]byte(w[1]), &want); err != nil || !reflect.DeepEqual(o, want) {
				t.Fault(one(m), "the body has to be %s", w[1])
			}
		case "header":
			name, part, _ := strings.Cut(w[1], " ")
			if !strings.Contains(m.Answer.Get(name), part) || m.Answer.Get(name) == "" {
				t.Fault(one(m), "the header %s is %q", name, m.Answer.Get(name))
			}
		}
	}
}

// placeholder makes what stands in angle brackets.
func (s *session) placeholder(t *trial.Trial, name string, known map[string]string) string {
	resource := func() string {
		if known["resource"] == "" {
			known["resource"] = s.shared(t, "view")
		}
		return known["resource"]
	}
	switch name {
	case "resource":
		return resource()
	case "resource uri":
		return s.resourceURI(t, resource())
	case "foreign":
		return s.register(t, "anna@rs1", "view")
	case "foreign uri":
		return s.resourceURI(t, s.register(t, "anna@rs1", "view"))
	case "elsewhere":
		return s.register(t, "alice@rs2", "view")
	case "elsewhere uri":
		return s.resourceURI(t, s.register(t, "alice@rs2", "view"))
	case "unknown uri":
		return s.resourceURI(t, "00000000000000000000000000000000")
	case "ticket":
		return url.QueryEscape(s.ticketFor(t, resource(), "view"))
	case "spent":
		ticket := s.ticketFor(t, resource(), "view")
		granted(t, s.redeem(t, "c1", ticket))
		return url.QueryEscape(ticket)
	case "rpt":
		return text(s.rpt(t, "c1", resource(), "view"), "access_token")
	case "c1", "c2":
		return basic(s.Clients[name])
	case "c1 id", "c2 id", "public id":
		return url.QueryEscape(s.Clients[strings.TrimSuffix(name, " id")].ID)
	case "c1 claims", "c2 claims", "public claims":
		return url.QueryEscape(s.Clients[strings.TrimSuffix(name, " claims")].ClaimsRedirectURIs[0])
	case "policies":
		return s.PolicyTokens["alice"]
	case "bob token":
		return s.idToken(s.claimsOf(s.RequestingParties["bob"], "c1"))
	}
	if pat, ok := s.PATs[name]; ok {
		return pat
	}
	return s.at(t, name)
}
