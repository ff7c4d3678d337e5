package rows

import (
	"strconv"
	"testing"

	"github.com/licet/licet/as"
)

// However many spaces are written to, so many heads are remembered, and those in use
// stay.
func TestHeadsThatAreUsedStay(t *testing.T) {
	var h Heads
	space := func(i int) as.SpaceID { return as.SpaceID(strconv.Itoa(i)) }
	h.put("used", head{seq: 1})
	for i := range 5 * maxHeads {
		h.put(space(i), head{seq: 1})
		if i%1000 == 0 {
			at, ok := h.find("used")
			if !ok {
				t.Fatalf("after %d others the one that is used is forgotten", i)
			}
			h.appended(as.Event{Space: "used", Seq: at.seq + 1})
		}
	}
	if _, ok := h.find(space(0)); ok {
		t.Error("nothing is ever forgotten")
	}
	if len(h.young) > maxHeads || len(h.old) > maxHeads {
		t.Errorf("%d and %d heads are remembered", len(h.young), len(h.old))
	}
	if at, _ := h.find("used"); at.seq != 2+5*maxHeads/1000 {
		t.Errorf("the one that is used is at %d", at.seq)
	}
	h.Forget()
	if _, ok := h.find("used"); ok {
		t.Error("what was to be forgotten is remembered")
	}
}
