package as

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// The outbox. What has to be said to somebody outside is written down in the
// transaction that is the reason for it, and delivered afterwards by whichever
// node claims it. A claim puts the message off until it will be tried again, so
// that a node which dies in the middle leaves it to the next one: a message is
// delivered at least once while it is worth anything, and under the same id.

// When a message is tried again: after 10, 20, 40 seconds and so on, but at least
// once an hour. The first has to be longer than an attempt can take.
const (
	firstRetry   = 10 * time.Second
	longestRetry = time.Hour
)

// retryAfter is how long to wait after so many attempts.
func retryAfter(attempts int64) time.Duration {
	wait := firstRetry
	for ; attempts > 0 && wait < longestRetry; attempts-- {
		wait *= 2
	}
	return min(wait, longestRetry)
}

// deliveriesAtOnce bounds how many recipients are waited for at the same time.
const deliveriesAtOnce = 8

// errMoot is the error of a message that nobody has to be told any more.
var errMoot = errors.New("as: there is nobody to tell")

// errDown is the error of a message that was not tried, because another one to the
// same recipient has just failed.
var errDown = errors.New("as: the recipient has just failed")

// Outgoing hears when there may be something to deliver at this node.
func (s *Server) Outgoing() <-chan struct{} { return s.outgoing }

// posted tells who listens to Outgoing. It never waits.
func (s *Server) posted() {
	select {
	case s.outgoing <- struct{}{}:
	default: // somebody is about to look anyway
	}
}

// Deliver tries to deliver messages that are due, at most so many, and returns how
// many there were. When ctx ends it begins with no more. A message that cannot be delivered is no error: it is tried
// again until it expires.
func (s *Server) Deliver(ctx context.Context, limit int) (int, error) {
	var due []MessageID
	err := s.Store.View(ctx, func(r Reader) (err error) {
		due, err = r.DueMessages(s.now(), limit)
		return err
	})
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	slots, failures := make(chan struct{}, deliveriesAtOnce), make([]error, len(due))
	var down sync.Map // recipients that failed just now
	for i, id := range due {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-slots }()
			failures[i] = s.deliver(ctx, id, &down)
		})
	}
	all.Wait()
	return len(due), errors.Join(failures...)
}

// deliver claims one message and tries to deliver it. What it returns is a failure
// of the store, and never of the recipient. A recipient that has
// just failed is not tried for each of its other messages: whoever does not answer
// must not keep everybody else waiting.
func (s *Server) deliver(ctx context.Context, id MessageID, down *sync.Map) error {
	var m Message
	var again time.Time
	err := s.Store.Update(ctx, func(tx Tx) (err error) {
		if m, err = tx.Message(id); err != nil {
			return err
		}
		now := s.now()
		again = now.Add(retryAfter(m.Attempts))
		return tx.ClaimMessage(id, now, again)
	})
	if errors.Is(err, ErrNotFound) {
		return nil // another node has it, or has delivered it
	}
	if err != nil {
		return err
	}
	// What has begun ends, and is not said a second time because the server is
	// stopped in the middle: the egress client does not wait for long.
	ctx = context.WithoutCancel(ctx)
	to := m.way()
	var refused *RefusedError
	if _, is := down.Load(to); is {
		err = errDown
	} else if err = s.send(ctx, m); err != nil && !errors.Is(err, errMoot) && !errors.As(err, &refused) {
		down.Store(to, true)
	}
	switch {
	case err == nil || errors.Is(err, errMoot):
	case refused != nil && refused.Final:
		s.Log.WarnContext(ctx, "message refused, and given up", "message", m.ID, "kind", m.Kind, "recipient", m.Recipient, "attempts", m.Attempts+1, "error", err)
	case again.Before(m.ExpiresAt):
		s.Log.WarnContext(ctx, "message not delivered, it will be tried again", "message", m.ID, "kind", m.Kind, "recipient", m.Recipient, "attempts", m.Attempts+1, "error", err)
		return nil
	default:
		s.Log.ErrorContext(ctx, "message not delivered, and given up", "message", m.ID, "kind", m.Kind, "recipient", m.Recipient, "attempts", m.Attempts+1, "error", err)
	}
	err = s.Store.Update(ctx, func(tx Tx) error { return tx.DeleteMessage(id) })
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// way is what messages fail together with: a recipient, or the one way that all
// letters take.
func (m Message) way() string {
	switch m.Kind {
	case MessageLetter, MessageDigest:
		return "mail"
	default:
		return string(m.Kind) + " " + m.Recipient
	}
}

// send says a message once.
func (s *Server) send(ctx context.Context, m Message) error {
	switch m.Kind {
	case MessageLogout:
		return s.sendLogout(ctx, m)
	case MessageLetter:
		return s.sendLetter(ctx, m)
	case MessageDigest:
		return s.sendDigest(ctx, m)
	case MessageEnding:
		return s.tellOfEnding(ctx, m)
	case MessageReview:
		return s.tellOfReview(ctx, m)
	default: // of a newer version beside this one
		return fmt.Errorf("as: a message of the unknown kind %q", m.Kind)
	}
}
