package node

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// A small heap grows by its room, a large one by as much as it holds.
func TestGrowth(t *testing.T) {
	for live, want := range map[uint64]int{0: 6400, 16 << 20: 400, 64 << 20: 100, 1 << 30: 100} {
		if got := growth(live); got != want {
			t.Errorf("%d bytes alive: %d %%, want %d", live, got, want)
		}
	}
}

// What is alive is known after a collection, and from then on a heap has its room.
func TestHeapIsGivenItsRoom(t *testing.T) {
	keepRoom()
	got := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		runtime.GC()
		if metrics.Read(got); got[0].Value.Uint64() > 100 {
			return
		}
	}
	t.Errorf("after collections it still grows by %d %%", got[0].Value.Uint64())
}
