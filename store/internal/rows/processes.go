package rows

import (
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
)

const processColumns = `id, space_id, resource_server, client_id, permissions, requested, subject, claims, remember, request_id, grant_id,
	poll_interval, poll_after, created_at, expires_at, reason`

var insertProcess = insertInto("processes", processColumns)

func intoProcess() ([]any, *as.Process) {
	p := new(as.Process)
	return []any{&p.ID, &p.Space, &p.ResourceServer, &p.Client, listInto(&p.Permissions), listInto(&p.Requested), &p.Subject, &p.Claims,
		&p.Remember, &p.Request, &p.Grant, &p.Interval, instant{&p.PollAfter}, instant{&p.CreatedAt}, instant{&p.ExpiresAt}, &p.Reason}, p
}

func (t *Tx) Process(id as.ProcessID) (as.Process, error) {
	return one(t, intoProcess, `select `+processColumns+` from processes where id = $1`, id)
}

// InsertProcess also takes the id among the grants: of two that begin with one ticket,
// be it as a process or as a grant, one finds it taken.
func (t *Tx) InsertProcess(p as.Process) error {
	if err := t.insertRandom(reserveGrant, p.ID, reserved, ms(p.ExpiresAt)); err != nil {
		return err
	}
	return t.insertRandom(insertProcess, p.ID, p.Space, p.ResourceServer, p.Client, listOf(p.Permissions), listOf(p.Requested), p.Subject, p.Claims,
		p.Remember, p.Request, p.Grant, p.Interval, ms(p.PollAfter), ms(p.CreatedAt), ms(p.ExpiresAt), p.Reason)
}

func (t *Tx) UpdateProcess(p as.Process) error {
	return t.change(`update processes set client_id = $2, permissions = $3, requested = $4, subject = $5, claims = $6, remember = $7,
		request_id = $8, grant_id = $9, poll_interval = $10, poll_after = $11, expires_at = $12, reason = $13 where id = $1`,
		p.ID, p.Client, listOf(p.Permissions), listOf(p.Requested), p.Subject, p.Claims, p.Remember,
		p.Request, p.Grant, p.Interval, ms(p.PollAfter), ms(p.ExpiresAt), p.Reason)
}

func (t *Tx) BindProcess(id as.ProcessID, c oauth.ClientID) error {
	return t.change(`update processes set client_id = $2 where id = $1 and (client_id = '' or client_id = $2)`, id, c)
}

const ticketColumns = `digest, process_id, code_challenge, expires_at, spent_at`

var (
	insertTicket = insertInto("tickets", ticketColumns)
	spendTicket  = spendIn("tickets", "spent_at", ticketColumns)
)

func intoTicket() ([]any, *as.Ticket) {
	r := new(as.Ticket)
	return []any{&r.Digest, &r.Process, &r.CodeChallenge, instant{&r.ExpiresAt}, instant{&r.SpentAt}}, r
}

func (t *Tx) Ticket(d as.Digest) (as.Ticket, error) {
	return one(t, intoTicket, `select `+ticketColumns+` from tickets where digest = $1`, []byte(d))
}

func (t *Tx) InsertTicket(r as.Ticket) error {
	return t.insertRandom(insertTicket, []byte(r.Digest), r.Process, r.CodeChallenge, ms(r.ExpiresAt), ms(r.SpentAt))
}

func (t *Tx) SpendTicket(d as.Digest, now time.Time) (as.Ticket, error) {
	r, err := spend(t, intoTicket, spendTicket, d, now)
	r.SpentAt = time.Time{}
	return r, err
}

const interactionColumns = `digest, process_id, client_id, redirect_uri, state, has_state, code_challenge, expires_at, done_at`

var (
	insertInteraction = insertInto("interactions", interactionColumns)
	finishInteraction = spendIn("interactions", "done_at", interactionColumns)
)

func intoInteraction() ([]any, *as.Interaction) {
	i := new(as.Interaction)
	return []any{&i.Digest, &i.Process, &i.Client, &i.RedirectURI, &i.State, &i.HasState, &i.CodeChallenge, instant{&i.ExpiresAt}, instant{&i.DoneAt}}, i
}

func (t *Tx) Interaction(d as.Digest) (as.Interaction, error) {
	return one(t, intoInteraction, `select `+interactionColumns+` from interactions where digest = $1`, []byte(d))
}

func (t *Tx) InsertInteraction(i as.Interaction) error {
	return t.insert(insertInteraction, []byte(i.Digest), i.Process, i.Client, i.RedirectURI, i.State, i.HasState, i.CodeChallenge, ms(i.ExpiresAt), ms(i.DoneAt))
}

func (t *Tx) FinishInteraction(d as.Digest, now time.Time) (as.Interaction, error) {
	i, err := spend(t, intoInteraction, finishInteraction, d, now)
	i.DoneAt = time.Time{}
	return i, err
}

const codeColumns = `digest, client_id, account_id, space_id, redirect_uri, scopes, nonce, code_challenge, bound_to, auth_time, session_id, grant_id, expires_at, spent_at`

var (
	insertCode = insertUnder("codes", codeColumns, underClient, underAccount)
	spendCode  = spendIn("codes", "spent_at", codeColumns, underClient, underAccount)
)

func intoCode() ([]any, *as.Code) {
	c := new(as.Code)
	return []any{&c.Digest, &c.Client, &c.Account, &c.Space, &c.RedirectURI, listInto(&c.Scopes), &c.Nonce, &c.CodeChallenge, &c.BoundTo,
		instant{&c.AuthTime}, &c.Session, &c.Grant, instant{&c.ExpiresAt}, instant{&c.SpentAt}}, c
}

func (t *Tx) Code(d as.Digest) (as.Code, error) {
	return one(t, intoCode, `select `+codeColumns+` from codes where digest = $1`, []byte(d))
}

func (t *Tx) InsertCode(c as.Code) error {
	return t.insert(insertCode, []byte(c.Digest), c.Client, c.Account, c.Space, c.RedirectURI, listOf(c.Scopes), c.Nonce, c.CodeChallenge, c.BoundTo,
		ms(c.AuthTime), c.Session, c.Grant, ms(c.ExpiresAt), ms(c.SpentAt))
}

func (t *Tx) SpendCode(d as.Digest, now time.Time) (as.Code, error) {
	c, err := spend(t, intoCode, spendCode, d, now)
	c.SpentAt = time.Time{}
	return c, err
}
