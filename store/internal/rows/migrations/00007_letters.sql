-- +goose Up

-- How an account wants to be written to, and in which language.
alter table accounts add column letters text not null default '';
alter table accounts add column language text not null default '';

-- +goose Down
alter table accounts drop column language;
alter table accounts drop column letters;
