-- +goose Up

-- What was used, in rows of a few minutes each. Ids begin with their time.
create table uses (
  id text primary key,
  space_id text not null,
  at bigint not null,
  resource_server text not null,
  resource_id text not null,
  share_id text not null,
  client_id text not null,
  subject text not null,
  scopes text not null,
  n bigint not null,
  last_at bigint not null
) /* clustered */;
create index uses_by_space on uses (space_id, id);
create index uses_by_resource on uses (space_id, resource_id, id);
create index uses_by_share on uses (space_id, share_id, id);
create index uses_by_client on uses (space_id, client_id, id);
create index uses_by_subject on uses (space_id, subject, id);
create index uses_by_end on uses (at);

create table grant_uses (
  grant_id text primary key,
  n bigint not null,
  last_at bigint not null
) /* clustered */;
create index grant_uses_by_end on grant_uses (last_at);

-- +goose Down
drop table grant_uses;
drop table uses;
