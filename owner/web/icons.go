package web

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"image"
	_ "image/gif"  // is one of the formats
	_ "image/jpeg" // is one of the formats
	_ "image/png"  // is one of the formats
	"mime"
	"strconv"
	"sync"
	"time"

	"github.com/licet/licet/internal/egress"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/uma"
)

// Icons of things. A description may name a picture somewhere (FedAuthz 3.1). This
// server gets it, so that the service that named it, or whoever is at that address,
// does not hear when an owner looks at their things, and no page needs a picture from
// elsewhere. Only what is a picture of points, by its content, is handed on: a drawing
// could have a script in it. What cannot be had is our own sign for a thing.

const (
	iconGood   = 24 * time.Hour   // a picture is kept
	iconBad    = 10 * time.Minute // and that there is none
	iconsKept  = 256              // at most, of 64 KiB each
	iconsAsked = 8                // at once
	iconsOfOne = 2                // of these for things at one resource server
	iconSide   = 1024             // the most points that a side may have
)

// iconTypes are the formats that are handed on, as package image calls them.
var iconTypes = map[string]string{"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif"}

// ownIcon is the sign for a thing.
const ownIcon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#2b7a67" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"><path d="M5 20.5V11a7 7 0 0 1 14 0v9.5z"/><path d="M9 20.5V13l5 1.8v5.7"/></svg>`

// picture is what there is at an address.
type picture struct {
	media string // "" for none
	body  []byte
	until time.Time     // zero: whoever asked for it went away before it was there
	there chan struct{} // closed when the rest is known
}

// pictures remembers what was got. It is bounded, and may be used concurrently.
type pictures struct {
	mu     sync.Mutex
	known  map[string]*picture
	slots  chan struct{}
	queues map[oauth.ClientID]*queue
}

// queue is where those wait who want pictures of things at one resource server, so that
// one whose pictures never come keeps nobody from those of others.
type queue struct {
	slots chan struct{}
	in    int // who waits here, or is asking
}

func newPictures() *pictures {
	return &pictures{known: map[string]*picture{}, slots: make(chan struct{}, iconsAsked), queues: map[oauth.ClientID]*queue{}}
}

// at returns the picture at an address, of a thing at a resource server; of several who
// want it at once one gets it. Whoever goes away waits no longer, and if they were to get
// it another does.
func (p *pictures) at(ctx context.Context, server oauth.ClientID, uri string, now time.Time, get func(context.Context) (media string, body []byte, err error)) (*picture, error) {
	for {
		one, ours := p.look(uri, now)
		if ours {
			if err := p.fill(ctx, server, uri, one, now, get); err != nil {
				return nil, err
			}
			return one, nil
		}
		select {
		case <-one.there:
			if !one.until.IsZero() {
				return one, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// look finds what is known of an address; it is ours to fill when nobody has it.
func (p *pictures) look(uri string, now time.Time) (one *picture, ours bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one, known := p.known[uri]; known && (!one.settled() || now.Before(one.until)) {
		return one, false
	}
	p.makeRoom(now)
	one = &picture{there: make(chan struct{})}
	p.known[uri] = one
	return one, true
}

// fill finds out what a picture is.
func (p *pictures) fill(ctx context.Context, server oauth.ClientID, uri string, one *picture, now time.Time, get func(context.Context) (media string, body []byte, err error)) (err error) {
	defer func() {
		if err != nil {
			p.mu.Lock()
			if p.known[uri] == one {
				delete(p.known, uri)
			}
			p.mu.Unlock()
		}
		close(one.there)
	}()
	leave, err := p.turn(ctx, server)
	if err != nil {
		return err
	}
	defer leave()
	media, body, err := get(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		one.until = now.Add(iconBad)
	default:
		one.media, one.body, one.until = media, body, now.Add(iconGood)
	}
	return nil
}

// turn waits until it is somebody's turn to ask elsewhere: first among those at the
// same resource server, then among all.
func (p *pictures) turn(ctx context.Context, server oauth.ClientID) (leave func(), err error) {
	p.mu.Lock()
	own := p.queues[server]
	if own == nil {
		own = &queue{slots: make(chan struct{}, iconsOfOne)}
		p.queues[server] = own
	}
	own.in++
	p.mu.Unlock()
	var held []chan struct{}
	leave = func() {
		for _, slots := range held {
			<-slots
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if own.in--; own.in == 0 {
			delete(p.queues, server)
		}
	}
	for _, slots := range []chan struct{}{own.slots, p.slots} {
		select {
		case slots <- struct{}{}:
			held = append(held, slots)
		case <-ctx.Done():
			leave()
			return nil, ctx.Err()
		}
	}
	return leave, nil
}

// makeRoom forgets what is too old, and what there is no room for.
func (p *pictures) makeRoom(now time.Time) {
	for uri, one := range p.known {
		if one.settled() && !now.Before(one.until) {
			delete(p.known, uri)
		}
	}
	for uri := range p.known {
		if len(p.known) < iconsKept {
			return
		}
		delete(p.known, uri) // whoever waits for it has it
	}
}

func (p *picture) settled() bool {
	select {
	case <-p.there:
		return true
	default:
		return false
	}
}

// getPicture gets what is at an address, if it is a picture.
func (s *Server) getPicture(ctx context.Context, uri string) (media string, body []byte, err error) {
	body, err = egress.FetchAs(ctx, s.AS.Fetch, uri, "image/png, image/jpeg, image/gif", func(contentType string) bool {
		media, _, err := mime.ParseMediaType(contentType)
		return err == nil && (media == "image/png" || media == "image/jpeg" || media == "image/gif")
	})
	if err != nil {
		return "", nil, err
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(body))
	switch {
	case err != nil:
		return "", nil, err
	case config.Width > iconSide || config.Height > iconSide:
		return "", nil, fmt.Errorf("web: the icon at %s is %d by %d points", uri, config.Width, config.Height)
	}
	return iconTypes[format], body, nil
}

// icon answers with the picture of a thing, as something that is shown and does
// nothing.
func (s *Server) icon(v *visit) error {
	t, err := v.views.Thing(v.ctx, v.owner, uma.ResourceID(v.R.PathValue("id")))
	if err != nil {
		return err
	}
	media, body := "image/svg+xml", []byte(ownIcon)
	if t.Description.IconURI != "" && s.AS.Fetch != nil {
		one, err := s.icons.at(v.ctx, t.ResourceServer, t.Description.IconURI, v.Now(), func(ctx context.Context) (string, []byte, error) {
			return s.getPicture(ctx, t.Description.IconURI)
		})
		if err != nil {
			return err
		}
		if one.media != "" {
			media, body = one.media, one.body
		}
	}
	h := v.W.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "private, max-age=600")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = v.W.Write(body) // a browser that is gone cannot be told
	return nil
}

// iconOf is where the picture of a thing is to be had here; "" when it has none. It
// changes with the address in the description.
func (s *Server) iconOf(t owner.Thing) string {
	if t.Description.IconURI == "" {
		return ""
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(t.Description.IconURI)) // it takes everything
	return s.below("things/"+string(t.ID)+"/icon", "of", strconv.FormatUint(uint64(h.Sum32()), 36))
}
