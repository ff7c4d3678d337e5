package as

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Trust in claim issuers is decided in this file and nowhere else.

// ClaimIssuer is a foreign issuer of ID tokens that the operator trusts. Its
// keys are JWKS when that is given, and otherwise fetched from JWKSURI.
type ClaimIssuer struct {
	Issuer  string
	JWKS    json.RawMessage
	JWKSURI string
}

// trustedIssuer is a claim issuer with its keys.
type trustedIssuer struct {
	keys      oauth.PublicKeys // those of its JWKS
	elsewhere *fetchedKeys     // those of its JWKSURI; nil when there is a JWKS
}

// current returns the issuer's keys; see fetchedKeys.current.
func (t *trustedIssuer) current(ctx context.Context, now time.Time, again bool) (oauth.PublicKeys, error) {
	if t.elsewhere == nil {
		return t.keys, nil
	}
	return t.elsewhere.current(ctx, now, again)
}

func newTrustedIssuers(list []ClaimIssuer, fetch *http.Client) (map[string]*trustedIssuer, error) {
	out := map[string]*trustedIssuer{}
	for _, c := range list {
		if c.Issuer == "" {
			return nil, errors.New("as: a claim issuer without an issuer identifier")
		}
		t := &trustedIssuer{}
		switch {
		case len(c.JWKS) > 0:
			var err error
			if t.keys, err = oauth.ParseJWKS(c.JWKS); err != nil {
				return nil, fmt.Errorf("as: keys of claim issuer %s: %w", c.Issuer, err)
			}
		case c.JWKSURI == "":
			return nil, fmt.Errorf("as: claim issuer %s has neither jwks nor jwks_uri", c.Issuer)
		case fetch == nil:
			return nil, fmt.Errorf("as: claim issuer %s has a jwks_uri, but there is no egress client", c.Issuer)
		default:
			t.elsewhere = &fetchedKeys{uri: c.JWKSURI, fetch: fetch}
		}
		if out[c.Issuer] != nil {
			return nil, fmt.Errorf("as: claim issuer %s is configured twice", c.Issuer)
		}
		out[c.Issuer] = t
	}
	return out, nil
}

// pushed is what came of a pushed claim token: facts, or the reason why it
// counts for nothing. An unusable claim token leads to need_info and never to
// an error (Grant 3.3.6).
type pushed struct {
	facts   []policy.Fact
	account AccountID // when it is an ID token of this server
	problem error
}

// verifyClaimToken verifies a pushed claim token. It may use the network, and
// so happens before the transaction.
func (s *Server) verifyClaimToken(ctx context.Context, c oauth.Client, token, format string) pushed {
	if token == "" {
		return pushed{}
	}
	if !c.PushClaims {
		return pushed{problem: errors.New("as: this client may not push claims")}
	}
	if format != uma.IDTokenFormat {
		return pushed{problem: fmt.Errorf("as: claim_token_format %q is not supported", format)}
	}
	token = unwrap(token)
	issuer := issuerOf(token)
	want := oauth.IDTokenExpectation{
		Issuer: issuer, Audiences: []string{string(c.ID), s.Issuer}, Now: s.now(),
	}
	var keys oauth.PublicKeys
	switch t := s.trusted[issuer]; {
	case issuer == s.Issuer:
		keys = s.publicKeys()
	case t == nil:
		return pushed{problem: errors.New("as: the issuer of the claim token is not trusted")}
	default:
		var err error
		if keys, err = t.current(ctx, want.Now, false); err != nil {
			return pushed{problem: err}
		}
	}
	id, err := oauth.VerifyIDToken(token, keys, want)
	if errors.Is(err, oauth.ErrUnknownKey) && s.trusted[issuer] != nil {
		if keys, err = s.trusted[issuer].current(ctx, want.Now, true); err == nil {
			id, err = oauth.VerifyIDToken(token, keys, want)
		}
	}
	if err != nil {
		return pushed{problem: err}
	}
	p := pushed{facts: factsOf(id, format, want.Now)}
	if issuer == s.Issuer {
		p.account = AccountID(id.Subject)
	}
	return p
}

// believed drops the facts of issuers that the operator has stopped trusting since
// they were acquired.
func (s *Server) believed(facts []policy.Fact) []policy.Fact {
	return slices.DeleteFunc(slices.Clone(facts), func(f policy.Fact) bool {
		return f.Issuer != s.Issuer && s.trusted[f.Issuer] == nil
	})
}

// unwrap takes one extra layer of base64url or base64 off a JWT. Grant 3.3.1
// asks for base64url unless the format says otherwise, and a JWT is base64url
// already; clients read that in both ways (AMB-12).
func unwrap(token string) string {
	if strings.Contains(token, ".") {
		return token
	}
	trimmed := strings.TrimRight(token, "=")
	for _, enc := range []*base64.Encoding{base64.RawURLEncoding, base64.RawStdEncoding} {
		if inner, err := enc.DecodeString(trimmed); err == nil {
			return string(inner)
		}
	}
	return token
}

// issuerOf reads who claims to have issued a JWT, to choose the keys that can
// prove it. Nothing else is read before the signature is verified.
func issuerOf(token string) string {
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return ""
	}
	claims, err := uma.ParseObject(strings.NewReader(string(raw)))
	if err != nil {
		return ""
	}
	issuer, _, _ := claims.String("iss")
	return issuer
}

// notFacts are members of an ID token that say nothing about the person, or
// that become facts by a rule of their own.
var notFacts = map[string]bool{
	"iss": true, "aud": true, "exp": true, "iat": true, "nbf": true, "jti": true, "nonce": true, "azp": true,
	"at_hash": true, "c_hash": true, "s_hash": true, "auth_time": true, "sid": true, "cnf": true,
	"sub": true, "email": true, "email_verified": true, "phone_number": true, "phone_number_verified": true,
	policy.ClaimPurpose: true, policy.ClaimTerms: true,
	policy.ClaimLink: true, // which nobody but this server can state
}

// factsOf turns a verified ID token into facts. An address or number that the
// issuer does not call verified is none.
func factsOf(id oauth.IDToken, format string, now time.Time) []policy.Fact {
	var facts []policy.Fact
	add := func(name, value string) {
		facts = append(facts, policy.Fact{Name: name, Value: value, Issuer: id.Issuer, Format: format, At: now})
	}
	add("sub", id.Subject)
	if id.EmailVerified && id.Email != "" {
		add("email", id.Email)
	}
	if verified, _, _ := id.Claims.Bool("phone_number_verified"); verified {
		if number, ok, _ := id.Claims.String("phone_number"); ok {
			add("phone_number", number)
		}
	}
	// A statement of purpose, or the acceptance of terms, may be pushed too: the
	// issuer then vouches for the promise.
	for _, promise := range []string{policy.ClaimPurpose, policy.ClaimTerms} {
		if v, ok, _ := id.Claims.String(promise); ok {
			add(promise, v)
		}
	}
	for name := range id.Claims {
		if notFacts[name] {
			continue
		}
		for _, v := range scalarValues(id.Claims[name]) {
			add(name, v)
		}
	}
	sortFacts(facts)
	return facts
}

// scalarValues reads a claim as the list of its scalar values; anything nested
// deeper is not usable as a fact.
func scalarValues(raw json.RawMessage) []string {
	var list []any
	if json.Unmarshal(raw, &list) != nil {
		var one any
		if json.Unmarshal(raw, &one) != nil {
			return nil
		}
		list = []any{one}
	}
	var out []string
	for _, v := range list {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case bool:
			out = append(out, strconv.FormatBool(v))
		case float64:
			out = append(out, strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	return out
}
