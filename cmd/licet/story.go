package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/licet/licet/uma"
)

// step is a part of the story. It says what must come of it and fails when
// something else does.
type step func(context.Context) error

// story is what is played.
func (st *stage) story() []step {
	return []step{
		st.aliceProtects, st.bobIsStopped, st.bobSignsIn, st.aliceApproves, st.bobSees, st.bobCannotEdit, st.oneIsNotAll, st.aliceWithdraws,
	}
}

func (st *stage) play(ctx context.Context, story []step) error {
	for _, step := range story {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (st *stage) aliceProtects(ctx context.Context) error {
	st.trace.heading("1. The album puts Alice's photos under protection, and Alice says: whoever asks, ask me first.")
	if err := st.album.guard.Sync(ctx, albumOwner, st.album.resources()); err != nil {
		return err
	}
	resources, err := st.desk.names(ctx)
	if err != nil {
		return err
	}
	if len(resources) != len(photoNames) {
		return fmt.Errorf("%d photos are registered, not %d", len(resources), len(photoNames))
	}
	for id := range resources {
		if err := st.desk.letAsk(ctx, uma.ResourceID(id)); err != nil {
			return err
		}
	}
	return nil
}

func (st *stage) photoAt(name string) string { return st.viewerURL + "/photos/" + name }

// bobIsStopped: refused (401 with a ticket), need_info, and off to sign in.
func (st *stage) bobIsStopped(context.Context) error {
	st.trace.heading("2. Bob opens the sunrise. His app knows nothing yet; the album sends it to Licet, and Licet wants to know who asks.")
	p, err := st.browser.open(st.photoAt("sunrise"))
	if err != nil {
		return err
	}
	st.shown = p
	return st.must("need_info", 1, p, http.StatusOK, `name="password"`)
}

// bobSignsIn: claims are gathered, and the answer is request_submitted.
func (st *stage) bobSignsIn(context.Context) error {
	st.trace.heading("3. Bob signs in and agrees that Alice learns who he is. She is asked.")
	p, err := st.browser.submit(st.shown, map[string]string{"email": st.bob.Email, "password": st.bob.Password, "action": "sign-in"})
	if err != nil {
		return err
	}
	if err := page200(p, st.bob.Email); err != nil {
		return err
	}
	if p, err = st.browser.submit(p, map[string]string{"action": "allow", "remember": "yes"}); err != nil {
		return err
	}
	return st.must("request_submitted", 1, p, http.StatusAccepted, "Alice has been asked")
}

func (st *stage) aliceApproves(ctx context.Context) error {
	st.trace.heading("4. Alice sees the request and allows it, for a day.")
	pending, err := st.desk.pending(ctx)
	if err != nil {
		return err
	}
	if len(pending) != 1 || pending[0].Who() != st.bob.Email {
		return fmt.Errorf("now Alice should see one request of %s, and sees %+v", st.bob.Email, pending)
	}
	made, err := st.desk.approve(ctx, pending[0].ID)
	if err == nil && len(made) != 1 {
		err = fmt.Errorf("the approval made %d policies, not 1", len(made))
	}
	return err
}

func (st *stage) bobSees(ctx context.Context) error {
	st.trace.heading("5. Bob's app asks again, gets a token, and the picture is delivered.")
	if err := pause(ctx); err != nil {
		return err
	}
	p, err := st.browser.open(st.photoAt("sunrise"))
	if err != nil {
		return err
	}
	if p.status != http.StatusOK || !bytes.Equal(p.body, st.album.photo("sunrise")) {
		return fmt.Errorf("now Bob should see the sunrise, and sees %d %.200s", p.status, p.body)
	}
	return nil
}

func (st *stage) bobCannotEdit(context.Context) error {
	st.trace.heading("6. Bob tries to change the picture. Seeing is not changing.")
	before := st.album.photo("sunrise")
	req, err := http.NewRequest(http.MethodPost, st.photoAt("sunrise")+"/edit", nil)
	if err != nil {
		return err
	}
	p, err := st.browser.do(req)
	if err != nil {
		return err
	}
	if !bytes.Equal(before, st.album.photo("sunrise")) {
		return fmt.Errorf("the picture was changed")
	}
	return st.must("request_denied", 1, p, http.StatusForbidden, "does not let")
}

func (st *stage) oneIsNotAll(context.Context) error {
	st.trace.heading("7. Bob opens the harbour, too. One photo was allowed, not all; his app knows him by now, so Alice is asked at once.")
	p, err := st.browser.open(st.photoAt("harbour"))
	if err != nil {
		return err
	}
	return st.must("request_submitted", 2, p, http.StatusAccepted, "Alice has been asked")
}

func (st *stage) aliceWithdraws(ctx context.Context) error {
	st.trace.heading("8. Alice takes the sunrise back. Bob's token is worth nothing from then on.")
	wishes, err := st.desk.wishes(ctx)
	if err != nil {
		return err
	}
	withdrawn := 0
	for _, w := range wishes {
		if w.Approval != "none" {
			continue
		}
		if err := st.desk.withdraw(ctx, w.ID); err != nil {
			return err
		}
		withdrawn++
	}
	if withdrawn != 1 {
		return fmt.Errorf("now Alice withdrew %d policies, not 1", withdrawn)
	}
	p, err := st.browser.open(st.photoAt("sunrise"))
	if err != nil {
		return err
	}
	if bytes.Equal(p.body, st.album.photo("sunrise")) {
		return fmt.Errorf("now Bob still sees the sunrise")
	}
	return st.must("request_submitted", 3, p, http.StatusAccepted, "Alice has been asked")
}

// must checks what a step came to: the page, and how often Licet has given this
// answer so far.
func (st *stage) must(code string, times int, p page, status int, text string) error {
	if p.status != status || !strings.Contains(string(p.body), text) {
		return fmt.Errorf("now Bob should see %d %q, and sees %d %.300s", status, text, p.status, p.body)
	}
	st.trace.mu.Lock()
	got := st.trace.count[code]
	st.trace.mu.Unlock()
	if got != times {
		return fmt.Errorf("now Licet should have answered %s %d times by now, and has %d times", code, times, got)
	}
	return nil
}

func page200(p page, text string) error {
	if p.status != http.StatusOK || !strings.Contains(string(p.body), text) {
		return fmt.Errorf("there should be a page with %q, and there is %d %.300s", text, p.status, p.body)
	}
	return nil
}

// pause waits as long as the authorization server asks between two polls.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pollPause):
		return nil
	}
}
