package postgres_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"strings"
	"sync"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/pgtest"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// cluster is three authorization servers on one database.
type cluster struct {
	*testing.T
	nodes  []*as.Server
	rs, c  oauth.Client
	alice  as.Account
	space  as.Space
	pat    as.PAT
	owner  as.Owner
	photo  uma.ResourceID
	tokens uma.TokenResponse // with the PAT
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	return clusterOn(t, pgtest.Database(t), 3)
}

// clusterOn is a cluster of so many nodes on an empty database.
func clusterOn(t *testing.T, database string, nodes int) *cluster {
	t.Helper()
	c := &cluster{T: t}
	for range nodes {
		server, err := as.New(t.Context(), as.Config{
			Issuer: "https://as.example", Store: openNode(t, database), ClaimsInteractionEndpoint: "https://as.example/claims",
			Secrets: as.Secrets{Digest: bytes.Repeat([]byte{1}, 32), Seal: [][]byte{bytes.Repeat([]byte{2}, 32)}},
		})
		c.must(err)
		c.nodes = append(c.nodes, server)
	}
	ctx, first := t.Context(), c.nodes[0]
	var err error
	c.alice, c.space, err = first.CreateAccount(ctx, as.Account{Name: "Alice", Email: "alice@example.org", EmailVerified: true}, "Alice's things")
	c.must(err)
	c.rs, _, err = first.RegisterClient(ctx, oauth.Client{
		ID: "rs", AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
		RedirectURIs: []string{"https://rs.example/cb"}, Scopes: []uma.Scope{uma.ScopeProtection, oauth.ScopePolicy},
	})
	c.must(err)
	c.c, _, err = first.RegisterClient(ctx, oauth.Client{
		ID: "c", AuthMethod: oauth.AuthBasic, GrantTypes: []string{uma.GrantType, oauth.GrantRefreshToken},
		ClaimsRedirectURIs: []string{"https://c.example/cb"}, Scopes: []uma.Scope{"view"},
	})
	c.must(err)
	c.tokens, err = first.IssueToken(ctx, c.rs.ID, c.alice.ID, c.space.ID, uma.ScopeProtection)
	c.must(err)
	c.pat, err = first.AuthenticatePAT(ctx, c.tokens.AccessToken)
	c.must(err)
	policies, err := first.IssueToken(ctx, c.rs.ID, c.alice.ID, c.space.ID, oauth.ScopePolicy)
	c.must(err)
	c.owner, err = first.AuthenticateOwner(ctx, policies.AccessToken)
	c.must(err)
	var d uma.ResourceDescription
	c.must(json.Unmarshal([]byte(`{"name":"photo","resource_scopes":["view"]}`), &d))
	res, err := first.RegisterResource(ctx, c.pat, d)
	c.must(err)
	c.photo = res.ID
	return c
}

func (c *cluster) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *cluster) share() as.Share {
	c.Helper()
	s, err := c.nodes[0].CreateShare(c.Context(), c.owner, policy.Share{Resource: c.photo, Scopes: []uma.Scope{"view"}, Anyone: true})
	c.must(err)
	return s
}

func (c *cluster) ticket() uma.Ticket {
	c.Helper()
	t, err := c.nodes[1].RequestPermissions(c.Context(), c.pat, []uma.Permission{{Resource: c.photo, Scopes: []uma.Scope{"view"}}})
	c.must(err)
	return t
}

// granted presents a ticket, at whichever node.
func granted(ctx context.Context, node *as.Server, client oauth.Client, t uma.Ticket) (uma.TokenResponse, error) {
	result, err := node.Redeem(ctx, client, uma.TokenRequest{Ticket: t}, "")
	if g, ok := result.(as.Granted); ok {
		return g.TokenResponse, nil
	} else if err == nil {
		err = errors.New("not granted")
	}
	return uma.TokenResponse{}, err
}

// runs counts how often the functions of Updates run.
type runs struct {
	as.Store
	n *int
}

func (s runs) Update(ctx context.Context, f func(as.Tx) error) error {
	return s.Store.Update(ctx, func(tx as.Tx) error {
		*s.n++
		return f(tx)
	})
}

// A node takes it at first that a sealed ticket is new, and runs the whole batch
// again if it was not. Whoever shows a ticket again and again causes that once.
func TestATicketShownAgainRunsNobodyTwice(t *testing.T) {
	c := newCluster(t)
	c.share()
	ticket := c.ticket()
	_, err := granted(t.Context(), c.nodes[0], c.c, ticket)
	c.must(err)
	for _, node := range c.nodes[:2] {
		n := 0
		node.Store = runs{node.Store, &n}
		for i := range 5 {
			n = 0
			var refusal *uma.Error
			if _, err := granted(t.Context(), node, c.c, ticket); !errors.As(err, &refusal) || refusal.Code != uma.InvalidGrant {
				t.Fatalf("shown again: %v", err)
			}
			if n > 1 && (node == c.nodes[0] || i > 0) {
				t.Errorf("the Update of a ticket that was seen here ran %d times", n)
			}
		}
	}
}

// Each node remembers the heads of histories, and what others append makes that
// wrong. Nobody notices.
func TestTheHistoryOfSeveralNodesHasNoGap(t *testing.T) {
	c := newCluster(t)
	c.share()
	var group sync.WaitGroup
	for round := range 4 {
		for i, node := range c.nodes {
			group.Go(func() {
				for range 1 + (i+round)%3 {
					if _, err := granted(t.Context(), node, c.c, c.ticket()); err != nil {
						t.Error(err)
					}
				}
			})
			if round%2 == 0 {
				group.Wait()
			}
		}
		group.Wait()
	}
	for _, node := range c.nodes {
		c.must(node.VerifyHistory(t.Context(), c.space.ID))
	}
}

// storm runs f 64 times at once, spread over the nodes, and wants exactly one to
// succeed and the others to be told invalid_grant: no race is an error of the
// server.
func (c *cluster) storm(what string, f func(node *as.Server) (uma.TokenResponse, error)) (won uma.TokenResponse) {
	c.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	start, winners := make(chan struct{}), 0
	for i := range 64 {
		all.Go(func() {
			<-start
			answer, err := f(c.nodes[i%3])
			mu.Lock()
			defer mu.Unlock()
			var refusal *uma.Error
			switch {
			case err == nil:
				won = answer
				winners++
			case !errors.As(err, &refusal) || refusal.Code != uma.InvalidGrant:
				c.Errorf("%s: a loser was told %v", what, err)
			}
		})
	}
	close(start)
	all.Wait()
	if winners != 1 {
		c.Errorf("%s: %d winners, want one", what, winners)
	}
	return won
}

var storms = flag.Int("storms", 6, "how many tickets, refresh tokens and codes are presented 64 times at once")

// Proves SEC-005, SEC-081, SEC-091.
func TestOfAStormOverThreeNodesOneWins(t *testing.T) {
	c := newCluster(t)
	c.share()
	rounds := *storms
	if testing.Short() {
		rounds = min(rounds, 2)
	}
	for range rounds {
		ticket := c.ticket()
		rpt := c.storm("a ticket", func(node *as.Server) (uma.TokenResponse, error) {
			return granted(t.Context(), node, c.c, ticket)
		})
		c.storm("a refresh token", func(node *as.Server) (uma.TokenResponse, error) {
			return node.Refresh(t.Context(), c.c, rpt.RefreshToken, nil)
		})
		if i, err := c.nodes[2].Introspect(t.Context(), c.pat, rpt.AccessToken); err != nil || i.Active {
			t.Errorf("after its refresh token was replayed the RPT is %+v, %v", i, err)
		}
		verifier := strings.Repeat("v", 43)
		sum := sha256.Sum256([]byte(verifier))
		secret, err := c.nodes[0].NewSession(t.Context(), c.alice.ID)
		c.must(err)
		session, _, err := c.nodes[1].Session(t.Context(), secret)
		c.must(err)
		code, err := c.nodes[0].IssueCode(t.Context(), oauth.AuthorizationRequest{
			Client: c.rs.ID, RedirectURI: "https://rs.example/cb", Scopes: []uma.Scope{uma.ScopeProtection},
			CodeChallenge: base64.RawURLEncoding.EncodeToString(sum[:]),
		}, session.ID, c.space.ID)
		c.must(err)
		c.storm("a code", func(node *as.Server) (uma.TokenResponse, error) {
			return node.ExchangeCode(t.Context(), c.rs, code, "", verifier)
		})
	}
	c.must(c.nodes[1].VerifyHistory(t.Context(), c.space.ID))
}

// What is withdrawn at one node is gone at the others within the bound, and at
// once for whoever asks the node that withdrew it.
//
// Proves SEC-028, SEC-031, SEC-051.
func TestWhatOneNodeWithdrawsTheOthersNoLongerGrant(t *testing.T) {
	c := newCluster(t)
	for name, withdraw := range map[string]func(s as.Share, rpt uma.TokenResponse) error{
		"the share is withdrawn": func(s as.Share, _ uma.TokenResponse) error {
			return c.nodes[0].WithdrawShare(t.Context(), c.owner, s.ID, 0)
		},
		"the token is revoked": func(_ as.Share, rpt uma.TokenResponse) error {
			return c.nodes[0].Revoke(t.Context(), c.c, rpt.RefreshToken)
		},
		"the client is disabled": func(as.Share, uma.TokenResponse) error {
			disabled := c.c
			disabled.Disabled = true
			_, _, err := c.nodes[0].RegisterClient(t.Context(), disabled)
			return err
		},
	} {
		s := c.share()
		var rpt uma.TokenResponse
		active := func(node *as.Server) bool {
			i, err := node.Introspect(t.Context(), c.pat, rpt.AccessToken)
			c.must(err)
			return i.Active
		}
		// A node that has not heard yet of what the last round withdrew grants by it, and
		// what it grants is dead from the beginning.
		eventually(t, name+": an RPT is good everywhere", func() bool {
			var err error
			rpt, err = granted(t.Context(), c.nodes[1], c.c, c.ticket())
			return err == nil && active(c.nodes[0]) && active(c.nodes[1]) && active(c.nodes[2])
		})
		for _, node := range c.nodes {
			if !active(node) { // from memory
				t.Fatalf("%s: the RPT is not good at first", name)
			}
		}
		c.must(withdraw(s, rpt))
		if active(c.nodes[0]) {
			t.Errorf("%s: the node that did it still says the RPT is good", name)
		}
		eventually(t, name+" everywhere", func() bool { return !active(c.nodes[1]) && !active(c.nodes[2]) })
		_, err := c.nodes[2].Refresh(t.Context(), c.c, rpt.RefreshToken, nil)
		var refusal *uma.Error
		if !errors.As(err, &refusal) {
			t.Errorf("%s: refreshing at another node: %v", name, err)
		}
		_, _, err = c.nodes[0].RegisterClient(t.Context(), c.c)
		c.must(err)
		c.must(errors.Join(ignoreAbsent(c.nodes[0].WithdrawShare(t.Context(), c.owner, s.ID, 0))))
	}
	c.must(c.nodes[0].Revoke(t.Context(), c.rs, c.tokens.RefreshToken))
	eventually(t, "the PAT is dead everywhere", func() bool {
		for _, node := range c.nodes {
			if _, err := node.AuthenticatePAT(t.Context(), c.tokens.AccessToken); err == nil {
				return false
			}
		}
		return true
	})
}

func ignoreAbsent(err error) error {
	var refusal *uma.Error
	if errors.As(err, &refusal) {
		return nil
	}
	return err
}
