package as

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// A Letter is a mail to a person about how they sign in. Who sends it puts it into
// words.
type Letter struct {
	Kind LetterKind `json:"kind"`
	To   string     `json:"to"`
	Code string     `json:"code,omitempty"` // of LetterCode and LetterFirstCode
	Name string     `json:"name,omitempty"` // of the passkey or the provider that it is about
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
)

// letterLife is how long a letter that has no code is worth sending.
const letterLife = 24 * time.Hour

// mail writes a letter down, to be sent after the transaction. It is sealed,
// because a code in it lets somebody in.
func (s *Server) mail(tx Tx, to string, l Letter) error {
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
	return s.Mail(ctx, l)
}
