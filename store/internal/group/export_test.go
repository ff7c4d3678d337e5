package group

import (
	"context"
	"sync"

	"github.com/licet/licet/as"
)

// Together runs Updates in one batch and returns what each was told. The
// committer must be at rest.
func Together(ctx context.Context, c *Committer, updates ...func(as.Tx) error) []error {
	all, told := make([]*job, len(updates)), make([]error, len(updates))
	var riding sync.WaitGroup
	for i, f := range updates {
		all[i] = newJob()
		riding.Go(func() { told[i] = c.ride(ctx, all[i], f) })
	}
	c.commit(all)
	riding.Wait()
	return told
}

// EngineOf is what a committer runs on.
func EngineOf(c *Committer) Engine { return c.engine }
