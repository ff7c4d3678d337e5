package rows

import (
	"time"

	"github.com/licet/licet/as"
)

const permissionColumns = `id, grant_id, resource_id, scopes, share_id, share_version, share_generation, resource_generation, created_at, not_after, group_id, member_id`

var insertPermission = insertInto("permissions", permissionColumns)

func intoPermissionState() ([]any, *as.PermissionState) {
	p := new(as.PermissionState)
	return []any{&p.ID, &p.Grant, &p.Resource, listInto(&p.Scopes), &p.Share, &p.ShareVersion, &p.ShareGeneration, &p.ResourceGeneration,
		instant{&p.CreatedAt}, instant{&p.NotAfter}, &p.Group, &p.Member,
		&p.ShareLive, &p.CurrentShareGeneration, &p.MemberLive, &p.ResourceLive, &p.CurrentResourceGeneration, listInto(&p.ResourceScopes)}, p
}

// PermissionsOf reads the permissions with what they depend on. A share and a
// member are only looked for in the grant's space, a resource only in its space and at its
// resource server.
func (t *Tx) PermissionsOf(id as.GrantID) ([]as.PermissionState, error) {
	return all(t, intoPermissionState, `select p.id, p.grant_id, p.resource_id, p.scopes, p.share_id, p.share_version, p.share_generation, p.resource_generation,
			p.created_at, p.not_after, p.group_id, p.member_id,
			s.id is not null, coalesce(s.generation, 0), p.group_id = '' or m.id is not null, r.id is not null, coalesce(r.generation, 0), coalesce(r.scopes, 'null')
		from permissions p
			join grants g on g.id = p.grant_id
			left join shares s on s.space_id = g.space_id and s.id = p.share_id and s.dormant_since = 0
			left join members m on m.space_id = g.space_id and m.group_id = p.group_id and m.id = p.member_id
			left join resources r on r.space_id = g.space_id and r.resource_server = g.resource_server and r.id = p.resource_id
		where p.grant_id = $1 order by p.id`, id)
}

func (t *Tx) InsertPermission(p as.Permission) error {
	return t.insertRandom(insertPermission, p.ID, p.Grant, p.Resource, listOf(p.Scopes), p.Share, p.ShareVersion, p.ShareGeneration, p.ResourceGeneration,
		ms(p.CreatedAt), ms(p.NotAfter), p.Group, p.Member)
}

const pctColumns = `digest, client_id, subject, claims, created_at, expires_at, spent_at`

var (
	insertPCT = insertUnder("pcts", pctColumns, underClient)
	spendPCT  = spendIn("pcts", "spent_at", pctColumns, underClient)
)

func intoPCT() ([]any, *as.PCT) {
	p := new(as.PCT)
	return []any{&p.Digest, &p.Client, &p.Subject, &p.Claims, instant{&p.CreatedAt}, instant{&p.ExpiresAt}, instant{&p.SpentAt}}, p
}

func (t *Tx) PCT(d as.Digest) (as.PCT, error) {
	return one(t, intoPCT, `select `+pctColumns+` from pcts where digest = $1 and `+underClient.holds(), []byte(d))
}

func (t *Tx) InsertPCT(p as.PCT) error {
	return t.insertRandom(insertPCT, []byte(p.Digest), p.Client, p.Subject, p.Claims, ms(p.CreatedAt), ms(p.ExpiresAt), ms(p.SpentAt))
}

func (t *Tx) SpendPCT(d as.Digest, now time.Time) (as.PCT, error) {
	p, err := spend(t, intoPCT, spendPCT, d, now)
	p.SpentAt = time.Time{}
	return p, err
}
