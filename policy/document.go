package policy

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/licet/licet/uma"
)

// The policy document is the JSON form of a share in the owner's API, after the
// Kantara Policy Manager draft: required_claims have the shape of need_info
// (Grant 3.3.6) with the values that satisfy.

// document is the form in which a share is written.
type document struct {
	Resource  uma.ResourceID  `json:"resource_id"`
	Scopes    []uma.Scope     `json:"resource_scopes"`
	Claims    []documentClaim `json:"required_claims,omitempty"`
	Group     GroupID         `json:"group_id,omitempty"`
	Link      bool            `json:"link,omitempty"`
	Anyone    bool            `json:"anyone,omitempty"`
	Client    string          `json:"client_id,omitempty"`
	NotBefore int64           `json:"not_before,omitempty"` // seconds since the epoch
	NotAfter  int64           `json:"not_after,omitempty"`  // seconds since the epoch
	Purpose   string          `json:"purpose,omitempty"`
	Approval  string          `json:"approval"`
	Terms     string          `json:"terms,omitempty"`
}

type documentClaim struct {
	uma.RequiredClaim
	Values []string `json:"values,omitempty"`
}

// The values of the member approval.
const (
	ApprovalNone = "none" // grant at once
	ApprovalAsk  = "ask"  // ask the owner first
)

// The most that a document may hold.
const (
	maxClaims = 32
	maxValues = 256
	// Each combination of value, issuer and format is compared, at every decision.
	maxCombinations = 1024
	maxText         = 1 << 10
)

// MarshalDocument writes a share as a policy document.
func (s Share) MarshalDocument() (uma.Object, error) {
	d := document{
		Resource: s.Resource, Scopes: s.Scopes, Group: s.Group, Link: s.Link, Anyone: s.Anyone, Client: s.Client,
		NotBefore: unix(s.NotBefore), NotAfter: unix(s.NotAfter), Purpose: s.Purpose, Approval: ApprovalNone, Terms: s.Terms,
	}
	if d.Scopes == nil {
		d.Scopes = []uma.Scope{}
	}
	if s.Ask {
		d.Approval = ApprovalAsk
	}
	for _, c := range s.Claims {
		d.Claims = append(d.Claims, documentClaim(c))
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	var o uma.Object
	return o, json.Unmarshal(raw, &o)
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func refuse(sentence string) error { return uma.NewError(uma.InvalidRequest, sentence) }

// ParseDocument reads a policy document. It is closed: a member that is not
// known is refused, so that a condition that was misspelt is never silently no
// condition.
func ParseDocument(o uma.Object) (Share, error) {
	err := o.OnlyMembers("resource_id", "resource_scopes", "required_claims", "group_id", "link", "anyone", "client_id",
		"not_before", "not_after", "purpose", "approval", "terms")
	if err != nil {
		return Share{}, err
	}
	p, err := uma.ParsePermission(o)
	if err != nil {
		return Share{}, err
	}
	s := Share{Resource: p.Resource, Scopes: p.Scopes}
	for _, read := range []func(uma.Object) error{s.readWho, s.readWhen, s.readTexts} {
		if err := read(o); err != nil {
			return Share{}, err
		}
	}
	return s, nil
}

// readWho insists that somebody is named, or "anyone" said in that word.
func (s *Share) readWho(o uma.Object) error {
	anyone, _, err := o.Bool("anyone")
	if err != nil {
		return err
	}
	claims, _, err := o.Objects("required_claims")
	if err != nil {
		return err
	}
	group, err := shortText(o, "group_id")
	if err != nil {
		return err
	}
	link, _, err := o.Bool("link")
	if err != nil {
		return err
	}
	switch named := len(claims) > 0 || group != "" || link; {
	case anyone && named:
		return refuse("Say either anyone, or who: by required_claims, group_id or link. Not both.")
	case !anyone && !named:
		return refuse(`A policy without required_claims, group_id or link is for everybody. If that is meant, say "anyone": true.`)
	case len(claims) > maxClaims:
		return refuse("There are too many required_claims.")
	}
	s.Anyone, s.Group, s.Link = anyone, GroupID(group), link
	for _, c := range claims {
		claim, err := parseClaim(c)
		if err != nil {
			return err
		}
		s.Claims = append(s.Claims, claim)
	}
	return nil
}

func parseClaim(o uma.Object) (Claim, error) {
	err := o.OnlyMembers("name", "claim_type", "friendly_name", "issuer", "claim_token_format", "value", "values")
	if err != nil {
		return Claim{}, err
	}
	var c Claim
	for name, field := range map[string]*string{"name": &c.Name, "claim_type": &c.ClaimType, "friendly_name": &c.FriendlyName} {
		if *field, err = shortText(o, name); err != nil {
			return Claim{}, err
		}
	}
	for name, field := range map[string]*[]string{"issuer": &c.Issuer, "claim_token_format": &c.ClaimTokenFormat} {
		if *field, err = someTexts(o, name); err != nil {
			return Claim{}, err
		}
	}
	if c.Name == "" {
		return Claim{}, refuse("A required claim needs a name.")
	}
	if c.Name == ClaimLink {
		return Claim{}, refuse(`Nobody is asked for a claim named link. Say "link": true.`)
	}
	if c.Values, err = parseValues(o, c.Name); err != nil {
		return Claim{}, err
	}
	if max(1, len(c.Values))*max(1, len(c.Issuer))*max(1, len(c.ClaimTokenFormat)) > maxCombinations {
		return Claim{}, refuse("A required claim has too many combinations of values, issuers and formats.")
	}
	return c, nil
}

func parseValues(o uma.Object, name string) ([]string, error) {
	values, err := someTexts(o, "values")
	if err != nil {
		return nil, err
	}
	value, ok, err := o.String("value")
	if err != nil {
		return nil, err
	}
	if ok {
		if values != nil {
			return nil, refuse("Give value or values, not both.")
		}
		values = []string{value}
	}
	for i, v := range values {
		if v == "" || len(v) > maxText {
			return nil, refuse("A value is empty or too long.")
		}
		if name != claimEmail {
			continue
		}
		address := v
		if domain, found := cutAnybody(v); found {
			address = "anybody@" + domain
		}
		if _, err := CanonicalEmail(address); err != nil {
			return nil, refuse("The value of the claim email is no e-mail address.")
		}
		values[i] = canonicalValue(name, v)
	}
	return values, nil
}

func cutAnybody(v string) (string, bool) {
	if len(v) > 2 && v[:2] == "*@" {
		return v[2:], true
	}
	return "", false
}

func (s *Share) readWhen(o uma.Object) error {
	for name, field := range map[string]*time.Time{"not_before": &s.NotBefore, "not_after": &s.NotAfter} {
		seconds, ok, err := o.Int64(name)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if *field, err = Instant(name, seconds); err != nil {
			return err
		}
	}
	if !s.NotAfter.IsZero() && !s.NotAfter.After(s.NotBefore) {
		return refuse("not_after has to be later than not_before.")
	}
	if s.Link && s.NotAfter.IsZero() {
		return refuse("A link has an end: say not_after.")
	}
	return nil
}

// maxSeconds is the end of the year 9999.
const maxSeconds = 253402300799

// Instant is the time of a member that counts seconds since the epoch.
func Instant(name string, seconds int64) (time.Time, error) {
	if seconds <= 0 || seconds > maxSeconds {
		return time.Time{}, refuse("The member " + name + " has to be a time in seconds since 1970.")
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func (s *Share) readTexts(o uma.Object) error {
	var err error
	if s.Client, err = shortText(o, "client_id"); err != nil {
		return err
	}
	if s.Purpose, err = shortText(o, "purpose"); err != nil {
		return err
	}
	if s.Terms, err = shortText(o, "terms"); err != nil {
		return err
	}
	if s.Terms != "" {
		u, err := url.Parse(s.Terms)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
			return refuse("The member terms has to be an absolute https or http URI.")
		}
	}
	approval, ok, err := o.String("approval")
	if err != nil {
		return err
	}
	if ok && approval != ApprovalNone && approval != ApprovalAsk {
		return refuse(`The member approval has to be "none" or "ask".`)
	}
	s.Ask = approval == ApprovalAsk
	return nil
}

// shortText reads an optional text that, when it is there, is not empty.
func shortText(o uma.Object, name string) (string, error) {
	v, ok, err := o.String(name)
	if err != nil {
		return "", err
	}
	if ok && (v == "" || len(v) > maxText) {
		return "", refuse("The member " + name + " is empty or too long.")
	}
	return v, nil
}

// someTexts reads an optional list that, when it is there, is not empty: an
// empty list could be read as "none" and as "any".
func someTexts(o uma.Object, name string) ([]string, error) {
	v, ok, err := o.Strings(name)
	if err != nil {
		return nil, err
	}
	if ok && (len(v) == 0 || len(v) > maxValues) {
		return nil, refuse("The list " + name + " is empty or too long.")
	}
	for _, text := range v {
		if text == "" || len(text) > maxText {
			return nil, refuse("The list " + name + " has an element that is empty or too long.")
		}
	}
	return v, nil
}
