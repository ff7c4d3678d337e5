package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// controlMux is the control API.
func controlMux(n *node.Node) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /used", func(w http.ResponseWriter, _ *http.Request) { answer(w, used(n), nil) })
	mux.HandleFunc("POST /tokens", func(w http.ResponseWriter, r *http.Request) {
		var ask tokensAsked
		if !asked(w, r, &ask) {
			return
		}
		tokens, err := issue(r.Context(), n, ask)
		answer(w, tokens, err)
	})
	mux.HandleFunc("POST /settle", func(w http.ResponseWriter, r *http.Request) { answer(w, nil, n.AS.FlushUses(r.Context())) })
	mux.HandleFunc("GET /profile", profile)
	return mux
}

// used is what the process has used so far.
func used(n *node.Node) map[string]int64 {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:objects"}, {Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	stats := n.Store.Stats()
	return map[string]int64{
		"allocs": int64(samples[0].Value.Uint64()), "alloc_bytes": int64(samples[1].Value.Uint64()),
		"live_bytes": int64(samples[2].Value.Uint64()), "gc_cycles": int64(samples[3].Value.Uint64()),
		"updates": stats.Updates, "commits": stats.Commits, "goroutines": int64(runtime.NumGoroutine()),
	}
}

// tokensAsked asks for one token for each account.
type tokensAsked struct {
	Client oauth.ClientID `json:"client"`
	Scope  uma.Scope      `json:"scope"`
	Emails []string       `json:"emails"`
}

func issue(ctx context.Context, n *node.Node, ask tokensAsked) ([]string, error) {
	tokens := make([]string, len(ask.Emails))
	err := atOnce(ask.Emails, func(i int, email string) error {
		account, space, err := owner(ctx, n, email)
		if err != nil {
			return err
		}
		t, err := n.AS.IssueToken(ctx, ask.Client, account, space, ask.Scope)
		tokens[i] = t.AccessToken
		return err
	})
	return tokens, err
}

// owner finds an account and its one space.
func owner(ctx context.Context, n *node.Node, email string) (as.AccountID, as.SpaceID, error) {
	a, err := n.AS.AccountByEmail(ctx, email)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", email, err)
	}
	var roles []as.Role
	err = n.Store.View(ctx, func(r as.Reader) (err error) {
		roles, err = r.RolesOf(a.ID)
		return err
	})
	if err == nil && len(roles) != 1 {
		err = fmt.Errorf("%s has %d spaces", email, len(roles))
	}
	if err != nil {
		return "", "", err
	}
	return a.ID, roles[0].Space, nil
}

// atOnce does the same for each of a list, many at a time, so that they share
// commits. It returns the first error.
func atOnce[T any](list []T, do func(int, T) error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	failed := make(chan error, 1)
	for range 64 {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(list) {
					return
				}
				if err := do(i, list[i]); err != nil {
					select {
					case failed <- err:
					default: // another was first
					}
					return
				}
			}
		})
	}
	group.Wait()
	close(failed)
	return <-failed
}

// profile answers with a CPU profile of the time given as seconds.
func profile(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err == nil {
		err = pprof.StartCPUProfile(w)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
	pprof.StopCPUProfile()
}

func asked(w http.ResponseWriter, r *http.Request, into any) bool {
	text, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}

func answer(w http.ResponseWriter, v any, err error) {
	if err == nil {
		err = json.NewEncoder(w).Encode(v)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
