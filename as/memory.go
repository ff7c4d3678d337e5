package as

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// memory keeps what was read from the store for as long as it is known to be
// unchanged. Nothing in it is authoritative: every entry names what it depends
// on and the position in the stream of changes from before it was read, and an
// entry is void as soon as the store tells of a change of any of these after
// that position. A store tells of a change before it is acknowledged, so whoever
// was told that something is withdrawn never meets anybody who still remembers
// it.
//
// What is remembered is shared and must not be written to.
type memory struct {
	store Store
	seed  maphash.Seed

	mu       sync.RWMutex
	position uint64            // how many changes have been told
	changed  map[uint64]uint64 // hash of a Change → position at which it was told last
	horizon  uint64            // entries from before this position are void; what changed before is not in changed

	clients   remembered[oauth.ClientID, oauth.Client]
	spaces    packed                         // their generations
	resources packed                         // what a decision needs of them: see packResource
	shares    packed                         // the same, where there are few on a resource: see packShares
	crowds    remembered[packedKey, []Share] // where there are many
	pats      packed                         // such as were accepted, until they end
	answers   packed                         // of introspection, as they are written
	begun     sightings
	alone     known // what is in memory, and nothing behind it
}

// maxChanged bounds how many changes are kept apart. Beyond, everything is
// forgotten at once.
const maxChanged = 1 << 16

func newMemory(store Store) *memory {
	m := &memory{
		store: store, seed: maphash.MakeSeed(), changed: map[uint64]uint64{},
		resources: packed{half: 4 << 20}, shares: packed{half: 4 << 20}, answers: packed{half: 8 << 20}, // twice 128 MiB, each for more than a million, and 256 MiB
		pats: packed{half: 2 << 20}, spaces: packed{half: 512 << 10}, // 64 MiB and 16 MiB, each for more than a hundred thousand
	}
	m.alone = recollection{memory: m, remembers: true}
	store.Watch(m.forget)
	return m
}

// forget voids what depends on the changes.
func (m *memory) forget(changes []Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.position++
	if len(m.changed)+len(changes) > maxChanged || contains(changes, ChangedEverything) {
		clear(m.changed)
		m.horizon = m.position
		return
	}
	for _, c := range changes {
		m.changed[m.hash(c)] = m.position
	}
}

// hash makes an entry's dependencies small. Two changes with the same hash void
// each other's entries, which costs a reading and nothing else.
func (m *memory) hash(c Change) uint64 { return maphash.String(m.seed, string(c)) }

func (m *memory) hashes(changes ...Change) []uint64 {
	out := make([]uint64, len(changes))
	for i, c := range changes {
		out[i] = m.hash(c)
	}
	return out
}

// now returns the position to remember with what is read from now on.
func (m *memory) now() uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.position
}

// holds says whether what was read at a position and depends on these is still
// what the store would say, and at which position it says so: until the next change
// nothing has to be looked up for what is said to be as new as that.
func (m *memory) holds(position uint64, dependencies []uint64) (now uint64, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if position < m.horizon {
		return 0, false
	}
	if position < m.position {
		for _, d := range dependencies {
			if m.changed[d] > position {
				return 0, false
			}
		}
	}
	return m.position, true
}

// remembered is one kind of entry: a map that forgets the half that was not
// used lately when it is full. The zero value is empty and ready.
type remembered[K comparable, V any] struct {
	mu         sync.Mutex
	young, old map[K]*entry[V]
}

type entry[V any] struct {
	value        V
	position     atomic.Uint64
	dependencies []uint64
}

// maxRemembered is how many entries of a kind are kept at the least, half of
// what is kept at the most.
const maxRemembered = 1 << 16

func (r *remembered[K, V]) get(m *memory, key K) (V, bool) {
	r.mu.Lock()
	e, ok := r.young[key]
	if !ok {
		if e, ok = r.old[key]; ok {
			r.keep(key, e)
		}
	}
	r.mu.Unlock()
	if ok {
		if now, holds := m.holds(e.position.Load(), e.dependencies); holds {
			e.position.Store(now)
			return e.value, true
		}
	}
	var none V
	return none, false
}

func (r *remembered[K, V]) put(key K, value V, position uint64, dependencies []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &entry[V]{value: value, dependencies: dependencies}
	e.position.Store(position)
	r.keep(key, e)
}

func (r *remembered[K, V]) keep(key K, e *entry[V]) {
	if r.young == nil || len(r.young) >= maxRemembered {
		r.young, r.old = make(map[K]*entry[V]), r.young
	}
	r.young[key] = e
}

// sightings tells what was seen lately. It may have forgotten, and may take one thing
// for another: nothing is decided by it. The zero value is empty and ready.
type sightings struct {
	mu         sync.Mutex
	young, old map[uint64]struct{}
}

// again says whether something was seen before, and notes that it is now.
func (s *sightings) again(m *memory, what string) bool {
	h := maphash.String(m.seed, what)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.young[h]; ok {
		return true
	}
	_, ok := s.old[h]
	if s.young == nil || len(s.young) >= maxRemembered {
		s.young, s.old = make(map[uint64]struct{}), s.young
	}
	s.young[h] = struct{}{}
	return ok
}

// known is what can be answered from memory. Its verbs are those of Reader.
type known interface {
	Client(oauth.ClientID) (oauth.Client, error)
	Space(SpaceID) (Space, error)
	Resource(SpaceID, oauth.ClientID, uma.ResourceID) (Resource, error)
	SharesOn(SpaceID, uma.ResourceID) ([]Share, error)
}

var errForgotten = errors.New("as: not in memory")

// recall runs f on what is in memory and, when that does not suffice, once more
// with the store behind it, remembering what f reads there. f must assign, not
// append, to what it captures.
func (m *memory) recall(ctx context.Context, f func(known) error) error {
	current := m.store.Current()
	if current {
		if err := f(m.alone); !errors.Is(err, errForgotten) {
			return err
		}
	}
	position := m.now()
	return m.store.View(ctx, func(r Reader) error {
		return f(recollection{memory: m, remembers: current, behind: r, position: position, learns: true})
	})
}

// within is for a transaction that only decides by what it reads here, and
// writes down the generations it decided by: what is in memory counts, and the
// rest is read in the transaction and not remembered, because nobody knows yet
// whether it will last.
func (m *memory) within(tx Tx) known {
	if !m.store.Current() {
		return tx
	}
	return recollection{memory: m, remembers: true, behind: tx}
}

// aside is within for what has not written anything yet: where something that it
// decides about is not in memory it fails with errForgotten rather than read it while
// others wait.
func (m *memory) aside(tx Tx) known {
	if !m.store.Current() {
		return tx
	}
	return recollection{memory: m, remembers: true, behind: unread{tx}}
}

// unread is a transaction in which resources, and what belongs to them, are not read.
type unread struct{ Tx }

func (unread) Space(SpaceID) (Space, error)                      { return Space{}, errForgotten }
func (unread) SharesOn(SpaceID, uma.ResourceID) ([]Share, error) { return nil, errForgotten }
func (unread) Resource(SpaceID, oauth.ClientID, uma.ResourceID) (Resource, error) {
	return Resource{}, errForgotten
}

// recollection answers from memory, then from what is behind it, if anything.
type recollection struct {
	*memory
	remembers bool // what is in memory counts
	behind    known
	position  uint64
	learns    bool
}

func (c recollection) Client(id oauth.ClientID) (oauth.Client, error) {
	if c.remembers {
		if client, ok := c.clients.get(c.memory, id); ok {
			return client, nil
		}
	}
	if c.behind == nil {
		return oauth.Client{}, errForgotten
	}
	client, err := c.behind.Client(id)
	if err == nil && c.learns {
		c.clients.put(id, client, c.position, c.hashes(ChangedClient(id)))
	}
	return client, err
}

// Space answers with what a decision needs of a space, which is its generation.
func (c recollection) Space(id SpaceID) (Space, error) {
	key := keyOf(string(id))
	if c.remembers {
		var room [binary.MaxVarintLen64]byte
		if content, ok := c.spaces.get(c.memory, key, time.Time{}, room[:0]); ok {
			generation, _ := binary.Varint(content)
			return Space{ID: id, Generation: generation}, nil
		}
	}
	if c.behind == nil {
		return Space{}, errForgotten
	}
	space, err := c.behind.Space(id)
	if err == nil && c.learns {
		c.spaces.put(c.memory, key, binary.AppendVarint(nil, space.Generation), c.position, forever, c.hashes(ChangedSpace(id)))
	}
	return space, err
}

// Resource answers with what a decision needs of a resource: of its description
// that is the type and the scopes. What the decision needs beside it is read in the
// same snapshot: a redemption follows.
func (c recollection) Resource(space SpaceID, server oauth.ClientID, id uma.ResourceID) (Resource, error) {
	key := keyOf(string(space), string(server), string(id))
	if c.remembers {
		var room [256]byte
		if content, ok := c.resources.get(c.memory, key, time.Time{}, room[:0]); ok {
			res := Resource{ID: id, Space: space, ResourceServer: server}
			unpackResource(&res, content)
			return res, nil
		}
	}
	if c.behind == nil {
		return Resource{}, errForgotten
	}
	res, err := c.behind.Resource(space, server, id)
	if err == nil && c.learns {
		c.resources.put(c.memory, key, packResource(res), c.position, forever,
			c.hashes(ChangedResource(id), ChangedServer(space, server), ChangedClient(server)))
		if c.remembers {
			if _, err = c.SharesOn(space, id); err == nil {
				_, err = c.Space(space)
			}
		}
	}
	return res, err
}

// fewShares is how many shares on a resource are few.
const fewShares = 8

// SharesOn answers with what a decision needs of the shares: what the owner wished, and
// the numbers that a permission names.
func (c recollection) SharesOn(space SpaceID, id uma.ResourceID) ([]Share, error) {
	key := keyOf(string(space), string(id))
	if c.remembers {
		var room [1024]byte
		if content, ok := c.shares.get(c.memory, key, time.Time{}, room[:0]); ok {
			return unpackShares(space, id, content), nil
		}
		if crowd, ok := c.crowds.get(c.memory, key); ok {
			return crowd, nil
		}
	}
	if c.behind == nil {
		return nil, errForgotten
	}
	shares, err := c.behind.SharesOn(space, id)
	if err != nil || !c.learns {
		return shares, err
	}
	changes := []Change{ChangedResource(id)}
	for _, share := range shares {
		changes = append(changes, ChangedShare(share.ID))
	}
	if dependencies := c.hashes(changes...); len(shares) <= fewShares {
		c.shares.put(c.memory, key, packShares(shares), c.position, forever, dependencies)
	} else {
		c.crowds.put(key, shares, c.position, dependencies)
	}
	return shares, nil
}

// dependencies is what the state of a grant is made of.
func (g GrantState) dependencies() []Change {
	return []Change{ChangedGrant(g.ID), ChangedClient(g.Client), ChangedAccount(g.Account), ChangedSpace(g.Space)}
}
