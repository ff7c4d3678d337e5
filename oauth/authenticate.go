package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/licet/licet/uma"
)

// NewSecret makes a client secret of 256 random bits, and the hash under which
// it is kept. The secret is as strong as a key, so a plain SHA-256 is enough:
// slow hashes are for what people choose.
func NewSecret(rand io.Reader) (secret string, hash []byte, err error) {
	var raw [32]byte
	if _, err := io.ReadFull(rand, raw[:]); err != nil {
		return "", nil, fmt.Errorf("oauth: making a client secret: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(raw[:])
	sum := sha256.Sum256([]byte(secret))
	return secret, sum[:], nil
}

// CheckSecret reports whether secret is the client's, in a time that depends on
// the secret that was given and on nothing else. A client without a hash has no
// right secret.
func (c Client) CheckSecret(secret string) bool {
	got := sha256.Sum256([]byte(secret))
	var want [sha256.Size]byte
	known := subtle.ConstantTimeEq(int32(len(c.SecretHash)), sha256.Size)
	copy(want[:], c.SecretHash)
	return subtle.ConstantTimeCompare(got[:], want[:])&known == 1
}

// Credentials are what a request says about which client sent it. They print
// without the secret.
type Credentials struct {
	ID        ClientID
	Secret    string `json:"-"`
	Assertion string `json:"-"` // for AuthKey
	Method    AuthMethod
}

// Format keeps the secret out of logs, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "%s by %s with secret %s", c.ID, c.Method, uma.Fingerprint(c.Secret))
}

var (
	errNotAuthenticated = uma.NewError(uma.InvalidClient, "Client authentication failed.")
	errTwoMethods       = uma.NewError(uma.InvalidRequest, "The client authenticated in more than one way.")
)

// ParseCredentials reads a client's credentials from the values of the
// Authorization header and from the parameters of the body (RFC 6749 2.3.1).
// The error is a [*uma.Error]: invalid_request when the client identified
// itself in two ways, invalid_client when it did not, or in a way that is not
// understood.
//
// With an error the Credentials are of no use but for their Method: AuthBasic
// means that there was an Authorization header, so that the answer to
// invalid_client has to carry a WWW-Authenticate header (RFC 6749 5.2).
func ParseCredentials(authorizationHeader []string, form uma.Form) (Credentials, error) {
	id, hasID := parameter(form, "client_id")
	secret, hasSecret := parameter(form, "client_secret")
	if len(authorizationHeader) > 0 {
		if _, found := parameter(form, "client_assertion"); found {
			return Credentials{Method: AuthBasic}, errTwoMethods
		}
		return parseHeader(authorizationHeader, id, hasID, hasSecret)
	}
	cred := Credentials{ID: ClientID(id), Secret: secret, Method: AuthNone}
	if hasSecret {
		cred.Method = AuthPost
	}
	assertion, hasAssertion := parameter(form, "client_assertion")
	kind, hasKind := parameter(form, "client_assertion_type")
	if hasAssertion || hasKind {
		return parseAssertion(assertion, kind, id, hasID, hasSecret)
	}
	if !hasID {
		return Credentials{Method: cred.Method}, errNotAuthenticated.Because(errors.New("no client_id"))
	}
	return cred, nil
}

// parseAssertion reads the credentials of private_key_jwt. The client_id may be
// left out, and else has to be the assertion's (RFC 7521 4.2).
func parseAssertion(assertion, kind, bodyID string, hasID, hasSecret bool) (Credentials, error) {
	failed := Credentials{Method: AuthKey}
	if hasSecret {
		return failed, errTwoMethods
	}
	if kind != AssertionType {
		return failed, errNotAuthenticated.Because(errors.New("the client_assertion_type is not known"))
	}
	id, err := assertedClient(assertion)
	if err != nil {
		return failed, errNotAuthenticated.Because(err)
	}
	if hasID && ClientID(bodyID) != id {
		return failed, uma.NewError(uma.InvalidRequest, "The client_id is not that of the client assertion.")
	}
	return Credentials{ID: id, Assertion: assertion, Method: AuthKey}, nil
}

func parseHeader(header []string, bodyID string, hasID, hasSecret bool) (Credentials, error) {
	failed := Credentials{Method: AuthBasic}
	if len(header) > 1 {
		return failed, errNotAuthenticated.Because(errors.New("several Authorization headers"))
	}
	cred, err := parseBasic(header[0])
	switch {
	case err != nil:
		return failed, errNotAuthenticated.Because(err)
	case hasSecret:
		return failed, errTwoMethods
	case hasID && ClientID(bodyID) != cred.ID:
		return failed, uma.NewError(uma.InvalidRequest, "The client_id is not that of the Authorization header.")
	}
	return cred, nil
}

// parseBasic reads a Basic header whose user and password are form-encoded
// each, as RFC 6749 2.3.1 asks and RFC 7617 does not.
func parseBasic(header string) (Credentials, error) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return Credentials{}, errors.New("the Authorization scheme is not Basic")
	}
	pair, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return Credentials{}, errors.New("the Basic credentials are not base64")
	}
	user, password, found := strings.Cut(string(pair), ":")
	if !found {
		return Credentials{}, errors.New("the Basic credentials have no colon")
	}
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	if errID != nil || errSecret != nil || id == "" {
		return Credentials{}, errors.New("the Basic credentials are not form-encoded")
	}
	return Credentials{ID: ClientID(id), Secret: secret, Method: AuthBasic}, nil
}

// Authenticate proves that the credentials are the client's. The error is
// always the same invalid_client; its cause, for the log, says why.
//
// For an unknown client it is called with the zero [Client]: that always fails,
// and does the same work, so that neither the answer nor its time tells who is
// registered. A client that is registered for one of the two ways to send a
// secret may use the other: RFC 6749 2.3.1 makes every server take Basic, and
// half of the libraries send the other.
func Authenticate(c Client, cred Credentials) error {
	right := c.CheckSecret(cred.Secret) // before every judgement: the time is the same
	if err := admissible(c, cred, right); err != nil {
		return errNotAuthenticated.Because(err)
	}
	return nil
}

func admissible(c Client, cred Credentials, right bool) error {
	switch {
	case c.ID == "":
		return errors.New("the client is unknown")
	case c.ID != cred.ID:
		return errors.New("the credentials name another client")
	case c.Disabled:
		return errors.New("the client is disabled")
	}
	switch cred.Method {
	case AuthBasic, AuthPost:
		if c.AuthMethod != AuthBasic && c.AuthMethod != AuthPost {
			return errors.New("the client is not registered with a secret")
		}
		if !right {
			return errors.New("the secret is wrong")
		}
		return nil
	case AuthKey:
		if c.AuthMethod != AuthKey {
			return errors.New("the client is not registered with a key")
		}
		return nil // what the assertion says is verified by VerifyAssertion
	case AuthNone:
		if c.Certified() {
			return nil // the certificate of the connection is verified by VerifyCertificate
		}
		if !c.Public() {
			return errors.New("the client must authenticate")
		}
		return nil
	}
	return fmt.Errorf("the authentication method %q is not known", cred.Method)
}

// parameter returns a parameter of a request. One that was sent without a value
// is the same as one that was not sent (RFC 6749 3.1, 3.2).
func parameter(form uma.Form, name string) (string, bool) {
	value := form[name]
	return value, value != ""
}
