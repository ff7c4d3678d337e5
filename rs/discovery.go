package rs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/licet/licet/uma"
)

// metadataLife is how long a discovery document is believed.
const metadataLife = time.Hour

// discovery fetches the discovery document of one issuer when it is first
// needed (Grant 2).
type discovery struct {
	issuer string
	http   *http.Client
	now    func() time.Time

	fetching flight[uma.Metadata]
	mu       sync.Mutex
	meta     uma.Metadata
	until    time.Time
}

func (d *discovery) metadata(ctx context.Context) (uma.Metadata, error) {
	d.mu.Lock()
	meta, until := d.meta, d.until
	d.mu.Unlock()
	if d.now().Before(until) {
		return meta, nil
	}
	return d.fetching.do(ctx, "", func(ctx context.Context) (uma.Metadata, error) {
		meta, err := d.fetch(ctx)
		if err != nil {
			return meta, fmt.Errorf("discovery: %w", err)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.meta, d.until = meta, d.now().Add(metadataLife)
		return meta, nil
	})
}

// fetch tries both places of the document: behind the issuer, as the text of
// Grant 2 says, and where RFC 8414 puts it.
func (d *discovery) fetch(ctx context.Context) (uma.Metadata, error) {
	if err := secure(d.issuer); err != nil {
		return uma.Metadata{}, err
	}
	var faults error
	for _, address := range uma.MetadataURLs(d.issuer) {
		meta, err := d.fetchFrom(ctx, address)
		if err == nil {
			return meta, nil
		}
		faults = errors.Join(faults, err)
	}
	return uma.Metadata{}, faults
}

func (d *discovery) fetchFrom(ctx context.Context, address string) (uma.Metadata, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return uma.Metadata{}, err
	}
	res, err := send(d.http, req, maxAnswer)
	if err != nil {
		return uma.Metadata{}, err
	}
	if res.status != http.StatusOK {
		return uma.Metadata{}, res.fault()
	}
	// A document that speaks for another issuer is refused there: with it, our
	// tokens would go to somebody else.
	meta, err := uma.ParseMetadata(res.reader(), d.issuer)
	if err != nil {
		return uma.Metadata{}, err
	}
	for _, endpoint := range []string{meta.TokenEndpoint, meta.PermissionEndpoint, meta.IntrospectionEndpoint, meta.ResourceRegistrationEndpoint} {
		if err := secure(endpoint); err != nil {
			return uma.Metadata{}, fmt.Errorf("an endpoint of the authorization server: %w", err)
		}
	}
	return meta, nil
}
