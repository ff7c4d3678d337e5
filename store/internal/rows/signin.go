package rows

import (
	"time"

	"github.com/licet/licet/as"
)

const passkeyColumns = `id, account_id, name, public_key, sign_count, backup_eligible, backed_up, transports, created_at, used_at`

var insertPasskey = insertInto("passkeys", passkeyColumns)

func intoPasskey() ([]any, *as.Passkey) {
	p := new(as.Passkey)
	return []any{
		&p.ID, &p.Account, &p.Name, &p.PublicKey, &p.SignCount, &p.BackupEligible, &p.BackedUp, listInto(&p.Transports),
		instant{&p.CreatedAt}, instant{&p.UsedAt},
	}, p
}

func (t *Tx) Passkey(id []byte) (as.Passkey, error) {
	return one(t, intoPasskey, `select `+passkeyColumns+` from passkeys where id = $1`, id)
}

func (t *Tx) PasskeysOf(id as.AccountID) ([]as.Passkey, error) {
	return all(t, intoPasskey, `select `+passkeyColumns+` from passkeys where account_id = $1 order by created_at, id`, id)
}

func (t *Tx) InsertPasskey(p as.Passkey) error {
	return t.insert(insertPasskey, p.ID, p.Account, p.Name, p.PublicKey, p.SignCount, p.BackupEligible, p.BackedUp, listOf(p.Transports),
		ms(p.CreatedAt), ms(p.UsedAt))
}

func (t *Tx) UsePasskey(id []byte, signCount int64, backedUp bool, now time.Time) error {
	return t.change(`update passkeys set sign_count = $2, backed_up = $3, used_at = $4
		where id = $1 and (sign_count < $2 or sign_count = 0 and $2 = 0)`, id, signCount, backedUp, ms(now))
}

func (t *Tx) DeletePasskey(account as.AccountID, id []byte) error {
	return t.change(`delete from passkeys where account_id = $1 and id = $2`, account, id)
}

const identityColumns = `issuer, subject, account_id, email, created_at`

var insertIdentity = insertInto("identities", identityColumns)

func intoIdentity() ([]any, *as.Identity) {
	i := new(as.Identity)
	return []any{&i.Issuer, &i.Subject, &i.Account, &i.Email, instant{&i.CreatedAt}}, i
}

func (t *Tx) Identity(issuer, subject string) (as.Identity, error) {
	return one(t, intoIdentity, `select `+identityColumns+` from identities where issuer = $1 and subject = $2`, issuer, subject)
}

func (t *Tx) IdentitiesOf(id as.AccountID) ([]as.Identity, error) {
	return all(t, intoIdentity, `select `+identityColumns+` from identities where account_id = $1 order by created_at, issuer, subject`, id)
}

func (t *Tx) InsertIdentity(i as.Identity) error {
	return t.insert(insertIdentity, i.Issuer, i.Subject, i.Account, i.Email, ms(i.CreatedAt))
}

func (t *Tx) DeleteIdentity(account as.AccountID, issuer, subject string) error {
	return t.change(`delete from identities where account_id = $1 and issuer = $2 and subject = $3`, account, issuer, subject)
}

const mailCodeColumns = `digest, code, email, tries, expires_at, spent_at`

var spendMailCode = spendIn("mail_codes", "spent_at", mailCodeColumns)

func intoMailCode() ([]any, *as.MailCode) {
	c := new(as.MailCode)
	return []any{&c.Digest, &c.Code, &c.Email, &c.Tries, instant{&c.ExpiresAt}, instant{&c.SpentAt}}, c
}

func (t *Tx) MailCode(d as.Digest) (as.MailCode, error) {
	return one(t, intoMailCode, `select `+mailCodeColumns+` from mail_codes where digest = $1`, []byte(d))
}

func (t *Tx) PutMailCode(c as.MailCode) error {
	_, err := t.count(`insert into mail_codes (`+mailCodeColumns+`) values ($1, $2, $3, $4, $5, $6)
		on conflict (digest) do update set code = excluded.code, email = excluded.email, tries = excluded.tries,
		expires_at = excluded.expires_at, spent_at = excluded.spent_at`,
		[]byte(c.Digest), c.Code, c.Email, c.Tries, ms(c.ExpiresAt), ms(c.SpentAt))
	return err
}

func (t *Tx) TryMailCode(d as.Digest, most int64, now time.Time) (as.MailCode, error) {
	t.wrote = true
	return one(t, intoMailCode, `update mail_codes set tries = tries + 1
		where digest = $1 and spent_at = 0 and expires_at > $2 and tries < $3 returning `+mailCodeColumns, []byte(d), ms(now), most)
}

func (t *Tx) SpendMailCode(d as.Digest, now time.Time) (as.MailCode, error) {
	c, err := spend(t, intoMailCode, spendMailCode, d, now)
	c.SpentAt = time.Time{}
	return c, err
}
