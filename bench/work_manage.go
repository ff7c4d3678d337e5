package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// manageWorkloads are what resource servers and owners do beside granting. Those
// that take something away use what those before them have made, and stop early
// when nothing is left.
func manageWorkloads() []workload {
	return []workload{
		{name: "register", requests: 1, op: (*worker).registerAny, prepare: (*target).registerForAll},
		{name: "update", requests: 1, op: (*worker).updateAny},
		{name: "delete", requests: 1, op: (*worker).deleteAny},
		{name: "list-owner", requests: 1, op: (*worker).page},
		{name: "list-all", requests: 1, op: (*worker).listAll},
		{name: "share", requests: 1, op: (*worker).shareAny},
		{name: "unshare", requests: 1, op: (*worker).unshareAny},
		{name: "revoke-one", requests: 1, op: (*worker).revokeAny},
	}
}

func (k *worker) registerAny() error {
	r, err := k.register(k.rand.IntN(len(k.owners)))
	if err == nil {
		k.registered.put(r)
	}
	return err
}

// registerForAll registers once in a run a resource for each owner, so that they are
// in memory as they are when a server has run for a while.
func (t *target) registerForAll() error {
	if t.world.met {
		return nil
	}
	t.world.met = true
	return t.world.each(t, len(t.world.owners), func(k *worker, i int) error {
		r, err := k.register(i)
		if err == nil {
			k.registered.put(r)
		}
		return err
	})
}

// register registers a resource for an owner.
func (k *worker) register(owner int) (resource, error) {
	k.count++
	status, body, err := k.call(http.MethodPost, "/uma/resources", k.owners[owner].pat, typeJSON, describe(k.count))
	if err != nil {
		return resource{}, err
	}
	id := member(body, "_id")
	if status != http.StatusCreated || id == "" {
		return resource{}, wrong("register", status, body)
	}
	return resource{id: id, owner: owner}, nil
}

// updateAny updates a resource that was registered for that. To change those
// that others ask about would make the server forget, and they would measure
// that.
func (k *worker) updateAny() error {
	k.count++
	r, ok := k.registered.any(k.rand)
	if !ok {
		return k.registerAny()
	}
	status, body, err := k.call(http.MethodPut, "/uma/resources/"+r.id, k.owners[r.owner].pat, typeJSON, describe(k.count))
	if err == nil && (status != http.StatusOK || member(body, "_id") != r.id) {
		err = wrong("update", status, body)
	}
	return err
}

func (k *worker) deleteAny() error {
	r, ok := k.registered.take()
	if !ok {
		return errNoMore
	}
	status, body, err := k.call(http.MethodDelete, "/uma/resources/"+r.id, k.owners[r.owner].pat, "", "")
	if err == nil && status != http.StatusNoContent {
		err = wrong("delete", status, body)
	}
	return err
}

const pageSize = 100

// page reads the next page of a hundred of the owner who has the most: every
// worker goes through the whole list, and then again.
func (k *worker) page() error {
	path := "/owner/resources?limit=" + strconv.Itoa(pageSize)
	if i := bytes.Index(k.rest, []byte("/owner/")); i >= 0 {
		path = string(k.rest[i:])
	}
	status, body, err := k.call(http.MethodGet, path, k.owners[0].policy, "", "")
	if err != nil {
		return err
	}
	k.rest = append(k.rest[:0], k.next...)
	if status != http.StatusOK || len(body) < 2 {
		return wrong("list-owner", status, body)
	}
	if !k.closely() {
		return nil
	}
	var list []struct {
		ID string `json:"_id"`
	}
	if json.Unmarshal(body, &list) != nil || len(list) != pageSize && len(k.rest) > 0 {
		return wrong("list-owner", status, body)
	}
	for i := 1; i < len(list); i++ {
		if list[i].ID <= list[i-1].ID {
			return wrong("list-owner", status, body)
		}
	}
	return nil
}

// listAll reads the whole list of the owner who has the most (FedAuthz 3.2.5).
func (k *worker) listAll() error {
	status, body, err := k.call(http.MethodGet, "/uma/resources", k.owners[0].pat, "", "")
	if err != nil {
		return err
	}
	if status != http.StatusOK || len(body) < len(k.resources)/10*len(k.resources[0].id) {
		return wrong("list-all", status, body)
	}
	return nil
}

// policyOwned chooses a resource of this class whose owner uses the policy API.
func (k *worker) policyOwned(c class) resource {
	for {
		if r := k.resources[k.pickOf(c)]; k.owners[r.owner].policy != "" {
			return r
		}
	}
}

func (k *worker) shareAny() error {
	s, err := k.share(k.policyOwned(unshared), `"required_claims":[{"name":"email","value":"someone@example.com"}]`)
	if err == nil {
		k.shared.put(s)
	}
	return err
}

// share shares viewing a resource; who is the members that say with whom.
func (k *worker) share(r resource, who string) (share, error) {
	status, body, err := k.call(http.MethodPost, "/owner/policies", k.owners[r.owner].policy, typeJSON,
		`{"resource_id":"`+r.id+`","resource_scopes":["view"],`+who+`}`)
	if err != nil {
		return share{}, err
	}
	id := member(body, "_id")
	if status != http.StatusCreated || id == "" {
		return share{}, wrong("share", status, body)
	}
	return share{id: id, owner: r.owner}, nil
}

func (k *worker) unshareAny() error {
	s, ok := k.shared.take()
	if !ok {
		return errNoMore
	}
	return k.unshare(s)
}

func (k *worker) unshare(s share) error {
	status, body, err := k.call(http.MethodDelete, "/owner/policies/"+s.id, k.owners[s.owner].policy, "", "")
	if err == nil && status != http.StatusNoContent {
		err = wrong("unshare", status, body)
	}
	return err
}

func (k *worker) revokeAny() error {
	rpt, ok := k.seen.take()
	if !ok {
		rpt, ok = k.spare.take()
	}
	if !ok {
		return errNoMore
	}
	if err := k.revoke(rpt); err != nil || !k.closely() {
		return err
	}
	k.afterwards(func() error { return k.inactive(rpt) })
	return nil
}

func (k *worker) revoke(rpt liveRPT) error {
	status, body, err := k.call(http.MethodPost, "/revoke", k.app, typeForm, "token="+rpt.token)
	if err == nil && status != http.StatusOK {
		err = wrong("revoke-one", status, body)
	}
	return err
}
