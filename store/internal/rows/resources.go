package rows

import (
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The columns scopes and sort_name repeat what the description says, for
// introspection and for lists: a description may be long.
const (
	resourceColumns       = `id, space_id, resource_server, description, generation, created_at, updated_at`
	insertResourceColumns = resourceColumns + `, scopes, sort_name`
)

var insertResource = insertInto("resources", insertResourceColumns)

func intoResource() ([]any, *as.Resource) {
	r := new(as.Resource)
	return placesOfResource(r), r
}

func placesOfResource(r *as.Resource) []any {
	return []any{&r.ID, &r.Space, &r.ResourceServer, description{&r.Description}, &r.Generation, instant{&r.CreatedAt}, instant{&r.UpdatedAt}}
}

func (t *Tx) Resource(space as.SpaceID, server oauth.ClientID, id uma.ResourceID) (as.Resource, error) {
	if seeded.OwnerCheckMissing {
		return one(t, intoResource, `select `+resourceColumns+` from resources where resource_server = $1 and id = $2`, server, id)
	}
	if seeded.PATLeaksBetweenResourceServers {
		return t.ResourceInSpace(space, id)
	}
	return one(t, intoResource, `select `+resourceColumns+` from resources where space_id = $1 and resource_server = $2 and id = $3`, space, server, id)
}

func (t *Tx) ResourceInSpace(space as.SpaceID, id uma.ResourceID) (as.Resource, error) {
	return one(t, intoResource, `select `+resourceColumns+` from resources where space_id = $1 and id = $2`, space, id)
}

func (t *Tx) ResourceIDs(space as.SpaceID, server oauth.ClientID, p as.Page) ([]uma.ResourceID, error) {
	return all(t, single[uma.ResourceID], `select id from resources where space_id = $1 and resource_server = $2 and id > $3 order by id limit $4`, space, server, p.After, p.Limit)
}

func (t *Tx) ResourcesInSpace(space as.SpaceID, p as.Page) ([]as.Resource, error) {
	return all(t, intoResource, `select `+resourceColumns+` from resources where space_id = $1 and id > $2 order by id limit $3`, space, p.After, p.Limit)
}

func (t *Tx) InsertResource(r as.Resource) error {
	return t.insertRandom(insertResource, r.ID, r.Space, r.ResourceServer, description{&r.Description}, r.Generation, ms(r.CreatedAt), ms(r.UpdatedAt),
		listOf(r.Description.Scopes), as.SortName(r.Description.Name))
}

func (t *Tx) UpdateResource(r as.Resource) error {
	return t.changed(t.change(`update resources set description = $4, scopes = $5, generation = $6, updated_at = $7, sort_name = $8
		where space_id = $1 and resource_server = $2 and id = $3`,
		r.Space, r.ResourceServer, r.ID, description{&r.Description}, listOf(r.Description.Scopes), r.Generation, ms(r.UpdatedAt), as.SortName(r.Description.Name)), as.ChangedResource(r.ID))
}

func (t *Tx) BumpResources(space as.SpaceID, server oauth.ClientID) error {
	_, err := t.count(`update resources set generation = generation + 1 where space_id = $1 and resource_server = $2`, space, server)
	return t.changed(err, as.ChangedServer(space, server))
}

func (t *Tx) DeleteResource(space as.SpaceID, server oauth.ClientID, id uma.ResourceID, now time.Time) error {
	if err := t.change(`delete from resources where space_id = $1 and resource_server = $2 and id = $3`, space, server, id); err != nil {
		return err
	}
	_, err := t.count(`update shares set dormant_since = $3 where space_id = $1 and resource_id = $2 and dormant_since = 0`, space, id, ms(now))
	return t.changed(err, as.ChangedResource(id))
}

const shareColumns = `id, space_id, resource_server, resource_id, scopes, claims, group_id, link, link_digest, anyone, client_id, not_before, not_after, purpose, terms, ask,
	version, generation, known_as, created_by, created_at, updated_by, updated_at, dormant_since`

var insertShare = insertInto("shares", shareColumns+`, addressee`)

func intoShare() ([]any, *as.Share) {
	s := new(as.Share)
	return placesOfShare(s), s
}

func placesOfShare(s *as.Share) []any {
	return []any{&s.ID, &s.Space, &s.ResourceServer, &s.Resource, listInto(&s.Scopes), listInto(&s.Claims), &s.Group, &s.Link, &s.LinkDigest, &s.Anyone, &s.Client,
		instant{&s.NotBefore}, instant{&s.NotAfter}, &s.Purpose, &s.Terms, &s.Ask,
		&s.Version, &s.Generation, &s.KnownAs, &s.CreatedBy, instant{&s.CreatedAt}, &s.UpdatedBy, instant{&s.UpdatedAt}, instant{&s.DormantSince}}
}

func (t *Tx) Share(space as.SpaceID, id policy.ShareID) (as.Share, error) {
	return one(t, intoShare, `select `+shareColumns+` from shares where space_id = $1 and id = $2`, space, id)
}

func (t *Tx) ShareByLink(d as.Digest) (as.Share, error) {
	return one(t, intoShare, `select `+shareColumns+` from shares where link_digest = $1 and link_digest is not null`, []byte(d))
}

func (t *Tx) SharesOn(space as.SpaceID, id uma.ResourceID) ([]as.Share, error) {
	return all(t, intoShare, `select `+shareColumns+` from shares where space_id = $1 and resource_id = $2 and dormant_since = 0 order by id`, space, id)
}

func (t *Tx) Shares(space as.SpaceID, p as.Page) ([]as.Share, error) {
	return all(t, intoShare, `select `+shareColumns+` from shares where space_id = $1 and id > $2 order by id limit $3`, space, p.After, p.Limit)
}

func (t *Tx) InsertShare(s as.Share) error {
	if err := t.insertRandom(insertShare, s.ID, s.Space, s.ResourceServer, s.Resource, listOf(s.Scopes), listOf(s.Claims), s.Group, s.Link, []byte(s.LinkDigest), s.Anyone, s.Client,
		ms(s.NotBefore), ms(s.NotAfter), s.Purpose, s.Terms, s.Ask,
		s.Version, s.Generation, s.KnownAs, s.CreatedBy, ms(s.CreatedAt), s.UpdatedBy, ms(s.UpdatedAt), ms(s.DormantSince), ""); err != nil {
		return err
	}
	return t.changed(t.address(s), as.ChangedResource(s.Resource))
}

func (t *Tx) UpdateShare(s as.Share) error {
	if err := t.change(`update shares set resource_server = $3, resource_id = $4, scopes = $5, claims = $6, anyone = $7, client_id = $8,
		not_before = $9, not_after = $10, purpose = $11, terms = $12, ask = $13, version = $14, generation = $15, updated_at = $16, dormant_since = $17,
		known_as = $18, updated_by = $19, group_id = $20, link = $21, addressee = ''
		where space_id = $1 and id = $2 and version + 1 = $14`,
		s.Space, s.ID, s.ResourceServer, s.Resource, listOf(s.Scopes), listOf(s.Claims), s.Anyone, s.Client,
		ms(s.NotBefore), ms(s.NotAfter), s.Purpose, s.Terms, s.Ask, s.Version, s.Generation, ms(s.UpdatedAt), ms(s.DormantSince),
		s.KnownAs, s.UpdatedBy, s.Group, s.Link); err != nil {
		return err
	}
	return t.changed(t.readdress(s), as.ChangedShare(s.ID), as.ChangedResource(s.Resource))
}

func (t *Tx) DeleteShare(space as.SpaceID, id policy.ShareID) error {
	return t.changed(t.change(`delete from shares where space_id = $1 and id = $2`, space, id), as.ChangedShare(id))
}
