package demo

import "sync"

// steps are those of the start page that somebody has done. The zero value is none; it
// may be used concurrently.
type steps struct {
	mu   sync.Mutex
	list [6]bool
}

// The steps, in the order of the start page.
const (
	stepHome = iota
	stepAsk
	stepAnswer
	stepPerson
	stepUndo
	stepTrace
)

func (s *steps) did(step int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list[step] = true
}

func (s *steps) done() [6]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list
}

// mark changes when another one is done.
func (s *steps) mark() string {
	out := ""
	for _, done := range s.done() {
		out += map[bool]string{true: "x", false: "-"}[done]
	}
	return out
}
