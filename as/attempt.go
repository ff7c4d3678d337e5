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
}

func (a *Attempts) setDefaults() {
	a.Account = a.Account.Or(limit.Rate{Count: 20, Per: 15 * time.Minute})
	a.Address = a.Address.Or(limit.Rate{Count: 100, Per: 15 * time.Minute})
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
// before the password is looked at, so that no number of attempts at the same time
// is more than the limit; one that succeeds is taken back. The error of one too
// many is TooManyAttempts, whether there is such an account or not, and it is not
// counted itself: nobody can put off the end of the wait.
//
// An account is counted by its id, and what is no account by its address, so that
// no spelling is a way around. signedIn is the account whose session the browser
// has: with it, a person is not shut out by others who try from elsewhere.
func (s *Server) BeginSignIn(ctx context.Context, email, from string, signedIn AccountID) (Account, Attempt, error) {
	account, err := s.AccountByEmail(ctx, email)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Account{}, Attempt{}, err
	}
	name := "account\x00" + string(account.ID)
	switch {
	case account.ID == "":
		name = "nobody\x00" + strings.ToLower(strings.TrimSpace(email))
	case account.ID == signedIn:
		name = "signed in\x00" + string(account.ID)
	}
	var a Attempt
	for _, c := range []attemptCount{
		{s.vault.digest(aCount, name), s.Attempts.Account},
		{s.vault.digest(aCount, "address\x00"+limit.Network(from)), s.Attempts.Address},
	} {
		if c.most.Count >= 0 {
			a.counts = append(a.counts, c)
		}
	}
	if len(a.counts) == 0 {
		return account, a, nil
	}
	now := s.now()
	err = s.Store.Update(ctx, func(tx Tx) error {
		for _, c := range a.counts {
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
	})
	return account, a, err
}
