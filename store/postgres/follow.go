package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/licet/licet/as"
)

const (
	// channel is where a transaction that changed something notifies.
	channel = "licet_changes"
	// pollEvery is how long a lost notification goes unnoticed.
	pollEvery = 250 * time.Millisecond
	// stale is how old the last poll may be before nothing is current any more.
	stale = time.Second
	// keptFor is how long changes are kept.
	keptFor = 5 * time.Minute
	// longAway is how old the last poll may be before everything is forgotten: to
	// read what it was would take too long, and in the end it is not there any more.
	longAway = keptFor / 10
)

// notify wakes the followers.
const notify = `select pg_notify('` + channel + `', '')`

// insertChanges writes down what a transaction changed, under its own number.
const insertChanges = `insert into changes (transaction_id, told_at, what)
	values (pg_current_xact_id()::text::bigint, (extract(epoch from clock_timestamp()) * 1000)::bigint, $1)`

// writeChanges and readChanges make changes a text and back. Ids may be any bytes.
func writeChanges(changes []as.Change) (string, error) {
	texts := make([]string, len(changes))
	for i, c := range changes {
		texts[i] = string(appendText(nil, string(c)))
	}
	what, err := json.Marshal(texts)
	return string(what), err
}

func readChanges(what string) ([]as.Change, error) {
	var texts []string
	if err := json.Unmarshal([]byte(what), &texts); err != nil {
		return nil, err
	}
	changes := make([]as.Change, len(texts))
	for i, text := range texts {
		c, err := textOf([]byte(text))
		if err != nil {
			return nil, err
		}
		changes[i] = as.Change(c)
	}
	return changes, nil
}

// selectChanges reads what was changed by the transactions from a number on, and
// the number below which none is running any more. Numbers are given when a
// transaction begins, and a higher one may end before a lower one: so the next
// poll begins where this one knows the end of all, and sees some changes twice.
// Forgetting twice does no harm.
const selectChanges = `select pg_snapshot_xmin(pg_current_snapshot())::text::bigint, coalesce(c.what, ''),
	(extract(epoch from clock_timestamp()) * 1000000)::bigint
	from (values (1)) always (x) left join changes c on c.transaction_id >= $1`

// follower reads what other nodes changed.
type follower struct {
	config *pgx.ConnConfig
	tell   func([]as.Change)
	clock  *clock
	seen   func(began time.Time) // after each poll

	from   int64     // the next poll begins here
	polled time.Time // when the last poll began that succeeded; zero, which is long ago: there was none
	said   time.Time // the database's time then
}

// follow polls until ctx ends, and connects again whenever it has to.
func (f *follower) follow(ctx context.Context) {
	for ctx.Err() == nil {
		if err := f.listen(ctx); err != nil && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(pollEvery):
			}
		}
	}
}

// listen polls on one connection: at once when a notification comes, and in any
// case four times a second.
func (f *follower) listen(ctx context.Context) error {
	c, err := pgx.ConnectConfig(ctx, f.config)
	if err != nil {
		return err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = c.Close(end)
	}()
	if _, err := c.Exec(ctx, "listen "+channel); err != nil {
		return err
	}
	swept := time.Now()
	for {
		if err := f.poll(ctx, c); err != nil {
			return err
		}
		if time.Since(swept) > keptFor/10 {
			if err := f.sweep(ctx, c); err != nil {
				return err
			}
			swept = time.Now()
		}
		if err := wait(ctx, c); err != nil {
			return err
		}
	}
}

// wait waits for a notification, or for the time of the next poll.
func wait(ctx context.Context, c *pgx.Conn) error {
	soon, cancel := context.WithTimeout(ctx, pollEvery)
	defer cancel()
	if _, err := c.WaitForNotification(soon); err != nil && !errors.Is(soon.Err(), context.DeadlineExceeded) {
		return err
	}
	return ctx.Err()
}

func (f *follower) poll(ctx context.Context, c *pgx.Conn) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, stale)
	defer cancel()
	from, forget := f.from, began.Sub(f.polled) > longAway
	if forget {
		from = math.MaxInt64 // only where the next poll begins
	}
	found, err := c.Query(ctx, selectChanges, from)
	if err != nil {
		return err
	}
	var next, told int64
	var changes []as.Change
	var what string
	_, err = pgx.ForEachRow(found, []any{&next, &what, &told}, func() error {
		f.clock.set(began, time.Now(), time.UnixMicro(told))
		if what == "" {
			return nil
		}
		some, err := readChanges(what)
		changes = append(changes, some...)
		return err
	})
	if err != nil {
		return err
	}
	said := time.UnixMicro(told)
	// By the database's time it may have been longer: this machine slept, or that clock
	// was set, and others have swept what was not read.
	forget = forget || said.Sub(f.said) > longAway
	if forget || next < f.from { // which is another database than before
		changes = []as.Change{as.ChangedEverything}
	}
	if len(changes) > 0 {
		f.tell(changes)
	}
	f.from, f.polled, f.said = next, began, said
	f.seen(began)
	return nil
}

func (f *follower) sweep(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `delete from changes where told_at < (extract(epoch from clock_timestamp()) * 1000)::bigint - $1`, keptFor.Milliseconds())
	return err
}
