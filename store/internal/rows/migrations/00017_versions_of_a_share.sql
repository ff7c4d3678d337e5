-- +goose Up

-- What shares were is found by the shares: by the space first, a planner that takes the
-- space for a small one goes through all that has ended there.
create index past_shares_by_id on past_shares (id);

-- +goose Down
drop index past_shares_by_id;
