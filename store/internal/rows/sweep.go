package rows

import "time"

// ending finds the grants to look at: those of the tokens that the same sweep
// will delete. Looking at all grants would cost as much as there are.
const ending = `(select due.grant_id from (select grant_id from access_tokens where expires_at < $1 order by expires_at, digest limit $2) due
	union all select due.grant_id from (select grant_id from refresh_tokens where expires_at < $1 order by expires_at, digest limit $2) due)`

// sweeps delete what ended before $1, at most $2 records each. A grant
// and its permissions go when all its tokens have. Tokens go last, because by them the rest is found: a sweep that comes
// to its limit before leaves them for the next one.
var sweeps = []string{
	`delete from participants where (session_id, client_id) in (select p.session_id, p.client_id from sessions s join participants p on p.session_id = s.id
		where s.expires_at < $1 limit $2)`,
	`delete from sessions where digest in (select s.digest from sessions s where s.expires_at < $1
		and not exists (select 1 from participants p where p.session_id = s.id) limit $2)`,
	`delete from invitations where id in (select id from invitations where expires_at < $1 limit $2)`,
	`delete from outbox where id in (select id from outbox where expires_at < $1 limit $2)`,
	`delete from spent where digest in (select digest from spent where expires_at < $1 limit $2)`,
	`delete from counts where digest in (select digest from counts where expires_at < $1 limit $2)`,
	`delete from mail_codes where digest in (select digest from mail_codes where expires_at < $1 limit $2)`,
	`delete from tickets where digest in (select digest from tickets where expires_at < $1 limit $2)`,
	`delete from interactions where digest in (select digest from interactions where expires_at < $1 limit $2)`,
	`delete from pushed_requests where digest in (select digest from pushed_requests where expires_at < $1 limit $2)`,
	`delete from codes where digest in (select digest from codes where expires_at < $1 limit $2)`,
	`delete from processes where id in (select id from processes where expires_at < $1 limit $2)`,
	`delete from pcts where digest in (select digest from pcts where expires_at < $1 limit $2)`,
	`delete from shares where id in (select id from shares where dormant_since > 0 and dormant_since < $1 limit $2)`,
	`delete from signing_keys where id in (select id from signing_keys where expires_at > 0 and expires_at < $1 limit $2)`,
	`delete from permissions where (grant_id, id) in (select p.grant_id, p.id from permissions p where p.grant_id in ` + ending + `
		and not exists (select 1 from access_tokens a where a.grant_id = p.grant_id and a.expires_at >= $1)
		and not exists (select 1 from refresh_tokens r where r.grant_id = p.grant_id and r.expires_at >= $1)
		limit $2)`,
	`delete from grants where id in (select g.id from grants g where g.id in ` + ending + `
		and not exists (select 1 from access_tokens a where a.grant_id = g.id and a.expires_at >= $1)
		and not exists (select 1 from refresh_tokens r where r.grant_id = g.id and r.expires_at >= $1)
		and not exists (select 1 from permissions p where p.grant_id = g.id)
		limit $2)`,
	`delete from access_tokens where digest in (select digest from access_tokens where expires_at < $1 order by expires_at, digest limit $2)`,
	`delete from refresh_tokens where digest in (select digest from refresh_tokens where expires_at < $1 order by expires_at, digest limit $2)`,
}

func (t *Tx) Sweep(before time.Time, limit int) (int, error) {
	total := 0
	for _, query := range sweeps {
		if total >= limit {
			break
		}
		n, err := t.count(query, ms(before), limit-total)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
