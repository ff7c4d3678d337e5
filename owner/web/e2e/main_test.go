package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"
)

// place is what all tests share: a server, and a browser that has each visitor in a
// profile of their own.
type place struct {
	fixture fixture
	binary  string // of the server
	axe     string // the source of axe-core; "" where there is none
	browser context.Context
	missing error // why there is no browser
	dir     string

	close []func() error // last first
}

// fixture is what a server for tests says of itself: docs/reference/fixture-format.md.
type fixture struct {
	Issuer            string            `json:"issuer"`
	Owners            map[string]person `json:"owners"`
	RequestingParties map[string]person `json:"requesting_parties"`
	Clients           map[string]client `json:"clients"`
	PATs              map[string]string `json:"pats"`
	PolicyEndpoint    string            `json:"policy_endpoint"`
	PolicyTokens      map[string]string `json:"policy_tokens"`
}

type person struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Space    string `json:"space"`
}

type client struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// world is opened by the first test that needs it.
var world = sync.OnceValues(open)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := shut(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// opened is the world, if it was opened; shut closes it.
var opened *place

func shut() error {
	if opened == nil {
		return nil
	}
	var errs []error
	for i := len(opened.close) - 1; i >= 0; i-- {
		errs = append(errs, opened.close[i]())
	}
	return errors.Join(errs...)
}

// inCI says that what is missing is an error.
func inCI() bool { return os.Getenv("LICET_CI") != "" }

func open() (*place, error) {
	p := &place{}
	opened = p
	chromium := findChromium()
	if chromium == "" {
		p.missing = errors.New("there is no Chromium here: apt-get install chromium-headless-shell")
		return p, nil
	}
	if path := os.Getenv("LICET_AXE"); path != "" {
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		p.axe = string(source)
	}
	dir, err := os.MkdirTemp("", "licet-e2e-")
	if err != nil {
		return nil, err
	}
	p.dir = dir
	p.close = append(p.close, func() error { return os.RemoveAll(dir) })
	if err := p.serve(dir); err != nil {
		return nil, err
	}
	return p, p.browse(chromium, filepath.Join(dir, "profile"))
}

// findChromium looks on the path and where Debian puts it. The one that has no windows
// does the same with half the work.
func findChromium() string {
	for _, name := range []string{"chromium-headless-shell", "chromium", "/usr/bin/chromium", "/usr/lib/chromium/chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// serve builds the server as it is shipped and runs it.
func (p *place) serve(dir string) error {
	binary := filepath.Join(dir, "licet")
	p.binary = binary
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/licet/licet/cmd/licet").CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	server := exec.Command(binary, "dev", "--json", "--listen", "localhost:0") // passkeys are for a name
	server.Env = append(os.Environ(), "TMPDIR="+dir)
	var said bytes.Buffer
	server.Stderr = &said
	out, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	p.close = append(p.close, func() error {
		err := errors.Join(server.Process.Signal(syscall.SIGTERM), server.Wait())
		if err != nil || bytes.Contains(said.Bytes(), []byte("level=ERROR")) {
			return fmt.Errorf("the server ended with %v and had said:\n%s", err, said.Bytes())
		}
		return nil
	})
	return json.NewDecoder(out).Decode(&p.fixture)
}

// browse starts the browser.
func (p *place) browse(chromium, profile string) error {
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium), chromedp.UserDataDir(profile),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.WSURLReadTimeout(time.Minute),
	}
	for _, flag := range []string{
		"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-extensions",
		"disable-default-apps", "disable-dev-shm-usage", "disable-renderer-backgrounding", "disable-background-timer-throttling",
		"metrics-recording-only", "enable-automation", "disable-breakpad",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	options = append(options, chromedp.Flag("password-store", "basic"), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter"))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	p.browser, _ = chromedp.NewContext(ctx)
	p.close = append(p.close, func() error {
		defer cancel()
		return chromedp.Cancel(p.browser)
	})
	return chromedp.Do(p.browser) // starts it
}

// visit returns the world for a test, or skips the test.
func visit(t *testing.T) *place {
	t.Helper()
	if testing.Short() {
		t.Skip("a short run: no browser is started")
	}
	p, err := world()
	if err != nil {
		t.Fatal(err)
	}
	if p.missing != nil {
		if inCI() {
			t.Fatal(p.missing)
		}
		t.Skipf("SKIPPED: %v", p.missing)
	}
	return p
}
