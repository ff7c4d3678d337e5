// Package trial is one check while it runs: it ends with the first fault it
// meets, carries the messages that show it, and tells a program that did wrong
// from a suite that could not look. It knows nothing of what is checked.
package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/conformance/internal/wire"
	"github.com/licet/licet/conformance/report"
)

// Trial is one check on its way.
type Trial struct {
	Context context.Context
	advice  bool // the requirement recommends: a fault is a warning

	outcome  report.Outcome
	detail   string
	messages []wire.Message
}

// ended is what a trial panics with when it is over.
type ended struct{}

// Run runs one check and returns it with its outcome. Faults against a
// recommendation are warnings.
func Run(ctx context.Context, id, level, requirement string, check func(*Trial)) report.Result {
	t := &Trial{Context: ctx, advice: strings.HasPrefix(level, "S"), outcome: report.Pass}
	began := time.Now()
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
	var messages strings.Builder
	for _, m := range t.messages {
		messages.WriteString(m.String())
	}
	return report.Result{
		ID: id, Level: level, Requirement: requirement, Outcome: t.outcome, Detail: t.detail, Messages: messages.String(), Took: time.Since(began),
	}
}

// Selected says whether a check is wanted: all are, where only is empty, and else
// those whose id begins with one of its words.
func Selected(id string, only []string) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(prefix string) bool { return strings.HasPrefix(id, prefix) })
}

// Fault ends the check: the program under test did what the requirement
// forbids, or did not do what it demands. The messages show it.
func (t *Trial) Fault(messages []wire.Message, format string, args ...any) {
	outcome := report.Fail
	if t.advice {
		outcome = report.Warn
	}
	t.end(outcome, messages, format, args...)
}

// Broken ends the check because the suite could not look: the program does not
// answer, or does not do what every check stands on. That is no pass.
func (t *Trial) Broken(messages []wire.Message, format string, args ...any) {
	t.end(report.Fail, messages, format, args...)
}

// Skip ends the check: it says nothing about this program.
func (t *Trial) Skip(format string, args ...any) { t.end(report.Skip, nil, format, args...) }

func (t *Trial) end(outcome report.Outcome, messages []wire.Message, format string, args ...any) {
	t.outcome, t.detail, t.messages = outcome, fmt.Sprintf(format, args...), messages
	panic(ended{})
}
