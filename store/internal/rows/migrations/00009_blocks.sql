-- +goose Up

create table blocks (
  id text primary key,
  space_id text not null,
  subject text not null,
  client_id text not null,
  claims bytea,
  request_id text not null,
  created_by text not null,
  created_at bigint not null
);
create unique index blocks_by_party on blocks (space_id, subject, client_id);
create index blocks_by_space on blocks (space_id, id);

-- +goose Down
drop table blocks;
