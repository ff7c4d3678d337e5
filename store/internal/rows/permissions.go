package rows

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/as"
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

func (p permissions) Scan(v any) error {
	text, err := textOf(v)
	if err != nil || text == "null" {
		return err
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
		if err := errors.Join(instant{&one.CreatedAt}.Scan(created), instant{&one.NotAfter}.Scan(notAfter)); err != nil {
			return err
		}
	}
	return nil
}

// PermissionsOf reads what the permissions depend on. A share and a member are only
// looked for in the grant's space, a resource only in its space and at its resource
// server.
func (t *Tx) PermissionsOf(g as.Grant) ([]as.PermissionState, error) {
	var out []as.PermissionState
	for _, p := range g.Permissions {
		into := func() ([]any, *as.PermissionState) {
			s := &as.PermissionState{Permission: p}
			return []any{&s.ShareLive, &s.CurrentShareGeneration, &s.MemberLive, &s.ResourceLive, &s.CurrentResourceGeneration, listInto(&s.ResourceScopes)}, s
		}
		s, err := one(t, into, `select s.id is not null, coalesce(s.generation, 0), m.id is not null, r.id is not null, coalesce(r.generation, 0), coalesce(r.scopes, 'null')
			from (select 1) one_row
				left join shares s on s.space_id = $1 and s.id = $2 and s.dormant_since = 0
				left join members m on m.space_id = $1 and m.group_id = $3 and m.id = $4
				left join resources r on r.space_id = $1 and r.resource_server = $5 and r.id = $6`,
			g.Space, p.Share, p.Group, p.Member, g.ResourceServer, p.Resource)
		if err != nil {
			return nil, err
		}
		s.MemberLive = s.MemberLive || p.Group == ""
		out = append(out, s)
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
