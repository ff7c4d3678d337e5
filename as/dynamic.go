package as

import (
	"context"
	"errors"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// Dynamic client registration (RFC 7591) and its management (RFC 7592). A client
// says what it is; what it may do is for the operator to say, by the configuration
// and by the initial access token. One validator judges it whenever it changes,
// [oauth.Client.Validate], and one gate what it may have, judgeRegistration.

// Registration says who may register clients over the network, and as what. The zero
// value is nobody.
type Registration struct {
	Mode RegistrationMode
	// Scopes are what every client may register for.
	Scopes []uma.Scope
	// StatementIssuers are the issuers whose software statements are believed.
	StatementIssuers []ClaimIssuer
}

// RegistrationMode is who may register a client.
type RegistrationMode string

const (
	RegistrationOff   RegistrationMode = ""      // nobody
	RegistrationToken RegistrationMode = "token" // who has an initial access token
	RegistrationOpen  RegistrationMode = "open"  // everybody
)

// Registered is a client that registered itself. Secret is set when it was just
// made.
type Registered struct {
	Client oauth.Client
	Secret string
	record RegistrationRecord
}

// IssuedAt is when the client was registered.
func (r Registered) IssuedAt() time.Time { return r.record.CreatedAt }

// Statement is the software statement that the client is registered with, as it
// came; "" for none.
func (r Registered) Statement() string { return r.record.Statement }

// RegistrationRecord is how a client that registered itself is managed.
type RegistrationRecord struct {
	Digest    Digest // of the registration access token
	Client    oauth.ClientID
	Scopes    []uma.Scope // what it may register for beside Registration.Scopes
	Statement string
	CreatedAt time.Time
}

var (
	errScopeWithheld = uma.NewError(oauth.InvalidClientMetadata, "A scope is not among those that clients may register for here.")
	errUntied        = uma.NewError(oauth.InvalidClientMetadata, "The client_credentials grant is for clients that the operator ties to a space.")
	errNotOffered    = uma.NewError(oauth.InvalidClientMetadata, "The token_endpoint_auth_method is not offered here.")
	errOtherID       = uma.NewError(uma.InvalidRequest, "The client_id is not that of the client.")
	errOtherSecret   = uma.NewError(uma.InvalidRequest, "The client_secret is not that of the client.")
	errServersOwn    = uma.NewError(uma.InvalidRequest, "A member is the server's own to say.")
)

// Metadata is what a client says of itself.
type Metadata struct {
	Said    uma.Object
	Offered []string // the ways to authenticate of the listeners that there are
}

// judgeRegistration is the judgement of creating and updating: whether the client is
// one at all, and whether the operator gives to it, or to every client, what it
// wants. With FAPI2 no other ways to authenticate are offered than that knows.
func (s *Server) judgeRegistration(c oauth.Client, offered []string, more []uma.Scope) error {
	if err := c.Validate(); err != nil {
		return err
	}
	switch {
	case len(without(c.Scopes, union(s.Registration.Scopes, more))) > 0:
		return errScopeWithheld
	case c.Allows(oauth.GrantClientCredentials) && c.Space == "":
		return errUntied
	case !contains(offered, string(c.AuthMethod)):
		return errNotOffered
	}
	return nil
}

// RegisterItself registers a client by what it says of itself (RFC 7591 3.1), with
// the initial access token that it showed; the zero value where anybody may. The
// registration access token is returned this once. A refusal leaves the initial
// access token as it was.
func (s *Server) RegisterItself(ctx context.Context, with InitialAccess, m Metadata) (r Registered, token string, err error) {
	if with.ID == "" && s.Registration.Mode != RegistrationOpen {
		return Registered{}, "", errInvalidToken
	}
	now := s.now()
	c, statement, err := s.readMetadata(ctx, m.Said)
	if err != nil {
		return Registered{}, "", err
	}
	c.ID = oauth.ClientID(s.vault.id(now))
	with.privileges(&c)
	if c.Secret() {
		if r.Secret, c.SecretHash, err = oauth.NewSecret(s.Rand); err != nil {
			return Registered{}, "", err
		}
	}
	if err := s.judgeRegistration(c, m.Offered, with.Scopes); err != nil {
		return Registered{}, "", err
	}
	token = s.vault.bearer()
	r.Client = c
	r.record = RegistrationRecord{
		Digest: s.vault.digest(aRegistration, token), Client: c.ID, Scopes: with.Scopes, Statement: statement, CreatedAt: now,
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		if err := s.spendInitial(tx, with); err != nil {
			return err
		}
		if err := tx.InsertClient(c); err != nil {
			return err
		}
		if err := tx.InsertRegistration(r.record); err != nil {
			return err
		}
		return s.record(tx, "", EventClientRegistered, string(c.ID), string(c.ID), nil)
	})
	if err != nil {
		return Registered{}, "", err
	}
	return r, token, nil
}

// AuthenticateRegistered finds the client that a registration access token is of,
// which has to be the client named (RFC 7592 2). Whether the token is wrong, or of
// another client, or the client is not there, the error is the same invalid_token.
func (s *Server) AuthenticateRegistered(ctx context.Context, id oauth.ClientID, token string) (Registered, error) {
	var r Registered
	err := s.Store.View(ctx, func(read Reader) (err error) {
		r, err = registeredAs(read, id, s.vault.digest(aRegistration, token))
		return err
	})
	return r, absent(err, errInvalidToken)
}

func registeredAs(r Reader, id oauth.ClientID, d Digest) (Registered, error) {
	record, err := r.RegistrationRecord(d)
	if err != nil {
		return Registered{}, err
	}
	if record.Client != id {
		return Registered{}, ErrNotFound
	}
	c, err := r.Client(record.Client)
	if err == nil && c.Disabled {
		err = ErrNotFound
	}
	return Registered{Client: c, record: record}, err
}

// serversOwn are the members that an update must not have (RFC 7592 2.2).
var serversOwn = []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"}

// UpdateRegistered replaces what a client says of itself, all of it (RFC 7592 2.2).
// What the operator has given or taken stays; so does the secret, unless the client
// comes to have one, or has none any more.
func (s *Server) UpdateRegistered(ctx context.Context, r Registered, m Metadata) (Registered, error) {
	if err := checkUpdate(r.Client, m.Said); err != nil {
		return Registered{}, err
	}
	c, statement, err := s.readMetadata(ctx, m.Said)
	if err != nil {
		return Registered{}, err
	}
	if statement == "" && r.record.Statement != "" {
		// Otherwise a client would get rid of what was said of it.
		return Registered{}, uma.NewError(oauth.InvalidSoftwareStatement, "The client is registered with a software statement, and has to bring one.")
	}
	secret, hash, err := oauth.NewSecret(s.Rand)
	if err != nil {
		return Registered{}, err
	}
	var out Registered
	err = s.Store.Update(ctx, func(tx Tx) error {
		now, err := registeredAs(tx, r.Client.ID, r.record.Digest)
		if err != nil {
			return err
		}
		out = now
		out.Client = c
		out.Client.ID, out.Client.PushClaims, out.Client.Space, out.Client.SignedRPTs = now.Client.ID, now.Client.PushClaims, now.Client.Space, now.Client.SignedRPTs
		switch {
		case c.Secret() && now.Client.Secret():
			out.Client.SecretHash = now.Client.SecretHash
		case c.Secret():
			out.Client.SecretHash, out.Secret = hash, secret
		}
		if err := s.judgeRegistration(out.Client, m.Offered, now.record.Scopes); err != nil {
			return err
		}
		if err := tx.UpdateClient(out.Client); err != nil {
			return err
		}
		if out.record.Statement = statement; statement != now.record.Statement {
			if err := tx.UpdateRegistration(out.record); err != nil {
				return err
			}
		}
		return s.record(tx, "", EventClientUpdated, string(out.Client.ID), string(out.Client.ID), nil)
	})
	if err != nil {
		return Registered{}, absent(err, errInvalidToken)
	}
	return out, nil
}

// checkUpdate checks what an update says about what is the server's.
func checkUpdate(c oauth.Client, metadata uma.Object) error {
	for _, name := range serversOwn {
		if _, found := metadata[name]; found {
			return errServersOwn
		}
	}
	if id, _, err := metadata.String("client_id"); err != nil || oauth.ClientID(id) != c.ID {
		return errOtherID
	}
	if secret, found, err := metadata.String("client_secret"); err != nil || found && !c.CheckSecret(secret) {
		return errOtherSecret
	}
	return nil
}

// DeleteRegistered deletes a client that registered itself (RFC 7592 2.3). Nothing
// that it was given is good from then on: tokens, codes, PCTs, PATs. What it
// registered as a resource server is deregistered, and the owners' shares on it are
// dormant; the history of every space that it was in tells of it.
func (s *Server) DeleteRegistered(ctx context.Context, r Registered) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		if _, err := registeredAs(tx, r.Client.ID, r.record.Digest); err != nil {
			return err
		}
		return s.deleteClient(tx, r.Client.ID)
	})
	return absent(err, errInvalidToken)
}

func (s *Server) deleteClient(tx Tx, id oauth.ClientID) error {
	c, err := tx.Client(id)
	if err != nil {
		return err
	}
	spaces, err := tx.SpacesWith(id)
	if err != nil {
		return err
	}
	now, named := s.now(), detail{"client_name": c.Name}
	for _, space := range spaces {
		seq, err := s.recorded(tx, space, EventClientDeleted, string(id), string(id), named)
		if err != nil {
			return err
		}
		if err := keepResources(tx, space, id, Ending{At: now, How: EndGone, By: string(id), Event: seq}); err != nil {
			return err
		}
	}
	if err := s.record(tx, "", EventClientDeleted, string(id), string(id), named); err != nil {
		return err
	}
	return tx.DeleteClient(id, now)
}

// keepPage is how many resources are kept at a time.
const keepPage = 200

// keepResources keeps what a resource server has registered in a space, and the
// shares on it, as they are when they end.
func keepResources(tx Tx, space SpaceID, server oauth.ClientID, end Ending) error {
	for page := (Page{Limit: keepPage}); ; {
		ids, err := tx.ResourceIDs(space, server, page)
		if err != nil || len(ids) == 0 {
			return err
		}
		shares, err := tx.SharesInForce(space, ids)
		if err != nil {
			return err
		}
		if err := tx.KeepShares(space, idsOf(shares), end); err != nil {
			return err
		}
		for _, id := range ids {
			if err := tx.KeepResource(space, id, end.At); err != nil {
				return err
			}
		}
		page.After = string(ids[len(ids)-1])
	}
}

// readMetadata reads what a client says of itself, and over it what its software
// statement says (RFC 7591 2.3). It may use the network, for the keys of an issuer
// that the operator has named.
func (s *Server) readMetadata(ctx context.Context, metadata uma.Object) (c oauth.Client, statement string, err error) {
	statement, _, err = metadata.String("software_statement")
	if err != nil {
		return oauth.Client{}, "", uma.NewError(oauth.InvalidSoftwareStatement, "The software_statement is no text.").Because(err)
	}
	if statement != "" {
		said, err := s.verifyStatement(ctx, statement)
		if err != nil {
			return oauth.Client{}, "", err
		}
		both := uma.Object{}
		for _, from := range []uma.Object{metadata, said} {
			for name, value := range from {
				both[name] = value
			}
		}
		metadata = both
	}
	c, err = oauth.ParseClientMetadata(metadata)
	return c, statement, err
}

// verifyStatement verifies a software statement. One whose issuer nobody here has
// heard of is not approved; any other fault is that of the statement.
func (s *Server) verifyStatement(ctx context.Context, token string) (uma.Object, error) {
	invalid := uma.NewError(oauth.InvalidSoftwareStatement, "The software statement is malformed, has expired, or is not its issuer's.")
	issuer := issuerOf(token)
	if issuer == "" {
		return nil, invalid
	}
	from := s.statements[issuer]
	if from == nil {
		return nil, uma.NewError(oauth.UnapprovedSoftwareStatement, "The issuer of the software statement is not one of those that are believed here.")
	}
	now := s.now()
	keys, err := from.current(ctx, now, false)
	if err != nil {
		return nil, invalid.Because(err)
	}
	said, err := oauth.VerifySoftwareStatement(token, keys, issuer, s.Issuer, now)
	if errors.Is(err, oauth.ErrUnknownKey) {
		if keys, err = from.current(ctx, now, true); err == nil {
			said, err = oauth.VerifySoftwareStatement(token, keys, issuer, s.Issuer, now)
		}
	}
	if err != nil {
		return nil, invalid.Because(err)
	}
	return said, nil
}
