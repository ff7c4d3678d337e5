-- +goose Up

-- Why somebody asks, sealed.
alter table processes add column reason bytea;
alter table requests add column reason bytea;
create index requests_from on requests (subject, id);

-- The one whom a share names: an address, or the subject of an issuer; '*' where it
-- names several, and '' where it names no person. Rows that were written before this,
-- or are by an older version, have none, and are looked through by their text.
alter table shares add column addressee text;
create index shares_by_addressee on shares (addressee, id);
create index members_with_email on members (email, id);

-- +goose Down
drop index members_with_email;
drop index shares_by_addressee;
alter table shares drop column addressee;
drop index requests_from;
alter table requests drop column reason;
alter table processes drop column reason;
