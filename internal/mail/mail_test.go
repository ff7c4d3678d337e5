package mail_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/mail"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	issuer = "https://access.example/a"
	from   = "Licet <licet@access.example>"
)

var at = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func now() time.Time { return at }

// smtpServer is a server that takes mail, and answers some commands as it is told.
type smtpServer struct {
	net.Listener
	answers map[string]string // by the beginning of a command
	tls     bool              // whether it says that it can

	mu    sync.Mutex
	took  []string
	heard []string
	all   sync.WaitGroup
}

func newSMTPServer(t *testing.T, address string, answers map[string]string, tls bool) *smtpServer {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s := &smtpServer{Listener: l, answers: answers, tls: tls}
	s.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.all.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.all.Wait()
	})
	return s
}

func (s *smtpServer) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	say := func(line string) { fmt.Fprint(c, line+"\r\n") }
	say("220 ready")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		command := strings.ToUpper(strings.TrimSpace(line))
		s.mu.Lock()
		s.heard = append(s.heard, strings.TrimSpace(line))
		s.mu.Unlock()
		answer := "250 fine"
		for begin, a := range s.answers {
			if strings.HasPrefix(command, begin) {
				answer = a
			}
		}
		switch {
		case strings.HasPrefix(command, "EHLO"):
			if s.tls {
				say("250-STARTTLS")
			}
			say("250 8BITMIME")
			continue
		case command == "QUIT":
			say("221 bye")
			return
		case command == "DATA" && answer == "250 fine":
			say("354 go on")
			var text strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				text.WriteString(strings.TrimPrefix(line, "."))
			}
			s.mu.Lock()
			s.took = append(s.took, text.String())
			s.mu.Unlock()
			if a := s.answers["."]; a != "" {
				answer = a
			}
		}
		say(answer)
	}
}

func (s *smtpServer) mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.took...)
}

func (s *smtpServer) url() string { return "smtp://" + s.Addr().String() }

func sender(t *testing.T, c mail.Config) *mail.Sender {
	t.Helper()
	c.From = from
	s, err := mail.New(c, issuer, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parts reads a mail: its header, and its text and HTML.
func parts(t *testing.T, raw string) (netmail.Header, map[string]string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("the mail is %q, %v", kind, err)
	}
	out := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m.Header, out
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(p)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		out[kind] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

var request = as.Letter{
	ID: "0abc", Kind: as.LetterRequest, To: "alice@example.org", Name: "bob@example.org", App: "Photo <b>frames</b>", Space: "Alice", Path: "/app/requests/r1",
}

// A letter is handed over with its words as text and as HTML, one link, and the same
// Message-ID at every attempt.
func TestALetterIsHandedOver(t *testing.T) {
	double := newSMTPServer(t, "127.0.0.1", nil, false)
	s := sender(t, mail.Config{Server: double.url()})
	for range 2 {
		if err := s.Send(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	mails := double.mails()
	if len(mails) != 2 {
		t.Fatalf("%d mails were handed over, want two", len(mails))
	}
	for _, raw := range mails {
		h, body := parts(t, raw)
		for name, want := range map[string]string{
			"Message-Id": "<0abc@access.example>", "To": "<alice@example.org>", "From": `"Licet" <licet@access.example>`,
			"Subject": "bob@example.org asks you", "Auto-Submitted": "auto-generated", "Date": "Mon, 04 May 2026 12:00:00 +0000",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		const link = issuer + "/app/requests/r1"
		if text := body["text/plain"]; !strings.Contains(text, "bob@example.org asks for something of “Alice”, through Photo <b>frames</b>.") || !strings.Contains(text, link+"\n") {
			t.Errorf("the text is\n%s", text)
		}
		if html := body["text/html"]; strings.Count(html, `href="`) != 1 || !strings.Contains(html, `href="`+link+`"`) || !strings.Contains(html, "Photo &lt;b&gt;frames&lt;/b&gt;") || strings.Contains(html, "<img") {
			t.Errorf("the HTML is\n%s", html)
		}
	}
}

// Nothing in a letter becomes a header, another recipient, or the end of the mail.
func TestNothingInALetterBecomesAHeader(t *testing.T) {
	for _, evil := range []string{
		"x\r\nBcc: all@example.org", "x\nBcc: all@example.org", "x\rBcc: all@example.org", "x\r\n\r\n<script>", "\r\n.\r\nMAIL FROM:<e@example.org>\r\n",
		"x\u2028Bcc: all@example.org", "x\x00y", strings.Repeat("long ", 400), "=?utf-8?q?x=0D=0ABcc:_all@example.org?=",
	} {
		double := newSMTPServer(t, "127.0.0.1", nil, false)
		s := sender(t, mail.Config{Server: double.url()})
		l := request
		l.Name, l.App, l.Space, l.Path = evil, evil, evil, "/app/"+evil
		if err := s.Send(t.Context(), l); err != nil {
			t.Fatalf("%q: %v", evil, err)
		}
		if n := len(double.mails()); n != 1 {
			t.Fatalf("%q: there are %d mails", evil, n)
		}
		h, body := parts(t, double.mails()[0])
		if len(h["Bcc"]) != 0 || len(h["Cc"]) != 0 || len(h["To"]) != 1 || h.Get("To") != "<alice@example.org>" || len(h) > 9 {
			t.Errorf("%q: the header is %v", evil, h)
		}
		if strings.Contains(body["text/html"], "<script") {
			t.Errorf("%q: the HTML is\n%s", evil, body["text/html"])
		}
		for _, to := range []string{"", "no address", "a@example.org, b@example.org", "A <a@example.org>", "a@example.org\r\nBcc: b@example.org"} {
			l.To = to
			var refused *as.RefusedError
			if err := s.Send(t.Context(), l); !errors.As(err, &refused) || !refused.Final {
				t.Errorf("a letter to %q: %v", to, err)
			}
		}
	}
}

// What the server says of one recipient is of that letter; all else is of the way.
func TestARefusalIsToldFromAServerThatIsDown(t *testing.T) {
	for name, c := range map[string]struct {
		answers      map[string]string
		refused, end bool
	}{
		"no such mailbox":      {map[string]string{"RCPT": "550 5.1.1 nobody"}, true, true},
		"a mailbox for later":  {map[string]string{"RCPT": "450 4.2.1 later"}, true, false},
		"a mail not taken":     {map[string]string{".": "554 5.6.0 no"}, true, true},
		"we may not send":      {map[string]string{"MAIL": "550 5.7.1 no"}, false, false},
		"the server is closed": {map[string]string{"MAIL": "421 4.3.2 closed"}, false, false},
	} {
		double := newSMTPServer(t, "127.0.0.1", c.answers, false)
		err := sender(t, mail.Config{Server: double.url()}).Send(t.Context(), request)
		var refused *as.RefusedError
		if is := errors.As(err, &refused); err == nil || is != c.refused || is && refused.Final != c.end {
			t.Errorf("%s: %v", name, err)
		}
	}
	double := newSMTPServer(t, "127.0.0.1", nil, false)
	s := sender(t, mail.Config{Server: double.url()})
	_ = double.Close()
	var refused *as.RefusedError
	if err := s.Send(t.Context(), request); err == nil || errors.As(err, &refused) {
		t.Errorf("nobody is there: %v", err)
	}
}

// Beyond this machine nothing is said without TLS, whatever the server says that it
// can, not even to whom the mail is.
func TestNothingLeavesTheMachineWithoutTLS(t *testing.T) {
	address := ownAddress(t)
	for name, double := range map[string]*smtpServer{
		"it has no TLS":  newSMTPServer(t, address, nil, false),
		"TLS is refused": newSMTPServer(t, address, map[string]string{"STARTTLS": "454 4.7.0 no"}, true),
	} {
		if err := sender(t, mail.Config{Server: double.url()}).Send(t.Context(), request); err == nil {
			t.Errorf("%s: the mail was sent", name)
		}
		double.mu.Lock()
		heard := double.heard
		double.mu.Unlock()
		for _, line := range heard {
			if strings.HasPrefix(line, "MAIL") || strings.HasPrefix(line, "RCPT") {
				t.Errorf("%s: it was told %q", name, line)
			}
		}
	}
	// The control: on loopback it is the same server's mail.
	double := newSMTPServer(t, "127.0.0.1", nil, false)
	if err := sender(t, mail.Config{Server: double.url()}).Send(t.Context(), request); err != nil {
		t.Error(err)
	}
}

// ownAddress is an address of this machine that is not loopback.
func ownAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	t.Skip("SKIPPED: this machine has no address but loopback, so nobody can see that mail beyond it needs TLS")
	return ""
}

// What cannot work is refused at the start.
func TestAWrongConfigurationIsRefused(t *testing.T) {
	good := mail.Config{From: from, Server: "smtp://mail.example:587", User: "u", Password: "p"}
	if _, err := mail.New(good, issuer, nil); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*mail.Config){
		"no from":             func(c *mail.Config) { c.From = "" },
		"a from of two":       func(c *mail.Config) { c.From = "a@example.org, b@example.org" },
		"no way":              func(c *mail.Config) { c.Server = "" },
		"two ways":            func(c *mail.Config) { c.Directory = "/tmp" },
		"another scheme":      func(c *mail.Config) { c.Server = "http://mail.example" },
		"a password in it":    func(c *mail.Config) { c.Server = "smtp://u:p@mail.example" },
		"no host":             func(c *mail.Config) { c.Server = "smtp://" },
		"a path":              func(c *mail.Config) { c.Server = "smtp://mail.example/x" },
		"a port of no number": func(c *mail.Config) { c.Server = "smtp://mail.example:mail" },
		"a user alone":        func(c *mail.Config) { c.Password = "" },
	} {
		c := good
		change(&c)
		if _, err := mail.New(c, issuer, nil); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !(mail.Config{}).Off() || good.Off() {
		t.Error("the zero value alone is no mail")
	}
}

// For who develops, mail goes into files, to a console, or into a box.
func TestMailGoesElsewhereForWhoDevelops(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mail")
	files := sender(t, mail.Config{Directory: dir})
	var out bytes.Buffer
	console := sender(t, mail.Config{Console: &out})
	box := &mail.Box{}
	boxed := sender(t, mail.Config{Box: box})
	for _, s := range []*mail.Sender{files, console, boxed, files, boxed} {
		if err := s.Send(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	found, err := os.ReadDir(dir)
	if err != nil || len(found) != 1 || found[0].Name() != "0abc.eml" {
		t.Fatalf("in the directory there is %v, %v", found, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "0abc.eml"))
	if err != nil {
		t.Fatal(err)
	}
	if h, _ := parts(t, string(raw)); h.Get("Message-Id") != "<0abc@access.example>" {
		t.Errorf("the file's header is %v", h)
	}
	if !strings.Contains(out.String(), issuer+"/app/requests/r1") {
		t.Errorf("on the console there is\n%s", &out)
	}
	for i := range 300 {
		l := request
		l.ID, l.To = as.MessageID(fmt.Sprint("n", i)), "dora@example.org"
		if err := boxed.Send(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	if all := box.Mails(""); len(all) != 200 || all[0].ID != "n299@access.example" || all[0].Subject == "" || all[0].Text == "" || all[0].HTML == "" {
		t.Errorf("the box has %d mails", len(all))
	}
	if mine := box.Mails("alice@example.org"); len(mine) != 0 {
		t.Errorf("the box keeps %v beyond its size", mine)
	}
}

// Every kind of letter has words in every language, with nothing left to fill in.
func TestEveryLetterHasWords(t *testing.T) {
	box := &mail.Box{}
	s := sender(t, mail.Config{Box: box})
	subjects := map[string]string{}
	for _, kind := range []as.LetterKind{
		as.LetterCode, as.LetterFirstCode, as.LetterNoAccount, as.LetterPasskeyAdded, as.LetterPasskeyCloned, as.LetterWithoutPasskey, as.LetterIdentityLinked,
		as.LetterRequest, as.LetterDigest, as.LetterEnding, as.LetterReview, as.LetterStopped, as.LetterAllowed, as.LetterRefused,
		as.LetterInvited, as.LetterRole, as.LetterRoleEnded,
	} {
		for _, lang := range []string{"", "en", "de-CH", "fr", "es", "ar", "zz", "not a language"} {
			for _, n := range []int{1, 2} {
				l := as.Letter{
					ID: as.MessageID(fmt.Sprint(kind, lang, n)), Kind: kind, To: "alice@example.org", Language: lang, Code: "12345678", Name: "Name", App: "App",
					Space: "Space", Path: "/app/", Requests: n, Ending: n, Shares: n,
				}
				if err := s.Send(t.Context(), l); err != nil {
					t.Fatalf("%s in %q: %v", kind, lang, err)
				}
				m := box.Mails("")[0]
				if strings.ContainsAny(m.Subject+m.Text, "%") || strings.Contains(m.Subject+m.Text, "EXTRA") || len(m.Subject) < 5 {
					t.Errorf("%s in %q says\n%s\n%s", kind, lang, m.Subject, m.Text)
				}
				if (lang == "ar") != strings.Contains(m.HTML, `dir="rtl"`) {
					t.Errorf("in %q the HTML is\n%s", lang, m.HTML)
				}
				subjects[string(kind)+lang] = m.Subject
			}
		}
	}
	var refused *as.RefusedError
	if err := s.Send(t.Context(), as.Letter{Kind: "of tomorrow", To: "alice@example.org"}); !errors.As(err, &refused) {
		t.Errorf("a letter without words: %v", err)
	}
}
