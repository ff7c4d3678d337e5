package main

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// connections is how many keep-alive connections drive a server at once.
const connections = 32

// sample is what one workload cost over a while.
type sample struct {
	ops       int
	elapsed   time.Duration
	cpu       time.Duration
	later     time.Duration // the server's CPU time, behind the sample, for what was put off meanwhile
	allocs    int64
	bytes     int64
	commits   int64
	written   int64
	latencies []time.Duration // of every operation, sorted
	bare      float64         // CPU µs of the yardstick just before
}

// beside takes a sample of a workload with a shorter one of the yardstick just
// before it. What else runs on the machine changes within seconds, and so does
// what its processors can do.
func beside(t *target, w, yardstick workload, length time.Duration) (sample, error) {
	b, err := drive(t, yardstick, length/2)
	if err != nil {
		return sample{}, err
	}
	s, err := drive(t, w, length)
	s.bare = b.cpuMicros()
	return s, err
}

// alone takes a sample of the yardstick itself.
func alone(t *target, w, _ workload, length time.Duration) (sample, error) {
	s, err := drive(t, w, length)
	s.bare = s.cpuMicros()
	return s, err
}

// drive runs a workload on all connections for a while and then says what it
// cost the server. What others have put off is done before.
func drive(t *target, w workload, length time.Duration) (sample, error) {
	if w.prepare != nil { // before anybody connects: the server closes connections that idle
		if err := w.prepare(t); err != nil {
			return sample{}, err
		}
	}
	workers := make([]*worker, connections)
	for i := range workers {
		k, err := newWorker(t)
		if err != nil {
			return sample{}, err
		}
		defer k.close()
		workers[i] = k
	}
	if _, err := t.settle(); err != nil {
		return sample{}, err
	}
	meter := t.used
	if w.local {
		meter = usedHere
	}
	before, err := meter()
	if err != nil {
		return sample{}, err
	}
	begin := time.Now()
	took := make([][]time.Duration, connections)
	failed := make([]error, connections)
	var group sync.WaitGroup
	for i, k := range workers {
		group.Go(func() { took[i], failed[i] = k.repeat(w, begin.Add(length)) })
	}
	group.Wait()
	elapsed := time.Since(begin)
	after, err := meter()
	if err != nil {
		return sample{}, err
	}
	later, err := t.settle()
	if err != nil {
		return sample{}, err
	}
	for i, k := range workers {
		if failed[i] == nil {
			failed[i] = k.check()
		}
	}
	for _, err := range failed {
		if err != nil {
			return sample{}, fmt.Errorf("%s on %s: %w", w.name, t.name(), err)
		}
	}
	s := sample{
		elapsed: elapsed, cpu: after.CPU - before.CPU, later: later, allocs: after.Allocs - before.Allocs, bytes: after.Bytes - before.Bytes,
		commits: after.Commits - before.Commits, written: after.Written - before.Written, latencies: slices.Concat(took...),
	}
	s.ops = len(s.latencies)
	slices.Sort(s.latencies)
	return s, nil
}

func (k *worker) repeat(w workload, until time.Time) ([]time.Duration, error) {
	took := make([]time.Duration, 0, 4096)
	for {
		begin := time.Now()
		if begin.After(until) {
			return took, nil
		}
		if err := w.op(k); errors.Is(err, errNoMore) {
			return took, nil
		} else if err != nil {
			return took, err
		}
		took = append(took, time.Since(begin))
	}
}

// per is a total for each operation; 0 when there was none.
func (s sample) per(total float64) float64 { return total / float64(max(s.ops, 1)) }

func (s sample) cpuMicros() float64 { return s.per(float64(s.cpu) / 1e3) }

func (s sample) rate() float64 { return float64(s.ops) / s.elapsed.Seconds() }

// at is a quantile of the latencies, in milliseconds.
func (s sample) at(quantile float64) float64 {
	if len(s.latencies) == 0 {
		return 0
	}
	i := int(quantile * float64(len(s.latencies)))
	return float64(s.latencies[min(i, len(s.latencies)-1)]) / 1e6
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	if len(v)%2 == 1 {
		return v[len(v)/2]
	}
	return (v[len(v)/2-1] + v[len(v)/2]) / 2
}
