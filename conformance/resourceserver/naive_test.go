package resourceserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// naive is the photo API behind a guard that somebody wrote in an afternoon,
// with one mistake of choice. "none" is the guard without a mistake.
type naive struct {
	issuer, mistake string
	http            *http.Client
	metadata        map[string]any

	mu      sync.Mutex
	pats    map[string]string // owner → PAT
	ids     map[string]string // owner/album → resource id
	ticket  string            // the last one, for a mistake
	answers map[string]introspection
}

type introspection struct {
	Active      bool   `json:"active"`
	Issuer      string `json:"iss"`
	TokenType   string `json:"token_type"`
	Exp, Nbf    *int64
	Permissions []struct {
		Resource string   `json:"resource_id"`
		Scopes   []string `json:"resource_scopes"`
		Exp, Nbf *int64
	} `json:"permissions"`
}

func newNaive(issuer, mistake string) (*naive, error) {
	n := &naive{issuer: issuer, mistake: mistake, http: &http.Client{}, pats: map[string]string{}, ids: map[string]string{}, answers: map[string]introspection{}}
	if mistake != "redirects are followed" {
		n.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	status, body, err := n.do("GET", issuer+"/.well-known/uma2-configuration", "", "", nil)
	if err != nil || status != 200 {
		return nil, fmt.Errorf("discovery: %d %w", status, err)
	}
	if err := json.Unmarshal(body, &n.metadata); err != nil {
		return nil, err
	}
	if n.metadata["issuer"] != issuer && mistake != "the issuer of the metadata is not compared" {
		return nil, errors.New("another issuer")
	}
	for _, name := range []string{"token_endpoint", "permission_endpoint", "introspection_endpoint", "resource_registration_endpoint"} {
		if u, err := url.Parse(n.metadata[name].(string)); err != nil || u.Hostname() != "127.0.0.1" && mistake != "plain http is spoken to anybody" {
			return nil, errors.New("plain http")
		}
	}
	for _, owner := range []string{"alice", "anna"} {
		if err := n.connect(owner); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *naive) connect(owner string) error {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"refresh-" + owner}, "client_id": {"photos"}, "client_secret": {"photo secret+1"}}
	status, body, err := n.do("POST", n.metadata["token_endpoint"].(string), "", "application/x-www-form-urlencoded", []byte(form.Encode()))
	var token struct {
		PAT string `json:"access_token"`
	}
	if err = errors.Join(err, json.Unmarshal(body, &token)); err != nil || status != 200 {
		return fmt.Errorf("PAT: %d %w", status, err)
	}
	n.pats[owner] = token.PAT
	for _, name := range []string{"album", "diary"} {
		description := `{"resource_scopes":["view","edit"]}`
		if n.mistake == "a description has a string for its scopes" && name == "diary" {
			description = `{"resource_scopes":"view edit"}`
		}
		_, body, err := n.do("POST", n.metadata["resource_registration_endpoint"].(string), token.PAT, "application/json", []byte(description))
		var registered struct {
			ID string `json:"_id"`
		}
		if err = errors.Join(err, json.Unmarshal(body, &registered)); err != nil {
			return err
		}
		n.ids[owner+"/"+name] = registered.ID
	}
	return nil
}

func (n *naive) do(method, address, pat, kind string, body []byte) (int, []byte, error) {
	req, err := http.NewRequest(method, address, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if pat != "" {
		req.Header.Set("Authorization", "Bearer "+pat)
	}
	if pat != "" && n.mistake == "the PAT is in the URL" {
		req.Header.Del("Authorization")
		req.URL.RawQuery = "access_token=" + pat
	}
	req.Header.Set("Content-Type", kind)
	res, err := n.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	return res.StatusCode, out, err
}

func (n *naive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	path := r.URL.Path
	if n.mistake == "the path is compared as it was sent" {
		// What the guard does not know is not protected; the handler is more patient.
		if !strings.HasPrefix(r.RequestURI, "/alice/") && !strings.HasPrefix(r.RequestURI, "/anna/") {
			r.URL.Path = "/" + strings.TrimLeft(path, "/")
			photos(w, r)
			return
		}
	}
	if other := r.Header.Get("X-Original-Url"); other != "" && n.mistake == "the handler believes another path" && strings.HasPrefix(path, "/public/") {
		r.URL.Path = other
		photos(w, r)
		return
	}
	part := strings.Split(path, "/")
	if strings.HasPrefix(path, "/public/") && !strings.Contains(path, "..") {
		photos(w, r)
		return
	}
	if len(part) != 3 || n.ids[part[1]+"/"+part[2]] == "" {
		http.NotFound(w, r)
		return
	}
	owner, id, scope := part[1], n.ids[part[1]+"/"+part[2]], "view"
	if r.Method != http.MethodGet {
		scope = "edit"
	}
	pat := n.pats[owner]
	if n.mistake == "one PAT serves all owners" {
		pat = n.pats["alice"]
	}
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(kind, "bearer") && token != "" {
		ok, err := n.permitted(pat, token, id, scope)
		if err != nil {
			n.away(w, r, err)
			return
		}
		if ok {
			photos(w, r)
			return
		}
	}
	ticket, err := n.ask(pat, id, scope)
	if err != nil {
		n.away(w, r, err)
		return
	}
	n.challenge(w, ticket)
}

func (n *naive) challenge(w http.ResponseWriter, ticket string) {
	if n.mistake == "a ticket is used for several answers" {
		if n.ticket != "" {
			ticket = n.ticket
		}
		n.ticket = ticket
	}
	issuer, status := n.issuer, http.StatusUnauthorized
	switch n.mistake {
	case "as_uri is the token endpoint":
		issuer = n.metadata["token_endpoint"].(string)
	case "as_uri has a slash more":
		issuer += "/"
	case "the refusal is 403":
		status = http.StatusForbidden
	}
	h := fmt.Sprintf(`UMA realm="photos", as_uri="%s", ticket="%s"`, issuer, ticket)
	if n.mistake == "the challenge is Bearer's" {
		h = fmt.Sprintf(`Bearer realm="photos", as_uri="%s", ticket="%s"`, issuer, ticket)
	}
	w.Header().Set("WWW-Authenticate", h)
	w.WriteHeader(status)
	if n.mistake == "the ticket is in the body" {
		_, _ = io.WriteString(w, ticket)
	}
}

func (n *naive) away(w http.ResponseWriter, r *http.Request, err error) {
	switch n.mistake {
	case "it fails open":
		photos(w, r)
	case "an unreachable server is a fault":
		w.WriteHeader(http.StatusInternalServerError)
	case "a fault tells everything":
		w.Header().Set("Warning", `199 - "UMA Authorization Server Unreachable"`)
		http.Error(w, fmt.Sprintf("%v %v", err, n.pats), http.StatusForbidden)
	default:
		w.Header().Set("Warning", `199 - "UMA Authorization Server Unreachable"`)
		http.Error(w, "Come back later.", http.StatusForbidden)
	}
}

func (n *naive) ask(pat, id, scope string) (string, error) {
	scopes := []string{scope}
	switch n.mistake {
	case "every scope is asked for":
		scopes = []string{"view", "edit"}
	case "an unregistered scope is asked for":
		scopes = []string{"read"}
	}
	raw, err := json.Marshal(map[string]any{"resource_id": id, "resource_scopes": scopes})
	if err != nil {
		return "", err
	}
	status, body, err := n.do("POST", n.metadata["permission_endpoint"].(string), pat, "application/json", raw)
	if err != nil {
		return "", err
	}
	var answer struct{ Ticket string }
	if err := n.decode(body, &answer); err != nil || status/100 != 2 || answer.Ticket == "" {
		return "", fmt.Errorf("no ticket: %d", status)
	}
	return answer.Ticket, nil
}

func (n *naive) decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if n.mistake == "unknown members are refused" {
		d.DisallowUnknownFields()
	}
	return d.Decode(into)
}

func (n *naive) permitted(pat, token, id, scope string) (bool, error) {
	in, known := n.answers[token]
	if !known || n.mistake != "introspection is remembered for ever" && n.mistake != "a remembered RPT is not compared" {
		status, body, err := n.do("POST", n.metadata["introspection_endpoint"].(string), pat, "application/x-www-form-urlencoded", []byte("token="+url.QueryEscape(token)))
		if err != nil {
			return false, err
		}
		if err := n.decode(body, &in); err != nil || status != 200 {
			return false, fmt.Errorf("introspection: %d %w", status, err)
		}
	} else if n.mistake == "a remembered RPT is not compared" {
		return in.Active, nil
	}
	if in.Active {
		n.answers[token] = in
	}
	return n.suffices(in, id, scope), nil
}

func (n *naive) suffices(in introspection, id, scope string) bool {
	now := time.Now().Unix()
	over := func(exp, nbf *int64) bool {
		if exp != nil && *exp == 0 && n.mistake == "an end of zero is no end" {
			exp = nil
		}
		return exp != nil && *exp <= now || nbf != nil && *nbf > now
	}
	switch {
	case !in.Active && n.mistake != "active is not looked at":
		return false
	case in.Active && n.mistake == "any active RPT is good":
		return true
	case in.Issuer != "" && in.Issuer != n.issuer && n.mistake != "another issuer's token is good":
		return false
	case in.TokenType != "" && in.TokenType != "Bearer" && n.mistake != "a bound token needs no proof":
		return false
	case over(in.Exp, in.Nbf) && n.mistake != "only the permission's times count":
		return false
	}
	for _, p := range in.Permissions {
		switch {
		case p.Resource != id && n.mistake != "the resource is not compared":
		case over(p.Exp, nil) && n.mistake != "the end of a permission is not looked at":
		case over(nil, p.Nbf) && n.mistake != "the begin of a permission is not looked at":
		case n.mistake == "the scope is not compared", slices.Contains(p.Scopes, scope):
			return true
		case n.mistake == "scopes are compared by their letters" && strings.Contains(strings.ToLower(strings.Join(p.Scopes, " ")), scope):
			return true
		}
	}
	return false
}
