package e2e

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"
)

// The picture that a service has named for a thing is seen, and the browser goes nowhere
// for it but here: whatever comes from elsewhere is a complaint.
func TestAThingHasAPicture(t *testing.T) {
	var drawn bytes.Buffer
	dot := image.NewNRGBA(image.Rect(0, 0, 24, 24))
	for x := range 24 {
		for y := range 24 {
			dot.Set(x, y, color.NRGBA{R: 0x33, G: uint8(0x66 + 4*x), B: uint8(0x99 + 4*y), A: 0xff})
		}
	}
	if err := png.Encode(&drawn, dot); err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/i.png" {
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(drawn.Bytes())
			return
		}
		http.NotFound(w, r)
	}))
	defer site.Close()
	journey(t, fewWays, func(v *visitor) {
		for picture, points := range map[string]int{"/i.png": 24, "/none.png": 0} {
			var made struct {
				ID string `json:"_id"`
			}
			v.place.post(t, "/uma/resources", v.place.fixture.PATs["alice@rs1"],
				map[string]any{"name": "Harbour", "resource_scopes": []string{"view"}, "icon_uri": site.URL + picture}, &made)
			v.open("/app/things/" + made.ID)
			if v.has("#sign-in") {
				v.signIn(v.place.fixture.Owners["alice"])
			}
			v.want(".face > img")
			v.look("a thing with a picture")
			if got := ask[int](v, "document.querySelector('.face > img').decode().then(() => document.querySelector('.face > img').naturalWidth)"); points > 0 && got != points || got == 0 {
				t.Errorf("%s is shown with %d points", picture, got)
			}
		}
	})
}
