-- +goose Up

-- When a browser came in. What a provider says of when somebody proved who they are
-- (auth_time) may be long before, and may be unknown.
alter table sessions add column created_at bigint not null default 0;

-- +goose Down
alter table sessions drop column created_at;
