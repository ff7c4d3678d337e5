package rows

import "time"

// sweeps delete what ended before $1, at most $2 records each. By a grant its place
// in the index of shares is found, so that goes first.
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
	`delete from grants_by_share where (share_id, grant_id) in (select s.share_id, s.grant_id from grants g join grants_by_share s on s.grant_id = g.id
		where g.ends_at > 0 and g.ends_at < $1 and g.kind <> '` + reserved + `' limit $2)`,
	`delete from grants where id in (select g.id from grants g where g.ends_at > 0 and g.ends_at < $1 and g.kind <> '` + reserved + `'
		and not exists (select 1 from grants_by_share s where s.grant_id = g.id) limit $2)`,
	`delete from access_tokens where digest in (select digest from access_tokens where expires_at < $1 limit $2)`,
	`delete from refresh_tokens where digest in (select digest from refresh_tokens where expires_at < $1 limit $2)`,
}

// sweepReserved deletes the ids of processes that ended. They are no records.
const sweepReserved = `delete from grants where id in (select g.id from grants g where g.ends_at > 0 and g.ends_at < $1 and g.kind = '` + reserved + `' limit $2)`

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
	if _, err := t.count(sweepReserved, ms(before), limit); err != nil {
		return 0, err
	}
	return total, nil
}
