package rows

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/licet/licet/as"
)

const useColumns = `id, space_id, at, resource_server, resource_id, share_id, client_id, subject, scopes, n, last_at`

func intoUse() ([]any, *as.Use) {
	u := new(as.Use)
	return []any{&u.ID, &u.Space, instant{&u.At}, &u.ResourceServer, &u.Resource, &u.Share, &u.Client, &u.Subject, listInto(&u.Scopes), &u.N, instant{&u.LastAt}}, u
}

// addsUp is how an insertion ends that adds to what is there.
func addsUp(table, key string) string {
	return ` on conflict (` + key + `) do update set n = ` + table + `.n + excluded.n,
		last_at = case when excluded.last_at > ` + table + `.last_at then excluded.last_at else ` + table + `.last_at end`
}

var (
	addUse      = strings.TrimSuffix(insertInto("uses", useColumns), UnlessThere) + addsUp("uses", "id")
	addGrantUse = strings.TrimSuffix(insertInto("grant_uses", grantUseColumns), UnlessThere) + addsUp("grant_uses", "grant_id")
)

func (t *Tx) AddUse(u as.Use) error {
	return t.insertRandom(addUse, u.ID, u.Space, ms(u.At), u.ResourceServer, u.Resource, u.Share, u.Client, u.Subject, listOf(u.Scopes), u.N, ms(u.LastAt))
}

// narrowed adds to a condition what the filter wants, and to its arguments.
func narrowed(where string, args []any, f as.UseFilter) (string, []any) {
	add := func(condition string, value any) {
		args = append(args, value)
		where += fmt.Sprintf(" and %s $%d", condition, len(args))
	}
	if f.Resource != "" {
		add("resource_id =", f.Resource)
	}
	if f.Share != "" {
		add("share_id =", f.Share)
	}
	if f.Client != "" {
		add("client_id =", f.Client)
	}
	if f.Subject != "" {
		add("subject =", f.Subject)
	}
	add("id >", f.After)
	add("id <", cmp.Or(f.Before, "\U0010ffff")) // which comes after every id
	return where, args
}

func (t *Tx) Uses(space as.SpaceID, f as.UseFilter, limit int) ([]as.Use, error) {
	where, args := narrowed(`space_id = $1`, []any{space}, f)
	args = append(args, limit)
	return all(t, intoUse, `select `+useColumns+` from uses where `+where+fmt.Sprintf(` order by id desc limit $%d`, len(args)), args...)
}

func (t *Tx) CountUses(space as.SpaceID, f as.UseFilter) (int64, error) {
	where, args := narrowed(`space_id = $1`, []any{space}, f)
	return one(t, single[int64], `select cast(coalesce(sum(n), 0) as bigint) from uses where `+where, args...)
}

// usedColumns are the columns by which a last use is found; there is an index for
// each.
var usedColumns = map[as.UseOf]string{
	as.UseOfResource: "resource_id", as.UseOfShare: "share_id", as.UseOfClient: "client_id", as.UseOfSubject: "subject",
}

func (t *Tx) LastUses(space as.SpaceID, of as.UseOf, ids []string) ([]as.Use, error) {
	column, ok := usedColumns[of]
	if !ok {
		return nil, fmt.Errorf("rows: no use is of a %q", of)
	}
	var out []as.Use
	err := someOf(ascending(ids), []any{space}, func(list string, args []any) error {
		return more(t, &out, intoUse, `with wanted (one) as (values (`+strings.ReplaceAll(list, ", ", "), (")+`))
			select `+useColumns+` from uses where id in
				(select (select max(u.id) from uses u where u.space_id = $1 and u.`+column+` = wanted.one) from wanted)`, args...)
	})
	return out, err
}

// each collects what is found of each id.
func each[ID, T any](ids []ID, find func(ID) ([]T, error)) ([]T, error) {
	var out []T
	for _, id := range ids {
		found, err := find(id)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

const grantUseColumns = `grant_id, n, last_at`

func (t *Tx) AddGrantUse(g as.GrantUse) error {
	return t.insertRandom(addGrantUse, g.Grant, g.N, ms(g.LastAt))
}

func (t *Tx) GrantUses(ids []as.GrantID) ([]as.GrantUse, error) {
	into := func() ([]any, *as.GrantUse) {
		g := new(as.GrantUse)
		return []any{&g.Grant, &g.N, instant{&g.LastAt}}, g
	}
	return each(ids, func(id as.GrantID) ([]as.GrantUse, error) {
		return all(t, into, `select `+grantUseColumns+` from grant_uses where grant_id = $1`, id)
	})
}

func (t *Tx) SweepUses(before time.Time, limit int) (int, error) {
	total := 0
	for _, query := range []string{
		`delete from uses where id in (select id from uses where at < $1 limit $2)`,
		`delete from grant_uses where grant_id in (select grant_id from grant_uses where last_at < $1 limit $2)`,
	} {
		n, err := t.count(query, ms(before), limit-total)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
