package rows

import (
	"errors"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
)

const spaceColumns = `id, name, generation, created_at`

var insertSpace = insertInto("spaces", spaceColumns)

func intoSpace() ([]any, *as.Space) {
	s := new(as.Space)
	return []any{&s.ID, &s.Name, &s.Generation, instant{&s.CreatedAt}}, s
}

func (t *Tx) Space(id as.SpaceID) (as.Space, error) {
	return one(t, intoSpace, `select `+spaceColumns+` from spaces where id = $1`, id)
}

func (t *Tx) InsertSpace(s as.Space) error {
	return t.insertRandom(insertSpace, s.ID, s.Name, s.Generation, ms(s.CreatedAt))
}

func (t *Tx) BumpSpace(id as.SpaceID) error {
	return t.changed(t.change(`update spaces set generation = generation + 1 where id = $1`, id), as.ChangedSpace(id))
}

const accountColumns = `id, email, email_verified, name, password_hash, disabled, generation, letters, language, created_at`

var insertAccount = insertInto("accounts", accountColumns)

func intoAccount() ([]any, *as.Account) {
	a := new(as.Account)
	return []any{&a.ID, &a.Email, &a.EmailVerified, &a.Name, &a.PasswordHash, &a.Disabled, &a.Generation, &a.Letters, &a.Language, instant{&a.CreatedAt}}, a
}

func (t *Tx) Account(id as.AccountID) (as.Account, error) {
	return one(t, intoAccount, `select `+accountColumns+` from accounts where id = $1`, id)
}

func (t *Tx) AccountByEmail(email string) (as.Account, error) {
	return one(t, intoAccount, `select `+accountColumns+` from accounts where email = $1`, email)
}

func (t *Tx) Accounts(p as.Page) ([]as.Account, error) {
	return all(t, intoAccount, `select `+accountColumns+` from accounts where id > $1 order by id limit $2`, p.After, p.Limit)
}

func (t *Tx) InsertAccount(a as.Account) error {
	return t.insert(insertAccount, a.ID, a.Email, a.EmailVerified, a.Name, a.PasswordHash, a.Disabled, a.Generation, a.Letters, a.Language, ms(a.CreatedAt))
}

// UpdateAccount looks for the address in the statement itself: running into the
// unique index would end the transaction in PostgreSQL.
func (t *Tx) UpdateAccount(a as.Account) error {
	err := t.change(`update accounts set email = $2, email_verified = $3, name = $4, password_hash = $5, disabled = $6, generation = $7, letters = $8, language = $9
		where id = $1 and not exists (select 1 from accounts o where o.email = $2 and o.id <> $1)`,
		a.ID, a.Email, a.EmailVerified, a.Name, a.PasswordHash, a.Disabled, a.Generation, a.Letters, a.Language)
	if !errors.Is(err, as.ErrNotFound) {
		return t.changed(err, as.ChangedAccount(a.ID))
	}
	if _, err := t.Account(a.ID); err != nil {
		return err
	}
	return as.ErrExists
}

const roleColumns = `account_id, space_id, kind, ends_at, granted_by, created_at`

func intoRole() ([]any, *as.Role) {
	r := new(as.Role)
	return []any{&r.Account, &r.Space, &r.Kind, instant{&r.EndsAt}, &r.GrantedBy, instant{&r.CreatedAt}}, r
}

func (t *Tx) Role(a as.AccountID, s as.SpaceID) (as.Role, error) {
	return one(t, intoRole, `select `+roleColumns+` from roles where account_id = $1 and space_id = $2`, a, s)
}

func (t *Tx) RolesOf(id as.AccountID) ([]as.Role, error) {
	return all(t, intoRole, `select `+roleColumns+` from roles where account_id = $1 order by space_id`, id)
}

func (t *Tx) RolesIn(id as.SpaceID) ([]as.Role, error) {
	return all(t, intoRole, `select `+roleColumns+` from roles where space_id = $1 order by account_id`, id)
}

func (t *Tx) PutRole(r as.Role) error {
	_, err := t.count(`insert into roles (`+roleColumns+`) values ($1, $2, $3, $4, $5, $6)
		on conflict (account_id, space_id) do update set kind = excluded.kind, ends_at = excluded.ends_at,
		granted_by = excluded.granted_by, created_at = excluded.created_at`,
		r.Account, r.Space, r.Kind, ms(r.EndsAt), r.GrantedBy, ms(r.CreatedAt))
	return err
}

func (t *Tx) DeleteRole(a as.AccountID, s as.SpaceID) error {
	return t.change(`delete from roles where account_id = $1 and space_id = $2`, a, s)
}

const sessionColumns = `digest, id, account_id, account_generation, auth_time, created_at, expires_at, method, agent`

var insertSession = insertUnder("sessions", sessionColumns, underAll)

func intoSession() ([]any, *as.Session) {
	s := new(as.Session)
	return []any{&s.Digest, &s.ID, &s.Account, &s.AccountGeneration, instant{&s.AuthTime}, instant{&s.CreatedAt}, instant{&s.ExpiresAt}, &s.Method, &s.Agent}, s
}

func (t *Tx) Session(d as.Digest) (as.Session, error) {
	return one(t, intoSession, `select `+sessionColumns+` from sessions where digest = $1 and `+underAll.holds(), []byte(d))
}

func (t *Tx) SessionByID(id as.SessionID) (as.Session, error) {
	return one(t, intoSession, `select `+sessionColumns+` from sessions where id = $1 and `+underAll.holds(), id)
}

func (t *Tx) SessionsOf(id as.AccountID, now time.Time) ([]as.Session, error) {
	return all(t, intoSession, `select `+sessionColumns+` from sessions where account_id = $1 and expires_at > $2 and `+underAll.holds(), id, ms(now))
}

func (t *Tx) Participants(id as.SessionID) ([]oauth.ClientID, error) {
	into := func() ([]any, *oauth.ClientID) {
		c := new(oauth.ClientID)
		return []any{c}, c
	}
	return all(t, into, `select client_id from participants where session_id = $1 order by client_id`, id)
}

func (t *Tx) InsertParticipant(id as.SessionID, c oauth.ClientID) error {
	return t.insert(`insert into participants (session_id, client_id) values ($1, $2)`+UnlessThere, id, c)
}

func (t *Tx) DeleteParticipants(id as.SessionID) error {
	_, err := t.count(`delete from participants where session_id = $1`, id)
	return err
}

func (t *Tx) InsertSession(s as.Session) error {
	return t.insert(insertSession, []byte(s.Digest), s.ID, s.Account, s.AccountGeneration, ms(s.AuthTime), ms(s.CreatedAt), ms(s.ExpiresAt), s.Method, s.Agent)
}

func (t *Tx) DeleteSession(d as.Digest) error {
	return t.change(`delete from sessions where digest = $1`, []byte(d))
}
