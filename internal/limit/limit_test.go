package limit

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var begin = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func party(n int) Party { return Party{Who: strconv.Itoa(n), Where: "here"} }

func TestABudgetIsUsedUpAndComesBackWithTime(t *testing.T) {
	b, now, p := New(Rate{Count: 3, Per: time.Minute}), begin, party(1)
	if b.Look(p, now) != (Answer{}) {
		t.Error("a party that did nothing is refused")
	}
	for n := range 3 {
		if a := b.Spend(p, now); a != (Answer{}) {
			t.Fatalf("spending number %d: %+v", n+1, a)
		}
	}
	if a := b.Look(p, now); a.Wait != 20*time.Second {
		t.Errorf("with nothing left: %+v, want to wait 20s", a)
	}
	if a := b.Spend(p, now.Add(19*time.Second)); a.Wait <= 0 {
		t.Error("one more was there too early")
	}
	now = now.Add(20 * time.Second)
	if b.Look(p, now).Wait != 0 || b.Spend(p, now).Wait != 0 {
		t.Error("one more was not there in time")
	}
	if b.Spend(p, now).Wait == 0 {
		t.Error("there was more than one more")
	}
	if b.Spend(party(2), now).Wait != 0 || b.Spend(Party{Who: "1", Where: "elsewhere"}, now).Wait != 0 {
		t.Error("another party pays for it")
	}
}

func TestLookingTakesNothing(t *testing.T) {
	b := New(Rate{Count: 1, Per: time.Minute})
	for range 100 {
		if b.Look(party(1), begin) != (Answer{}) {
			t.Fatal("refused for looking")
		}
	}
	if b.Spend(party(1), begin) != (Answer{}) {
		t.Error("looking took the budget")
	}
}

func TestWhatIsOffRefusesNothing(t *testing.T) {
	b := New(Off)
	for range 10_000 {
		if b.Spend(party(1), begin) != (Answer{}) || b.Look(party(1), begin) != (Answer{}) {
			t.Fatal("refused")
		}
	}
}

// Proves SEC-125. However many parties there are, so many are kept; and none of
// them gets its empty budget back because the others come.
func TestManyPartiesNeitherFillTheMemoryNorEmptyIt(t *testing.T) {
	b := New(Rate{Count: 5, Per: time.Hour})
	var empty []Party
	for n := range 100 {
		empty = append(empty, party(-n-1))
		for range 5 {
			b.Spend(empty[n], begin)
		}
	}
	for n := range 4 * Parties {
		if b.Spend(party(n), begin.Add(time.Duration(n)*time.Microsecond)).Wait != 0 {
			t.Fatal("a new party is refused")
		}
	}
	kept := 0
	for i := range b.shards {
		kept += len(b.shards[i].budgets)
		if len(b.shards[i].budgets) != len(b.shards[i].order) {
			t.Error("the map and the order have not the same budgets")
		}
	}
	if kept > Parties || kept < Parties/2 {
		t.Errorf("%d are kept, at most %d should be", kept, Parties)
	}
	for _, p := range empty {
		if b.Look(p, begin.Add(time.Second)).Wait == 0 {
			t.Fatalf("%v has its budget back", p)
		}
	}
}

func TestOfManyAtOnceNoMoreThanTheBudgetGoOn(t *testing.T) {
	b := New(Rate{Count: 50, Per: time.Hour})
	var went atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 100 {
				if b.Spend(party(1), begin).Wait == 0 {
					went.Add(1)
				}
			}
		})
	}
	all.Wait()
	if went.Load() != 50 {
		t.Errorf("%d went on, want 50", went.Load())
	}
}

func TestARefusedPartyIsToldOfOnceAMinuteWithHowOften(t *testing.T) {
	b, now := New(Rate{Count: 1, Per: time.Hour}), begin
	b.Spend(party(1), now)
	if a := b.Look(party(1), now); a.Refused != 1 {
		t.Errorf("the first refusal: %+v", a)
	}
	for range 9 {
		now = now.Add(time.Second)
		if a := b.Spend(party(1), now); a.Refused != 0 {
			t.Errorf("told again: %+v", a)
		}
	}
	if a := b.Look(party(1), begin.Add(time.Minute)); a.Refused != 10 {
		t.Errorf("after a minute: %+v, want 10", a)
	}
}

// Good traffic pays for a look and nothing else.
func TestLookingAllocatesNothing(t *testing.T) {
	b, p := New(Rate{Count: 5, Per: time.Hour}), party(1)
	for _, known := range []bool{false, true} {
		if known {
			b.Spend(p, begin)
		}
		if n := testing.AllocsPerRun(100, func() { b.Look(p, begin) }); n != 0 {
			t.Errorf("known %v: %v allocations", known, n)
		}
	}
}

// Whenever a party comes, it is never given more than what it had at first and
// what has come since.
func TestNoSequenceGetsMoreThanItsRate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := Rate{Count: rapid.IntRange(1, 20).Draw(rt, "count"), Per: time.Duration(rapid.IntRange(1, 100).Draw(rt, "seconds")) * time.Second}
		b, now, given := New(r), begin, 0
		for range rapid.IntRange(1, 200).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(rt, "ms")) * time.Millisecond)
			a := b.Spend(party(1), now)
			if a.Wait == 0 {
				given++
			} else if b.Look(party(1), now.Add(a.Wait)).Wait > time.Microsecond {
				rt.Fatalf("having waited %v it has to wait again", a.Wait)
			}
			most := float64(r.Count) + now.Sub(begin).Seconds()*float64(r.Count)/r.Per.Seconds()
			if float64(given) > most+1e-6 {
				rt.Fatalf("%d given, %v allowed", given, most)
			}
		}
	})
}

func TestARateIsANumberAndADuration(t *testing.T) {
	for text, want := range map[string]Rate{"600/1m": {600, time.Minute}, "1/24h": {1, 24 * time.Hour}, "off": Off, "0": Off} {
		if got, err := Parse(text); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "600", "/1m", "600/", "-1/1m", "600/-1m", "600/0s", "0/1m", "1.5/1m", "600/m", "99999999999/1m", "OFF", "600/1m/1"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
	if (Rate{}).Or(Off) != Off || Off.Or(Rate{1, 1}) != Off {
		t.Error("only the zero value leaves the choice")
	}
}
