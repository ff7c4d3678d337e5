package differential

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// world is two owners with what they have at two resource servers, and what
// happens to it: on the real server and in the model, step by step.
type world struct {
	*house
	dice
	*model
	seen    map[string]int // how often what happened, assessments under "assessed"
	told    []string       // what happened, for whoever has to understand a difference
	owners  []owner
	visitor int // which of the people comes most
	tickets []*ticket
	tokens  []*access
	renewal []*refresh
	pcts    []*pct
}

type owner struct {
	as.Owner
	space *space
}

func (h *house) newWorld(d dice) *world {
	return &world{house: h, dice: d, model: &model{rules: h.rules}, seen: map[string]int{}}
}

func (w *world) tell(format string, args ...any) {
	w.told = append(w.told, fmt.Sprintf(format, args...))
}

// differs is the report of a difference, with all that led to it.
func (w *world) differs(what string, real, plain any) error {
	return fmt.Errorf("%s\n  really:  %v\n  plainly: %v\nafter\n  %s", what, real, plain, strings.Join(w.told, "\n  "))
}

// code is how the server refused; "" if it did not.
func code(err error) (string, error) {
	var refusal *uma.Error
	if errors.As(err, &refusal) {
		return string(refusal.Code), nil
	}
	return "", err
}

func (w *world) begin() error {
	w.model.now = w.house.time()
	w.visitor = w.dice.IntN(len(people))
	for range 2 {
		account, space_, err := w.house.CreateAccount(w.ctx, as.Account{Email: fmt.Sprintf("owner%d@example.org", w.Uint64()), EmailVerified: true}, "things")
		if err != nil {
			return err
		}
		w.owners = append(w.owners, owner{as.Owner{Space: space_.ID, Account: account.ID}, &space{id: string(space_.ID)}})
	}
	for range 3 {
		if err := w.makeGroup(pick(w.dice, w.owners...)); err != nil {
			return err
		}
	}
	n := 2 + w.dice.IntN(4)
	if w.once(6) {
		n = 14 // enough for tickets that are stored at once
	}
	for range n {
		if err := w.register(); err != nil {
			return err
		}
	}
	for range 2 * n {
		if err := w.makeShare(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) pat(space *space, server string) as.PAT {
	return as.PAT{Space: as.SpaceID(space.id), ResourceServer: oauth.ClientID(server)}
}

func (w *world) ownerOf(space *space) as.Owner {
	for _, o := range w.owners {
		if o.space == space {
			return o.Owner
		}
	}
	panic("a space of nobody")
}

func describe(name string, scopes []string) (d uma.ResourceDescription, err error) {
	raw, err := json.Marshal(map[string]any{"name": name, "resource_scopes": toScopes(scopes)})
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(raw, &d)
}

// day is a few steps while the clock stands still, and a look at every token.
func (w *world) day() error {
	w.model.now = w.house.time()
	w.tell("it is %s", w.model.now.Format("15:04:05"))
	if err := w.lookAtAll(); err != nil {
		return err
	}
	for range stepsInDay {
		var err error
		switch n := w.dice.IntN(21); {
		case n < 12:
			err = w.attempt()
		case n < 14:
			err = w.makeShare()
		case n < 16:
			err = w.changeShare()
		case n < 17:
			err = w.changeResource()
		case n < 18:
			err = w.renew()
		case n < 19:
			err = w.decide()
		case n < 20:
			if err = w.changeGroup(); err == nil && w.once(4) {
				err = w.unblock()
			}
		default:
			err = w.revokeSomething()
		}
		if err != nil {
			return err
		}
	}
	return w.lookAtAll()
}

func (w *world) standing() []*resource {
	var out []*resource
	for _, r := range w.resources {
		if !r.gone {
			out = append(out, r)
		}
	}
	return out
}

func (w *world) register() error {
	o, server, scopes := pick(w.dice, w.owners...), pick(w.dice, "rs1", "rs1", "rs2"), some(w.dice, allScopes)
	if w.once(2) && len(w.resources) > 0 {
		o, server = pick(w.dice, w.owners...), w.resources[0].server
	}
	if len(w.owners) > 0 && !w.once(4) {
		o = w.owners[0]
	}
	d, err := describe("thing", scopes)
	if err != nil {
		return err
	}
	res, err := w.RegisterResource(w.ctx, w.pat(o.space, server), d)
	if err != nil {
		return err
	}
	w.resources = append(w.resources, &resource{id: string(res.ID), server: server, space: o.space, scopes: setOf(scopes...)})
	w.tell("%s of %s at %s has %v", res.ID, o.space.id, server, scopes)
	return nil
}

func (w *world) changeResource() error {
	standing := w.standing()
	if len(standing) == 0 || w.once(3) {
		return w.register()
	}
	r := pick(w.dice, standing...)
	if w.once(4) {
		w.tell("%s is deregistered", r.id)
		r.gone = true
		for _, s := range w.shares {
			if s.wish.resource == r {
				s.dormant = true
			}
		}
		return w.DeregisterResource(w.ctx, w.pat(r.space, r.server), uma.ResourceID(r.id))
	}
	scopes := some(w.dice, allScopes)
	w.tell("%s has now %v", r.id, scopes)
	now := setOf(scopes...)
	for s := range r.scopes {
		if !now[s] {
			r.edition++
			break
		}
	}
	r.scopes = now
	d, err := describe("thing", scopes)
	if err != nil {
		return err
	}
	_, err = w.UpdateResource(w.ctx, w.pat(r.space, r.server), uma.ResourceID(r.id), d)
	return err
}

var (
	claimValues = map[string][]string{
		"email": {"bob@example.org", "*@clinic.example", "carlos@clinic.example"},
		"role":  {"nurse", "doctor", "guest"},
		"sub":   {"bob", "carlos"},
	}
	issuers = []string{issuer, provider}
)

// draw draws a wish about a resource, "" everything that a share can say.
func (w *world) draw(r *resource) wish {
	d := w.dice
	offered := list(r.scopes)
	out := wish{resource: r, scopes: setOf(some(d, offered)...), anyone: d.once(2), ask: d.once(5)}
	if !d.once(3) {
		out.scopes = setOf(offered...)
	}
	if d.once(6) {
		out.scopes = set{}
	}
	if own := w.groupsOf(r.space); !out.anyone && len(own) > 0 && d.once(3) {
		out.group = pick(d, own...)
	}
	for n := 1 + d.IntN(5)/3; !out.anyone && n > 0 && (out.group == nil || d.once(4)); n-- {
		c := claim{name: pick(d, "email", "email", "role", "sub")}
		if !d.once(4) {
			c.values = some(d, claimValues[c.name])
		}
		if d.once(4) {
			c.issuer = some(d, issuers)
		}
		if d.once(5) {
			c.formats = []string{uma.IDTokenFormat}
		}
		out.claims = append(out.claims, c)
	}
	if d.once(6) {
		out.client = pick(d, allClients...)
	}
	if d.once(8) {
		out.purpose = pick(d, "care", "research")
	}
	if d.once(8) {
		out.terms = "https://terms.example/1"
	}
	now := w.model.now
	if d.once(10) {
		out.notBefore = now.Truncate(time.Second).Add(pick(d, 0, time.Minute, 10*time.Minute, time.Hour))
	}
	if d.once(4) {
		out.notAfter = now.Truncate(time.Second).Add(pick(d, time.Second, 5*time.Minute, 10*time.Minute, 20*time.Minute, 2*time.Hour, 100*24*time.Hour))
	}
	return out
}

func (s wish) real() policy.Share {
	out := policy.Share{
		Resource: uma.ResourceID(s.resource.id), Scopes: toScopes(list(s.scopes)), Anyone: s.anyone, Ask: s.ask, Client: s.client,
		NotBefore: s.notBefore, NotAfter: s.notAfter, Purpose: s.purpose, Terms: s.terms,
	}
	if s.group != nil {
		out.Group = policy.GroupID(s.group.id)
	}
	for _, c := range s.claims {
		out.Claims = append(out.Claims, policy.Claim{
			RequiredClaim: uma.RequiredClaim{Name: c.name, Issuer: c.issuer, ClaimTokenFormat: c.formats}, Values: c.values,
		})
	}
	return out
}

func (s wish) String() string {
	group := ""
	if s.group != nil {
		group = s.group.id
	}
	return fmt.Sprintf("%s%v anyone=%v group=%s claims=%v client=%q from=%s until=%s purpose=%q terms=%q ask=%v", s.resource.id, list(s.scopes), s.anyone, group, s.claims,
		s.client, clockTime(s.notBefore), clockTime(s.notAfter), s.purpose, s.terms, s.ask)
}

func (w *world) makeShare() error {
	standing := w.standing()
	if len(standing) == 0 {
		return w.register()
	}
	wish := w.draw(pick(w.dice, standing...))
	made, err := w.CreateShare(w.ctx, w.ownerOf(wish.resource.space), wish.real())
	if err != nil {
		return err
	}
	w.shares = append(w.shares, &share{id: string(made.ID), wish: wish})
	w.tell("share %s: %s", made.ID, wish)
	return nil
}

func (w *world) changeShare() error {
	var there []*share
	for _, s := range w.shares {
		if !s.withdrawn {
			there = append(there, s)
		}
	}
	if len(there) == 0 {
		return w.makeShare()
	}
	s := pick(w.dice, there...)
	if n := w.dice.IntN(12); n == 11 {
		return w.disconnect()
	} else if n == 0 {
		o := pick(w.dice, w.owners...)
		w.tell("%s stops everything", o.space.id)
		o.space.generation++
		for _, ended := range w.shares {
			ended.withdrawn = ended.withdrawn || ended.wish.resource.space == o.space
		}
		_, err := w.StopEverything(w.ctx, o.Owner)
		return err
	} else if n < 6 {
		w.tell("share %s is withdrawn", s.id)
		s.withdrawn = true
		return w.WithdrawShare(w.ctx, w.ownerOf(s.wish.resource.space), policy.ShareID(s.id), 0)
	}
	r := s.wish.resource
	if others := w.standing(); w.once(4) || r.gone {
		r = nil
		for _, other := range others {
			if other.space == s.wish.resource.space {
				r = other
			}
		}
		if r == nil {
			return nil
		}
	}
	wish := w.draw(r)
	w.tell("share %s is now %s", s.id, wish)
	if wish.String() != s.wish.String() || s.dormant {
		s.edition++
	}
	owner := w.ownerOf(s.wish.resource.space)
	s.wish, s.dormant = wish, false
	_, err := w.ReplaceShare(w.ctx, owner, policy.ShareID(s.id), 0, wish.real())
	return err
}

// addresses are those that are put into groups.
var addresses = []string{"bob@example.org", "carlos@clinic.example", "dan@clinic.example"}

func (w *world) makeGroup(o owner) error {
	made, err := w.CreateGroup(w.ctx, o.Owner, "group")
	if err != nil {
		return err
	}
	g := &group{id: string(made.ID), space: o.space, members: map[string]*membership{}}
	w.groups = append(w.groups, g)
	w.tell("group %s of %s", g.id, o.space.id)
	for _, address := range some(w.dice, addresses) {
		if err := w.join(g, address); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) groupsOf(space *space) []*group {
	var out []*group
	for _, g := range w.groups {
		if g.space == space {
			out = append(out, g)
		}
	}
	return out
}

func (w *world) join(g *group, address string) error {
	w.tell("%s is put into group %s", address, g.id)
	m, err := w.AddMember(w.ctx, w.ownerOf(g.space), policy.GroupID(g.id), address)
	g.members[address] = &membership{id: string(m.ID)}
	return err
}

// changeGroup puts somebody in, takes somebody out, or does away with a group.
func (w *world) changeGroup() error {
	if len(w.groups) == 0 {
		return w.makeGroup(pick(w.dice, w.owners...))
	}
	g, address := pick(w.dice, w.groups...), pick(w.dice, addresses...)
	owner := w.ownerOf(g.space)
	if w.once(6) {
		w.tell("group %s is deleted", g.id)
		w.groups = slices.DeleteFunc(w.groups, func(other *group) bool { return other == g })
		for _, s := range w.shares {
			s.withdrawn = s.withdrawn || s.wish.group == g
		}
		for _, m := range g.members {
			m.ended = true
		}
		return w.DeleteGroup(w.ctx, owner, policy.GroupID(g.id))
	}
	m := g.members[address]
	if m == nil {
		return w.join(g, address)
	}
	w.tell("%s is taken out of group %s", address, g.id)
	w.seen["taken out of a group"]++
	m.ended = true
	delete(g.members, address)
	return w.RemoveMember(w.ctx, owner, as.MemberID(m.id))
}

// disconnect gives a resource server a PAT, and takes it away with all that was
// granted on what it registered.
func (w *world) disconnect() error {
	o, server := pick(w.dice, w.owners...), pick(w.dice, "rs1", "rs2")
	answer, err := w.IssueToken(w.ctx, oauth.ClientID(server), o.Account, o.Space, uma.ScopeProtection)
	if err != nil {
		return err
	}
	pat, err := w.AuthenticatePAT(w.ctx, answer.AccessToken)
	if err != nil {
		return err
	}
	w.tell("%s disconnects %s", o.space.id, server)
	for _, r := range w.resources {
		if r.space == o.space && r.server == server {
			r.edition++
		}
	}
	if err := w.Disconnect(w.ctx, o.Owner, pat.Grant); err != nil {
		return err
	}
	_, err = w.AuthenticatePAT(w.ctx, answer.AccessToken)
	refused, err := code(err)
	if err == nil && refused != "invalid_token" {
		err = w.differs("a PAT after its end", refused, "invalid_token")
	}
	return err
}
