package rows

import (
	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
)

func (t *Tx) Space(id as.SpaceID) (as.Space, error) {
	return one(t, func() ([]any, func() (as.Space, error)) {
		var s as.Space
		return []any{&s.ID, &s.Name, &s.Generation, instant{&s.CreatedAt}}, func() (as.Space, error) { return s, nil }
	}, `select id, name, generation, created_at from spaces where id = $1`, id)
}

func (t *Tx) InsertSpace(s as.Space) error {
	return t.insert(`insert into spaces (id, name, generation, created_at) values ($1, $2, $3, $4)`,
		s.ID, s.Name, s.Generation, ms(s.CreatedAt))
}

func (t *Tx) BumpSpace(id as.SpaceID) error {
	return t.change(`update spaces set generation = generation + 1 where id = $1`, id)
}

const accountColumns = `id, email, email_verified, name, password_hash, disabled, generation, created_at`

func account() ([]any, func() (as.Account, error)) {
	var a as.Account
	return []any{&a.ID, &a.Email, &a.EmailVerified, &a.Name, &a.PasswordHash, &a.Disabled, &a.Generation, instant{&a.CreatedAt}},
		func() (as.Account, error) { return a, nil }
}

func (t *Tx) Account(id as.AccountID) (as.Account, error) {
	return one(t, account, `select `+accountColumns+` from accounts where id = $1`, id)
}

func (t *Tx) AccountByEmail(email string) (as.Account, error) {
	return one(t, account, `select `+accountColumns+` from accounts where email = $1`, email)
}

func (t *Tx) InsertAccount(a as.Account) error {
	return t.insert(`insert into accounts (`+accountColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		a.ID, a.Email, a.EmailVerified, a.Name, a.PasswordHash, a.Disabled, a.Generation, ms(a.CreatedAt))
}

func (t *Tx) UpdateAccount(a as.Account) error {
	return t.change(`update accounts set email = $2, email_verified = $3, name = $4, password_hash = $5, disabled = $6, generation = $7 where id = $1`,
		a.ID, a.Email, a.EmailVerified, a.Name, a.PasswordHash, a.Disabled, a.Generation)
}

func role() ([]any, func() (as.Role, error)) {
	var r as.Role
	return []any{&r.Account, &r.Space, &r.Kind, instant{&r.EndsAt}}, func() (as.Role, error) { return r, nil }
}

func (t *Tx) RolesOf(id as.AccountID) ([]as.Role, error) {
	return all(t, role, `select account_id, space_id, kind, ends_at from roles where account_id = $1 order by space_id`, id)
}

func (t *Tx) RolesIn(id as.SpaceID) ([]as.Role, error) {
	return all(t, role, `select account_id, space_id, kind, ends_at from roles where space_id = $1 order by account_id`, id)
}

func (t *Tx) PutRole(r as.Role) error {
	return t.exec(nil, `insert into roles (account_id, space_id, kind, ends_at) values ($1, $2, $3, $4)
		on conflict (account_id, space_id) do update set kind = excluded.kind, ends_at = excluded.ends_at`,
		r.Account, r.Space, r.Kind, ms(r.EndsAt))
}

func (t *Tx) DeleteRole(a as.AccountID, s as.SpaceID) error {
	return t.change(`delete from roles where account_id = $1 and space_id = $2`, a, s)
}

func (t *Tx) Session(d as.Digest) (as.Session, error) {
	return one(t, func() ([]any, func() (as.Session, error)) {
		var s as.Session
		return []any{&s.Digest, &s.Account, &s.AccountGeneration, instant{&s.AuthTime}, instant{&s.ExpiresAt}},
			func() (as.Session, error) { return s, nil }
	}, `select digest, account_id, account_generation, auth_time, expires_at from sessions where digest = $1`, []byte(d))
}

func (t *Tx) InsertSession(s as.Session) error {
	return t.insert(`insert into sessions (digest, account_id, account_generation, auth_time, expires_at) values ($1, $2, $3, $4, $5)`,
		[]byte(s.Digest), s.Account, s.AccountGeneration, ms(s.AuthTime), ms(s.ExpiresAt))
}

func (t *Tx) DeleteSession(d as.Digest) error {
	return t.change(`delete from sessions where digest = $1`, []byte(d))
}

const clientColumns = `id, name, auth_method, secret_hash, grant_types, redirect_uris, claims_redirect_uris, scopes, push_claims, space_id, disabled`

func client() ([]any, func() (oauth.Client, error)) {
	var c oauth.Client
	return []any{&c.ID, &c.Name, &c.AuthMethod, &c.SecretHash, document{&c.GrantTypes}, document{&c.RedirectURIs},
		document{&c.ClaimsRedirectURIs}, document{&c.Scopes}, &c.PushClaims, &c.Space, &c.Disabled}, func() (oauth.Client, error) { return c, nil }
}

func (t *Tx) Client(id oauth.ClientID) (oauth.Client, error) {
	return one(t, client, `select `+clientColumns+` from clients where id = $1`, id)
}

func (t *Tx) Clients(p as.Page) ([]oauth.Client, error) {
	return all(t, client, `select `+clientColumns+` from clients where id > $1 order by id limit $2`, p.After, p.Limit)
}

func (t *Tx) InsertClient(c oauth.Client) error {
	lists, err := texts(c.GrantTypes, c.RedirectURIs, c.ClaimsRedirectURIs, c.Scopes)
	if err != nil {
		return err
	}
	return t.insert(`insert into clients (`+clientColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		c.ID, c.Name, c.AuthMethod, c.SecretHash, lists[0], lists[1], lists[2], lists[3], c.PushClaims, c.Space, c.Disabled)
}

func (t *Tx) UpdateClient(c oauth.Client) error {
	lists, err := texts(c.GrantTypes, c.RedirectURIs, c.ClaimsRedirectURIs, c.Scopes)
	if err != nil {
		return err
	}
	return t.change(`update clients set name = $2, auth_method = $3, secret_hash = $4, grant_types = $5, redirect_uris = $6,
		claims_redirect_uris = $7, scopes = $8, push_claims = $9, space_id = $10, disabled = $11 where id = $1`,
		c.ID, c.Name, c.AuthMethod, c.SecretHash, lists[0], lists[1], lists[2], lists[3], c.PushClaims, c.Space, c.Disabled)
}

// DeleteClient removes a client with everything that would be its own again if
// somebody registered the same id.
func (t *Tx) DeleteClient(id oauth.ClientID) error {
	for _, query := range []string{
		`delete from tickets where process_id in (select id from processes where client_id = $1)`,
		`delete from processes where client_id = $1`,
		`delete from interactions where client_id = $1`,
		`delete from codes where client_id = $1`,
		`delete from pcts where client_id = $1`,
		`delete from access_tokens where grant_id in (select id from grants where client_id = $1)`,
		`delete from refresh_tokens where grant_id in (select id from grants where client_id = $1)`,
		`delete from grants where client_id = $1`,
	} {
		if err := t.exec(nil, query, id); err != nil {
			return err
		}
	}
	return t.change(`delete from clients where id = $1`, id)
}
