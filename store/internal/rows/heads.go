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
type Heads struct{ young, old map[as.SpaceID]head }

type head struct {
	seq  int64
	hash []byte
}

// maxHeads is how many are remembered at the least, half of what is remembered at
// the most. When there are so many, those that were not asked for since as many
// others are forgotten.
const maxHeads = 1 << 17

// Forget forgets all.
func (h *Heads) Forget() {
	clear(h.young)
	h.old = nil
}

func (h *Heads) find(space as.SpaceID) (head, bool) {
	if h == nil {
		return head{}, false
	}
	found, ok := h.young[space]
	if !ok {
		if found, ok = h.old[space]; ok {
			h.put(space, found)
		}
	}
	return found, ok
}

// appended notes an event that is not there yet for others.
func (h *Heads) appended(e as.Event) {
	if before, ok := h.find(e.Space); ok && e.Seq == before.seq+1 {
		h.put(e.Space, head{e.Seq, e.Hash})
	} else if ok {
		delete(h.young, e.Space)
		delete(h.old, e.Space)
	}
}

func (h *Heads) put(space as.SpaceID, newest head) {
	if h == nil {
		return
	}
	if _, ok := h.young[space]; !ok && (h.young == nil || len(h.young) >= maxHeads) {
		h.young, h.old = map[as.SpaceID]head{}, h.young
	}
	h.young[space] = newest
}
