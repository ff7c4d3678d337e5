package rows

import (
	"time"

	"github.com/licet/licet/as"
)

const grantColumns = `id, kind, client_id, account_id, space_id, resource_server, subject, scopes, process_id, auth_time, space_generation, account_generation, created_at, revoked_at`

func grantPlaces(g *as.Grant) []any {
	return []any{&g.ID, &g.Kind, &g.Client, &g.Account, &g.Space, &g.ResourceServer, &g.Subject, document{&g.Scopes}, &g.Process,
		instant{&g.AuthTime}, &g.SpaceGeneration, &g.AccountGeneration, instant{&g.CreatedAt}, instant{&g.RevokedAt}}
}

// GrantState reads the grant with what it depends on. A client or an account
// that is gone counts as disabled, a space that is gone has generation 0.
func (t *Tx) GrantState(id as.GrantID) (as.GrantState, error) {
	return one(t, func() ([]any, func() (as.GrantState, error)) {
		var g as.GrantState
		return append(grantPlaces(&g.Grant), &g.ClientDisabled, &g.AccountDisabled, &g.CurrentSpaceGeneration, &g.CurrentAccountGeneration),
			func() (as.GrantState, error) { return g, nil }
	}, `select g.id, g.kind, g.client_id, g.account_id, g.space_id, g.resource_server, g.subject, g.scopes, g.process_id, g.auth_time,
			g.space_generation, g.account_generation, g.created_at, g.revoked_at,
			coalesce(c.disabled, true), coalesce(a.disabled, true), coalesce(s.generation, 0), coalesce(a.generation, 0)
		from grants g
			left join clients c on c.id = g.client_id
			left join accounts a on a.id = g.account_id
			left join spaces s on s.id = g.space_id
		where g.id = $1`, id)
}

func (t *Tx) GrantsIn(space as.SpaceID, p as.Page) ([]as.Grant, error) {
	return all(t, func() ([]any, func() (as.Grant, error)) {
		var g as.Grant
		return grantPlaces(&g), func() (as.Grant, error) { return g, nil }
	}, `select `+grantColumns+` from grants where space_id = $1 and kind = 'oauth' and id > $2 and revoked_at = 0 order by id limit $3`, space, p.After, p.Limit)
}

func (t *Tx) InsertGrant(g as.Grant) error {
	list, err := text(g.Scopes)
	if err != nil {
		return err
	}
	return t.insert(`insert into grants (`+grantColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		g.ID, g.Kind, g.Client, g.Account, g.Space, g.ResourceServer, g.Subject, list, g.Process, ms(g.AuthTime),
		g.SpaceGeneration, g.AccountGeneration, ms(g.CreatedAt), ms(g.RevokedAt))
}

func (t *Tx) RevokeGrant(id as.GrantID, now time.Time) error {
	return t.change(`update grants set revoked_at = case when revoked_at = 0 then $2 else revoked_at end where id = $1`, id, ms(now))
}

const accessColumns = `digest, grant_id, scopes, created_at, expires_at, revoked_at`

func (t *Tx) AccessToken(d as.Digest) (as.AccessToken, error) {
	return one(t, func() ([]any, func() (as.AccessToken, error)) {
		var a as.AccessToken
		return []any{&a.Digest, &a.Grant, document{&a.Scopes}, instant{&a.CreatedAt}, instant{&a.ExpiresAt}, instant{&a.RevokedAt}},
			func() (as.AccessToken, error) { return a, nil }
	}, `select `+accessColumns+` from access_tokens where digest = $1`, []byte(d))
}

func (t *Tx) InsertAccessToken(a as.AccessToken) error {
	list, err := text(a.Scopes)
	if err != nil {
		return err
	}
	return t.insert(`insert into access_tokens (`+accessColumns+`) values ($1, $2, $3, $4, $5, $6)`,
		[]byte(a.Digest), a.Grant, list, ms(a.CreatedAt), ms(a.ExpiresAt), ms(a.RevokedAt))
}

func (t *Tx) RevokeAccessToken(d as.Digest, now time.Time) error {
	return t.change(`update access_tokens set revoked_at = case when revoked_at = 0 then $2 else revoked_at end where digest = $1`, []byte(d), ms(now))
}

const refreshColumns = `digest, grant_id, created_at, expires_at, spent_at`

func refresh() ([]any, func() (as.RefreshToken, error)) {
	var r as.RefreshToken
	return []any{&r.Digest, &r.Grant, instant{&r.CreatedAt}, instant{&r.ExpiresAt}, instant{&r.SpentAt}}, func() (as.RefreshToken, error) { return r, nil }
}

func (t *Tx) RefreshToken(d as.Digest) (as.RefreshToken, error) {
	return one(t, refresh, `select `+refreshColumns+` from refresh_tokens where digest = $1`, []byte(d))
}

func (t *Tx) InsertRefreshToken(r as.RefreshToken) error {
	return t.insert(`insert into refresh_tokens (`+refreshColumns+`) values ($1, $2, $3, $4, $5)`,
		[]byte(r.Digest), r.Grant, ms(r.CreatedAt), ms(r.ExpiresAt), ms(r.SpentAt))
}

func (t *Tx) SpendRefreshToken(d as.Digest, now time.Time) (as.RefreshToken, error) {
	r, err := one(t, refresh, `update refresh_tokens set spent_at = $2 where digest = $1 and spent_at = 0 and expires_at > $2 returning `+refreshColumns, []byte(d), ms(now))
	r.SpentAt = time.Time{}
	return r, err
}

// PermissionsOf reads the permissions with what they depend on.
func (t *Tx) PermissionsOf(id as.GrantID) ([]as.PermissionState, error) {
	return all(t, func() ([]any, func() (as.PermissionState, error)) {
		var p as.PermissionState
		var description string
		return []any{&p.ID, &p.Space, &p.ResourceServer, &p.Resource, document{&p.Scopes}, &p.Client, &p.Subject, &p.Process,
				&p.Share, &p.ShareVersion, &p.ShareGeneration, &p.ResourceGeneration, &p.SpaceGeneration, instant{&p.CreatedAt}, instant{&p.NotAfter},
				&p.ShareLive, &p.CurrentShareGeneration, &p.ResourceLive, &p.CurrentResourceGeneration, &description},
			func() (as.PermissionState, error) {
				if !p.ResourceLive {
					return p, nil
				}
				var err error
				p.ResourceScopes, err = registeredScopes(description)
				return p, err
			}
	}, `select p.id, p.space_id, p.resource_server, p.resource_id, p.scopes, p.client_id, p.subject, p.process_id,
			p.share_id, p.share_version, p.share_generation, p.resource_generation, p.space_generation, p.created_at, p.not_after,
			s.id is not null, coalesce(s.generation, 0), r.id is not null, coalesce(r.generation, 0), coalesce(r.description, '')
		from grant_permissions g
			join permissions p on p.id = g.permission_id
			left join shares s on s.space_id = p.space_id and s.id = p.share_id and s.dormant_since = 0
			left join resources r on r.space_id = p.space_id and r.resource_server = p.resource_server and r.id = p.resource_id
		where g.grant_id = $1 order by g.position`, id)
}

func (t *Tx) InsertPermission(p as.Permission) error {
	list, err := text(p.Scopes)
	if err != nil {
		return err
	}
	return t.insert(`insert into permissions (id, space_id, resource_server, resource_id, scopes, client_id, subject, process_id,
			share_id, share_version, share_generation, resource_generation, space_generation, created_at, not_after)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		p.ID, p.Space, p.ResourceServer, p.Resource, list, p.Client, p.Subject, p.Process,
		p.Share, p.ShareVersion, p.ShareGeneration, p.ResourceGeneration, p.SpaceGeneration, ms(p.CreatedAt), ms(p.NotAfter))
}

func (t *Tx) LinkPermission(g as.GrantID, p as.PermissionID) error {
	return t.insert(`insert into grant_permissions (grant_id, position, permission_id)
		select $1, coalesce(max(position), 0) + 1, $2 from grant_permissions where grant_id = $1`, g, p)
}

const pctColumns = `digest, client_id, subject, claims, created_at, expires_at, spent_at`

func pct() ([]any, func() (as.PCT, error)) {
	var p as.PCT
	return []any{&p.Digest, &p.Client, &p.Subject, &p.Claims, instant{&p.CreatedAt}, instant{&p.ExpiresAt}, instant{&p.SpentAt}},
		func() (as.PCT, error) { return p, nil }
}

func (t *Tx) PCT(d as.Digest) (as.PCT, error) {
	return one(t, pct, `select `+pctColumns+` from pcts where digest = $1`, []byte(d))
}

func (t *Tx) InsertPCT(p as.PCT) error {
	return t.insert(`insert into pcts (`+pctColumns+`) values ($1, $2, $3, $4, $5, $6, $7)`,
		[]byte(p.Digest), p.Client, p.Subject, p.Claims, ms(p.CreatedAt), ms(p.ExpiresAt), ms(p.SpentAt))
}

func (t *Tx) SpendPCT(d as.Digest, now time.Time) (as.PCT, error) {
	p, err := one(t, pct, `update pcts set spent_at = $2 where digest = $1 and spent_at = 0 and expires_at > $2 returning `+pctColumns, []byte(d), ms(now))
	p.SpentAt = time.Time{}
	return p, err
}

const keyColumns = `id, sealed, created_at, active_from, expires_at`

func (t *Tx) SigningKeys() ([]as.SigningKey, error) {
	return all(t, func() ([]any, func() (as.SigningKey, error)) {
		var k as.SigningKey
		return []any{&k.ID, &k.Sealed, instant{&k.CreatedAt}, instant{&k.ActiveFrom}, instant{&k.ExpiresAt}}, func() (as.SigningKey, error) { return k, nil }
	}, `select `+keyColumns+` from signing_keys order by active_from desc, id`)
}

func (t *Tx) InsertSigningKey(k as.SigningKey) error {
	return t.insert(`insert into signing_keys (`+keyColumns+`) values ($1, $2, $3, $4, $5)`, k.ID, k.Sealed, ms(k.CreatedAt), ms(k.ActiveFrom), ms(k.ExpiresAt))
}

func (t *Tx) UpdateSigningKey(k as.SigningKey) error {
	return t.change(`update signing_keys set sealed = $2, active_from = $3, expires_at = $4 where id = $1`, k.ID, k.Sealed, ms(k.ActiveFrom), ms(k.ExpiresAt))
}
