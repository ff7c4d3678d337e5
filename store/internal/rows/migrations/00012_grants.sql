-- +goose Up

-- An event is a long row, and is written where its space's are: in the order of its
-- key nearly every one would split a page. Where tables are kept in the order of
-- their keys, this one is kept in the order of time, and the short key finds its rows.
-- clustered: create table events_by_time (
-- clustered:   space_id text not null,
-- clustered:   seq bigint not null,
-- clustered:   at bigint not null,
-- clustered:   kind text not null,
-- clustered:   actor text not null,
-- clustered:   subject text not null,
-- clustered:   detail text not null,
-- clustered:   prev bytea,
-- clustered:   hash bytea not null,
-- clustered:   primary key (space_id, seq)
-- clustered: );
-- clustered: insert into events_by_time (space_id, seq, at, kind, actor, subject, detail, prev, hash)
-- clustered:   select space_id, seq, at, kind, actor, subject, detail, prev, hash from events order by at, space_id, seq;
-- clustered: drop table events;
-- clustered: alter table events_by_time rename to events;


-- What is written and read together is one row: a grant with its permissions and its
-- first access token. There is no way down.
create table wide_grants (
  id text primary key,
  kind text not null,
  client_id text not null default '',
  account_id text not null default '',
  space_id text not null default '',
  resource_server text not null default '',
  subject text not null default '',
  scopes text not null default 'null',
  process_id text not null default '',
  auth_time bigint not null default 0,
  space_generation bigint not null default 0,
  account_generation bigint not null default 0,
  created_at bigint not null default 0,
  revoked_at bigint not null default 0,
  successor text not null default '',
  permissions text not null default 'null',
  renewable boolean not null default false,
  ends_at bigint not null,
  client_generation bigint not null default 0,
  token bytea,
  token_scopes text not null default 'null',
  token_bound_to text not null default '',
  token_created_at bigint not null default 0,
  token_ends_at bigint not null default 0,
  token_revoked_at bigint not null default 0
);
insert into wide_grants (id, kind, client_id, account_id, space_id, resource_server, subject, scopes, process_id, auth_time,
    space_generation, account_generation, created_at, revoked_at, successor, client_generation, permissions, renewable, ends_at)
  select g.id, g.kind, g.client_id, g.account_id, g.space_id, g.resource_server, g.subject, g.scopes, g.process_id, g.auth_time,
    g.space_generation, g.account_generation, g.created_at, g.revoked_at, g.successor, g.client_generation,
    coalesce((select cast(json_group_array(json_array(p.resource_id, json(p.scopes), p.share_id, p.share_version, p.share_generation,
      p.resource_generation, p.created_at, p.not_after, p.group_id, p.member_id) order by p.id) as text)
      from permissions p where p.grant_id = g.id having count(*) > 0), 'null'),
    g.kind = 'uma' and exists (select 1 from refresh_tokens r where r.grant_id = g.id),
    coalesce((select max(e.at) from (select a.expires_at as at from access_tokens a where a.grant_id = g.id
      union all select r.expires_at as at from refresh_tokens r where r.grant_id = g.id) e), 0)
  from grants g order by g.id;
-- A ticket that has led to something is spent for as long as its process is known.
insert into wide_grants (id, kind, ends_at) select p.id, 'process', p.expires_at from processes p order by p.id;
drop table grants;
alter table wide_grants rename to grants;
create index grants_by_space on grants (space_id, id) where kind = 'oauth';
create unique index grants_by_token on grants (token) where token is not null;
create index grants_by_end on grants (ends_at) where ends_at > 0;

-- Grants that are not renewable end soon, and are found by the history of their space.
create table grants_by_share (
  share_id text not null,
  grant_id text not null,
  primary key (share_id, grant_id)
) /* clustered */;
insert into grants_by_share (share_id, grant_id)
  select distinct p.share_id, p.grant_id from permissions p join grants g on g.id = p.grant_id where g.renewable;
create index grants_by_share_by_grant on grants_by_share (grant_id);
drop table permissions;
