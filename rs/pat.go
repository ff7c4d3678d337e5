package rs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/assertion"
	"github.com/licet/licet/dpop"
	"github.com/licet/licet/uma"
)

// PATSource hands out protection API access tokens. A PAT stands for one owner
// at one resource server (FedAuthz 1.3). It is used by many goroutines.
type PATSource interface {
	// PAT returns the owner's PAT. refused is empty, or the PAT that the
	// authorization server has just refused: then another one, or an error.
	PAT(ctx context.Context, owner Owner, refused uma.PAT) (uma.PAT, error)
}

// StaticPAT is a PATSource of fixed tokens, for a start. They are not renewed.
type StaticPAT map[Owner]uma.PAT

// PAT implements [PATSource].
func (s StaticPAT) PAT(_ context.Context, owner Owner, refused uma.PAT) (uma.PAT, error) {
	pat, ok := s[owner]
	switch {
	case !ok || pat == "":
		return "", fmt.Errorf("rs: there is no PAT for the owner %q", owner)
	case pat == refused:
		return "", fmt.Errorf("rs: the PAT of the owner %q was refused", owner)
	}
	return pat, nil
}

// Secret is a credential of the resource server. It prints as a fingerprint.
type Secret string

func (s Secret) String() string   { return uma.Fingerprint(string(s)) }
func (s Secret) GoString() string { return s.String() }

// OAuth is the resource server as an OAuth client of the authorization server,
// authenticated in one of two ways.
type OAuth struct {
	Issuer       string
	ClientID     string
	ClientSecret Secret           // client_secret_basic
	AuthKey      *assertion.Key   // private_key_jwt (RFC 7523); its JWKS is registered there
	Key          *dpop.Key        // as in Config
	HTTP         *http.Client     // as in Config
	Now          func() time.Time // nil is time.Now
}

// RefreshTokens keeps the refresh token that came with each owner's PAT when
// the owner connected the resource server (scope uma_protection). A refresh
// token is of one use: what Save is given replaces the one before.
type RefreshTokens interface {
	RefreshToken(ctx context.Context, owner Owner) (Secret, error)
	SaveRefreshToken(ctx context.Context, owner Owner, token Secret) error
}

// RefreshPAT is a PATSource that works while the owners are away: it renews
// their PATs with refresh tokens, when they end and when one is refused.
func RefreshPAT(as OAuth, tokens RefreshTokens) PATSource {
	return newOAuthPAT(as, tokens, "")
}

// ClientCredentialsPAT is a PATSource for an organisation that is itself the
// owner: its client may have a PAT for its own space by client credentials.
// There is no PAT for any other owner.
func ClientCredentialsPAT(as OAuth, owner Owner) PATSource {
	return newOAuthPAT(as, nil, owner)
}

// oauthPAT gets PATs at the token endpoint and keeps them while they last.
type oauthPAT struct {
	client OAuth
	as     discovery
	tokens RefreshTokens // nil: client credentials, for one owner
	owner  Owner

	renewing flight[uma.PAT] // two uses of one refresh token would revoke everything
	mu       sync.Mutex
	held     map[Owner]heldPAT
}

type heldPAT struct {
	pat   uma.PAT
	until time.Time // zero: not told
}

func newOAuthPAT(as OAuth, tokens RefreshTokens, owner Owner) *oauthPAT {
	if as.Now == nil {
		as.Now = time.Now
	}
	as.HTTP = proving(withoutRedirects(as.HTTP), as.Key, as.Now)
	return &oauthPAT{
		client: as, tokens: tokens, owner: owner, held: map[Owner]heldPAT{},
		as: discovery{issuer: as.Issuer, http: as.HTTP, now: as.Now},
	}
}

func (o *oauthPAT) PAT(ctx context.Context, owner Owner, refused uma.PAT) (uma.PAT, error) {
	if o.tokens == nil && owner != o.owner {
		return "", fmt.Errorf("rs: there is no PAT for the owner %q", owner)
	}
	if pat, ok := o.current(owner, refused); ok {
		return pat, nil
	}
	return o.renewing.do(ctx, string(owner), func(ctx context.Context) (uma.PAT, error) {
		if pat, ok := o.current(owner, refused); ok { // renewed while we were on the way
			return pat, nil
		}
		return o.renew(ctx, owner)
	})
}

func (o *oauthPAT) current(owner Owner, refused uma.PAT) (uma.PAT, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	h, ok := o.held[owner]
	live := h.until.IsZero() || o.client.Now().Before(h.until)
	return h.pat, ok && live && h.pat != refused
}

func (o *oauthPAT) renew(ctx context.Context, owner Owner) (uma.PAT, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {uma.ScopeProtection}}
	if o.tokens != nil {
		refresh, err := o.tokens.RefreshToken(ctx, owner)
		if err != nil {
			return "", fmt.Errorf("rs: the refresh token of the owner %q: %w", owner, err)
		}
		if refresh == "" {
			return "", fmt.Errorf("rs: there is no refresh token for the owner %q", owner)
		}
		form = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {string(refresh)}}
	}
	token, err := o.request(ctx, form)
	if err != nil {
		return "", fmt.Errorf("rs: a new PAT for the owner %q: %w", owner, err)
	}
	o.hold(owner, token)
	if o.tokens != nil && token.RefreshToken != "" {
		if err := o.tokens.SaveRefreshToken(ctx, owner, Secret(token.RefreshToken)); err != nil {
			return "", fmt.Errorf("rs: the refresh token of the owner %q could not be kept: %w", owner, err)
		}
	}
	return uma.PAT(token.AccessToken), nil
}

// hold keeps a PAT until shortly before its end.
func (o *oauthPAT) hold(owner Owner, token uma.TokenResponse) {
	h := heldPAT{pat: uma.PAT(token.AccessToken)}
	if s := token.ExpiresIn; s > 0 {
		h.until = o.client.Now().Add(time.Duration(min(s, 1<<31)) * time.Second * 9 / 10)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held[owner] = h
}

func (o *oauthPAT) request(ctx context.Context, form url.Values) (uma.TokenResponse, error) {
	meta, err := o.as.metadata(ctx)
	if err != nil {
		return uma.TokenResponse{}, err
	}
	req, err := o.client.authenticated(ctx, meta.TokenEndpoint, form)
	if err != nil {
		return uma.TokenResponse{}, err
	}
	res, err := send(o.client.HTTP, req, maxAnswer)
	if err != nil {
		return uma.TokenResponse{}, err
	}
	if res.status != http.StatusOK {
		return uma.TokenResponse{}, res.fault()
	}
	token, err := uma.ParseTokenResponse(res.reader())
	if err == nil && !strings.EqualFold(token.TokenType, schemeOf(o.client.Key)) {
		err = fmt.Errorf("the token is not of the type %s", schemeOf(o.client.Key))
	}
	return token, err
}

// authenticated makes a request of this client.
func (c OAuth) authenticated(ctx context.Context, endpoint string, form url.Values) (*http.Request, error) {
	if c.AuthKey != nil {
		if c.ClientSecret != "" {
			return nil, errors.New("rs: there is a ClientSecret and an AuthKey; a client authenticates in one way")
		}
		return c.AuthKey.Request(ctx, endpoint, form, c.ClientID, c.Issuer, c.Now)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// RFC 6749 2.3.1: both are form-encoded before they become Basic.
	req.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(string(c.ClientSecret)))
	return req, nil
}
