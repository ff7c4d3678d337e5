-- +goose Up

alter table roles add column granted_by text not null default '';
alter table roles add column created_at bigint not null default 0;

create table invitations (
  id text primary key,
  space_id text not null,
  email text not null,
  kind text not null,
  ends_at bigint not null,
  invited_by text not null,
  created_at bigint not null,
  expires_at bigint not null,
  taken_at bigint not null
);
create index invitations_by_space on invitations (space_id, id);
create index invitations_by_email on invitations (email, id);
create index invitations_by_end on invitations (expires_at);

-- +goose Down
drop table invitations;
alter table roles drop column created_at;
alter table roles drop column granted_by;
