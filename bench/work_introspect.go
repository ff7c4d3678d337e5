package main

import (
	"encoding/json"
	"net/http"

	"github.com/licet/licet/uma"
)

// introspectWorkloads ask about tokens of every kind.
func introspectWorkloads() []workload {
	return []workload{
		{name: "introspect", requests: 1, op: func(k *worker) error { return k.inspect(one(k, k.rpts)) }, prepare: (*target).seeAll},
		{name: "introspect-first", requests: 1, op: (*worker).inspectFirst},
		{name: "introspect-unknown", requests: 1, op: func(k *worker) error {
			rpt := one(k, k.rpts)
			rpt.token = rpt.token[:len(rpt.token)-8] + "AAAAAAAA"
			return k.inactive(rpt)
		}},
		{name: "introspect-revoked", requests: 1, op: func(k *worker) error { return k.inactive(one(k, k.revoked)) }},
		{name: "introspect-expired", requests: 1, op: func(k *worker) error { return k.inactive(one(k, k.expired)) }},
	}
}

// seeAll asks once about every live RPT: what changed since the last sample may
// have made the server forget.
func (t *target) seeAll() error {
	return t.world.each(t, len(t.world.rpts), func(k *worker, i int) error { return k.inspect(t.world.rpts[i]) })
}

// inspectFirst asks about an RPT that has never been asked about.
func (k *worker) inspectFirst() error {
	rpt, ok := k.spare.take()
	if !ok {
		return errNoMore
	}
	k.seen.put(rpt)
	return k.inspect(rpt)
}

func one[T any](k *worker, list []T) T { return list[k.rand.IntN(len(list))] }

func (k *worker) askAbout(rpt liveRPT) (int, []byte, error) {
	return k.call(http.MethodPost, "/introspect", k.owners[rpt.resource.owner].pat, typeForm, "token="+rpt.token)
}

// inspect introspects an RPT and checks that it permits what was granted.
func (k *worker) inspect(rpt liveRPT) error {
	status, body, err := k.askAbout(rpt)
	if err != nil {
		return err
	}
	if status != http.StatusOK || member(body, "resource_id") != rpt.resource.id {
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

// inactive introspects a token that permits nothing.
func (k *worker) inactive(rpt liveRPT) error {
	status, body, err := k.askAbout(rpt)
	if err == nil && (status != http.StatusOK || string(body) != `{"active":false}`) {
		err = wrong("introspect", status, body)
	}
	return err
}
