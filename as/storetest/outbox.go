package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
)

var outbox = []rule{
	{"the sessions of an account are listed while they live", sessionsOfAnAccount},
	{"the clients of a session are listed once each", participantsAreListed},
	{"messages are due from their time on and until they expire", messagesAreDue},
	{"of many who claim a message one does", claimsRace},
}

func sessionsOfAnAccount(s *scene) {
	other := s.beside()
	session := func(of *scene, name string, expires time.Time) as.Session {
		return as.Session{Digest: of.digest(name), ID: as.SessionID(of.id(name)), Account: of.account(), AuthTime: now, ExpiresAt: expires}
	}
	first, second := session(s, "a", now.Add(time.Millisecond)), session(s, "b", now.Add(time.Hour))
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertSession(second), tx.InsertSession(first), tx.InsertSession(session(s, "expired", now)), tx.InsertSession(session(other, "a", now.Add(time.Hour))))
	})
	list := func() []as.Session {
		return must(s, func(r as.Reader) ([]as.Session, error) { return r.SessionsOf(s.account(), now) })
	}
	sameSet(s, "the sessions of an account", list(), []as.Session{first, second})
	s.update(func(tx as.Tx) error { return tx.DeleteSession(first.Digest) })
	sameSet(s, "the sessions that are left", list(), []as.Session{second})
}

func participantsAreListed(s *scene) {
	other := s.beside()
	ids := []oauth.ClientID{"B", "a", "c"}
	s.update(func(tx as.Tx) error {
		for _, id := range []oauth.ClientID{"c", "B", "a"} {
			if err := errors.Join(tx.InsertParticipant(s.session(), id), tx.InsertParticipant(other.session(), id)); err != nil {
				return err
			}
		}
		if err := tx.InsertParticipant(s.session(), "a"); !errors.Is(err, as.ErrExists) {
			s.Errorf("inserting a participant again: got %v, want ErrExists", err)
		}
		return nil
	})
	list := func(of *scene) []oauth.ClientID {
		return must(s, func(r as.Reader) ([]oauth.ClientID, error) { return r.Participants(of.session()) })
	}
	same(s, "the participants", list(s), ids)
	for range 2 {
		s.update(func(tx as.Tx) error { return tx.DeleteParticipants(s.session()) })
	}
	none(s, "the participants that were deleted")(list(s), nil)
	same(s, "the participants of another session", list(other), ids)
}

func messagesAreDue(s *scene) {
	s = s.alone()
	end := now.Add(time.Hour)
	message := func(name string, due, expires time.Time) as.Message {
		return as.Message{ID: as.MessageID(name), Kind: as.MessageLogout, Recipient: "c", Body: []byte("{}"), DueAt: due, ExpiresAt: expires}
	}
	s.update(func(tx as.Tx) error {
		return errors.Join(
			tx.InsertMessage(message("expired", now.Add(-time.Hour), now)), tx.InsertMessage(message("later", now.Add(time.Millisecond), end)),
			tx.InsertMessage(message("b", now, end)), tx.InsertMessage(message("a", now, end)), tx.InsertMessage(message("old", now.Add(-time.Minute), end)),
		)
	})
	due := func(at time.Time, limit int) []as.MessageID {
		return must(s, func(r as.Reader) ([]as.MessageID, error) { return r.DueMessages(at, limit) })
	}
	same(s, "what is due", due(now, 10), []as.MessageID{"old", "a", "b"})
	same(s, "what is due, at most two", due(now, 2), []as.MessageID{"old", "a"})
	for _, id := range []as.MessageID{"expired", "later", "nobody's"} {
		s.refused(as.ErrNotFound, fmt.Sprintf("claiming the message %q", id), func(tx as.Tx) error { return tx.ClaimMessage(id, now, end) })
	}
	again := now.Add(time.Minute)
	s.update(func(tx as.Tx) error { return tx.ClaimMessage("a", now, again) })
	claimed := message("a", again, end)
	claimed.Attempts = 1
	same(s, "a message that was claimed", must(s, func(r as.Reader) (as.Message, error) { return r.Message("a") }), claimed)
	s.refused(as.ErrNotFound, "claiming it too early", func(tx as.Tx) error { return tx.ClaimMessage("a", again.Add(-time.Millisecond), end) })
	if list := due(again, 10); !slices.Contains(list, "a") {
		s.Errorf("a message that was put off is not due again: %v", list)
	}
	s.update(func(tx as.Tx) error { return tx.ClaimMessage("a", again, end) })
	none(s, "what is due at the end")(due(end, 10), nil)
}

func claimsRace(s *scene) {
	s.update(func(tx as.Tx) error {
		return tx.InsertMessage(as.Message{ID: s.message(), DueAt: now, ExpiresAt: now.Add(time.Hour)})
	})
	s.onlyOneWins("claiming", as.ErrNotFound, func(_ int, tx as.Tx) error { return tx.ClaimMessage(s.message(), now, now.Add(time.Minute)) })
	if m := must(s, func(r as.Reader) (as.Message, error) { return r.Message(s.message()) }); m.Attempts != 1 {
		s.Errorf("it counts %d attempts", m.Attempts)
	}
}
