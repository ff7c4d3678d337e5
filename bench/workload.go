package main

import (
	"encoding/json"
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
		{"ticket", 1, func(k *worker) error { _, err := k.ticket(k.resources[k.pick()]); return err }},
		{"ticket-10", 1, (*worker).ticketTen},
		{"grant", 2, func(k *worker) error { _, err := k.grant(k.resources[k.pickOf(open)]); return err }},
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
	status, body, err := k.call(http.MethodPost, "/uma/resources", k.owners[owner].pat, typeJSON, describe(k.count))
	if err != nil {
		return "", err
	}
	if id = member(body, "_id"); status != http.StatusCreated || id == "" {
		return "", wrong("register", status, body)
	}
	return id, nil
}

// pick chooses any resource, evenly: the more there are the less of them is in
// anybody's memory.
func (k *worker) pick() int { return k.rand.IntN(len(k.resources)) }

// pickOf chooses a resource that is shared in this way.
func (k *worker) pickOf(c class) int {
	for {
		if r := k.pick(); classOf(r) == c {
			return r
		}
	}
}

// ticket asks for a permission ticket for a resource.
func (k *worker) ticket(r resource) (string, error) {
	return k.ticketFor(r.owner, permission(r.id))
}

// ticketTen asks for one for ten resources of the owner who surely has as many.
func (k *worker) ticketTen() error {
	first := k.pick() / 10 * 10
	list := make([]string, 10)
	for i := range list {
		list[i] = permission(k.resources[(first+10*i)%len(k.resources)].id)
	}
	_, err := k.ticketFor(0, "["+strings.Join(list, ",")+"]")
	return err
}

func (k *worker) ticketFor(owner int, asked string) (string, error) {
	status, answer, err := k.call(http.MethodPost, "/uma/permission", k.owners[owner].pat, typeJSON, asked)
	if err != nil {
		return "", err
	}
	ticket := member(answer, "ticket")
	if status != http.StatusCreated || len(ticket) < 40 {
		return "", wrong("ticket", status, answer)
	}
	return ticket, nil
}

func permission(id string) string { return `{"resource_id":"` + id + `","resource_scopes":["view"]}` }

var umaGrant = "grant_type=" + url.QueryEscape(uma.GrantType) + "&ticket="

// grant gets an RPT.
func (k *worker) grant(r resource) (liveRPT, error) {
	ticket, err := k.ticket(r)
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
	r := rpt.resource
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
