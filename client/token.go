package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/licet/licet/uma"
)

// claimToken is a claim token with its format; they go together or not at all
// (Grant 3.3.1).
type claimToken struct{ token, format string }

// refusal is an error answer of a token endpoint.
type refusal struct {
	uma.ErrorResponse
	issuer string
	status int
}

func (r *refusal) asError() *ASError {
	return &ASError{Issuer: r.issuer, Status: r.status, Code: r.Error, Description: r.ErrorDescription}
}

// lostError says that a question went out and no answer came in, so that the
// ticket in it may have been spent.
type lostError struct{ cause error }

func (e *lostError) Error() string {
	return "client: no answer of the token endpoint: " + e.cause.Error()
}
func (e *lostError) Unwrap() error { return e.cause }

// redeem presents the ticket (Grant 3.3.1). Where the answer is an RPT it keeps
// it, with the PCT, and returns nothing.
func (d *dance) redeem(ctx context.Context, claim claimToken) (*refusal, error) {
	meta, err := d.servers.metadata(ctx, d.Issuer)
	if err != nil {
		return nil, err
	}
	form, before, err := d.form(ctx, claim)
	if err != nil {
		return nil, err
	}
	d.tickets[d.Ticket] = true
	d.pushed[claim] = true
	token, refused, err := d.ask(ctx, d.Issuer, meta.TokenEndpoint, form)
	if err != nil || refused != nil {
		return refused, err
	}
	err = d.changeTokens(ctx, d.At, func(tokens []Token) []Token {
		return keep(tokens, d.received(d.Issuer, token), d.Use, token.Upgraded, before)
	})
	if err == nil && token.PCT != "" && d.At.User != "" {
		err = d.c.PCTs.SavePCT(ctx, d.Issuer, d.At.User, token.PCT)
	}
	return nil, err
}

func (d *dance) form(ctx context.Context, claim claimToken) (form url.Values, before uma.RPT, err error) {
	form = url.Values{"grant_type": {uma.GrantType}, "ticket": {string(d.Ticket)}}
	if d.Verifier != "" {
		form.Set("code_verifier", string(d.Verifier))
	}
	if claim != (claimToken{}) {
		form.Set("claim_token", claim.token)
		form.Set("claim_token_format", claim.format)
	}
	if len(d.scopes) > 0 {
		form.Set("scope", uma.JoinScopes(d.scopes))
	}
	if d.At.User != "" {
		pct, err := d.c.PCTs.PCT(ctx, d.Issuer, d.At.User)
		if err != nil {
			return nil, "", err
		}
		if pct != "" {
			form.Set("pct", string(pct))
		}
	}
	// An RPT of the same server, place and user may be upgraded, even when it
	// has ended; any other is none of this server's business.
	tokens, err := d.c.Tokens.Tokens(ctx, d.At)
	if err != nil {
		return nil, "", err
	}
	tokens = slices.DeleteFunc(slices.Clone(tokens), func(have Token) bool { return have.Issuer != d.Issuer })
	if i := best(tokens, d.Use); i >= 0 {
		before = tokens[i].RPT
		form.Set("rpt", string(before))
	}
	return form, before, nil
}

// ask does one request to a token endpoint, as this client.
func (t *Transport) ask(ctx context.Context, issuer, endpoint string, form url.Values) (uma.TokenResponse, *refusal, error) {
	status, body, err := t.post(ctx, issuer, endpoint, form)
	if err != nil {
		return uma.TokenResponse{}, nil, &lostError{err}
	}
	if status != http.StatusOK {
		res, err := uma.ParseErrorResponse(bytes.NewReader(body))
		if err != nil {
			return uma.TokenResponse{}, nil, &lostError{fmt.Errorf("%s answered %d: %w", issuer, status, err)}
		}
		return uma.TokenResponse{}, &refusal{res, issuer, status}, nil
	}
	token, err := uma.ParseTokenResponse(bytes.NewReader(body))
	if err == nil && (!t.understands(token.TokenType) || strings.ContainsFunc(token.AccessToken, notVisible)) {
		err = errors.New("the token is of a type that this client cannot use")
	}
	if err != nil {
		return uma.TokenResponse{}, nil, fmt.Errorf("client: the answer of %s: %w", issuer, err)
	}
	return token, nil, nil
}

// understands says whether this client can show tokens of a type: one that has a key
// takes what a server without DPoP has to give.
func (t *Transport) understands(kind string) bool {
	return strings.EqualFold(kind, "Bearer") || isBound(kind) && t.c.Key != nil
}

func isBound(kind string) bool { return strings.EqualFold(kind, "DPoP") }

func notVisible(r rune) bool { return r <= 0x20 || r >= 0x7f }

// post sends a form with the client's authentication.
func (t *Transport) post(ctx context.Context, issuer, endpoint string, form url.Values) (status int, body []byte, err error) {
	req, err := t.authenticated(ctx, issuer, endpoint, form)
	if err != nil {
		return 0, nil, err
	}
	return exchange(t.proving, req)
}

// authenticated makes a request of this client: with an assertion for this issuer,
// with Basic, or with the client_id alone (RFC 7523 2.2, RFC 6749 2.3.1, 3.2.1).
func (t *Transport) authenticated(ctx context.Context, issuer, endpoint string, form url.Values) (*http.Request, error) {
	if t.c.AuthKey != nil {
		return t.c.AuthKey.Request(ctx, endpoint, form, t.c.ClientID, issuer, t.c.Now)
	}
	if t.c.ClientSecret == "" {
		form.Set("client_id", t.c.ClientID)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if t.c.ClientSecret != "" {
		req.SetBasicAuth(url.QueryEscape(t.c.ClientID), url.QueryEscape(string(t.c.ClientSecret)))
	}
	return req, nil
}

func (t *Transport) received(issuer string, token uma.TokenResponse) Token {
	out := Token{RPT: uma.RPT(token.AccessToken), Issuer: issuer, Refresh: Secret(token.RefreshToken), Bound: isBound(token.TokenType)}
	if token.ExpiresIn > 0 {
		out.ExpiresAt = t.c.Now().Add(seconds(token.ExpiresIn))
	}
	return out
}

// pick returns the RPT to show for a use, if there is one that may serve; else one
// that is empty. One that has ended is refreshed (Grant 3.6).
func (t *Transport) pick(ctx context.Context, at Place, use string) (Token, error) {
	for range maxTokens {
		tokens, err := t.c.Tokens.Tokens(ctx, at)
		if err != nil {
			return Token{}, err
		}
		usable := slices.DeleteFunc(slices.Clone(tokens), func(have Token) bool {
			return have.expired(t.c.Now()) && have.Refresh == ""
		})
		i := best(usable, use)
		if i < 0 {
			return Token{}, nil
		}
		if !usable[i].expired(t.c.Now()) {
			return usable[i], nil
		}
		// Two uses of one refresh token would revoke everything. Whoever did
		// it, the next look tells what came of it.
		ended := usable[i]
		_, err = t.gate.alone(ctx, "refresh "+string(ended.Refresh), func() error { return t.refresh(ctx, at, ended) })
		if err != nil {
			return Token{}, err
		}
	}
	return Token{}, nil
}

// refresh replaces an ended RPT. A refresh token that is refused is forgotten;
// the RPT itself stays, as it may still be upgraded.
func (t *Transport) refresh(ctx context.Context, at Place, ended Token) error {
	tokens, err := t.c.Tokens.Tokens(ctx, at)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(tokens, func(have Token) bool { return have.RPT == ended.RPT && have.Refresh == ended.Refresh }) {
		return nil // done while we were on the way
	}
	next, err := t.refreshed(ctx, ended)
	if err != nil {
		return err
	}
	return t.changeTokens(ctx, at, func(tokens []Token) []Token {
		out := slices.Clone(tokens)
		for i := range out {
			if out[i].RPT == ended.RPT {
				out[i] = next
			}
		}
		return out
	})
}

func (t *Transport) refreshed(ctx context.Context, ended Token) (Token, error) {
	meta, err := t.servers.metadata(ctx, ended.Issuer)
	if err != nil {
		return Token{}, err
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {string(ended.Refresh)}}
	token, refused, err := t.ask(ctx, ended.Issuer, meta.TokenEndpoint, form)
	if err != nil {
		return Token{}, err
	}
	if refused != nil {
		ended.Refresh = ""
		return ended, nil
	}
	next := t.received(ended.Issuer, token)
	next.Uses = ended.Uses
	if next.Refresh == "" {
		next.Refresh = ended.Refresh
	}
	return next, nil
}

// changeTokens reads, changes and writes what is kept of one place, one at a
// time.
func (t *Transport) changeTokens(ctx context.Context, at Place, change func([]Token) []Token) error {
	select {
	case t.lock <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t.lock }()
	tokens, err := t.c.Tokens.Tokens(ctx, at)
	if err != nil {
		return err
	}
	return t.c.Tokens.SaveTokens(ctx, at, change(tokens))
}

// Revoke tells an authorization server that an RPT, a refresh token or, with
// the hint uma.HintPCT, a PCT is not needed any more (Grant 3.7, RFC 7009). The
// stores are the caller's to clear.
func (t *Transport) Revoke(ctx context.Context, issuer, token, hint string) error {
	meta, err := t.servers.metadata(ctx, issuer)
	if err != nil {
		return err
	}
	if meta.RevocationEndpoint == "" {
		return fmt.Errorf("client: %s has no revocation endpoint", issuer)
	}
	form := url.Values{"token": {token}}
	if hint != "" {
		form.Set("token_type_hint", hint)
	}
	status, body, err := t.post(ctx, issuer, meta.RevocationEndpoint, form)
	if err != nil || status == http.StatusOK {
		return err
	}
	res, err := uma.ParseErrorResponse(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("client: %s answered %d to a revocation", issuer, status)
	}
	return (&refusal{res, issuer, status}).asError()
}
