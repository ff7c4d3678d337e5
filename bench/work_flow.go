package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/client"
	"github.com/licet/licet/rs"
	"github.com/licet/licet/uma"
)

// flowWorkloads go through the two SDKs. The resource server is in this process,
// so that what flow counts is still the authorization server alone, and what
// rs-local counts is the resource server alone.
func flowWorkloads() []workload {
	return []workload{
		// The call without a token, the ticket, the grant, the call with the RPT
		// and its introspection: three requests to the authorization server.
		{name: "flow", requests: 3, op: (*worker).flow},
		{name: "rs-local", requests: 1, op: (*worker).rsLocal, local: true},
	}
}

// gallery is a resource server that guards every photo of a population. It is
// also its own registry and its own source of PATs.
type gallery struct {
	*world
	issuer string
}

// PAT implements rs.PATSource.
func (g gallery) PAT(_ context.Context, owner rs.Owner, refused uma.PAT) (uma.PAT, error) {
	o, err := strconv.Atoi(string(owner))
	if err == nil && refused != "" {
		err = fmt.Errorf("the PAT of owner %d was refused", o)
	}
	if err != nil {
		return "", err
	}
	return uma.PAT(strings.TrimPrefix(g.owners[o].pat, "Bearer ")), nil
}

// Lookup implements rs.Registry.
func (g gallery) Lookup(_ context.Context, _ rs.Owner, key string) (rs.Entry, bool, error) {
	i, err := strconv.Atoi(key)
	if err != nil {
		return rs.Entry{}, false, err
	}
	return rs.Entry{
		Issuer: g.issuer, ID: uma.ResourceID(g.resources[i].id), Resource: rs.Resource{Key: key, Scopes: []uma.Scope{"view", "edit"}},
	}, true, nil
}

// Load implements rs.Registry.
func (gallery) Load(context.Context, rs.Owner) (map[string]rs.Entry, error) { return nil, nil }

// Save implements rs.Registry.
func (gallery) Save(context.Context, rs.Owner, map[string]rs.Entry) error { return nil }

// route reads which photo a request is for.
func (g gallery) route(r *http.Request) (rs.Access, error) {
	key := strings.TrimPrefix(r.URL.Path, "/photo/")
	i, err := strconv.Atoi(key)
	if err != nil || i >= len(g.resources) {
		return rs.Access{}, fmt.Errorf("there is no photo %q", key)
	}
	return rs.Access{Owner: rs.Owner(strconv.Itoa(g.resources[i].owner)), Needs: []rs.Need{{Resource: key, Scopes: []uma.Scope{"view"}}}}, nil
}

const photo = "a photo"

// guard makes the guarded handler.
func (g gallery) guard(cache time.Duration) (http.Handler, error) {
	calls := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}, Timeout: patience}
	server, err := rs.New(rs.Config{Issuer: g.issuer, PAT: g, Registry: g, Route: g.route, CacheTTL: cache, CacheSize: 1 << 16, HTTP: calls,
		Alarm: func(_ context.Context, _ rs.Owner, err error) {
			slog.Error("the resource server is in doubt", "error", err)
		}})
	if err != nil {
		return nil, err
	}
	return server.Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, photo) // a caller that is gone cannot be told
	})), nil
}

// openGallery starts the resource server of a target.
func (t *target) openGallery() error {
	g := gallery{t.world, t.issuer}
	guarded, err := g.guard(0)
	if err != nil {
		return err
	}
	if t.world.cached, err = g.guard(rs.MaxCacheTTL); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	t.gallery = &http.Server{Handler: guarded, ReadHeaderTimeout: patience}
	go func() { _ = t.gallery.Serve(listener) }() // ends when it is closed, with the target
	t.world.gallery = "http://" + listener.Addr().String()
	viewer, err := client.New(client.Config{
		ClientID: clientApp, ClientSecret: secret, Trust: client.Issuers(t.issuer),
		Base: &http.Transport{MaxIdleConnsPerHost: connections},
	})
	t.world.viewer = &http.Client{Transport: viewer, Timeout: patience}
	return err
}

// flow is somebody new who looks at a photo.
func (k *worker) flow() error {
	ctx := client.WithUser(context.Background(), strconv.FormatInt(k.visitors.Add(1), 10))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.gallery+"/photo/"+strconv.Itoa(k.pickOf(open)), nil)
	if err != nil {
		return err
	}
	resp, err := k.viewer.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // all of it was read
	if err == nil && (resp.StatusCode != http.StatusOK || string(body) != photo) {
		err = wrong("flow", resp.StatusCode, body)
	}
	return err
}

// rsLocal is a request at the resource server with an RPT that it has seen a
// moment ago.
func (k *worker) rsLocal() error {
	const few = 256 // seen again and again
	rpt := k.rpts[k.rand.IntN(min(few, len(k.rpts)))]
	r := httptest.NewRequest(http.MethodGet, "/photo/"+strconv.Itoa(rpt.photo), nil)
	r.Header.Set("Authorization", "Bearer "+rpt.token)
	answer := httptest.NewRecorder()
	k.cached.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		return wrong("rs-local", answer.Code, answer.Body.Bytes())
	}
	return nil
}
