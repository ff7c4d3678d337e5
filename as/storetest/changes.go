package storetest

import (
	"errors"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

var changes = []rule{
	{"an update replaces what it names and nothing else", updatesReplace},
	{"an update or deletion of what is not there is not found", absentIsNotChanged},
	{"a deletion takes one record", deletionsTakeOne},
	{"a withdrawal of a space raises its generation by one", spacesAreBumped},
	{"a revocation stays at its first time", revocationsKeepTheirTime},
	{"a grant that is superseded is revoked and names its successor", supersedingNamesTheSuccessor},
	{"the resources of one server in one space are bumped together", resourcesAreBumped},
	{"a process is bound to one client", processesAreBoundOnce},
	{"a share is replaced only at its next version", sharesHaveVersions},
	{"a request is decided once", requestsAreDecidedOnce},
	{"a request that was set aside is decided once", asideIsDecidedOnce},
	{"a party is blocked through one client or through every one", blocksAreOfAParty},
	{"an import goes on from where it is", importsGoOn},
	{"a group is deleted with its members, and with nobody else", groupsAreDeletedWhole},
	{"the shares of a deregistered resource are dormant", deregistrationMakesDormant},
	{"a deleted client leaves nothing to the next of its id", deletedClientsLeaveNothing},
	{"what a deleted client registered is deregistered", deletedClientsProtectNothing},
	{"the spaces of a client are those that it is in, once each", clientsAreInSpaces},
	{"a client has one registration", oneRegistrationOfAClient},
}

func updatesReplace(s *scene) {
	before, untouched := fillers["full"], s.beside()
	others := untouched.recordsOf(before)
	s.insertAll(s.recordsOf(before))
	untouched.insertAll(others)
	for _, how := range []string{"full, the other booleans", "empty lists", "zero"} {
		f := fillers[how]
		after := s.changed(f)
		s.update(func(tx as.Tx) error {
			for _, r := range after {
				if err := r.insert(tx); err != nil {
					s.Errorf("updating the %s: %v", r.what, err)
				}
			}
			return nil
		})
		s.readAll(after)
		untouched.readAll(others)
		if s.Failed() {
			s.Fatalf("the records were filled like this: %s", how)
		}
	}
}

// changed makes records that differ from those that are stored in everything
// that an update may change.
func (s *scene) changed(f filler) []record {
	old := struct {
		account      as.Account
		resource     as.Resource
		share        as.Share
		process      as.Process
		key          as.SigningKey
		registration as.RegistrationRecord
	}{
		must(s, func(r as.Reader) (as.Account, error) { return r.Account(s.account()) }),
		must(s, func(r as.Reader) (as.Resource, error) { return r.Resource(s.space(), s.server(), s.resource()) }),
		must(s, func(r as.Reader) (as.Share, error) { return r.Share(s.space(), s.share()) }),
		must(s, func(r as.Reader) (as.Process, error) { return r.Process(s.process()) }),
		must(s, s.key),
		must(s, func(r as.Reader) (as.RegistrationRecord, error) {
			return r.RegistrationRecord(s.digest("registration"))
		}),
	}
	return []record{
		a("account", f, func(v *as.Account) {
			v.ID, v.Email, v.CreatedAt = s.account(), s.id(v.Email+"@new.example.org"), old.account.CreatedAt
		}, as.Tx.UpdateAccount, func(r as.Reader) (as.Account, error) { return r.Account(s.account()) }),
		a("client", f, func(v *oauth.Client) { v.ID = s.client() }, as.Tx.UpdateClient,
			func(r as.Reader) (oauth.Client, error) { return r.Client(s.client()) }),
		a("registration", f, func(v *as.RegistrationRecord) {
			v.Digest, v.Client, v.Scopes, v.CreatedAt = s.digest("registration"), s.client(), old.registration.Scopes, old.registration.CreatedAt
		}, as.Tx.UpdateRegistration, func(r as.Reader) (as.RegistrationRecord, error) {
			return r.RegistrationRecord(s.digest("registration"))
		}),
		a("resource", f, func(v *as.Resource) {
			v.ID, v.Space, v.ResourceServer, v.CreatedAt = s.resource(), s.space(), s.server(), old.resource.CreatedAt
		}, as.Tx.UpdateResource, func(r as.Reader) (as.Resource, error) { return r.Resource(s.space(), s.server(), s.resource()) }),
		a("share", f, func(v *as.Share) {
			v.ID, v.Space, v.Version = s.share(), s.space(), old.share.Version+1
			v.CreatedAt, v.CreatedBy, v.LinkDigest = old.share.CreatedAt, old.share.CreatedBy, old.share.LinkDigest
		}, as.Tx.UpdateShare, func(r as.Reader) (as.Share, error) { return r.Share(s.space(), s.share()) }),
		a("process", f, func(v *as.Process) {
			v.ID, v.Space, v.ResourceServer, v.CreatedAt = s.process(), old.process.Space, old.process.ResourceServer, old.process.CreatedAt
		}, as.Tx.UpdateProcess, func(r as.Reader) (as.Process, error) { return r.Process(s.process()) }),
		a("signing key", f, func(v *as.SigningKey) {
			v.ID, v.Sealed, v.CreatedAt = s.id("key"), []byte{9}, old.key.CreatedAt
		}, as.Tx.UpdateSigningKey, s.key),
	}
}

// onAbsent are the verbs that need what they name.
func (s *scene) onAbsent() map[string]func(as.Tx) error {
	return map[string]func(as.Tx) error{
		"BumpSpace":        func(tx as.Tx) error { return tx.BumpSpace(s.space()) },
		"UpdateAccount":    func(tx as.Tx) error { return tx.UpdateAccount(as.Account{ID: s.account(), Email: s.id("@")}) },
		"DeleteRole":       func(tx as.Tx) error { return tx.DeleteRole(s.account(), s.space()) },
		"UsePasskey":       func(tx as.Tx) error { return tx.UsePasskey(s.digest("passkey"), 1<<50, false, now) },
		"DeletePasskey":    func(tx as.Tx) error { return tx.DeletePasskey(s.account(), s.digest("passkey")) },
		"DeleteIdentity":   func(tx as.Tx) error { return tx.DeleteIdentity(s.account(), s.id("issuer"), s.id("subject")) },
		"TakeInvitation":   func(tx as.Tx) error { return errOf(tx.TakeInvitation(s.invitation(), s.id("@"), now)) },
		"DeleteInvitation": func(tx as.Tx) error { return tx.DeleteInvitation(s.space(), s.invitation()) },
		"DeleteSession":    func(tx as.Tx) error { return tx.DeleteSession(s.digest("session")) },
		"DeleteMessage":    func(tx as.Tx) error { return tx.DeleteMessage(s.message()) },
		"ClaimMessage":     func(tx as.Tx) error { return tx.ClaimMessage(s.message(), now, now) },
		"UpdateClient":     func(tx as.Tx) error { return tx.UpdateClient(oauth.Client{ID: s.client()}) },
		"DeleteClient":     func(tx as.Tx) error { return tx.DeleteClient(s.client(), now) },
		"UpdateRegistration": func(tx as.Tx) error {
			return tx.UpdateRegistration(as.RegistrationRecord{Digest: s.digest("registration")})
		},
		"UpdateResource":    func(tx as.Tx) error { return tx.UpdateResource(s.aResource()) },
		"DeleteResource":    func(tx as.Tx) error { return tx.DeleteResource(s.space(), s.server(), s.resource(), now) },
		"UpdateShare":       func(tx as.Tx) error { return tx.UpdateShare(s.aShare(1)) },
		"DeleteShare":       func(tx as.Tx) error { return tx.DeleteShare(s.space(), s.share()) },
		"RenameGroup":       func(tx as.Tx) error { return tx.RenameGroup(s.space(), s.group(), "another") },
		"DeleteGroup":       func(tx as.Tx) error { return tx.DeleteGroup(s.space(), s.group()) },
		"DeleteBlock":       func(tx as.Tx) error { return tx.DeleteBlock(s.space(), s.block()) },
		"DeleteMember":      func(tx as.Tx) error { return tx.DeleteMember(s.space(), s.group(), s.member()) },
		"UpdateProcess":     func(tx as.Tx) error { return tx.UpdateProcess(as.Process{ID: s.process()}) },
		"BindProcess":       func(tx as.Tx) error { return tx.BindProcess(s.process(), s.client()) },
		"RevokeGrant":       func(tx as.Tx) error { return tx.RevokeGrant(s.grant(), now) },
		"SupersedeGrant":    func(tx as.Tx) error { return tx.SupersedeGrant(s.grant(), "another", now) },
		"RevokeAccessToken": func(tx as.Tx) error { return tx.RevokeAccessToken(s.digest("access"), now) },
		"DecideRequest": func(tx as.Tx) error {
			return tx.DecideRequest(as.Request{ID: s.request(), Space: s.space(), Status: as.RequestDenied})
		},
		"UpdateSigningKey": func(tx as.Tx) error { return tx.UpdateSigningKey(as.SigningKey{ID: s.id("key"), Sealed: []byte{1}}) },
		"AdvanceImported":  func(tx as.Tx) error { return tx.AdvanceImported(as.Imported{Name: s.id("import")}, 0) },
	}
}

func absentIsNotChanged(s *scene) {
	other := s.beside()
	there := other.recordsOf(fillers["full"])
	other.insertAll(there)
	s.update(func(tx as.Tx) error {
		for verb, act := range s.onAbsent() {
			if err := act(tx); !errors.Is(err, as.ErrNotFound) {
				s.Errorf("%s of what is not there: got %v, want ErrNotFound", verb, err)
			}
		}
		return nil
	})
	other.readAll(there)
}

func deletionsTakeOne(s *scene) {
	other := s.beside()
	f := fillers["full"]
	gone := map[string]func(as.Tx) error{
		"session": s.onAbsent()["DeleteSession"], "client": s.onAbsent()["DeleteClient"],
		"message": s.onAbsent()["DeleteMessage"], "passkey": s.onAbsent()["DeletePasskey"], "identity": s.onAbsent()["DeleteIdentity"],
		"member": s.onAbsent()["DeleteMember"], "block": s.onAbsent()["DeleteBlock"],
		"share": s.onAbsent()["DeleteShare"], "resource": s.onAbsent()["DeleteResource"],
	}
	s.insertAll(s.recordsOf(f))
	others := other.recordsOf(f)
	other.insertAll(others)
	var kept []record
	for _, r := range s.recordsOf(f) {
		if r.what == "participant" || r.what == "registration" {
			continue // it goes with the client
		}
		if remove := gone[r.what]; remove == nil {
			kept = append(kept, r)
		} else {
			s.update(remove)
			s.refused(as.ErrNotFound, "deleting the "+r.what+" again", remove)
			s.refused(as.ErrNotFound, "reading the deleted "+r.what, func(tx as.Tx) error {
				_, err := r.read(tx)
				return err
			})
		}
	}
	s.readAll(kept)
	other.readAll(others)
}

func spacesAreBumped(s *scene) {
	other := s.beside()
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertSpace(as.Space{ID: s.space(), Generation: 7}), tx.InsertSpace(as.Space{ID: other.space(), Generation: 7}),
			tx.BumpSpace(s.space()), tx.BumpSpace(s.space()))
	})
	generation := func(id as.SpaceID) int64 {
		return must(s, func(r as.Reader) (as.Space, error) { return r.Space(id) }).Generation
	}
	if bumped, left := generation(s.space()), generation(other.space()); bumped != 9 || left != 7 {
		s.Errorf("the generations are %d and %d, want 9 and 7", bumped, left)
	}
}

func revocationsKeepTheirTime(s *scene) {
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertGrant(as.Grant{ID: s.grant()}), tx.InsertAccessToken(as.AccessToken{Digest: s.digest("access"), Grant: s.grant()}))
	})
	for _, at := range []time.Time{now, now.Add(time.Hour)} {
		s.update(func(tx as.Tx) error {
			return errors.Join(tx.RevokeGrant(s.grant(), at), tx.RevokeAccessToken(s.digest("access"), at))
		})
	}
	same(s, "the time of the grant's revocation",
		must(s, func(r as.Reader) (as.GrantState, error) { return r.GrantState(s.grant()) }).RevokedAt, now)
	same(s, "the time of the token's revocation",
		must(s, func(r as.Reader) (as.AccessToken, error) { return r.AccessToken(s.digest("access")) }).RevokedAt, now)
}

func supersedingNamesTheSuccessor(s *scene) {
	old, next, other := s.grant(), as.GrantID(s.id("next")), as.GrantID(s.id("other"))
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertGrant(as.Grant{ID: old}), tx.InsertGrant(as.Grant{ID: next}), tx.InsertGrant(as.Grant{ID: other}),
			tx.SupersedeGrant(old, next, now))
	})
	for _, want := range []as.Grant{{ID: old, RevokedAt: now, Successor: next}, {ID: next}, {ID: other}} {
		same(s, "a grant", must(s, func(r as.Reader) (as.GrantState, error) { return r.GrantState(want.ID) }).Grant, want)
	}
}

func resourcesAreBumped(s *scene) {
	other := s.beside()
	mine, elsewhere, hers := s.aResource(), s.aResource(), other.aResource()
	elsewhere.ID, elsewhere.ResourceServer = uma.ResourceID(s.id("elsewhere")), other.server()
	hers.ResourceServer = s.server()
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertResource(mine), tx.InsertResource(elsewhere), tx.InsertResource(hers),
			tx.BumpResources(s.space(), s.server()), tx.BumpResources(s.space(), "nobody"))
	})
	mine.Generation++
	for _, want := range []as.Resource{mine, elsewhere, hers} {
		same(s, "a resource", must(s, func(r as.Reader) (as.Resource, error) { return r.ResourceInSpace(want.Space, want.ID) }), want)
	}
}

func processesAreBoundOnce(s *scene) {
	s.update(func(tx as.Tx) error { return tx.InsertProcess(as.Process{ID: s.process(), Subject: "kept"}) })
	for range 2 {
		s.update(func(tx as.Tx) error { return tx.BindProcess(s.process(), s.client()) })
	}
	s.refused(as.ErrNotFound, "binding to another client", func(tx as.Tx) error { return tx.BindProcess(s.process(), "another") })
	same(s, "the process", must(s, func(r as.Reader) (as.Process, error) { return r.Process(s.process()) }),
		as.Process{ID: s.process(), Client: s.client(), Subject: "kept"})
}

// aShare and aResource are plain records of the scene.
func (s *scene) aShare(version int64) as.Share {
	return as.Share{
		Share: policy.Share{ID: s.share(), Resource: s.resource(), Purpose: "first"},
		Space: s.space(), ResourceServer: s.server(), Version: version, Generation: 1,
	}
}

func (s *scene) aResource() as.Resource {
	f := fillers["full"]
	return as.Resource{ID: s.resource(), Space: s.space(), ResourceServer: s.server(), Description: f.description(), Generation: 1}
}

func sharesHaveVersions(s *scene) {
	s.update(func(tx as.Tx) error { return tx.InsertShare(s.aShare(4)) })
	for _, wrong := range []int64{0, 3, 4, 6} {
		s.refused(as.ErrNotFound, "replacing version 4 by the wrong version", func(tx as.Tx) error { return tx.UpdateShare(s.aShare(wrong)) })
	}
	next := s.aShare(5)
	next.Purpose = "second"
	s.update(func(tx as.Tx) error { return tx.UpdateShare(next) })
	same(s, "the share", must(s, func(r as.Reader) (as.Share, error) { return r.Share(s.space(), s.share()) }), next)
}

func requestsAreDecidedOnce(s *scene) {
	f := fillers["full"]
	var asked as.Request
	f.fill(&asked)
	asked.ID, asked.Space, asked.Status = s.request(), s.space(), as.RequestPending
	s.update(func(tx as.Tx) error { return tx.InsertRequest(asked) })
	var decided as.Request // everything else of it is not for DecideRequest to write
	f.fill(&decided)
	decided.ID, decided.Space, decided.Status = s.request(), s.space(), as.RequestApproved
	decided.Subject, decided.Permissions = "somebody else", nil
	s.update(func(tx as.Tx) error { return tx.DecideRequest(decided) })
	asked.Status, asked.Granted, asked.Shares = decided.Status, decided.Granted, decided.Shares
	asked.DecidedBy, asked.DecidedAt = decided.DecidedBy, decided.DecidedAt
	decided.Status = as.RequestDenied
	s.refused(as.ErrNotFound, "deciding again", func(tx as.Tx) error { return tx.DecideRequest(decided) })
	same(s, "the request", must(s, func(r as.Reader) (as.Request, error) { return r.Request(s.space(), s.request()) }), stored(asked))
}

func deregistrationMakesDormant(s *scene) {
	long := now.Add(-time.Hour)
	inForce, dormant, other := s.aShare(1), s.aShare(1), s.aShare(1)
	dormant.ID, dormant.DormantSince = policy.ShareID(s.id("dormant")), long
	other.ID, other.Resource = policy.ShareID(s.id("other")), "another resource"
	elsewhere := s.aShare(1)
	elsewhere.ID, elsewhere.Space = policy.ShareID(s.id("elsewhere")), s.beside().space()
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertResource(s.aResource()), tx.InsertShare(inForce), tx.InsertShare(dormant), tx.InsertShare(other), tx.InsertShare(elsewhere))
	})
	on := func() []as.Share {
		return must(s, func(r as.Reader) ([]as.Share, error) { return r.SharesOn(s.space(), s.resource()) })
	}
	sameSet(s, "the shares in force", on(), []as.Share{inForce})
	s.update(func(tx as.Tx) error { return tx.DeleteResource(s.space(), s.server(), s.resource(), now) })
	sameSet(s, "the shares in force after deregistration", on(), nil)
	inForce.DormantSince = now
	all := must(s, func(r as.Reader) ([]as.Share, error) { return r.Shares(s.space(), as.Page{Limit: 10}) })
	sameSet(s, "all shares of the space", all, []as.Share{inForce, dormant, other})
	same(s, "the share in another space",
		must(s, func(r as.Reader) (as.Share, error) { return r.Share(elsewhere.Space, elsewhere.ID) }), elsewhere)
}

// A client that is registered under the id of one that was deleted has nothing of
// that one's.
//
// Proves SEC-027.
func deletedClientsLeaveNothing(s *scene) {
	other, f := s.beside(), fillers["full"]
	belongs := func(tx as.Tx, of *scene) error {
		return errors.Join(
			tx.InsertClient(oauth.Client{ID: of.client()}),
			tx.InsertRegistration(as.RegistrationRecord{Digest: of.digest("registration"), Client: of.client()}),
			tx.InsertProcess(as.Process{ID: of.process(), Client: of.client()}),
			tx.InsertTicket(as.Ticket{Digest: of.digest("ticket"), Process: of.process(), ExpiresAt: now}),
			tx.InsertInteraction(as.Interaction{Digest: of.digest("interaction"), Client: of.client(), ExpiresAt: now}),
			tx.InsertParticipant(of.session(), of.client()),
			tx.InsertMessage(as.Message{ID: of.message(), Kind: as.MessageLogout, Recipient: string(of.client())}),
			tx.InsertPushedRequest(as.PushedRequest{Digest: of.digest("pushed"), Client: of.client(), ExpiresAt: now}),
			tx.InsertCode(as.Code{Digest: of.digest("code"), Client: of.client(), ExpiresAt: now}),
			tx.InsertGrant(as.Grant{ID: of.grant(), Client: of.client()}),
			tx.Issue(as.Grant{ID: of.issued(), Client: of.client(), Renewable: true, Permissions: []as.Permission{{Share: of.share()}}},
				as.AccessToken{Digest: of.digest("issued"), Grant: of.issued(), ExpiresAt: now}),
			tx.InsertAccessToken(as.AccessToken{Digest: of.digest("access"), Grant: of.grant(), ExpiresAt: now}),
			tx.InsertRefreshToken(as.RefreshToken{Digest: of.digest("refresh"), Grant: of.grant(), ExpiresAt: now}),
			tx.InsertPCT(as.PCT{Digest: of.digest("pct"), Client: of.client(), ExpiresAt: now}),
		)
	}
	s.update(func(tx as.Tx) error { return errors.Join(belongs(tx, s), belongs(tx, other)) })
	s.update(func(tx as.Tx) error { return tx.DeleteClient(s.client(), now) })
	s.update(func(tx as.Tx) error { return tx.InsertClient(oauth.Client{ID: s.client()}) })
	inherits := map[string]bool{
		"process": true, "ticket": true, "interaction": true, "code": true, "pushed request": true, "participant": true, "message": true, "grant": true,
		"access token": true, "refresh token": true, "issued grant": true, "PCT": true, "registration": true,
	}
	s.view(func(r as.Reader) error {
		for _, mine := range s.recordsOf(f) {
			if _, err := mine.read(r); inherits[mine.what] && !errors.Is(err, as.ErrNotFound) {
				s.Errorf("the %s of a deleted client: got %v, want ErrNotFound", mine.what, err)
			}
		}
		for _, theirs := range other.recordsOf(f) {
			if _, err := theirs.read(r); inherits[theirs.what] && err != nil {
				s.Errorf("the %s of another client: %v", theirs.what, err)
			}
		}
		return nil
	})
}

// A resource server that is deleted protects nothing any more: its resources are
// not registered, in whatever space, and the shares on them are dormant.
func deletedClientsProtectNothing(s *scene) {
	elsewhere, other := s.beside(), s.beside()
	mine, hers, kept := s.aResource(), elsewhere.aResource(), other.aResource()
	hers.ResourceServer, kept.Space = s.server(), s.space()
	shares := []as.Share{s.aShare(1), elsewhere.aShare(1), other.aShare(1)}
	shares[1].ResourceServer, shares[2].Space = s.server(), s.space()
	long := s.aShare(1)
	long.ID, long.DormantSince = policy.ShareID(s.id("dormant")), now.Add(-time.Hour)
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertClient(oauth.Client{ID: s.server()}), tx.InsertClient(oauth.Client{ID: other.server()}),
			tx.InsertResource(mine), tx.InsertResource(hers), tx.InsertResource(kept),
			tx.InsertShare(shares[0]), tx.InsertShare(shares[1]), tx.InsertShare(shares[2]), tx.InsertShare(long),
			tx.InsertGrant(s.aGrant()))
	})
	s.update(func(tx as.Tx) error { return tx.DeleteClient(s.server(), now) })
	for _, gone := range []as.Resource{mine, hers} {
		s.refused(as.ErrNotFound, "reading a resource of a deleted server", func(tx as.Tx) error {
			_, err := tx.ResourceInSpace(gone.Space, gone.ID)
			return err
		})
	}
	same(s, "the resource of another server", must(s, func(r as.Reader) (as.Resource, error) { return r.ResourceInSpace(kept.Space, kept.ID) }), kept)
	shares[0].DormantSince, shares[1].DormantSince = now, now
	for _, want := range append(shares, long) {
		same(s, "a share", must(s, func(r as.Reader) (as.Share, error) { return r.Share(want.Space, want.ID) }), want)
	}
}

func clientsAreInSpaces(s *scene) {
	other := s.beside()
	spaces := func() []as.SpaceID {
		return must(s, func(r as.Reader) ([]as.SpaceID, error) { return r.SpacesWith(s.client()) })
	}
	grant := func(id string, kind as.GrantKind, space as.SpaceID, of oauth.ClientID) as.Grant {
		return as.Grant{ID: as.GrantID(s.id(id)), Kind: kind, Space: space, Client: of}
	}
	at := s.aResource()
	at.ResourceServer = s.client()
	s.update(func(tx as.Tx) error {
		return errors.Join(
			tx.InsertResource(at), tx.InsertGrant(grant("same", as.GrantOAuth, s.space(), s.client())),
			tx.InsertGrant(grant("connected", as.GrantOAuth, other.space(), s.client())),
			tx.InsertGrant(grant("nowhere", as.GrantOAuth, "", s.client())),
			tx.InsertGrant(grant("rpt", as.GrantUMA, as.SpaceID(s.id("rpt")), s.client())),
			tx.InsertGrant(grant("other", as.GrantOAuth, as.SpaceID(s.id("other")), other.client())))
	})
	sameSet(s, "the spaces", spaces(), []as.SpaceID{s.space(), other.space()})
	s.update(func(tx as.Tx) error { return tx.RevokeGrant(as.GrantID(s.id("connected")), now) })
	sameSet(s, "the spaces after a revocation", spaces(), []as.SpaceID{s.space()})
}

func oneRegistrationOfAClient(s *scene) {
	insert := func(what string) func(tx as.Tx) error {
		return func(tx as.Tx) error {
			return tx.InsertRegistration(as.RegistrationRecord{Digest: s.digest(what), Client: s.client()})
		}
	}
	s.update(insert("first"))
	s.refused(as.ErrExists, "a second registration of the client", insert("second"))
}

func importsGoOn(s *scene) {
	begun := as.Imported{Name: s.id("import"), Rows: 7, Chain: []byte{7}, CreatedAt: now}
	further := as.Imported{Name: begun.Name, Rows: 9, Chain: []byte{9}, CreatedAt: now}
	read := func() as.Imported {
		return must(s, func(r as.Reader) (as.Imported, error) { return r.Imported(begun.Name) })
	}
	s.update(func(tx as.Tx) error { return tx.InsertImported(begun) })
	for _, after := range []int64{0, 6, 8, 9} {
		s.refused(as.ErrNotFound, "going on from elsewhere", func(tx as.Tx) error { return tx.AdvanceImported(further, after) })
	}
	same(s, "an import that did not go on", read(), begun)
	s.update(func(tx as.Tx) error { return tx.AdvanceImported(further, 7) })
	same(s, "an import that went on", read(), further)
}

func groupsAreDeletedWhole(s *scene) {
	other := s.beside()
	group := func(id policy.GroupID) as.Group {
		return as.Group{ID: id, Space: s.space(), Name: "family", CreatedAt: now}
	}
	member := func(id string, group policy.GroupID, email string) as.Member {
		return as.Member{ID: as.MemberID(s.id(id)), Space: s.space(), Group: group, Email: email, CreatedAt: now}
	}
	gone, stays := group(s.group()), group(other.group())
	bob, carlos, elsewhere := member("1", gone.ID, "bob"), member("2", gone.ID, "carlos"), member("3", stays.ID, "bob")
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertGroup(gone), tx.InsertGroup(stays), tx.InsertMember(bob), tx.InsertMember(carlos), tx.InsertMember(elsewhere))
	})
	again := bob
	again.ID = as.MemberID(s.id("4"))
	s.refused(as.ErrExists, "an address that the group has", func(tx as.Tx) error { return tx.InsertMember(again) })
	same(s, "a member by its address",
		must(s, func(r as.Reader) (as.Member, error) { return r.MemberByEmail(s.space(), gone.ID, "carlos") }), carlos)
	for what, read := range map[string]func(as.Reader) (as.Member, error){
		"a member of another space": func(r as.Reader) (as.Member, error) { return r.MemberByEmail(other.space(), gone.ID, "carlos") },
		"a member of another group": func(r as.Reader) (as.Member, error) { return r.MemberByEmail(s.space(), stays.ID, "carlos") },
		"the member of no address":  func(r as.Reader) (as.Member, error) { return r.MemberByEmail(s.space(), gone.ID, "") },
	} {
		s.refused(as.ErrNotFound, what, func(tx as.Tx) error { return errOf(read(tx)) })
	}
	s.refused(as.ErrNotFound, "deleting the group of another space", func(tx as.Tx) error { return tx.DeleteGroup(other.space(), gone.ID) })
	s.refused(as.ErrNotFound, "deleting a member through another group", func(tx as.Tx) error { return tx.DeleteMember(s.space(), stays.ID, bob.ID) })
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.RenameGroup(s.space(), stays.ID, "choir"), tx.DeleteGroup(s.space(), gone.ID))
	})
	stays.Name = "choir"
	everything := as.Page{Limit: 10}
	sameSet(s, "the groups", must(s, func(r as.Reader) ([]as.Group, error) { return r.Groups(s.space(), everything) }), []as.Group{stays})
	none(s, "members of the deleted group")(must(s, func(r as.Reader) ([]as.Member, error) { return r.Members(s.space(), gone.ID, everything) }), nil)
	sameSet(s, "the members of the other", must(s, func(r as.Reader) ([]as.Member, error) { return r.Members(s.space(), stays.ID, everything) }), []as.Member{elsewhere})
}

func asideIsDecidedOnce(s *scene) {
	q := as.Request{ID: s.request(), Space: s.space(), Client: s.client(), Subject: "bob", Status: as.RequestPending}
	s.update(func(tx as.Tx) error { return tx.InsertRequest(q) })
	decide := func(status as.RequestStatus) func(as.Tx) error {
		return func(tx as.Tx) error {
			q.Status = status
			return tx.DecideRequest(q)
		}
	}
	s.update(decide(as.RequestAside))
	s.update(decide(as.RequestAside))
	s.update(decide(as.RequestApproved))
	for _, late := range []as.RequestStatus{as.RequestAside, as.RequestDenied, as.RequestPending} {
		s.refused(as.ErrNotFound, "deciding again", decide(late))
	}
	if got := must(s, func(r as.Reader) (as.Request, error) { return r.Request(s.space(), s.request()) }); got.Status != as.RequestApproved {
		s.Errorf("the request is %s", got.Status)
	}
}

func blocksAreOfAParty(s *scene) {
	block := func(what, client, subject string) as.Block {
		return as.Block{ID: as.BlockID(s.id(what)), Space: s.space(), Client: oauth.ClientID(client), Subject: subject, CreatedAt: now}
	}
	bob, carlos, other := block("1", "c", "bob"), block("2", "", "carlos"), block("3", "", "dave")
	other.Space = s.beside().space()
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertBlock(bob), tx.InsertBlock(carlos), tx.InsertBlock(other))
	})
	s.refused(as.ErrExists, "blocking a party again", func(tx as.Tx) error { return tx.InsertBlock(block("4", "c", "bob")) })
	for _, c := range []struct {
		space           as.SpaceID
		client, subject string
		want            bool
	}{
		{s.space(), "c", "bob", true}, {s.space(), "d", "bob", false}, {s.space(), "c", "carlos", true}, {s.space(), "d", "carlos", true},
		{s.space(), "c", "dave", false}, {other.Space, "c", "bob", false}, {other.Space, "c", "dave", true}, {s.space(), "c", "", false},
	} {
		if got := must(s, func(r as.Reader) (bool, error) { return r.Blocked(c.space, oauth.ClientID(c.client), c.subject) }); got != c.want {
			s.Errorf("%s through %s is blocked: %v", c.subject, c.client, got)
		}
	}
	s.refused(as.ErrNotFound, "deleting the block of another space", func(tx as.Tx) error { return tx.DeleteBlock(s.space(), other.ID) })
	s.update(func(tx as.Tx) error { return tx.DeleteBlock(s.space(), carlos.ID) })
	sameSet(s, "the blocks", must(s, func(r as.Reader) ([]as.Block, error) { return r.Blocks(s.space(), as.Page{Limit: 10}) }), []as.Block{bob})
}
