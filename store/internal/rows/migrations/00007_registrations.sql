-- +goose Up

create table registrations (
  digest bytea primary key,
  client_id text not null unique,
  scopes text not null,
  statement text not null,
  created_at bigint not null
);

-- +goose Down
drop table registrations;
