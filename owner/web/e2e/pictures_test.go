package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
)

// pictures is where the pictures of the documentation are.
const pictures = "../../../docs/screenshots"

// The pictures of the main pages are made anew with LICET_SCREENSHOTS=1, and not
// otherwise, so that a run of the tests leaves the tree as it is.
func TestPicturesOfTheMainPages(t *testing.T) {
	if os.Getenv("LICET_SCREENSHOTS") == "" {
		t.Skip("SKIPPED: pictures are made with LICET_SCREENSHOTS=1")
	}
	p := visit(t)
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Harbour at night", "Grandmother's letter"} {
		p.photo(t, name)
	}
	for _, size := range []struct {
		name          string
		width, height int64
		dark          bool
		photo         string
	}{{"phone", 390, 844, false, "Sunrise"}, {"phone-dark", 390, 844, true, "Lake"}, {"desktop", 1280, 900, false, "First snow"}} {
		t.Run(size.name, func(t *testing.T) {
			v := p.visitor(t, way{width: size.width, scripts: true, dark: size.dark})
			v.resize(size.width, size.height)
			photo := "/app/things/" + p.photo(t, size.photo)
			v.open("/app/")
			v.picture("sign-in-" + size.name)
			v.signIn(p.fixture.Owners["alice"])
			v.open("/app/share?thing=" + filepath.Base(photo))
			v.write("#email", p.fixture.RequestingParties["bob"].Email)
			v.follow("#check")
			v.picture("check-" + size.name)
			v.follow("#do-share")
			v.picture("promise-" + size.name)
			v.open("/app/")
			v.picture("home-" + size.name)
			v.open(photo)
			v.picture("thing-" + size.name)
			v.follow("#who-can a.stop")
			v.picture("stop-" + size.name)
		})
	}
}

// picture writes what is to be seen in the window.
func (v *visitor) picture(name string) {
	v.t.Helper()
	ask[bool](v, "scrollTo(0, 0), document.activeElement?.blur(), true")
	quality := int64(82)
	shot := call(v, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatJpeg, Quality: &quality})
	const most = 150 << 10
	if len(shot.Data) == 0 || len(shot.Data) > most {
		v.t.Errorf("%s has %d bytes, and at most %d are borne", name, len(shot.Data), most)
	}
	if err := os.WriteFile(filepath.Join(pictures, name+".jpg"), shot.Data, 0o644); err != nil {
		v.t.Fatal(err)
	}
}
