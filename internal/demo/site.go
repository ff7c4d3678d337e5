package demo

import (
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/licet/licet/internal/page"
)

//go:embed pages
var pageFiles embed.FS

// site is somebody's web site, in the look of this house and in English.
type site struct {
	*http.ServeMux
	address string
	pages   *page.Pages
	set     *page.Set
}

// newSite makes a site of the pages in a directory.
func newSite(address, directory string, now func() time.Time) (*site, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	pages, err := page.New(page.Config{Issuer: u, FormKey: key, Now: now})
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(pageFiles, "pages/"+directory)
	if err != nil {
		return nil, err
	}
	s := &site{http.NewServeMux(), address, pages, pages.Set(files)}
	s.HandleFunc("GET "+page.AssetsPath+"{name}", func(w http.ResponseWriter, r *http.Request) {
		if !pages.ServeAsset(w, r, r.PathValue("name")) {
			http.NotFound(w, r)
		}
	})
	return s, nil
}

// open begins an answer, in the one language that the demonstration's own pages have.
func (s *site) open(w http.ResponseWriter, r *http.Request) *page.Answer {
	kept := r.Cookies()
	r.Header.Del("Cookie")
	for _, c := range kept {
		if c.Name != "licet-language" {
			r.AddCookie(c)
		}
	}
	r.Header.Set("Accept-Language", "en")
	return s.pages.Open(w, r)
}

// form reads a form that was sent from a page of this site about something.
func (s *site) form(w http.ResponseWriter, r *http.Request, about string) (*page.Answer, bool) {
	a := s.open(w, r)
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if r.ParseForm() != nil || a.SameOrigin() != nil || !a.FromHere(r.PostForm.Get(page.FieldForm), about) {
		http.Error(w, "This was not sent from a page that is here now. Go back, load it again and try once more.", http.StatusForbidden)
		return a, false
	}
	return a, true
}

// events is a stream of events that tells a page when it is out of date: look says
// what is to be seen.
func events(w http.ResponseWriter, r *http.Request, was string, look func() string) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	rc := http.NewResponseController(w)
	say := func(text string) bool {
		_, err := fmt.Fprint(w, text)
		return err == nil && rc.Flush() == nil
	}
	if !say("retry: 3000\n\n") {
		return
	}
	const every, still = time.Second, 20
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 1; ; n++ {
		if is := look(); is != was {
			if was = is; !say("event: changed\ndata: \n\n") {
				return
			}
		}
		if n%still == 0 && !say(": still here\n\n") {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// host is a request's host without its port.
func host(r *http.Request) string {
	name, _, _ := strings.Cut(r.Host, ":")
	return name
}
