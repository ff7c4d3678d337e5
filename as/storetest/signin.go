package storetest

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/licet/licet/as"
)

var signingIn = []rule{
	{"accounts are listed in the order of their ids", accountsAreListed},
	{"what an account signs in with is listed oldest first, and is taken away by nobody else", waysInAreListed},
	{"a passkey's count only rises, unless it does not count", passkeyCountsRise},
	{"of many who use a passkey with one count one does", passkeysRace},
	{"a mail code takes the place of the one before", mailCodesAreReplaced},
	{"a mail code is tried so often, whoever tries", mailCodesAreTriedSoOften},
}

// waysInOf are the records of signing in.
func (s *scene) waysInOf(f filler) []record {
	return []record{
		a("passkey", f, func(v *as.Passkey) { v.ID, v.Account = s.digest("passkey"), s.account() }, as.Tx.InsertPasskey,
			func(r as.Reader) (as.Passkey, error) { return r.Passkey(s.digest("passkey")) }),
		a("identity", f, func(v *as.Identity) { v.Issuer, v.Subject, v.Account = s.id("issuer"), s.id("subject"), s.account() }, as.Tx.InsertIdentity,
			func(r as.Reader) (as.Identity, error) { return r.Identity(s.id("issuer"), s.id("subject")) }),
		a("mail code", f, func(v *as.MailCode) { v.Digest = s.digest("mail code") }, insertMailCode,
			func(r as.Reader) (as.MailCode, error) { return r.MailCode(s.digest("mail code")) }),
	}
}

// insertMailCode puts a code where there is none, like the insertions of the other
// records.
func insertMailCode(tx as.Tx, c as.MailCode) error {
	if _, err := tx.MailCode(c.Digest); !errors.Is(err, as.ErrNotFound) {
		return errors.Join(err, as.ErrExists)
	}
	return tx.PutMailCode(c)
}

func accountsAreListed(s *scene) {
	s = s.alone()
	var want []as.Account
	s.update(func(tx as.Tx) error {
		want = nil
		for _, id := range []as.AccountID{"a", "b", "c", "d"} {
			account := as.Account{ID: id, Email: string(id) + "@example.org"}
			want = append(want, account)
			if err := tx.InsertAccount(account); err != nil {
				return err
			}
		}
		return nil
	})
	same(s, "the first page", must(s, func(r as.Reader) ([]as.Account, error) { return r.Accounts(as.Page{Limit: 2}) }), want[:2])
	same(s, "the next", must(s, func(r as.Reader) ([]as.Account, error) { return r.Accounts(as.Page{After: "b", Limit: 9}) }), want[2:])
}

func waysInAreListed(s *scene) {
	other := s.beside()
	passkey := func(of *scene, what string, at time.Time) as.Passkey {
		return as.Passkey{ID: of.digest(what), Account: of.account(), Transports: []string{}, CreatedAt: at}
	}
	identity := func(of *scene, what string, at time.Time) as.Identity {
		return as.Identity{Issuer: what, Subject: of.id("subject"), Account: of.account(), CreatedAt: at}
	}
	older, newer, hers := passkey(s, "older", now), passkey(s, "newer", now.Add(time.Second)), passkey(other, "hers", now)
	first, second, theirs := identity(s, "z", now), identity(s, "a", now.Add(time.Second)), identity(other, "z", now)
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertPasskey(newer), tx.InsertPasskey(older), tx.InsertPasskey(hers),
			tx.InsertIdentity(second), tx.InsertIdentity(first), tx.InsertIdentity(theirs))
	})
	s.refused(as.ErrNotFound, "deleting a passkey of another account", func(tx as.Tx) error { return tx.DeletePasskey(s.account(), hers.ID) })
	s.refused(as.ErrNotFound, "deleting an identity of another account", func(tx as.Tx) error {
		return tx.DeleteIdentity(s.account(), theirs.Issuer, theirs.Subject)
	})
	same(s, "the passkeys", must(s, func(r as.Reader) ([]as.Passkey, error) { return r.PasskeysOf(s.account()) }), []as.Passkey{older, newer})
	same(s, "the identities", must(s, func(r as.Reader) ([]as.Identity, error) { return r.IdentitiesOf(s.account()) }), []as.Identity{first, second})
	same(s, "another's passkeys", must(s, func(r as.Reader) ([]as.Passkey, error) { return r.PasskeysOf(other.account()) }), []as.Passkey{hers})
}

func passkeyCountsRise(s *scene) {
	counts, silent := as.Passkey{ID: s.digest("counts"), SignCount: 7}, as.Passkey{ID: s.digest("silent")}
	s.update(func(tx as.Tx) error { return errors.Join(tx.InsertPasskey(counts), tx.InsertPasskey(silent)) })
	for _, wrong := range []int64{0, 6, 7} {
		s.refused(as.ErrNotFound, "a count that does not rise", func(tx as.Tx) error { return tx.UsePasskey(counts.ID, wrong, true, now) })
	}
	for range 2 {
		s.update(func(tx as.Tx) error { return tx.UsePasskey(silent.ID, 0, true, now) })
	}
	s.update(func(tx as.Tx) error { return tx.UsePasskey(counts.ID, 9, true, now) })
	counts.SignCount, counts.BackedUp, counts.UsedAt = 9, true, now
	same(s, "the passkey", must(s, func(r as.Reader) (as.Passkey, error) { return r.Passkey(counts.ID) }), counts)
	s.update(func(tx as.Tx) error { return tx.UsePasskey(silent.ID, 1, false, now) })
	s.refused(as.ErrNotFound, "a count that falls back to none", func(tx as.Tx) error { return tx.UsePasskey(silent.ID, 0, false, now) })
}

func passkeysRace(s *scene) {
	s.update(func(tx as.Tx) error { return tx.InsertPasskey(as.Passkey{ID: s.digest("passkey"), SignCount: 1}) })
	s.onlyOneWins("using", as.ErrNotFound, func(_ int, tx as.Tx) error { return tx.UsePasskey(s.digest("passkey"), 2, false, now) })
}

func mailCodesAreReplaced(s *scene) {
	first := as.MailCode{Digest: s.digest("browser"), Code: []byte{1}, Email: "a", ExpiresAt: now.Add(time.Minute)}
	other := as.MailCode{Digest: s.digest("another"), Code: []byte{3}, Email: "a", ExpiresAt: now.Add(time.Minute)}
	second := as.MailCode{Digest: first.Digest, Code: []byte{2}, Email: "b", ExpiresAt: now.Add(time.Hour)}
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.PutMailCode(first), tx.PutMailCode(other), errOf(tx.TryMailCode(first.Digest, 5, now)), errOf(tx.SpendMailCode(first.Digest, now)))
	})
	s.update(func(tx as.Tx) error { return tx.PutMailCode(second) })
	same(s, "the code", must(s, func(r as.Reader) (as.MailCode, error) { return r.MailCode(first.Digest) }), second)
	same(s, "that of another browser", must(s, func(r as.Reader) (as.MailCode, error) { return r.MailCode(other.Digest) }), other)
}

func mailCodesAreTriedSoOften(s *scene) {
	const most = 5
	code := as.MailCode{Digest: s.digest("browser"), Code: []byte{1}, Email: "a", ExpiresAt: now.Add(time.Minute)}
	s.update(func(tx as.Tx) error { return tx.PutMailCode(code) })
	s.refused(as.ErrNotFound, "trying at the instant it expires", func(tx as.Tx) error { return errOf(tx.TryMailCode(code.Digest, most, code.ExpiresAt)) })
	var last atomic.Int64
	won := s.race(as.ErrNotFound, func(_ int, tx as.Tx) error {
		c, err := tx.TryMailCode(code.Digest, most, now)
		if err == nil && c.Tries > last.Load() {
			last.Store(c.Tries)
		}
		return err
	})
	if won != most || last.Load() != most {
		s.Errorf("it was tried %d times, and says %d; want %d", won, last.Load(), most)
	}
	s.update(func(tx as.Tx) error { return tx.PutMailCode(code) })
	s.update(func(tx as.Tx) error { return errOf(tx.SpendMailCode(code.Digest, now)) })
	s.refused(as.ErrNotFound, "trying what is spent", func(tx as.Tx) error { return errOf(tx.TryMailCode(code.Digest, most, now)) })
}
