package web_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/uma"
)

// pictureOf is a picture of so many points on a side.
func pictureOf(t *testing.T, side int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// elsewhere is where services keep pictures. It counts who comes.
type elsewhere struct {
	*httptest.Server
	mu   sync.Mutex
	came []string
}

func newElsewhere(t *testing.T, answers map[string]func(http.ResponseWriter)) *elsewhere {
	t.Helper()
	e := &elsewhere{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.came = append(e.came, r.URL.Path)
		e.mu.Unlock()
		if answer, ok := answers[r.URL.Path]; ok {
			answer(w)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *elsewhere) visits() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.came)
}

func served(contentType string, body []byte) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body)
	}
}

// iconOn is where a page has the picture of a thing.
func iconOn(t *testing.T, a answer) string {
	t.Helper()
	_, rest, found := strings.Cut(a.body, `<img src="`)
	if !found {
		return ""
	}
	src, _, _ := strings.Cut(rest, `"`)
	return strings.ReplaceAll(src, "&amp;", "&")
}

// The picture of a thing comes from here and from nowhere else: it is fetched once, when
// the owner looks, and shown as something that does nothing.
//
// Proves SEC-069.
func TestThePictureOfAThingComesFromHere(t *testing.T) {
	w := newWorld(t)
	want := pictureOf(t, 32)
	site := newElsewhere(t, map[string]func(http.ResponseWriter){"/i.png": served("image/png", want)})
	album := w.described(map[string]any{"name": "Album", "resource_scopes": []string{"view"}, "icon_uri": site.URL + "/i.png"})
	alice := w.at("alice@example.com")
	for _, path := range []string{"/app/things", "/app/things/" + string(album)} {
		page := alice.see(path)
		page.silent(t, site.URL)
		src := iconOn(t, page)
		if !strings.HasPrefix(src, "/app/things/"+string(album)+"/icon") {
			t.Fatalf("%s has its picture at %q", path, src)
		}
		a := alice.see(src)
		if a.body != string(want) || a.Header.Get("Content-Type") != "image/png" || a.Header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(a.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("the picture is %d bytes with %v", len(a.body), a.Header)
		}
	}
	if n := site.visits(); n != 1 {
		t.Errorf("it was fetched %d times", n)
	}
	theirs, none := w.at("bob@example.com").get("/app/things/"+string(album)+"/icon"), w.at("bob@example.com").get("/app/things/nothing/icon")
	if theirs.StatusCode != http.StatusNotFound || theirs.text() != none.text() {
		t.Errorf("Bob gets Alice's picture: %s", theirs.Status)
	}
	w.now = w.now.AddDate(0, 0, 2)
	alice.see("/app/things/" + string(album) + "/icon")
	if n := site.visits(); n != 2 {
		t.Errorf("two days later it was fetched %d times in all", n)
	}
}

// What is no picture of points is not handed on, whatever it says it is; nor is what is
// too large, or lies where this server must not go. Our own sign is shown instead, and it
// is not tried again at once.
//
// Proves SEC-069, SEC-110.
func TestWhatIsNoPictureIsNotHandedOn(t *testing.T) {
	w := newWorld(t)
	script := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
	site := newElsewhere(t, map[string]func(http.ResponseWriter){
		"/drawing":     served("image/svg+xml", script),
		"/disguised":   served("image/png", script),
		"/page":        served("text/html", pictureOf(t, 8)),
		"/many-points": served("image/png", pictureOf(t, 1025)),
		"/heavy":       served("image/png", append(pictureOf(t, 8), make([]byte, 65<<10)...)),
		"/moved":       func(w http.ResponseWriter) { w.Header().Set("Location", "/fine"); w.WriteHeader(http.StatusFound) },
		"/fine":        served("image/png", pictureOf(t, 1024)),
	})
	alice := w.at("alice@example.com")
	icon := func(uri string) answer {
		id := w.described(map[string]any{"name": "Album", "resource_scopes": []string{"view"}, "icon_uri": uri})
		return alice.see(iconOn(t, alice.see("/app/things/"+string(id))))
	}
	if a := icon(site.URL + "/fine"); a.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the control: %v", a.Header)
	}
	for _, uri := range []string{
		site.URL + "/drawing", site.URL + "/disguised", site.URL + "/page", site.URL + "/many-points", site.URL + "/heavy", site.URL + "/moved", site.URL + "/missing",
		"http://169.254.169.254/latest/meta-data", "https://nowhere.invalid/i.png",
	} {
		before := site.visits()
		for range 2 {
			if a := icon(uri); a.Header.Get("Content-Type") != "image/svg+xml" || strings.Contains(a.body, "script") || !strings.HasPrefix(a.body, "<svg") {
				t.Errorf("%s: %v %.60s", uri, a.Header, a.body)
			}
		}
		if n := site.visits() - before; n > 1 {
			t.Errorf("%s was tried %d times", uri, n)
		}
	}
}

// Who looks at once fetches once, and more pictures than there is room for are shown all
// the same.
func TestManyPicturesAreShown(t *testing.T) {
	w := newWorld(t)
	answers := map[string]func(http.ResponseWriter){}
	site := newElsewhere(t, answers)
	for i := range 300 {
		answers["/"+time.Duration(i).String()] = served("image/png", pictureOf(t, 1+i%7))
	}
	alice := w.at("alice@example.com")
	var ids []uma.ResourceID
	for i := range 300 {
		ids = append(ids, w.described(map[string]any{"name": "Album", "resource_scopes": []string{"view"}, "icon_uri": site.URL + "/" + time.Duration(i).String()}))
	}
	var all sync.WaitGroup
	for _, id := range append(ids, ids[0], ids[0], ids[0]) {
		all.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.srv.URL+"/app/things/"+string(id)+"/icon", nil)
			if err != nil {
				t.Error(err)
				return
			}
			a, err := alice.client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			if _ = a.Body.Close(); a.Header.Get("Content-Type") != "image/png" {
				t.Errorf("%s: %s", r.URL, a.Header)
			}
		})
	}
	all.Wait()
}
