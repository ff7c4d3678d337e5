package as_test

import (
	"bufio"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// household is Alice's space with somebody in every role.
type household struct {
	*world
	holder map[as.RoleKind]as.Account
	other  as.Account // has no role
	photo  uma.ResourceID
}

func newHousehold(t *testing.T) *household {
	t.Helper()
	h := &household{world: newWorld(t), holder: map[as.RoleKind]as.Account{}}
	h.holder[as.RoleOwner], h.other = h.alice, h.account("other")
	for _, kind := range []as.RoleKind{as.RoleGuardian, as.RoleDelegate, as.RoleViewer} {
		h.holder[kind] = h.account(string(kind))
		h.grant(h.aliceOwner, h.holder[kind], kind, time.Time{})
	}
	h.photo = h.register(h.alice1, "photo", "view")
	return h
}

func (w *world) account(name string) as.Account {
	w.t.Helper()
	a, _, err := w.CreateAccount(w.ctx, as.Account{Name: name, Email: name + "@example.org", EmailVerified: true}, "")
	w.must(err)
	return a
}

func (w *world) grant(by as.Owner, to as.Account, kind as.RoleKind, until time.Time) as.Role {
	w.t.Helper()
	role, err := w.GrantRole(w.ctx, by, to.ID, kind, until)
	w.must(err)
	return role
}

func (w *world) actsIn(who as.Account) as.Owner {
	return as.Owner{Space: w.aliceSpace.ID, Account: who.ID}
}

// acts are the lines of the table of docs/reference/roles.md. Each is tried in a
// household of its own; what is allowed returns nil.
var acts = map[string]func(h *household, o as.Owner) error{
	"look at things, shares, requests, history and roles": func(h *household, o as.Owner) error {
		_, _, err := h.ActIn(h.ctx, o.Account, o.Space)
		return err
	},
	"share, change a share, stop sharing": func(h *household, o as.Owner) error {
		old := h.share(h.aliceOwner, toBob(h.photo, "view"))
		_, created := h.CreateShare(h.ctx, o, toBob(h.photo, "view"))
		_, replaced := h.ReplaceShare(h.ctx, o, old.ID, 0, toAnyone(h.photo, "view"))
		return h.alike(created, replaced, h.WithdrawShare(h.ctx, o, old.ID, 0))
	},
	"make, change and delete groups": func(h *household, o as.Owner) error {
		old, members := h.group(h.aliceOwner, "bob@example.org")
		_, created := h.CreateGroup(h.ctx, o, "choir")
		_, added := h.AddMember(h.ctx, o, old.ID, "carlos@example.org")
		return h.alike(created, added, h.RenameGroup(h.ctx, o, old.ID, "band"), h.RemoveMember(h.ctx, o, members[0].ID), h.DeleteGroup(h.ctx, o, old.ID))
	},
	"answer requests, set them aside, block and unblock": func(h *household, o as.Owner) error {
		h.share(h.aliceOwner, askMe(h.photo, "view"))
		h.submit(perm(h.photo, "view"))
		_, approved := h.Approve(h.ctx, o, h.pending().ID, nil, time.Time{})
		redeemed[as.Submitted](h.world, h.c1, withToken(h.ticket(h.alice1, perm(h.photo, "view")), h.idToken("carlos", nil)))
		list, err := h.Requests(h.ctx, h.aliceOwner, as.RequestPending, as.Page{Limit: 9})
		h.must(err)
		last := list[len(list)-1].ID
		_, aside := h.SetAside(h.ctx, o, last)
		_, refused := h.Refuse(h.ctx, o, last)
		h.asks(h.c2, "dan", h.photo)
		list, err = h.Requests(h.ctx, h.aliceOwner, as.RequestPending, as.Page{Limit: 9})
		h.must(err)
		last = list[len(list)-1].ID
		_, blocked := h.RefuseAndBlock(h.ctx, o, last, true)
		if blocked != nil {
			_, err := h.RefuseAndBlock(h.ctx, h.aliceOwner, last, true)
			h.must(err)
		}
		all, err := h.Blocks(h.ctx, h.aliceOwner, as.Page{Limit: 9})
		h.must(err)
		return h.alike(approved, aside, refused, blocked, h.Unblock(h.ctx, o, all[0].ID))
	},
	"stop everything": func(h *household, o as.Owner) error { _, err := h.StopEverything(h.ctx, o); return err },
	"connect and disconnect services and apps": func(h *household, o as.Owner) error {
		_, err := h.IssueCode(h.ctx, oauth.AuthorizationRequest{Client: h.rs1.ID, Scopes: scopes(uma.ScopeProtection)},
			h.signIn(as.Account{ID: o.Account}).ID, o.Space)
		return h.alike(err, h.Disconnect(h.ctx, o, h.alice1.Grant))
	},
	"make a guardian":             makes(as.RoleGuardian),
	"make a delegate or a viewer": makes(as.RoleDelegate, as.RoleViewer),
	"end the role of a guardian":  ends(as.RoleGuardian),
	"end the role of a delegate or a viewer": func(h *household, o as.Owner) error {
		return ends(as.RoleDelegate, as.RoleViewer)(h, o)
	},
	"end their own role": func(h *household, o as.Owner) error { return h.EndRole(h.ctx, o, o.Account) },
}

func makes(kinds ...as.RoleKind) func(*household, as.Owner) error {
	return func(h *household, o as.Owner) error {
		var errs []error
		for _, kind := range kinds {
			_, granted := h.GrantRole(h.ctx, o, h.other.ID, kind, time.Time{})
			i, invited := h.Invite(h.ctx, o, "new@example.org", kind, time.Time{})
			hers, err := h.Invite(h.ctx, h.aliceOwner, "new@example.org", kind, time.Time{})
			h.must(err)
			errs = append(errs, granted, invited, h.Uninvite(h.ctx, o, hers.ID))
			if invited == nil {
				h.must(h.Uninvite(h.ctx, o, i.ID))
			}
		}
		return h.alike(errs...)
	}
}

// ends tries to end the role of another holder.
func ends(kinds ...as.RoleKind) func(*household, as.Owner) error {
	return func(h *household, o as.Owner) error {
		var errs []error
		for _, kind := range kinds {
			second := h.account("second" + string(kind))
			h.grant(h.aliceOwner, second, kind, time.Time{})
			errs = append(errs, h.EndRole(h.ctx, o, second.ID))
		}
		return h.alike(errs...)
	}
}

// alike wants all to be allowed or none, and returns which.
func (w *world) alike(errs ...error) error {
	w.t.Helper()
	for _, err := range errs {
		if (err == nil) != (errs[0] == nil) {
			w.t.Errorf("of one act a part is allowed and a part is not: %v", errs)
		}
	}
	return errs[0]
}

// roleTable reads the table: act → role → whether it may.
func roleTable(t *testing.T) map[string]map[as.RoleKind]bool {
	t.Helper()
	f, err := os.Open("../docs/reference/roles.md")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	table := map[string]map[as.RoleKind]bool{}
	var heads []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		cells := strings.Split(strings.Trim(lines.Text(), "| "), " | ")
		switch {
		case !strings.HasPrefix(lines.Text(), "| "):
		case heads == nil:
			heads = cells
		default:
			may := map[as.RoleKind]bool{}
			for i, cell := range cells[1:] {
				if cell != "yes" && cell != "no" {
					t.Fatalf("%q: %q is neither yes nor no", cells[0], cell)
				}
				may[as.RoleKind(heads[i+1])] = cell == "yes"
			}
			table[cells[0]] = may
		}
	}
	return table
}

func TestEachRoleMayDoWhatItsTableSaysAndNothingElse(t *testing.T) {
	t.Parallel()
	table := roleTable(t)
	for act := range acts {
		if table[act] == nil {
			t.Errorf("docs/reference/roles.md does not say who may %s", act)
		}
	}
	for act, may := range table {
		try := acts[act]
		if try == nil {
			t.Errorf("docs/reference/roles.md tells of %q, which no test tries", act)
			continue
		}
		t.Run(act, func(t *testing.T) {
			t.Parallel()
			for _, kind := range []as.RoleKind{as.RoleOwner, as.RoleGuardian, as.RoleDelegate, as.RoleViewer} {
				h := newHousehold(t)
				if err := try(h, h.actsIn(h.holder[kind])); (err == nil) != may[kind] {
					t.Errorf("a %s: %v", kind, err)
				}
			}
			h := newHousehold(t)
			if err := try(h, h.actsIn(h.other)); err == nil {
				t.Error("somebody without a role may")
			}
		})
	}
}

func TestARoleThatEndedDoesNothingAnyMore(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(h *household, who as.Account){
		"by its time": func(h *household, _ as.Account) { h.advance(time.Hour) },
		"by the owner": func(h *household, who as.Account) {
			h.must(h.EndRole(h.ctx, h.aliceOwner, who.ID))
		},
		"with its account": func(h *household, who as.Account) { h.must(h.DisableAccount(h.ctx, who.ID)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHousehold(t)
			dora := h.account("dora")
			h.grant(h.aliceOwner, dora, as.RoleDelegate, h.Now().Add(time.Hour))
			o, role, err := h.ActIn(h.ctx, dora.ID, h.aliceSpace.ID)
			h.must(err)
			if role.Kind != as.RoleDelegate || !role.EndsAt.Equal(h.Now().Add(time.Hour)) || role.GrantedBy != h.alice.ID {
				t.Errorf("Dora acts as %+v", role)
			}
			h.share(o, toBob(h.photo, "view"))
			token := h.token(h.app, dora, h.aliceSpace, oauth.ScopePolicy)
			end(h, dora)
			_, _, err = h.ActIn(h.ctx, dora.ID, h.aliceSpace.ID)
			wantCode(t, err, uma.NotFound)
			_, err = h.AuthenticateOwner(h.ctx, token)
			wantCode(t, err, uma.InvalidToken)
			if name != "with its account" { // whoever has passed the gate has a session no more
				_, err = h.CreateShare(h.ctx, o, toBob(h.photo, "view"))
				wantCode(t, err, uma.NotFound)
			}
		})
	}
}

func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	guardian := h.account("george")
	until := h.Now().Add(24 * time.Hour)
	h.grant(h.aliceOwner, guardian, as.RoleGuardian, until)
	o := h.actsIn(guardian)
	for name, try := range map[string]struct {
		kind as.RoleKind
		ends time.Time
		code uma.Code
	}{
		"longer":            {as.RoleViewer, until.Add(time.Second), uma.AccessDenied},
		"without an end":    {as.RoleViewer, time.Time{}, uma.AccessDenied},
		"over already":      {as.RoleViewer, h.Now(), uma.InvalidRequest},
		"another guardian":  {as.RoleGuardian, until, uma.AccessDenied},
		"an owner":          {as.RoleOwner, until, uma.InvalidRequest},
		"what is not known": {"king", until, uma.InvalidRequest},
	} {
		_, err := h.GrantRole(h.ctx, o, h.other.ID, try.kind, try.ends)
		wantCode(t, err, try.code)
		_, err = h.Invite(h.ctx, o, "new@example.org", try.kind, try.ends)
		if err == nil {
			t.Errorf("%s: an invitation is allowed", name)
		}
	}
	h.grant(o, h.other, as.RoleDelegate, until)

	// What one did not give cannot be changed by giving it anew, nor can one's own.
	_, err := h.GrantRole(h.ctx, o, h.holder[as.RoleGuardian].ID, as.RoleViewer, until)
	wantCode(t, err, uma.AccessDenied)
	_, err = h.GrantRole(h.ctx, o, h.alice.ID, as.RoleViewer, until)
	wantCode(t, err, uma.AccessDenied)
	_, err = h.GrantRole(h.ctx, h.aliceOwner, h.alice.ID, as.RoleViewer, time.Time{})
	wantCode(t, err, uma.InvalidRequest)
	wantCode(t, h.EndRole(h.ctx, o, h.alice.ID), uma.InvalidRequest)
	_, err = h.GrantRole(h.ctx, h.aliceOwner, "nobody", as.RoleViewer, time.Time{})
	wantCode(t, err, uma.NotFound)
	_, err = h.GrantRole(h.ctx, h.annaOwner, h.other.ID, as.RoleViewer, time.Time{})
	h.must(err) // in her own space
	if _, role, err := h.ActIn(h.ctx, h.other.ID, h.aliceSpace.ID); err != nil || role.Kind != as.RoleDelegate {
		t.Errorf("what Anna gave in her space is a role in Alice's: %v, %v", role, err)
	}
}

// Whoever got a role through somebody's role has it no longer than that one.
func TestWhatARoleGaveEndsWithIt(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	guardian := h.holder[as.RoleGuardian]
	o := h.actsIn(guardian)
	h.grant(o, h.other, as.RoleDelegate, time.Time{})
	helper := h.account("helper")
	h.grant(o, helper, as.RoleViewer, time.Time{})
	untouched := h.holder[as.RoleDelegate]

	until := h.Now().Add(time.Hour)
	h.grant(h.aliceOwner, guardian, as.RoleGuardian, until)
	_, role, err := h.ActIn(h.ctx, h.other.ID, h.aliceSpace.ID)
	h.must(err)
	if !role.EndsAt.Equal(until) {
		t.Errorf("the guardian's role was shortened, and the delegate's lasts until %v", role.EndsAt)
	}
	h.grant(h.aliceOwner, guardian, as.RoleDelegate, time.Time{})
	for _, gone := range []as.Account{h.other, helper} {
		_, _, err = h.ActIn(h.ctx, gone.ID, h.aliceSpace.ID)
		wantCode(t, err, uma.NotFound)
	}
	if _, _, err := h.ActIn(h.ctx, untouched.ID, h.aliceSpace.ID); err != nil {
		t.Errorf("what the owner gave has ended, too: %v", err)
	}
	// A guardian again does not bring them back.
	h.grant(h.aliceOwner, guardian, as.RoleGuardian, time.Time{})
	_, _, err = h.ActIn(h.ctx, h.other.ID, h.aliceSpace.ID)
	wantCode(t, err, uma.NotFound)
	if n := h.count(h.aliceSpace.ID, as.EventRoleEnded); n != 2 {
		t.Errorf("the history tells of %d roles that ended, want 2", n)
	}
	h.must(h.VerifyHistory(h.ctx, h.aliceSpace.ID))
}

func TestTheHistoryTellsWhoDidItForWhom(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	guardian := h.holder[as.RoleGuardian]
	h.share(h.actsIn(guardian), toBob(h.photo, "view"))
	events := h.events(h.aliceSpace.ID)
	last := events[len(events)-1]
	if last.Kind != as.EventShareCreated || last.Actor != string(guardian.ID) || last.Space != h.aliceSpace.ID {
		t.Errorf("the history tells %+v", last)
	}
	in, err := h.RolesIn(h.ctx, h.aliceOwner)
	h.must(err)
	if len(in) != 4 || !slices.ContainsFunc(in, func(r as.RoleHolder) bool {
		return r.Account == guardian.ID && r.Email == guardian.Email && r.Kind == as.RoleGuardian
	}) {
		t.Errorf("the roles in the space are %+v", in)
	}
	of, err := h.SpacesOf(h.ctx, guardian.ID)
	h.must(err)
	if len(of) != 1 || of[0].Name != h.aliceSpace.Name || of[0].Role.Kind != as.RoleGuardian {
		t.Errorf("the spaces of the guardian are %+v", of)
	}
}

func TestAnInvitationIsAcceptedOnceByItsAddress(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	until := h.Now().Add(30 * 24 * time.Hour)
	i, err := h.Invite(h.ctx, h.aliceOwner, " Bob@Example.org ", as.RoleDelegate, until)
	h.must(err)
	_, err = h.Invite(h.ctx, h.aliceOwner, "no address", as.RoleDelegate, until)
	wantCode(t, err, uma.InvalidRequest)

	unverified, _, err := h.CreateAccount(h.ctx, as.Account{Email: "eve@example.org"}, "")
	h.must(err)
	toEve, err := h.Invite(h.ctx, h.aliceOwner, "eve@example.org", as.RoleViewer, until)
	h.must(err)
	for who, id := range map[as.AccountID]as.InvitationID{h.carlos.ID: i.ID, unverified.ID: toEve.ID, h.bob.ID: "made up"} {
		_, err := h.AcceptInvitation(h.ctx, who, id)
		wantCode(t, err, uma.NotFound)
	}
	for who, want := range map[as.AccountID]int{h.bob.ID: 1, h.carlos.ID: 0} {
		if list, err := h.InvitedTo(h.ctx, who, as.Page{Limit: 9}); err != nil || len(list) != want ||
			want == 1 && (list[0].SpaceName != h.aliceSpace.Name || list[0].From != h.alice.Name) {
			t.Errorf("the invitations to %s are %+v, %v", who, list, err)
		}
	}
	roles, errs := race(8, func(int) (as.Role, error) { return h.AcceptInvitation(h.ctx, h.bob.ID, i.ID) })
	oneWinner(t, errs, uma.NotFound)
	for _, role := range roles {
		if role.Account != "" && (role.Kind != as.RoleDelegate || !role.EndsAt.Equal(until) || role.GrantedBy != h.alice.ID) {
			t.Errorf("the role is %+v", role)
		}
	}
	h.share(h.actsIn(h.bob), toBob(h.photo, "view"))
	wantCode(t, h.Uninvite(h.ctx, h.aliceOwner, i.ID), uma.NotFound)
	if n := h.count(h.aliceSpace.ID, as.EventRoleGranted); n != 4 {
		t.Errorf("the history tells of %d roles, want 4", n)
	}
	for _, e := range h.events(h.aliceSpace.ID) {
		if strings.Contains(e.Detail+e.Subject, "@") {
			t.Errorf("the history has an address: %+v", e)
		}
	}
}

func TestAnInvitationEndsWithWhatItComesFrom(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(h *household, i as.Invitation){
		"its time":           func(h *household, _ as.Invitation) { h.advance(14 * 24 * time.Hour) },
		"being taken back":   func(h *household, i as.Invitation) { h.must(h.Uninvite(h.ctx, h.aliceOwner, i.ID)) },
		"the inviter's role": func(h *household, i as.Invitation) { h.must(h.EndRole(h.ctx, h.aliceOwner, i.InvitedBy)) },
		"the inviter's right": func(h *household, i as.Invitation) {
			h.grant(h.aliceOwner, as.Account{ID: i.InvitedBy}, as.RoleDelegate, time.Time{})
		},
		"what the inviter can give": func(h *household, i as.Invitation) {
			h.grant(h.aliceOwner, as.Account{ID: i.InvitedBy}, as.RoleGuardian, h.Now().Add(time.Hour))
		},
		"the account": func(h *household, _ as.Invitation) { h.must(h.DisableAccount(h.ctx, h.bob.ID)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHousehold(t)
			i, err := h.Invite(h.ctx, h.actsIn(h.holder[as.RoleGuardian]), h.bob.Email, as.RoleDelegate, time.Time{})
			h.must(err)
			end(h, i)
			_, err = h.AcceptInvitation(h.ctx, h.bob.ID, i.ID)
			wantCode(t, err, uma.NotFound)
			_, _, err = h.ActIn(h.ctx, h.bob.ID, h.aliceSpace.ID)
			wantCode(t, err, uma.NotFound)
		})
	}
}

// An invitation that would take a role away which the inviter could not is not
// accepted, and not used up by trying.
func TestAnInvitationReplacesNoGreaterRole(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	guardian := h.holder[as.RoleGuardian]
	i, err := h.Invite(h.ctx, h.actsIn(guardian), h.alice.Email, as.RoleViewer, time.Time{})
	h.must(err)
	for range 2 {
		_, err = h.AcceptInvitation(h.ctx, h.alice.ID, i.ID)
		wantCode(t, err, as.Conflict)
	}
	h.share(h.aliceOwner, policy.Share{Resource: h.photo, Scopes: scopes("view"), Anyone: true})
}

// An invitation goes to its address, whoever reads mail there; the owner is told of a
// role that somebody else made or ended, and whoever had it of its end. Who did it
// themselves is told nothing.
func TestRolesAreToldByMail(t *testing.T) {
	t.Parallel()
	b := &postbox{}
	w := newWorld(t, b.use)
	guardian, _, err := w.CreateAccount(w.ctx, as.Account{Email: "gina@example.org", EmailVerified: true, Name: "Gina", Language: "fr"}, "")
	w.must(err)
	_, err = w.GrantRole(w.ctx, w.aliceOwner, guardian.ID, as.RoleGuardian, time.Time{})
	w.must(err)
	b.empty(w, "Alice has done it herself")
	by := as.Owner{Space: w.aliceOwner.Space, Account: guardian.ID}
	i, err := w.Invite(w.ctx, by, bobAddress, as.RoleDelegate, time.Time{})
	w.must(err)
	l := b.only(w, as.LetterInvited, bobAddress)
	if l.Name != "Gina" || l.Role != as.RoleDelegate || l.Path != "/app/me" || l.Language != "fr" {
		t.Errorf("he is asked %+v", l)
	}
	_, err = w.Invite(w.ctx, by, "somebody@new.example", as.RoleViewer, time.Time{})
	w.must(err)
	b.only(w, as.LetterInvited, "somebody@new.example")
	bob, err := w.AccountByEmail(w.ctx, bobAddress)
	w.must(err)
	_, err = w.AcceptInvitation(w.ctx, bob.ID, i.ID)
	w.must(err)
	if l = b.only(w, as.LetterRole, aliceAddress); l.Role != as.RoleDelegate || l.Path != "/app/roles" {
		t.Errorf("Alice is told %+v", l)
	}
	w.must(w.EndRole(w.ctx, by, bob.ID))
	told := map[string]as.LetterKind{}
	for _, l := range b.post(w) {
		told[l.To] = l.Kind
	}
	if len(told) != 2 || told[aliceAddress] != as.LetterRoleEnded || told[bobAddress] != as.LetterRoleEnded {
		t.Errorf("of the end are told %v", told)
	}
}

// Nobody's mailbox is filled with invitations.
func TestInvitationsAreCounted(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	invite := func(o as.Owner, email string) error {
		_, err := h.Invite(h.ctx, o, email, as.RoleViewer, time.Time{})
		return err
	}
	for range 5 {
		h.must(invite(h.aliceOwner, "eve@example.org"))
	}
	var many as.TooManyAttempts
	for what, err := range map[string]error{
		"to one address": invite(h.actsIn(h.holder[as.RoleGuardian]), "eve@example.org"),
		"by one person":  invite(h.aliceOwner, "other@example.org"),
	} {
		if !errors.As(err, &many) {
			t.Errorf("one invitation more %s: %v", what, err)
		}
	}
	h.advance(15 * time.Minute)
	h.must(invite(h.aliceOwner, "eve@example.org"))
}

func TestAnInvitationIsTurnedDownByItsAddressAlone(t *testing.T) {
	t.Parallel()
	h := newHousehold(t)
	i, err := h.Invite(h.ctx, h.aliceOwner, h.bob.Email, as.RoleDelegate, time.Time{})
	h.must(err)
	wantCode(t, h.DeclineInvitation(h.ctx, h.carlos.ID, i.ID), uma.NotFound)
	h.must(h.DeclineInvitation(h.ctx, h.bob.ID, i.ID))
	wantCode(t, h.DeclineInvitation(h.ctx, h.bob.ID, i.ID), uma.NotFound)
	_, err = h.AcceptInvitation(h.ctx, h.bob.ID, i.ID)
	wantCode(t, err, uma.NotFound)
	if n := h.count(h.aliceSpace.ID, as.EventDeclined); n != 1 {
		t.Errorf("the history tells of %d, want 1", n)
	}
}
