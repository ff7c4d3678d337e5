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
	until time.Time
	there chan struct{} // closed when the rest is known
}

// pictures remembers what was got. It is bounded, and may be used concurrently.
type pictures struct {
	mu    sync.Mutex
	known map[string]*picture
	slots chan struct{}
}

func newPictures() *pictures {
	return &pictures{known: map[string]*picture{}, slots: make(chan struct{}, iconsAsked)}
}

// at returns the picture at an address; of several who want it at once one gets it.
func (p *pictures) at(ctx context.Context, uri string, now time.Time, get func(context.Context) (media string, body []byte, err error)) (*picture, error) {
	p.mu.Lock()
	one, known := p.known[uri]
	if known && one.settled() && !now.Before(one.until) {
		known = false
	}
	if !known {
		p.makeRoom(now)
		one = &picture{there: make(chan struct{})}
		p.known[uri] = one
	}
	p.mu.Unlock()
	if !known {
		p.fill(one, now, func() (string, []byte, error) { return get(context.WithoutCancel(ctx)) }) // others wait for it, too
	}
	select {
	case <-one.there:
		return one, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fill finds out what a picture is.
func (p *pictures) fill(one *picture, now time.Time, get func() (media string, body []byte, err error)) {
	p.slots <- struct{}{}
	defer func() {
		<-p.slots
		close(one.there)
	}()
	one.until = now.Add(iconBad)
	if media, body, err := get(); err == nil {
		one.media, one.body, one.until = media, body, now.Add(iconGood)
	}
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
	t, err := s.views.Thing(v.ctx, v.owner, uma.ResourceID(v.R.PathValue("id")))
	if err != nil {
		return err
	}
	media, body := "image/svg+xml", []byte(ownIcon)
	if t.Description.IconURI != "" && s.AS.Fetch != nil {
		one, err := s.icons.at(v.ctx, t.Description.IconURI, v.Now(), func(ctx context.Context) (string, []byte, error) {
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
