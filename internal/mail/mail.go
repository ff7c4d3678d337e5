package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/as"
	gomail "github.com/wneessen/go-mail"
)

// Config says from whom mail is, and one way that it goes. The zero value is no mail.
type Config struct {
	From string // an address, with a name or without: "Licet <licet@example.org>"

	// Server is where mail is handed over: smtp://host:port, where TLS begins with
	// STARTTLS, or smtps://host:port, where it is there from the beginning. Without a
	// port it is 587 or 465. Only on a loopback address may mail go without TLS.
	Server         string
	User, Password string // "" for a server that lets us send as we are

	Directory string    // every mail is a file here
	Console   io.Writer // every mail is written here
	Box       *Box      // every mail is kept here
}

// Off says whether there is to be no mail.
func (c Config) Off() bool {
	return c.From == "" && c.Server == "" && c.User == "" && c.Password == "" && c.Directory == "" && c.Console == nil && c.Box == nil
}

// Sender sends letters. It may be used concurrently.
type Sender struct {
	from   *mail.Address
	issuer string
	host   string // of Message-IDs
	now    func() time.Time
	out    func(context.Context, written) error
}

// New checks the configuration; what it says wrong is told by the name of its member
// in small letters. The links of letters lead to the issuer. now may be nil.
func New(c Config, issuer string, now func() time.Time) (*Sender, error) {
	s := &Sender{issuer: issuer, now: now}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if s.from, err = mail.ParseAddress(c.From); err != nil {
		return nil, fmt.Errorf("mail.from: %q is no address: %w", c.From, err)
	}
	_, s.host, _ = strings.Cut(s.from.Address, "@")
	ways := 0
	if c.Server != "" {
		server, err := newServer(c)
		if err != nil {
			return nil, err
		}
		s.out, ways = server.send, ways+1
	}
	if c.Directory != "" {
		s.out, ways = inDirectory(c.Directory), ways+1
	}
	if c.Console != nil {
		s.out, ways = onConsole(c.Console), ways+1
	}
	if c.Box != nil {
		s.out, ways = c.Box.put, ways+1
	}
	if ways != 1 {
		return nil, errors.New("mail: there is one way for mail: a server, a directory, or another")
	}
	return s, nil
}

// attempt is how long sending one letter may take; the outbox tries it again after
// ten seconds.
const attempt = 8 * time.Second

// Send sends a letter once. An error is an *as.RefusedError when it is this letter
// that is not taken.
func (s *Sender) Send(ctx context.Context, l as.Letter) error {
	w, err := s.write(l)
	if err != nil {
		return &as.RefusedError{Final: true, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	return s.out(ctx, w)
}

// written is a letter in words.
type written struct {
	Mail
	message *gomail.Msg
}

// Mail is a mail as its reader sees it.
type Mail struct {
	ID      string // the Message-ID, without its brackets
	To      string
	Subject string
	Text    string
	HTML    string
	At      time.Time
}

// inDirectory writes mails as files that mail programs open. A mail that is sent
// again takes the place of itself.
func inDirectory(dir string) func(context.Context, written) error {
	return func(_ context.Context, w written) error {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		f, err := os.CreateTemp(dir, ".mail-*")
		if err != nil {
			return err
		}
		_, err = w.message.WriteTo(f)
		if err = errors.Join(err, f.Close()); err == nil {
			err = os.Rename(f.Name(), filepath.Join(dir, fileName(w.ID)))
		}
		if err != nil {
			return errors.Join(err, os.Remove(f.Name()))
		}
		return nil
	}
}

// fileName is the name of a mail's file: ids are ours, and sort by time.
func fileName(id string) string {
	name, _, _ := strings.Cut(id, "@")
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, name) + ".eml"
}

func onConsole(out io.Writer) func(context.Context, written) error {
	var mu sync.Mutex
	return func(_ context.Context, w written) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := fmt.Fprintf(out, "---- mail to %s: %s\n%s----\n", w.To, w.Subject, w.Text)
		return err
	}
}

// Box keeps the newest mails in memory, for demonstrations. The zero value is empty
// and ready; it may be used concurrently.
type Box struct {
	mu    sync.Mutex
	mails []Mail
}

// boxSize is how many mails a box keeps.
const boxSize = 200

func (b *Box) put(_ context.Context, w written) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.mails {
		if b.mails[i].ID == w.ID {
			b.mails[i] = w.Mail
			return nil
		}
	}
	b.mails = append(b.mails[max(0, len(b.mails)+1-boxSize):], w.Mail)
	return nil
}

// Mails are the mails in the box, newest first; to somebody, or to all for "".
func (b *Box) Mails(to string) []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Mail
	for i := len(b.mails) - 1; i >= 0; i-- {
		if to == "" || b.mails[i].To == to {
			out = append(out, b.mails[i])
		}
	}
	return out
}
