-- +goose Up

-- What shares and resources were: each version is kept as it was when it ended.
-- Rows that were written before this know no maker of their version but the
-- first's, and no name to be found by until they are written again.

alter table shares add column known_as text not null default '';
alter table shares add column updated_by text not null default '';

create table past_shares (
  id text not null,
  space_id text not null,
  resource_server text not null,
  resource_id text not null,
  scopes text not null,
  claims text not null,
  anyone boolean not null,
  client_id text not null,
  not_before bigint not null,
  not_after bigint not null,
  purpose text not null,
  terms text not null,
  ask boolean not null,
  version bigint not null,
  generation bigint not null,
  created_by text not null,
  created_at bigint not null,
  updated_at bigint not null,
  dormant_since bigint not null,
  known_as text not null,
  updated_by text not null,
  ended_at bigint not null,
  ended text not null,
  ended_by text not null,
  ended_event bigint not null,
  primary key (space_id, id, version)
);
create index past_shares_by_event on past_shares (space_id, ended_event, id, version);
create index past_shares_by_resource on past_shares (space_id, resource_id, id, version);

alter table resources add column sort_name text not null default '';
create index resources_by_name on resources (space_id, sort_name, id);

create table past_resources (
  id text not null,
  space_id text not null,
  resource_server text not null,
  description text not null,
  generation bigint not null,
  created_at bigint not null,
  updated_at bigint not null,
  until_at bigint not null,
  primary key (space_id, id, until_at)
);
create index past_resources_by_end on past_resources (space_id, until_at, id);

create index permissions_by_share on permissions (share_id);

create index requests_by_subject on requests (space_id, subject, id);

-- +goose Down
drop index requests_by_subject;
drop index permissions_by_share;
drop table past_resources;
drop index resources_by_name;
alter table resources drop column sort_name;
drop table past_shares;
alter table shares drop column updated_by;
alter table shares drop column known_as;
