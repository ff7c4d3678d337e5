package authorizationserver

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
)

var protectionChecks = []check{
	{"FED-3.2.1-01", "M", "create → 201 + `Location` + `_id`", creates},
	{"FED-3.2.2-01", "M", "read → 200 with the description plus `_id`", reads},
	{"FED-3.2.3-01", "M", "update → 200 with `_id`", updates},
	{"FED-1.3-03", "M", "bearer use of the PAT supported", func(s *session, t *trial.Trial) { s.register(t, "alice@rs1", "view") }},
	{"FED-3.2-01", "M", "five operations: POST `rreg/`, GET/PUT/DELETE `rreg/{_id}`, GET `rreg/`", fiveOperations},
	{"FED-3.2-03", "M", "success bodies contain `_id` (string) except delete and list", fiveOperations},
	{"FED-3.2.3-01/whole", "M", "an update replaces the description completely", updatesWhole},
	{"FED-3.2.4-01", "M", "delete → 200 or 204; deregistered", deletes},
	{"FED-3.2.5-01", "M", "list → JSON array of `_id` strings, only this owner's", lists},
	{"FED-4.1-01", "d", "an array asks for several permissions with one ticket, and all of them count", severalPermissions},
	{"SEC-021", "M", "an id in the body is not the id of the path", bodyIDs},
	{"SEC-015", "M", "ten thousand permissions in one request are refused, not chewed", tooMany},
}

func creates(s *session, t *trial.Trial) {
	m := s.api(t, s.PATs["alice@rs1"], http.MethodPost, s.registration(t), `{"name":"made","resource_scopes":["view"]}`)
	if m.Status != http.StatusCreated || text(object(t, m), "_id") == "" || m.Answer.Get("Location") == "" {
		t.Fault(one(m), "the answer is %d with the Location %q", m.Status, m.Answer.Get("Location"))
	}
	read := s.api(t, s.PATs["alice@rs1"], http.MethodGet, s.absolute(m.Answer.Get("Location")), "")
	if read.Status != http.StatusOK {
		t.Fault(one(read), "what the Location names cannot be read")
	}
}

func fiveOperations(s *session, t *trial.Trial) {
	pat, body := s.PATs["alice@rs1"], `{"name":"five","resource_scopes":["view"]}`
	made := s.api(t, pat, http.MethodPost, s.registration(t), body)
	id := text(object(t, made), "_id")
	if made.Status >= 300 || id == "" {
		t.Fault(one(made), "creating: %d", made.Status)
	}
	for _, step := range []struct{ method, uri, body string }{
		{http.MethodGet, s.resourceURI(t, id), ""}, {http.MethodPut, s.resourceURI(t, id), body},
		{http.MethodGet, s.registration(t), ""}, {http.MethodDelete, s.resourceURI(t, id), ""},
	} {
		m := s.api(t, pat, step.method, step.uri, step.body)
		if m.Status >= 300 {
			t.Fault(one(m), "%s: %d", step.method, m.Status)
		}
		if strings.HasSuffix(step.uri, id) && step.method != http.MethodDelete && text(object(t, m), "_id") != id {
			t.Fault(one(m), "%s: the _id is missing", step.method)
		}
	}
}

// absolute resolves a reference against the issuer's host.
func (s *session) absolute(uri string) string {
	if strings.HasPrefix(uri, "/") {
		scheme, rest, _ := strings.Cut(s.Issuer, "://")
		host, _, _ := strings.Cut(rest, "/")
		return scheme + "://" + host + uri
	}
	return uri
}

func reads(s *session, t *trial.Trial) {
	id := s.register(t, "alice@rs1", "view", "edit")
	m := s.api(t, s.PATs["alice@rs1"], http.MethodGet, s.resourceURI(t, id), "")
	o := object(t, m)
	scopes, _ := o["resource_scopes"].([]any)
	if m.Status != http.StatusOK || text(o, "_id") != id || len(scopes) != 2 {
		t.Fault(one(m), "the answer is %d", m.Status)
	}
}

func updates(s *session, t *trial.Trial) {
	id := s.register(t, "alice@rs1", "view")
	m := s.api(t, s.PATs["alice@rs1"], http.MethodPut, s.resourceURI(t, id), `{"name":"changed","resource_scopes":["view","edit"]}`)
	if m.Status != http.StatusOK || text(object(t, m), "_id") != id {
		t.Fault(one(m), "the answer is %d", m.Status)
	}
}

func updatesWhole(s *session, t *trial.Trial) {
	m := s.api(t, s.PATs["alice@rs1"], http.MethodPost, s.registration(t), `{"name":"before","description":"to go","resource_scopes":["view"]}`)
	uri := s.resourceURI(t, text(object(t, m), "_id"))
	s.api(t, s.PATs["alice@rs1"], http.MethodPut, uri, `{"name":"after","resource_scopes":["edit"]}`)
	m = s.api(t, s.PATs["alice@rs1"], http.MethodGet, uri, "")
	o := object(t, m)
	if _, there := o["description"]; there || text(o, "name") != "after" {
		t.Fault(one(m), "something of the old description is left")
	}
}

func deletes(s *session, t *trial.Trial) {
	id := s.shared(t, "view")
	rpt := text(s.rpt(t, "c1", id, "view"), "access_token")
	m := s.api(t, s.PATs["alice@rs1"], http.MethodDelete, s.resourceURI(t, id), "")
	if m.Status != http.StatusOK && m.Status != http.StatusNoContent {
		t.Fault(one(m), "the answer is %d", m.Status)
	}
	if m = s.api(t, s.PATs["alice@rs1"], http.MethodGet, s.resourceURI(t, id), ""); m.Status != http.StatusNotFound {
		t.Fault(one(m), "it can still be read")
	}
	if permits, m := s.permits(t, "alice@rs1", rpt); len(permits[id]) > 0 {
		t.Fault(one(m), "an RPT still permits it")
	}
}

func lists(s *session, t *trial.Trial) {
	mine, hers, elsewhere := s.register(t, "alice@rs1", "view"), s.register(t, "anna@rs1", "view"), s.register(t, "alice@rs2", "view")
	m := s.api(t, s.PATs["alice@rs1"], http.MethodGet, s.registration(t), "")
	var ids []string
	if err := json.Unmarshal([]byte(m.AnswerBody), &ids); err != nil || m.Status != http.StatusOK {
		t.Fault(one(m), "the answer is no array of strings")
	}
	if slices.Contains(ids, hers) || slices.Contains(ids, elsewhere) {
		t.Fault(one(m), "the list has what is another owner's, or at another resource server")
	}
	if !slices.Contains(ids, mine) && m.Answer.Get("Link") == "" {
		t.Fault(one(m), "the list lacks a resource, and says of no other page")
	}
}

func severalPermissions(s *session, t *trial.Trial) {
	a, b := s.shared(t, "view"), s.shared(t, "edit")
	ticket := s.ticket(t, "alice@rs1", permission{a, []string{"view"}}, permission{b, []string{"edit"}})
	answer := granted(t, s.redeem(t, "c1", ticket))
	permits, m := s.permits(t, "alice@rs1", text(answer, "access_token"))
	if !slices.Contains(permits[a], "view") || !slices.Contains(permits[b], "edit") {
		t.Fault(one(m), "two permissions were asked for, and both are to be had")
	}
}

func bodyIDs(s *session, t *trial.Trial) {
	mine, hers := s.register(t, "alice@rs1", "view"), s.register(t, "anna@rs1", "view")
	body := `{"_id":"` + hers + `","id":"` + hers + `","owner":"anna","name":"taken","resource_scopes":["view"]}`
	s.api(t, s.PATs["alice@rs1"], http.MethodPut, s.resourceURI(t, mine), body)
	s.api(t, s.PATs["alice@rs1"], http.MethodPost, s.registration(t), body)
	m := s.api(t, s.PATs["anna@rs1"], http.MethodGet, s.resourceURI(t, hers), "")
	if m.Status != http.StatusOK || text(object(t, m), "name") == "taken" {
		t.Fault(one(m), "an id in the body reached another owner's resource")
	}
}

func tooMany(s *session, t *trial.Trial) {
	list := make([]permission, 10_000)
	for i := range list {
		list[i] = permission{"x", []string{"view"}}
	}
	if m := s.ask(t, "alice@rs1", list...); m.Status != http.StatusBadRequest && m.Status != http.StatusRequestEntityTooLarge {
		t.Fault(one(m), "the answer is %d", m.Status)
	}
}
