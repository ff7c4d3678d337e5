package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The demonstration, as somebody sees it who has just started it.

var startPage = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+/`)

// demo starts a demonstration, which goes on until all tests are over, and returns the
// address of its start page.
func (p *place) demo(t *testing.T) string {
	t.Helper()
	server := exec.Command(filepath.Join(p.dir, "licet"), "demo")
	server.Env = append(os.Environ(), "TMPDIR="+p.dir)
	var said strings.Builder
	server.Stderr = &said
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	p.close = append(p.close, func() error { // after whoever visits it has gone
		err := server.Process.Signal(syscall.SIGTERM)
		_, rest := io.Copy(io.Discard, lines)
		if err = errors.Join(err, rest, server.Wait()); err != nil || said.Len() > 0 {
			return fmt.Errorf("the demonstration ended with %v, and had said:\n%s", err, said.String())
		}
		return nil
	})
	for {
		line, err := lines.ReadString('\n')
		if address := startPage.FindString(line); address != "" {
			return address
		}
		if err != nil {
			t.Fatalf("it names no page to begin with: %v\n%s", err, said.String())
		}
	}
}

// here has links and forms lead on in the same window, where people have one for each.
func (v *visitor) here() {
	v.t.Helper()
	ask[bool](v, `document.querySelectorAll("[target]").forEach(e => e.removeAttribute("target")), true`)
}

// until waits for an element to come by itself; where there is no script, by loading
// the page anew.
func (v *visitor) until(selector string, within time.Duration) {
	v.t.Helper()
	for begin := time.Now(); time.Since(begin) < within; {
		there, err := tryAsk[bool](v, "document.readyState === 'complete' && document.querySelector("+quote(selector)+") !== null")
		if err == nil && there { // it may have been between two pages
			return
		}
		if !v.way.scripts {
			v.open(v.at().String())
		}
	}
	v.fatalf("after %v there still is no %s", within, selector)
}

// lookAsDeveloper is look for pages that may use the words of the specifications.
func (v *visitor) lookAsDeveloper(state string) {
	v.t.Helper()
	for _, problem := range slices.DeleteFunc(v.problems(), func(p string) bool { return strings.HasPrefix(p, "people do not know the word") }) {
		v.t.Errorf("%s (%s): %s", state, v.at().Path, problem)
	}
}

// effect is how long stopping may take where things are kept.
const effect = 5 * time.Second

var demoWays = []way{
	{name: "desk", width: desk, scripts: true},
	{name: "phone without scripts", width: phone},
	{name: "phone in the dark", width: phone, scripts: true, dark: true},
	{name: "keyboard at a desk without scripts in the dark", width: desk, dark: true, keyboard: true},
}

// Somebody walks the way that the start page leads: Bob asks without an account, Alice
// is told of it and allows less, Bob's page opens, she looks up what he can do, stops
// it, his page shuts, and she brings it back.
func TestTheDemonstration(t *testing.T) {
	journey(t, demoWays, func(v *visitor) {
		t, p := v.t, v.place
		start := p.demo(t)
		alice, bob := v, p.visitor(t, v.way)
		alice.open(start)
		alice.look("the start page")
		alice.here()
		alice.follow("#enter-alice-home button")
		alice.want("#says", "#can-see .rows")

		bob.open(start)
		bob.here()
		bob.follow("#bob")
		bob.want("#locked", "#trace")
		bob.lookAsDeveloper("locked")
		bob.sayWhoBobIs(start)
		bob.want("#waits", "#trace .seq .num")
		bob.lookAsDeveloper("waiting")

		alice.until("#waits a.go", patience)
		alice.allowReadings()
		bob.until(".part-open", patience)
		bob.want(".part-open .chart", ".part-shut")
		if size := ask[float64](bob, `document.querySelector("#trace .seq").getScreenCTM().a`); size < 0.6 {
			t.Errorf("the trace beside the app is drawn at %.2f of its size, and cannot be read", size)
		}
		bob.lookAsDeveloper("open, in part")

		alice.follow(".tabs a[href$='/app/people']")
		alice.write("#q", "bob")
		alice.follow("search button")
		alice.follow("main li a[href^='/app/people/']")
		alice.stopReadings()
		bob.until("#locked", effect)
		bob.lookAsDeveloper("shut again")
		alice.follow("#undo")
		bob.follow("#ask")
		bob.until(".part-open", effect)

		bob.open(start + "letters")
		bob.look("letters")
		bob.open(start + "trace")
		bob.want(".seq .num", "#said details")
		bob.lookAsDeveloper("the trace")
		bob.press(".seq a")
		if !ask[bool](bob, `document.querySelector("#said details").open`) {
			t.Error("pressing the first arrow does not open its message")
		}
		bob.lookAsDeveloper("a message, open")
		bob.open(start)
		if done := ask[int](bob, `document.querySelectorAll("#walk .pill.ok").length`); done != 6 {
			t.Errorf("the start page says that %d steps are done", done)
		}
		bob.look("every step done")
	})
}

// The other pages of the demonstration: a service as whoever keeps things there sees
// it, the app's home, somebody who acts for a child.
func TestTheOtherPagesOfTheDemonstration(t *testing.T) {
	journey(t, demoWays[1:3], func(v *visitor) {
		start := v.place.demo(v.t)
		v.open(start)
		places := ask[[]string](v, `[...document.querySelectorAll("section[aria-labelledby=places] a")].map(a => a.href)`)
		if len(places) < 4 {
			v.t.Fatalf("there are only %d places", len(places))
		}
		for _, place := range places[:3] {
			v.open(place)
			v.look("a place")
		}
		v.open(start)
		v.here()
		v.follow("#enter-carol-list button")
		v.want("h1")
		v.look("Carol's home")
	})
}

// sayWhoBobIs asks, gives Bob's address, and enters the code from the letter.
func (v *visitor) sayWhoBobIs(start string) {
	v.t.Helper()
	v.follow("#ask")
	v.want("#passkey-form") // he could have one: Licet is at a name
	v.write("#email", "bob@example.com")
	v.follow("#code")
	letters := v.place.visitor(v.t, way{width: phone, scripts: true})
	letters.open(start + "letters")
	letters.until(".code-shown", patience)
	v.write("#code", ask[string](letters, `document.querySelector(".code-shown").textContent`))
	v.follow("#enter")
	v.write("#why", "I help you with your medicine")
	v.press("#remember")
	v.follow("#allow")
}

// allowReadings has Alice say yes to the readings, and not to the notes.
func (v *visitor) allowReadings() {
	v.t.Helper()
	v.follow(".tabs a[href$='/app/requests']")
	v.follow("main li a[href^='/app/requests/']")
	name := ask[string](v, `[...document.querySelectorAll("#answer-form input[type=checkbox]")].find(e => e.closest("[role=group]").textContent.includes("Blood pressure")).name`)
	v.press(fmt.Sprintf("input[name=%q]", name))
	v.follow("#allow")
}

// stopReadings has Alice stop what Bob can do.
func (v *visitor) stopReadings() {
	v.t.Helper()
	v.follow("#can a.stop")
	v.follow("#do-stop")
	v.want("#undo")
}
