package web

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/licet/licet/oauth"
)

// asking is a look at a picture that comes when it is told to.
type asking struct {
	asked chan struct{} // closed once it is asked for elsewhere
	come  chan struct{}
	got   chan error
}

func ask(ctx context.Context, p *pictures, server oauth.ClientID, uri string) asking {
	a := asking{make(chan struct{}), make(chan struct{}), make(chan error, 1)}
	go func() {
		_, err := p.at(ctx, server, uri, time.Unix(0, 0), func(ctx context.Context) (string, []byte, error) {
			close(a.asked)
			select {
			case <-a.come:
				return "image/png", []byte(uri), nil
			case <-ctx.Done():
				return "", nil, ctx.Err()
			}
		})
		a.got <- err
	}()
	return a
}

// A resource server whose pictures never come keeps nobody from the pictures of
// others, however many things it has. Whoever waits there is free when they go.
func TestPicturesThatNeverComeHoldUpNobodyElse(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	p := newPictures()
	var slow []asking
	for _, uri := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"} {
		slow = append(slow, ask(ctx, p, "slow", uri))
	}
	for waiting := 0; waiting < len(slow); runtime.Gosched() {
		p.mu.Lock()
		if one := p.queues["slow"]; one != nil {
			waiting = one.in
		}
		p.mu.Unlock()
	}
	other := ask(t.Context(), p, "other", "here")
	close(other.come)
	if err := <-other.got; err != nil {
		t.Fatal(err)
	}
	leave()
	for _, a := range slow {
		if err := <-a.got; !errors.Is(err, context.Canceled) {
			t.Errorf("who went away was told %v", err)
		}
	}
	if len(p.queues) != 0 || len(p.known) != 1 || len(p.slots) != 0 {
		t.Errorf("left are %d queues, %d pictures and %d who ask", len(p.queues), len(p.known), len(p.slots))
	}
}

// Whoever was to get a picture and goes away leaves it to those who wait for it.
func TestAPictureIsGotByTheNextWhenOneGoesAway(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	p := newPictures()
	first := ask(ctx, p, "server", "it")
	<-first.asked
	second := ask(t.Context(), p, "server", "it")
	leave()
	close(second.come)
	<-second.asked
	if err := <-second.got; err != nil {
		t.Error(err)
	}
	if err := <-first.got; !errors.Is(err, context.Canceled) {
		t.Errorf("who went away was told %v", err)
	}
}
