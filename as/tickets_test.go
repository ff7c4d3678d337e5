package as_test

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// atToken and atClaims are the two endpoints where a ticket can be presented.
// They say whether it was accepted.
func (w *world) atToken(c oauth.Client, req uma.TokenRequest) bool {
	w.t.Helper()
	_, err := w.Redeem(w.ctx, c, req, "")
	if err != nil {
		wantCode(w.t, err, uma.InvalidGrant)
	}
	return err == nil
}

func (w *world) atClaims(c oauth.Client, ticket uma.Ticket) bool {
	w.t.Helper()
	handle, err := w.BeginInteraction(w.ctx, c, ticket, as.Interaction{RedirectURI: callback})
	if err != nil {
		wantCode(w.t, err, uma.InvalidRequest)
		if handle != "" {
			w.t.Error("a refused visit has a handle")
		}
	}
	return err == nil
}

// forms are the three forms in which a ticket for the same permission comes.
func (w *world) forms(c oauth.Client, id uma.ResourceID) map[string]func() uma.Ticket {
	return map[string]func() uma.Ticket{
		"sealed":  func() uma.Ticket { return w.ticket(w.alice1, perm(id, "view")) },
		"stored":  func() uma.Ticket { return w.storedTicket(w.alice1, perm(id, "view")) },
		"rotated": func() uma.Ticket { return w.visit(c, w.ticket(w.alice1, perm(id, "view")), w.carlos, false) },
	}
}

// Proves GRANT-5.5-02, GRANT-5.5-03, SEC-003, SEC-004, PEER-ticket-replay.
func TestTicketIsSpentWhenPresentedAtEitherEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	token := func(ticket uma.Ticket) bool { return w.atToken(w.c1, with(ticket)) }
	claims := func(ticket uma.Ticket) bool { return w.atClaims(w.c1, ticket) }
	for form, make := range w.forms(w.c1, album) {
		for name, way := range map[string][2]func(uma.Ticket) bool{
			"token, token": {token, token}, "token, claims": {token, claims},
			"claims, token": {claims, token}, "claims, claims": {claims, claims},
		} {
			ticket := make()
			if !way[0](ticket) {
				t.Errorf("%s, %s: the first presentation was refused", form, name)
			}
			if way[1](ticket) {
				t.Errorf("%s, %s: the second presentation was accepted", form, name)
			}
		}
	}
}

// A ticket is spent whatever the answer was.
//
// Proves GRANT-5.5-03, GRANT-3.3.1-02, SEC-003.
func TestTicketIsSpentWhateverTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	open := w.register(w.alice1, "open", "view")
	bobs := w.register(w.alice1, "Bob's", "view")
	mine := w.register(w.alice1, "mine", "view")
	asked := w.register(w.alice1, "asked", "view")
	w.share(w.aliceOwner, toAnyone(open, "view"))
	w.share(w.aliceOwner, toBob(bobs, "view"))
	w.share(w.aliceOwner, askMe(asked, "view"))
	for _, c := range []struct {
		id     uma.ResourceID
		scopes []uma.Scope
		isAs   func(as.Result) bool
	}{
		{open, nil, is[as.Granted]}, {bobs, nil, is[as.NeedInfo]}, {mine, nil, is[as.Denied]},
		{asked, nil, is[as.Submitted]}, {open, scopes("nonexistent"), nil},
	} {
		ticket := w.ticket(w.alice1, perm(c.id, "view"))
		req := with(ticket)
		if c.isAs == nil {
			req.Scopes = c.scopes
			w.refused(w.c1, req, uma.InvalidScope)
		} else {
			if c.id == asked {
				req = w.asBob(ticket)
			}
			if result := w.redeem(w.c1, req); !c.isAs(result) {
				t.Errorf("the answer is %T", result)
			}
		}
		w.refused(w.c1, w.asBob(ticket), uma.InvalidGrant)
		if w.atClaims(w.c1, ticket) {
			t.Errorf("a spent ticket opened a visit")
		}
	}
}

func is[R as.Result](r as.Result) bool {
	_, ok := r.(R)
	return ok
}

// Proves GRANT-3.3.6-09, GRANT-3.3.6-10, GRANT-3.3.6-17, GRANT-3.3.3-02, GRANT-3.3.6-07, GRANT-3.3.6-16, SEC-006.
func TestEveryTicketOfAProcessIsANewOneAndUsableAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	seen := map[uma.Ticket]bool{}
	fresh := func(ticket uma.Ticket) uma.Ticket {
		t.Helper()
		if ticket == "" || seen[ticket] {
			t.Fatal("a ticket is missing, or came before")
		}
		seen[ticket] = true
		return ticket
	}
	ticket := fresh(w.ticket(w.alice1, perm(album, "view")))
	for range 3 {
		ticket = fresh(redeemed[as.NeedInfo](w, w.c1, with(ticket)).Ticket)
	}
	ticket = fresh(w.visit(w.c1, ticket, w.bob, false))
	w.granted(w.c1, with(ticket))

	ticket = fresh(redeemed[as.Submitted](w, w.c1, w.asBob(w.ticket(w.alice1, perm(photo, "view")))).Ticket)
	for range 3 {
		ticket = fresh(redeemed[as.Submitted](w, w.c1, with(ticket)).Ticket)
	}
}

// need_info always tells a way on.
//
// Proves GRANT-3.3.6-08, GRANT-3.3.6-13.
func TestNeedInfoTellsAWayOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	n := redeemed[as.NeedInfo](w, w.c1, with(w.ticket(w.alice1, perm(album, "view"))))
	if len(n.RequiredClaims) != 1 || n.RequiredClaims[0].Name != "email" || n.RedirectUser != interaction {
		t.Errorf("need_info says %v and %q, want the claim email and the interaction endpoint", n.RequiredClaims, n.RedirectUser)
	}
}

// Proves GRANT-3.3.6-01, SEC-009, PEER-ticket-replay.
func TestAVariantOfATicketIsNoTicketAndLeavesItAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	for form, make := range w.forms(w.c1, album) {
		ticket := make()
		for _, v := range variants(string(ticket)) {
			if w.atToken(w.c1, with(uma.Ticket(v))) || w.atClaims(w.c1, uma.Ticket(v)) {
				t.Fatalf("%s: a ticket was accepted as %q instead of %q", form, v, string(ticket))
			}
		}
		w.granted(w.c1, with(ticket))
		for _, v := range variants(string(ticket)) {
			if w.atToken(w.c1, with(uma.Ticket(v))) {
				t.Fatalf("%s: a spent ticket was accepted as %q", form, v)
			}
		}
	}
}

// variants are spellings near a ticket that are not it.
func variants(s string) []string {
	out := []string{
		"", s + "\n", s + "\r\n", "\n" + s, s + "=", s + "==", s + "===", s + " ", " " + s, s + "\x00", s + "A", "A" + s, s + s,
		s + "%00", s + "%0A", s[:len(s)/2] + "\n" + s[len(s)/2:], s[:len(s)/2] + "\r" + s[len(s)/2:], s + "\u200b", s + "#", s + "&ticket=" + s,
		strings.ToUpper(s), strings.ToLower(s), base64.RawURLEncoding.EncodeToString([]byte(s)), base64.StdEncoding.EncodeToString([]byte(s)),
	}
	for n := range len(s) {
		out = append(out, s[:n], s[n+1:])
	}
	for i, r := range s {
		for _, flipped := range []rune{unicode.ToUpper(r), unicode.ToLower(r), '+', '/', 'A', '９'} {
			out = append(out, s[:i]+string(flipped)+s[i+1:])
		}
	}
	// The last character may have bits that nobody reads.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, r := range alphabet {
		out = append(out, s[:len(s)-1]+string(r))
	}
	kept := out[:0]
	for _, v := range out {
		if v != s {
			kept = append(kept, v)
		}
	}
	return kept
}

// Nothing but a ticket is a ticket, though the other artefacts look alike.
//
// Proves GRANT-3.3.6-01.
func TestNoOtherArtefactPassesAsATicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	code, _ := w.code(w.rs1, uma.ScopeProtection)
	secret, err := w.NewSession(w.ctx, w.bob.ID)
	w.must(err)
	for _, bearer := range append(w.bearers, code, secret, base64.RawURLEncoding.EncodeToString(random(32)), base64.RawURLEncoding.EncodeToString(random(120))) {
		w.refused(w.c1, with(uma.Ticket(bearer)), uma.InvalidGrant)
	}
}

// Proves GRANT-3.3.6-02, GRANT-5.5-03, SEC-007.
func TestTicketIsExpiredAtTheInstant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	for form, make := range w.forms(w.c1, album) {
		early, late, atEndpoint := make(), make(), make()
		w.advance(10*time.Minute - time.Millisecond)
		w.redeem(w.c1, with(early))
		w.advance(time.Millisecond)
		if w.atToken(w.c1, with(late)) {
			t.Errorf("%s: the ticket was accepted at the token endpoint at the instant it expired", form)
		}
		if w.atClaims(w.c1, atEndpoint) {
			t.Errorf("%s: the ticket was accepted at the claims endpoint at the instant it expired", form)
		}
	}
}

// Proves GRANT-3.3.6-03, SEC-008, PEER-46717.
func TestTicketIsBoundToTheClientThatPresentedTheProcessFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	rotations := map[string]func() uma.Ticket{
		"need_info": func() uma.Ticket {
			return redeemed[as.NeedInfo](w, w.c1, with(w.ticket(w.alice1, perm(album, "view")))).Ticket
		},
		"need_info of a stored ticket": func() uma.Ticket {
			return redeemed[as.NeedInfo](w, w.c1, with(w.storedTicket(w.alice1, perm(album, "view")))).Ticket
		},
		"the way back from a visit": func() uma.Ticket {
			return w.visit(w.c1, w.ticket(w.alice1, perm(album, "view")), w.bob, false)
		},
	}
	for name, rotate := range rotations {
		for _, thief := range []oauth.Client{w.c2, w.public} {
			before := w.count(w.aliceSpace.ID, as.EventTicketMisused)
			req := with(rotate())
			req.ClaimToken, req.ClaimTokenFormat = w.idToken("bob", map[string]any{"aud": string(thief.ID)}), uma.IDTokenFormat
			if w.atToken(thief, req) || w.atClaims(thief, rotate()) {
				t.Errorf("%s: a ticket rotated for c1 was accepted from %s", name, thief.ID)
			}
			if n := w.count(w.aliceSpace.ID, as.EventTicketMisused) - before; n != 2 {
				t.Errorf("%s: the history tells %d misuses, want 2", name, n)
			}
		}
	}
}

// Proves GRANT-5.5-04, SEC-010.
func TestReplayRevokesWhatTheProcessLedToWhenTheOperatorWantsIt(t *testing.T) {
	t.Parallel()
	for _, option := range []bool{false, true} {
		w := newWorld(t, func(c *as.Config) { c.RevokeOnReplay = option })
		album := w.register(w.alice1, "album", "view")
		w.share(w.aliceOwner, toBob(album, "view"))
		for name, replay := range map[string]func(first, last uma.Ticket){
			"the last ticket, by the same client":  func(_, last uma.Ticket) { w.atToken(w.c1, with(last)) },
			"the first ticket, by another client":  func(first, _ uma.Ticket) { w.atToken(w.c2, with(first)) },
			"the last ticket, at the claims visit": func(_, last uma.Ticket) { w.atClaims(w.c2, last) },
		} {
			first := w.ticket(w.alice1, perm(album, "view"))
			last := redeemed[as.NeedInfo](w, w.c1, with(first)).Ticket
			g := w.granted(w.c1, w.asBob(last))
			other := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
			before := w.count(w.aliceSpace.ID, as.EventTicketReplayed)
			replay(first, last)
			if w.count(w.aliceSpace.ID, as.EventTicketReplayed) != before+1 {
				t.Errorf("%s: the history does not tell the replay", name)
			}
			w.wantPermissions(w.alice1, other.AccessToken, perm(album, "view"))
			if !option {
				w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"))
				continue
			}
			w.wantDead(w.alice1, g.AccessToken)
			_, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
			wantCode(t, err, uma.InvalidGrant)
		}
	}
}

// A client that may not use the grant cannot kill somebody else's process.
func TestAnUnauthorizedClientDoesNotSpendTheTicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	for _, make := range w.forms(w.c1, album) {
		ticket := make()
		w.refused(w.rs1, with(ticket), uma.UnauthorizedClient)
		w.granted(w.c1, with(ticket))
	}
}

// Proves GRANT-5.4-01, SEC-001.
func TestTicketsShowNothingAndAreUnguessable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	const n = 20_000
	nodes := append(w.beside(2), w.Server)
	seen := make(map[uma.Ticket]bool, n)
	var ones []int
	for i := range n {
		ticket, err := nodes[i%len(nodes)].RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(album, "view")})
		w.must(err)
		raw, err := base64.RawURLEncoding.DecodeString(string(ticket))
		w.must(err)
		if seen[ticket] {
			t.Fatal("a ticket came twice")
		}
		seen[ticket] = true
		if ones == nil {
			ones = make([]int, 8*len(raw))
		}
		for i := range ones {
			ones[i] += int(raw[i/8] >> (7 - i%8) & 1)
		}
		for _, plain := range []string{string(w.aliceSpace.ID), string(album)} {
			if strings.Contains(string(raw), plain) || strings.Contains(string(ticket), plain) {
				t.Fatalf("a ticket shows %q", plain)
			}
		}
	}
	// All bits but the id of the sealing key are as often set as not.
	free := 0
	for i, k := range ones[32:] {
		if math.Abs(float64(k)-n/2) > 6*math.Sqrt(n)/2 {
			t.Errorf("bit %d of the tickets is set %d times in %d", 32+i, k, n)
			continue
		}
		free++
	}
	if free < 160 {
		t.Errorf("only %d bits of a ticket are free", free)
	}
}

// Stored tickets and PCTs are 256 bits that never come twice.
//
// Proves GRANT-5.4-01, GRANT-3.3.5-04, GRANT-3.3.5-05, GRANT-3.3.5-06.
func TestRotatedTicketsAndPCTsAreRandomBits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	const n = 400
	pct := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	seen := map[string]bool{}
	ones := make([]int, 256)
	note := func(s string) {
		raw, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil || len(raw) != 32 || seen[s] {
			t.Fatalf("%q is not 32 bytes of its own", s)
		}
		seen[s] = true
		for i := range ones {
			ones[i] += int(raw[i/8] >> (7 - i%8) & 1)
		}
	}
	for range n {
		note(string(pct))
		note(string(redeemed[as.NeedInfo](w, w.c1, with(w.ticket(w.alice1, perm(album, "view")))).Ticket))
		pct = w.granted(w.c1, uma.TokenRequest{Ticket: w.ticket(w.alice1, perm(album, "view")), PCT: pct}).PCT
	}
	for i, k := range ones {
		if math.Abs(float64(k)-n) > 6*math.Sqrt(2*n)/2 {
			t.Errorf("bit %d is set %d times in %d", i, k, 2*n)
		}
	}
}

// A sealed ticket is authentic as long as its key lives, whatever has become of
// what it is about: of a space that is not there it is a ticket for nothing, and no
// fault of the server.
func TestATicketForWhatIsNotThereIsInvalid(t *testing.T) {
	t.Parallel()
	secrets := as.Secrets{Digest: random(32), Seal: [][]byte{random(32)}}
	same := func(c *as.Config) { c.Secrets = secrets }
	before, restored := newWorld(t, same), newWorld(t, same)
	album := before.register(before.alice1, "album", "view")
	before.share(before.aliceOwner, toAnyone(album, "view"))
	ticket := before.ticket(before.alice1, perm(album, "view"))
	restored.refused(restored.c1, with(ticket), uma.InvalidGrant)
	before.granted(before.c1, with(ticket)) // the control: where it is, the ticket is good
}
