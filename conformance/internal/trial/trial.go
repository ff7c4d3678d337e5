// Package trial is one check while it runs: it ends with the first fault it
// meets, carries the messages that show it, and tells a program that did wrong
// from a suite that could not look. It knows nothing of what is checked.
package trial

import (
	"context"
	"fmt"
	"strings"

	"github.com/licet/licet/conformance/internal/wire"
)

// Outcome is how a check ended.
type Outcome int

// The outcomes, from good to bad.
const (
	Pass Outcome = iota
	Skip         // it does not apply to this program, or the fixture does not allow it
	Warn         // a recommendation was not followed
	Fail
)

// Trial is one check on its way.
type Trial struct {
	Context context.Context
	advice  bool // the requirement recommends: a fault is a warning

	outcome  Outcome
	detail   string
	messages []wire.Message
}

// ended is what a trial panics with when it is over.
type ended struct{}

// Run runs one check. With advice, its faults are warnings.
func Run(ctx context.Context, advice bool, check func(*Trial)) *Trial {
	t := &Trial{Context: ctx, advice: advice}
	func() {
		defer func() {
			if p := recover(); p != nil {
				if _, ok := p.(ended); !ok {
					panic(p)
				}
			}
		}()
		check(t)
	}()
	return t
}

// Fault ends the check: the program under test did what the requirement
// forbids, or did not do what it demands. The messages show it.
func (t *Trial) Fault(messages []wire.Message, format string, args ...any) {
	outcome := Fail
	if t.advice {
		outcome = Warn
	}
	t.end(outcome, messages, format, args...)
}

// Broken ends the check because the suite could not look: the program does not
// answer, or does not do what every check stands on. That is no pass.
func (t *Trial) Broken(messages []wire.Message, format string, args ...any) {
	t.end(Fail, messages, format, args...)
}

// Skip ends the check: it says nothing about this program.
func (t *Trial) Skip(format string, args ...any) { t.end(Skip, nil, format, args...) }

func (t *Trial) end(outcome Outcome, messages []wire.Message, format string, args ...any) {
	t.outcome, t.detail, t.messages = outcome, fmt.Sprintf(format, args...), messages
	panic(ended{})
}

// Outcome tells how the check ended.
func (t *Trial) Outcome() Outcome { return t.outcome }

// Detail is one sentence about the outcome; empty for a pass.
func (t *Trial) Detail() string { return t.detail }

// Messages are the offending messages, printed.
func (t *Trial) Messages() string {
	var b strings.Builder
	for _, m := range t.messages {
		b.WriteString(m.String())
	}
	return b.String()
}
