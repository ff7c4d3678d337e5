package resourceserver

import (
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/rs"
	"github.com/licet/licet/uma"
)

// TestMain lets the test binary be the resource server under test, in a process
// of its own, as the fixture starts one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "api" {
		if err := serveAPI(os.Args[2:]); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
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

// serveAPI is a small photo API.
func serveAPI(args []string) error {
	flags := flag.NewFlagSet("api", flag.ExitOnError)
	issuer := flags.String("issuer", "", "")
	listen := flags.String("listen", "", "")
	broken := flags.String("broken", "", "")
	cache := flags.Duration("cache", 0, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	h, err := http.Handler(nil), error(nil)
	if *broken == "" {
		h, err = sdkAPI(*issuer, *cache)
	} else {
		h, err = newNaive(*issuer, *broken)
	}
	if err != nil {
		return err
	}
	return http.ListenAndServe(*listen, h)
}

type refresh map[rs.Owner]rs.Secret

func (r refresh) RefreshToken(_ context.Context, o rs.Owner) (rs.Secret, error) { return r[o], nil }
func (r refresh) SaveRefreshToken(context.Context, rs.Owner, rs.Secret) error {
	return errors.New("the double does not rotate refresh tokens")
}

// route is the documentation of the photo API: what each request takes.
func route(r *http.Request) (rs.Access, error) {
	if r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, "/public/") {
		return rs.Access{Unprotected: true}, nil
	}
	part := strings.Split(r.URL.Path, "/")
	if len(part) != 3 || part[1] != "alice" && part[1] != "anna" || part[2] != "album" && part[2] != "diary" {
		return rs.Access{}, errors.New("no such place")
	}
	scope := uma.Scope("view")
	if r.Method != http.MethodGet {
		scope = "edit"
	}
	return rs.Access{Owner: rs.Owner(part[1]), Needs: []rs.Need{{Resource: part[2], Scopes: []uma.Scope{scope}}}}, nil
}

var photos = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "photos of "+r.URL.Path)
})

// sdkAPI is the photo API behind our own SDK.
func sdkAPI(issuer string, cache time.Duration) (http.Handler, error) {
	guard, err := rs.New(rs.Config{
		Issuer: issuer, Route: route, CacheTTL: cache,
		PAT:   rs.RefreshPAT(rs.OAuth{Issuer: issuer, ClientID: "photos", ClientSecret: "photo secret+1"}, refresh{"alice": "refresh-alice", "anna": "refresh-anna"}),
		Alarm: func(context.Context, rs.Owner, error) {},
	})
	if err != nil {
		return nil, err
	}
	for _, owner := range []rs.Owner{"alice", "anna"} {
		resources := []rs.Resource{{Key: "album", Scopes: []uma.Scope{"view", "edit"}}, {Key: "diary", Scopes: []uma.Scope{"view", "edit"}}}
		if err := guard.Sync(context.Background(), owner, resources); err != nil {
			return nil, err
		}
	}
	return guard.Guard(photos), nil
}
