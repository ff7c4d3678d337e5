package oauth

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/licet/licet/uma"
)

// The error codes of OpenID Connect Core 3.1.2.6 for what is not supported
// here.
const (
	RequestNotSupported      uma.Code = "request_not_supported"
	RequestURINotSupported   uma.Code = "request_uri_not_supported"
	InvalidRequestURI        uma.Code = "invalid_request_uri"
	RegistrationNotSupported uma.Code = "registration_not_supported"
)

// The values of Prompt (OpenID Connect Core 3.1.2.1).
const (
	PromptNone          = "none"
	PromptLogin         = "login"
	PromptConsent       = "consent"
	PromptSelectAccount = "select_account"
)

// AuthorizationRequest is an authorization request of the code flow that may be
// shown to the person (RFC 6749 4.1.1, RFC 7636 4.3, OpenID Connect Core
// 3.1.2.1). The answer goes to the query of RedirectURI and to nowhere else.
type AuthorizationRequest struct {
	Client        ClientID
	RedirectURI   string // registered; the only one when the request named none
	Scopes        []uma.Scope
	State         string
	HasState      bool
	Nonce         string
	CodeChallenge string       // of S256
	BoundTo       Confirmation // the key that has to redeem the code (RFC 9449 10); "" for any
	Prompt        []string
	MaxAge        *int64 // seconds; nil when the request does not say
	LoginHint     string
	RequestURI    string // of a pushed request (RFC 9126); "" for one that was not
}

// RedirectError is a refusal that the client is told: the browser goes to URI
// with the error's code and description, and with the state when there was one
// (RFC 6749 4.1.2.1). The caller adds iss (RFC 9207).
type RedirectError struct {
	URI      string
	State    string
	HasState bool
	Err      *uma.Error
}

func (e *RedirectError) Error() string { return e.Err.Error() }
func (e *RedirectError) Unwrap() error { return e.Err }

// ParseAuthorizationRequest reads the parameters of an authorization request by
// the client they name.
//
// There are two kinds of refusal, and to confuse them makes an open redirector.
// A bare [*uma.Error] comes before the redirect URI is known to be the
// client's: the person is told, on a page, and the browser is sent nowhere. A
// [*RedirectError] comes after it. As every *RedirectError wraps a *uma.Error,
// ask for the former first.
func ParseAuthorizationRequest(form uma.Form, c Client) (AuthorizationRequest, error) {
	if id, _ := parameter(form, "client_id"); c.ID == "" || ClientID(id) != c.ID || c.Disabled {
		return AuthorizationRequest{}, uma.NewError(uma.InvalidClient, "The client is unknown.")
	}
	requested, _ := parameter(form, "redirect_uri")
	uri, err := c.RedirectURI(requested)
	if err != nil {
		return AuthorizationRequest{}, err
	}
	req := AuthorizationRequest{Client: c.ID, RedirectURI: uri}
	req.State, req.HasState = parameter(form, "state")
	for _, read := range []func(uma.Form, Client) *uma.Error{
		req.readFlow, req.readChallenge, req.readKey, req.readScopes, req.readPrompt, req.readMaxAge,
	} {
		if err := read(form, c); err != nil {
			return AuthorizationRequest{}, &RedirectError{URI: uri, State: req.State, HasState: req.HasState, Err: err}
		}
	}
	req.Nonce, _ = parameter(form, "nonce")
	req.LoginHint, _ = parameter(form, "login_hint")
	return req, nil
}

// readFlow lets through the code flow in the query and nothing else: tokens
// have no business in a browser's history (RFC 9700 2.1.2).
func (*AuthorizationRequest) readFlow(form uma.Form, c Client) *uma.Error {
	// First: what these hold would replace all that is read below.
	for _, p := range []struct {
		name string
		code uma.Code
	}{{"request", RequestNotSupported}, {"request_uri", RequestURINotSupported}, {"registration", RegistrationNotSupported}} {
		if _, found := parameter(form, p.name); found {
			return uma.NewError(p.code, "The request has a parameter that is not supported.").
				Because(errors.New("parameter " + p.name))
		}
	}
	switch flow, found := parameter(form, "response_type"); {
	case !found:
		return uma.NewError(uma.InvalidRequest, "The response_type is missing.")
	case flow != "code":
		return uma.NewError(uma.UnsupportedResponseType, "The only response_type is code.").
			Because(fmt.Errorf("response_type %q", flow))
	}
	if mode, found := parameter(form, "response_mode"); found && mode != "query" {
		return uma.NewError(uma.InvalidRequest, "The only response_mode is query.").
			Because(fmt.Errorf("response_mode %q", mode))
	}
	if !c.Allows(GrantAuthorizationCode) {
		return uma.NewError(uma.UnauthorizedClient, "The client is not registered for the authorization_code grant.")
	}
	return nil
}

// readChallenge asks every client for PKCE with S256, confidential ones too:
// it is what binds the code to the browser that asked for it (RFC 9700 2.1.1).
func (r *AuthorizationRequest) readChallenge(form uma.Form, _ Client) *uma.Error {
	if _, found := parameter(form, "code_challenge"); !found {
		return uma.NewError(uma.InvalidRequest, "The code_challenge is missing.")
	}
	challenge, refusal := readS256(form)
	r.CodeChallenge = challenge
	return refusal
}

// readKey reads the thumbprint of the key that the code is to be bound to (RFC
// 9449 10).
func (r *AuthorizationRequest) readKey(form uma.Form, _ Client) *uma.Error {
	thumbprint, found := parameter(form, "dpop_jkt")
	if !found {
		return nil
	}
	if !isSum(thumbprint) {
		return uma.NewError(uma.InvalidRequest, "The dpop_jkt is not the base64url form of a SHA-256 sum.")
	}
	r.BoundTo = KeyConfirmation(thumbprint)
	return nil
}

// readScopes refuses a request without scopes, which could only lead to a token
// that is good for nothing (RFC 6749 3.3 leaves the choice).
func (r *AuthorizationRequest) readScopes(form uma.Form, c Client) *uma.Error {
	value, _ := parameter(form, "scope")
	scopes, err := uma.ParseScope(value)
	if err != nil || len(scopes) == 0 {
		return uma.NewError(uma.InvalidScope, "The scope is missing or malformed.").Because(err)
	}
	for _, scope := range scopes {
		if !slices.Contains(c.Scopes, scope) {
			return uma.NewError(uma.InvalidScope, "The client is not registered for a requested scope.").
				Because(fmt.Errorf("scope %q", scope))
		}
	}
	r.Scopes = scopes
	return nil
}

func (r *AuthorizationRequest) readPrompt(form uma.Form, _ Client) *uma.Error {
	value, found := parameter(form, "prompt")
	if !found {
		return nil
	}
	known := []string{PromptNone, PromptLogin, PromptConsent, PromptSelectAccount}
	r.Prompt = strings.Split(value, " ")
	for _, p := range r.Prompt {
		if !slices.Contains(known, p) {
			return uma.NewError(uma.InvalidRequest, "The prompt has a value that is not known.")
		}
	}
	if len(r.Prompt) > 1 && slices.Contains(r.Prompt, PromptNone) {
		return uma.NewError(uma.InvalidRequest, "The prompt none goes with no other.")
	}
	return nil
}

func (r *AuthorizationRequest) readMaxAge(form uma.Form, _ Client) *uma.Error {
	value, found := parameter(form, "max_age")
	if !found {
		return nil
	}
	age, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return uma.NewError(uma.InvalidRequest, "The max_age is not a number of seconds.").Because(err)
	}
	seconds := int64(age)
	r.MaxAge = &seconds
	return nil
}
