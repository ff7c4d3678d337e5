package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
)

var spending = []rule{
	{"what others made is noted as spent once", notedOnce},
	{"a ticket is spent once", func(s *scene) { s.isSpentOnce(ticketPurse) }},
	{"an interaction is finished once", func(s *scene) { s.isSpentOnce(interactionPurse) }},
	{"a code is spent once", func(s *scene) { s.isSpentOnce(codePurse) }},
	{"a pushed request is spent once", func(s *scene) { s.isSpentOnce(pushedPurse) }},
	{"a mail code is spent once", func(s *scene) { s.isSpentOnce(mailCodePurse) }},
	{"a refresh token is spent once", func(s *scene) { s.isSpentOnce(refreshPurse) }},
	{"a PCT is spent once", func(s *scene) { s.isSpentOnce(pctPurse) }},
	{"an invitation is taken once", func(s *scene) { s.isSpentOnce(invitationPurse) }},
	{"an invitation is taken by its address alone", invitationsAreForOneAddress},
	{"what is spent at the instant it expires has expired", expiryIsTheInstant},
	{"what an Update that fails has spent is not spent", failedSpendingIsUndone},
	{"of many who insert a key one does", insertsRace},
	{"of many who bind a process one does", bindingsRace},
	{"of many who decide a request one does", decisionsRace},
	{"of many who replace a share one does", replacementsRace},
	{"of many who append an event one does", eventsRace},
}

// racers is how many try the same thing at the same time.
const racers = 50

// race lets all racers start at once and returns how many won. All others have
// to fail with the error lost.
func (s *scene) race(lost error, try func(n int, tx as.Tx) error) int {
	s.Helper()
	var start, all sync.WaitGroup
	var won atomic.Int64
	start.Add(1)
	for n := range racers {
		all.Go(func() {
			start.Wait()
			switch err := s.try(func(tx as.Tx) error { return try(n, tx) }); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, lost):
				s.Errorf("a racer that lost: got %v, want %v", err, lost)
			}
		})
	}
	start.Done()
	all.Wait()
	return int(won.Load())
}

// purse is a kind of record that is spent once.
type purse struct {
	insert func(tx as.Tx, d as.Digest, expires time.Time) error
	spend  func(tx as.Tx, d as.Digest, now time.Time) (any, error)
	read   func(r as.Reader, d as.Digest) (record any, spentAt time.Time, err error)
}

var (
	ticketPurse = purse{
		func(tx as.Tx, d as.Digest, expires time.Time) error {
			return tx.InsertTicket(as.Ticket{Digest: d, Process: "p", ExpiresAt: expires})
		},
		func(tx as.Tx, d as.Digest, now time.Time) (any, error) { return tx.SpendTicket(d, now) },
		func(r as.Reader, d as.Digest) (any, time.Time, error) {
			t, err := r.Ticket(d)
			at := t.SpentAt
			t.SpentAt = time.Time{}
			return t, at, err
		},
	}
	interactionPurse = purse{
		func(tx as.Tx, d as.Digest, expires time.Time) error {
			return tx.InsertInteraction(as.Interaction{Digest: d, Process: "p", Client: "c", State: "s", HasState: true, ExpiresAt: expires})
		},
		func(tx as.Tx, d as.Digest, now time.Time) (any, error) { return tx.FinishInteraction(d, now) },
		func(r as.Reader, d as.Digest) (any, time.Time, error) {
			i, err := r.Interaction(d)
			at := i.DoneAt
			i.DoneAt = time.Time{}
			return i, at, err
		},
	}
	codePurse = purse{
		func(tx as.Tx, d as.Digest, expires time.Time) error {
			return tx.InsertCode(as.Code{Digest: d, Client: "c", Nonce: "n", ExpiresAt: expires})
		},
		func(tx as.Tx, d as.Digest, now time.Time) (any, error) { return tx.SpendCode(d, now) },
		func(r as.Reader, d as.Digest) (any, time.Time, error) {
			c, err := r.Code(d)
			at := c.SpentAt
			c.SpentAt = time.Time{}
			return c, at, err
		},
	}
	pushedPurse = purse{
		func(tx as.Tx, d as.Digest, expires time.Time) error {
			return tx.InsertPushedRequest(as.PushedRequest{Digest: d, Client: "c", ExpiresAt: expires})
		},
		func(tx as.Tx, d as.Digest, now time.Time) (any, error) { return tx.SpendPushedRequest(d, now) },
		func(r as.Reader, d as.Digest) (any, time.Time, error) {
			p, err := r.PushedRequest(d)
			at := p.SpentAt
			p.SpentAt = time.Time{}
			return p, at, err
		},
	}
	mailCodePurse = purse{
		func(tx as.Tx, d as.Digest, expires time.Time) error {
			return tx.PutMailCode(as.MailCode{Digest: d, Code: []byte{1}, Email: "e", Tries: 2, ExpiresAt: expires})
		},
		func(tx as.Tx, d as.Digest, now time.Time) (any, error) { return tx.SpendMailCode(d, now) },
		func(r as.Reader, d as.Digest) (any, time.Time, error) {
			c, err := r.MailCode(d)
			at := c.SpentAt
			c.SpentAt = time.Time{}
			return c, at, err
		},
	}
	refreshPurse = purse{
		func(tx as.Tx, d as.Digest, expires time.Time) error {
			return tx.InsertRefreshToken(as.RefreshToken{Digest: d, Grant: "g", ExpiresAt: expires})
		},
		func(tx as.Tx, d as.Digest, now time.Time) (any, error) { return tx.SpendRefreshToken(d, now) },
		func(r as.Reader, d as.Digest) (any, time.Time, error) {
			t, err := r.RefreshToken(d)
			at := t.SpentAt
			t.SpentAt = time.Time{}
			return t, at, err
		},
	}
	pctPurse = purse{
		func(tx as.Tx, d as.Digest, expires time.Time) error {
			return tx.InsertPCT(as.PCT{Digest: d, Client: "c", Claims: []byte{1}, ExpiresAt: expires})
		},
		func(tx as.Tx, d as.Digest, now time.Time) (any, error) { return tx.SpendPCT(d, now) },
		func(r as.Reader, d as.Digest) (any, time.Time, error) {
			p, err := r.PCT(d)
			at := p.SpentAt
			p.SpentAt = time.Time{}
			return p, at, err
		},
	}
	invitationPurse = purse{
		func(tx as.Tx, d as.Digest, expires time.Time) error {
			return tx.InsertInvitation(as.Invitation{ID: as.InvitationID(d), Space: "s", Email: "bob@example.org", Kind: as.RoleViewer, ExpiresAt: expires})
		},
		func(tx as.Tx, d as.Digest, now time.Time) (any, error) {
			return tx.TakeInvitation(as.InvitationID(d), "bob@example.org", now)
		},
		func(r as.Reader, d as.Digest) (any, time.Time, error) {
			i, err := r.Invitation(as.InvitationID(d))
			at := i.TakenAt
			i.TakenAt = time.Time{}
			return i, at, err
		},
	}
	purses = map[string]purse{
		"ticket": ticketPurse, "interaction": interactionPurse, "code": codePurse, "pushed request": pushedPurse, "mail code": mailCodePurse, "refresh token": refreshPurse, "PCT": pctPurse,
		"invitation": invitationPurse,
	}
)

// stored reads a record and when it was spent.
func (p purse) stored(s *scene, d as.Digest) (record any, spentAt time.Time) {
	s.Helper()
	s.view(func(r as.Reader) (err error) {
		record, spentAt, err = p.read(r, d)
		return err
	})
	return record, spentAt
}

func (s *scene) isSpentOnce(p purse) {
	d, other := s.digest("raced"), s.digest("other")
	s.update(func(tx as.Tx) error {
		return errors.Join(p.insert(tx, d, now.Add(time.Minute)), p.insert(tx, other, now.Add(time.Minute)))
	})
	before, _ := p.stored(s, d)
	won := s.race(as.ErrNotFound, func(_ int, tx as.Tx) error {
		got, err := p.spend(tx, d, now)
		if err == nil {
			same(s, "what was spent", got, before)
		}
		return err
	})
	if won != 1 {
		s.Errorf("it was spent %d times by %d racers", won, racers)
	}
	s.refused(as.ErrNotFound, "spending it later", func(tx as.Tx) error { return errOf(p.spend(tx, d, now.Add(time.Second))) })
	s.refused(as.ErrNotFound, "spending what never was", func(tx as.Tx) error { return errOf(p.spend(tx, s.digest("never"), now)) })
	after, spentAt := p.stored(s, d)
	same(s, "the record", after, before)
	same(s, "the time it was spent", spentAt, now)
	if _, spentAt := p.stored(s, other); !spentAt.IsZero() {
		s.Errorf("another record was spent with it, at %v", spentAt)
	}
}

func expiryIsTheInstant(s *scene) {
	for what, p := range purses {
		d := s.digest(what)
		s.update(func(tx as.Tx) error { return p.insert(tx, d, now) })
		for _, late := range []time.Duration{0, time.Millisecond, time.Hour} {
			s.refused(as.ErrNotFound, "spending an expired "+what, func(tx as.Tx) error { return errOf(p.spend(tx, d, now.Add(late))) })
		}
		if _, spentAt := p.stored(s, d); !spentAt.IsZero() {
			s.Errorf("an expired %s was spent at %v", what, spentAt)
		}
		s.update(func(tx as.Tx) error { return errOf(p.spend(tx, d, now.Add(-time.Millisecond))) })
	}
}

func failedSpendingIsUndone(s *scene) {
	for what, p := range purses {
		d := s.digest(what)
		s.update(func(tx as.Tx) error { return p.insert(tx, d, now) })
		before := now.Add(-time.Second)
		s.refused(errOwn, "spending a "+what+" and failing", func(tx as.Tx) error {
			if _, err := p.spend(tx, d, before); err != nil {
				return err
			}
			if _, err := p.spend(tx, d, before); !errors.Is(err, as.ErrNotFound) {
				s.Errorf("spending a %s twice in one Update: got %v, want ErrNotFound", what, err)
			}
			return errOwn
		})
		s.update(func(tx as.Tx) error { return errOf(p.spend(tx, d, before)) })
	}
}

func (s *scene) onlyOneWins(what string, lost error, try func(n int, tx as.Tx) error) {
	s.Helper()
	if won := s.race(lost, try); won != 1 {
		s.Errorf("%s: %d of %d racers won", what, won, racers)
	}
}

func insertsRace(s *scene) {
	for _, r := range s.recordsOf(fillers["full"]) {
		s.onlyOneWins("inserting one "+r.what, as.ErrExists, func(_ int, tx as.Tx) error { return r.insert(tx) })
	}
	s.onlyOneWins("taking one e-mail address", as.ErrExists, func(n int, tx as.Tx) error {
		return tx.InsertAccount(as.Account{ID: as.AccountID(s.id(fmt.Sprint(n))), Email: s.id("taken@example.org")})
	})
}

func bindingsRace(s *scene) {
	s.update(func(tx as.Tx) error { return tx.InsertProcess(as.Process{ID: s.process()}) })
	s.onlyOneWins("binding", as.ErrNotFound, func(n int, tx as.Tx) error {
		return tx.BindProcess(s.process(), oauth.ClientID(fmt.Sprint(n)))
	})
}

func decisionsRace(s *scene) {
	s.update(func(tx as.Tx) error {
		return tx.InsertRequest(as.Request{ID: s.request(), Space: s.space(), Status: as.RequestPending})
	})
	s.onlyOneWins("deciding", as.ErrNotFound, func(n int, tx as.Tx) error {
		status := []as.RequestStatus{as.RequestApproved, as.RequestDenied}[n%2]
		return tx.DecideRequest(as.Request{ID: s.request(), Space: s.space(), Status: status, Shares: []policy.ShareID{s.share()}})
	})
}

func replacementsRace(s *scene) {
	s.update(func(tx as.Tx) error { return tx.InsertShare(s.aShare(1)) })
	s.onlyOneWins("replacing", as.ErrNotFound, func(_ int, tx as.Tx) error { return tx.UpdateShare(s.aShare(2)) })
}

func eventsRace(s *scene) {
	s.onlyOneWins("appending", as.ErrExists, func(n int, tx as.Tx) error {
		return tx.AppendEvent(as.Event{Space: s.space(), Seq: 1, Hash: []byte{byte(n)}})
	})
}

func notedOnce(s *scene) {
	d := s.digest("foreign")
	var wins atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			switch err := s.try(func(tx as.Tx) error { return tx.InsertSpent(d, now) }); {
			case err == nil:
				wins.Add(1)
			case !errors.Is(err, as.ErrExists):
				s.Errorf("noting it again: %v", err)
			}
		})
	}
	all.Wait()
	if wins.Load() != 1 {
		s.Errorf("it was noted %d times", wins.Load())
	}
	own := s.alone()
	own.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertSpent(own.digest("over"), now.Add(-time.Millisecond)), tx.InsertSpent(own.digest("good"), now))
	})
	if n := own.sweep(now, 10); n != 1 {
		own.Errorf("a sweep deleted %d notes, want the one whose time is over", n)
	}
	own.refused(as.ErrExists, "noting again what was not swept", func(tx as.Tx) error { return tx.InsertSpent(own.digest("good"), now) })
}

func invitationsAreForOneAddress(s *scene) {
	open := as.Invitation{ID: s.invitation(), Space: s.space(), Email: s.id("bob@example.org"), ExpiresAt: now.Add(time.Hour)}
	ended, other := open, open
	ended.ID, ended.ExpiresAt = as.InvitationID(s.id("ended")), now
	other.ID, other.Email, other.Space = as.InvitationID(s.id("other")), s.id("carlos@example.org"), s.beside().space()
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertInvitation(open), tx.InsertInvitation(ended), tx.InsertInvitation(other))
	})
	listed := func(want ...as.Invitation) {
		s.Helper()
		all := as.Page{Limit: 10}
		sameSet(s, "the invitations into the space", must(s, func(r as.Reader) ([]as.Invitation, error) { return r.Invitations(s.space(), now, all) }), want)
		sameSet(s, "the invitations to the address", must(s, func(r as.Reader) ([]as.Invitation, error) { return r.InvitationsTo(open.Email, now, all) }), want)
	}
	listed(open)
	s.refused(as.ErrNotFound, "taking it with another address", func(tx as.Tx) error { return errOf(tx.TakeInvitation(open.ID, other.Email, now)) })
	s.refused(as.ErrNotFound, "taking it back in another space", func(tx as.Tx) error { return tx.DeleteInvitation(other.Space, open.ID) })
	listed(open)
	s.update(func(tx as.Tx) error { return errOf(tx.TakeInvitation(open.ID, open.Email, now)) })
	listed()
	s.refused(as.ErrNotFound, "taking back what was taken", func(tx as.Tx) error { return tx.DeleteInvitation(s.space(), open.ID) })
	s.update(func(tx as.Tx) error { return tx.DeleteInvitation(other.Space, other.ID) })
	s.refused(as.ErrNotFound, "taking what was taken back", func(tx as.Tx) error { return errOf(tx.TakeInvitation(other.ID, other.Email, now)) })
}
