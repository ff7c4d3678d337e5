package rows

import (
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
)

const clientColumns = `id, name, auth_method, secret_hash, jwks,
	grant_types, redirect_uris, claims_redirect_uris, scopes,
	post_logout_redirect_uris, backchannel_logout_uri, backchannel_logout_session_required,
	certificate, certificate_bound, dpop_bound, signed_rpts, require_pushed, push_claims,
	require_ticket_binding, jwks_uri, resource_indicators,
	space_id, disabled`

var (
	insertClient = insertInto("clients", clientColumns)
	updateClient = updateIn("clients", clientColumns)
)

func intoClient() ([]any, *oauth.Client) {
	c := new(oauth.Client)
	return []any{
		&c.ID, &c.Name, &c.AuthMethod, &c.SecretHash, &c.JWKS,
		listInto(&c.GrantTypes), listInto(&c.RedirectURIs), listInto(&c.ClaimsRedirectURIs), listInto(&c.Scopes),
		listInto(&c.PostLogoutRedirectURIs), &c.BackchannelLogoutURI, &c.BackchannelLogoutSessionRequired,
		&c.Certificate, &c.CertificateBound, &c.DPoPBound, &c.SignedRPTs, &c.RequirePushed, &c.PushClaims,
		&c.RequireTicketBinding, &c.JWKSURI, listInto(&c.ResourceIndicators),
		&c.Space, &c.Disabled,
	}, c
}

func valuesOfClient(c oauth.Client) []any {
	return []any{
		c.ID, c.Name, c.AuthMethod, c.SecretHash, c.JWKS,
		listOf(c.GrantTypes), listOf(c.RedirectURIs), listOf(c.ClaimsRedirectURIs), listOf(c.Scopes),
		listOf(c.PostLogoutRedirectURIs), c.BackchannelLogoutURI, c.BackchannelLogoutSessionRequired,
		c.Certificate, c.CertificateBound, c.DPoPBound, c.SignedRPTs, c.RequirePushed, c.PushClaims,
		c.RequireTicketBinding, c.JWKSURI, listOf(c.ResourceIndicators),
		c.Space, c.Disabled,
	}
}

func (t *Tx) Client(id oauth.ClientID) (oauth.Client, error) {
	return one(t, intoClient, `select `+clientColumns+` from clients where id = $1`, id)
}

func (t *Tx) Clients(p as.Page) ([]oauth.Client, error) {
	return all(t, intoClient, `select `+clientColumns+` from clients where id > $1 order by id limit $2`, p.After, p.Limit)
}

func (t *Tx) InsertClient(c oauth.Client) error {
	return t.insert(insertClient, valuesOfClient(c)...)
}

func (t *Tx) UpdateClient(c oauth.Client) error {
	return t.changed(t.change(updateClient, valuesOfClient(c)...), as.ChangedClient(c.ID))
}

// belongings delete what a client of the same id would otherwise inherit: what
// was made for it, and what it would be shown as a resource server.
var belongings = []string{
	`delete from grants_by_share where grant_id in (select id from grants where client_id = $1 or resource_server = $1)`,
	`delete from access_tokens where grant_id in (select id from grants where client_id = $1 or resource_server = $1)`,
	`delete from refresh_tokens where grant_id in (select id from grants where client_id = $1 or resource_server = $1)`,
	`delete from grants where client_id = $1 or resource_server = $1`,
	`delete from codes where client_id = $1`,
	`delete from pushed_requests where client_id = $1`,
	`delete from participants where client_id = $1`,
	`delete from outbox where kind = '` + string(as.MessageLogout) + `' and recipient = $1`,
	`delete from pcts where client_id = $1`,
	`delete from interactions where client_id = $1`,
	`delete from tickets where process_id in (select id from processes where client_id = $1 or resource_server = $1)`,
	`delete from processes where client_id = $1 or resource_server = $1`,
	`delete from registrations where client_id = $1`,
	`delete from resources where resource_server = $1`,
}

func (t *Tx) DeleteClient(id oauth.ClientID, now time.Time) error {
	if err := t.change(`delete from clients where id = $1`, id); err != nil {
		return err
	}
	for _, query := range belongings {
		if _, err := t.count(query, id); err != nil {
			return err
		}
	}
	_, err := t.count(`update shares set dormant_since = $2 where resource_server = $1 and dormant_since = 0`, id, ms(now))
	return t.changed(err, as.ChangedClient(id))
}

func (t *Tx) RevokeClient(id oauth.ClientID) error {
	return t.changed(t.change(`update clients set generation = generation + 1 where id = $1`, id), as.ChangedClient(id))
}

func (t *Tx) RevokeAll() error {
	return t.changed(t.change(`update revocations set generation = generation + 1 where id = 1`), as.ChangedEverything)
}

const registrationColumns = `digest, client_id, scopes, statement, created_at`

var insertRegistration = insertInto("registrations", registrationColumns)

func intoRegistration() ([]any, *as.RegistrationRecord) {
	r := new(as.RegistrationRecord)
	return []any{&r.Digest, &r.Client, listInto(&r.Scopes), &r.Statement, instant{&r.CreatedAt}}, r
}

func (t *Tx) RegistrationRecord(d as.Digest) (as.RegistrationRecord, error) {
	return one(t, intoRegistration, `select `+registrationColumns+` from registrations where digest = $1`, []byte(d))
}

func (t *Tx) InsertRegistration(r as.RegistrationRecord) error {
	return t.insert(insertRegistration, []byte(r.Digest), r.Client, listOf(r.Scopes), r.Statement, ms(r.CreatedAt))
}

func (t *Tx) UpdateRegistration(r as.RegistrationRecord) error {
	return t.change(`update registrations set statement = $2 where digest = $1`, []byte(r.Digest), r.Statement)
}

func (t *Tx) SpacesWith(id oauth.ClientID) ([]as.SpaceID, error) {
	return all(t, single[as.SpaceID], `select space_id from grants where client_id = $1 and kind = 'oauth' and revoked_at = 0 and space_id <> ''
		union select space_id from resources where resource_server = $1`, id)
}
