package node

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// room is how much a heap may always grow before garbage is collected again, in bytes.
// A server with little to hold would otherwise collect for every few pages it shows.
const room = 64 << 20

// giveRoom makes the collector give the heap of this process its room, unless whoever
// runs it has set GOGC.
var giveRoom = sync.OnceFunc(func() {
	if os.Getenv("GOGC") == "" {
		keepRoom()
	}
})

// keepRoom gives the heap its room again after each collection.
func keepRoom() {
	runtime.AddCleanup(new(*byte), func(struct{}) {
		debug.SetGCPercent(growth(liveHeap()))
		keepRoom()
	}, struct{}{})
}

// growth is how much a heap with so much alive may grow, in percent of that: its room,
// and a large one as much again as it holds, which is what Go allows by itself.
func growth(live uint64) int {
	return int(max(100, room*100/max(live, 1<<20)))
}

func liveHeap() uint64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}
