package oauth_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

func goodRequest() uma.Form {
	return uma.Form{
		"client_id": "c1", "redirect_uri": callback, "response_type": "code", "scope": "openid uma_policy",
		"state": "s&=% 1", "code_challenge": challenge, "code_challenge_method": "S256",
	}
}

// change returns the ordinary request with parameters replaced, or left out
// where the value is "".
func change(parameters ...string) uma.Form {
	form := maps.Clone(goodRequest())
	for i := 0; i < len(parameters); i += 2 {
		form[parameters[i]] = parameters[i+1]
		if parameters[i+1] == "" {
			delete(form, parameters[i])
		}
	}
	return form
}

func TestAuthorizationRequestIsRead(t *testing.T) {
	got, err := oauth.ParseAuthorizationRequest(change(
		"nonce", "n-1", "prompt", "login consent", "max_age", "0", "login_hint", "bob@mail.example",
		"response_mode", "query", "claims", "{}", "ui_locales", "de"), confidential())
	if err != nil {
		t.Fatal(err)
	}
	if got.MaxAge == nil || *got.MaxAge != 0 {
		t.Errorf("max_age is read as %v", got.MaxAge)
	}
	got.MaxAge = nil
	want := oauth.AuthorizationRequest{
		Client: "c1", RedirectURI: callback, Scopes: []uma.Scope{oauth.ScopeOpenID, oauth.ScopePolicy},
		State: "s&=% 1", HasState: true, Nonce: "n-1", CodeChallenge: challenge,
		Prompt: []string{oauth.PromptLogin, oauth.PromptConsent}, LoginHint: "bob@mail.example",
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("read as %+v", got)
	}
}

func TestAuthorizationRequestMayLeaveOutWhatIsOptional(t *testing.T) {
	got, err := oauth.ParseAuthorizationRequest(change("state", "", "redirect_uri", ""), confidential())
	if err != nil {
		t.Fatal(err)
	}
	if got.HasState || got.State != "" || got.RedirectURI != callback || got.MaxAge != nil || got.Prompt != nil {
		t.Errorf("read as %+v", got)
	}
	got, err = oauth.ParseAuthorizationRequest(
		change("client_id", "n1", "redirect_uri", "http://127.0.0.1:5555/cb?a=b", "scope", "openid openid"), native())
	if err != nil || got.RedirectURI != "http://127.0.0.1:5555/cb?a=b" || len(got.Scopes) != 1 {
		t.Errorf("read as %+v, %v", got, err)
	}
}

// Proves SEC-080.
func TestNothingIsSentToARedirectURIThatIsNotTrusted(t *testing.T) {
	disabled, two, none, nameless := confidential(), confidential(), confidential(), confidential()
	disabled.Disabled, nameless.ID = true, ""
	two.RedirectURIs = []string{callback, "https://app.example/other"}
	none.RedirectURIs = nil
	forms := map[string]struct {
		form uma.Form
		c    oauth.Client
	}{
		"no client_id":              {change("client_id", ""), confidential()},
		"another client_id":         {change("client_id", "c2"), confidential()},
		"unknown client":            {goodRequest(), oauth.Client{}},
		"unknown client without id": {change("client_id", ""), oauth.Client{}},
		"client without an id":      {change("client_id", ""), nameless},
		"disabled client":           {goodRequest(), disabled},
		"of two, none named":        {change("redirect_uri", ""), two},
		"none registered":           {goodRequest(), none},
		"none registered or named":  {change("redirect_uri", ""), none},
	}
	for _, uri := range slices.Concat(similar, confidential().ClaimsRedirectURIs, slices.Collect(maps.Values(unregistrable))) {
		if uri != "" {
			// and with every other fault that would be told by redirect
			forms["unregistered "+uri] = struct {
				form uma.Form
				c    oauth.Client
			}{change("redirect_uri", uri, "response_type", "token", "scope", "", "code_challenge", ""), confidential()}
		}
	}
	for name, tc := range forms {
		got, err := oauth.ParseAuthorizationRequest(tc.form, tc.c)
		var redirect *oauth.RedirectError
		var page *uma.Error
		if errors.As(err, &redirect) || !errors.As(err, &page) || got.RedirectURI != "" {
			t.Errorf("%s: %v, %+v", name, err, got)
		}
	}
}

// refusals are requests that are told to the client by redirect.
var refusals = map[string]struct {
	form uma.Form
	code uma.Code
}{
	"no response_type":            {change("response_type", ""), uma.InvalidRequest},
	"implicit":                    {change("response_type", "token"), uma.UnsupportedResponseType},
	"ID token":                    {change("response_type", "id_token"), uma.UnsupportedResponseType},
	"hybrid":                      {change("response_type", "code id_token"), uma.UnsupportedResponseType},
	"hybrid with a token":         {change("response_type", "code token"), uma.UnsupportedResponseType},
	"nothing":                     {change("response_type", "none"), uma.UnsupportedResponseType},
	"code in capitals":            {change("response_type", "CODE"), uma.UnsupportedResponseType},
	"code and a space":            {change("response_type", "code "), uma.UnsupportedResponseType},
	"fragment":                    {change("response_mode", "fragment"), uma.InvalidRequest},
	"form_post":                   {change("response_mode", "form_post"), uma.InvalidRequest},
	"jwt":                         {change("response_mode", "jwt"), uma.InvalidRequest},
	"request":                     {change("request", "e30.e30."), oauth.RequestNotSupported},
	"request_uri":                 {change("request_uri", "https://evil.example/"), oauth.RequestURINotSupported},
	"registration":                {change("registration", "{}"), oauth.RegistrationNotSupported},
	"no scope":                    {change("scope", ""), uma.InvalidScope},
	"scope of spaces":             {change("scope", "  "), uma.InvalidScope},
	"malformed scope":             {change("scope", `openid "x"`), uma.InvalidScope},
	"scope of another client":     {change("scope", "openid uma_protection"), uma.InvalidScope},
	"scope in another case":       {change("scope", "OpenID"), uma.InvalidScope},
	"prompt none and more":        {change("prompt", "none login"), uma.InvalidRequest},
	"unknown prompt":              {change("prompt", "create"), uma.InvalidRequest},
	"prompt with two spaces":      {change("prompt", "login  consent"), uma.InvalidRequest},
	"negative max_age":            {change("max_age", "-1"), uma.InvalidRequest},
	"max_age with a sign":         {change("max_age", "+1"), uma.InvalidRequest},
	"max_age with a fraction":     {change("max_age", "1.5"), uma.InvalidRequest},
	"max_age beyond arithmetic":   {change("max_age", "9223372036854775807"), uma.InvalidRequest},
	"max_age that is no number":   {change("max_age", "one"), uma.InvalidRequest},
	"no challenge":                {change("code_challenge", ""), uma.InvalidRequest},
	"no challenge, no method":     {change("code_challenge", "", "code_challenge_method", ""), uma.InvalidRequest},
	"no method, which is plain":   {change("code_challenge_method", ""), uma.InvalidRequest},
	"plain":                       {change("code_challenge_method", "plain"), uma.InvalidRequest},
	"plain, of a verifier":        {change("code_challenge_method", "plain", "code_challenge", verifier), uma.InvalidRequest},
	"method in another case":      {change("code_challenge_method", "s256"), uma.InvalidRequest},
	"challenge cut short":         {change("code_challenge", challenge[:42]), uma.InvalidRequest},
	"challenge too long":          {change("code_challenge", challenge+"A"), uma.InvalidRequest},
	"challenge in base64":         {change("code_challenge", strings.Replace(challenge, "-", "+", 1)), uma.InvalidRequest},
	"challenge with unread bits":  {change("code_challenge", challenge[:42]+"N"), uma.InvalidRequest},
	"challenge with a line break": {change("code_challenge", challenge+"\n"), uma.InvalidRequest},
}

// Proves SEC-083.
func TestRefusalGoesToTheClientWithItsState(t *testing.T) {
	for name, tc := range refusals {
		_, err := oauth.ParseAuthorizationRequest(tc.form, confidential())
		var e *oauth.RedirectError
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e.URI != callback || !e.HasState || e.State != "s&=% 1" || e.Err.Code != tc.code {
			t.Errorf("%s: %+v", name, e)
		}
		wantCode(t, err, tc.code)
	}
	_, err := oauth.ParseAuthorizationRequest(change("state", "", "scope", ""), confidential())
	var e *oauth.RedirectError
	if !errors.As(err, &e) || e.HasState || e.State != "" {
		t.Errorf("without a state: %+v", err)
	}
}

// Proves SEC-083.
func TestPKCEIsForPublicClientsToo(t *testing.T) {
	for _, form := range []uma.Form{
		change("client_id", "n1", "redirect_uri", "com.example.app:/cb", "scope", "openid", "code_challenge", ""),
		change("client_id", "n1", "redirect_uri", "com.example.app:/cb", "scope", "openid", "code_challenge_method", "plain"),
	} {
		_, err := oauth.ParseAuthorizationRequest(form, native())
		wantCode(t, err, uma.InvalidRequest)
	}
}

func TestClientWithoutTheGrantTypeIsToldSo(t *testing.T) {
	c := confidential()
	c.GrantTypes = []string{uma.GrantType}
	_, err := oauth.ParseAuthorizationRequest(goodRequest(), c)
	var e *oauth.RedirectError
	if !errors.As(err, &e) || e.Err.Code != uma.UnauthorizedClient {
		t.Errorf("%v", err)
	}
}
