-- +goose Up

-- Who had a role on a day of the past is told from what the history says of roles.
create index events_of_roles on events (space_id, seq) where kind in ('role_granted', 'role_ended');

-- +goose Down
drop index events_of_roles;
