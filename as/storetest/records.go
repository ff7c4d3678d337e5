package storetest

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

var records = []rule{
	{"every field of every record is read back as it was written", everyFieldIsReadBack},
	{"a long text is read back whole", longTextIsReadBack},
	{"a text may be any bytes", textsAreBytes},
	{"a key that is there is refused and leaves the transaction usable", keysAreUnique},
	{"what was never written is not found", absentIsNotFound},
	{"an e-mail address is of one account", emailsAreUnique},
	{"a session is found by its id, which is of one session", sessionsHaveIDs},
	{"a share is found by its link, which is of one share", sharesHaveLinks},
	{"an account has one role in a space", oneRoleInASpace},
	{"a token that is not narrowed is not one that is narrowed to nothing", notNarrowedIsNotEmpty},
	{"the permissions of a grant are read in the order in which they were written", permissionsHaveAnOrder},
	{"of a process and a grant with the same id there is one", processesAndGrantsShareIDs},
}

func everyFieldIsReadBack(s *scene) {
	for how, f := range fillers {
		own := s.beside()
		list := own.recordsOf(f)
		own.insertAll(list)
		own.readAll(list)
		if s.Failed() {
			s.Fatalf("the records were filled like this: %s", how)
		}
	}
}

func longTextIsReadBack(s *scene) {
	space := as.Space{ID: s.space(), Name: long}
	event := as.Event{Space: s.space(), Seq: 1, Detail: `{"long":"` + long + `"}`, Hash: []byte{1}}
	process := as.Process{ID: s.process(), Claims: []byte(long), Requested: []uma.Scope{uma.Scope(long)}}
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertSpace(space), tx.AppendEvent(event), tx.InsertProcess(process))
	})
	same(s, "the space", must(s, func(r as.Reader) (as.Space, error) { return r.Space(s.space()) }), space)
	same(s, "the event", must(s, s.firstEvent), event)
	same(s, "the process", must(s, func(r as.Reader) (as.Process, error) { return r.Process(s.process()) }), process)
}

// odd are strings that are no text to some databases. Names and ids can be like
// this: whoever asks for one has to be told the same as for any other.
var odd = []string{"\x00", "a\x00b", "\xff", "\xc3(", "\xed\xa0\x80", "\uffff", "\uffff6100", "\\x00", "\\000", "\ufffd"}

func textsAreBytes(s *scene) {
	for _, text := range odd {
		own := s.beside()
		own.name += text
		list := own.recordsOf(fillers["full"])
		s.view(func(r as.Reader) error {
			for _, absent := range list {
				if _, err := absent.read(r); !errors.Is(err, as.ErrNotFound) {
					s.Errorf("%q: reading the %s that is not there: %v", text, absent.what, err)
				}
			}
			return nil
		})
		own.insertAll(list)
		own.readAll(list)
		space, event := as.Space{ID: as.SpaceID(own.id("named")), Name: text}, as.Event{Space: as.SpaceID(own.id("named")), Seq: 1, Detail: text, Hash: []byte{1}}
		asked := as.Request{ID: as.RequestID(own.id("asked")), Space: space.ID, Subject: text, Status: as.RequestPending}
		s.update(func(tx as.Tx) error {
			return errors.Join(tx.InsertSpace(space), tx.AppendEvent(event), tx.InsertRequest(asked))
		})
		same(s, "the space", must(s, func(r as.Reader) (as.Space, error) { return r.Space(space.ID) }), space)
		same(s, "the events", must(s, func(r as.Reader) ([]as.Event, error) { return r.Events(space.ID, 0, 9) }), []as.Event{event})
		same(s, "what is pending", must(s, func(r as.Reader) ([]as.Request, error) { return r.PendingFrom(space.ID, "", text) }), []as.Request{asked})
	}
}

func keysAreUnique(s *scene) {
	first := s.recordsOf(fillers["full"])
	s.insertAll(first)
	after := s.beside()
	told := map[string]error{}
	s.update(func(tx as.Tx) error {
		for _, again := range s.recordsOf(fillers["zero"]) {
			told[again.what] = again.insert(tx)
		}
		return tx.InsertSpace(as.Space{ID: after.space()})
	})
	for what, err := range told {
		if !errors.Is(err, as.ErrExists) {
			s.Errorf("inserting the %s again: got %v, want ErrExists", what, err)
		}
	}
	s.readAll(first)
	must(s, func(r as.Reader) (as.Space, error) { return r.Space(after.space()) })
}

func absentIsNotFound(s *scene) {
	s.beside().insertAll(s.beside().recordsOf(fillers["full"]))
	s.view(func(r as.Reader) error {
		for _, absent := range s.recordsOf(fillers["full"]) {
			if _, err := absent.read(r); !errors.Is(err, as.ErrNotFound) {
				s.Errorf("reading an absent %s: got %v, want ErrNotFound", absent.what, err)
			}
		}
		if _, err := r.AccountByEmail(s.id("nobody@example.org")); !errors.Is(err, as.ErrNotFound) {
			s.Errorf("reading an absent address: got %v, want ErrNotFound", err)
		}
		if _, err := r.ResourceInSpace(s.space(), s.resource()); !errors.Is(err, as.ErrNotFound) {
			s.Errorf("reading an absent resource of a space: got %v, want ErrNotFound", err)
		}
		return nil
	})
}

func emailsAreUnique(s *scene) {
	first := as.Account{ID: s.account(), Email: s.id("a@example.org"), Name: "first"}
	second := as.Account{ID: s.beside().account(), Email: s.id("b@example.org"), Name: "second"}
	s.update(func(tx as.Tx) error { return errors.Join(tx.InsertAccount(first), tx.InsertAccount(second)) })
	thief := as.Account{ID: s.beside().account(), Email: first.Email}
	moved := second
	moved.Email = first.Email
	s.update(func(tx as.Tx) error {
		if err := tx.InsertAccount(thief); !errors.Is(err, as.ErrExists) {
			s.Errorf("inserting an account with a taken address: got %v, want ErrExists", err)
		}
		if err := tx.UpdateAccount(moved); !errors.Is(err, as.ErrExists) {
			s.Errorf("moving an account to a taken address: got %v, want ErrExists", err)
		}
		first.Name = "renamed"
		return tx.UpdateAccount(first)
	})
	byEmail := func(email string) as.Account {
		return must(s, func(r as.Reader) (as.Account, error) { return r.AccountByEmail(email) })
	}
	same(s, "the first account", byEmail(first.Email), first)
	same(s, "the second account", byEmail(second.Email), second)
}

func sessionsHaveIDs(s *scene) {
	mine := as.Session{Digest: s.digest("session"), ID: s.session(), Account: s.account(), AuthTime: now.Add(-time.Minute), CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	other := as.Session{Digest: s.digest("other"), ID: s.beside().session(), Account: s.account()}
	thief := as.Session{Digest: s.digest("thief"), ID: mine.ID}
	s.update(func(tx as.Tx) error { return errors.Join(tx.InsertSession(mine), tx.InsertSession(other)) })
	s.refused(as.ErrExists, "a second session with the id", func(tx as.Tx) error { return tx.InsertSession(thief) })
	byID := func() (as.Session, error) {
		var got as.Session
		err := s.store.View(context.Background(), func(r as.Reader) (err error) {
			got, err = r.SessionByID(mine.ID)
			return err
		})
		return got, err
	}
	got, err := byID()
	if err != nil {
		s.Error(err)
	}
	same(s, "the session", got, mine)
	s.update(func(tx as.Tx) error { return tx.DeleteSession(mine.Digest) })
	if _, err := byID(); !errors.Is(err, as.ErrNotFound) {
		s.Errorf("a deleted session by its id: %v", err)
	}
	moved := mine
	moved.Digest = s.digest("moved")
	s.update(func(tx as.Tx) error { return tx.InsertSession(moved) })
	if got, err = byID(); err != nil {
		s.Error(err)
	}
	same(s, "the session under another digest", got, moved)
}

func oneRoleInASpace(s *scene) {
	other := s.beside()
	put := func(tx as.Tx, r as.Role) error { return tx.PutRole(r) }
	guardian := as.Role{Account: s.account(), Space: s.space(), Kind: as.RoleGuardian, EndsAt: now.AddDate(1, 0, 0), GrantedBy: other.account(), CreatedAt: now}
	s.update(func(tx as.Tx) error {
		for _, each := range []*scene{s, other} {
			err := errors.Join(tx.InsertSpace(as.Space{ID: each.space()}), tx.InsertAccount(as.Account{ID: each.account(), Email: each.id("@")}))
			if err != nil {
				return err
			}
		}
		return errors.Join(
			put(tx, as.Role{Account: s.account(), Space: s.space(), Kind: as.RoleOwner}),
			put(tx, as.Role{Account: s.account(), Space: other.space(), Kind: as.RoleDelegate}),
			put(tx, as.Role{Account: other.account(), Space: s.space(), Kind: as.RoleViewer}),
			put(tx, guardian),
		)
	})
	of := func() []as.Role {
		return must(s, func(r as.Reader) ([]as.Role, error) { return r.RolesOf(s.account()) })
	}
	in := func() []as.Role {
		return must(s, func(r as.Reader) ([]as.Role, error) { return r.RolesIn(s.space()) })
	}
	elsewhere := as.Role{Account: s.account(), Space: other.space(), Kind: as.RoleDelegate}
	viewer := as.Role{Account: other.account(), Space: s.space(), Kind: as.RoleViewer}
	same(s, "the role in the space", must(s, func(r as.Reader) (as.Role, error) { return r.Role(s.account(), s.space()) }), guardian)
	sameSet(s, "the roles of the account", of(), []as.Role{guardian, elsewhere})
	sameSet(s, "the roles in the space", in(), []as.Role{guardian, viewer})
	s.update(func(tx as.Tx) error { return tx.DeleteRole(s.account(), s.space()) })
	sameSet(s, "the roles of the account after one was deleted", of(), []as.Role{elsewhere})
	sameSet(s, "the roles in the space after one was deleted", in(), []as.Role{viewer})
	s.refused(as.ErrNotFound, "reading it", func(tx as.Tx) error { return errOf(tx.Role(s.account(), s.space())) })
	s.refused(as.ErrNotFound, "deleting it again", func(tx as.Tx) error { return tx.DeleteRole(s.account(), s.space()) })
}

func notNarrowedIsNotEmpty(s *scene) {
	for i, scopes := range [][]uma.Scope{nil, {}, {"view"}} {
		token := as.AccessToken{Digest: s.digest(string(rune('a' + i))), Scopes: scopes}
		s.update(func(tx as.Tx) error { return tx.InsertAccessToken(token) })
		got := must(s, func(r as.Reader) (as.AccessToken, error) { return r.AccessToken(token.Digest) })
		if (got.Scopes == nil) != (scopes == nil) || len(got.Scopes) != len(scopes) {
			s.Errorf("the scopes %#v are read back as %#v", scopes, got.Scopes)
		}
	}
}

func permissionsHaveAnOrder(s *scene) {
	want := []uma.ResourceID{"z", "a", "m", "a"}
	g := as.Grant{ID: s.grant(), Space: s.space()}
	for _, id := range want {
		g.Permissions = append(g.Permissions, as.Permission{Resource: id})
	}
	s.update(func(tx as.Tx) error { return tx.InsertGrant(g) })
	order := func(list []as.PermissionState) (got []uma.ResourceID) {
		for _, p := range list {
			got = append(got, p.Resource)
		}
		return got
	}
	read := s.state().Grant
	same(s, "the permissions", read.Permissions, g.Permissions)
	same(s, "their order", order(must(s, func(r as.Reader) ([]as.PermissionState, error) { return r.PermissionsOf(read) })), want)
}

// A sealed ticket that two show at the same time leads to a process at one node, and at
// once to a grant at another.
func processesAndGrantsShareIDs(s *scene) {
	process := func(tx as.Tx) error { return tx.InsertProcess(as.Process{ID: as.ProcessID(s.grant())}) }
	grant := func(tx as.Tx) error { return tx.InsertGrant(as.Grant{ID: s.grant()}) }
	issue := func(tx as.Tx) error {
		return tx.Issue(as.Grant{ID: s.grant()}, as.AccessToken{Digest: s.digest("access"), Grant: s.grant()})
	}
	for name, two := range map[string][2]func(as.Tx) error{
		"a process, then a grant": {process, grant}, "a grant, then a process": {grant, process},
		"a process, then a grant with its token": {process, issue}, "a grant with its token, then a process": {issue, process},
	} {
		own := s.beside()
		s.name = own.name
		s.update(two[0])
		s.refused(as.ErrExists, name, two[1])
		_, noProcess := s.readProcess()
		_, noGrant := s.readGrant()
		if errors.Is(noProcess, as.ErrNotFound) == errors.Is(noGrant, as.ErrNotFound) {
			s.Errorf("%s: the process: %v, the grant: %v", name, noProcess, noGrant)
		}
	}
	s.name = s.beside().name
	both := make(chan error, 2)
	for _, f := range []func(as.Tx) error{process, issue} {
		go func() { both <- s.try(f) }()
	}
	if first, second := <-both, <-both; (first == nil) == (second == nil) || !errors.Is(cmp.Or(first, second), as.ErrExists) {
		s.Errorf("of both at the same time: %v, %v", first, second)
	}
}

func (s *scene) readProcess() (p as.Process, err error) {
	s.view(func(r as.Reader) error {
		p, err = r.Process(as.ProcessID(s.grant()))
		return nil
	})
	return p, err
}

func (s *scene) readGrant() (g as.GrantState, err error) {
	s.view(func(r as.Reader) error {
		g, err = r.GrantState(s.grant())
		return nil
	})
	return g, err
}

func sharesHaveLinks(s *scene) {
	linked, plain, thief := s.aShare(1), s.aShare(1), s.aShare(1)
	linked.Link, linked.LinkDigest = true, s.digest("link")
	plain.ID, thief.ID, thief.LinkDigest = policy.ShareID(s.id("plain")), policy.ShareID(s.id("thief")), s.digest("link")
	s.update(func(tx as.Tx) error { return errors.Join(tx.InsertShare(linked), tx.InsertShare(plain)) })
	s.refused(as.ErrExists, "a second share with the link", func(tx as.Tx) error { return tx.InsertShare(thief) })
	same(s, "the share", must(s, func(r as.Reader) (as.Share, error) { return r.ShareByLink(s.digest("link")) }), linked)
	for what, none := range map[string]as.Digest{"no link": nil, "an empty link": {}, "another link": s.digest("other")} {
		s.refused(as.ErrNotFound, what, func(tx as.Tx) error { return errOf(tx.ShareByLink(none)) })
	}
	changed := linked
	changed.Version, changed.LinkDigest = 2, nil
	s.update(func(tx as.Tx) error { return tx.UpdateShare(changed) })
	must(s, func(r as.Reader) (as.Share, error) { return r.ShareByLink(s.digest("link")) })
	s.update(func(tx as.Tx) error { return tx.DeleteShare(s.space(), s.share()) })
	s.refused(as.ErrNotFound, "the link of a deleted share", func(tx as.Tx) error { return errOf(tx.ShareByLink(s.digest("link"))) })
}
