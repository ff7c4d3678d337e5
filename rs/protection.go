package rs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/licet/licet/uma"
)

// protection speaks to the protection API with the owner's PAT (FedAuthz 1.3).
type protection struct {
	http *http.Client
	as   discovery
	pats PATSource

	scheme string // under which PATs are shown: Bearer or DPoP
}

// answer is a response that was read to its end.
type answer struct {
	status int
	body   []byte
}

func (a *answer) reader() io.Reader { return bytes.NewReader(a.body) }

// fault is what an answer that is no success says.
func (a *answer) fault() error {
	if res, err := uma.ParseErrorResponse(a.reader()); err == nil {
		return fmt.Errorf("the authorization server answered %d: %w", a.status, uma.NewError(res.Error, res.ErrorDescription))
	}
	return fmt.Errorf("the authorization server answered %d", a.status)
}

// The most bytes that are read of an answer: one more than the parsers take, so
// that they see what is too long. Only the list of an owner's resources may be
// longer.
const (
	maxAnswer    = uma.MaxJSON + 1
	maxList      = 64 << 20
	maxResources = 1_000_000
)

func send(c *http.Client, req *http.Request, limit int64) (*answer, error) {
	req.Header.Set("Accept", "application/json")
	res, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit))
	if err != nil {
		return nil, err
	}
	return &answer{res.StatusCode, body}, nil
}

// question is one request to the protection API.
type question struct {
	method, address string
	kind            string // content type of the body
	body            []byte
	limit           int64 // of the answer
}

// call asks with the owner's PAT. When the PAT is refused, it is renewed and the
// question asked once more.
func (p *protection) call(ctx context.Context, owner Owner, q question) (*answer, error) {
	var refused uma.PAT
	for {
		pat, err := p.pats.PAT(ctx, owner, refused)
		if err != nil {
			return nil, err
		}
		if pat == "" || pat == refused {
			return nil, fmt.Errorf("rs: there is no good PAT for the owner %q", owner)
		}
		req, err := http.NewRequestWithContext(ctx, q.method, q.address, bytes.NewReader(q.body))
		if err != nil {
			return nil, err
		}
		if q.kind != "" {
			req.Header.Set("Content-Type", q.kind)
		}
		req.Header.Set("Authorization", p.scheme+" "+string(pat))
		res, err := send(p.http, req, q.limit)
		if err != nil || res.status != http.StatusUnauthorized || refused != "" {
			return res, err
		}
		refused = pat
	}
}

// ticket asks for a permission ticket (FedAuthz 4.1). One permission goes as
// an object, which every server understands.
func (p *protection) ticket(ctx context.Context, owner Owner, wanted []uma.Permission) (uma.Ticket, error) {
	meta, err := p.as.metadata(ctx)
	if err != nil {
		return "", err
	}
	var body any = wanted
	if len(wanted) == 1 {
		body = wanted[0]
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return "", err
	}
	res, err := p.call(ctx, owner, question{http.MethodPost, meta.PermissionEndpoint, "application/json", raw, maxAnswer})
	if err != nil {
		return "", fmt.Errorf("permission request: %w", err)
	}
	if res.status != http.StatusCreated && res.status != http.StatusOK {
		return "", fmt.Errorf("permission request: %w", res.fault())
	}
	t, err := uma.ParseTicketResponse(res.reader())
	if err != nil {
		return "", fmt.Errorf("permission request: %w", err)
	}
	return t.Ticket, nil
}

// introspect asks what an RPT permits (FedAuthz 5.1).
func (p *protection) introspect(ctx context.Context, owner Owner, token uma.RPT) (uma.Introspection, error) {
	meta, err := p.as.metadata(ctx)
	if err != nil {
		return uma.Introspection{}, err
	}
	form := url.Values{"token": {string(token)}, "token_type_hint": {"access_token"}}
	res, err := p.call(ctx, owner, question{
		http.MethodPost, meta.IntrospectionEndpoint, "application/x-www-form-urlencoded", []byte(form.Encode()), maxAnswer,
	})
	if err == nil && res.status != http.StatusOK {
		err = res.fault()
	}
	if err != nil {
		return uma.Introspection{}, fmt.Errorf("introspection: %w", err)
	}
	in, err := uma.ParseIntrospection(res.reader())
	if err != nil {
		return uma.Introspection{}, fmt.Errorf("introspection: %w", err)
	}
	// Somebody else's token, or one whose use takes a proof that nobody knows
	// here, is as good as none.
	kind := "Bearer"
	if in.Bound != nil && in.Bound.Key != "" {
		kind = "DPoP"
	}
	if in.Issuer != "" && in.Issuer != p.as.issuer || in.TokenType != "" && !strings.EqualFold(in.TokenType, kind) {
		return uma.Introspection{}, nil
	}
	return in, nil
}

var errNoResource = errors.New("the authorization server does not know the resource")

// resource does one operation of the registration API (FedAuthz 3.2). An empty
// id means the collection.
func (p *protection) resource(ctx context.Context, owner Owner, method string, id uma.ResourceID, description []byte) (*answer, error) {
	meta, err := p.as.metadata(ctx)
	if err != nil {
		return nil, err
	}
	q := question{method: method, address: meta.ResourceRegistrationEndpoint, body: description, limit: maxList}
	if id != "" {
		base, err := url.Parse(q.address)
		if err != nil {
			return nil, err
		}
		q.address, q.limit = base.JoinPath(url.PathEscape(string(id))).String(), maxAnswer
	}
	if description != nil {
		q.kind = "application/json"
	}
	res, err := p.call(ctx, owner, q)
	switch {
	case err != nil:
	case res.status == http.StatusNotFound && id != "":
		err = errNoResource
	case res.status < 200 || res.status > 299:
		err = res.fault()
	}
	if err != nil {
		return nil, fmt.Errorf("resource registration: %w", err)
	}
	return res, nil
}
