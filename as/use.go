package as

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The use log: what was really used of what owners share. A resource server that
// asks what an RPT permits is about to serve it, so that is a use of each permission
// the answer names; nobody tells which of them the request was for. An RPT that the
// resource server verifies itself is used where it is issued.
//
// Introspection is answered without a write, so uses are counted in memory first and
// added to the store every second, by every node what it has seen; what is much
// gathers for four, because what is used again meanwhile is one row. A node that dies
// loses what it counted since, and nothing else; see docs/reference/uses.md.

// UseID identifies a row of the use log: an id of the beginning of its time, so that
// later ones sort later, and of everything that tells it from another.
type UseID string

// UseBucket is the time that one row of the use log is about, from [Use].At on.
const UseBucket = 5 * time.Minute

// Use says how often a requesting party used a share on a resource through a
// client, within a while.
type Use struct {
	ID             UseID
	Space          SpaceID
	At             time.Time // the beginning of its UseBucket
	ResourceServer oauth.ClientID
	Resource       uma.ResourceID
	Share          policy.ShareID
	Client         oauth.ClientID
	Subject        string // the requesting party, as in [Grant]
	Scopes         []uma.Scope
	N              int64
	LastAt         time.Time
}

// identify gives the use the id that all uses alike have, on every node.
func (u *Use) identify() {
	h := sha256.New()
	for _, field := range append([]string{
		string(u.Space), string(u.ResourceServer), string(u.Resource), string(u.Share), string(u.Client), u.Subject,
	}, uma.JoinScopes(u.Scopes)) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(field)))
		h.Write(n[:])
		h.Write([]byte(field))
	}
	u.ID = UseID(idOf(u.At, h.Sum(nil)))
}

// UseFilter narrows a listing of uses. A zero member does not narrow.
type UseFilter struct {
	Resource uma.ResourceID
	Share    policy.ShareID
	Client   oauth.ClientID
	Subject  string

	After, Before UseID // only what is newer, and older, than these
}

// UsesSince is what uses come After whose At is not before this time.
func UsesSince(at time.Time) UseID { return UseID(idOf(at, make([]byte, 16))) }

// UseOf says whose last use is asked for.
type UseOf string

const (
	UseOfResource UseOf = "resource"
	UseOfShare    UseOf = "share"
	UseOfClient   UseOf = "client"
	UseOfSubject  UseOf = "subject"
)

// Of returns the use's id of that kind.
func (u Use) Of(of UseOf) string {
	switch of {
	case UseOfResource:
		return string(u.Resource)
	case UseOfShare:
		return string(u.Share)
	case UseOfClient:
		return string(u.Client)
	case UseOfSubject:
		return u.Subject
	}
	return ""
}

// GrantUse is how often the access tokens of an OAuth grant were used: of a PAT, or
// of an owner's app.
type GrantUse struct {
	Grant  GrantID
	N      int64
	LastAt time.Time
}

// Uses returns at most limit entries of the space's use log, newest first. The next
// page is Before the last of them.
func (s *Server) Uses(ctx context.Context, o Owner, f UseFilter, limit int) ([]Use, error) {
	var list []Use
	err := s.Store.View(ctx, func(r Reader) (err error) {
		list, err = r.Uses(o.Space, f, limit)
		return err
	})
	return list, err
}

// LastUses returns the newest use of each of these ids of a kind. What was never
// used within Lifetimes.Uses is not there.
func (s *Server) LastUses(ctx context.Context, o Owner, of UseOf, ids ...string) (map[string]Use, error) {
	out := map[string]Use{}
	err := s.Store.View(ctx, func(r Reader) error {
		list, err := r.LastUses(o.Space, of, ids)
		for _, u := range list {
			out[u.Of(of)] = u
		}
		return err
	})
	return out, err
}

// CountUses says how often there were uses like these. It reads them all, so a space
// that is used much should be asked After something.
func (s *Server) CountUses(ctx context.Context, o Owner, f UseFilter) (int64, error) {
	var n int64
	err := s.Store.View(ctx, func(r Reader) (err error) {
		n, err = r.CountUses(o.Space, f)
		return err
	})
	return n, err
}

// usesAdded is how many rows are added to the store in one transaction: others wait
// for it.
const usesAdded = 256

// UsesWait says whether so many different uses wait to be added to the store that they
// had better gather, and so few that they can.
func (s *Server) UsesWait() bool {
	n := s.uses.len()
	return n > usesAdded && n < useShards*maxSeen/2
}

// FlushUses adds to the store what was used since the last time, when that is done.
// What cannot be added now is kept for the next time.
func (s *Server) FlushUses(ctx context.Context) error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	taken, lost := s.uses.take()
	if lost > 0 {
		s.Log.WarnContext(ctx, "more is used at once than can be noted, some uses are not in the log", "lost", lost)
	}
	uses, grants := usesOf(taken)
	var failed []error
	for len(uses)+len(grants) > 0 {
		some, tokens := uses[:min(usesAdded, len(uses))], grants[:min(usesAdded, len(grants))]
		uses, grants = uses[len(some):], grants[len(tokens):]
		err := s.Store.Update(ctx, func(tx Tx) error {
			for _, u := range some {
				if err := tx.AddUse(u); err != nil {
					return err
				}
			}
			for _, g := range tokens {
				if err := tx.AddGrantUse(g); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			failed = append(failed, err)
			s.uses.putBack(some, tokens)
		}
	}
	return errors.Join(failed...)
}

// usesOf makes rows of what was seen, in the order of their ids: nodes that add to
// the same rows must not wait for each other.
func usesOf(seen []sighting) ([]Use, []GrantUse) {
	uses, grants := map[UseID]Use{}, map[GrantID]GrantUse{}
	for _, saw := range seen {
		what, ok := parseUsed(saw.what)
		if !ok {
			continue // cannot be: nobody else writes them
		}
		last := time.UnixMilli(saw.last).UTC()
		if what.grant != "" {
			g := grants[what.grant]
			grants[what.grant] = GrantUse{what.grant, g.N + saw.n, latest(g.LastAt, last)}
		}
		for _, u := range what.uses {
			u.At, u.LastAt, u.N = last.Truncate(UseBucket), last, saw.n
			u.identify()
			if was, ok := uses[u.ID]; ok {
				u.N, u.LastAt = u.N+was.N, latest(u.LastAt, was.LastAt)
			}
			uses[u.ID] = u
		}
	}
	return sortedBy(uses, func(u Use) string { return string(u.ID) }), sortedBy(grants, func(g GrantUse) string { return string(g.Grant) })
}

func sortedBy[K comparable, V any](all map[K]V, key func(V) string) []V {
	out := make([]V, 0, len(all))
	for _, v := range all {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b V) int { return strings.Compare(key(a), key(b)) })
	return out
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// used is what one token is used for: the permissions of an RPT, or the grant of an
// OAuth access token. It is kept as bytes, because introspection remembers a
// million of them.
type used struct {
	grant GrantID
	uses  []Use // without time and count
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// usedPermissions is what an RPT is used for. An access token of an OAuth grant is
// used for that, whose id is all there is.
func usedPermissions(g Grant, live []Permission) []byte {
	b := appendText(nil, "")
	for _, text := range []string{string(g.Space), string(g.ResourceServer), string(g.Client), g.Subject} {
		b = appendText(b, text)
	}
	for _, p := range live {
		b = appendText(appendText(b, string(p.Resource)), string(p.Share))
		b = binary.AppendUvarint(b, uint64(len(p.Scopes)))
		for _, scope := range p.Scopes {
			b = appendText(b, string(scope))
		}
	}
	return b
}

func parseUsed(b []byte) (u used, ok bool) {
	ok = true
	number := func() uint64 {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			ok, b = false, nil
			return 0
		}
		b = b[size:]
		return n
	}
	text := func() string {
		n := number()
		if n > uint64(len(b)) {
			ok, b = false, nil
			return ""
		}
		s := string(b[:n])
		b = b[n:]
		return s
	}
	if u.grant = GrantID(text()); u.grant != "" {
		return u, ok && len(b) == 0
	}
	alike := Use{Space: SpaceID(text()), ResourceServer: oauth.ClientID(text()), Client: oauth.ClientID(text()), Subject: text()}
	for ok && len(b) > 0 {
		one := alike
		one.Resource, one.Share, one.Scopes = uma.ResourceID(text()), policy.ShareID(text()), []uma.Scope{}
		for n := number(); ok && n > 0; n-- {
			one.Scopes = append(one.Scopes, uma.Scope(text()))
		}
		u.uses = append(u.uses, one)
	}
	return u, ok
}

// useLog counts what is used until it is added to the store. The zero value is
// ready.
type useLog struct {
	shards [useShards]useShard
}

const (
	useShards = 16
	// maxSeen bounds what one shard counts apart until it is taken. What is new
	// beyond that is not noted.
	maxSeen = 1 << 13
)

type useShard struct {
	mu   sync.Mutex
	seen map[packedKey]*sighting
	lost int64
}

// sighting is how often something was used, and when last, in milliseconds.
type sighting struct {
	what []byte
	n    int64
	last int64
}

// note counts a use: key is what it is told from others by, and what says of what.
func (l *useLog) note(key packedKey, what []byte, now time.Time) {
	l.add(key, what, 1, now.UnixMilli())
}

func (l *useLog) add(key packedKey, what []byte, n, last int64) {
	shard := &l.shards[key[0]%useShards]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if was, ok := shard.seen[key]; ok {
		was.n, was.last = was.n+n, max(was.last, last)
		return
	}
	if len(shard.seen) >= maxSeen {
		shard.lost += n
		return
	}
	if shard.seen == nil {
		shard.seen = map[packedKey]*sighting{}
	}
	shard.seen[key] = &sighting{slices.Clone(what), n, last}
}

// len is how many different uses are counted.
func (l *useLog) len() (n int) {
	for i := range l.shards {
		shard := &l.shards[i]
		shard.mu.Lock()
		n += len(shard.seen)
		shard.mu.Unlock()
	}
	return n
}

// take returns what was counted, and forgets it; lost is how often something was
// used that could not be counted.
func (l *useLog) take() (seen []sighting, lost int64) {
	for i := range l.shards {
		shard := &l.shards[i]
		shard.mu.Lock()
		taken := shard.seen
		lost += shard.lost
		shard.seen, shard.lost = nil, 0
		shard.mu.Unlock()
		for _, saw := range taken {
			seen = append(seen, *saw)
		}
	}
	return seen, lost
}

// putBack counts again what could not be added to the store.
func (l *useLog) putBack(uses []Use, grants []GrantUse) {
	for _, u := range uses {
		of := Grant{Space: u.Space, ResourceServer: u.ResourceServer, Client: u.Client, Subject: u.Subject}
		what := usedPermissions(of, []Permission{{Resource: u.Resource, Share: u.Share, Scopes: u.Scopes}})
		l.add(keyOf(string(what)), what, u.N, u.LastAt.UnixMilli())
	}
	for _, g := range grants {
		l.add(keyOf(string(g.Grant)), appendText(nil, string(g.Grant)), g.N, g.LastAt.UnixMilli())
	}
}
