package rs

import (
	"sync"
	"time"
)

// keyed is a mutex for each owner.
type keyed struct{ locks sync.Map }

func (k *keyed) lock(owner Owner) (unlock func()) {
	m, _ := k.locks.LoadOrStore(owner, &sync.Mutex{})
	m.(*sync.Mutex).Lock()
	return m.(*sync.Mutex).Unlock
}

// lastTimes remembers when something was last done for an owner.
type lastTimes struct {
	mu sync.Mutex
	at map[Owner]time.Time
}

// due says whether the last time was at least a pause ago, and if so makes now
// the last time.
func (l *lastTimes) due(owner Owner, now time.Time, pause time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last, ok := l.at[owner]; ok && now.Sub(last) < pause {
		return false
	}
	if l.at == nil {
		l.at = map[Owner]time.Time{}
	}
	l.at[owner] = now
	return true
}
