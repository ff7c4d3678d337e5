package differential

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

func clockTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("15:04:05")
}

// person is somebody whom the claims provider knows.
type person struct {
	sub, email string
	verified   bool
	roles      []string
}

var people = []person{
	{"bob", "bob@example.org", true, []string{"nurse"}},
	{"carlos", "carlos@clinic.example", true, []string{"doctor", "guest"}},
	{"dan", "dan@clinic.example", false, nil},
	{"eve", "", false, []string{"guest"}},
}

// claimToken draws a claim token for a client, and what it proves: nothing, if
// anything about it is wrong.
func (w *world) claimToken(client string) (token string, proves []fact, err error) {
	p, now := people[w.visitor], w.model.now
	if w.once(3) {
		p = pick(w.dice, people...)
	}
	claims := map[string]any{"iss": provider, "sub": p.sub, "aud": client, "iat": now.Unix(), "exp": now.Unix() + 300}
	say := func(name, value string) {
		proves = append(proves, fact{name, value, provider, uma.IDTokenFormat, now})
	}
	say("sub", p.sub)
	if p.email != "" {
		claims["email"], claims["email_verified"] = p.email, p.verified
	}
	if p.verified {
		say("email", p.email)
	}
	if p.roles != nil {
		claims["role"] = p.roles
		for _, r := range p.roles {
			say("role", r)
		}
	}
	if w.once(3) {
		purpose := pick(w.dice, "care", "research")
		claims["purpose"] = purpose
		say("purpose", purpose)
	}
	if w.once(3) {
		claims["terms_accepted"] = "https://terms.example/1"
		say("terms_accepted", "https://terms.example/1")
	}
	key := providerKey()
	good, signed := client != "c3", true
	if w.once(8) {
		good = false
		switch w.dice.IntN(5) {
		case 0:
			claims["exp"] = now.Unix()
		case 1:
			claims["aud"] = "somebody else"
		case 2:
			claims["iss"] = "https://stranger.example"
		case 3:
			key = strangerKey()
		case 4:
			signed = false
		}
	}
	if !good {
		proves = nil
	}
	token, err = oauth.Sign(key, "JWT", claims)
	if parts := strings.Split(token, "."); err == nil && !signed {
		token = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	}
	return token, proves, err
}

// ask has a resource server ask for some permissions.
func (w *world) ask() (*ticket, error) {
	standing := w.standing()
	if len(standing) == 0 {
		return nil, w.register()
	}
	r := pick(w.dice, standing...)
	var together []*resource
	for _, other := range standing {
		if other != r && other.space == r.space && other.server == r.server {
			together = append(together, other)
		}
	}
	chosen := []*resource{r}
	switch w.dice.IntN(8) {
	case 0, 1, 2:
		chosen = append(chosen, some(w.dice, together)...)
	case 3:
		chosen = append(chosen, together...)
	}
	p := &process{space: r.space, server: r.server}
	var real []uma.Permission
	for _, c := range chosen {
		a := asked{c, set{}}
		if !w.once(6) {
			a.scopes = setOf(some(w.dice, list(c.scopes))...)
		}
		p.asked = append(p.asked, a)
		real = append(real, uma.Permission{Resource: uma.ResourceID(c.id), Scopes: toScopes(list(a.scopes))})
	}
	w.processes = append(w.processes, p)
	p.name = fmt.Sprintf("process %d", len(w.processes))
	if err := w.askAmiss(real, r); err != nil {
		return nil, err
	}
	value, err := w.RequestPermissions(w.ctx, w.pat(p.space, p.server), real)
	if err != nil {
		return nil, err
	}
	t := &ticket{value: string(value), process: p, sealed: len(real) <= 8, expires: w.model.now.Add(ticketLife)}
	w.tickets = append(w.tickets, t)
	w.tell("%s: %v is asked", p.name, real)
	return t, nil
}

// askAmiss asks now and then for what must not be had: with another PAT, or a
// scope that is not there.
func (w *world) askAmiss(real []uma.Permission, r *resource) error {
	if !w.once(8) {
		return nil
	}
	space, server, want := r.space, r.server, "invalid_resource_id"
	real = slices.Clone(real)
	switch w.dice.IntN(3) {
	case 0:
		for _, o := range w.owners {
			if o.space != r.space {
				space = o.space
			}
		}
	case 1:
		server = map[string]string{"rs1": "rs2", "rs2": "rs1"}[server]
	case 2:
		want = "invalid_scope"
		real[0].Scopes = append(slices.Clip(real[0].Scopes), "rotate")
	}
	_, err := w.RequestPermissions(w.ctx, w.pat(space, server), real)
	got, err := code(err)
	if err == nil && got != want {
		err = w.differs("asking amiss", got, want)
	}
	return err
}

// attempt is a client that wants something and tries a few times.
func (w *world) attempt() error {
	var t *ticket
	var err error
	if len(w.tickets) > 0 && w.once(4) {
		t = pick(w.dice, w.tickets...) // old, perhaps spent, perhaps somebody else's
	} else if t, err = w.ask(); t == nil {
		return err
	}
	client := t.process.client
	if client == "" || w.once(12) {
		client = pick(w.dice, allClients...)
	}
	for tries := 0; t != nil && tries < 3; tries++ {
		if w.once(10) {
			if t, err = w.interact(t, client); t == nil || err != nil {
				return err
			}
		}
		if t, err = w.present(t, client); err != nil {
			return err
		}
	}
	return nil
}

// present redeems a ticket, really and plainly. It returns the next ticket, if
// any.
func (w *world) present(t *ticket, client string) (*ticket, error) {
	c := w.clients[client]
	r := presentation{ticket: t, client: client, refreshes: c.Allows(oauth.GrantRefreshToken)}
	req := uma.TokenRequest{Ticket: uma.Ticket(t.value)}
	if w.once(2) {
		offered := set{}
		for _, a := range t.process.asked {
			maps.Copy(offered, a.resource.scopes)
		}
		r.scopes = some(w.dice, list(offered))
		if w.once(20) {
			r.scopes = append(r.scopes, "rotate")
		}
		if len(r.scopes) == 0 {
			r.scopes = nil
		} else {
			req.Scopes = toScopes(r.scopes)
		}
	}
	if t.process.facts == nil && !w.once(4) || w.once(5) {
		token, proves, err := w.claimToken(client)
		if err != nil {
			return nil, err
		}
		req.ClaimToken, req.ClaimTokenFormat, r.pushed = token, uma.IDTokenFormat, proves
	}
	if len(w.pcts) > 0 && w.once(3) {
		r.pct = w.pcts[len(w.pcts)-1]
		if w.once(3) {
			r.pct = pick(w.dice, w.pcts...)
		}
		req.PCT = uma.PCT(r.pct.value)
	}
	if len(w.tokens) > 0 && w.once(3) {
		r.rpt = pick(w.dice, w.tokens...)
		for _, t := range w.tokens {
			if p := r.ticket.process; t.grant.client == client && t.grant.space == p.space && t.grant.server == p.server && !w.once(4) {
				r.rpt = t
			}
		}
		req.RPT = uma.RPT(r.rpt.value)
	}
	result, err := w.Redeem(w.ctx, c, req, "")
	refused, err := code(err)
	if err != nil {
		return nil, err
	}
	want := w.redeem(r)
	got := prediction{outcome: refused}
	next := uma.Ticket("")
	switch result := result.(type) {
	case as.Granted:
		got = answered(result.TokenResponse)
	case as.NeedInfo:
		got.outcome, got.missing, next = "need_info", set{}, result.Ticket
		for _, m := range result.RequiredClaims {
			got.missing[claimKey(m.Name, m.Issuer, m.ClaimTokenFormat)] = true
		}
	case as.Submitted:
		got.outcome, got.interval, next = "request_submitted", result.Interval, result.Ticket
	case as.Denied:
		got.outcome = "request_denied"
	}
	w.tell("%s by %s, scopes %v, facts %v: %s", t.process.name, client, r.scopes, t.process.facts, want)
	w.note(want, r)
	if got.String() != want.String() {
		return nil, w.differs("redeeming a ticket", got, want)
	}
	if granted, ok := result.(as.Granted); ok {
		return nil, w.keep(want, granted.TokenResponse)
	}
	if want.next == nil || next == "" {
		if want.next != nil || next != "" {
			return nil, w.differs("the next ticket", next, want.next)
		}
		return nil, nil
	}
	want.next.value = string(next)
	w.tickets = append(w.tickets, want.next)
	if want.interval > 0 {
		return nil, nil // later
	}
	return want.next, nil
}

func answered(r uma.TokenResponse) prediction {
	return prediction{outcome: "granted", upgraded: r.Upgraded, pct: r.PCT != "", expires: r.ExpiresIn, refresh: r.RefreshToken != ""}
}

// keep notes the tokens of an answer, and looks at what the RPT says.
func (w *world) keep(want prediction, r uma.TokenResponse) error {
	want.access.value = r.AccessToken
	w.tokens = append(w.tokens, want.access)
	if want.renewal != nil {
		want.renewal.value = r.RefreshToken
		w.renewal = append(w.renewal, want.renewal)
	}
	if want.newPCT != nil {
		want.newPCT.value = string(r.PCT)
		w.pcts = append(w.pcts, want.newPCT)
	}
	return w.look(want.access)
}

// look introspects a token, as the resource server it is for and now and then as
// another, and twice, since the second answer is one that was remembered.
func (w *world) look(t *access) error {
	space, server := t.grant.space, t.grant.server
	if w.once(8) {
		space, server = pick(w.dice, w.owners...).space, pick(w.dice, "rs1", "rs2")
	}
	asClient := w.once(6) // a resource server with its own credentials sees the RPTs of every owner
	if asClient {
		space = t.grant.space
	}
	want := w.introspected(t, space, server)
	w.seen[map[bool]string{true: "introspected as dead", false: "introspected as alive"}[want == ""]]++
	for range 2 {
		in, err := w.Introspect(w.ctx, w.pat(space, server), t.value)
		if asClient {
			in, err = w.IntrospectAsClient(w.ctx, w.clients[server], t.value)
		}
		if err != nil {
			return err
		}
		got := ""
		if in.Active {
			scopes, ends := map[string]set{}, map[string]int64{}
			for _, p := range in.Permissions {
				if scopes[string(p.Resource)] != nil {
					return w.differs("a resource twice in one answer", in.Permissions, "once")
				}
				scopes[string(p.Resource)], ends[string(p.Resource)] = set{}, p.ExpiresAt
				for _, s := range p.Scopes {
					scopes[string(p.Resource)][string(s)] = true
				}
			}
			got = content(in.ClientID, in.ExpiresAt, scopes, ends)
		}
		if got != want {
			return w.differs("introspecting an RPT", got, want)
		}
	}
	return nil
}

// lookAtAll introspects the newest tokens.
func (w *world) lookAtAll() error {
	for _, t := range w.tokens[max(0, len(w.tokens)-6):] {
		if err := w.look(t); err != nil {
			return err
		}
	}
	return nil
}

// interact sends the requesting party to the claims interaction endpoint.
func (w *world) interact(t *ticket, client string) (*ticket, error) {
	p := t.process
	if t.spent || !w.model.now.Before(t.expires) || p.client != "" && p.client != client {
		return t, nil
	}
	account := pick(w.dice, w.accounts...)
	handle, err := w.BeginInteraction(w.ctx, w.clients[client], uma.Ticket(t.value), as.Interaction{RedirectURI: "https://" + client + ".example/claims"})
	if err != nil {
		return nil, err
	}
	t.spent, p.client = true, client
	gathered := []fact{{"sub", string(account.ID), issuer, "", w.model.now}, {"email", account.Email, issuer, "", w.model.now}}
	var promised []as.Promise
	if w.once(2) {
		promised = append(promised, as.Promise{Name: "purpose", Value: "care"})
		gathered = append(gathered, fact{"purpose", "care", issuer, "", w.model.now})
	}
	if w.once(2) {
		promised = append(promised, as.Promise{Name: "terms_accepted", Value: "https://terms.example/1"})
		gathered = append(gathered, fact{"terms_accepted", "https://terms.example/1", issuer, "", w.model.now})
	}
	remember := w.once(2)
	next, _, err := w.FinishInteraction(w.ctx, handle, account.ID, as.Said{Promised: promised, Remember: remember})
	if err != nil {
		return nil, err
	}
	w.tell("%s: %s signs in, promises %v, remember=%v", p.name, account.Email, promised, remember)
	p.facts = join(p.facts, gathered)
	subject := subjectOf(p.facts)
	if p.subject != "" && p.subject != subject {
		p.request = nil
	}
	p.subject, p.remember = subject, remember
	n := w.nextTicket(p, ticketLife)
	n.value = string(next)
	w.tickets = append(w.tickets, n)
	return n, nil
}

// renew uses a refresh token, once in a while a used one or another client's.
func (w *world) renew() error {
	if len(w.renewal) == 0 {
		return w.attempt()
	}
	t := w.renewal[max(0, len(w.renewal)-1-w.dice.IntN(5))]
	client := t.grant.client
	if w.once(10) {
		client = pick(w.dice, "c1", "c2")
	}
	var scopes []string
	if w.once(2) {
		if scopes = some(w.dice, allScopes); len(scopes) == 0 {
			scopes = nil
		}
	}
	var real []uma.Scope
	if scopes != nil {
		real = toScopes(scopes)
	}
	r, err := w.Refresh(w.ctx, w.clients[client], t.value, real)
	refused, err := code(err)
	if err != nil {
		return err
	}
	want := w.refresh(t, client, scopes)
	got := prediction{outcome: refused}
	if refused == "" {
		got = answered(r)
	}
	w.tell("refresh by %s, scopes %v: %s", client, scopes, want)
	if got.String() != want.String() {
		return w.differs("refreshing", got, want)
	}
	if refused != "" {
		return nil
	}
	w.seen["refreshed"]++
	return w.keep(want, r)
}

// revokeSomething revokes a token as its client, or as another one in vain.
func (w *world) revokeSomething() error {
	if len(w.tokens) == 0 {
		return w.attempt()
	}
	client := pick(w.dice, allClients...)
	value := ""
	if len(w.renewal) > 0 && w.once(3) {
		t := w.renewal[len(w.renewal)-1]
		value = t.value
		if t.grant.client == client {
			t.grant.revoked = true
		}
	} else {
		t := pick(w.dice, w.tokens...)
		value = t.value
		if t.grant.client == client {
			t.revoked = true
		}
	}
	w.tell("%s revokes a token", client)
	return w.Revoke(w.ctx, w.clients[client], value)
}

// decide lets an owner look at the requests and answer one.
func (w *world) decide() error {
	o := pick(w.dice, w.owners...)
	var waiting []*request
	for _, q := range w.requests {
		if !q.decided && q.space == o.space {
			waiting = append(waiting, q)
		}
	}
	shown, err := w.Requests(w.ctx, o.Owner, as.RequestPending, as.Page{Limit: 1000})
	if err != nil {
		return err
	}
	aside, err := w.Requests(w.ctx, o.Owner, as.RequestAside, as.Page{Limit: 1000})
	if err != nil {
		return err
	}
	shown = append(shown, aside...)
	var got, want []string
	byKey := map[string]as.PendingRequest{}
	for _, q := range shown {
		permissions := map[*resource]set{}
		for _, p := range q.Permissions {
			i := slices.IndexFunc(w.resources, func(r *resource) bool { return r.id == string(p.Resource) })
			if i < 0 {
				return w.differs("a request", p.Resource, "no such resource")
			}
			permissions[w.resources[i]] = set{}
			for _, s := range p.Scopes {
				permissions[w.resources[i]][string(s)] = true
			}
		}
		key := requestKey(string(q.Client), q.Subject, permissions)
		got, byKey[key] = append(got, key), q
	}
	for _, q := range waiting {
		want = append(want, q.key())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return w.differs("what the owner is asked", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(waiting) == 0 {
		return w.attempt()
	}
	q := pick(w.dice, waiting...)
	real := byKey[q.key()]
	if w.once(5) {
		w.tell("the owner sets %s aside", q.key())
		_, err := w.SetAside(w.ctx, o.Owner, real.ID)
		return err
	}
	if w.once(5) {
		return w.block(o, q, real)
	}
	if w.once(3) {
		w.tell("the owner refuses %s", q.key())
		q.decided = true
		if _, err := w.Refuse(w.ctx, o.Owner, real.ID); err != nil {
			return err
		}
	} else if err := w.approve(o, q, real); err != nil {
		return err
	}
	for _, t := range w.tickets {
		if t.process == q.process && !t.spent {
			_, err = w.present(t, q.client)
		}
	}
	return err
}

// block refuses a party for good, or at least until it is let in again.
func (w *world) block(o owner, q *request, real as.PendingRequest) error {
	b := &block{space: o.space, subject: q.subject, client: q.client}
	if w.once(2) {
		b.client = ""
	}
	made, err := w.RefuseAndBlock(w.ctx, o.Owner, real.ID, b.client == "")
	if err != nil {
		return err
	}
	w.tell("the owner blocks %s through %q", b.subject, b.client)
	w.seen["blocked"]++
	b.id = string(made.ID)
	w.blocks = append(w.blocks, b)
	for _, other := range w.requests {
		if other.space == b.space && other.subject == b.subject && (b.client == "" || other.client == b.client) {
			other.decided = true
		}
	}
	return nil
}

// unblock lets a party ask again.
func (w *world) unblock() error {
	if len(w.blocks) == 0 {
		return w.attempt()
	}
	b := pick(w.dice, w.blocks...)
	w.tell("the owner lets %s ask again", b.subject)
	w.blocks = slices.DeleteFunc(w.blocks, func(other *block) bool { return other == b })
	return w.Unblock(w.ctx, w.ownerOf(b.space), as.BlockID(b.id))
}

func (w *world) approve(o owner, q *request, real as.PendingRequest) error {
	var ends time.Time
	if w.once(2) {
		ends = w.model.now.Truncate(time.Second).Add(pick(w.dice, time.Second, time.Minute, time.Hour))
	}
	offered := map[*resource]set{}
	for r, scopes := range q.permissions {
		still := set{}
		for s := range scopes {
			if r.scopes[s] {
				still[s] = true
			}
		}
		if !r.gone && (len(still) > 0 || len(scopes) == 0) {
			offered[r] = still
		}
	}
	decided, err := w.Approve(w.ctx, o.Owner, real.ID, nil, ends)
	refused, err := code(err)
	if err != nil {
		return err
	}
	if want := map[bool]string{true: "conflict"}[len(offered) == 0]; refused != want {
		return w.differs("approving", refused, want)
	}
	if refused != "" {
		return nil
	}
	q.decided = true
	got := map[*resource]set{}
	for i, p := range decided.Granted {
		for _, r := range w.resources {
			if r.id != string(p.Resource) {
				continue
			}
			got[r] = set{}
			for _, s := range p.Scopes {
				got[r][string(s)] = true
			}
			wish := wish{resource: r, scopes: offered[r], client: q.client, notAfter: ends, claims: []claim{{"sub", []string{q.sub}, []string{q.issuer}, nil}}}
			w.shares = append(w.shares, &share{id: string(decided.Shares[i]), wish: wish})
			w.tell("approved: share %s: %s", decided.Shares[i], wish)
		}
	}
	if !maps.EqualFunc(got, offered, maps.Equal[set, set]) {
		return w.differs("what was approved", requestKey("", "", got), requestKey("", "", offered))
	}
	return nil
}

// note counts what happened, so that a run can show that it was about something.
func (w *world) note(p prediction, r presentation) {
	w.seen[p.outcome]++
	for what, happened := range map[string]bool{
		"assessed": p.assessed, "upgraded": p.upgraded, "by a PCT": p.newPCT != nil && r.pct != nil && r.pct.spent,
		"in part": p.access != nil && len(p.access.grant.permissions) < len(r.ticket.process.asked), "after the owner was asked": p.access != nil && r.ticket.process.request != nil,
	} {
		if happened {
			w.seen[what]++
		}
	}
}
