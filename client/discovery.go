package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/licet/licet/uma"
)

// How long a discovery document is believed, how many are kept, and how long
// one answer of an authorization server may take.
const (
	metadataLife = time.Hour
	maxServers   = 64
	patience     = 30 * time.Second
)

// directory fetches and keeps discovery documents (Grant 2).
type directory struct {
	base  http.RoundTripper
	trust func(issuer string) bool
	now   func() time.Time

	mu   sync.Mutex
	kept map[string]keptServer
}

type keptServer struct {
	meta  uma.Metadata
	until time.Time
}

// metadata returns the document of a trusted issuer.
func (d *directory) metadata(ctx context.Context, issuer string) (uma.Metadata, error) {
	if err := secure(issuer); err != nil {
		return uma.Metadata{}, fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	if !d.trust(issuer) {
		return uma.Metadata{}, fmt.Errorf("%w: %q", ErrUntrusted, issuer)
	}
	d.mu.Lock()
	server, ok := d.kept[issuer]
	d.mu.Unlock()
	if ok && d.now().Before(server.until) {
		return server.meta, nil
	}
	meta, err := d.fetch(ctx, issuer)
	if err != nil {
		return uma.Metadata{}, fmt.Errorf("client: discovery of %q: %w", issuer, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept = put(d.kept, issuer, keptServer{meta, d.now().Add(metadataLife)}, maxServers)
	return meta, nil
}

// fetch tries both places of the document: behind the issuer, as the text of
// Grant 2 says, and where RFC 8414 puts it.
func (d *directory) fetch(ctx context.Context, issuer string) (uma.Metadata, error) {
	var faults error
	for _, address := range uma.MetadataURLs(issuer) {
		meta, err := d.fetchFrom(ctx, issuer, address)
		if err == nil {
			return meta, nil
		}
		faults = errors.Join(faults, err)
	}
	return uma.Metadata{}, faults
}

func (d *directory) fetchFrom(ctx context.Context, issuer, address string) (uma.Metadata, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return uma.Metadata{}, err
	}
	status, body, err := exchange(d.base, req)
	if err != nil {
		return uma.Metadata{}, err
	}
	if status != http.StatusOK {
		return uma.Metadata{}, fmt.Errorf("%s answered %d", address, status)
	}
	// A document that speaks for another issuer is refused there: with it, our
	// secrets would go to somebody else.
	meta, err := uma.ParseMetadata(bytes.NewReader(body), issuer)
	if err != nil {
		return uma.Metadata{}, err
	}
	for i, endpoint := range []string{meta.TokenEndpoint, meta.RevocationEndpoint, meta.ClaimsInteractionEndpoint} {
		if i > 0 && endpoint == "" {
			continue // not offered
		}
		if err := secure(endpoint); err != nil {
			return uma.Metadata{}, fmt.Errorf("an endpoint of the authorization server: %w", err)
		}
	}
	return meta, nil
}

// exchange does one request to an authorization server and reads the answer.
// A RoundTripper follows no redirects, so nothing goes anywhere else.
func exchange(base http.RoundTripper, req *http.Request) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(req.Context(), patience)
	defer cancel()
	req.Header.Set("Accept", "application/json")
	res, err := base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	// One byte more than the parsers take, so that they see what is too long.
	body, err = io.ReadAll(io.LimitReader(res.Body, uma.MaxJSON+1))
	return res.StatusCode, body, err
}
