package rows

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// A statement names few ids, many, or very many. Statements are prepared once each, so
// every one names as many: the last of a list stands for those that are wanting.
const (
	few      = 64
	many     = 256
	veryMany = 1024
)

// someOf runs f for the ids, so many at a time, with the list for the condition "in"
// and all arguments: those before, and the list's.
func someOf[ID ~string](ids []ID, before []any, f func(list string, args []any) error) error {
	size := many
	switch {
	case len(ids) <= few:
		size = few
	case len(ids) > 2*many:
		size = veryMany
	}
	for chunk := range slices.Chunk(ids, size) {
		var list strings.Builder
		args := append(make([]any, 0, len(before)+size), before...)
		var id any
		for i := range size {
			if i < len(chunk) {
				id = string(chunk[i])
			}
			args = append(args, id)
			if i > 0 {
				list.WriteString(", ")
			}
			list.WriteString("$" + strconv.Itoa(len(args)))
		}
		if err := f(list.String(), args); err != nil {
			return err
		}
	}
	return nil
}

// ofSpace narrows what is found by ids to the space $1. Written like this it is no way to
// find them: planners know how much a space holds on average, and would rather read all of
// it, which may be a thousand times as much.
const ofSpace = `(space_id = $1) is true`

// ascending is ids in their order, each once.
func ascending[ID ~string](ids []ID) []ID {
	out := slices.Clone(ids)
	slices.Sort(out)
	return slices.Compact(out)
}

func (t *Tx) ResourcesOf(space as.SpaceID, ids []uma.ResourceID) ([]as.Resource, error) {
	return ofResources(t, intoResource, resourceColumns, space, ids)
}

func (t *Tx) OutlinesOf(space as.SpaceID, ids []uma.ResourceID) ([]as.ResourceOutline, error) {
	into := func() ([]any, *as.ResourceOutline) {
		r := new(as.ResourceOutline)
		return []any{&r.ID, &r.ResourceServer, &r.SortName, listInto(&r.Scopes), instant{&r.UpdatedAt}}, r
	}
	return ofResources(t, into, `id, resource_server, sort_name, scopes, updated_at`, space, ids)
}

// ofResources reads columns of those of the resources that are in the space.
func ofResources[T any](t *Tx, into func() ([]any, *T), columns string, space as.SpaceID, ids []uma.ResourceID) (out []T, err error) {
	err = someOf(ascending(ids), []any{space}, func(list string, args []any) error {
		return more(t, &out, into, `select `+columns+` from resources where id in (`+list+`) and `+ofSpace+` order by id`, args...)
	})
	return out, err
}

func (t *Tx) ResourcesByName(space as.SpaceID, server oauth.ClientID, text string, p as.Page) ([]as.Resource, error) {
	name, id, _ := strings.Cut(p.After, "\n")
	w := where{args: []any{space, name, id}}
	w.and(server != "", "resource_server = ", server)
	w.and(text != "", "sort_name like ", "%"+likely.Replace(text)+"%", " escape '!'")
	return all(t, intoResource, `select `+resourceColumns+` from resources where space_id = $1 and (sort_name, id) > ($2, $3)`+
		w.text+` order by sort_name, id limit `+w.next(), append(w.args, p.Limit)...)
}

// likely makes a text stand for itself in a pattern.
var likely = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func (t *Tx) ResourceCounts(space as.SpaceID) (map[oauth.ClientID]int64, error) {
	type count struct {
		server oauth.ClientID
		n      int64
	}
	into := func() ([]any, *count) {
		c := new(count)
		return []any{&c.server, &c.n}, c
	}
	list, err := all(t, into, `select resource_server, count(*) from resources where space_id = $1 group by resource_server`, space)
	out := map[oauth.ClientID]int64{}
	for _, c := range list {
		out[c.server] = c.n
	}
	return out, err
}

func (t *Tx) SharesInForce(space as.SpaceID, on []uma.ResourceID) ([]as.Share, error) {
	if on == nil {
		return t.allShares(space)
	}
	var out []as.Share
	err := someOf(ascending(on), []any{space}, func(list string, args []any) error {
		return more(t, &out, intoShare, `select `+shareColumns+` from shares where resource_id in (`+list+`) and dormant_since = 0 and `+ofSpace, args...)
	})
	slices.SortFunc(out, func(a, b as.Share) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out, err
}

// allShares reads the shares in force of a whole space, so many at a time.
func (t *Tx) allShares(space as.SpaceID) (out []as.Share, err error) {
	const size = 2000
	for after := policy.ShareID(""); ; after = out[len(out)-1].ID {
		before := len(out)
		err = more(t, &out, intoShare, `select `+shareColumns+` from shares where space_id = $1 and id > $2 and dormant_since = 0 order by id limit $3`, space, after, size)
		if err != nil || len(out) < before+size {
			return out, err
		}
	}
}

func (t *Tx) DeleteShares(space as.SpaceID, ids []policy.ShareID) error {
	err := someOf(ids, []any{space}, func(list string, args []any) error {
		_, err := t.count(`delete from shares where id in (`+list+`) and `+ofSpace, args...)
		return err
	})
	told := make([]as.Change, len(ids))
	for i, id := range ids {
		told[i] = as.ChangedShare(id)
	}
	return t.changed(err, told...)
}

const endingColumns = `ended_at, ended, ended_by, ended_event`

func (t *Tx) KeepShares(space as.SpaceID, ids []policy.ShareID, e as.Ending) error {
	return someOf(ids, []any{space, ms(e.At), string(e.How), e.By, e.Event}, func(list string, args []any) error {
		_, err := t.count(`insert into past_shares (`+endingColumns+`, `+shareColumns+`)
			select cast($2 as bigint), cast($3 as text), cast($4 as text), cast($5 as bigint), `+shareColumns+`
			from shares where id in (`+list+`) and dormant_since = 0 and `+ofSpace+UnlessThere, args...)
		return err
	})
}

func intoVersion() ([]any, *as.ShareVersion) {
	v := new(as.ShareVersion)
	return append([]any{instant{&v.Ending.At}, &v.Ending.How, &v.Ending.By, &v.Ending.Event}, placesOfShare(&v.Share)...), v
}

func (t *Tx) ShareVersions(space as.SpaceID, f as.VersionFilter, p as.Page) ([]as.ShareVersion, error) {
	id, number, _ := strings.Cut(p.After, " ")
	version, err := strconv.ParseInt(number, 10, 64)
	if p.After != "" && err != nil {
		return nil, as.ErrNotFound
	}
	w := where{args: []any{space, id, version}}
	w.and(f.Share != "", "id = ", f.Share)
	w.and(f.Resource != "", "resource_id = ", f.Resource)
	w.and(!f.To.IsZero(), "updated_at < ", ms(f.To))
	w.and(!f.From.IsZero(), "(not_after = 0 or not_after > ", ms(f.From), ")")
	var out []as.ShareVersion
	if !f.Ended && f.EndedBy == 0 {
		shares, err := all(t, intoShare, `select `+shareColumns+` from shares where space_id = $1 and (id > $2 or id = $2 and version > $3) and id >= $2
			and dormant_since = 0`+w.text+` order by id limit `+w.next(), append(w.args, p.Limit)...)
		if err != nil {
			return nil, err
		}
		for _, s := range shares {
			out = append(out, as.ShareVersion{Share: s})
		}
	}
	w.and(!f.From.IsZero(), "ended_at > ", ms(f.From))
	w.and(f.EndedBy != 0, "ended_event = ", f.EndedBy)
	err = more(t, &out, intoVersion, `select `+endingColumns+`, `+shareColumns+` from past_shares where space_id = $1 and (id, version) > ($2, $3)`+
		w.text+` order by id, version limit `+w.next(), append(w.args, p.Limit)...)
	sortVersions(out)
	return out[:min(len(out), p.Limit)], err
}

func (t *Tx) VersionsOf(space as.SpaceID, ids []policy.ShareID) ([]as.ShareVersion, error) {
	var out []as.ShareVersion
	err := someOf(ascending(ids), []any{space}, func(list string, args []any) error {
		shares, err := all(t, intoShare, `select `+shareColumns+` from shares where id in (`+list+`) and dormant_since = 0 and `+ofSpace, args...)
		if err != nil {
			return err
		}
		for _, s := range shares {
			out = append(out, as.ShareVersion{Share: s})
		}
		return more(t, &out, intoVersion, `select `+endingColumns+`, `+shareColumns+` from past_shares where id in (`+list+`) and `+ofSpace, args...)
	})
	sortVersions(out)
	return out, err
}

func sortVersions(list []as.ShareVersion) {
	slices.SortFunc(list, func(a, b as.ShareVersion) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version))
	})
}

// where is what narrows a query down, by the conditions that apply.
type where struct {
	text string
	args []any
}

func (w *where) next() string { return "$" + strconv.Itoa(len(w.args)+1) }

func (w *where) and(applies bool, before string, value any, after ...string) {
	if applies {
		w.text += " and " + before + w.next() + strings.Join(after, "")
		w.args = append(w.args, value)
	}
}

func (t *Tx) KeepResource(space as.SpaceID, id uma.ResourceID, until time.Time) error {
	_, err := t.count(`insert into past_resources (until_at, `+resourceColumns+`) select cast($1 as bigint), `+resourceColumns+`
		from resources where space_id = $2 and id = $3`+UnlessThere, ms(until), space, id)
	return err
}

func intoPastResource() ([]any, *as.PastResource) {
	r := new(as.PastResource)
	return append([]any{instant{&r.Until}}, placesOfResource(&r.Resource)...), r
}

func (t *Tx) LastOfResource(space as.SpaceID, id uma.ResourceID) (as.PastResource, error) {
	return one(t, intoPastResource, `select until_at, `+resourceColumns+` from past_resources where space_id = $1 and id = $2 order by until_at desc limit 1`, space, id)
}

func (t *Tx) PastResources(space as.SpaceID, id uma.ResourceID, from time.Time, limit int) ([]as.PastResource, error) {
	query, args := `select until_at, `+resourceColumns+` from past_resources where space_id = $1 and until_at > $2`, []any{space, ms(from)}
	if id != "" {
		args = append(args, id)
		query += ` and id = $3`
	}
	args = append(args, limit)
	return all(t, intoPastResource, query+` order by until_at, id limit $`+strconv.Itoa(len(args)), args...)
}

// grantsUnder are the ids of lately and of the renewable grants under the shares, each
// once and in their order.
func (t *Tx) grantsUnder(shares []policy.ShareID, lately []as.GrantID) ([]as.GrantID, error) {
	ids := slices.Clone(lately)
	err := someOf(shares, nil, func(list string, args []any) error {
		return more(t, &ids, single[as.GrantID], `select grant_id from grants_by_share where share_id in (`+list+`)`, args...)
	})
	return ascending(ids), err
}

// underOne says of permissions whether they are under one of the shares.
func underOne(shares []policy.ShareID) func(as.Permission) bool {
	among := map[policy.ShareID]bool{}
	for _, id := range shares {
		among[id] = true
	}
	return func(p as.Permission) bool { return among[p.Share] }
}

func (t *Tx) LiveAccess(space as.SpaceID, shares []policy.ShareID, lately []as.GrantID, now time.Time) ([]as.LiveAccess, error) {
	type access struct {
		as.Grant
		tokens, renewals int64
	}
	into := func() ([]any, *access) {
		a := new(access)
		return []any{&a.ID, &a.Client, &a.Space, &a.ResourceServer, permissions{&a.Permissions}, &a.tokens, &a.renewals}, a
	}
	ids, err := t.grantsUnder(shares, lately)
	if err != nil {
		return nil, err
	}
	under := underOne(shares)
	var out []as.LiveAccess
	err = someOf(ids, []any{space, ms(now)}, func(list string, args []any) error {
		found, err := all(t, into, `select g.id, g.client_id, g.space_id, g.resource_server, g.permissions,
				case when g.token is not null and g.token_revoked_at = 0 and g.token_ends_at > $2 then 1 else 0 end
					+ (select count(*) from access_tokens a where a.grant_id = g.id and a.revoked_at = 0 and a.expires_at > $2),
				(select count(*) from refresh_tokens f where f.grant_id = g.id and f.spent_at = 0 and f.expires_at > $2)
			from grants g join spaces o on o.id = g.space_id join clients c on c.id = g.client_id left join accounts a on a.id = g.account_id
			where g.id in (`+list+`) and g.space_id = $1 and g.kind = 'uma' and g.revoked_at = 0 and g.space_generation = o.generation
				and not c.disabled and c.generation + `+ofAll+` = g.client_generation
				and (g.account_id = '' or not a.disabled and a.generation = g.account_generation)
			order by g.id`, args...)
		if err != nil {
			return err
		}
		var asked []granted
		var of []int // whose each is
		for i, a := range found {
			for _, p := range a.Permissions {
				if a.tokens+a.renewals > 0 && under(p) {
					asked, of = append(asked, granted{a.ResourceServer, p}), append(of, i)
				}
			}
		}
		states, err := t.statesOf(space, asked)
		live := make([]bool, len(found))
		for n, p := range states {
			live[of[n]] = live[of[n]] || opens(p, now)
		}
		for i, a := range found {
			if live[i] {
				out = append(out, as.LiveAccess{Grant: a.ID, Client: a.Client, Tokens: a.tokens, Renewals: a.renewals})
			}
		}
		return err
	})
	return out, err
}

// opens says whether something can be done with a permission.
func opens(p as.PermissionState, now time.Time) bool {
	return p.ShareLive && p.MemberLive && p.ResourceLive && p.ShareGeneration == p.CurrentShareGeneration &&
		p.ResourceGeneration == p.CurrentResourceGeneration && (p.NotAfter.IsZero() || p.NotAfter.After(now))
}

func (t *Tx) RevokeGrantsOf(space as.SpaceID, client oauth.ClientID, shares []policy.ShareID, lately []as.GrantID, now time.Time) (int, error) {
	into := func() ([]any, *as.Grant) {
		g := new(as.Grant)
		return []any{&g.ID, permissions{&g.Permissions}}, g
	}
	ids, err := t.grantsUnder(shares, lately)
	if err != nil {
		return 0, err
	}
	under := underOne(shares)
	var told []as.Change
	err = someOf(ids, []any{space, client}, func(list string, args []any) error {
		found, err := all(t, into, `select id, permissions from grants
			where id in (`+list+`) and `+ofSpace+` and client_id = $2 and kind = 'uma' and revoked_at = 0 order by id`, args...)
		for _, g := range found {
			if err == nil && slices.ContainsFunc(g.Permissions, under) {
				err = t.change(`update grants set revoked_at = $2 where id = $1 and revoked_at = 0`, g.ID, ms(now))
				told = append(told, as.ChangedGrant(g.ID))
			}
		}
		return err
	})
	return len(told), t.changed(err, told...)
}
