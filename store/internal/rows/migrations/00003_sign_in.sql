-- +goose Up

alter table sessions add column method text not null default '';
alter table sessions add column agent text not null default '';

create table passkeys (
  id bytea primary key,
  account_id text not null,
  name text not null,
  public_key bytea,
  sign_count bigint not null,
  backup_eligible boolean not null,
  backed_up boolean not null,
  transports text not null,
  created_at bigint not null,
  used_at bigint not null
);
create index passkeys_by_account on passkeys (account_id, created_at, id);

create table identities (
  issuer text not null,
  subject text not null,
  account_id text not null,
  email text not null,
  created_at bigint not null,
  primary key (issuer, subject)
);
create index identities_by_account on identities (account_id, created_at, issuer, subject);

create table mail_codes (
  digest bytea primary key,
  code bytea,
  email text not null,
  tries bigint not null,
  expires_at bigint not null,
  spent_at bigint not null
) /* clustered */;
create index mail_codes_by_end on mail_codes (expires_at);

-- +goose Down
drop table mail_codes;
drop table identities;
drop table passkeys;
alter table sessions drop column agent;
alter table sessions drop column method;
