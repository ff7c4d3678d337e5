-- +goose Up

create table registrations (
  digest bytea primary key,
  client_id text not null unique,
  scopes text not null,
  statement text not null,
  created_at bigint not null
);

alter table clients add column resource_indicators text not null default 'null';

-- +goose Down
alter table clients drop column resource_indicators;
drop table registrations;
