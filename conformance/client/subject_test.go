package client

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	umaclient "github.com/licet/licet/client"
)

// TestMain lets the test binary be the client under test, in a process of its
// own, as the fixture starts one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "command" || os.Args[1] == "web") {
		if err := play(os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// Under the race detector a process sleeps a second before it ends.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

const (
	clientID    = "printer"
	secret      = "a secret+of 32 letters or so:/%?"
	redirectURI = "/callback?own=1"
	idToken     = "http://openid.net/specs/openid-connect-core-1_0.html#IDToken"
)

type options struct{ issuer, secret, listen, broken string }

func play(kind string, args []string) error {
	var o options
	flags := flag.NewFlagSet(kind, flag.ExitOnError)
	flags.StringVar(&o.issuer, "issuer", "", "")
	flags.StringVar(&o.secret, "secret", "", "")
	flags.StringVar(&o.listen, "listen", "", "")
	flags.StringVar(&o.broken, "broken", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case o.broken != "" && kind == "web":
		return http.ListenAndServe(o.listen, newNaiveWeb(o))
	case o.broken != "":
		return newNaive(o).fetchAll(flags.Args())
	case kind == "web":
		w, err := newWeb(o)
		if err != nil {
			return err
		}
		return http.ListenAndServe(o.listen, w)
	}
	transport, err := umaclient.New(o.config())
	if err != nil {
		return err
	}
	api := &http.Client{Transport: transport}
	var faults error
	for _, address := range flags.Args() {
		req, err := http.NewRequestWithContext(umaclient.WithUser(context.Background(), "bob"), http.MethodGet, address, nil)
		if err != nil {
			return err
		}
		res, err := api.Do(req)
		if err != nil {
			faults = errors.Join(faults, err)
			continue
		}
		_ = res.Body.Close()
	}
	return faults
}

func (o options) config() umaclient.Config {
	c := umaclient.Config{
		ClientID: clientID, ClientSecret: umaclient.Secret(o.secret), MaxWait: 10 * time.Second,
		Claims: func(_ context.Context, need umaclient.Need) (string, string, error) {
			if need.Issuer != o.issuer {
				return "", "", nil // claims are for whom they are meant for
			}
			return "claims-of-bob", idToken, nil
		},
	}
	if o.secret != "" {
		c.Trust = umaclient.Issuers(o.issuer)
	}
	return c
}

// web is a web application on our SDK: one page that fetches what it is told to,
// and the claims redirection URI.
type web struct {
	transport *umaclient.Transport
	mu        sync.Mutex
	wanted    map[string]string // session → what to go on with
}

func newWeb(o options) (*web, error) {
	c := o.config()
	c.Claims = nil
	c.ClaimsRedirectURI = "http://" + o.listen + redirectURI
	transport, err := umaclient.New(c)
	return &web{transport: transport, wanted: map[string]string{}}, err
}

func session(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie("session"); err == nil {
		return c.Value
	}
	id := rand.Text()
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return id
}

func (a *web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := session(w, r)
	ctx := umaclient.WithUser(r.Context(), id)
	switch r.URL.Path {
	case "/fetch":
		a.mu.Lock()
		a.wanted[id] = r.URL.RequestURI()
		a.mu.Unlock()
		a.fetch(ctx, w, r, id)
	case "/callback":
		if err := a.transport.Callback(ctx, id, r.URL.Query()); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a.mu.Lock()
		next := a.wanted[id]
		a.mu.Unlock()
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

func (a *web) fetch(ctx context.Context, w http.ResponseWriter, r *http.Request, id string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL.Query().Get("url"), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	res, err := (&http.Client{Transport: a.transport}).Do(req)
	var need *umaclient.NeedInfoError
	if errors.As(err, &need) {
		var address string
		if address, err = a.transport.Begin(ctx, need, id); err == nil {
			http.Redirect(w, r, address, http.StatusSeeOther)
			return
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	_, _ = io.Copy(w, res.Body)
}
