package rows

import (
	"sync"

	"github.com/licet/licet/as"
)

// Watchers are those who hear of changes. The zero value is ready.
type Watchers struct {
	mu   sync.RWMutex
	list []func([]as.Change)
}

// Watch adds a watcher.
func (w *Watchers) Watch(f func([]as.Change)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, f)
}

// Tell tells every watcher, and returns when all have heard.
func (w *Watchers) Tell(changes []as.Change) {
	if len(changes) == 0 {
		return
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	for _, f := range w.list {
		f(changes)
	}
}
