package as_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// story lets everything happen once in Alice's space, and calls after with the
// kind of event that each step has to leave; "" for none.
func (w *world) story(after func(kind string)) {
	w.t.Helper()
	owner := w.aliceOwner
	album := w.register(w.alice1, "album", "view", "edit")
	after(as.EventResourceRegistered)
	w.update(w.alice1, album, "album", "view", "edit", "download")
	after(as.EventResourceUpdated)
	s := w.share(owner, toBob(album, "view"))
	after(as.EventShareCreated)
	s, err := w.ReplaceShare(w.ctx, owner, s.ID, 0, toBob(album, "view", "edit"))
	w.must(err)
	after(as.EventShareReplaced)
	_, err = w.ReplaceShare(w.ctx, owner, s.ID, 0, toBob(album, "view", "edit"))
	w.must(err)
	after("")

	first := w.ticket(w.alice1, perm(album, "view"))
	after("")
	n := redeemed[as.NeedInfo](w, w.c1, with(first))
	after("")
	g := w.granted(w.c1, w.asBob(n.Ticket))
	after(as.EventPermissionGranted)
	w.refused(w.c1, with(first), uma.InvalidGrant)
	after(as.EventTicketReplayed)
	w.refused(w.c1, with("no ticket"), uma.InvalidGrant)
	after("")
	n = redeemed[as.NeedInfo](w, w.c1, with(w.ticket(w.alice1, perm(album, "view"))))
	w.refused(w.c2, with(n.Ticket), uma.InvalidGrant)
	after(as.EventTicketMisused)
	redeemed[as.Denied](w, w.c1, withToken(w.ticket(w.alice1, perm(album, "view")), w.idToken("carlos", nil)))
	after(as.EventPermissionRefused)
	pct := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	after(as.EventPermissionGranted)
	redeemed[as.NeedInfo](w, w.c2, uma.TokenRequest{Ticket: w.ticket(w.alice1, perm(album, "view")), PCT: pct})
	after(as.EventPCTMisused)

	next, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	w.must(err)
	w.note(next)
	after("")
	w.must(w.Revoke(w.ctx, w.c1, next.AccessToken))
	after(as.EventTokenRevoked)
	w.must(w.Revoke(w.ctx, w.c2, next.RefreshToken))
	after("")
	_, err = w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	wantCode(w.t, err, uma.InvalidGrant)
	after(as.EventRefreshReplayed)

	code, verifier := w.code(w.rs1, uma.ScopeProtection)
	after("")
	answer, err := w.ExchangeCode(w.ctx, w.rs1, code, "", verifier)
	w.must(err)
	w.note(answer)
	after(as.EventPATIssued)
	pat, err := w.AuthenticatePAT(w.ctx, answer.AccessToken)
	w.must(err)
	w.must(w.Disconnect(w.ctx, owner, pat.Grant))
	after(as.EventConnectionEnded)
	_, err = w.ExchangeCode(w.ctx, w.rs1, code, "", verifier)
	wantCode(w.t, err, uma.InvalidGrant)
	after(as.EventCodeReplayed)

	w.share(owner, askMe(album, "download"))
	after(as.EventShareCreated)
	w.submit(perm(album, "download"))
	after(as.EventRequestSubmitted)
	_, err = w.Refuse(w.ctx, owner, w.pending().ID)
	w.must(err)
	after(as.EventRequestDenied)

	w.must(w.WithdrawShare(w.ctx, owner, s.ID, 0))
	after(as.EventShareWithdrawn)
	wantCode(w.t, w.WithdrawShare(w.ctx, owner, s.ID, 0), uma.NotFound)
	after("")
	w.must(w.DeregisterResource(w.ctx, w.alice1, album))
	after(as.EventResourceDeregistered)
	w.stopEverything()
	after(as.EventEverythingStopped)
}

func TestEveryDecisionLeavesOneEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := len(w.events(w.aliceSpace.ID))
	annas := len(w.events(w.annaSpace.ID))
	step := 0
	w.story(func(kind string) {
		t.Helper()
		step++
		events := w.events(w.aliceSpace.ID)
		fresh := events[before:]
		before = len(events)
		switch {
		case kind == "" && len(fresh) != 0:
			t.Errorf("step %d leaves %v, want nothing", step, fresh)
		case kind == "":
		case len(fresh) != 1 || fresh[0].Kind != kind:
			t.Errorf("step %d leaves %v, want one %s", step, fresh, kind)
		case fresh[0].Actor == "" || fresh[0].Subject == "" || fresh[0].Space != w.aliceSpace.ID || !fresh[0].At.Equal(w.Now()):
			t.Errorf("step %d leaves %+v, which does not say who, about what and when", step, fresh[0])
		}
	})
	if n := len(w.events(w.annaSpace.ID)); n != annas {
		t.Errorf("what happens in Alice's space leaves %d events in Anna's", n-annas)
	}
	w.must(w.VerifyHistory(w.ctx, w.aliceSpace.ID))
}

// An approval leaves one event for the decision and one for each share it made.
func TestAnApprovalTellsItsShares(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, photo := w.register(w.alice1, "album", "view"), w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(album, "view"))
	w.share(w.aliceOwner, askMe(photo, "view"))
	w.submit(perm(album, "view"), perm(photo, "view"))
	made := w.count(w.aliceSpace.ID, as.EventShareCreated)
	_, err := w.Approve(w.ctx, w.aliceOwner, w.pending().ID, nil, time.Time{})
	w.must(err)
	if n := w.count(w.aliceSpace.ID, as.EventShareCreated) - made; n != 2 {
		t.Errorf("the history tells %d shares, want 2", n)
	}
	if n := w.count(w.aliceSpace.ID, as.EventRequestApproved); n != 1 {
		t.Errorf("the history tells %d approvals, want one", n)
	}
	w.must(w.VerifyHistory(w.ctx, w.aliceSpace.ID))
}

// tampered is a store of which somebody changed the history.
type tampered struct {
	as.Store
	change func([]as.Event) []as.Event
}

func (s tampered) View(ctx context.Context, f func(as.Reader) error) error {
	return s.Store.View(ctx, func(r as.Reader) error { return f(tamperedReader{r, s.change}) })
}

type tamperedReader struct {
	as.Reader
	change func([]as.Event) []as.Event
}

func (r tamperedReader) Events(space as.SpaceID, after int64, limit int) ([]as.Event, error) {
	all, err := r.Reader.Events(space, 0, 1_000_000)
	all = slices.DeleteFunc(r.change(all), func(e as.Event) bool { return e.Seq <= after })
	return all[:min(limit, len(all))], err
}

// Proves SEC-123.
func TestAChangedHistoryIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.story(func(string) {})
	for range 5 {
		w.register(w.anna1, "album", "view")
	}
	annas := w.events(w.annaSpace.ID)
	changed := func(change func(*as.Event)) func([]as.Event) []as.Event {
		return func(all []as.Event) []as.Event {
			change(&all[len(all)/2])
			return all
		}
	}
	for name, c := range map[string]struct {
		change func([]as.Event) []as.Event
		broken bool
	}{
		"nothing":          {func(all []as.Event) []as.Event { return all }, false},
		"the kind":         {changed(func(e *as.Event) { e.Kind = as.EventPermissionRefused + "!" }), true},
		"the actor":        {changed(func(e *as.Event) { e.Actor += "x" }), true},
		"the subject":      {changed(func(e *as.Event) { e.Subject = "" }), true},
		"the time":         {changed(func(e *as.Event) { e.At = e.At.Add(time.Millisecond) }), true},
		"the detail":       {changed(func(e *as.Event) { e.Detail = "{}" + e.Detail }), true},
		"the space":        {changed(func(e *as.Event) { e.Space = w.annaSpace.ID }), true},
		"the hash":         {changed(func(e *as.Event) { e.Hash = append(bytes.Clone(e.Hash[1:]), 0) }), true},
		"the hash before":  {changed(func(e *as.Event) { e.Prev = nil }), true},
		"where it belongs": {changed(func(e *as.Event) { e.Kind, e.Actor = e.Kind+e.Actor[:1], e.Actor[1:] }), true},
		"one that is gone": {func(all []as.Event) []as.Event { return slices.Delete(all, 3, 4) }, true},
		"the first, gone":  {func(all []as.Event) []as.Event { return all[1:] }, true},
		"one for another that is whole in itself": {func(all []as.Event) []as.Event {
			all[3] = annas[3]
			return all
		}, true},
		"one put twice": {func(all []as.Event) []as.Event { return slices.Insert(all, 4, all[3]) }, true},
		"two, swapped": {func(all []as.Event) []as.Event {
			all[3], all[4] = all[4], all[3]
			all[3].Seq, all[4].Seq = all[4].Seq, all[3].Seq
			return all
		}, true},
	} {
		config := w.Config
		config.Store = tampered{w.store, c.change}
		s, err := as.New(w.ctx, config)
		w.must(err)
		if err := s.VerifyHistory(w.ctx, w.aliceSpace.ID); (err != nil) != c.broken {
			t.Errorf("%s is changed: %v", name, err)
		}
	}
}

// Whoever copies the database gets nothing that lets anybody in, and no claims.
//
// Proves GRANT-5.2-01, GRANT-6.2-01, SEC-116.
func TestTheDatabaseHasNothingThatLetsAnybodyIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	w.share(w.aliceOwner, askMe(album, "view"))
	// Zoe is known by what is pushed about her alone. She waits in a process
	// and in a request.
	secretClaims := members{"email": "zoe.hidden@example.net", "member": "platinum-4711", "given_name": "Zoemarie"}
	pushed := w.idToken("zoe", secretClaims)
	redeemed[as.Submitted](w, w.c1, withToken(w.ticket(w.alice1, perm(album, "view")), pushed))
	// Bob agrees to be remembered, and has said something about himself besides.
	w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	w.granted(w.c1, w.asBob(w.storedTicket(w.alice1, perm(album, "view"))))
	session, err := w.NewSession(w.ctx, w.bob.ID)
	w.must(err)
	code, verifier := w.code(w.rs1, uma.ScopeProtection)
	open, err := w.BeginInteraction(w.ctx, w.c1, w.ticket(w.alice1, perm(album, "view")), as.Interaction{RedirectURI: callback})
	w.must(err)
	unused, _ := w.code(w.app, oauth.ScopeOpenID)
	answer, err := w.ExchangeCode(w.ctx, w.rs1, code, "", verifier)
	w.must(err)
	w.note(answer)

	secrets := append(w.bearers, session, code, unused, open, pushed, verifier,
		"zoe.hidden@example.net", "platinum-4711", "Zoemarie", `"d":"`, string(w.Secrets.Digest), string(w.Secrets.Seal[0]))
	for _, s := range w.secrets {
		if s != "" {
			secrets = append(secrets, s)
		}
	}
	dump := w.store.Dump()
	if !bytes.Contains(dump, []byte("Alice's things")) || !bytes.Contains(dump, []byte(album)) {
		t.Fatal("the control is not found: this is no dump of the database")
	}
	if len(secrets) < 25 {
		t.Fatalf("only %d secrets to look for", len(secrets))
	}
	for _, s := range secrets {
		forms := []string{s, hex.EncodeToString([]byte(s)), base64.StdEncoding.EncodeToString([]byte(s))}
		if raw, err := base64.RawURLEncoding.DecodeString(s); err == nil && len(raw) >= 16 {
			forms = append(forms, string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), base64.StdEncoding.EncodeToString(raw))
		}
		for _, form := range forms {
			if bytes.Contains(dump, []byte(form)) {
				t.Errorf("the database has the secret %q", s)
				break
			}
		}
	}
}
