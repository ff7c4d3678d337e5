package mail

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/mail"
	"net/url"
	"strings"
	"unicode"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	gomail "github.com/wneessen/go-mail"
)

//go:embed letter.html
var letterHTML string

var letterTemplate = template.Must(template.New("letter").Parse(letterHTML))

// write makes a mail of a letter.
func (s *Sender) write(l as.Letter) (written, error) {
	to, err := mail.ParseAddress(l.To)
	if err != nil || to.Address != l.To {
		return written{}, errors.New("mail: it is to nobody") // and the log need not have it
	}
	says, err := words(l)
	if err != nil {
		return written{}, err
	}
	address := ""
	if says.Link != "" {
		if address, err = url.JoinPath(s.issuer, l.Path); err != nil {
			return written{}, fmt.Errorf("mail: %w", err)
		}
	}
	w := written{Mail: Mail{
		ID: string(l.ID) + "@" + s.host, To: l.To, Subject: printable(says.Subject), At: s.now().UTC(),
	}}
	from := printable(page.Plain(l.Language, page.Sentence("This mail is from %s. It never asks you for a password."), s.issuer))
	w.Text = text(says, address, from)
	var html bytes.Buffer
	err = letterTemplate.Execute(&html, struct {
		said
		Language, Direction, Address, From string
	}{says, page.Preferred(l.Language).String(), page.DirectionOf(l.Language), address, from})
	if err != nil {
		return written{}, fmt.Errorf("mail: %w", err)
	}
	w.HTML = html.String()

	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(s.from)
	m.ToMailAddress(to)
	m.Subject(w.Subject)
	m.SetMessageIDWithValue(w.ID)
	m.SetDateWithValue(w.At)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence is told to us
	m.SetBodyString(gomail.TypeTextPlain, w.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, w.HTML)
	w.message = m
	return w, nil
}

// printable is a text without what would end a header or a line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

// text is the letter for who reads plain text.
func text(says said, address, from string) string {
	var b strings.Builder
	paragraph := func(s string) { b.WriteString(s + "\n\n") }
	if says.Code != "" {
		paragraph(says.Code)
	}
	for _, line := range says.Lines {
		paragraph(printable(line))
	}
	if address != "" {
		paragraph(says.Link + ":\n" + address)
	}
	b.WriteString(from + "\n")
	return b.String()
}
