package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// OlderGrants are statements that write what schema 11 kept of grants: an OAuth grant,
// a UMA grant that is renewable, one that is not, and a process. Bytes are in the words of
// SQLite.
var OlderGrants = []string{
	`insert into spaces (id, name, generation, created_at) values ('s', '', 1, 1)`,
	`insert into shares (id, space_id, resource_server, resource_id, scopes, claims, anyone, client_id, not_before, not_after, purpose, terms, ask,
		version, generation, created_by, created_at, updated_at, dormant_since) values ('sh', 's', 'rs', 'r', '[]', 'null', true, '', 0, 0, '', '', false, 1, 4, '', 1, 1, 0)`,
	`insert into resources (id, space_id, resource_server, description, scopes, generation, created_at, updated_at) values ('r', 's', 'rs', '{}', '["view"]', 5, 1, 1)`,
	`insert into grants (id, kind, client_id, account_id, space_id, resource_server, subject, scopes, process_id, auth_time,
		space_generation, account_generation, created_at, revoked_at, successor, client_generation) values
		('pat', 'oauth', 'c', '', 's', '', '', '["uma_protection"]', '', 7, 1, 0, 8, 0, '', 1),
		('long', 'uma', 'c', '', 's', 'rs', 'y', 'null', 'p', 0, 1, 0, 8, 0, 'next', 1), ('short', 'uma', 'c', '', 's', 'rs', 'y', 'null', 'p', 0, 1, 0, 8, 9, '', 1)`,
	`insert into permissions (id, grant_id, resource_id, scopes, share_id, share_version, share_generation, resource_generation, created_at, not_after, group_id, member_id) values
		('2', 'long', 'r2', 'null', 'other', 1, 1, 1, 8, 0, '', ''), ('1', 'long', 'r', '["view","a b"]', 'sh', 3, 4, 5, 8, 9000, 'g', 'm'), ('1', 'short', 'r', '[]', 'sh', 3, 4, 5, 8, 0, '', '')`,
	`insert into access_tokens (digest, grant_id, scopes, bound_to, created_at, expires_at, revoked_at) values
		(x'6174', 'long', 'null', 'key', 8, 100, 0), (x'6173', 'short', '["view"]', '', 8, 300, 12), (x'6170', 'pat', 'null', '', 8, 200, 0)`,
	`insert into refresh_tokens (digest, grant_id, bound_to, created_at, expires_at, spent_at) values (x'7274', 'long', '', 8, 500, 0)`,
	`insert into processes (id, space_id, resource_server, client_id, permissions, requested, subject, claims, remember, request_id, grant_id,
		poll_interval, poll_after, created_at, expires_at, reason) values ('p', 's', 'rs', 'c', '[]', 'null', '', null, false, '', 'long', 0, 0, 8, 400, null)`,
}

// OlderGrantsAreThere checks that a store reads what OlderGrants wrote.
func OlderGrantsAreThere(t *testing.T, store as.Store) {
	t.Helper()
	s := &scene{T: t, store: store}
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	of := func(id as.GrantID) as.Grant {
		return must(s, func(r as.Reader) (as.Grant, error) {
			g, err := r.GrantState(id)
			return g.Grant, err
		})
	}
	long := as.Grant{
		ID: "long", Kind: as.GrantUMA, Client: "c", Space: "s", ResourceServer: "rs", Subject: "y", Process: "p", Renewable: true,
		SpaceGeneration: 1, CreatedAt: at(8), EndsAt: at(500), Successor: "next",
		Permissions: []as.Permission{
			{Resource: "r", Scopes: []uma.Scope{"view", "a b"}, Share: "sh", ShareVersion: 3, ShareGeneration: 4, ResourceGeneration: 5, CreatedAt: at(8), NotAfter: at(9000), Group: "g", Member: "m"},
			{Resource: "r2", Share: "other", ShareVersion: 1, ShareGeneration: 1, ResourceGeneration: 1, CreatedAt: at(8)},
		},
	}
	short := as.Grant{
		ID: "short", Kind: as.GrantUMA, Client: "c", Space: "s", ResourceServer: "rs", Subject: "y", Process: "p",
		SpaceGeneration: 1, CreatedAt: at(8), EndsAt: at(300), RevokedAt: at(9),
		Permissions: []as.Permission{{Resource: "r", Scopes: []uma.Scope{}, Share: "sh", ShareVersion: 3, ShareGeneration: 4, ResourceGeneration: 5, CreatedAt: at(8)}},
	}
	pat := as.Grant{
		ID: "pat", Kind: as.GrantOAuth, Client: "c", Space: "s", Scopes: []uma.Scope{"uma_protection"}, AuthTime: at(7),
		SpaceGeneration: 1, CreatedAt: at(8), EndsAt: at(200),
	}
	for _, want := range []as.Grant{long, short, pat} {
		same(s, "the grant "+string(want.ID), of(want.ID), want)
	}
	token := func(d string) as.AccessToken {
		return must(s, func(r as.Reader) (as.AccessToken, error) { return r.AccessToken(as.Digest(d)) })
	}
	same(s, "a token", token("at"), as.AccessToken{Digest: as.Digest("at"), Grant: "long", BoundTo: "key", CreatedAt: at(8), ExpiresAt: at(100)})
	same(s, "another", token("as"), as.AccessToken{Digest: as.Digest("as"), Grant: "short", Scopes: []uma.Scope{"view"}, CreatedAt: at(8), ExpiresAt: at(300), RevokedAt: at(12)})
	s.refused(as.ErrExists, "a grant with the id of an older process", func(tx as.Tx) error { return tx.InsertGrant(as.Grant{ID: "p"}) })
	var revoked int
	err := store.Update(context.Background(), func(tx as.Tx) (err error) {
		revoked, err = tx.RevokeGrantsOf("s", "c", []policy.ShareID{"sh"}, nil, at(50))
		return errors.Join(err, tx.RevokeAccessToken(as.Digest("at"), at(50)))
	})
	if err != nil || revoked != 1 || of("long").RevokedAt != at(50) || token("at").RevokedAt != at(50) {
		t.Errorf("%v, %d revoked, %v", err, revoked, of("long").RevokedAt)
	}
}
