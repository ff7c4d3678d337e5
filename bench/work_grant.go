package main

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/licet/licet/uma"
)

// grantWorkloads end at the token endpoint, in every way that a redemption can.
func grantWorkloads() []workload {
	return []workload{
		{name: "grant", requests: 2, op: (*worker).grantAny},
		{name: "grant-idtoken", requests: 2, op: (*worker).grantToBob},
		{name: "need-info", requests: 2, op: func(k *worker) error {
			return k.refused(k.resources[k.pickOf(toBob)], "", "need_info")
		}},
		{name: "deny", requests: 2, op: func(k *worker) error {
			return k.refused(k.resources[k.pickOf(otherApp)], "", "request_denied")
		}},
		decide(1), decide(10), decide(100), decide(1000),
		{name: "cc", requests: 1, op: (*worker).clientCredentials},
	}
}

var umaGrant = "grant_type=" + url.QueryEscape(uma.GrantType) + "&ticket="

var pushed = "&claim_token_format=" + url.QueryEscape(uma.IDTokenFormat) + "&claim_token="

// grantAny gets an RPT for something that is shared with anybody. It is kept for
// whoever needs one.
func (k *worker) grantAny() error {
	rpt, err := k.grant(k.resources[k.pickOf(open)], "")
	if err == nil {
		k.spare.put(rpt)
	}
	return err
}

func (k *worker) grantToBob() error {
	_, err := k.grant(k.resources[k.pickOf(toBob)], k.bob)
	return err
}

// grant gets an RPT; claims is what is pushed, if anything.
func (k *worker) grant(r resource, claims string) (liveRPT, error) {
	ticket, err := k.ticket(r)
	if err != nil {
		return liveRPT{}, err
	}
	return k.redeem(r, ticket, claims)
}

func (k *worker) redeem(r resource, ticket, claims string) (liveRPT, error) {
	status, body, err := k.call(http.MethodPost, "/token", k.app, typeForm, umaGrant+ticket+claims)
	if err != nil {
		return liveRPT{}, err
	}
	got := liveRPT{token: member(body, "access_token"), resource: r}
	if status != http.StatusOK || got.token == "" {
		return liveRPT{}, wrong("grant", status, body)
	}
	if k.closely() {
		k.afterwards(func() error { return k.inspect(got) })
	}
	return got, nil
}

// refused presents a ticket that has to be refused with this code.
func (k *worker) refused(r resource, claims, code string) error {
	ticket, err := k.ticket(r)
	if err != nil {
		return err
	}
	status, body, err := k.call(http.MethodPost, "/token", k.app, typeForm, umaGrant+ticket+claims)
	if err == nil && (status != http.StatusForbidden && status != http.StatusBadRequest || member(body, "error") != code) {
		err = wrong(code, status, body)
	}
	return err
}

// decide is a redemption that denies: Bob is known, and everybody but Bob has a
// share on the resource.
func decide(shares int) workload {
	return workload{name: "decide-" + strconv.Itoa(shares), requests: 2, op: func(k *worker) error {
		of := k.crowded[shares]
		return k.refused(of[k.rand.IntN(len(of))], k.bob, "request_denied")
	}}
}

func (k *worker) clientCredentials() error {
	status, body, err := k.call(http.MethodPost, "/token", k.service, typeForm, "grant_type=client_credentials")
	if err == nil && (status != http.StatusOK || member(body, "access_token") == "") {
		err = wrong("cc", status, body)
	}
	return err
}
