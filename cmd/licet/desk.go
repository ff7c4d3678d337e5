package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/licet/licet/uma"
)

// desk is Alice's app: it shows her what waits for her answer and what she has
// allowed, through the policy API and nothing else.
type desk struct {
	http.Handler
	policies, requests string // endpoints
	token              string
	http               *http.Client
}

func newDesk(policies, requests, token string, base http.RoundTripper) *desk {
	d := &desk{policies: policies, requests: requests, token: token, http: &http.Client{Transport: base, Timeout: 10 * time.Second}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.home)
	mux.HandleFunc("POST /act", d.act)
	d.Handler = http.NewCrossOriginProtection().Handler(mux)
	return d
}

// asked is a request as the policy API tells it.
type asked struct {
	ID          string           `json:"_id"`
	ClientName  string           `json:"client_name"`
	Permissions []uma.Permission `json:"permissions"`
	Policies    []string         `json:"policies"`
	Party       struct {
		Claims []struct{ Name, Value string }
	} `json:"requesting_party"`
}

// Who is the requesting party in a word.
func (a asked) Who() string {
	for _, c := range a.Party.Claims {
		if c.Name == "email" {
			return c.Value
		}
	}
	return "somebody"
}

// wish is a policy as the policy API tells it.
type wish struct {
	ID       string      `json:"_id"`
	Resource string      `json:"resource_id"`
	Scopes   []uma.Scope `json:"resource_scopes"`
	Approval string      `json:"approval"`
}

// call calls the policy API.
func (d *desk) call(ctx context.Context, method, url string, body, answer any) error {
	raw := []byte(nil)
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := d.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("the policy API answered %s", resp.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

func (d *desk) pending(ctx context.Context) ([]asked, error) {
	var list []asked
	return list, d.call(ctx, http.MethodGet, d.requests, nil, &list)
}

func (d *desk) wishes(ctx context.Context) ([]wish, error) {
	var list []wish
	return list, d.call(ctx, http.MethodGet, d.policies, nil, &list)
}

// letAsk says that anybody whose e-mail address is confirmed may ask to see a
// resource, and that Alice wants to be asked.
func (d *desk) letAsk(ctx context.Context, resource uma.ResourceID) error {
	return d.call(ctx, http.MethodPost, d.policies, map[string]any{
		"resource_id": resource, "resource_scopes": []string{"view"},
		"required_claims": []map[string]any{{"name": "email"}}, "approval": "ask",
	}, nil)
}

// approve says yes to a request, for a day, and returns the policies it made.
func (d *desk) approve(ctx context.Context, id string) ([]string, error) {
	var a asked
	err := d.call(ctx, http.MethodPost, d.requests+"/"+id+"/approve", map[string]any{"not_after": time.Now().Add(24 * time.Hour).Unix()}, &a)
	return a.Policies, err
}

func (d *desk) deny(ctx context.Context, id string) error {
	return d.call(ctx, http.MethodPost, d.requests+"/"+id+"/deny", nil, nil)
}

func (d *desk) withdraw(ctx context.Context, id string) error {
	return d.call(ctx, http.MethodDelete, d.policies+"/"+id, nil, nil)
}

var deskPage = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Alice's desk</title>
<body style="font:16px/1.5 system-ui;margin:2rem auto;max-width:40rem"><h1>Alice's desk</h1>
<h2>Waiting for your answer</h2>
{{range .Pending}}<form method="post" action="/act"><p>{{.Who}} asks through {{.ClientName}} to {{range .Permissions}}{{range .Scopes}}{{.}} {{end}}{{index $.Names (print .Resource)}} {{end}}
<button name="approve" value="{{.ID}}">Allow for a day</button> <button name="deny" value="{{.ID}}">No</button></p></form>{{else}}<p>Nothing.</p>{{end}}
<h2>What you allow</h2>
{{range .Wishes}}<form method="post" action="/act"><p>{{range .Scopes}}{{.}} {{end}}{{index $.Names (print .Resource)}}{{if eq .Approval "ask"}}, asking you first{{end}}
<button name="withdraw" value="{{.ID}}">Stop</button></p></form>{{else}}<p>Nothing.</p>{{end}}
<p><a href="/">Look again</a></p></body></html>`))

func (d *desk) home(w http.ResponseWriter, r *http.Request) {
	pending, err := d.pending(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	wishes, err := d.wishes(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	names, err := d.names(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = deskPage.Execute(w, struct { // a browser that is gone cannot be told
		Pending []asked
		Wishes  []wish
		Names   map[string]string
	}{pending, wishes, names})
}

// names are the resources' names by their ids.
func (d *desk) names(ctx context.Context) (map[string]string, error) {
	var list []struct {
		ID   string `json:"_id"`
		Name string `json:"name"`
	}
	err := d.call(ctx, http.MethodGet, strings.TrimSuffix(d.policies, "policies")+"resources", nil, &list)
	out := map[string]string{}
	for _, r := range list {
		out[r.ID] = r.Name
	}
	return out, err
}

func (d *desk) act(w http.ResponseWriter, r *http.Request) {
	var err error
	switch {
	case r.FormValue("approve") != "":
		_, err = d.approve(r.Context(), r.FormValue("approve"))
	case r.FormValue("deny") != "":
		err = d.deny(r.Context(), r.FormValue("deny"))
	case r.FormValue("withdraw") != "":
		err = d.withdraw(r.Context(), r.FormValue("withdraw"))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
