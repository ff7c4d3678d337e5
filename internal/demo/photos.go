package demo

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/licet/licet/rs"
)

// photos is a resource server: somebody's photos.
//
//	GET /OWNER/NAME    the photo
type photos struct {
	*site
	guard    *rs.Server
	registry rs.MemoryRegistry
	iconKey  string // of the small pictures, by which Licet shows owners what is what
}

// photoThings are the photos, by whose they are.
var photoThings = map[rs.Owner][]rs.Resource{
	"alice": {
		{Key: "sunrise", Name: "Sunrise", Type: "photo", Scopes: scopes("view", "download")},
		{Key: "harbour", Name: "Harbour at night", Type: "photo", Scopes: scopes("view", "download")},
		{Key: "snow", Name: "First snow", Type: "photo", Scopes: scopes("view", "download")},
		{Key: "lake", Name: "The lake in May", Type: "photo", Scopes: scopes("view", "download")},
		{Key: "dunes", Name: "With Grandmother in the dunes", Type: "photo", Scopes: scopes("view", "download")},
	},
	"anna": {{Key: "garden", Name: "Garden in May", Type: "photo", Scopes: scopes("view", "download")}},
}

func (w *World) newPhotos(address string, pats rs.StaticPAT) (*photos, error) {
	s, err := newSite(address, "photos", w.clock.Now)
	if err != nil {
		return nil, err
	}
	p := &photos{site: s, iconKey: rand.Text()}
	if p.guard, err = w.newGuard(pats, routePhotos, &p.registry, partyPhotos); err != nil {
		return nil, err
	}
	api := http.NewServeMux()
	api.HandleFunc("GET /{owner}/{name}", servePhoto)
	s.Handle("/{owner}/{name}", p.guard.Guard(api))
	s.HandleFunc("GET /own/{owner}/{name}", func(rw http.ResponseWriter, r *http.Request) {
		if !w.keyed(r) {
			http.NotFound(rw, r)
			return
		}
		servePhoto(rw, r)
	})
	s.HandleFunc("GET /icon/{key}/{name}", p.icon)
	s.HandleFunc("GET /{owner}", w.ownThings(s, func(owner rs.Owner) ([]rs.Resource, rs.Registry) { return photoThings[owner], &p.registry }))
	return p, nil
}

// described are somebody's photos as Licet is told of them, with a small picture of each.
func (p *photos) described(owner rs.Owner) []rs.Resource {
	things := slices.Clone(photoThings[owner])
	for i := range things {
		things[i].IconURI = p.address + "/icon/" + p.iconKey + "/" + things[i].Key
	}
	return things
}

// icon is a small picture. Only Licet is told the addresses.
func (p *photos) icon(w http.ResponseWriter, r *http.Request) {
	s, there := scenes[r.PathValue("name")]
	if !there || subtle.ConstantTimeCompare([]byte(r.PathValue("key")), []byte(p.iconKey)) != 1 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(paint(s, 120, 120)) // a caller that is gone cannot be told
}

// routePhotos says what a request needs: to see the photo.
func routePhotos(r *http.Request) (rs.Access, error) {
	owner, name, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !ok || r.Method != http.MethodGet {
		return rs.Access{}, errors.New("there is nothing like that")
	}
	return rs.Access{Owner: rs.Owner(owner), Needs: []rs.Need{{Resource: name, Scopes: scopes("view")}}}, nil
}

func servePhoto(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !slices.ContainsFunc(photoThings[rs.Owner(r.PathValue("owner"))], func(t rs.Resource) bool { return t.Key == name }) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(painted(name)) // a caller that is gone cannot be told
}

// A scene is a landscape: sky, a light in it, hills behind hills, and what is below.
type scene struct {
	top, low     color.RGBA // of the sky
	light        color.RGBA
	x, y, radius float64 // of the light, in the width and height of the picture
	far, near    color.RGBA
	water        bool
	stars        bool
}

var scenes = map[string]scene{
	"sunrise": {rgb(0x33, 0x4a, 0x7d), rgb(0xff, 0xb4, 0x7a), rgb(0xff, 0xe9, 0xb8), .64, .56, .075, rgb(0xc9, 0x86, 0x86), rgb(0x27, 0x2f, 0x4d), true, false},
	"harbour": {rgb(0x0b, 0x14, 0x2e), rgb(0x2c, 0x3f, 0x6b), rgb(0xf4, 0xee, 0xd0), .25, .22, .045, rgb(0x24, 0x33, 0x58), rgb(0x08, 0x0d, 0x1d), true, true},
	"snow":    {rgb(0xb9, 0xd0, 0xe4), rgb(0xf4, 0xf1, 0xec), rgb(0xff, 0xfb, 0xee), .75, .25, .055, rgb(0xd6, 0xe0, 0xea), rgb(0xf7, 0xfa, 0xfc), false, false},
	"lake":    {rgb(0x6f, 0xb3, 0xdc), rgb(0xdd, 0xef, 0xee), rgb(0xff, 0xf7, 0xd6), .3, .24, .05, rgb(0x8f, 0xbf, 0x9b), rgb(0x2f, 0x6b, 0x4a), true, false},
	"dunes":   {rgb(0xe9, 0xdb, 0xc0), rgb(0xf5, 0xec, 0xd9), rgb(0xf7, 0xef, 0xdf), .5, .5, .2, rgb(0xdc, 0xc9, 0xa4), rgb(0xb9, 0x9a, 0x6b), false, false},
	"garden":  {rgb(0x8e, 0xc5, 0xe8), rgb(0xe7, 0xf3, 0xe3), rgb(0xff, 0xf9, 0xd9), .7, .2, .05, rgb(0xa9, 0xcf, 0x8b), rgb(0x4c, 0x8a, 0x3f), false, false},
}

func rgb(r, g, b uint8) color.RGBA { return color.RGBA{r, g, b, 255} }

// paintings are painted when somebody first looks.
var paintings sync.Map // name to func() []byte

func painted(name string) []byte {
	once, _ := paintings.LoadOrStore(name, sync.OnceValue(func() []byte { return paint(scenes[name], 900, 600) }))
	return once.(func() []byte)()
}

func paint(s scene, width, height int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	const horizon = .68
	sky := func(x, y float64) color.RGBA {
		c := mix(s.top, s.low, math.Min(1, y/horizon))
		d := math.Hypot((x-s.x)*float64(width)/float64(height), y-s.y)
		if d < s.radius {
			return s.light
		}
		return mix(c, s.light, .75*math.Exp(-(d-s.radius)*7))
	}
	const ridges = 4
	for py := range height {
		for px := range width {
			x, y := float64(px)/float64(width), float64(py)/float64(height)
			c := sky(x, y)
			if s.stars && y < .5 && (px*7919+py*104729)%4801 == 0 {
				c = rgb(0xff, 0xff, 0xf2)
			}
			for i := range ridges {
				depth := float64(i) / (ridges - 1)
				if y > ridge(x, depth) {
					c = mix(mix(s.far, s.low, .25), s.near, depth)
				}
			}
			if s.water && y > .74 {
				c = mix(mix(sky(x+.006*math.Sin(y*240), 1.42-y), s.near, .32), s.near, (y-.74)*1.1)
			}
			img.SetRGBA(px, py, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 86}); err != nil {
		panic("demo: " + err.Error()) // memory does not fail
	}
	return b.Bytes()
}

// ridge is how high hills are: the nearer, the lower.
func ridge(x, depth float64) float64 {
	const far, near = .46, .80
	base := far + (near-far)*depth
	f := 2.1 + 2.3*depth
	return base + .055*math.Sin(x*f*3.1+depth*9) + .028*math.Sin(x*f*7.7+depth*23) + .009*math.Sin(x*f*23+depth*41)
}

func mix(a, b color.RGBA, t float64) color.RGBA {
	t = math.Max(0, math.Min(1, t))
	part := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*t + .5) }
	return color.RGBA{part(a.R, b.R), part(a.G, b.G), part(a.B, b.B), 255}
}
