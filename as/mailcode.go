package as

import (
	"context"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// One-time codes by e-mail. A code is good in the browser that asked for it alone,
// so that nobody can be talked into reading one out to a stranger's browser by
// anything but its digits, and a stranger who asks for codes takes none away from
// anybody.

const (
	mailCodeDigits = 8
	mailCodeLife   = 10 * time.Minute
	mailCodeTries  = 5
)

var errNoAddress = uma.NewError(uma.InvalidRequest, "This is no e-mail address that can be used.")

// SendCode sends a code to an e-mail address, for the browser with this handle, in
// place of the one that it was sent before. Whether there is an account is told in
// the letter alone: the answer and the work are the same. Where guests may come in,
// an address without an account gets a code, too. One too many, to one address or
// from one network address, is TooManyAttempts; what is no address an *uma.Error.
func (s *Server) SendCode(ctx context.Context, email, from, browser string, guests bool) error {
	email, err := policy.CanonicalEmail(email)
	if err != nil {
		return errNoAddress.Because(err)
	}
	counts := []attemptCount{{s.vault.digest(aCount, "mail to\x00"+email), s.Attempts.Mail}, s.fromAddress("mail from", from)}
	if _, err := s.countAttempt(ctx, counts...); err != nil {
		return err
	}
	code := s.vault.digits()
	err = s.Store.Update(ctx, func(tx Tx) error {
		account, err := tx.AccountByEmail(email)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		now := s.now()
		c := MailCode{
			Digest: s.vault.digest(aBrowser, browser), Code: s.codeDigest(browser, email, code), Email: email, ExpiresAt: now.Add(mailCodeLife),
		}
		l := Letter{Kind: LetterCode, Code: code, Expires: c.ExpiresAt}
		switch {
		case account.ID == "" && guests:
			l.Kind = LetterFirstCode
		case account.ID == "", account.Disabled:
			l, c.Code = Letter{Kind: LetterNoAccount}, nil
		}
		if err := tx.PutMailCode(c); err != nil {
			return err
		}
		return s.mail(tx, email, l)
	})
	s.posted()
	return err
}

// EnterByCode opens a session at the browser that was sent a code. The account of
// an address that has none is made now: a guest, with no space of their own. The
// address of an account is verified by that. A code that is wrong, over, spent, or
// was tried too often is ErrNotFound; so is one for a disabled account. The attempt
// is counted like one with a password; from and signedIn are those of BeginSignIn.
func (s *Server) EnterByCode(ctx context.Context, browser, code, from string, signedIn AccountID, e Entry) (string, Account, error) {
	handle := s.vault.digest(aBrowser, browser)
	sent, err := s.mailCode(ctx, handle)
	if errors.Is(err, ErrNotFound) {
		if _, err := s.BeginAttempt(ctx, "", from, signedIn); err != nil {
			return "", Account{}, err
		}
	}
	if err != nil {
		return "", Account{}, err
	}
	if _, e.Attempt, err = s.BeginSignIn(ctx, sent.Email, from, signedIn); err != nil {
		return "", Account{}, err
	}
	e.Method = ByCode
	secret, account, in := s.vault.bearer(), Account{}, false
	err = s.Store.Update(ctx, func(tx Tx) error {
		account, in = Account{}, false // a try that is wrong is kept, too
		c, err := tx.TryMailCode(handle, mailCodeTries, s.now())
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if c.Email != sent.Email || !hmac.Equal(c.Code, s.codeDigest(browser, c.Email, onlyDigits(code))) {
			return nil
		}
		if _, err := tx.SpendMailCode(handle, s.now()); err != nil {
			return err
		}
		if account, err = s.ofMailbox(tx, c.Email); err != nil || account.Disabled {
			return err
		}
		in = true
		if err := s.tellOfCode(tx, account); err != nil {
			return err
		}
		return s.enter(tx, account, secret, e)
	})
	s.posted()
	if err == nil && !in {
		err = ErrNotFound
	}
	if err != nil {
		return "", Account{}, err
	}
	return secret, account, nil
}

func (s *Server) mailCode(ctx context.Context, handle Digest) (MailCode, error) {
	var c MailCode
	err := s.Store.View(ctx, func(r Reader) (err error) {
		c, err = r.MailCode(handle)
		return err
	})
	return c, err
}

// ofMailbox returns the account of whoever has just shown that they read the mail of
// an address, and makes one where there is none.
func (s *Server) ofMailbox(tx Tx, email string) (Account, error) {
	account, err := tx.AccountByEmail(email)
	switch {
	case errors.Is(err, ErrNotFound):
		now := s.now()
		account = Account{ID: AccountID(s.vault.id(now)), Email: email, EmailVerified: true, Generation: 1, CreatedAt: now}
		return account, tx.InsertAccount(account)
	case err != nil || account.EmailVerified:
		return account, err
	default:
		account.EmailVerified = true
		return account, tx.UpdateAccount(account)
	}
}

// tellOfCode tells somebody who has passkeys that none was used.
func (s *Server) tellOfCode(tx Tx, account Account) error {
	passkeys, err := tx.PasskeysOf(account.ID)
	if err != nil || len(passkeys) == 0 {
		return err
	}
	return s.mail(tx, account.Email, Letter{Kind: LetterWithoutPasskey})
}

func (s *Server) codeDigest(browser, email, code string) []byte {
	return s.vault.digest(aMailCode, browser+"\x00"+email+"\x00"+code)
}

// digits makes the digits of a code. The remainder of 64 random bits favours some
// codes by less than one in a thousand million.
func (v *vault) digits() string {
	const codes = 100_000_000
	return fmt.Sprintf("%0*d", mailCodeDigits, binary.BigEndian.Uint64(v.random(8))%codes)
}

// onlyDigits is a code as people write and paste it, without what they put between
// its digits.
func onlyDigits(code string) string {
	if len(code) > 64 {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, code)
}
