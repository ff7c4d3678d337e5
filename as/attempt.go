package as

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/licet/licet/internal/limit"
)

// Attempts are how often people may try to sign in: so many in a time that begins
// with the first of them. They are counted in the store, so by all nodes together.
// A zero member means its default; limit.Off is no limit.
type Attempts struct {
	Account limit.Rate // on one account, from wherever; 20 in 15 minutes
	Address limit.Rate // from one address (of IPv6: one /64), on whatever account; 100 in 15 minutes
	Mail    limit.Rate // codes sent to one e-mail address, from wherever; 5 in 15 minutes
}

func (a *Attempts) setDefaults() {
	a.Account = a.Account.Or(limit.Rate{Count: 20, Per: 15 * time.Minute})
	a.Address = a.Address.Or(limit.Rate{Count: 100, Per: 15 * time.Minute})
	a.Mail = a.Mail.Or(limit.Rate{Count: 5, Per: 15 * time.Minute})
}

// TooManyAttempts is the refusal of an attempt that was not made.
type TooManyAttempts struct {
	Wait time.Duration // until the first of the attempts that were counted is forgotten
}

func (TooManyAttempts) Error() string { return "as: too many attempts to sign in" }

// Attempt is an attempt to sign in that was counted.
type Attempt struct {
	counts []attemptCount
}

type attemptCount struct {
	digest Digest
	most   limit.Rate
}

// BeginSignIn counts an attempt to sign in and returns the account of an e-mail
// address in any spelling; one without an id when there is none. It is counted
// before what proves it is looked at, so that no number of attempts at the same time
// is more than the limit; one that succeeds is taken back. The error of one too
// many is TooManyAttempts, whether there is such an account or not, and it is not
// counted itself: nobody can put off the end of the wait.
//
// An account is counted by its id, whatever it is tried with, and what is no account
// by its address, so that no spelling and no method is a way around. signedIn is
// the account whose session the browser has: with it, a person is not shut out by
// others who try from elsewhere.
func (s *Server) BeginSignIn(ctx context.Context, email, from string, signedIn AccountID) (Account, Attempt, error) {
	account, err := s.AccountByEmail(ctx, email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Account{}, Attempt{}, err
	}
	name := "nobody\x00" + strings.ToLower(strings.TrimSpace(email))
	if account.ID != "" {
		name = countOf(account.ID, signedIn)
	}
	a, err := s.countAttempt(ctx, attemptCount{s.vault.digest(aCount, name), s.Attempts.Account}, s.fromAddress("address", from))
	return account, a, err
}

// BeginAttempt does the same for an account that what is shown names, "" for none.
func (s *Server) BeginAttempt(ctx context.Context, account AccountID, from string, signedIn AccountID) (Attempt, error) {
	counts := []attemptCount{s.fromAddress("address", from)}
	if account != "" {
		counts = append(counts, attemptCount{s.vault.digest(aCount, countOf(account, signedIn)), s.Attempts.Account})
	}
	return s.countAttempt(ctx, counts...)
}

// countOf names what counts the attempts on an account.
func countOf(account, signedIn AccountID) string {
	if account == signedIn {
		return "signed in\x00" + string(account)
	}
	return "account\x00" + string(account)
}

// fromAddress is the count of what comes from a network address.
func (s *Server) fromAddress(what, from string) attemptCount {
	return attemptCount{s.vault.digest(aCount, what+"\x00"+limit.Network(from)), s.Attempts.Address}
}

// countAttempt counts at all of these, or at none.
func (s *Server) countAttempt(ctx context.Context, counts ...attemptCount) (Attempt, error) {
	var a Attempt
	for _, c := range counts {
		if c.most.Count >= 0 {
			a.counts = append(a.counts, c)
		}
	}
	if len(a.counts) == 0 {
		return a, nil
	}
	err := s.Store.Update(ctx, func(tx Tx) error { return s.countUp(tx, a.counts) })
	return a, err
}

// countUp counts at all of these; the error of a full one is TooManyAttempts.
func (s *Server) countUp(tx Tx, counts []attemptCount) error {
	now := s.now()
	for _, c := range counts {
		_, err := tx.CountUp(c.digest, int64(c.most.Count), now, now.Add(c.most.Per))
		if errors.Is(err, ErrNotFound) {
			full, err := tx.Count(c.digest)
			if err != nil {
				return err
			}
			return TooManyAttempts{full.ExpiresAt.Sub(now)}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
