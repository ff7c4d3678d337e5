package e2e

import (
	"os"
	"path/filepath"
	"slices"
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
	for _, size := range []struct {
		name          string
		width, height int64
		dark          bool
	}{{"phone", 390, 844, false}, {"phone-dark", 390, 844, true}, {"desktop", 1280, 900, false}} {
		t.Run(size.name, func(t *testing.T) {
			w := way{width: size.width, scripts: true, dark: size.dark}
			start := p.demo(t)
			alice, bob := p.visitor(t, w), p.visitor(t, w)
			alice.resize(size.width, size.height)
			bob.resize(size.width, size.height)
			picture := func(v *visitor, name string) {
				if few := []string{"home", "stop", "demo-open"}; !size.dark || slices.Contains(few, name) {
					v.picture(name + "-" + size.name)
				}
			}

			alice.open(start)
			picture(alice, "demo-start")
			alice.here()
			alice.follow("#enter-alice-home button")
			bob.open(start)
			bob.here()
			bob.follow("#bob")
			picture(bob, "demo-locked")
			bob.sayWhoBobIs(start)
			picture(bob, "demo-waiting")
			alice.until("#waits a.go", patience)
			picture(alice, "home")
			alice.follow("#waits a.go")
			picture(alice, "request")
			alice.follow(".tabs a[href$='/app/']")
			alice.allowReadings()
			picture(alice, "promise")
			bob.until(".part-open", patience)
			picture(bob, "demo-open")

			alice.follow(".tabs a[href$='/app/people']")
			picture(alice, "people")
			alice.write("#q", "bob")
			alice.follow("search button")
			alice.follow("main li a[href^='/app/people/']")
			picture(alice, "person")
			alice.follow("#can a.stop")
			picture(alice, "stop")
			alice.follow("#do-stop")
			alice.follow("#undo")
			alice.follow(".tabs a[href$='/app/history']")
			picture(alice, "history")
			alice.follow(".tabs a[href$='/app/things']")
			alice.follow("main li a[href^='/app/things/']")
			picture(alice, "thing")
			alice.follow("#share")
			alice.write("#email", "anna@example.com")
			alice.follow("#check")
			picture(alice, "check")
			bob.open(start + "trace")
			picture(bob, "demo-trace")
			bob.open(start + "letters")
			picture(bob, "demo-letters")
			bob.open(p.fixture.Issuer + "/sign-in")
			picture(bob, "sign-in")
		})
	}
}

// picture writes what is to be seen in the window.
func (v *visitor) picture(name string) {
	v.t.Helper()
	ask[bool](v, "scrollTo(0, 0), document.activeElement?.blur(), true")
	quality := int64(74)
	shot := call(v, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatJpeg, Quality: &quality})
	const most = 150 << 10
	if len(shot.Data) == 0 || len(shot.Data) > most {
		v.t.Errorf("%s has %d bytes, and at most %d are borne", name, len(shot.Data), most)
	}
	if err := os.WriteFile(filepath.Join(pictures, name+".jpg"), shot.Data, 0o644); err != nil {
		v.t.Fatal(err)
	}
}
