package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/licet/licet/uma"
)

// workload is one kind of operation.
type workload struct {
	name     string
	requests int // of HTTP in one operation; the yardstick is that many times bare
	op       func(*worker) error
}

// bare is the yardstick.
const bare = "bare"

func workloads() []workload {
	return []workload{
		{bare, 1, (*worker).bare},
		{"ticket", 1, func(k *worker) error { _, _, err := k.ticket(1); return err }},
		{"ticket-10", 1, func(k *worker) error { _, _, err := k.ticket(10); return err }},
		{"grant", 2, func(k *worker) error { _, err := k.grant(); return err }},
		{"introspect", 1, (*worker).introspect},
		{"cc", 1, (*worker).clientCredentials},
	}
}

func (k *worker) bare() error {
	status, body, err := k.call(http.MethodPost, "/bench/bare", k.owners[0].pat, typeForm, "token=0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEF")
	if err == nil && status != http.StatusOK {
		err = wrong(bare, status, body)
	}
	return err
}

// register registers a resource for an owner.
func (k *worker) register(owner int) (id string, err error) {
	k.count++
	description := fmt.Sprintf(`{"name":"Photo %d","type":"https://photos.example/photo","icon_uri":"https://photos.example/icon.png","resource_scopes":["view","edit"]}`, k.count)
	status, body, err := k.call(http.MethodPost, "/uma/resources", k.owners[owner].pat, typeJSON, description)
	if err != nil {
		return "", err
	}
	if id = member(body, "_id"); status != http.StatusCreated || id == "" {
		return "", wrong("register", status, body)
	}
	return id, nil
}

// share shares viewing a resource; who is the members that say with whom.
func (k *worker) share(r resource, who string) error {
	status, body, err := k.call(http.MethodPost, "/owner/policies", k.owners[r.owner].policy, typeJSON,
		`{"resource_id":"`+r.id+`","resource_scopes":["view"],`+who+`}`)
	if err == nil && (status != http.StatusCreated || member(body, "_id") == "") {
		err = wrong("share", status, body)
	}
	return err
}

// pick chooses a resource.
func (k *worker) pick() int { return k.rand.IntN(len(k.resources)) }

// ticket asks for a permission ticket for n resources of one owner.
func (k *worker) ticket(n int) (ticket string, r int, err error) {
	r = k.pick()
	for n > 1 && k.resources[r].owner != 0 { // the giant surely has enough of them
		r = k.pick() / 10 * 10
	}
	body := permission(k.resources[r].id)
	if n > 1 {
		list := make([]string, n)
		for i := range list {
			list[i] = permission(k.resources[(r+10*i)%len(k.resources)].id)
		}
		body = "[" + strings.Join(list, ",") + "]"
	}
	status, answer, err := k.call(http.MethodPost, "/uma/permission", k.owners[k.resources[r].owner].pat, typeJSON, body)
	if err != nil {
		return "", r, err
	}
	if ticket = member(answer, "ticket"); status != http.StatusCreated || len(ticket) < 40 {
		return "", r, wrong("ticket", status, answer)
	}
	return ticket, r, nil
}

func permission(id string) string { return `{"resource_id":"` + id + `","resource_scopes":["view"]}` }

var umaGrant = "grant_type=" + url.QueryEscape(uma.GrantType) + "&ticket="

// grant gets an RPT.
func (k *worker) grant() (liveRPT, error) {
	ticket, r, err := k.ticket(1)
	if err != nil {
		return liveRPT{}, err
	}
	status, body, err := k.call(http.MethodPost, "/token", k.app, typeForm, umaGrant+ticket)
	if err != nil {
		return liveRPT{}, err
	}
	rpt := member(body, "access_token")
	if status != http.StatusOK || rpt == "" {
		return liveRPT{}, wrong("grant", status, body)
	}
	got := liveRPT{rpt, r}
	if k.closely() {
		return got, k.inspect(got)
	}
	return got, nil
}

// introspect asks about a live RPT.
func (k *worker) introspect() error {
	return k.inspect(k.rpts[k.rand.IntN(len(k.rpts))])
}

// inspect introspects an RPT and checks that it permits what was granted.
func (k *worker) inspect(rpt liveRPT) error {
	r := k.resources[rpt.resource]
	status, body, err := k.call(http.MethodPost, "/introspect", k.owners[r.owner].pat, typeForm, "token="+rpt.token)
	if err != nil {
		return err
	}
	if status != http.StatusOK || member(body, "resource_id") != r.id {
		return wrong("introspect", status, body)
	}
	if !k.closely() {
		return nil
	}
	var in uma.Introspection
	if err := json.Unmarshal(body, &in); err != nil {
		return err
	}
	if !in.Active || in.ClientID != clientApp || len(in.Permissions) != 1 || len(in.Permissions[0].Scopes) != 1 || in.Permissions[0].Scopes[0] != "view" {
		return wrong("introspect", status, body)
	}
	return nil
}

func (k *worker) clientCredentials() error {
	status, body, err := k.call(http.MethodPost, "/token", k.service, typeForm, "grant_type=client_credentials")
	if err == nil && (status != http.StatusOK || member(body, "access_token") == "") {
		err = wrong("cc", status, body)
	}
	return err
}
