package rows

import "time"

// sweeps delete what ended before $1, at most $2 records each. Grants go when
// no token names them any more, permissions when no grant does.
var sweeps = []string{
	`delete from sessions where digest in (select digest from sessions where expires_at < $1 limit $2)`,
	`delete from tickets where digest in (select digest from tickets where expires_at < $1 limit $2)`,
	`delete from interactions where digest in (select digest from interactions where expires_at < $1 limit $2)`,
	`delete from codes where digest in (select digest from codes where expires_at < $1 limit $2)`,
	`delete from processes where id in (select id from processes p where p.expires_at < $1
		and not exists (select 1 from tickets t where t.process_id = p.id and t.expires_at >= $1) limit $2)`,
	`delete from access_tokens where digest in (select digest from access_tokens where expires_at < $1 limit $2)`,
	`delete from refresh_tokens where digest in (select digest from refresh_tokens where expires_at < $1 limit $2)`,
	`delete from grants where id in (select id from grants g where g.created_at < $1
		and not exists (select 1 from access_tokens a where a.grant_id = g.id)
		and not exists (select 1 from refresh_tokens r where r.grant_id = g.id) limit $2)`,
	`delete from grant_permissions where grant_id in (select l.grant_id from grant_permissions l
		join permissions p on p.id = l.permission_id and p.created_at < $1
		where not exists (select 1 from grants g where g.id = l.grant_id) limit $2)`,
	`delete from permissions where id in (select id from permissions p where p.created_at < $1
		and not exists (select 1 from grant_permissions l where l.permission_id = p.id) limit $2)`,
	`delete from pcts where digest in (select digest from pcts where expires_at < $1 limit $2)`,
	`delete from shares where id in (select id from shares where dormant_since > 0 and dormant_since < $1 limit $2)`,
	`delete from signing_keys where id in (select id from signing_keys where expires_at > 0 and expires_at < $1 limit $2)`,
}

func (t *Tx) Sweep(before time.Time, limit int) (int, error) {
	total := 0
	for _, query := range sweeps {
		if total >= limit {
			break
		}
		result, err := t.db.ExecContext(t.ctx, query, ms(before), limit-total)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		total += int(n)
	}
	return total, nil
}
