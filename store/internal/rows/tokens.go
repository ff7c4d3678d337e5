package rows

import (
	"errors"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
)

const grantColumns = `id, kind, client_id, account_id, space_id, resource_server, subject, scopes, process_id, auth_time,
	space_generation, account_generation, created_at, revoked_at, successor, permissions, renewable, ends_at`

// The columns of a grant's first access token; there is none where it has no digest.
const tokenColumns = `token, token_scopes, token_bound_to, token_created_at, token_ends_at, token_revoked_at`

var (
	insertGrant   = insertUnder("grants", grantColumns+", "+tokenColumns, underClient)
	reserveGrant  = insertInto("grants", "id, kind, ends_at")
	insertByShare = insertInto("grants_by_share", "share_id, grant_id")
)

// reserved is the kind of what is no grant but the id of a process.
const reserved = "process"

func placesOfGrant(g *as.Grant) []any {
	return []any{&g.ID, &g.Kind, &g.Client, &g.Account, &g.Space, &g.ResourceServer, &g.Subject, listInto(&g.Scopes), &g.Process,
		instant{&g.AuthTime}, &g.SpaceGeneration, &g.AccountGeneration, instant{&g.CreatedAt}, instant{&g.RevokedAt}, &g.Successor,
		permissions{&g.Permissions}, &g.Renewable, instant{&g.EndsAt}}
}

func intoGrant() ([]any, *as.Grant) {
	g := new(as.Grant)
	return placesOfGrant(g), g
}

func intoGrantState() ([]any, *as.GrantState) {
	g := new(as.GrantState)
	return append(placesOfGrant(&g.Grant), &g.ClientDisabled, &g.AccountDisabled, &g.CurrentSpaceGeneration, &g.CurrentAccountGeneration), g
}

// GrantState reads the grant with what it depends on. A client that has moved on,
// and a client or an account that is gone, counts as disabled, a space that is gone has generation 0.
func (t *Tx) GrantState(id as.GrantID) (as.GrantState, error) {
	return one(t, intoGrantState, `select g.id, g.kind, g.client_id, g.account_id, g.space_id, g.resource_server, g.subject, g.scopes, g.process_id,
			g.auth_time, g.space_generation, g.account_generation, g.created_at, g.revoked_at, g.successor, g.permissions, g.renewable, g.ends_at,
			coalesce(c.disabled or c.generation + `+ofAll+` <> g.client_generation, true), coalesce(a.disabled, true), coalesce(s.generation, 0), coalesce(a.generation, 0)
		from grants g
			left join clients c on c.id = g.client_id
			left join accounts a on a.id = g.account_id
			left join spaces s on s.id = g.space_id
		where g.id = $1 and g.kind <> '`+reserved+`'`, id)
}

func (t *Tx) GrantsIn(space as.SpaceID, p as.Page) ([]as.Grant, error) {
	return all(t, intoGrant, `select `+grantColumns+` from grants where space_id = $1 and kind = 'oauth' and id > $2 and revoked_at = 0
		and space_generation >= coalesce((select generation from spaces where id = $1), 0) order by id limit $3`,
		space, p.After, p.Limit)
}

func (t *Tx) InsertGrant(g as.Grant) error { return t.Issue(g, as.AccessToken{}) }

func (t *Tx) Issue(g as.Grant, a as.AccessToken) error {
	err := t.insertRandom(insertGrant, g.ID, g.Kind, g.Client, g.Account, g.Space, g.ResourceServer, g.Subject, listOf(g.Scopes), g.Process, ms(g.AuthTime),
		g.SpaceGeneration, g.AccountGeneration, ms(g.CreatedAt), ms(g.RevokedAt), g.Successor, permissions{&g.Permissions}, g.Renewable, ms(g.EndsAt),
		[]byte(a.Digest), listOf(a.Scopes), a.BoundTo, ms(a.CreatedAt), ms(a.ExpiresAt), ms(a.RevokedAt))
	if err != nil || !g.Renewable {
		return err
	}
	found := map[policy.ShareID]bool{}
	for _, p := range g.Permissions {
		if found[p.Share] {
			continue
		}
		found[p.Share] = true
		if err := t.insertRandom(insertByShare, p.Share, g.ID); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) KeepGrant(id as.GrantID, until time.Time) error {
	return t.change(`update grants set ends_at = case when ends_at < $2 then $2 else ends_at end where id = $1`, id, ms(until))
}

func (t *Tx) RevokeGrant(id as.GrantID, now time.Time) error {
	return t.changed(t.change(`update grants set revoked_at = case when revoked_at = 0 then $2 else revoked_at end where id = $1`, id, ms(now)), as.ChangedGrant(id))
}

func (t *Tx) SupersedeGrant(old, successor as.GrantID, now time.Time) error {
	if err := t.RevokeGrant(old, now); err != nil {
		return err
	}
	return t.change(`update grants set successor = $2 where id = $1`, old, successor)
}

func (t *Tx) InsertSpent(d as.Digest, until time.Time) error {
	return t.insert(`insert into spent (digest, expires_at) values ($1, $2)`+UnlessThere, []byte(d), ms(until))
}

const pushedColumns = `digest, client_id, parameters, expires_at, spent_at`

var (
	insertPushed = insertInto("pushed_requests", pushedColumns)
	spendPushed  = spendIn("pushed_requests", "spent_at", pushedColumns)
)

func intoPushed() ([]any, *as.PushedRequest) {
	r := new(as.PushedRequest)
	return []any{&r.Digest, &r.Client, &r.Parameters, instant{&r.ExpiresAt}, instant{&r.SpentAt}}, r
}

func (t *Tx) PushedRequest(d as.Digest) (as.PushedRequest, error) {
	return one(t, intoPushed, `select `+pushedColumns+` from pushed_requests where digest = $1`, []byte(d))
}

func (t *Tx) InsertPushedRequest(r as.PushedRequest) error {
	return t.insert(insertPushed, []byte(r.Digest), r.Client, r.Parameters, ms(r.ExpiresAt), ms(r.SpentAt))
}

func (t *Tx) SpendPushedRequest(d as.Digest, now time.Time) (as.PushedRequest, error) {
	r, err := spend(t, intoPushed, spendPushed, d, now)
	r.SpentAt = time.Time{}
	return r, err
}

const accessColumns = `digest, grant_id, scopes, bound_to, created_at, expires_at, revoked_at`

var insertAccess = insertInto("access_tokens", accessColumns)

func intoAccess() ([]any, *as.AccessToken) {
	a := new(as.AccessToken)
	return []any{&a.Digest, &a.Grant, listInto(&a.Scopes), &a.BoundTo, instant{&a.CreatedAt}, instant{&a.ExpiresAt}, instant{&a.RevokedAt}}, a
}

func (t *Tx) AccessToken(d as.Digest) (as.AccessToken, error) {
	return one(t, intoAccess, `select token, id, token_scopes, token_bound_to, token_created_at, token_ends_at, token_revoked_at from grants where token = $1
		union all select `+accessColumns+` from access_tokens where digest = $1`, []byte(d))
}

func (t *Tx) InsertAccessToken(a as.AccessToken) error {
	return t.insertRandom(insertAccess, []byte(a.Digest), a.Grant, listOf(a.Scopes), a.BoundTo, ms(a.CreatedAt), ms(a.ExpiresAt), ms(a.RevokedAt))
}

func (t *Tx) RevokeAccessToken(d as.Digest, now time.Time) error {
	err := t.change(`update grants set token_revoked_at = case when token_revoked_at = 0 then $2 else token_revoked_at end where token = $1`, []byte(d), ms(now))
	if errors.Is(err, as.ErrNotFound) {
		err = t.change(`update access_tokens set revoked_at = case when revoked_at = 0 then $2 else revoked_at end where digest = $1`, []byte(d), ms(now))
	}
	return t.changed(err, as.ChangedToken(d))
}

const refreshColumns = `digest, grant_id, bound_to, created_at, expires_at, spent_at`

var (
	insertRefresh = insertInto("refresh_tokens", refreshColumns)
	spendRefresh  = spendIn("refresh_tokens", "spent_at", refreshColumns)
)

func intoRefresh() ([]any, *as.RefreshToken) {
	r := new(as.RefreshToken)
	return []any{&r.Digest, &r.Grant, &r.BoundTo, instant{&r.CreatedAt}, instant{&r.ExpiresAt}, instant{&r.SpentAt}}, r
}

func (t *Tx) RefreshToken(d as.Digest) (as.RefreshToken, error) {
	return one(t, intoRefresh, `select `+refreshColumns+` from refresh_tokens where digest = $1`, []byte(d))
}

func (t *Tx) InsertRefreshToken(r as.RefreshToken) error {
	return t.insertRandom(insertRefresh, []byte(r.Digest), r.Grant, r.BoundTo, ms(r.CreatedAt), ms(r.ExpiresAt), ms(r.SpentAt))
}

func (t *Tx) SpendRefreshToken(d as.Digest, now time.Time) (as.RefreshToken, error) {
	r, err := spend(t, intoRefresh, spendRefresh, d, now)
	r.SpentAt = time.Time{}
	return r, err
}
