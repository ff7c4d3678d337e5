package web

import (
	"fmt"
	"net/http"
	"time"
)

// How often a page that is being looked at asks whether it is out of date, how often
// it says that it is still there, and for how long at the most: a browser comes
// again by itself.
const (
	lookEvery = time.Second
	sayEvery  = 20 * time.Second
	liveFor   = 10 * time.Minute
)

// Leave ends every stream of events. It may be called more than once.
func (s *Server) Leave() { s.leaving() }

// live is the stream of events that tells a page that it is out of date. It says
// only that, and never what has changed: the page is asked for again, by whoever
// may see it.
func (s *Server) live(v *visit) error {
	return stream(s, v, func() (head int64, err error) {
		if _, _, err = s.AS.ActIn(v.ctx, v.account.ID, v.owner.Space); err != nil {
			return head, err // not theirs to see any more
		}
		return s.views.Head(v.ctx, v.owner)
	})
}

// stream says that a page is out of date whenever what now returns is another. It
// ends when that is an error: the browser asks again.
func stream[T comparable](s *Server, v *visit, now func() (T, error)) error {
	before, err := now()
	if err != nil {
		return err
	}
	h := v.W.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Accel-Buffering", "no")
	rc := http.NewResponseController(v.W)
	_ = rc.SetWriteDeadline(time.Now().Add(liveFor + sayEvery)) // a server without deadlines has none to move
	say := func(text string) bool {
		_, err := fmt.Fprint(v.W, text)
		return err == nil && rc.Flush() == nil
	}
	if !say("retry: 3000\n\n") {
		return nil
	}
	look, still, end := time.NewTicker(lookEvery), time.NewTicker(sayEvery), time.NewTimer(liveFor)
	defer look.Stop()
	defer still.Stop()
	defer end.Stop()
	for {
		select {
		case <-v.ctx.Done():
			return nil
		case <-end.C:
			return nil
		case <-s.left:
			return nil
		case <-still.C:
			if !say(": still here\n\n") {
				return nil
			}
		case <-look.C:
			is, err := now()
			if err != nil {
				return nil
			}
			if is != before {
				if before = is; !say("event: changed\ndata: \n\n") {
					return nil
				}
			}
		}
	}
}
