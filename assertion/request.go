package assertion

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// assertionType is the client_assertion_type (RFC 7523 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Request makes a request that posts a form to an endpoint of an authorization
// server, authenticated as the client. Where it has to be sent again, its GetBody
// makes a new assertion, as the one that was sent may be spent.
func (k *Key) Request(ctx context.Context, endpoint string, form url.Values, clientID, issuer string, now func() time.Time) (*http.Request, error) {
	body := func() (string, error) {
		proof, err := k.Assertion(clientID, issuer, now())
		if err != nil {
			return "", err
		}
		with := maps.Clone(form)
		with.Set("client_assertion_type", assertionType)
		with.Set("client_assertion", proof)
		return with.Encode(), nil
	}
	first, err := body()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(first))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.GetBody = func() (io.ReadCloser, error) {
		next, err := body()
		if err != nil {
			return nil, err
		}
		if len(next) != len(first) { // the length has been announced
			return nil, fmt.Errorf("assertion: of %d bytes, after one of %d", len(next), len(first))
		}
		return io.NopCloser(strings.NewReader(next)), nil
	}
	return req, nil
}
