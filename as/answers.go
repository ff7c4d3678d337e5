package as

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// answers remembers introspection answers as they are written, in tables without
// pointers: a million live RPTs are a few large blocks to the garbage
// collector. The zero value is empty and ready.
//
// An entry is the position it was read at, the instant from which it may be
// different although nothing changed, what it depends on, what the token is used
// for, and the answer.
type answers struct {
	shards [answerShards]answerShard
}

const (
	answerShards = 16
	// answerBytes is how much one half of one shard holds. All halves of all
	// shards together are the most that answers use: 256 MiB and their indexes.
	answerBytes = 8 << 20
	// maxDependencies bounds an entry; answers that depend on more are made anew
	// each time.
	maxDependencies = 64
)

// answerKey says which token is asked about and who asks.
type answerKey [32]byte

type answerShard struct {
	mu         sync.Mutex
	young, old answerTable
}

type answerTable struct {
	at    map[answerKey]uint32 // offset of an entry in bytes
	bytes []byte
}

// get returns the answer, and what the token is used for, if it still holds at this
// time.
func (a *answers) get(m *memory, key answerKey, now time.Time) (answer, used []byte, ok bool) {
	s := a.shard(m, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.young.find(key)
	if !ok {
		if e, ok = s.old.find(key); ok {
			s.keep(key, e)
		}
	}
	if !ok {
		return nil, nil, false
	}
	position, e := uint64At(e)
	until, e := uint64At(e)
	count := int(e[0])
	var dependencies [maxDependencies]uint64
	e = e[1:]
	for i := range count {
		dependencies[i], e = uint64At(e)
	}
	if now.UnixMilli() >= int64(until) || !m.holds(position, dependencies[:count]) {
		return nil, nil, false
	}
	size, n := binary.Uvarint(e)
	e = slices.Clone(e[n:])
	return e[size:], e[:size:size], true
}

func uint64At(b []byte) (uint64, []byte) { return binary.LittleEndian.Uint64(b), b[8:] }

// put remembers an answer that holds until an instant, with what the token is used
// for.
func (a *answers) put(m *memory, key answerKey, answer, used []byte, position uint64, until time.Time, dependencies []uint64) {
	if len(dependencies) > maxDependencies || len(answer)+len(used) > answerBytes/16 {
		return
	}
	e := make([]byte, 0, 17+binary.MaxVarintLen32+8*len(dependencies)+len(used)+len(answer))
	e = binary.LittleEndian.AppendUint64(e, position)
	e = binary.LittleEndian.AppendUint64(e, uint64(until.UnixMilli()))
	e = append(e, byte(len(dependencies)))
	for _, d := range dependencies {
		e = binary.LittleEndian.AppendUint64(e, d)
	}
	e = append(binary.AppendUvarint(e, uint64(len(used))), used...)
	e = append(e, answer...)
	s := a.shard(m, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(key, e)
}

func (a *answers) shard(m *memory, key answerKey) *answerShard {
	return &a.shards[maphash.Bytes(m.seed, key[:])%answerShards]
}

// keep writes an entry into the young table. When that is full it becomes the
// old one, and what was not asked for since is forgotten.
func (s *answerShard) keep(key answerKey, e []byte) {
	if len(s.young.bytes)+len(e)+binary.MaxVarintLen32 > answerBytes {
		s.young, s.old = answerTable{}, s.young
	}
	if s.young.at == nil {
		s.young.at = map[answerKey]uint32{}
	}
	s.young.at[key] = uint32(len(s.young.bytes))
	s.young.bytes = append(binary.AppendUvarint(s.young.bytes, uint64(len(e))), e...)
}

func (t answerTable) find(key answerKey) ([]byte, bool) {
	at, ok := t.at[key]
	if !ok {
		return nil, false
	}
	n, size := binary.Uvarint(t.bytes[at:])
	start := int(at) + size
	return t.bytes[start : start+int(n)], true
}
