package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Walk goes the way that the start page leads, over HTTP and with nobody at the
// keyboard, and tells each step when it has come out as it must. It is to be the first
// that somebody does here.
func (w *World) Walk(ctx context.Context, out io.Writer) error {
	k, err := w.walker(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	for i, step := range []struct {
		says string
		does func() error
	}{
		{"Alice signs in with one press. Her home says who can see something.", k.home},
		{"Bob opens a link in his app. It is locked, and he asks, without an account.", k.ask},
		{"He shows his address with a code from a letter, and waits.", k.sayWho},
		{"Alice is told of it. She allows the blood pressure, and leaves the notes out.", k.allow},
		{"Bob's page opens: the readings are there, the notes are not.", k.unlocked},
		{"Alice looks up what Bob can do.", k.could},
		{"She stops it. Within five seconds, Bob's page is shut.", k.stopIt},
		{"She brings it back, and Bob opens it again without asking.", k.undo},
		{"Each message is in the trace, with its section, and no secret.", k.traced},
	} {
		if err := step.does(); err != nil {
			return fmt.Errorf("step %d. %s\nThis went wrong: %w", i+1, step.says, err)
		}
		if _, err := fmt.Fprintf(out, "%2d. ok  %s\n", i+1, step.says); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "Every step came out as it must, in %.1f seconds.\n", time.Since(begun).Seconds())
	return err
}

// walker walks, with a browser for Alice and one for Bob.
type walker struct {
	*World
	ctx        context.Context
	alice, bob *browser
	thing      string // Alice's page of it
}

func (w *World) walker(ctx context.Context) (*walker, error) {
	alice, err := newBrowser(localhost(w.Listener))
	if err != nil {
		return nil, err
	}
	bob, err := newBrowser(localhost(w.Listener))
	return &walker{World: w, ctx: ctx, alice: alice, bob: bob}, err
}

// soon tries until it is so, for as long as anything may take here.
func (k *walker) soon(within time.Duration, is func() error) error {
	late := time.After(within)
	for {
		err := is()
		if err == nil {
			return nil
		}
		select {
		case <-k.ctx.Done():
			return k.ctx.Err()
		case <-late:
			return fmt.Errorf("after %v: %w", within, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// patience is how long something may take that nobody waits for at a page.
const patience = 20 * time.Second

// effect is how long stopping may take where things are kept.
const effect = 5 * time.Second

func (k *walker) home() error {
	a := k.alice
	a.open(k.StartPage())
	a.submit("enter-alice-home", nil)
	a.shows("Alice Marsh", "can see something of yours")
	return a.failed()
}

func (k *walker) ask() error {
	b := k.bob
	b.open(k.StartPage())
	b.follow(`/open\?link=`)
	b.shows(`id="locked"`)
	b.submit("ask", nil)
	if err := b.failed(); err != nil {
		return err
	}
	if b.at.Host != strings.TrimPrefix(k.Issuer, "http://") {
		return fmt.Errorf("he was not sent to say who he is: he is at %s", b.at)
	}
	return nil
}

const whyBobAsks = "I help you with your medicine"

var codeShown = regexp.MustCompile(`code-shown">([0-9]+)<`)

func (k *walker) sayWho() error {
	b := k.bob
	b.submit("code", map[string]string{"email": addressOfBob})
	letters, err := newBrowser(localhost(k.Listener))
	if err != nil {
		return err
	}
	err = k.soon(patience, func() error {
		letters.open(k.start.address + "/letters")
		letters.shows("to "+addressOfBob, "code-shown")
		return letters.failed()
	})
	if err != nil {
		return err
	}
	b.submit("enter", map[string]string{"code": codeShown.FindStringSubmatch(letters.text)[1]})
	b.shows(addressOfBob)
	b.submit("allow", map[string]string{"remember": "yes", "why": whyBobAsks})
	b.shows(`id="waits"`)
	return b.failed()
}

func (k *walker) allow() error {
	a := k.alice
	err := k.soon(patience, func() error {
		a.open(k.at("alice.localhost") + "/app/requests")
		a.shows(addressOfBob)
		return a.failed()
	})
	if err != nil {
		return err
	}
	a.follow(`^/app/requests/.`)
	a.shows("Notes of our talks", whyBobAsks)
	a.submit("allow", map[string]string{a.input("<h3><bdi>Blood pressure</bdi>", "do-"): "view", "days": "30"})
	a.shows("Blood pressure")
	return a.failed()
}

// shown loads Bob's page anew until it has texts.
func (k *walker) shown(texts ...string) error {
	return k.soon(effect, func() error {
		k.bob.open(k.app.address + openPath(k.app.links[0].Link))
		k.bob.shows(texts...)
		return k.bob.failed()
	})
}

func (k *walker) unlocked() error { return k.shown("part-open", "mmHg", "part-shut") }

func (k *walker) could() error {
	a := k.alice
	a.open(k.at("alice.localhost") + "/app/people?q=bob")
	a.follow(`^/app/people/.`)
	a.shows(addressOfBob, "Blood pressure")
	k.thing = a.link(`^/app/things/.`)
	person := a.at.String()
	if err := a.failed(); err != nil {
		return err
	}
	a.open(k.at("alice.localhost") + "/app/could?" + url.Values{"email": {addressOfBob}, "app": {string(clientApp)}}.Encode())
	a.shows("<bdi>Blood pressure</bdi>", "pill ok", "<bdi>Notes of our talks</bdi>")
	a.open(person)
	return a.failed()
}

func (k *walker) stopIt() error {
	a := k.alice
	a.follow(`^/app/stop\?share=`)
	a.shows("Kin")
	a.submit("do-stop", nil)
	a.shows(`id="undo"`)
	if err := a.failed(); err != nil {
		return err
	}
	return k.shown(`id="locked"`)
}

func (k *walker) undo() error {
	a := k.alice
	a.submit("undo", nil)
	a.open(k.at("alice.localhost") + k.thing)
	a.shows(addressOfBob)
	if err := a.failed(); err != nil {
		return err
	}
	k.bob.submit("ask", nil)
	return errors.Join(k.bob.failed(), k.shown("part-open"))
}

func (k *walker) traced() error {
	k.bob.open(k.start.address + "/trace")
	k.bob.shows(`class="seq`)
	k.bob.open("/")
	if err := k.bob.failed(); err != nil {
		return err
	}
	if k.steps.done() != [6]bool{true, true, true, true, true, true} {
		return fmt.Errorf("the start page says that these steps are done: %s", k.steps.mark())
	}
	messages, _ := k.trace.messages()
	sections := map[string]bool{}
	for _, m := range messages {
		sections[m.Section] = true
		for _, secret := range []string{"Bearer ", "ticket="} {
			for _, after := range strings.Split(m.Raw, secret)[1:] {
				if !strings.HasPrefix(after, "[hidden") && !strings.HasPrefix(after, `"[hidden`) {
					return fmt.Errorf("message %d tells a secret: %s", m.N, m.Raw)
				}
			}
		}
	}
	for _, s := range []string{
		grant + "2", grant + "3.1", grant + "3.2.1", grant + "3.3.1", grant + "3.3.2", grant + "3.3.3", grant + "3.3.5", grant + "3.3.6", grant + "3.4", grant + "3.5",
		fedAuthz + "4.1", fedAuthz + "4.2", fedAuthz + "5.1", fedAuthz + "5.1.1",
	} {
		if !sections[s] {
			return fmt.Errorf("nothing in the trace is of %s", s)
		}
	}
	return nil
}
