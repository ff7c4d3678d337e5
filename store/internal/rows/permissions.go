package rows

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// permissions are written as a JSON text, and so that every text of theirs is as it
// was when it is read.
type permissions struct{ of *[]as.Permission }

func (p permissions) Value() (driver.Value, error) {
	if *p.of == nil { // as those of OAuth grants are
		return "null", nil
	}
	b := append(make([]byte, 0, 256), '[')
	for i, one := range *p.of {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(append(b, '['), string(one.Resource))
		b = append(b, ',')
		if one.Scopes == nil {
			b = append(b, "null"...)
		} else {
			separator := byte('[')
			for _, scope := range one.Scopes {
				b = appendJSON(append(b, separator), string(scope))
				separator = ','
			}
			if len(one.Scopes) == 0 {
				b = append(b, separator)
			}
			b = append(b, ']')
		}
		b = appendJSON(append(b, ','), string(one.Share))
		for _, n := range [...]int64{one.ShareVersion, one.ShareGeneration, one.ResourceGeneration, ms(one.CreatedAt), ms(one.NotAfter)} {
			b = strconv.AppendInt(append(b, ','), n, 10)
		}
		b = appendJSON(append(b, ','), string(one.Group))
		b = appendJSON(append(b, ','), string(one.Member))
		b = append(b, ']')
	}
	return string(append(b, ']')), nil
}

// odd begins a text that JSON would not give back byte for byte, or would escape; its
// bytes follow in hexadecimal.
const odd = "\uffff"

func appendJSON(b []byte, text string) []byte {
	b = append(b, '"')
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(hex.AppendEncode(append(b, odd...), []byte(text)), '"')
		}
	}
	return append(append(b, text...), '"')
}

// written is a text as appendJSON has written it.
type written string

func (w *written) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	digits, isOdd := strings.CutPrefix(text, odd)
	if isOdd {
		raw, err := hex.DecodeString(digits)
		if err != nil {
			return err
		}
		text = string(raw)
	}
	*w = written(text)
	return nil
}

func (p permissions) SetText(text string) error {
	if text == "null" {
		return nil
	}
	var texts [][]json.RawMessage
	if err := json.Unmarshal([]byte(text), &texts); err != nil {
		return err
	}
	*p.of = make([]as.Permission, len(texts))
	for i, fields := range texts {
		var resource, share, group, member written
		var scopes []written
		var created, notAfter int64
		one := &(*p.of)[i]
		places := []any{&resource, &scopes, &share, &one.ShareVersion, &one.ShareGeneration, &one.ResourceGeneration, &created, &notAfter, &group, &member}
		if len(fields) != len(places) {
			return errors.New("not a permission")
		}
		for n, place := range places {
			if err := json.Unmarshal(fields[n], place); err != nil {
				return err
			}
		}
		one.Resource, one.Share = uma.ResourceID(resource), policy.ShareID(share)
		one.Group, one.Member = policy.GroupID(group), as.MemberID(member)
		if scopes != nil {
			one.Scopes = make([]uma.Scope, len(scopes))
			for n, scope := range scopes {
				one.Scopes[n] = uma.Scope(scope)
			}
		}
		if err := errors.Join(instant{&one.CreatedAt}.SetNumber(created), instant{&one.NotAfter}.SetNumber(notAfter)); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) PermissionsOf(g as.Grant) ([]as.PermissionState, error) {
	list := make([]granted, len(g.Permissions))
	for i, p := range g.Permissions {
		list[i] = granted{g.ResourceServer, p}
	}
	return t.statesOf(g.Space, list)
}

// granted is a permission at a resource server.
type granted struct {
	server oauth.ClientID
	as.Permission
}

// stateSizes are for how many permissions there is a statement; most grants have one.
var stateSizes = []int{1, 8, few}

var stateQueries = func() (out []string) {
	for _, size := range stateSizes {
		out = append(out, statesQuery(size))
	}
	return out
}()

// statesQuery reads what so many permissions depend on, of which the first $2 count.
func statesQuery(size int) string {
	var asked strings.Builder
	asked.WriteString("(cast(0 as bigint), $3, $4, $5, $6, $7)")
	for i := 1; i < size; i++ {
		n := 3 + 5*i
		fmt.Fprintf(&asked, ", (%d, $%d, $%d, $%d, $%d, $%d)", i, n, n+1, n+2, n+3, n+4)
	}
	return `with asked (n, share_id, group_id, member_id, resource_server, resource_id) as (values ` + asked.String() + `)
		select q.n, s.id is not null, coalesce(s.generation, 0), m.id is not null, r.id is not null, coalesce(r.generation, 0), coalesce(r.scopes, 'null')
		from asked q
			left join shares s on s.id = q.share_id and (s.space_id = $1) is true and s.dormant_since = 0
			left join members m on m.id = q.member_id and (m.space_id = $1) is true and (m.group_id = q.group_id) is true
			left join resources r on r.id = q.resource_id and (r.space_id = $1) is true and (r.resource_server = q.resource_server) is true
		where q.n < $2`
}

// statesOf reads what permissions in a space depend on, in their order. A share and a
// member are only looked for in the space, a resource only there and at its resource
// server.
func (t *Tx) statesOf(space as.SpaceID, list []granted) ([]as.PermissionState, error) {
	type state struct {
		n int64
		as.PermissionState
	}
	into := func() ([]any, *state) {
		s := new(state)
		return []any{&s.n, &s.ShareLive, &s.CurrentShareGeneration, &s.MemberLive, &s.ResourceLive, &s.CurrentResourceGeneration, listInto(&s.ResourceScopes)}, s
	}
	which := 0
	for which+1 < len(stateSizes) && stateSizes[which] < len(list) {
		which++
	}
	size := stateSizes[which]
	var out []as.PermissionState
	for chunk := range slices.Chunk(list, size) {
		args := []any{space, len(chunk)}
		for i := range size {
			p := chunk[min(i, len(chunk)-1)]
			args = append(args, p.Share, p.Group, p.Member, p.server, p.Resource)
		}
		found, err := all(t, into, stateQueries[which], args...)
		if err != nil {
			return nil, err
		}
		states := make([]as.PermissionState, len(chunk))
		for _, s := range found {
			states[s.n] = s.PermissionState
			states[s.n].Permission = chunk[s.n].Permission
			states[s.n].MemberLive = s.MemberLive || states[s.n].Group == ""
		}
		out = append(out, states...)
	}
	return out, nil
}

const pctColumns = `digest, client_id, subject, claims, created_at, expires_at, spent_at`

var (
	insertPCT = insertUnder("pcts", pctColumns, underClient)
	spendPCT  = spendIn("pcts", "spent_at", pctColumns, underClient)
)

func intoPCT() ([]any, *as.PCT) {
	p := new(as.PCT)
	return []any{&p.Digest, &p.Client, &p.Subject, &p.Claims, instant{&p.CreatedAt}, instant{&p.ExpiresAt}, instant{&p.SpentAt}}, p
}

func (t *Tx) PCT(d as.Digest) (as.PCT, error) {
	return one(t, intoPCT, `select `+pctColumns+` from pcts where digest = $1 and `+underClient.holds(), []byte(d))
}

func (t *Tx) InsertPCT(p as.PCT) error {
	return t.insertRandom(insertPCT, []byte(p.Digest), p.Client, p.Subject, p.Claims, ms(p.CreatedAt), ms(p.ExpiresAt), ms(p.SpentAt))
}

func (t *Tx) SpendPCT(d as.Digest, now time.Time) (as.PCT, error) {
	p, err := spend(t, intoPCT, spendPCT, d, now)
	p.SpentAt = time.Time{}
	return p, err
}
