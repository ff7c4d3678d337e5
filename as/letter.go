package as

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// A Letter is a mail to a person. Who sends it puts it into words. What it tells of
// others is one line, and says what the reader may know: names of
// things are for the pages, and not for mail.
type Letter struct {
	// ID is the same at every attempt to send the letter, so that a mailbox can tell.
	ID       MessageID  `json:"-"`
	Kind     LetterKind `json:"kind"`
	To       string     `json:"to"`
	Language string     `json:"language,omitempty"` // of the reader, as BCP 47 has it; "" when it is not known
	Code     string     `json:"code,omitempty"`     // of LetterCode and LetterFirstCode
	Name     string     `json:"name,omitempty"`     // of the passkey or the provider that it is about, or of who asks
	App      string     `json:"app,omitempty"`      // the application through which somebody asks
	Space    string     `json:"space,omitempty"`    // whose things it is about: the name of the space
	Role     RoleKind   `json:"role,omitempty"`     // that it is about
	Why      string     `json:"why,omitempty"`      // why somebody asks, in their own words; at most MaxWhy characters
	// Path is where to read on, below the issuer. Going there changes nothing.
	Path     string `json:"path,omitempty"`
	Requests int    `json:"requests,omitempty"` // how many wait; digestMost may be more
	Ending   int    `json:"ending,omitempty"`   // how many shares end soon
	Shares   int    `json:"shares,omitempty"`   // how many are in force
	// Expires is until when the code can be used.
	Expires time.Time `json:"expires,omitzero"`
}

// LetterKind says what a letter is about.
type LetterKind string

// The kinds of letter. To a form that asks for a code everybody gets the same
// answer; what is true is told in the letter, to the one who reads that mailbox.
const (
	LetterCode           LetterKind = "sign_in_code"
	LetterFirstCode      LetterKind = "first_sign_in_code" // using it makes the account
	LetterNoAccount      LetterKind = "no_account"         // somebody asked for a code, and there is nothing to sign in to
	LetterPasskeyAdded   LetterKind = "passkey_added"
	LetterPasskeyCloned  LetterKind = "passkey_cloned"
	LetterWithoutPasskey LetterKind = "signed_in_without_passkey" // with a code, to an account that has passkeys
	LetterIdentityLinked LetterKind = "identity_linked"

	// What owners are told. LetterStopped is about security and comes always; the
	// others come as the account wants letters.
	LetterRequest LetterKind = "request"
	LetterDigest  LetterKind = "digest" // what waits, once a day or where there was too much at once
	LetterEnding  LetterKind = "ending" // shares end in a week
	LetterReview  LetterKind = "review" // every 90 days
	LetterStopped LetterKind = "stopped"

	// Of roles; they come always.
	LetterInvited   LetterKind = "invited"    // to whoever is offered a role; Name offers it
	LetterRole      LetterKind = "role"       // to the owner: Name has a role from now on
	LetterRoleEnded LetterKind = "role_ended" // to the owner, and to whoever had it: Name has it no more

	// What who asked is told.
	LetterAllowed LetterKind = "allowed"
	LetterRefused LetterKind = "refused"
)

// RefusedError is of a letter that the mail system does not take, although it works:
// others may go out meanwhile.
type RefusedError struct {
	Final bool // trying again is of no use
	Err   error
}

func (e *RefusedError) Error() string { return "as: the letter is refused: " + e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// letterLife is how long a letter that has no code is worth sending.
const letterLife = 24 * time.Hour

// mail writes a letter down, to be sent after the transaction. It is sealed,
// because a code in it lets somebody in. Where nobody sends mail there is none. Who
// calls it calls posted after the transaction.
func (s *Server) mail(tx Tx, to string, l Letter) error {
	if s.Mail == nil {
		return nil
	}
	l.To = to
	plain, err := json.Marshal(l)
	if err != nil {
		return err
	}
	now := s.now()
	until := l.Expires
	if until.IsZero() {
		until = now.Add(letterLife)
	}
	return tx.InsertMessage(Message{
		ID: MessageID(s.vault.id(now)), Kind: MessageLetter, Recipient: to, Body: s.vault.seal(sealedLetter, plain), DueAt: now, ExpiresAt: until,
	})
}

// sendLetter hands a letter to whoever sends mail.
func (s *Server) sendLetter(ctx context.Context, m Message) error {
	plain, err := s.vault.open(sealedLetter, m.Body)
	if err != nil {
		return err
	}
	var l Letter
	if err := json.Unmarshal(plain, &l); err != nil {
		return err
	}
	if s.Mail == nil {
		return errors.New("as: there is nobody to send mail")
	}
	l.ID = m.ID
	return s.Mail(ctx, l)
}
