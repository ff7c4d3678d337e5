package rows

import (
	"math"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
)

const requestColumns = `id, space_id, resource_server, process_id, client_id, subject, claims, permissions, status, granted, shares, decided_by,
	created_at, decided_at, reason`

var insertRequest = insertInto("requests", requestColumns)

func intoRequest() ([]any, *as.Request) {
	r := new(as.Request)
	return []any{&r.ID, &r.Space, &r.ResourceServer, &r.Process, &r.Client, &r.Subject, &r.Claims, listInto(&r.Permissions), &r.Status,
		listInto(&r.Granted), listInto(&r.Shares), &r.DecidedBy, instant{&r.CreatedAt}, instant{&r.DecidedAt}, &r.Reason}, r
}

func (t *Tx) Request(space as.SpaceID, id as.RequestID) (as.Request, error) {
	return one(t, intoRequest, `select `+requestColumns+` from requests where id = $2 and `+ofSpace, space, id)
}

func (t *Tx) RequestsOf(space as.SpaceID, ids []as.RequestID) (out []as.Request, err error) {
	err = someOf(ascending(ids), []any{space}, func(list string, args []any) error {
		return more(t, &out, intoRequest, `select `+requestColumns+` from requests where id in (`+list+`) and `+ofSpace+` order by id`, args...)
	})
	return out, err
}

func (t *Tx) Requests(space as.SpaceID, status as.RequestStatus, p as.Page) ([]as.Request, error) {
	if status == "" {
		return all(t, intoRequest, `select `+requestColumns+` from requests where space_id = $1 and id > $2 order by id limit $3`, space, p.After, p.Limit)
	}
	return all(t, intoRequest, `select `+requestColumns+` from requests where space_id = $1 and status = $2 and id > $3 order by id limit $4`,
		space, status, p.After, p.Limit)
}

func (t *Tx) CountRequests(space as.SpaceID, status as.RequestStatus, most int) (int, error) {
	ids, err := all(t, single[as.RequestID], `select id from requests where space_id = $1 and status = $2 order by id limit $3`, space, status, most)
	return len(ids), err
}

func (t *Tx) PendingFrom(space as.SpaceID, client oauth.ClientID, subject string) ([]as.Request, error) {
	if client == "" {
		return all(t, intoRequest, `select `+requestColumns+` from requests
			where space_id = $1 and subject = $2 and status in ('pending', 'aside') order by id`, space, subject)
	}
	return all(t, intoRequest, `select `+requestColumns+` from requests
		where space_id = $1 and client_id = $2 and subject = $3 and status in ('pending', 'aside') order by id`, space, client, subject)
}

func (t *Tx) RequestsFrom(space as.SpaceID, subject string, limit int) ([]as.Request, error) {
	return all(t, intoRequest, `select `+requestColumns+` from requests where space_id = $1 and subject = $2 order by id desc limit $3`, space, subject, limit)
}

func (t *Tx) RequestsBy(subject string, limit int) ([]as.Request, error) {
	return all(t, intoRequest, `select `+requestColumns+` from requests where subject = $1 order by id desc limit $2`, subject, limit)
}

func (t *Tx) RequestBy(subject string, id as.RequestID) (as.Request, error) {
	return one(t, intoRequest, `select `+requestColumns+` from requests where subject = $1 and id = $2`, subject, id)
}

func (t *Tx) InsertRequest(r as.Request) error {
	return t.insert(insertRequest, r.ID, r.Space, r.ResourceServer, r.Process, r.Client, r.Subject, r.Claims, listOf(r.Permissions), r.Status,
		listOf(r.Granted), listOf(r.Shares), r.DecidedBy, ms(r.CreatedAt), ms(r.DecidedAt), r.Reason)
}

func (t *Tx) DecideRequest(r as.Request) error {
	return t.change(`update requests set status = $3, granted = $4, shares = $5, decided_by = $6, decided_at = $7
		where id = $2 and `+ofSpace+` and status in ('pending', 'aside')`,
		r.Space, r.ID, r.Status, listOf(r.Granted), listOf(r.Shares), r.DecidedBy, ms(r.DecidedAt))
}

const eventColumns = `space_id, seq, at, kind, actor, subject, detail, prev, hash`

var insertEvent = insertInto("events", eventColumns)

func intoEvent() ([]any, *as.Event) {
	e := new(as.Event)
	return []any{&e.Space, &e.Seq, instant{&e.At}, &e.Kind, &e.Actor, &e.Subject, &e.Detail, &e.Prev, &e.Hash}, e
}

func (t *Tx) HistoryHead(space as.SpaceID) (int64, []byte, error) {
	if t.spoiled != nil {
		return 0, nil, t.spoiled
	}
	if h, ok := t.heads.find(space); ok {
		return h.seq, h.hash, nil
	}
	into := func() ([]any, *as.Event) {
		e := new(as.Event)
		return []any{&e.Seq, &e.Hash}, e
	}
	e, err := one(t, into, `select seq, hash from events where space_id = $1 order by seq desc limit 1`, space)
	if err == nil {
		t.heads.put(space, head{e.Seq, e.Hash})
	}
	return e.Seq, e.Hash, err
}

func (t *Tx) Events(space as.SpaceID, after int64, limit int) ([]as.Event, error) {
	return all(t, intoEvent, `select `+eventColumns+` from events where space_id = $1 and seq > $2 order by seq limit $3`, space, after, limit)
}

func (t *Tx) EventsBefore(space as.SpaceID, before int64, limit int) ([]as.Event, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	return all(t, intoEvent, `select `+eventColumns+` from events where space_id = $1 and seq < $2 order by seq desc limit $3`, space, before, limit)
}

func (t *Tx) RoleEvents(space as.SpaceID, after int64, limit int) ([]as.Event, error) {
	return all(t, intoEvent, `select `+eventColumns+` from events
		where space_id = $1 and kind in ('role_granted', 'role_ended') and seq > $2 order by seq limit $3`, space, after, limit)
}

func (t *Tx) AppendEvent(e as.Event) error {
	err := t.insertRandom(insertEvent, e.Space, e.Seq, ms(e.At), e.Kind, e.Actor, e.Subject, e.Detail, e.Prev, e.Hash)
	if err == nil {
		t.heads.appended(e)
	}
	return err
}

const keyColumns = `id, sealed, created_at, active_from, expires_at`

var insertKey = insertInto("signing_keys", keyColumns)

func intoKey() ([]any, *as.SigningKey) {
	k := new(as.SigningKey)
	return []any{&k.ID, &k.Sealed, instant{&k.CreatedAt}, instant{&k.ActiveFrom}, instant{&k.ExpiresAt}}, k
}

func (t *Tx) SigningKeys() ([]as.SigningKey, error) {
	return all(t, intoKey, `select `+keyColumns+` from signing_keys order by active_from desc, id`)
}

func (t *Tx) InsertSigningKey(k as.SigningKey) error {
	return t.insert(insertKey, k.ID, k.Sealed, ms(k.CreatedAt), ms(k.ActiveFrom), ms(k.ExpiresAt))
}

func (t *Tx) UpdateSigningKey(k as.SigningKey) error {
	return t.change(`update signing_keys set sealed = $2, active_from = $3, expires_at = $4 where id = $1`, k.ID, k.Sealed, ms(k.ActiveFrom), ms(k.ExpiresAt))
}
