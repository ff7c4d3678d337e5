package as_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/limit"
	"github.com/licet/licet/internal/teststore"
	"github.com/licet/licet/uma"
)

// mailbox keeps what the server sends.
type mailbox struct {
	mu      sync.Mutex
	letters []as.Letter
}

// withMail makes a world whose letters arrive somewhere.
func withMail(t *testing.T, options ...func(*as.Config)) (*world, *mailbox) {
	t.Helper()
	box := &mailbox{}
	return newWorld(t, append(options, func(c *as.Config) {
		c.Mail = func(_ context.Context, l as.Letter) error {
			box.mu.Lock()
			defer box.mu.Unlock()
			box.letters = append(box.letters, l)
			return nil
		}
	})...), box
}

// fetch delivers what is in the outbox and returns the letters since the last time.
func (b *mailbox) fetch(w *world) []as.Letter {
	w.t.Helper()
	_, err := w.Deliver(w.ctx, 100)
	w.must(err)
	b.mu.Lock()
	defer b.mu.Unlock()
	got := b.letters
	b.letters = nil
	return got
}

// codeFor has a code sent and reads it.
func (b *mailbox) codeFor(w *world, email, browser string) string {
	w.t.Helper()
	w.must(w.SendCode(w.ctx, email, "198.51.100.1", browser, true))
	got := b.fetch(w)
	if len(got) != 1 || len(got[0].Code) != 8 || got[0].To != strings.ToLower(email) {
		w.t.Fatalf("the mailbox has %+v", got)
	}
	return got[0].Code
}

// enter enters a code, and says who is in, "" for nobody.
func (w *world) enter(browser, code string) as.AccountID {
	w.t.Helper()
	secret, account, err := w.EnterByCode(w.ctx, browser, code, "198.51.100.1", "", as.Entry{})
	if errors.Is(err, as.ErrNotFound) {
		return ""
	}
	w.must(err)
	session, in, err := w.Session(w.ctx, secret)
	w.must(err)
	if in.ID != account.ID || session.Method != as.ByCode {
		w.t.Errorf("the session is %+v of %s", session, in.ID)
	}
	return in.ID
}

func TestACodeSignsInOnceInItsBrowserForTenMinutes(t *testing.T) {
	w, box := withMail(t)
	code := box.codeFor(w, "Alice@example.org", "browser")
	if got := w.enter("another browser", code); got != "" {
		t.Error("it is good in another browser")
	}
	if got := w.enter("browser", code[:7]); got != "" {
		t.Error("a part of it is good")
	}
	if got := w.enter("browser", " "+code[:4]+"-"+code[4:]+"\n"); got != w.alice.ID {
		t.Errorf("pasted, it signs in %q", got)
	}
	if got := w.enter("browser", code); got != "" {
		t.Error("it is good twice")
	}
	code = box.codeFor(w, "alice@example.org", "browser")
	w.advance(10*time.Minute - time.Millisecond)
	next := box.codeFor(w, "alice@example.org", "browser")
	if got := w.enter("browser", code); code != next && got != "" {
		t.Error("it is good after another was sent")
	}
	w.advance(10 * time.Minute)
	if got := w.enter("browser", next); got != "" {
		t.Error("it is good after its time")
	}
}

func TestOfManyWhoEnterOneCodeOneIsIn(t *testing.T) {
	w, box := withMail(t)
	code := box.codeFor(w, "alice@example.org", "browser")
	var all sync.WaitGroup
	in := make(chan string, 5)
	for range 5 {
		all.Go(func() {
			if secret, _, err := w.EnterByCode(w.ctx, "browser", code, "198.51.100.1", "", as.Entry{}); err == nil {
				in <- secret
			}
		})
	}
	all.Wait()
	if len(in) != 1 {
		t.Errorf("%d are in", len(in))
	}
}

// The tries of one code are few, and each counts as an attempt on the account,
// together with those of every other method: the last step of a sign-in is refused
// when the account was shut in between.
//
// Proves SEC-098, SEC-099.
func TestTriesAreCountedForTheCodeAndForTheAccount(t *testing.T) {
	w, box := withMail(t)
	code := box.codeFor(w, "alice@example.org", "browser")
	wrong := "0" + code[1:]
	if code[0] == '0' {
		wrong = "1" + code[1:]
	}
	for range 5 {
		w.enter("browser", wrong)
	}
	if w.enter("browser", code) != "" {
		t.Error("the sixth try is good")
	}
	code = box.codeFor(w, "alice@example.org", "browser")
	for n := range 20 {
		if _, _, err := w.BeginSignIn(w.ctx, "alice@example.org", fmt.Sprintf("203.0.113.%d", n), ""); err != nil && n < 14 {
			t.Fatalf("attempt %d: %v", n, err)
		}
	}
	var many as.TooManyAttempts
	if _, _, err := w.EnterByCode(w.ctx, "browser", code, "198.51.100.1", "", as.Entry{}); !errors.As(err, &many) {
		t.Errorf("with the account shut between the steps: %v", err)
	}
	if _, err := w.BeginAttempt(w.ctx, w.alice.ID, "203.0.113.99", ""); !errors.As(err, &many) {
		t.Errorf("with another method: %v", err)
	}
	if _, err := w.BeginAttempt(w.ctx, w.alice.ID, "203.0.113.99", w.alice.ID); err != nil {
		t.Errorf("where she is signed in: %v", err)
	}
	w.advance(15 * time.Minute)
	code = box.codeFor(w, "alice@example.org", "browser")
	if w.enter("browser", code) != w.alice.ID {
		t.Error("after the time the right code is refused")
	}
}

// Whether there is an account is in the letter, and in nothing else.
//
// Proves SEC-098.
func TestWhoAsksForACodeLearnsNothing(t *testing.T) {
	w, box := withMail(t)
	w.must(w.DisableAccount(w.ctx, w.carlos.ID))
	for _, c := range []struct {
		email  string
		guests bool
		kind   as.LetterKind
	}{
		{"bob@example.org", true, as.LetterCode}, {"bob@example.org", false, as.LetterCode},
		{"new@example.org", true, as.LetterFirstCode}, {"new@example.org", false, as.LetterNoAccount},
		{"carlos@example.org", true, as.LetterNoAccount},
	} {
		if err := w.SendCode(w.ctx, c.email, "198.51.100.1", "browser", c.guests); err != nil {
			t.Errorf("%s: %v", c.email, err)
		}
		got := box.fetch(w)
		if len(got) != 1 || got[0].Kind != c.kind || (got[0].Code == "") != (c.kind == as.LetterNoAccount) {
			t.Fatalf("%s is told %+v, want %s", c.email, got, c.kind)
		}
		for _, guess := range []string{"", "00000000"} {
			if w.enter("browser", guess) != "" {
				t.Errorf("%s: %q signs in", c.email, guess)
			}
		}
	}
	var refusal *uma.Error
	if err := w.SendCode(w.ctx, "no address", "198.51.100.1", "browser", true); !errors.As(err, &refusal) {
		t.Errorf("what is no address: %v", err)
	}
}

func TestSoManyCodesAreSent(t *testing.T) {
	w, box := withMail(t, func(c *as.Config) { c.Attempts.Address = limit.Rate{Count: 8, Per: 15 * time.Minute} })
	send := func(email string) error { return w.SendCode(w.ctx, email, "198.51.100.1", "browser", true) }
	var many as.TooManyAttempts
	for _, who := range []string{"bob", "nobody"} {
		for range 5 {
			w.must(w.SendCode(w.ctx, who+"@example.org", "198.51.100."+who, "browser", true))
		}
		if err := w.SendCode(w.ctx, strings.ToUpper(who)+"@example.org", "198.51.100.9", "browser", true); !errors.As(err, &many) || many.Wait != 15*time.Minute {
			t.Errorf("the sixth to %s: %v", who, err)
		}
	}
	for n := range 8 {
		w.must(send(fmt.Sprintf("a%d@example.org", n)))
	}
	if err := send("a9@example.org"); !errors.As(err, &many) {
		t.Errorf("the ninth from one address: %v", err)
	}
	if got := box.fetch(w); len(got) != 18 {
		t.Errorf("%d were sent", len(got))
	}
}

// Bob needs nothing but his mailbox: he gets an account, and no space.
func TestACodeMakesAGuest(t *testing.T) {
	w, box := withMail(t)
	first := w.enter("browser", box.codeFor(w, "Dora@Example.org", "browser"))
	again := w.enter("phone", box.codeFor(w, "dora@example.org", "phone"))
	if first == "" || first != again {
		t.Fatalf("she is %q and then %q", first, again)
	}
	account, err := w.AccountByEmail(w.ctx, "dora@example.org")
	w.must(err)
	if !account.EmailVerified || account.PasswordHash != "" {
		t.Errorf("the account is %+v", account)
	}
	w.must(w.store.View(w.ctx, func(r as.Reader) error {
		roles, err := r.RolesOf(first)
		if len(roles) != 0 {
			t.Errorf("she has the roles %v", roles)
		}
		return err
	}))
}

// ceremony begins one and opens it.
func (w *world) ceremony(kind as.CeremonyKind) as.Ceremony {
	w.t.Helper()
	c, err := w.OpenCeremony(kind, "browser", w.BeginCeremony(kind, "browser", []byte("data"), time.Minute))
	w.must(err)
	return c
}

func TestACeremonyIsOfItsKindAndBrowserAndEndsOnce(t *testing.T) {
	w := newWorld(t)
	sealed := w.BeginCeremony(as.CeremonySignIn, "browser", []byte("data"), time.Minute)
	for what, open := range map[string]func() (as.Ceremony, error){
		"another kind":    func() (as.Ceremony, error) { return w.OpenCeremony(as.CeremonyRegister, "browser", sealed) },
		"another browser": func() (as.Ceremony, error) { return w.OpenCeremony(as.CeremonySignIn, "another", sealed) },
		"another spelling": func() (as.Ceremony, error) {
			return w.OpenCeremony(as.CeremonySignIn, "browser", sealed+"\n")
		},
		"nothing": func() (as.Ceremony, error) { return w.OpenCeremony(as.CeremonySignIn, "browser", "") },
	} {
		if _, err := open(); !errors.Is(err, as.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	c, err := w.OpenCeremony(as.CeremonySignIn, "browser", sealed)
	w.must(err)
	w.must(w.SpendCeremony(w.ctx, c))
	if err := w.SpendCeremony(w.ctx, c); string(c.Data) != "data" || !errors.Is(err, as.ErrNotFound) {
		t.Errorf("a second time: %v", err)
	}
	w.advance(time.Minute)
	if _, err := w.OpenCeremony(as.CeremonySignIn, "browser", sealed); !errors.Is(err, as.ErrNotFound) {
		t.Errorf("after its time: %v", err)
	}
}

func TestAPasskeyWhoseCountDoesNotRiseIsRefusedAndTold(t *testing.T) {
	w, box := withMail(t)
	key := as.Passkey{ID: []byte("key"), Account: w.alice.ID, Name: "Phone", PublicKey: []byte("pub"), SignCount: 1}
	w.must(w.AddPasskey(w.ctx, w.ceremony(as.CeremonyRegister), key))
	use := func(c as.Ceremony, count int64) error {
		key.SignCount = count
		secret, err := w.EnterByPasskey(w.ctx, c, key, as.Entry{Agent: strings.Repeat("é", 200)})
		if err == nil {
			session, _, err := w.Session(w.ctx, secret)
			if err != nil || session.Account != w.alice.ID || session.Method != as.ByPasskey || len(session.Agent) != 300 {
				t.Errorf("the session is %+v, %v", session, err)
			}
		} else if _, _, none := w.Session(w.ctx, secret); !errors.Is(none, as.ErrNotFound) {
			t.Error("a refusal has a session")
		}
		return err
	}
	c := w.ceremony(as.CeremonySignIn)
	w.must(use(c, 2))
	if err := use(c, 3); !errors.Is(err, as.ErrNotFound) {
		t.Errorf("with a challenge that was used: %v", err)
	}
	w.must(use(w.ceremony(as.CeremonySignIn), 3))
	box.fetch(w)
	c = w.ceremony(as.CeremonySignIn)
	if err := use(c, 3); !errors.Is(err, as.ErrNotFound) {
		t.Errorf("a copy: %v", err)
	}
	if err := w.SpendCeremony(w.ctx, c); !errors.Is(err, as.ErrNotFound) {
		t.Errorf("the challenge of a refusal is good again: %v", err)
	}
	if got := box.fetch(w); len(got) != 1 || got[0].Kind != as.LetterPasskeyCloned || got[0].Name != "Phone" {
		t.Errorf("she is told %+v", got)
	}
	var last as.Event
	w.must(w.store.View(w.ctx, func(r as.Reader) error {
		events, err := r.Events("", 0, 100)
		last = events[len(events)-1]
		return err
	}))
	if last.Kind != as.EventPasskeyCloned || last.Actor != string(w.alice.ID) {
		t.Errorf("the last event is %+v", last)
	}
	w.must(w.VerifyHistory(w.ctx, ""))
}

func TestAPasskeyIsOfOneAccountAndTakenAwayByIts(t *testing.T) {
	w, box := withMail(t)
	w.must(w.AddPasskey(w.ctx, w.ceremony(as.CeremonyRegister), as.Passkey{ID: []byte("key"), Account: w.alice.ID}))
	if got := box.fetch(w); len(got) != 1 || got[0].Kind != as.LetterPasskeyAdded || got[0].To != w.alice.Email {
		t.Errorf("she is told %+v", got)
	}
	err := w.AddPasskey(w.ctx, w.ceremony(as.CeremonyRegister), as.Passkey{ID: []byte("key"), Account: w.bob.ID})
	var taken *uma.Error
	if !errors.As(err, &taken) || taken.Code != as.Conflict {
		t.Errorf("somebody else's: %v", err)
	}
	if w.enter("browser", box.codeFor(w, "alice@example.org", "browser")) != w.alice.ID {
		t.Error("a code is no way in beside a passkey")
	}
	if got := box.fetch(w); len(got) != 1 || got[0].Kind != as.LetterWithoutPasskey {
		t.Errorf("of a code where there are passkeys she is told %+v", got)
	}
	if err := w.RemovePasskey(w.ctx, w.bob.ID, []byte("key")); !errors.Is(err, as.ErrNotFound) {
		t.Errorf("Bob takes it away: %v", err)
	}
	w.must(w.RemovePasskey(w.ctx, w.alice.ID, []byte("key")))
	if left, err := w.Passkeys(w.ctx, w.alice.ID); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	if _, err := w.EnterByPasskey(w.ctx, w.ceremony(as.CeremonySignIn), as.Passkey{ID: []byte("key"), Account: w.alice.ID}, as.Entry{}); !errors.Is(err, as.ErrNotFound) {
		t.Errorf("it still signs in: %v", err)
	}
}

// An account at a provider leads to an account here by its issuer and subject. By
// its address it does once, and only where the provider is trusted with addresses.
func TestAProviderIsBelievedAboutAnAddressOnlyIfTrusted(t *testing.T) {
	w, box := withMail(t)
	vouched := func(subject, email string, mailbox bool) as.Vouched {
		return as.Vouched{Identity: as.Identity{Issuer: "https://idp.example", Subject: subject, Email: email}, Name: "Somebody", Mailbox: mailbox}
	}
	enter := func(v as.Vouched, guests bool) as.AccountID {
		t.Helper()
		secret, err := w.EnterByProvider(w.ctx, v, guests, as.Entry{})
		if errors.Is(err, as.ErrNotFound) {
			return ""
		}
		w.must(err)
		_, account, err := w.Session(w.ctx, secret)
		w.must(err)
		return account.ID
	}
	if got := enter(vouched("a", "alice@example.org", false), true); got != "" {
		t.Fatalf("an address that nobody vouches for signs in %s", got)
	}
	if got := enter(vouched("a", "Alice@Example.org", true), false); got != w.alice.ID {
		t.Fatalf("a mailbox signs in %q", got)
	}
	if got := box.fetch(w); len(got) != 1 || got[0].Kind != as.LetterIdentityLinked || got[0].To != w.alice.Email {
		t.Errorf("she is told %+v", got)
	}
	if got := enter(vouched("a", "bob@example.org", true), true); got != w.alice.ID {
		t.Errorf("after the address changed there it signs in %q", got)
	}
	if got := enter(vouched("b", "alice@example.org", false), true); got != "" {
		t.Errorf("another subject with her address signs in %q", got)
	}
	if got := enter(vouched("c", "new@example.org", true), false); got != "" {
		t.Errorf("a guest comes in where none may: %q", got)
	}
	guest := enter(vouched("c", "new@example.org", true), true)
	if guest == "" || enter(vouched("c", "", false), false) != guest {
		t.Errorf("a guest is %q and then another", guest)
	}
	if got := enter(vouched("d", "no address", true), true); got != "" {
		t.Errorf("no address signs in %q", got)
	}
	w.must(w.DisableAccount(w.ctx, w.alice.ID))
	if got := enter(vouched("a", "", false), true); got != "" {
		t.Errorf("a disabled account is in: %q", got)
	}
}

func TestAnAccountAtAProviderIsOfOnePerson(t *testing.T) {
	w, _ := withMail(t)
	i := as.Identity{Issuer: "https://idp.example", Subject: "s", Email: "x@example.org"}
	w.must(w.LinkIdentity(w.ctx, w.alice.ID, i))
	w.must(w.LinkIdentity(w.ctx, w.alice.ID, i))
	var taken *uma.Error
	if err := w.LinkIdentity(w.ctx, w.bob.ID, i); !errors.As(err, &taken) || taken.Code != as.Conflict {
		t.Errorf("Bob links it, too: %v", err)
	}
	if got, err := w.AccountOf(w.ctx, as.Vouched{Identity: i}); err != nil || got.ID != w.alice.ID {
		t.Errorf("it is %v's, %v", got.ID, err)
	}
	if err := w.UnlinkIdentity(w.ctx, w.bob.ID, i.Issuer, i.Subject); !errors.Is(err, as.ErrNotFound) {
		t.Errorf("Bob takes it away: %v", err)
	}
	w.must(w.UnlinkIdentity(w.ctx, w.alice.ID, i.Issuer, i.Subject))
	if left, err := w.Identities(w.ctx, w.alice.ID); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestTheFirstAccountIsMadeOnceAndInTime(t *testing.T) {
	w := newWorld(t)
	if _, err := w.FirstRun(w.ctx); !errors.Is(err, as.ErrExists) {
		t.Errorf("where there are accounts: %v", err)
	}
	empty := emptyServer(t, w)
	enter := func(secret, email string) error {
		_, err := empty.EnterFirst(w.ctx, secret, email, "Olga", as.Entry{})
		return err
	}
	late, err := empty.FirstRun(w.ctx)
	w.must(err)
	w.advance(30 * time.Minute)
	secret, err := empty.FirstRun(w.ctx)
	w.must(err)
	other, err := empty.FirstRun(w.ctx)
	w.must(err)
	for what, bad := range map[string]string{"one that is over": late, "nothing": "", "another ceremony's": empty.BeginCeremony(as.CeremonySignIn, "", nil, time.Minute)} {
		if err := errors.Join(empty.CheckFirstRun(w.ctx, bad), enter(bad, "olga@example.org")); !errors.Is(err, as.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.must(empty.CheckFirstRun(w.ctx, secret))
	session, err := empty.EnterFirst(w.ctx, secret, "Olga@Example.org", "Olga", as.Entry{})
	w.must(err)
	_, account, err := empty.Session(w.ctx, session)
	w.must(err)
	if account.Email != "olga@example.org" || account.EmailVerified {
		t.Errorf("the account is %+v", account)
	}
	for _, again := range []string{secret, other} {
		if err := enter(again, "thief@example.org"); !errors.Is(err, as.ErrNotFound) {
			t.Errorf("a second account: %v", err)
		}
	}
}

func TestAPersonSeesAndEndsTheirSessions(t *testing.T) {
	w := newWorld(t)
	open := func(who as.Account, agent string) (string, as.SessionID) {
		secret, err := w.OpenSession(w.ctx, who.ID, as.Entry{Agent: agent, Method: as.ByPassword})
		w.must(err)
		session, _, err := w.Session(w.ctx, secret)
		w.must(err)
		w.advance(time.Minute)
		return secret, session.ID
	}
	phone, _ := open(w.alice, "phone")
	_, laptopID := open(w.alice, "laptop")
	here, hereID := open(w.alice, "here")
	bobs, bobsID := open(w.bob, "Bob's")
	agents := func() (all []string) {
		sessions, err := w.Sessions(w.ctx, w.alice.ID)
		w.must(err)
		for _, s := range sessions {
			all = append(all, s.Agent)
		}
		return all
	}
	if got := fmt.Sprint(agents()); got != "[here laptop phone]" {
		t.Errorf("she sees %s", got)
	}
	if err := w.EndSessionOf(w.ctx, w.alice.ID, bobsID); !errors.Is(err, as.ErrNotFound) {
		t.Errorf("she ends Bob's: %v", err)
	}
	w.must(w.EndSessionOf(w.ctx, w.alice.ID, laptopID))
	w.must(w.EndOtherSessions(w.ctx, w.alice.ID, hereID))
	for secret, want := range map[string]bool{phone: false, here: true, bobs: true} {
		if _, _, err := w.Session(w.ctx, secret); (err == nil) != want {
			t.Errorf("a session: %v, want it to live: %v", err, want)
		}
	}
	if got := fmt.Sprint(agents()); got != "[here]" {
		t.Errorf("in the end she sees %s", got)
	}
}

// emptyServer is another server at the clock of the world, without any account.
func emptyServer(t *testing.T, w *world) *as.Server {
	t.Helper()
	c := w.Config
	c.Store = teststore.Open(t)
	s, err := as.New(w.ctx, c)
	w.must(err)
	return s
}
