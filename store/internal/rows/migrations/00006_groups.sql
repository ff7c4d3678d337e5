-- +goose Up

create table groups (
  id text primary key,
  space_id text not null,
  name text not null,
  created_at bigint not null
);
create index groups_by_space on groups (space_id, id);

create table members (
  id text primary key,
  space_id text not null,
  group_id text not null,
  email text not null,
  created_at bigint not null
);
create unique index members_by_email on members (group_id, email);
create index members_by_group on members (group_id, id);

alter table shares add column group_id text not null default '';
create index shares_by_group on shares (space_id, group_id, id) where group_id <> '';

alter table past_shares add column group_id text not null default '';

alter table permissions add column group_id text not null default '';
alter table permissions add column member_id text not null default '';

-- +goose Down
alter table permissions drop column member_id;
alter table permissions drop column group_id;
alter table past_shares drop column group_id;
drop index shares_by_group;
alter table shares drop column group_id;
drop table members;
drop table groups;
