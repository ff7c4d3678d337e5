package as

import (
	"context"
	"errors"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// oauthScopes are the scopes that can be granted at the authorization endpoint
// and with client_credentials. All other scopes belong to resources and are
// granted by permission tickets alone.
var oauthScopes = []uma.Scope{
	oauth.ScopeOpenID, oauth.ScopeEmail, oauth.ScopeProfile, oauth.ScopeOfflineAccess,
	uma.ScopeProtection, oauth.ScopePolicy,
}

// NeedsSpace says whether what is asked for is access to a space, so that the
// person has to say which.
func NeedsSpace(scopes []uma.Scope) bool {
	return contains(scopes, uma.ScopeProtection) || contains(scopes, oauth.ScopePolicy)
}

// FindClient returns a registered, enabled client.
func (s *Server) FindClient(ctx context.Context, id oauth.ClientID) (oauth.Client, error) {
	c, _, err := s.findClient(ctx, id)
	return c, err
}

// findClient also says whether the client was remembered, so that the store was
// not asked.
func (s *Server) findClient(ctx context.Context, id oauth.ClientID) (c oauth.Client, remembered bool, err error) {
	tries := 0 // a second one, when there is any, is with the store
	err = s.memory.recall(ctx, func(k known) (err error) {
		tries++
		c, err = k.Client(id)
		return err
	})
	if err == nil && c.Disabled {
		err = ErrNotFound
	}
	return c, tries == 1, absent(err, uma.NewError(uma.InvalidClient, "The client is unknown."))
}

// AuthenticateClient proves that a caller is a client (RFC 6749 2.3). With a
// secret, unknown, disabled and wrong give the same answer after the same work: the
// secret is hashed and compared, and the store is asked once. (With an assertion, who
// is registered costs the verifying of a signature. That a client exists is no
// secret: the authorization endpoint has to tell it to anybody.)
func (s *Server) AuthenticateClient(ctx context.Context, cred oauth.Credentials) (oauth.Client, error) {
	c, remembered, err := s.findClient(ctx, cred.ID)
	var refusal *uma.Error
	if errors.As(err, &refusal) {
		c = oauth.Client{} // authenticating it fails, after the same work
	} else if err != nil {
		return oauth.Client{}, err
	}
	if err := oauth.Authenticate(c, cred); err != nil {
		if !remembered {
			return oauth.Client{}, err
		}
		// Nobody who is unknown is ever remembered, and to find nobody in the store is
		// faster than to find somebody. So whom one remembers costs looking for nobody.
		if _, _, asked := s.findClient(ctx, ""); !errors.As(asked, &refusal) {
			err = asked
		}
		return oauth.Client{}, err
	}
	if s.FAPI2 && !c.Keyed() {
		return oauth.Client{}, errNotAuthenticated.Because(errors.New("FAPI 2.0 takes clients with a key or a certificate"))
	}
	if c.Certified() {
		if err := oauth.VerifyCertificate(c, senderOf(ctx).Certificates, s.ClientAuthorities, s.now()); err != nil {
			return oauth.Client{}, errNotAuthenticated.Because(err)
		}
	}
	if cred.Method == oauth.AuthKey {
		if err := s.spendAssertion(ctx, c, cred.Assertion); err != nil {
			return oauth.Client{}, err
		}
	}
	return c, nil
}

var errNotAuthenticated = uma.NewError(uma.InvalidClient, "Client authentication failed.")

// spendAssertion verifies a client assertion and remembers its id, which is good
// once, on whatever node it is shown.
func (s *Server) spendAssertion(ctx context.Context, c oauth.Client, token string) error {
	a, err := s.clients.verify(ctx, c, token, s.Issuer, s.now())
	if err != nil {
		return errNotAuthenticated.Because(err)
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		return tx.InsertSpent(s.vault.digest(anAssertion, string(c.ID)+"\x00"+a.ID), a.ExpiresAt)
	})
	if errors.Is(err, ErrExists) {
		return errNotAuthenticated.Because(errors.New("the assertion was used before"))
	}
	return err
}

// CheckScopes refuses scopes that no authorization endpoint grants.
func CheckScopes(scopes []uma.Scope) error {
	if len(without(scopes, oauthScopes)) > 0 {
		return uma.NewError(uma.InvalidScope, "A scope of a protected resource is granted by a permission ticket, not here.")
	}
	return nil
}

// IssueCode gives the client an authorization code for what the person agreed
// to in a session. The space is needed when NeedsSpace says so and must be one
// that the account manages; it is ignored otherwise.
func (s *Server) IssueCode(ctx context.Context, req oauth.AuthorizationRequest, in SessionID, space SpaceID) (string, error) {
	if err := CheckScopes(req.Scopes); err != nil {
		return "", err
	}
	if !NeedsSpace(req.Scopes) {
		space = ""
	}
	secret, now := s.vault.bearer(), s.now()
	err := s.Store.Update(ctx, func(tx Tx) error {
		session, err := tx.SessionByID(in)
		if err != nil {
			return absent(err, errSignedOut)
		}
		account, err := s.signedIn(tx, session)
		if err != nil {
			return absent(err, errSignedOut)
		}
		if space != "" || NeedsSpace(req.Scopes) {
			if err := s.mayManage(tx, account.ID, space); err != nil {
				return uma.NewError(uma.AccessDenied, "The account does not manage this space.").Because(err)
			}
		}
		if err := s.spendPushed(tx, req.RequestURI); err != nil {
			return err
		}
		return tx.InsertCode(Code{
			Digest: s.vault.digest(aCode, secret), Client: req.Client, Account: account.ID, Space: space,
			RedirectURI: req.RedirectURI, Scopes: req.Scopes, Nonce: req.Nonce, CodeChallenge: req.CodeChallenge, BoundTo: req.BoundTo,
			AuthTime: session.AuthTime, Session: session.ID, Grant: GrantID(s.vault.id(now)), ExpiresAt: now.Add(s.Lifetimes.Code),
		})
	})
	return secret, err
}

var errSignedOut = uma.NewError(uma.LoginRequired, "Nobody is signed in any more.")

var errInvalidCode = uma.NewError(uma.InvalidGrant, "The authorization code is unknown, expired, used before, or does not belong to this client, redirect_uri or code_verifier.")

// ExchangeCode answers a token request with an authorization code (RFC 6749
// 4.1.3, RFC 7636). A code is spent by being presented; a second presentation
// revokes what the first one led to. redirectURI may be "", since PKCE ties the
// code to its request; one that is given has to be that of the request.
func (s *Server) ExchangeCode(ctx context.Context, c oauth.Client, secret, redirectURI, verifier string) (uma.TokenResponse, error) {
	if !c.Allows(oauth.GrantAuthorizationCode) {
		return uma.TokenResponse{}, uma.NewError(uma.UnauthorizedClient, "The client is not registered for this grant type.")
	}
	bound, err := s.bind(ctx, c)
	if err != nil {
		return uma.TokenResponse{}, err
	}
	var answer uma.TokenResponse
	err = s.settle(ctx, func(tx Tx) (refusal *uma.Error, err error) {
		digest := s.vault.digest(aCode, secret)
		code, err := tx.SpendCode(digest, s.now())
		if errors.Is(err, ErrNotFound) {
			return errInvalidCode, s.codeReplayed(tx, digest, c)
		}
		if err != nil {
			return nil, err
		}
		if code.Client != c.ID || redirectURI != "" && redirectURI != code.RedirectURI || !oauth.VerifyS256(verifier, code.CodeChallenge) ||
			code.BoundTo != "" && code.BoundTo != bound {
			return errInvalidCode, nil
		}
		answer, refusal, err = s.grantCode(tx, c, bound, code)
		return refusal, err
	})
	if err != nil {
		return uma.TokenResponse{}, err // and never what a run made that was not kept
	}
	return answer, nil
}

// codeReplayed revokes what a code led to when the code comes a second time
// (RFC 6749 4.1.2). It does so whoever presents it: the code has leaked.
func (s *Server) codeReplayed(tx Tx, digest Digest, c oauth.Client) error {
	code, err := tx.Code(digest)
	if errors.Is(err, ErrNotFound) || err == nil && code.SpentAt.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	g, err := tx.GrantState(code.Grant)
	if errors.Is(err, ErrNotFound) {
		return nil // presented badly the first time, so it led to nothing
	}
	if err != nil {
		return err
	}
	return s.familyReplayed(tx, g, EventCodeReplayed, string(c.ID))
}

func (s *Server) grantCode(tx Tx, c oauth.Client, bound oauth.Confirmation, code Code) (answer uma.TokenResponse, refusal *uma.Error, err error) {
	account, err := tx.Account(code.Account)
	if errors.Is(err, ErrNotFound) || err == nil && account.Disabled {
		return answer, errInvalidCode, nil
	}
	if err != nil {
		return answer, nil, err
	}
	signsIn := contains(code.Scopes, oauth.ScopeOpenID)
	if signsIn {
		// Who signs out before the code is exchanged is not signed in by it after.
		session, err := tx.SessionByID(code.Session)
		if err == nil {
			_, err = s.signedIn(tx, session)
		}
		if errors.Is(err, ErrNotFound) {
			return answer, errInvalidCode, nil
		}
		if err != nil {
			return answer, nil, err
		}
	}
	g := Grant{
		ID: code.Grant, Kind: GrantOAuth, Client: c.ID, Account: code.Account, Space: code.Space,
		Scopes: code.Scopes, AuthTime: code.AuthTime, AccountGeneration: account.Generation, CreatedAt: s.now(),
	}
	answer.Scope = uma.JoinScopes(g.Scopes)
	if err := s.issueOAuth(tx, &answer, issuance{client: &c, grant: g, boundTo: bound, life: s.Lifetimes.PAT, renews: c.Allows(oauth.GrantRefreshToken)}); err != nil {
		return answer, nil, err
	}
	if signsIn {
		if err := tx.InsertParticipant(code.Session, c.ID); err != nil && !errors.Is(err, ErrExists) {
			return answer, nil, err
		}
		answer.IDToken, err = s.idToken(c.ID, account, g, code)
	}
	return answer, nil, err
}

// issueOAuth issues the tokens of an OAuth grant; a grant in a space is made under
// that space's generation and told in its history.
func (s *Server) issueOAuth(tx Tx, answer *uma.TokenResponse, i issuance) error {
	g := &i.grant
	if g.Space != "" {
		space, err := tx.Space(g.Space)
		if err != nil {
			return err
		}
		g.SpaceGeneration = space.Generation
	}
	if err := s.issue(tx, answer, i, tx.Issue); err != nil {
		return err
	}
	if g.Space == "" || !contains(g.Scopes, uma.ScopeProtection) {
		return nil
	}
	return s.record(tx, g.Space, EventPATIssued, string(g.Client), string(g.ID), nil)
}

// ClientCredentials answers a token request in which a client acts for itself
// (RFC 6749 4.4). Access to a space is only for the client of an organisation,
// and only to that organisation's. Without scopes the client gets all it is
// registered for and may have in this way.
func (s *Server) ClientCredentials(ctx context.Context, c oauth.Client, scopes []uma.Scope) (uma.TokenResponse, error) {
	if c.Public() || !c.Allows(oauth.GrantClientCredentials) {
		return uma.TokenResponse{}, uma.NewError(uma.UnauthorizedClient, "The client is not registered for this grant type.")
	}
	var possible []uma.Scope
	if c.Space != "" {
		possible = intersect([]uma.Scope{uma.ScopeProtection, oauth.ScopePolicy}, c.Scopes)
	}
	if scopes == nil {
		scopes = possible
	}
	if len(scopes) == 0 || len(without(scopes, possible)) > 0 {
		return uma.TokenResponse{}, uma.NewError(uma.InvalidScope, "The client may not have this scope with client_credentials.")
	}
	g := Grant{ID: GrantID(s.vault.id(s.now())), Kind: GrantOAuth, Client: c.ID, Space: SpaceID(c.Space), Scopes: scopes, CreatedAt: s.now()}
	bound, err := s.bind(ctx, c)
	if err != nil {
		return uma.TokenResponse{}, err
	}
	answer := uma.TokenResponse{Scope: uma.JoinScopes(scopes)}
	err = s.Store.Update(ctx, func(tx Tx) error {
		// No refresh token: the credentials are as good (RFC 6749 4.4.3).
		return s.issueOAuth(tx, &answer, issuance{client: &c, grant: g, boundTo: bound, life: s.Lifetimes.PAT})
	})
	if err != nil {
		return uma.TokenResponse{}, absent(err, uma.NewError(uma.UnauthorizedClient, "The client's space does not exist."))
	}
	return answer, nil
}

// UserInfo returns the account behind an access token with the scope openid,
// and the token's scopes (OpenID Connect Core 5.3).
func (s *Server) UserInfo(ctx context.Context, token string) (Account, []uma.Scope, error) {
	var account Account
	var scopes []uma.Scope
	var bound oauth.Confirmation
	err := s.Store.View(ctx, func(r Reader) error {
		b, err := s.accepted(r, token, oauth.ScopeOpenID)
		if err != nil {
			return err
		}
		bound, scopes = b.token.BoundTo, b.grant.Scopes
		account, err = r.Account(b.grant.Account)
		return absent(err, errInvalidToken)
	})
	if err == nil {
		err = s.confirm(ctx, token, bound)
	}
	if err != nil {
		return Account{}, nil, err
	}
	return account, scopes, nil
}
