package storetest

import (
	"errors"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
)

var sweeping = []rule{
	{"a sweep deletes what has ended and nothing that lives", sweepsDeleteWhatEnded},
	{"a sweep is bounded, and the last one finds nothing", sweepsAreBounded},
	{"a grant is swept with all that finds it, however few at a time", grantsAreSweptWithWhatFindsThem},
	{"the end of a grant can be put off, and nothing is swept before it", grantsAreKept},
}

// swept are the kinds of record that a sweep deletes; the others have no end.
var swept = map[string]bool{
	"session": true, "participant": true, "mail code": true, "invitation": true, "message": true, "ticket": true, "process": true, "interaction": true, "code": true, "pushed request": true, "grant": true, "access token": true,
	"refresh token": true, "issued grant": true, "PCT": true, "share": true, "signing key": true,
}

// insertEnding writes a record of each kind; those that have an end have it at
// that time.
func (s *scene) insertEnding(tx as.Tx, at time.Time) error {
	created := at.Add(-time.Hour)
	return errors.Join(
		tx.InsertSpace(as.Space{ID: s.space()}),
		tx.InsertAccount(as.Account{ID: s.account(), Email: s.id("@")}),
		tx.InsertResource(s.aResource()),
		tx.InsertBlock(as.Block{ID: s.block(), Space: s.space(), CreatedAt: created}),
		tx.InsertGroup(as.Group{ID: s.group(), Space: s.space()}),
		tx.InsertMember(as.Member{ID: s.member(), Space: s.space(), Group: s.group()}),
		tx.InsertRequest(as.Request{ID: s.request(), Space: s.space(), CreatedAt: created, DecidedAt: created}),
		tx.AppendEvent(as.Event{Space: s.space(), Seq: 1, At: created, Hash: []byte{1}}),
		tx.InsertImported(as.Imported{Name: s.id("import"), CreatedAt: created}),
		tx.InsertRegistration(as.RegistrationRecord{Digest: s.digest("registration"), Client: s.client(), CreatedAt: created}),

		tx.InsertSession(as.Session{Digest: s.digest("session"), ID: s.session(), ExpiresAt: at}),
		tx.InsertParticipant(s.session(), s.client()),
		tx.PutMailCode(as.MailCode{Digest: s.digest("mail code"), ExpiresAt: at}),
		tx.InsertPasskey(as.Passkey{ID: s.digest("passkey"), Account: s.account(), CreatedAt: created, UsedAt: created}),
		tx.InsertIdentity(as.Identity{Issuer: s.id("issuer"), Subject: s.id("subject"), Account: s.account(), CreatedAt: created}),
		tx.InsertInvitation(as.Invitation{ID: s.invitation(), ExpiresAt: at}),
		tx.InsertMessage(as.Message{ID: s.message(), ExpiresAt: at}),
		tx.InsertProcess(as.Process{ID: s.process(), ExpiresAt: at}),
		tx.InsertTicket(as.Ticket{Digest: s.digest("ticket"), ExpiresAt: at}),
		tx.InsertInteraction(as.Interaction{Digest: s.digest("interaction"), ExpiresAt: at}),
		tx.InsertCode(as.Code{Digest: s.digest("code"), ExpiresAt: at}),
		tx.InsertPushedRequest(as.PushedRequest{Digest: s.digest("pushed"), ExpiresAt: at}),
		tx.InsertGrant(as.Grant{ID: s.grant(), CreatedAt: created, EndsAt: at}),
		tx.Issue(as.Grant{ID: s.issued(), CreatedAt: created, EndsAt: at}, as.AccessToken{Digest: s.digest("issued"), Grant: s.issued(), ExpiresAt: at}),
		tx.InsertAccessToken(as.AccessToken{Digest: s.digest("access"), Grant: s.grant(), ExpiresAt: at}),
		tx.InsertRefreshToken(as.RefreshToken{Digest: s.digest("refresh"), Grant: s.grant(), ExpiresAt: at}),
		tx.InsertPCT(as.PCT{Digest: s.digest("pct"), ExpiresAt: at}),
		tx.InsertShare(as.Share{Share: policy.Share{ID: s.share()}, Space: s.space(), DormantSince: at}),
		tx.InsertSigningKey(as.SigningKey{ID: s.id("key"), Sealed: []byte{1}, ExpiresAt: at}),
	)
}

// remains checks which of the scene's records are there.
func (s *scene) remains(want func(what string) bool) {
	s.Helper()
	s.view(func(r as.Reader) error {
		for _, one := range s.recordsOf(filler{zero: true}) {
			if one.what == "client" {
				continue
			}
			_, err := one.read(r)
			if err != nil && !errors.Is(err, as.ErrNotFound) {
				return err
			}
			if there := err == nil; there != want(one.what) {
				s.Errorf("the %s is there: %v", one.what, there)
			}
		}
		return nil
	})
}

func (s *scene) sweep(before time.Time, limit int) int {
	s.Helper()
	var n int
	s.update(func(tx as.Tx) (err error) {
		n, err = tx.Sweep(before, limit)
		return err
	})
	if n < 0 || n > limit {
		s.Fatalf("a sweep of at most %d deleted %d", limit, n)
	}
	return n
}

func sweepsDeleteWhatEnded(s *scene) {
	s = s.alone()
	ended, atTheInstant, lives, endless := s.beside(), s.beside(), s.beside(), s.beside()
	s.update(func(tx as.Tx) error {
		return errors.Join(
			ended.insertEnding(tx, now.Add(-time.Millisecond)), atTheInstant.insertEnding(tx, now), lives.insertEnding(tx, now.Add(time.Hour)),
			tx.InsertShare(endless.aShare(1)), tx.InsertSigningKey(as.SigningKey{ID: endless.id("key"), Sealed: []byte{1}}),
		)
	})
	if n := s.sweep(now, 1000); n != len(swept) {
		s.Errorf("the sweep deleted %d records, want %d", n, len(swept))
	}
	all := func(string) bool { return true }
	ended.remains(func(what string) bool { return !swept[what] })
	atTheInstant.remains(all)
	lives.remains(all)
	endless.remains(func(what string) bool { return what == "share" || what == "signing key" })
}

func sweepsAreBounded(s *scene) {
	for _, limit := range []int{1, 2, 5, 7} {
		own := s.alone()
		var ended []*scene
		own.update(func(tx as.Tx) error {
			for range 4 {
				ended = append(ended, own.beside())
				if err := ended[len(ended)-1].insertEnding(tx, now.Add(-time.Hour)); err != nil {
					return err
				}
			}
			return nil
		})
		total := 0
		for n := own.sweep(now, limit); n > 0; n = own.sweep(now, limit) {
			total += n
		}
		if want := len(ended) * len(swept); total != want {
			own.Errorf("sweeps of %d deleted %d records, want %d", limit, total, want)
		}
		for _, each := range ended {
			each.remains(func(what string) bool { return !swept[what] })
		}
	}
}

func grantsAreSweptWithWhatFindsThem(s *scene) {
	shares := []policy.ShareID{"a", "b", "c", "last"}
	for _, limit := range []int{1, 3, 6, 9} {
		own := s.alone()
		own.update(func(tx as.Tx) (err error) {
			for n := range 2 {
				g := as.Grant{ID: as.GrantID(own.id(string(rune('0' + n)))), Kind: as.GrantUMA, Space: own.space(), Client: own.client(), Renewable: true, EndsAt: now.Add(time.Duration(n-9) * time.Hour)}
				for _, id := range shares {
					g.Permissions = append(g.Permissions, as.Permission{Share: id}, as.Permission{Share: id, Resource: "another"})
				}
				err = errors.Join(err, tx.InsertGrant(g))
			}
			return err
		})
		total := 0
		for n := own.sweep(now, limit); n > 0; n = own.sweep(now, limit) {
			total += n
		}
		if total != 2+2*len(shares) {
			own.Errorf("sweeps of %d deleted %d records, want two grants, each under %d shares", limit, total, len(shares))
		}
		own.update(func(tx as.Tx) error {
			n, err := tx.RevokeGrantsOf(own.space(), own.client(), shares, nil, now)
			if n != 0 {
				own.Errorf("%d grants that were swept are revoked", n)
			}
			return err
		})
	}
}

func grantsAreKept(s *scene) {
	s = s.alone()
	first, last := s.beside(), s.beside()
	s.update(func(tx as.Tx) error {
		return errors.Join(first.insertEnding(tx, now.Add(-time.Hour)), last.insertEnding(tx, now.Add(-time.Hour)),
			tx.KeepGrant(last.grant(), now), tx.KeepGrant(last.grant(), now.Add(-time.Minute)), tx.KeepGrant(last.issued(), now.Add(-time.Second)))
	})
	s.refused(as.ErrNotFound, "keeping a grant that is not there", func(tx as.Tx) error { return tx.KeepGrant("absent", now) })
	s.sweep(now, 1000)
	first.remains(func(what string) bool { return !swept[what] })
	last.remains(func(what string) bool { return !swept[what] || what == "grant" })
	if n := s.sweep(now.Add(time.Second), 1000); n != 1 {
		s.Errorf("the sweep after the end deleted %d records, want the grant", n)
	}
}
