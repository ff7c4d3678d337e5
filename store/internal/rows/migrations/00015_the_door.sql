-- +goose Up

-- When a browser came in. What a provider says of when somebody proved who they are
-- (auth_time) may be long before, and may be unknown.
alter table sessions add column created_at bigint not null default 0;

-- Whom shares name, for the lists of those who are named. The column addressee, which
-- said it of one person, is left empty.
create table addressees (
  who text not null,
  space_id text not null,
  share_id text not null references shares (id) on delete cascade,
  primary key (who, space_id, share_id)
) /* clustered */;
create index addressees_of_share on addressees (share_id);
create index members_in_spaces on members (email, space_id, id);
drop index members_with_email;

-- +goose Down
create index members_with_email on members (email, id);
drop index members_in_spaces;
drop table addressees;
alter table sessions drop column created_at;
