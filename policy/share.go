package policy

import (
	"time"

	"github.com/licet/licet/uma"
)

// ShareID identifies a share.
type ShareID string

// GroupID identifies a group of people, by whom a share may say who it is with.
type GroupID string

// A Share is one standing wish of a resource owner about one resource: who may
// do what, until when, for which purpose, through which app, and whether the
// owner wants to be asked first. In the words of the specifications it is a
// policy condition.
type Share struct {
	ID        ShareID
	Resource  uma.ResourceID
	Scopes    []uma.Scope // empty: the resource without any scope
	Claims    []Claim     // all must hold
	Group     GroupID     // with those who are in this group, by a verified e-mail address; "" for none
	Link      bool        // with whoever holds its link, which the server made for it
	Anyone    bool        // said by that word; then Claims is empty, and there is no Group and no Link
	Client    string      // only through this client; "" for any
	NotBefore time.Time   // zero: from now on
	NotAfter  time.Time   // zero: without an end
	Purpose   string      // the requesting party has to state exactly this
	Terms     string      // URI of terms the requesting party has to accept
	Ask       bool        // ask the owner instead of granting at once
}

// A Claim is a condition on one claim about the requesting party, in the shape
// of a need_info required claim plus the values that satisfy it.
type Claim struct {
	uma.RequiredClaim
	Values []string // any one suffices; empty: any value
}

// A Fact is one verified claim about the requesting party. Only a trusted issuer's
// statement becomes a Fact, and a claim that its issuer does not call
// verified (an e-mail address without email_verified) becomes none.
type Fact struct {
	Name   string    `json:"name"`
	Value  string    `json:"value"`
	Issuer string    `json:"issuer"`
	Format string    `json:"format,omitempty"` // claim_token_format it came in; "" when gathered interactively
	At     time.Time `json:"at"`               // when it was acquired
}

// The promises a requesting party makes at the claims interaction endpoint.
// They are facts under these names.
const (
	ClaimPurpose = "purpose"        // value: the purpose stated
	ClaimTerms   = "terms_accepted" // value: the URI of the terms accepted
)

// ClaimLink is the name of the fact that somebody holds a link; its value is the id
// of the share. Only the server that makes the links may state it: from whoever
// else it is no fact, and no document asks for it.
const ClaimLink = "link"
