package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The plain model: what the requirements say, part 2 first of all, with maps
// and loops. It shares no code with the server. Ids are those that the server
// gave out; nothing else is taken from it.

type set = map[string]bool

func setOf(list ...string) set {
	out := set{}
	for _, x := range list {
		out[x] = true
	}
	return out
}

func list(s set) []string { return slices.Sorted(maps.Keys(s)) }

// rules are what the operator configured.
type rules struct {
	partial        string // "", "first" or "never"
	strict         bool
	revokeOnReplay bool
	forbid         forbid
	registered     map[string]set // scopes by client
	fault          string         // a mistake of the model itself, for the controls
}

const (
	rptLife     = 10 * time.Minute
	ticketLife  = 10 * time.Minute
	pollLife    = 24 * time.Hour
	refreshLife = 90 * 24 * time.Hour
	pctLife     = 30 * 24 * time.Hour
	claimsLife  = 2 * time.Hour
)

type space struct {
	id         string
	generation int
}

type resource struct {
	id, server string
	space      *space
	scopes     set
	edition    int
	gone       bool
}

type share struct {
	id        string
	wish      wish
	edition   int
	withdrawn bool
	dormant   bool
}

// group is some people of an owner's, by their addresses.
type group struct {
	id      string
	space   *space
	members map[string]*membership // by address
}

// membership is one time in a group; whoever comes again has another.
type membership struct {
	id    string
	ended bool
}

// block is a party of whom an owner wants to hear nothing more.
type block struct {
	id              string
	space           *space
	subject, client string // client "": through every one
}

func (m *model) blocked(p *process, client string) bool {
	for _, b := range m.blocks {
		if b.space == p.space && b.subject == p.subject && (b.client == "" || b.client == client) {
			return true
		}
	}
	return false
}

// wish is what a share says.
type wish struct {
	resource            *resource
	scopes              set
	anyone, ask         bool
	claims              []claim
	group               *group // nil: with none
	client              string
	notBefore, notAfter time.Time
	purpose, terms      string
}

type claim struct {
	name                    string
	values, issuer, formats []string
}

type process struct {
	name      string
	space     *space
	server    string
	asked     []asked
	client    string
	requested []string
	facts     []fact
	subject   string
	remember  bool
	request   *request
	grant     *grant
	interval  int64
	pollAfter time.Time
}

type asked struct {
	resource *resource
	scopes   set
}

type ticket struct {
	value   string
	process *process
	sealed  bool
	expires time.Time
	spent   bool
}

type request struct {
	process         *process
	space           *space
	client, subject string
	server          string
	issuer, sub     string
	permissions     map[*resource]set
	decided         bool
}

// key names a pending request by all that the owner sees of it.
func (q *request) key() string { return requestKey(q.client, q.subject, q.permissions) }

func requestKey(client, subject string, permissions map[*resource]set) string {
	var parts []string
	for r, s := range permissions {
		parts = append(parts, r.id+":"+strings.Join(list(s), ","))
	}
	slices.Sort(parts)
	return client + " " + subject + " " + strings.Join(parts, " ")
}

type grant struct {
	client, server, subject string
	space                   *space
	generation              int // of the space
	revoked                 bool
	permissions             []permission
}

type permission struct {
	resource                      *resource
	scopes                        set
	share                         *share
	shareEdition, resourceEdition int
	notAfter                      time.Time
	member                        *membership // as whom, if the share is with a group
}

type access struct {
	value    string
	grant    *grant
	narrowed []string // nil: not narrowed
	expires  time.Time
	revoked  bool
}

type refresh struct {
	value   string
	grant   *grant
	expires time.Time
	spent   bool
}

type pct struct {
	value, client, subject string
	facts                  []fact
	expires                time.Time
	spent                  bool
}

// model is one world as it ought to be.
type model struct {
	rules
	now       time.Time
	resources []*resource
	shares    []*share
	groups    []*group
	blocks    []*block
	requests  []*request
	processes []*process
	grants    []*grant
}

func (m *model) alive(p permission) bool {
	return (p.notAfter.IsZero() || m.now.Before(p.notAfter)) &&
		(m.fault == "withdrawals are overlooked" || !p.share.withdrawn) && !p.share.dormant && p.share.edition == p.shareEdition &&
		(p.member == nil || !p.member.ended || m.fault == "who left a group stays in it") &&
		!p.resource.gone && p.resource.edition == p.resourceEdition
}

func (g *grant) alive() bool { return !g.revoked && g.generation == g.space.generation }

// left is what of a grant's permissions is left, narrowed to some scopes.
func (m *model) left(g *grant, narrowed []string) []permission {
	var out []permission
	for _, p := range g.permissions {
		if !m.alive(p) {
			continue
		}
		scopes := set{}
		for s := range p.scopes {
			if p.resource.scopes[s] && (narrowed == nil || slices.Contains(narrowed, s)) {
				scopes[s] = true
			}
		}
		if len(scopes) == 0 && len(p.scopes) > 0 {
			continue
		}
		p.scopes = scopes
		out = append(out, p)
	}
	return out
}

// introspected is an RPT's content in one line; "" when it is not active.
func (m *model) introspected(t *access, space *space, server string) string {
	g := t.grant
	if t.revoked || !m.now.Before(t.expires) || !g.alive() || g.space != space || g.server != server {
		return ""
	}
	scopes, ends := map[string]set{}, map[string]int64{}
	for _, p := range m.left(g, t.narrowed) {
		if scopes[p.resource.id] == nil {
			scopes[p.resource.id] = set{}
		}
		maps.Copy(scopes[p.resource.id], p.scopes)
		if end := p.notAfter.Unix(); !p.notAfter.IsZero() && (ends[p.resource.id] == 0 || end < ends[p.resource.id]) {
			ends[p.resource.id] = end
		}
	}
	if len(scopes) == 0 {
		return ""
	}
	return content(g.client, t.expires.Unix(), scopes, ends)
}

func content(client string, expires int64, scopes map[string]set, ends map[string]int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s until %d:", client, expires)
	for _, id := range slices.Sorted(maps.Keys(scopes)) {
		fmt.Fprintf(&b, " %s%v-%d", id, list(scopes[id]), ends[id])
	}
	return b.String()
}
