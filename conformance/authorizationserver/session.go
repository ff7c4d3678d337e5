package authorizationserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

const server = "authorization server"

// session is one run of the suite against one server.
type session struct {
	Fixture
	metadata map[string]any
	document wire.Message // the discovery document as it came
	serial   int
}

// open finds the server.
func open(ctx context.Context, f Fixture) (*session, error) {
	s := &session{Fixture: f}
	var err error
	s.document, err = s.send(ctx, "anybody", http.MethodGet, strings.TrimSuffix(f.Issuer, "/")+"/.well-known/uma2-configuration", nil, "")
	if err != nil {
		return nil, fmt.Errorf("the server of %s does not answer: %w", f.Issuer, err)
	}
	if err := json.Unmarshal([]byte(s.document.AnswerBody), &s.metadata); err != nil || s.document.Status != http.StatusOK {
		return nil, fmt.Errorf("%s has no discovery document of UMA 2.0: %d", f.Issuer, s.document.Status)
	}
	return s, nil
}

// at is a URI of the metadata.
func (s *session) at(t *trial.Trial, member string) string {
	uri, ok := s.metadata[member].(string)
	if !ok {
		t.Broken([]wire.Message{s.document}, "the metadata has no %s", member)
	}
	return uri
}

func (s *session) send(ctx context.Context, from, method, uri string, header http.Header, body string) (wire.Message, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return wire.Message{}, err
	}
	target := u.EscapedPath()
	if target == "" {
		target = "/"
	}
	if _, query, found := strings.Cut(uri, "?"); found {
		target += "?" + query
	}
	return wire.Call{Method: method, Base: u.Scheme + "://" + u.Host, Target: target, Header: header, Body: body}.Do(ctx, from, server)
}

func (s *session) call(t *trial.Trial, from, method, uri string, header http.Header, body string) wire.Message {
	m, err := s.send(t.Context, from, method, uri, header, body)
	if err != nil {
		t.Broken([]wire.Message{m}, "the server does not answer: %v", err)
	}
	if m.Status >= 500 {
		t.Fault([]wire.Message{m}, "the server is at fault: %d", m.Status)
	}
	return m
}

func one(m wire.Message) []wire.Message { return []wire.Message{m} }

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func basic(p Program) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(p.ID)+":"+url.QueryEscape(p.Secret)))
}

// object reads an answer that has to be a JSON object.
func object(t *trial.Trial, m wire.Message) map[string]any {
	var out map[string]any
	if err := json.Unmarshal([]byte(m.AnswerBody), &out); err != nil {
		t.Fault(one(m), "the answer is no JSON object")
	}
	return out
}

func text(o map[string]any, name string) string {
	v, _ := o[name].(string)
	return v
}

// api calls a protection API endpoint, or the policy API, with JSON.
func (s *session) api(t *trial.Trial, token, method, uri, body string) wire.Message {
	h := bearer(token)
	if body != "" {
		h.Set("Content-Type", "application/json")
	}
	return s.call(t, "resource server", method, uri, h, body)
}

// register registers a resource with scopes and returns its id.
func (s *session) register(t *trial.Trial, pat string, scopes ...string) string {
	s.serial++
	description, _ := json.Marshal(map[string]any{"name": fmt.Sprintf("thing %d", s.serial), "resource_scopes": append([]string{}, scopes...)})
	m := s.api(t, s.PATs[pat], http.MethodPost, s.registration(t), string(description))
	id := text(object(t, m), "_id")
	if m.Status != http.StatusCreated || id == "" {
		t.Broken(one(m), "a resource cannot be registered")
	}
	return id
}

func (s *session) registration(t *trial.Trial) string {
	return s.at(t, "resource_registration_endpoint")
}

// resourceURI is the URI of one resource: the registration endpoint with the id
// behind a slash.
func (s *session) resourceURI(t *trial.Trial, id string) string {
	return strings.TrimSuffix(s.registration(t), "/") + "/" + url.PathEscape(id)
}

// share writes a policy of Alice's down. conditions are further members of the
// document.
func (s *session) share(t *trial.Trial, resource string, scopes []string, conditions map[string]any) string {
	document := map[string]any{"resource_id": resource, "resource_scopes": scopes}
	for name, value := range conditions {
		document[name] = value
	}
	body, _ := json.Marshal(document)
	m := s.api(t, s.PolicyTokens["alice"], http.MethodPost, s.PolicyEndpoint, string(body))
	id := text(object(t, m), "_id")
	if m.Status != http.StatusCreated || id == "" {
		t.Broken(one(m), "a policy cannot be set")
	}
	return id
}

func (s *session) withdraw(t *trial.Trial, policy string) {
	m := s.api(t, s.PolicyTokens["alice"], http.MethodDelete, s.PolicyEndpoint+"/"+url.PathEscape(policy), "")
	if m.Status >= 300 {
		t.Broken(one(m), "a policy cannot be withdrawn")
	}
}

var anyone = map[string]any{"anyone": true}

func toBob(f Fixture) map[string]any {
	return map[string]any{"required_claims": []any{map[string]any{"name": "email", "value": f.RequestingParties["bob"].Email}}}
}

// shared is a resource of Alice's at rs1 whose scopes anyone has.
func (s *session) shared(t *trial.Trial, scopes ...string) string {
	id := s.register(t, "alice@rs1", scopes...)
	s.share(t, id, scopes, anyone)
	return id
}

// permission is what a resource server asks for.
type permission struct {
	Resource string   `json:"resource_id"`
	Scopes   []string `json:"resource_scopes"`
}

func (s *session) ask(t *trial.Trial, pat string, asked ...permission) wire.Message {
	var body []byte
	if len(asked) == 1 {
		body, _ = json.Marshal(asked[0])
	} else {
		body, _ = json.Marshal(asked)
	}
	return s.api(t, s.PATs[pat], http.MethodPost, s.at(t, "permission_endpoint"), string(body))
}

// ticket is a permission ticket for these permissions.
func (s *session) ticket(t *trial.Trial, pat string, asked ...permission) string {
	m := s.ask(t, pat, asked...)
	ticket := text(object(t, m), "ticket")
	if m.Status != http.StatusCreated || ticket == "" {
		t.Broken(one(m), "there is no permission ticket")
	}
	return ticket
}

func (s *session) ticketFor(t *trial.Trial, resource string, scopes ...string) string {
	return s.ticket(t, "alice@rs1", permission{resource, append([]string{}, scopes...)})
}

// token calls the token endpoint as a client; more are name and value pairs, and
// an empty value leaves the parameter out.
func (s *session) token(t *trial.Trial, client string, more ...string) wire.Message {
	p := s.Clients[client]
	form, header := url.Values{}, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if p.Secret != "" {
		header.Set("Authorization", basic(p))
	} else {
		form.Set("client_id", p.ID)
	}
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] != "" {
			form.Set(more[i], more[i+1])
		}
	}
	return s.call(t, client, http.MethodPost, s.at(t, "token_endpoint"), header, form.Encode())
}

const umaGrant = "urn:ietf:params:oauth:grant-type:uma-ticket"

// redeem presents a ticket.
func (s *session) redeem(t *trial.Trial, client, ticket string, more ...string) wire.Message {
	return s.token(t, client, append([]string{"grant_type", umaGrant, "ticket", ticket}, more...)...)
}

// granted wants an answer to be a token response, and returns it.
func granted(t *trial.Trial, m wire.Message) map[string]any {
	if m.Status != http.StatusOK {
		t.Fault(one(m), "the answer is %d instead of an RPT", m.Status)
	}
	o := object(t, m)
	if text(o, "access_token") == "" {
		t.Fault(one(m), "the answer has no access_token")
	}
	return o
}

// refused wants an error with one of the codes and returns it.
func refused(t *trial.Trial, m wire.Message, codes ...string) map[string]any {
	if m.Status < 400 {
		t.Fault(one(m), "the answer is %d, and a refusal is due", m.Status)
	}
	o := object(t, m)
	for _, code := range codes {
		if text(o, "error") == code {
			return o
		}
	}
	t.Fault(one(m), "the error is %q, want %s", text(o, "error"), strings.Join(codes, " or "))
	return nil
}

// rpt is an RPT of a client for a resource that anyone has.
func (s *session) rpt(t *trial.Trial, client, resource string, scopes ...string) map[string]any {
	return granted(t, s.redeem(t, client, s.ticketFor(t, resource, scopes...)))
}

func (s *session) introspect(t *trial.Trial, pat, token string) wire.Message {
	h := bearer(s.PATs[pat])
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.call(t, "resource server", http.MethodPost, s.at(t, "introspection_endpoint"), h, url.Values{"token": {token}}.Encode())
}

// permits lists what an RPT permits, as resource → scopes; nil when it is not
// active.
func (s *session) permits(t *trial.Trial, pat, token string) (map[string][]string, wire.Message) {
	m := s.introspect(t, pat, token)
	o := object(t, m)
	if o["active"] != true {
		return nil, m
	}
	out := map[string][]string{}
	list, _ := o["permissions"].([]any)
	for _, each := range list {
		p, _ := each.(map[string]any)
		scopes, _ := p["resource_scopes"].([]any)
		id := text(p, "resource_id")
		out[id] = append(out[id], []string{}...)
		for _, scope := range scopes {
			name, _ := scope.(string)
			out[id] = append(out[id], name)
		}
	}
	return out, m
}
