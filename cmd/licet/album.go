package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/licet/licet/rs"
	"github.com/licet/licet/uma"
)

// album is the API of a photo album: the resource server of the demonstration.
// What protects it is the three lines of newAlbum that make and use an rs.Server.
type album struct {
	http.Handler
	guard *rs.Server

	mu     sync.Mutex
	photos map[string][]byte
}

// The album belongs to one person.
const albumOwner rs.Owner = "alice"

// photoNames are the photos of the album.
var photoNames = []string{"sunrise", "harbour"}

func newAlbum(issuer string, pat uma.PAT, transport http.RoundTripper) (*album, error) {
	a := &album{photos: map[string][]byte{}}
	for i, name := range photoNames {
		photo, err := paint(i)
		if err != nil {
			return nil, err
		}
		a.photos[name] = photo
	}
	var err error
	a.guard, err = rs.New(rs.Config{
		Issuer: issuer, PAT: rs.StaticPAT{albumOwner: pat}, Route: route, Realm: "album",
		HTTP: &http.Client{Transport: transport},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /photos/{name}", a.get)
	mux.HandleFunc("PUT /photos/{name}", a.put)
	a.Handler = a.guard.Guard(mux)
	return a, nil
}

// route says what each request needs: reading takes view, writing takes edit.
func route(r *http.Request) (rs.Access, error) {
	name, ok := strings.CutPrefix(r.URL.Path, "/photos/")
	if !ok {
		return rs.Access{Unprotected: true}, nil
	}
	scope := uma.Scope("view")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		scope = "edit"
	}
	return rs.Access{Owner: albumOwner, Needs: []rs.Need{{Resource: name, Scopes: []uma.Scope{scope}}}}, nil
}

// resources are what the album puts under protection.
func (a *album) resources() []rs.Resource {
	var out []rs.Resource
	for _, name := range photoNames {
		out = append(out, rs.Resource{Key: name, Name: "The " + name, Type: "photo", Scopes: []uma.Scope{"view", "edit"}})
	}
	return out
}

func (a *album) photo(name string) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.photos[name]
}

func (a *album) get(w http.ResponseWriter, r *http.Request) {
	photo := a.photo(r.PathValue("name"))
	if photo == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	_, _ = w.Write(photo) // a caller that is gone cannot be told
}

const maxPhoto = 1 << 20

func (a *album) put(w http.ResponseWriter, r *http.Request) {
	photo, err := io.ReadAll(io.LimitReader(r.Body, maxPhoto))
	if err != nil {
		http.Error(w, "the picture did not arrive whole", http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.photos[r.PathValue("name")] = photo
	a.mu.Unlock()
	fmt.Fprintln(w, "changed")
}

// paint makes a small picture: a sky, a sun, and water.
func paint(hue int) ([]byte, error) {
	const width, height = 240, 160
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{R: uint8(250 - y/2), G: uint8(140 + y/3), B: uint8(90 + 60*hue + y/2), A: 255}
			if dx, dy := x-width/2, y-90; dx*dx+dy*dy < 900 {
				c = color.RGBA{R: 255, G: 220, B: uint8(120 - 40*hue), A: 255}
			}
			if y > 100 {
				c = color.RGBA{R: 20, G: uint8(60 + 30*hue), B: uint8(120 + (x+y*3)%40), A: 255}
			}
			img.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
