-- +goose Up

-- Column types are those that SQLite and PostgreSQL share: bytea, text,
-- bigint, boolean. Times are milliseconds since 1970, 0 for none. Lists and
-- documents are JSON texts. A clustered table is kept in the order of its primary
-- key where the engine can do that; its rows are short.

create table spaces (
  id text primary key,
  name text not null,
  generation bigint not null,
  created_at bigint not null
);

create table accounts (
  id text primary key,
  email text not null unique,
  email_verified boolean not null,
  name text not null,
  password_hash text not null,
  disabled boolean not null,
  generation bigint not null,
  created_at bigint not null
);

create table roles (
  account_id text not null references accounts (id),
  space_id text not null references spaces (id),
  kind text not null,
  ends_at bigint not null,
  primary key (account_id, space_id)
);
create index roles_by_space on roles (space_id);

create table sessions (
  digest bytea primary key,
  id text not null unique,
  account_id text not null,
  account_generation bigint not null,
  auth_time bigint not null,
  expires_at bigint not null,
  revocations bigint not null
) /* clustered */;
create index sessions_by_end on sessions (expires_at);
create index sessions_by_account on sessions (account_id);

create table participants (
  session_id text not null,
  client_id text not null,
  primary key (session_id, client_id)
) /* clustered */;
create index participants_by_client on participants (client_id);

create table revocations (
  id bigint primary key,
  generation bigint not null
);
insert into revocations (id, generation) values (1, 0);

create table clients (
  id text primary key,
  name text not null,
  auth_method text not null,
  secret_hash bytea,
  jwks bytea,
  jwks_uri text not null,
  grant_types text not null,
  redirect_uris text not null,
  claims_redirect_uris text not null,
  post_logout_redirect_uris text not null,
  backchannel_logout_uri text not null,
  backchannel_logout_session_required boolean not null,
  scopes text not null,
  certificate text not null,
  certificate_bound boolean not null,
  dpop_bound boolean not null,
  signed_rpts boolean not null,
  require_pushed boolean not null,
  require_ticket_binding boolean not null,
  push_claims boolean not null,
  space_id text not null,
  disabled boolean not null,
  generation bigint not null default 1
);

create table resources (
  id text primary key,
  space_id text not null,
  resource_server text not null,
  description text not null,
  scopes text not null,
  generation bigint not null,
  created_at bigint not null,
  updated_at bigint not null
);
create index resources_by_owner on resources (space_id, resource_server, id);
create index resources_by_space on resources (space_id, id);

create table shares (
  id text primary key,
  space_id text not null,
  resource_server text not null,
  resource_id text not null,
  scopes text not null,
  claims text not null,
  anyone boolean not null,
  client_id text not null,
  not_before bigint not null,
  not_after bigint not null,
  purpose text not null,
  terms text not null,
  ask boolean not null,
  version bigint not null,
  generation bigint not null,
  created_by text not null,
  created_at bigint not null,
  updated_at bigint not null,
  dormant_since bigint not null
);
create index shares_by_resource on shares (space_id, resource_id, id);
create index shares_by_space on shares (space_id, id);
create index shares_by_dormancy on shares (dormant_since) where dormant_since > 0;

create table processes (
  id text primary key,
  space_id text not null,
  resource_server text not null,
  client_id text not null,
  permissions text not null,
  requested text not null,
  subject text not null,
  claims bytea,
  remember boolean not null,
  request_id text not null,
  grant_id text not null,
  poll_interval bigint not null,
  poll_after bigint not null,
  created_at bigint not null,
  expires_at bigint not null
) /* clustered */;
create index processes_by_end on processes (expires_at);

create table tickets (
  digest bytea primary key,
  process_id text not null,
  code_challenge text not null,
  expires_at bigint not null,
  spent_at bigint not null
) /* clustered */;
create index tickets_by_end on tickets (expires_at);

create table pushed_requests (
  digest bytea primary key,
  client_id text not null,
  parameters bytea,
  expires_at bigint not null,
  spent_at bigint not null
) /* clustered */;
create index pushed_requests_by_end on pushed_requests (expires_at);

create table spent (
  digest bytea primary key,
  expires_at bigint not null
) /* clustered */;
create index spent_by_end on spent (expires_at);

create table counts (
  digest bytea primary key,
  n bigint not null,
  expires_at bigint not null
) /* clustered */;
create index counts_by_end on counts (expires_at);

create table interactions (
  digest bytea primary key,
  process_id text not null,
  client_id text not null,
  redirect_uri text not null,
  state text not null,
  has_state boolean not null,
  code_challenge text not null,
  expires_at bigint not null,
  done_at bigint not null
) /* clustered */;
create index interactions_by_end on interactions (expires_at);

create table codes (
  digest bytea primary key,
  client_id text not null,
  account_id text not null,
  space_id text not null,
  redirect_uri text not null,
  scopes text not null,
  nonce text not null,
  code_challenge text not null,
  bound_to text not null,
  auth_time bigint not null,
  session_id text not null,
  grant_id text not null,
  expires_at bigint not null,
  spent_at bigint not null,
  client_generation bigint not null,
  account_generation bigint not null
) /* clustered */;
create index codes_by_end on codes (expires_at);

create table grants (
  id text primary key,
  kind text not null,
  client_id text not null,
  account_id text not null,
  space_id text not null,
  resource_server text not null,
  subject text not null,
  scopes text not null,
  process_id text not null,
  auth_time bigint not null,
  space_generation bigint not null,
  account_generation bigint not null,
  created_at bigint not null,
  revoked_at bigint not null,
  successor text not null,
  client_generation bigint not null
) /* clustered */;
create index grants_by_space on grants (space_id, id) where kind = 'oauth';

create table access_tokens (
  digest bytea primary key,
  grant_id text not null,
  scopes text not null,
  bound_to text not null,
  created_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint not null
) /* clustered */;
create index access_tokens_by_grant on access_tokens (grant_id, expires_at);
create index access_tokens_by_end on access_tokens (expires_at, digest);

create table refresh_tokens (
  digest bytea primary key,
  grant_id text not null,
  bound_to text not null,
  created_at bigint not null,
  expires_at bigint not null,
  spent_at bigint not null
) /* clustered */;
create index refresh_tokens_by_grant on refresh_tokens (grant_id, expires_at);
create index refresh_tokens_by_end on refresh_tokens (expires_at, digest);

create table permissions (
  id text not null,
  grant_id text not null,
  resource_id text not null,
  scopes text not null,
  share_id text not null,
  share_version bigint not null,
  share_generation bigint not null,
  resource_generation bigint not null,
  created_at bigint not null,
  not_after bigint not null,
  primary key (grant_id, id)
) /* clustered */;

create table pcts (
  digest bytea primary key,
  client_id text not null,
  subject text not null,
  claims bytea,
  created_at bigint not null,
  expires_at bigint not null,
  spent_at bigint not null,
  client_generation bigint not null
) /* clustered */;
create index pcts_by_end on pcts (expires_at);

create table requests (
  id text primary key,
  space_id text not null,
  resource_server text not null,
  process_id text not null,
  client_id text not null,
  subject text not null,
  claims bytea,
  permissions text not null,
  status text not null,
  granted text not null,
  shares text not null,
  decided_by text not null,
  created_at bigint not null,
  decided_at bigint not null
);
create index requests_by_space on requests (space_id, id);
create index requests_by_status on requests (space_id, status, id);
create index requests_by_party on requests (space_id, client_id, subject, status, id);

create table events (
  space_id text not null,
  seq bigint not null,
  at bigint not null,
  kind text not null,
  actor text not null,
  subject text not null,
  detail text not null,
  prev bytea,
  hash bytea not null,
  primary key (space_id, seq)
) /* clustered */;

create table signing_keys (
  id text primary key,
  sealed bytea not null,
  created_at bigint not null,
  active_from bigint not null,
  expires_at bigint not null
);

create table outbox (
  id text primary key,
  kind text not null,
  recipient text not null,
  body bytea,
  due_at bigint not null,
  attempts bigint not null,
  expires_at bigint not null
);
create index outbox_by_due on outbox (due_at, id);
create index outbox_by_end on outbox (expires_at);
create index outbox_by_recipient on outbox (recipient);

create table imported (
  name text primary key,
  row_count bigint not null,
  chain bytea,
  created_at bigint not null
);

-- What transactions changed, for the other nodes of a database that several share.
create table changes (
  transaction_id bigint primary key,
  told_at bigint not null,
  what text not null
);
create index changes_by_time on changes (told_at);

-- +goose Down
drop table changes;
drop table imported;
drop table outbox;
drop table signing_keys;
drop table events;
drop table requests;
drop table pcts;
drop table permissions;
drop table refresh_tokens;
drop table access_tokens;
drop table grants;
drop table codes;
drop table interactions;
drop table counts;
drop table spent;
drop table pushed_requests;
drop table tickets;
drop table processes;
drop table shares;
drop table resources;
drop table clients;
drop table revocations;
drop table participants;
drop table sessions;
drop table roles;
drop table accounts;
drop table spaces;
