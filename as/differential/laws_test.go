package differential

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// The laws need no model: they say how two answers of the server have to go
// together.

// scene is one assessment in a space of its own.
type scene struct {
	names     map[*resource]string
	resources []*resource // at rs1; without an id
	shares    []wish
	asked     []asked
	scopes    []string
	person    person
	foreign   *scene // another owner's things, which are nobody's business
}

func drawScene(d dice) scene {
	w := &world{dice: d, model: &model{now: began}}
	s := scene{names: map[*resource]string{}, person: pick(d, people...)}
	offered := set{}
	for range 1 + d.IntN(4) {
		r := &resource{scopes: setOf(some(d, allScopes)...)}
		s.resources = append(s.resources, r)
		maps.Copy(offered, r.scopes)
		s.names[r] = pick(d, "album", "photo", "diary")
		s.asked = append(s.asked, asked{r, setOf(some(d, list(r.scopes))...)})
	}
	for range 2 + d.IntN(6) {
		s.shares = append(s.shares, w.draw(pick(d, s.resources...)))
	}
	s.scopes = some(d, list(offered))
	return s
}

// reordered is the same scene, told in another order.
func (s scene) reordered(d dice) scene {
	d.Shuffle(len(s.resources), swap(&s.resources))
	d.Shuffle(len(s.shares), swap(&s.shares))
	d.Shuffle(len(s.asked), swap(&s.asked))
	d.Shuffle(len(s.scopes), swap(&s.scopes))
	return s
}

func swap[T any](list *[]T) func(i, j int) {
	own := slices.Clone(*list)
	*list = own
	return func(i, j int) { own[i], own[j] = own[j], own[i] }
}

// renamed is the same scene with other names for everything.
func (s scene) renamed() scene {
	names := map[*resource]string{}
	for r, name := range s.names {
		names[r] = "another " + name
	}
	s.names = names
	return s
}

// without is the scene without one share.
func (s scene) without(i int) scene {
	s.shares = slices.Delete(slices.Clone(s.shares), i, i+1)
	return s
}

// played is what a scene comes to.
type played struct {
	outcome string
	granted map[*resource]set
	missing set
}

func (p played) String() string {
	granted := set{}
	for r, scopes := range p.granted {
		granted[fmt.Sprintf("%p%v", r, list(scopes))] = true
	}
	return fmt.Sprintf("%s %v missing %v", p.outcome, list(granted), list(p.missing))
}

func (p played) within(q played) bool {
	for r, scopes := range p.granted {
		more, ok := q.granted[r]
		if !ok {
			return false
		}
		for s := range scopes {
			if !more[s] {
				return false
			}
		}
	}
	return true
}

// furnish makes a space with the resources and the shares of a scene.
func (s scene) furnish(h *house) (as.PAT, map[*resource]uma.ResourceID, error) {
	account, space, err := h.CreateAccount(h.ctx, as.Account{Email: rand.Text() + "@example.org", EmailVerified: true}, "things")
	if err != nil {
		return as.PAT{}, nil, err
	}
	pat := as.PAT{Space: space.ID, ResourceServer: "rs1"}
	ids := map[*resource]uma.ResourceID{}
	for _, r := range s.resources {
		d, err := describe(s.names[r], list(r.scopes))
		if err != nil {
			return pat, nil, err
		}
		made, err := h.RegisterResource(h.ctx, pat, d)
		if err != nil {
			return pat, nil, err
		}
		ids[r] = made.ID
	}
	for _, wish := range s.shares {
		real := wish.real()
		real.Resource = ids[wish.resource]
		if _, err := h.CreateShare(h.ctx, as.Owner{Space: space.ID, Account: account.ID}, real); err != nil {
			return pat, nil, err
		}
	}
	return pat, ids, nil
}

// play plays a scene in a house: c1 wants what is asked, and brings an ID token.
func (s scene) play(h *house) (played, error) {
	out := played{granted: map[*resource]set{}, missing: set{}}
	if s.foreign != nil {
		if _, _, err := s.foreign.furnish(h); err != nil {
			return out, err
		}
	}
	pat, ids, err := s.furnish(h)
	if err != nil {
		return out, err
	}
	var real []uma.Permission
	for _, a := range s.asked {
		real = append(real, uma.Permission{Resource: ids[a.resource], Scopes: toScopes(list(a.scopes))})
	}
	ticket, err := h.RequestPermissions(h.ctx, pat, real)
	if err != nil {
		return out, err
	}
	token, err := oauth.Sign(providerKey(), "JWT", map[string]any{
		"iss": provider, "sub": s.person.sub, "aud": "c1", "iat": h.time().Unix(), "exp": h.time().Unix() + 300,
		"email": s.person.email, "email_verified": s.person.verified, "role": s.person.roles,
	})
	if err != nil {
		return out, err
	}
	req := uma.TokenRequest{Ticket: ticket, ClaimToken: token, ClaimTokenFormat: uma.IDTokenFormat, Scopes: toScopes(s.scopes)}
	result, err := h.Redeem(h.ctx, h.clients["c1"], req, "")
	if out.outcome, err = code(err); err != nil {
		return out, err
	}
	switch result := result.(type) {
	case as.Granted:
		out.outcome = "granted"
		in, err := h.Introspect(h.ctx, pat, result.AccessToken)
		if err != nil || !in.Active {
			return out, errors.Join(err, fmt.Errorf("a fresh RPT is active: %v", in.Active))
		}
		for _, p := range in.Permissions {
			for r, id := range ids {
				if id == p.Resource {
					out.granted[r] = set{}
					for _, scope := range p.Scopes {
						out.granted[r][string(scope)] = true
					}
				}
			}
		}
	case as.NeedInfo:
		out.outcome = "need_info"
		for _, m := range result.RequiredClaims {
			out.missing[claimKey(m.Name, m.Issuer, m.ClaimTokenFormat)] = true
		}
	case as.Submitted:
		out.outcome = "request_submitted"
	case as.Denied:
		out.outcome = "request_denied"
	}
	return out, nil
}

// laws compares the answers to a scene with those to its variations. generous is
// a house that grants whatever it can at once and whose operator forbids nothing;
// what it grants is all that any house may grant.
func (s scene) laws(d dice, generous, h *house) (most played, err error) {
	if most, err = s.play(generous); err != nil {
		return most, err
	}
	here, err := s.play(h)
	if err != nil {
		return most, err
	}
	if !here.within(most) {
		return most, fmt.Errorf("a forbid, or another mode, adds: %v, without %v", here, most)
	}
	other := drawScene(d)
	other.names = maps.Clone(other.names)
	for i, r := range other.resources {
		other.names[r] = s.names[s.resources[i%len(s.resources)]]
	}
	foreign := s
	foreign.foreign = &other
	for what, variation := range map[string]scene{"the order": s.reordered(d), "the names": s.renamed(), "another owner": foreign} {
		again, err := variation.play(h)
		if err != nil {
			return most, err
		}
		if again.String() != here.String() {
			return most, fmt.Errorf("%s matters: %v, otherwise %v", what, again, here)
		}
	}
	less := s.without(d.IntN(len(s.shares)))
	for _, place := range []*house{generous, h} {
		fewer, err := less.play(place)
		if err != nil {
			return most, err
		}
		if !fewer.within(most) {
			return most, fmt.Errorf("without a share there is more: %v, with it %v", fewer, most)
		}
	}
	return most, nil
}

// judged plays scenes in two houses by the laws, and returns how many granted
// something and how many broke a law.
func judged(t *testing.T, seed uint64, scenes int, generous, h *house) (granted, broken int) {
	t.Helper()
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i := range scenes {
		wg.Go(func() {
			d := newDice(seed, uint64(i))
			most, err := drawScene(d).laws(d, generous, h)
			mu.Lock()
			defer mu.Unlock()
			if most.outcome == "granted" {
				granted++
			}
			if err != nil {
				broken++
				t.Logf("house %d, scene %d: %v", seed, i, err)
			}
		})
	}
	wg.Wait()
	return granted, broken
}

func generous(r *rules) { r.partial, r.strict, r.forbid = "first", false, forbids[0] }

// Proves SEC-024, SEC-042, SEC-043, SEC-054. Whatever the worlds: a share less
// and a forbid more never add, and neither the order of things nor their names nor
// what is somebody else's makes a difference.
func TestTheLawsOfAssessing(t *testing.T) {
	granted, broken := 0, 0
	for seed := uint64(1); seed <= 3; seed++ {
		g, b := judged(t, seed, max(1, *wanted/125), openedHouse(t, seed, generous), openedHouse(t, seed, nil))
		granted, broken = granted+g, broken+b
	}
	t.Logf("%d scenes granted something, %d broke a law", granted, broken)
	if granted == 0 || broken > 0 {
		t.Fail()
	}
}

// The control: where the house that is said to be generous forbids something,
// the other one adds.
func TestABrokenLawIsNoticed(t *testing.T) {
	forbidding := openedHouse(t, 1, func(r *rules) { generous(r); r.forbid = forbids[1] })
	if granted, broken := judged(t, 1, 40, forbidding, openedHouse(t, 1, generous)); broken == 0 {
		t.Errorf("%d scenes granted something, and none broke a law", granted)
	}
}

func openedHouse(t *testing.T, seed uint64, configure func(*rules)) *house {
	t.Helper()
	h, err := openHouse(context.Background(), t.TempDir(), seed, configure)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}
