package as

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"sync"
	"time"
)

// packed remembers what there is very much of as bytes, in tables without pointers:
// a million entries are a few large blocks to the garbage collector. Its shards
// are empty and ready.
//
// An entry is the position it was read at, the instant from which it may be
// different although nothing changed, what it depends on, and its content.
type packed struct {
	half   int // how many bytes one half of one shard holds; all of them, and their indexes, are the most that is used
	shards [packedShards]packedShard
}

const (
	packedShards = 16
	// maxDependencies bounds an entry; what depends on more is read anew each time.
	maxDependencies = 64
)

// packedKey is a hash of what an entry is found by. Nobody can find two things with
// the same one.
type packedKey [16]byte

// keyOf hashes texts, each with its end.
func keyOf(texts ...string) packedKey {
	var room [256]byte
	b := room[:0]
	for _, text := range texts {
		b = append(append(b, text...), 0)
	}
	sum := sha256.Sum256(b)
	return packedKey(sum[:])
}

type packedShard struct {
	mu         sync.Mutex
	young, old packedTable
}

type packedTable struct {
	at    map[packedKey]uint32 // offset of an entry in bytes
	bytes []byte
}

// get appends the content to what there is, if it still holds at this time.
func (p *packed) get(m *memory, key packedKey, now time.Time, to []byte) ([]byte, bool) {
	s := p.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.young.find(key)
	if !ok {
		if e, ok = s.old.find(key); ok {
			s.keep(key, e, p.half)
		}
	}
	if !ok {
		return nil, false
	}
	readAt := e
	position, e := uint64At(e)
	until, e := uint64At(e)
	count := int(e[0])
	var dependencies [maxDependencies]uint64
	e = e[1:]
	for i := range count {
		dependencies[i], e = uint64At(e)
	}
	if now.UnixMilli() >= int64(until) {
		return nil, false
	}
	position, ok = m.holds(position, dependencies[:count])
	if !ok {
		return nil, false
	}
	binary.LittleEndian.PutUint64(readAt, position)
	return append(to, e...), true
}

func uint64At(b []byte) (uint64, []byte) { return binary.LittleEndian.Uint64(b), b[8:] }

// forever is until when what does not end by itself holds.
var forever = time.UnixMilli(math.MaxInt64)

// put remembers content that holds until an instant.
func (p *packed) put(m *memory, key packedKey, content []byte, position uint64, until time.Time, dependencies []uint64) {
	if len(dependencies) > maxDependencies || len(content) > p.half/16 {
		return
	}
	e := make([]byte, 0, 17+8*len(dependencies)+len(content))
	e = binary.LittleEndian.AppendUint64(e, position)
	e = binary.LittleEndian.AppendUint64(e, uint64(until.UnixMilli()))
	e = append(e, byte(len(dependencies)))
	for _, d := range dependencies {
		e = binary.LittleEndian.AppendUint64(e, d)
	}
	e = append(e, content...)
	s := p.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(key, e, p.half)
}

func (p *packed) shard(key packedKey) *packedShard { return &p.shards[key[0]%packedShards] }

// keep writes an entry into the young table. When that is full it becomes the
// old one, and what was not asked for since is forgotten.
func (s *packedShard) keep(key packedKey, e []byte, half int) {
	if len(s.young.bytes)+len(e)+binary.MaxVarintLen32 > half {
		s.young, s.old = packedTable{}, s.young
	}
	if s.young.at == nil {
		s.young.at = map[packedKey]uint32{}
	}
	s.young.at[key] = uint32(len(s.young.bytes))
	s.young.bytes = append(binary.AppendUvarint(s.young.bytes, uint64(len(e))), e...)
}

func (t packedTable) find(key packedKey) ([]byte, bool) {
	at, ok := t.at[key]
	if !ok {
		return nil, false
	}
	n, size := binary.Uvarint(t.bytes[at:])
	start := int(at) + size
	return t.bytes[start : start+int(n)], true
}
