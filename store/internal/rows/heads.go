package rows

import "github.com/licet/licet/as"

// Heads remembers the newest event of spaces, for the one who writes them: whoever
// appends needs it. The zero value is empty and ready. It is for one goroutine at a
// time.
//
// What is in it may not be so any more when somebody else writes too, or when a
// transaction was taken back. Then the event that is appended meets its key and
// nothing of its transaction is kept. The one who runs it forgets, and runs it
// again without.
type Heads struct{ newest map[as.SpaceID]head }

type head struct {
	seq  int64
	hash []byte
}

// maxHeads bounds how many are remembered.
const maxHeads = 1 << 16

// Forget forgets all.
func (h *Heads) Forget() { clear(h.newest) }

func (h *Heads) find(space as.SpaceID) (head, bool) {
	if h == nil {
		return head{}, false
	}
	found, ok := h.newest[space]
	return found, ok
}

// appended notes an event that is not there yet for others.
func (h *Heads) appended(e as.Event) {
	if before, ok := h.find(e.Space); ok && e.Seq == before.seq+1 {
		h.newest[e.Space] = head{e.Seq, e.Hash}
	} else if ok {
		delete(h.newest, e.Space)
	}
}

func (h *Heads) put(space as.SpaceID, seq int64, hash []byte) {
	switch {
	case h == nil:
		return
	case h.newest == nil:
		h.newest = map[as.SpaceID]head{}
	case len(h.newest) >= maxHeads:
		clear(h.newest)
	}
	h.newest[space] = head{seq, hash}
}
