package as_test

import (
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// callers is how many ask at the same time, for each processor: they share commits.
const callers = 16

// measured measures what is done by many at once about so many resources that are
// shared with anybody, and reports the CPU time of the whole process for each
// operation.
func measured(b *testing.B, do func(w *world, id uma.ResourceID) error) {
	w := newWorld(b, func(c *as.Config) { c.Now = nil })
	resources := make([]uma.ResourceID, 700)
	for i := range resources {
		resources[i] = w.register(w.alice1, "a thing", "view", "edit")
		w.share(w.aliceOwner, toAnyone(resources[i], "view"))
	}
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(callers)
	before := cpuTime(b)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := do(w, resources[next.Add(1)%int64(len(resources))]); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(cpuTime(b)-before)/1e3/float64(b.N), "cpu-µs/op")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkTicket(b *testing.B) {
	measured(b, func(w *world, id uma.ResourceID) error {
		_, err := w.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(id, "view")})
		return err
	})
}

func BenchmarkGrant(b *testing.B) {
	measured(b, func(w *world, id uma.ResourceID) error {
		ticket, err := w.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(id, "view")})
		if err != nil {
			return err
		}
		c := w.c1
		c.GrantTypes = []string{uma.GrantType}
		result, err := w.Redeem(w.ctx, c, with(ticket), "")
		if _, granted := result.(as.Granted); err == nil && !granted {
			b.Errorf("the answer is %T", result)
		}
		return err
	})
}
