package as_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// postbox is where the letters of a world go.
type postbox struct {
	mu      sync.Mutex
	letters []as.Letter
	fails   error
	tried   int
}

func (b *postbox) send(_ context.Context, l as.Letter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried++
	if b.fails != nil {
		return b.fails
	}
	b.letters = append(b.letters, l)
	return nil
}

func (b *postbox) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fails = err
}

func (b *postbox) use(c *as.Config) { c.Mail = b.send }

// post delivers what is due on the world's server, until nothing is, and returns the
// letters since the last time.
func (b *postbox) post(w *world) []as.Letter {
	w.t.Helper()
	for {
		n, err := w.Deliver(w.ctx, 100)
		w.must(err)
		if n == 0 {
			break
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.letters
	b.letters = nil
	return out
}

// only wants exactly one letter, of a kind and to somebody.
func (b *postbox) only(w *world, kind as.LetterKind, to string) as.Letter {
	w.t.Helper()
	list := b.post(w)
	if len(list) != 1 || list[0].Kind != kind || list[0].To != to {
		w.t.Fatalf("the letters are %+v, want one %q to %s", list, kind, to)
	}
	return list[0]
}

func (b *postbox) empty(w *world, why string) {
	w.t.Helper()
	if list := b.post(w); len(list) != 0 {
		w.t.Errorf("%s: the letters are %+v", why, list)
	}
}

const aliceAddress, bobAddress = "alice@example.org", "bob@example.org"

// asked lets somebody ask Alice for a photo.
func (w *world) asked(photo uma.ResourceID, who string) as.Submitted {
	w.t.Helper()
	return redeemed[as.Submitted](w, w.c1, withToken(w.ticket(w.alice1, perm(photo, "view")), w.idToken(who, nil)))
}

func mailWorld(t *testing.T) (*world, *postbox, uma.ResourceID) {
	t.Helper()
	b := &postbox{}
	w := newWorld(t, b.use)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	return w, b, photo
}

// The owner hears of a request with a way to it, and who asked hears that it was
// decided, and nothing that they do not know.
func TestARequestAndItsDecisionAreToldByMail(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	w.asked(photo, "bob")
	q := w.pending()
	l := b.only(w, as.LetterRequest, aliceAddress)
	if l.Path != "/app/requests/"+string(q.ID) || l.Name != bobAddress || l.App != w.c1.Name || l.ID == "" {
		t.Errorf("the owner is told %+v", l)
	}
	_, err := w.Approve(w.ctx, w.aliceOwner, q.ID, nil, time.Time{})
	w.must(err)
	l = b.only(w, as.LetterAllowed, bobAddress)
	if l != (as.Letter{ID: l.ID, Kind: l.Kind, To: l.To, App: w.c1.Name}) {
		t.Errorf("who asked is told %+v", l)
	}
	w.asked(photo, "carlos")
	b.post(w)
	_, err = w.Refuse(w.ctx, w.aliceOwner, w.pending().ID)
	w.must(err)
	b.only(w, as.LetterRefused, "carlos@example.org")
}

// Nobody is written to at an address that they have not proved to be theirs, and
// nobody who may not decide.
func TestLettersGoToWhoIsKnownToReadThem(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	give := func(name string, verified bool, kind as.RoleKind, ends time.Time) {
		a, _, err := w.CreateAccount(w.ctx, as.Account{Name: name, Email: name + "@example.net", EmailVerified: verified}, "")
		w.must(err)
		w.must(w.store.Update(w.ctx, func(tx as.Tx) error {
			return tx.PutRole(as.Role{Account: a.ID, Space: w.aliceSpace.ID, Kind: kind, EndsAt: ends})
		}))
	}
	give("guardian", true, as.RoleGuardian, w.Now().Add(time.Hour))
	give("unverified", false, as.RoleOwner, time.Time{})
	give("viewer", true, as.RoleViewer, time.Time{})
	give("formerly", true, as.RoleDelegate, w.Now())
	s := redeemed[as.Submitted](w, w.c1, withToken(w.ticket(w.alice1, perm(photo, "view")), w.idToken("bob", map[string]any{"email_verified": false})))
	var to []string
	for _, l := range b.post(w) {
		if l.Name != "" {
			t.Errorf("an address that is not verified is told: %+v", l)
		}
		to = append(to, l.To)
	}
	slices.Sort(to)
	if want := []string{aliceAddress, "guardian@example.net"}; !slices.Equal(to, want) {
		t.Errorf("the letters go to %v, want %v", to, want)
	}
	_, err := w.Refuse(w.ctx, w.aliceOwner, w.pending().ID)
	w.must(err)
	b.empty(w, "who asked has no verified address")
	redeemed[as.Denied](w, w.c1, with(s.Ticket))
}

// One who asks and asks fills nobody's mailbox: after ten letters in an hour there is
// one more.
func TestAStrangerDoesNotFillAMailbox(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	many := func(round string) []as.Letter {
		for i := range 40 {
			w.asked(photo, fmt.Sprint("stranger-", round, i))
		}
		return b.post(w)
	}
	if n := len(many("a")); n != 10 {
		t.Errorf("at once there are %d letters, want 10", n)
	}
	w.advance(59 * time.Minute)
	b.empty(w, "before the full hour")
	w.advance(time.Minute)
	l := b.only(w, as.LetterDigest, aliceAddress)
	if l.Requests != 40 || l.Path != "/app/requests" {
		t.Errorf("the digest says %+v", l)
	}
	if n := len(many("b")); n != 10 {
		t.Errorf("in the next hour there are %d letters, want 10", n)
	}
	// What was decided meanwhile needs no digest.
	list, err := w.Requests(w.ctx, w.aliceOwner, as.RequestPending, as.Page{Limit: 1000})
	w.must(err)
	for _, q := range list {
		_, err := w.Refuse(w.ctx, w.aliceOwner, q.ID)
		w.must(err)
	}
	for _, l := range b.post(w) {
		if l.Kind != as.LetterRefused {
			t.Errorf("there is a letter %+v", l)
		}
	}
	w.advance(2 * time.Hour)
	b.empty(w, "everything was decided")
}

// An account is written to as it wants: once a day, or not. What is about its
// security comes always.
func TestAnAccountIsWrittenToAsItWants(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	w.must(w.SetLetters(w.ctx, w.alice.ID, as.LettersDaily, "de"))
	w.asked(photo, "bob")
	w.asked(photo, "carlos")
	b.empty(w, "a digest comes in the morning")
	w.advance(20*time.Hour - time.Millisecond) // it was noon
	b.empty(w, "a digest comes in the morning")
	w.advance(time.Millisecond)
	if l := b.only(w, as.LetterDigest, aliceAddress); l.Requests != 2 || l.Language != "de" {
		t.Errorf("the digest says %+v", l)
	}
	w.advance(48 * time.Hour)
	b.empty(w, "nothing new happened")

	w.must(w.SetLetters(w.ctx, w.alice.ID, as.LettersNone, ""))
	w.asked(photo, "dora")
	w.advance(48 * time.Hour)
	b.empty(w, "Alice wants no letters")
	w.stopEverything()
	b.only(w, as.LetterStopped, aliceAddress)
	wantCode(t, w.SetLetters(w.ctx, w.alice.ID, "hourly", ""), uma.InvalidRequest)
	wantCode(t, w.SetLetters(w.ctx, w.alice.ID, "", strings.Repeat("x", 36)), uma.InvalidRequest)
}

// A week before shares end the owner hears of it, once for all that end on that day,
// whatever was written down how often; of those that are gone nobody hears.
func TestTheEndOfASharesIsToldAWeekBefore(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	until := func(d time.Duration) as.Share {
		wish := toBob(photo, "view")
		wish.NotAfter = w.Now().Add(d)
		return w.share(w.aliceOwner, wish)
	}
	until(30 * 24 * time.Hour)
	moved := until(30*24*time.Hour + time.Hour)
	gone := until(12 * 24 * time.Hour)
	until(5 * 24 * time.Hour) // too short to be told of
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, gone.ID, 0))
	w.advance(22 * 24 * time.Hour) // noon, eight days before
	b.empty(w, "it is too early")
	w.advance(20 * time.Hour) // the morning after
	if l := b.only(w, as.LetterEnding, aliceAddress); l.Ending != 2 || l.Path != "/app/people" {
		t.Errorf("the owner is told %+v", l)
	}
	wish := toBob(photo, "view")
	wish.NotAfter = w.Now().Add(20 * 24 * time.Hour)
	_, err := w.ReplaceShare(w.ctx, w.aliceOwner, moved.ID, 0, wish)
	w.must(err)
	w.advance(12 * 24 * time.Hour)
	b.empty(w, "the other has ended, and this one has time")
	w.advance(24 * time.Hour)
	if l := b.only(w, as.LetterEnding, aliceAddress); l.Ending != 1 {
		t.Errorf("the owner is told %+v", l)
	}
}

// Every 90 days whoever shares something is asked to look at it, again and again.
func TestEvery90DaysThereIsAReview(t *testing.T) {
	t.Parallel()
	w, b, _ := mailWorld(t) // Alice shares something, Anna nothing
	for range 3 {
		w.advance(89 * 24 * time.Hour)
		b.empty(w, "before 90 days")
		w.advance(24 * time.Hour)
		if l := b.only(w, as.LetterReview, aliceAddress); l.Shares != 1 || l.Path != "/app/people" {
			t.Errorf("the owner is told %+v", l)
		}
	}
}

// Several nodes that find the same due make one letter of it.
func TestNodesPlanAndWriteALetterOnce(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	w.must(w.SetLetters(w.ctx, w.alice.ID, as.LettersDaily, ""))
	for i := range 5 {
		w.asked(photo, fmt.Sprint("s", i))
	}
	w.advance(90 * 24 * time.Hour) // the digest, and the review
	var all sync.WaitGroup
	for _, n := range append(w.beside(3), w.Server) {
		all.Go(func() {
			for range 5 {
				if _, err := n.Deliver(w.ctx, 100); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	kinds := map[as.LetterKind]int{}
	for _, l := range b.post(w) {
		kinds[l.Kind]++
	}
	if len(kinds) != 1 || kinds[as.LetterReview] != 1 { // the digest was worth a week
		t.Errorf("the letters are %v", kinds)
	}
}

// A server that is stopped leaves its letters to the next one, which sends them
// under the same id; when the mail system fails they wait, and keep nothing else up.
func TestLettersOutliveTheServerAndTheMailSystem(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	b.fail(errors.New("down"))
	w.asked(photo, "bob")
	w.asked(photo, "carlos")
	for range 3 {
		b.empty(w, "the mail system is down")
		w.advance(time.Minute)
	}
	if b.tried > 10 {
		t.Errorf("a mail system that is down was tried %d times", b.tried)
	}
	b.fail(nil)
	w.Server = w.beside(1)[0]
	w.advance(time.Hour)
	list := b.post(w)
	if len(list) != 2 || list[0].ID == list[1].ID {
		t.Errorf("after it was started again the letters are %+v", list)
	}
	b.empty(w, "they were sent")
}

// A mailbox that takes nothing is not tried again, and nobody else waits for it.
func TestALetterThatIsRefusedHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	node := w.beside(1, func(c *as.Config) {
		c.Mail = func(ctx context.Context, l as.Letter) error {
			if l.To == "carlos@example.org" {
				return &as.RefusedError{Final: true, Err: errors.New("no such mailbox")}
			}
			return b.send(ctx, l)
		}
	})[0]
	for _, who := range []string{"carlos", "bob", "dora"} {
		w.asked(photo, who)
		_, err := w.Refuse(w.ctx, w.aliceOwner, w.pending().ID)
		w.must(err)
	}
	for n := 1; n > 0; {
		var err error
		n, err = node.Deliver(w.ctx, 100)
		w.must(err)
	}
	var to []string
	for _, l := range b.letters {
		if l.Kind == as.LetterRefused {
			to = append(to, l.To)
		}
	}
	slices.Sort(to)
	if want := []string{bobAddress, "dora@example.org"}; !slices.Equal(to, want) {
		t.Errorf("the letters went to %v, want %v", to, want)
	}
	w.advance(24 * time.Hour)
	b.letters = nil
	b.empty(w, "what was refused for good is not tried again")
}

// What is no address to write to is not told as one, and nobody writes to it.
func TestWhatIsNoAddressIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	evil := "Evil\r\nBcc: all@example.org"
	redeemed[as.Submitted](w, w.c1, withToken(w.ticket(w.alice1, perm(photo, "view")), w.idToken("eve", map[string]any{"email": evil})))
	if l := b.only(w, as.LetterRequest, aliceAddress); l.Name != "" {
		t.Errorf("the owner is told of %q", l.Name)
	}
	_, err := w.Refuse(w.ctx, w.aliceOwner, w.pending().ID)
	w.must(err)
	b.empty(w, "this is no address to write to")
}
