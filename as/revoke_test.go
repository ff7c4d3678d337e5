package as_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
	"pgregory.net/rapid"
)

// revocable is something that was given, and everything by which it can be taken
// back.
type revocable struct {
	what  string
	by    []string // names of acts; each of them after since ends it
	since int
	alive func(node *as.Server) bool
	spend func(node *as.Server) bool // at the end, once
}

// act is something that takes back, with its name.
type act struct {
	name string
	do   func(node *as.Server) error
}

// Whatever was revoked, for one client, one account, one space or everybody, in
// whatever order, at whatever node: what was given before the latest of the acts
// that concern it is dead, at introspection, at userinfo, at the token endpoint and
// in the browser, and what was given after it lives.
//
// Proves SEC-095.
func TestTheLatestRevocationCountsInEveryOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := w.app
	second.ID = "app2"
	second, _, err := w.RegisterClient(w.ctx, second)
	w.must(err)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	nodes := append(w.beside(1), w.Server)

	everything := act{"everything", func(n *as.Server) error { return n.RevokeEverything(w.ctx) }}
	acts := []act{everything, {"space", func(n *as.Server) error { // and what was promised is promised again
		done, err := n.StopEverything(w.ctx, w.aliceOwner)
		if err == nil {
			_, err = n.Undo(w.ctx, w.aliceOwner, done.Event)
		}
		return err
	}}}
	for _, c := range []oauth.Client{w.app, second, w.c1, w.c2} {
		acts = append(acts, act{"client " + string(c.ID), func(n *as.Server) error { return n.RevokeClient(w.ctx, c.ID) }})
	}
	for _, a := range []as.Account{w.alice, w.anna} {
		acts = append(acts, act{"account " + string(a.ID), func(n *as.Server) error { return n.RevokeAccount(w.ctx, a.ID) }})
	}
	refreshes := func(c oauth.Client, secret string) func(*as.Server) bool {
		return func(n *as.Server) bool {
			_, err := n.Refresh(w.ctx, c, secret, nil)
			return judged(w, err)
		}
	}
	gifts := map[string]func(at *as.Server) revocable{
		"session": func(at *as.Server) revocable {
			secret, err := at.NewSession(w.ctx, w.anna.ID)
			w.must(err)
			return revocable{by: []string{"account " + string(w.anna.ID)}, alive: func(n *as.Server) bool {
				_, _, err := n.Session(w.ctx, secret)
				return err == nil
			}}
		},
		"code": func(*as.Server) revocable {
			code, verifier := w.code(w.app, oauth.ScopeOpenID, oauth.ScopePolicy)
			return revocable{
				by: []string{"client app", "account " + string(w.alice.ID)},
				spend: func(n *as.Server) bool {
					_, err := n.ExchangeCode(w.ctx, w.app, code, "", verifier)
					return judged(w, err)
				},
			}
		},
		"RPT of c1": func(at *as.Server) revocable { return w.rptOf(at, w.c1, album, refreshes) },
		"RPT of c2": func(at *as.Server) revocable { return w.rptOf(at, w.c2, album, refreshes) },
	}
	for _, c := range []oauth.Client{w.app, second} {
		for _, whose := range []struct {
			account as.Account
			space   as.Space
			more    []string
		}{{w.alice, w.aliceSpace, []string{"space"}}, {w.anna, w.annaSpace, nil}} {
			gifts["token of "+string(c.ID)+" for "+whose.account.Name] = func(at *as.Server) revocable {
				answer, err := at.IssueToken(w.ctx, c.ID, whose.account.ID, whose.space.ID, oauth.ScopeOpenID, oauth.ScopePolicy)
				w.must(err)
				return revocable{
					by: append([]string{"client " + string(c.ID), "account " + string(whose.account.ID)}, whose.more...),
					alive: func(n *as.Server) bool {
						_, _, err := n.UserInfo(w.ctx, answer.AccessToken)
						_, owner := n.AuthenticateOwner(w.ctx, answer.AccessToken)
						if judged(w, err) != judged(w, owner) {
							t.Errorf("userinfo: %v, policy endpoint: %v", err, owner)
						}
						return err == nil
					},
					spend: refreshes(c, answer.RefreshToken),
				}
			}
		}
	}
	names := make([]string, 0, len(gifts))
	for name := range gifts {
		names = append(names, name)
	}
	slices.Sort(names)

	rapid.Check(t, func(rt *rapid.T) {
		node := func() *as.Server { return nodes[rapid.IntRange(0, 1).Draw(rt, "node")] }
		latest := map[string]int{}
		var given []revocable
		lives := func(g revocable) bool {
			return latest[everything.name] < g.since && !slices.ContainsFunc(g.by, func(name string) bool { return latest[name] >= g.since })
		}
		steps := rapid.IntRange(1, 12).Draw(rt, "steps")
		for step := 1; step <= steps; step++ {
			if rapid.Bool().Draw(rt, "give") {
				name := rapid.SampledFrom(names).Draw(rt, "gift")
				g := gifts[name](node())
				g.what, g.since = name, step
				given = append(given, g)
			} else {
				a := rapid.SampledFrom(acts).Draw(rt, "act")
				w.must(a.do(node()))
				latest[a.name] = step
			}
			for _, g := range given {
				if g.alive != nil && g.alive(node()) != lives(g) {
					rt.Fatalf("after step %d the %s of step %d lives: %v; the latest acts are %v", step, g.what, g.since, !lives(g), latest)
				}
			}
		}
		for _, g := range given {
			if g.spend != nil && g.spend(node()) != lives(g) {
				rt.Fatalf("in the end the %s of step %d can be used: %v; the latest acts are %v", g.what, g.since, !lives(g), latest)
			}
		}
	})
}

// rptOf gives a client an RPT.
func (w *world) rptOf(at *as.Server, c oauth.Client, album uma.ResourceID, refreshes func(oauth.Client, string) func(*as.Server) bool) revocable {
	w.t.Helper()
	result, err := at.Redeem(w.ctx, c, withToken(w.ticket(w.alice1, perm(album, "view")), w.idToken("bob", map[string]any{"aud": c.ID})), "")
	w.must(err)
	granted := result.(as.Granted)
	return revocable{
		by: []string{"client " + string(c.ID), "space"},
		alive: func(n *as.Server) bool {
			in, err := n.IntrospectAsClientJSON(w.ctx, w.rs1, granted.AccessToken)
			w.must(err)
			return strings.Contains(string(in), `"active":true`)
		},
		spend: refreshes(c, granted.RefreshToken),
	}
}

// judged says whether there was no refusal; anything else is a fault.
func judged(w *world, err error) bool {
	w.t.Helper()
	var refusal *uma.Error
	if err != nil && !errors.As(err, &refusal) {
		w.t.Fatal(err)
	}
	return err == nil
}

// A PCT is good for nothing after its client was revoked, and one that comes then
// is.
func TestARevokedClientsPCTIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	pct := func() uma.PCT { return w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view"))) }
	using := func(pct uma.PCT) uma.TokenRequest {
		return uma.TokenRequest{Ticket: w.ticket(w.alice1, perm(album, "view")), PCT: pct}
	}
	old := pct()
	w.granted(w.c1, using(old))
	old = pct()
	w.must(w.RevokeClient(w.ctx, w.c1.ID))
	redeemed[as.NeedInfo](w, w.c1, using(old))
	w.granted(w.c1, using(pct()))
}

func TestOnlyWhatIsThereIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wantCode(t, w.RevokeClient(w.ctx, "nobody"), uma.NotFound)
	wantCode(t, w.RevokeAccount(w.ctx, "nobody"), uma.NotFound)
}
