package rows

import (
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

const resourceColumns = `id, space_id, resource_server, description, generation, created_at, updated_at`

func resource() ([]any, func() (as.Resource, error)) {
	var r as.Resource
	return []any{&r.ID, &r.Space, &r.ResourceServer, document{&r.Description}, &r.Generation, instant{&r.CreatedAt}, instant{&r.UpdatedAt}},
		func() (as.Resource, error) { return r, nil }
}

func (t *Tx) Resource(space as.SpaceID, server oauth.ClientID, id uma.ResourceID) (as.Resource, error) {
	return one(t, resource, `select `+resourceColumns+` from resources where space_id = $1 and resource_server = $2 and id = $3`, space, server, id)
}

func (t *Tx) ResourceInSpace(space as.SpaceID, id uma.ResourceID) (as.Resource, error) {
	return one(t, resource, `select `+resourceColumns+` from resources where space_id = $1 and id = $2`, space, id)
}

func (t *Tx) ResourceIDs(space as.SpaceID, server oauth.ClientID, p as.Page) ([]uma.ResourceID, error) {
	return all(t, func() ([]any, func() (uma.ResourceID, error)) {
		var id uma.ResourceID
		return []any{&id}, func() (uma.ResourceID, error) { return id, nil }
	}, `select id from resources where space_id = $1 and resource_server = $2 and id > $3 order by id limit $4`, space, server, p.After, p.Limit)
}

func (t *Tx) ResourcesInSpace(space as.SpaceID, p as.Page) ([]as.Resource, error) {
	return all(t, resource, `select `+resourceColumns+` from resources where space_id = $1 and id > $2 order by id limit $3`, space, p.After, p.Limit)
}

func (t *Tx) InsertResource(r as.Resource) error {
	description, err := text(r.Description)
	if err != nil {
		return err
	}
	return t.insert(`insert into resources (`+resourceColumns+`) values ($1, $2, $3, $4, $5, $6, $7)`,
		r.ID, r.Space, r.ResourceServer, description, r.Generation, ms(r.CreatedAt), ms(r.UpdatedAt))
}

func (t *Tx) UpdateResource(r as.Resource) error {
	description, err := text(r.Description)
	if err != nil {
		return err
	}
	return t.change(`update resources set description = $4, generation = $5, updated_at = $6 where space_id = $1 and resource_server = $2 and id = $3`,
		r.Space, r.ResourceServer, r.ID, description, r.Generation, ms(r.UpdatedAt))
}

func (t *Tx) DeleteResource(space as.SpaceID, server oauth.ClientID, id uma.ResourceID, now time.Time) error {
	if err := t.change(`delete from resources where space_id = $1 and resource_server = $2 and id = $3`, space, server, id); err != nil {
		return err
	}
	return t.exec(nil, `update shares set dormant_since = $3 where space_id = $1 and resource_id = $2 and dormant_since = 0`, space, id, ms(now))
}

const shareColumns = `id, space_id, resource_server, resource_id, wish, version, generation, created_by, created_at, updated_at, dormant_since`

// wish is the part of a share that no query looks at.
type wish struct {
	Scopes    []uma.Scope
	Claims    []policy.Claim
	Anyone    bool
	Client    string
	NotBefore time.Time
	NotAfter  time.Time
	Purpose   string
	Terms     string
	Ask       bool
}

func share() ([]any, func() (as.Share, error)) {
	var s as.Share
	var w wish
	return []any{&s.ID, &s.Space, &s.ResourceServer, &s.Resource, document{&w}, &s.Version, &s.Generation, &s.CreatedBy,
			instant{&s.CreatedAt}, instant{&s.UpdatedAt}, instant{&s.DormantSince}},
		func() (as.Share, error) {
			s.Scopes, s.Claims, s.Anyone, s.Client = w.Scopes, w.Claims, w.Anyone, w.Client
			s.NotBefore, s.NotAfter, s.Purpose, s.Terms, s.Ask = w.NotBefore, w.NotAfter, w.Purpose, w.Terms, w.Ask
			return s, nil
		}
}

func wishOf(s as.Share) (string, error) {
	return text(wish{s.Scopes, s.Claims, s.Anyone, s.Client, s.NotBefore, s.NotAfter, s.Purpose, s.Terms, s.Ask})
}

func (t *Tx) Share(space as.SpaceID, id policy.ShareID) (as.Share, error) {
	return one(t, share, `select `+shareColumns+` from shares where space_id = $1 and id = $2`, space, id)
}

func (t *Tx) SharesOn(space as.SpaceID, id uma.ResourceID) ([]as.Share, error) {
	return all(t, share, `select `+shareColumns+` from shares where space_id = $1 and resource_id = $2 and dormant_since = 0 order by id`, space, id)
}

func (t *Tx) Shares(space as.SpaceID, p as.Page) ([]as.Share, error) {
	return all(t, share, `select `+shareColumns+` from shares where space_id = $1 and id > $2 order by id limit $3`, space, p.After, p.Limit)
}

func (t *Tx) InsertShare(s as.Share) error {
	w, err := wishOf(s)
	if err != nil {
		return err
	}
	return t.insert(`insert into shares (`+shareColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		s.ID, s.Space, s.ResourceServer, s.Resource, w, s.Version, s.Generation, s.CreatedBy, ms(s.CreatedAt), ms(s.UpdatedAt), ms(s.DormantSince))
}

func (t *Tx) UpdateShare(s as.Share) error {
	w, err := wishOf(s)
	if err != nil {
		return err
	}
	return t.change(`update shares set resource_server = $3, resource_id = $4, wish = $5, version = $6, generation = $7, updated_at = $8, dormant_since = $9
		where space_id = $1 and id = $2 and version = $6 - 1`,
		s.Space, s.ID, s.ResourceServer, s.Resource, w, s.Version, s.Generation, ms(s.UpdatedAt), ms(s.DormantSince))
}

func (t *Tx) DeleteShare(space as.SpaceID, id policy.ShareID) error {
	return t.change(`delete from shares where space_id = $1 and id = $2`, space, id)
}

const requestColumns = `id, space_id, resource_server, process_id, client_id, subject, claims, permissions, status, granted, shares, decided_by, created_at, decided_at`

func request() ([]any, func() (as.Request, error)) {
	var r as.Request
	return []any{&r.ID, &r.Space, &r.ResourceServer, &r.Process, &r.Client, &r.Subject, &r.Claims, document{&r.Permissions}, &r.Status,
		document{&r.Granted}, document{&r.Shares}, &r.DecidedBy, instant{&r.CreatedAt}, instant{&r.DecidedAt}}, func() (as.Request, error) { return r, nil }
}

func (t *Tx) Request(space as.SpaceID, id as.RequestID) (as.Request, error) {
	return one(t, request, `select `+requestColumns+` from requests where space_id = $1 and id = $2`, space, id)
}

func (t *Tx) Requests(space as.SpaceID, status as.RequestStatus, p as.Page) ([]as.Request, error) {
	if status == "" {
		return all(t, request, `select `+requestColumns+` from requests where space_id = $1 and id > $2 order by id limit $3`, space, p.After, p.Limit)
	}
	return all(t, request, `select `+requestColumns+` from requests where space_id = $1 and status = $2 and id > $3 order by id limit $4`,
		space, status, p.After, p.Limit)
}

func (t *Tx) InsertRequest(r as.Request) error {
	lists, err := texts(r.Permissions, r.Granted, r.Shares)
	if err != nil {
		return err
	}
	return t.insert(`insert into requests (`+requestColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		r.ID, r.Space, r.ResourceServer, r.Process, r.Client, r.Subject, r.Claims, lists[0], r.Status, lists[1], lists[2],
		r.DecidedBy, ms(r.CreatedAt), ms(r.DecidedAt))
}

func (t *Tx) DecideRequest(r as.Request) error {
	lists, err := texts(r.Granted, r.Shares)
	if err != nil {
		return err
	}
	return t.change(`update requests set status = $3, granted = $4, shares = $5, decided_by = $6, decided_at = $7
		where space_id = $1 and id = $2 and status = 'pending'`,
		r.Space, r.ID, r.Status, lists[0], lists[1], r.DecidedBy, ms(r.DecidedAt))
}

const eventColumns = `space_id, seq, at, kind, actor, subject, detail, prev, hash`

func event() ([]any, func() (as.Event, error)) {
	var e as.Event
	return []any{&e.Space, &e.Seq, instant{&e.At}, &e.Kind, &e.Actor, &e.Subject, &e.Detail, &e.Prev, &e.Hash}, func() (as.Event, error) { return e, nil }
}

func (t *Tx) LastEvent(space as.SpaceID) (as.Event, error) {
	return one(t, event, `select `+eventColumns+` from events where space_id = $1 order by seq desc limit 1`, space)
}

func (t *Tx) Events(space as.SpaceID, after int64, limit int) ([]as.Event, error) {
	return all(t, event, `select `+eventColumns+` from events where space_id = $1 and seq > $2 order by seq limit $3`, space, after, limit)
}

func (t *Tx) AppendEvent(e as.Event) error {
	return t.insert(`insert into events (`+eventColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.Space, e.Seq, ms(e.At), e.Kind, e.Actor, e.Subject, e.Detail, e.Prev, e.Hash)
}

// registeredScopes reads the scopes out of a description.
func registeredScopes(description string) ([]uma.Scope, error) {
	var d uma.ResourceDescription
	err := document{&d}.Scan(description)
	return d.Scopes, err
}
