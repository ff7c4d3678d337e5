-- +goose Up

alter table shares add column link boolean not null default false;
alter table shares add column link_digest bytea;
create unique index shares_by_link on shares (link_digest) where link_digest is not null;

alter table past_shares add column link boolean not null default false;
alter table past_shares add column link_digest bytea;

-- +goose Down
alter table past_shares drop column link_digest;
alter table past_shares drop column link;
drop index shares_by_link;
alter table shares drop column link_digest;
alter table shares drop column link;
