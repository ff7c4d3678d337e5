package client

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/uma"
)

// interactionLife is how long a requesting party may take to come back.
const interactionLife = 30 * time.Minute

// Interaction is a requesting party on its way to the claims interaction
// endpoint and back.
type Interaction struct {
	Process
	State   string
	Expires time.Time
}

// Interactions keeps who is on the way. Servers with several nodes share one.
// It is used by many goroutines.
type Interactions interface {
	Put(ctx context.Context, key string, i Interaction) error
	// Take returns an interaction and removes it, in one step: a state is
	// good once.
	Take(ctx context.Context, key string) (Interaction, bool, error)
}

// Begin answers a NeedInfoError of a person's request: it returns the URL to
// which to send that person's browser (Grant 3.3.2). session is the client's
// own secret name of the browser session, from its cookie; only from there is
// the callback accepted (Grant 5.1).
func (t *Transport) Begin(ctx context.Context, need *NeedInfoError, session string) (string, error) {
	switch {
	case session == "":
		return "", errors.New("client: Begin needs the browser session that the callback will come from")
	case userOf(ctx) == "":
		return "", errors.New("client: Begin needs WithUser, or one person's RPT would serve another")
	case need.At.User != userOf(ctx):
		return "", ErrUser
	}
	return t.begin(ctx, need, session)
}

func (t *Transport) begin(ctx context.Context, need *NeedInfoError, session string) (string, error) {
	meta, err := t.servers.metadata(ctx, need.Issuer)
	if err != nil {
		return "", err
	}
	endpoint := need.RedirectUser // for this process; takes precedence (Grant 2)
	if endpoint == "" {
		endpoint = meta.ClaimsInteractionEndpoint
	}
	if endpoint == "" {
		return "", need // nobody can go anywhere
	}
	state, err := t.random()
	if err != nil {
		return "", err
	}
	i := Interaction{Process: need.Process, State: state, Expires: t.c.Now().Add(interactionLife)}
	challenge := ""
	if slices.Contains(meta.UMAProfilesSupported, uma.ProfileTicketBinding) {
		verifier, err := t.random()
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256([]byte(verifier))
		i.Verifier, challenge = Secret(verifier), base64.RawURLEncoding.EncodeToString(sum[:])
	}
	address, err := t.interactionURL(endpoint, need.Ticket, state, challenge)
	if err != nil {
		return "", err
	}
	return address, t.c.Interactions.Put(ctx, interactionKey(session, state), i)
}

// interactionURL adds the parameters to the endpoint, which keeps its own query.
// With a challenge, the ticket that comes back through the browser is of use to
// nobody else (uma.ProfileTicketBinding).
func (t *Transport) interactionURL(endpoint string, ticket uma.Ticket, state, challenge string) (string, error) {
	if err := secure(endpoint); err != nil {
		return "", fmt.Errorf("client: the claims interaction endpoint: %w", err)
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", err
	}
	own, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", fmt.Errorf("client: the claims interaction endpoint: %w", err)
	}
	query := u.RawQuery
	parameters := [][2]string{
		{"client_id", t.c.ClientID}, {"ticket", string(ticket)}, {"claims_redirect_uri", t.c.ClaimsRedirectURI}, {"state", state},
	}
	if challenge != "" {
		parameters = append(parameters, [2]string{"code_challenge", challenge}, [2]string{"code_challenge_method", "S256"})
	}
	for _, p := range parameters {
		if own.Has(p[0]) {
			return "", fmt.Errorf("client: the claims interaction endpoint already says what %s is", p[0])
		}
		if p[1] != "" {
			query += "&" + p[0] + "=" + url.QueryEscape(p[1])
		}
	}
	u.RawQuery = strings.TrimPrefix(query, "&")
	return u.String(), nil
}

// Callback takes the parameters with which a person came back to the
// ClaimsRedirectURI in this browser session, and goes on with the process. When
// it returns nil, the request that began the process goes through; it returns
// the errors of RoundTrip, so that another NeedInfoError may lead on.
func (t *Transport) Callback(ctx context.Context, session string, values url.Values) error {
	p, err := t.finish(ctx, session, values)
	if err != nil {
		return err
	}
	return t.advance(ctx, p, t.c.Scopes)
}

// finish checks a callback and returns its process with the new ticket. What
// it does not know among the parameters it ignores (Grant 3.3.3).
func (t *Transport) finish(ctx context.Context, session string, values url.Values) (Process, error) {
	for _, name := range []string{"state", "ticket", "iss", "error"} {
		if len(values[name]) > 1 {
			return Process{}, fmt.Errorf("client: the callback has more than one %s", name)
		}
	}
	i, err := t.takeInteraction(ctx, session, values.Get("state"))
	if err != nil {
		return Process{}, err
	}
	meta, err := t.servers.metadata(ctx, i.Issuer)
	if err != nil {
		return Process{}, err
	}
	// Whoever sends the person back with another's answer mixes two servers up
	// (RFC 9207 2.4).
	if iss, there := values.Get("iss"), values.Has("iss"); there && iss != i.Issuer || !there && meta.AuthorizationResponseIssParameterSupported {
		return Process{}, ErrIssuer
	}
	if code := values.Get("error"); code != "" {
		return Process{}, &ASError{Issuer: i.Issuer, Code: uma.Code(code), Description: values.Get("error_description")}
	}
	next := uma.Ticket(values.Get("ticket"))
	switch next {
	case "":
		return Process{}, errors.New("client: the callback has no ticket")
	case i.Ticket:
		return Process{}, ErrTicketRepeated
	}
	i.Ticket = next
	return i.Process, nil
}

func (t *Transport) takeInteraction(ctx context.Context, session, state string) (Interaction, error) {
	if session == "" || state == "" {
		return Interaction{}, ErrState
	}
	i, ok, err := t.c.Interactions.Take(ctx, interactionKey(session, state))
	if err != nil {
		return Interaction{}, err
	}
	if !ok || subtle.ConstantTimeCompare([]byte(i.State), []byte(state)) != 1 || !t.c.Now().Before(i.Expires) {
		return Interaction{}, ErrState
	}
	if i.At.User != userOf(ctx) {
		return Interaction{}, ErrUser
	}
	return i, nil
}

// interactionKey is a hash, so that finding an interaction takes as long for a
// wrong state as for a right one, and a state of one session finds nothing in
// another.
func interactionKey(session, state string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", len(session), session, state))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// gather has the program itself bring the requesting party there and back.
func (d *dance) gather(ctx context.Context, need *NeedInfoError) (Process, error) {
	session, err := d.random()
	if err != nil {
		return Process{}, err
	}
	address, err := d.begin(ctx, need, session)
	if err != nil {
		return Process{}, err
	}
	values, err := d.c.Redirect(ctx, Redirect{Issuer: d.Issuer, URL: address})
	if err != nil {
		return Process{}, err
	}
	return d.finish(ctx, session, values)
}

// random returns 256 bits for a URL.
func (t *Transport) random() (string, error) {
	var bits [32]byte
	if _, err := io.ReadFull(t.c.Rand, bits[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(bits[:]), nil
}

// memoryInteractions keeps who is on the way in one process.
type memoryInteractions struct {
	mu   sync.Mutex
	kept map[string]Interaction
}

func (m *memoryInteractions) Put(_ context.Context, key string, i Interaction) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = put(m.kept, key, i, maxPlaces)
	return nil
}

func (m *memoryInteractions) Take(_ context.Context, key string) (Interaction, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.kept[key]
	delete(m.kept, key)
	return i, ok, nil
}
