package main

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// workload is one kind of operation.
type workload struct {
	name     string
	requests int // of HTTP in one operation; the yardstick is that many times bare
	op       func(*worker) error
	// prepare is done before each sample and not counted.
	prepare func(*target) error
	local   bool // in this process; the server has no part in it
}

// errNoMore ends a sample early: there is nothing left to work on.
var errNoMore = errors.New("nothing left to work on")

// bare is the yardstick.
const bare = "bare"

// workloads are all there are, in the order in which they are measured.
func workloads() []workload {
	return slices.Concat([]workload{
		{name: bare, requests: 1, op: (*worker).bare},
		{name: "ticket", requests: 1, op: func(k *worker) error { _, err := k.ticket(k.resources[k.pickOf(open)]); return err }, prepare: (*target).askAll},
		{name: "ticket-10", requests: 1, op: (*worker).ticketTen},
	}, grantWorkloads(), introspectWorkloads(), manageWorkloads(), flowWorkloads(), []workload{{name: "mix", requests: 1, op: (*worker).mix}})
}

func (k *worker) bare() error {
	status, body, err := k.call(http.MethodPost, "/bench/bare", k.owners[0].pat, typeForm, "token=0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEF")
	if err == nil && status != http.StatusOK {
		err = wrong(bare, status, body)
	}
	return err
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

// askAll asks once in a run for a ticket for each resource, so that it is in memory as
// it is when a server has run for a while.
func (t *target) askAll() error {
	if t.world.asked {
		return nil
	}
	t.world.asked = true
	return t.world.each(t, len(t.world.resources), func(k *worker, i int) error {
		if classOf(i) != open {
			return nil
		}
		_, err := k.ticket(k.resources[i])
		return err
	})
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
