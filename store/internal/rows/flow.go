package rows

import (
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
)

const processColumns = `id, space_id, resource_server, client_id, permissions, requested, subject, claims, remember, request_id, grant_id, poll_interval, poll_after, created_at, expires_at`

func process() ([]any, func() (as.Process, error)) {
	var p as.Process
	return []any{&p.ID, &p.Space, &p.ResourceServer, &p.Client, document{&p.Permissions}, document{&p.Requested}, &p.Subject, &p.Claims,
		&p.Remember, &p.Request, &p.Grant, &p.Interval, instant{&p.PollAfter}, instant{&p.CreatedAt}, instant{&p.ExpiresAt}}, func() (as.Process, error) { return p, nil }
}

func (t *Tx) Process(id as.ProcessID) (as.Process, error) {
	return one(t, process, `select `+processColumns+` from processes where id = $1`, id)
}

func (t *Tx) InsertProcess(p as.Process) error {
	lists, err := texts(p.Permissions, p.Requested)
	if err != nil {
		return err
	}
	return t.insert(`insert into processes (`+processColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		p.ID, p.Space, p.ResourceServer, p.Client, lists[0], lists[1], p.Subject, p.Claims, p.Remember, p.Request, p.Grant,
		p.Interval, ms(p.PollAfter), ms(p.CreatedAt), ms(p.ExpiresAt))
}

func (t *Tx) UpdateProcess(p as.Process) error {
	lists, err := texts(p.Permissions, p.Requested)
	if err != nil {
		return err
	}
	return t.change(`update processes set client_id = $2, permissions = $3, requested = $4, subject = $5, claims = $6, remember = $7, request_id = $8,
		grant_id = $9, poll_interval = $10, poll_after = $11, expires_at = $12 where id = $1`,
		p.ID, p.Client, lists[0], lists[1], p.Subject, p.Claims, p.Remember, p.Request, p.Grant, p.Interval, ms(p.PollAfter), ms(p.ExpiresAt))
}

func (t *Tx) BindProcess(id as.ProcessID, c oauth.ClientID) error {
	return t.change(`update processes set client_id = $2 where id = $1 and (client_id = '' or client_id = $2)`, id, c)
}

const ticketColumns = `digest, process_id, expires_at, spent_at`

func ticket() ([]any, func() (as.Ticket, error)) {
	var r as.Ticket
	return []any{&r.Digest, &r.Process, instant{&r.ExpiresAt}, instant{&r.SpentAt}}, func() (as.Ticket, error) { return r, nil }
}

func (t *Tx) Ticket(d as.Digest) (as.Ticket, error) {
	return one(t, ticket, `select `+ticketColumns+` from tickets where digest = $1`, []byte(d))
}

func (t *Tx) InsertTicket(r as.Ticket) error {
	return t.insert(`insert into tickets (`+ticketColumns+`) values ($1, $2, $3, $4)`, []byte(r.Digest), r.Process, ms(r.ExpiresAt), ms(r.SpentAt))
}

func (t *Tx) SpendTicket(d as.Digest, now time.Time) (as.Ticket, error) {
	r, err := one(t, ticket, `update tickets set spent_at = $2 where digest = $1 and spent_at = 0 and expires_at > $2 returning `+ticketColumns, []byte(d), ms(now))
	r.SpentAt = time.Time{}
	return r, err
}

const interactionColumns = `digest, process_id, client_id, redirect_uri, state, has_state, expires_at, done_at`

func interaction() ([]any, func() (as.Interaction, error)) {
	var i as.Interaction
	return []any{&i.Digest, &i.Process, &i.Client, &i.RedirectURI, &i.State, &i.HasState, instant{&i.ExpiresAt}, instant{&i.DoneAt}},
		func() (as.Interaction, error) { return i, nil }
}

func (t *Tx) Interaction(d as.Digest) (as.Interaction, error) {
	return one(t, interaction, `select `+interactionColumns+` from interactions where digest = $1`, []byte(d))
}

func (t *Tx) InsertInteraction(i as.Interaction) error {
	return t.insert(`insert into interactions (`+interactionColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		[]byte(i.Digest), i.Process, i.Client, i.RedirectURI, i.State, i.HasState, ms(i.ExpiresAt), ms(i.DoneAt))
}

func (t *Tx) FinishInteraction(d as.Digest, now time.Time) (as.Interaction, error) {
	i, err := one(t, interaction, `update interactions set done_at = $2 where digest = $1 and done_at = 0 and expires_at > $2 returning `+interactionColumns, []byte(d), ms(now))
	i.DoneAt = time.Time{}
	return i, err
}

const codeColumns = `digest, client_id, account_id, space_id, redirect_uri, scopes, nonce, code_challenge, auth_time, grant_id, expires_at, spent_at`

func code() ([]any, func() (as.Code, error)) {
	var c as.Code
	return []any{&c.Digest, &c.Client, &c.Account, &c.Space, &c.RedirectURI, document{&c.Scopes}, &c.Nonce, &c.CodeChallenge,
		instant{&c.AuthTime}, &c.Grant, instant{&c.ExpiresAt}, instant{&c.SpentAt}}, func() (as.Code, error) { return c, nil }
}

func (t *Tx) Code(d as.Digest) (as.Code, error) {
	return one(t, code, `select `+codeColumns+` from codes where digest = $1`, []byte(d))
}

func (t *Tx) InsertCode(c as.Code) error {
	list, err := text(c.Scopes)
	if err != nil {
		return err
	}
	return t.insert(`insert into codes (`+codeColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		[]byte(c.Digest), c.Client, c.Account, c.Space, c.RedirectURI, list, c.Nonce, c.CodeChallenge, ms(c.AuthTime), c.Grant, ms(c.ExpiresAt), ms(c.SpentAt))
}

func (t *Tx) SpendCode(d as.Digest, now time.Time) (as.Code, error) {
	c, err := one(t, code, `update codes set spent_at = $2 where digest = $1 and spent_at = 0 and expires_at > $2 returning `+codeColumns, []byte(d), ms(now))
	c.SpentAt = time.Time{}
	return c, err
}
