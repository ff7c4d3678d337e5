-- +goose Up

-- Shares of some things are found by the things: by the space first, a planner that
-- knows how many shares a space has on average reads all those of a large one.
drop index shares_by_resource;
create index shares_by_resource on shares (resource_id, space_id, id);

-- +goose Down
drop index shares_by_resource;
create index shares_by_resource on shares (space_id, resource_id, id);
