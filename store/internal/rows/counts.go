package rows

import (
	"time"

	"github.com/licet/licet/as"
)

const countColumns = `digest, n, expires_at`

func intoCount() ([]any, *as.Count) {
	c := new(as.Count)
	return []any{&c.Digest, &c.N, instant{&c.ExpiresAt}}, c
}

func (t *Tx) Count(d as.Digest) (as.Count, error) {
	return one(t, intoCount, `select `+countColumns+` from counts where digest = $1`, []byte(d))
}

// countUp is one statement, so that of two that count at the same time each sees
// the other. Without a row it changes nothing.
const countUp = `insert into counts as c (` + countColumns + `) values ($1, 1, $2) on conflict (digest) do update set
	n = case when c.expires_at <= $3 then 1 else c.n + 1 end,
	expires_at = case when c.expires_at <= $3 then excluded.expires_at else c.expires_at end
	where c.expires_at <= $3 or c.n < $4 returning ` + countColumns

func (t *Tx) CountUp(d as.Digest, most int64, now, until time.Time) (as.Count, error) {
	t.wrote = true
	return one(t, intoCount, countUp, []byte(d), ms(until), ms(now), most)
}

func (t *Tx) CountDown(d as.Digest) error {
	return t.change(`update counts set n = n - 1 where digest = $1 and n > 0`, []byte(d))
}
