package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/store/sqlite"
)

// victimDir tells the test that it is the victim, and where its data are.
const victimDir = "LICET_TEST_VICTIM_DIR"

var killTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// The test runs itself as a victim that writes, spends, and says so when it was
// acknowledged; kills it at a random moment; and looks at what is left. It goes
// on with the same data, so that later cycles find what earlier ones left.
func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	dir := os.Getenv(victimDir)
	if dir != "" {
		victim(t, dir)
		return
	}
	kills := 20
	if testing.Short() {
		kills = 5
	}
	dir = t.TempDir()
	acknowledged := map[string]bool{} // "inserted ID" and "spent ID"
	for cycle := range kills {
		for _, line := range killOne(t, dir, cycle) {
			acknowledged[line] = true
		}
		s := openStore(t, dir)
		verify(t, s, acknowledged)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d acknowledgements in %d kills", len(acknowledged), kills)
	if len(acknowledged) < kills {
		t.Errorf("only %d acknowledgements: too little to lose", len(acknowledged))
	}
}

// killOne runs a victim, kills it some time after its first word, and returns
// what it said.
func killOne(t *testing.T, dir string, cycle int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestWhatWasAcknowledgedSurvivesAKill$")
	cmd.Env = append(os.Environ(), victimDir+"="+dir, fmt.Sprintf("LICET_TEST_CYCLE=%d", cycle))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if said = append(said, lines.Text()); len(said) == 1 {
			time.AfterFunc(time.Duration(rand.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("the victim was not killed: %v\n%s", err, strings.Join(said, "\n"))
	}
	return said
}

// victim writes until it is killed. Each Update that inserts a ticket appends
// an event about it, so that half an Update would show.
func victim(t *testing.T, dir string) {
	s := openStore(t, dir)
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprintf("%s-%d-%d", os.Getenv("LICET_TEST_CYCLE"), w, n)
				for _, step := range []struct {
					word string
					do   func(as.Tx) error
				}{{"inserted", insertKillTicket(id)}, {"spent", spendKillTicket(id)}} {
					if err := s.Update(context.Background(), step.do); err != nil {
						t.Error(err)
						return
					}
					fmt.Printf("%s %s\n", step.word, id)
				}
			}
		})
	}
	all.Wait()
}

func insertKillTicket(id string) func(as.Tx) error {
	return func(tx as.Tx) error {
		seq, _, err := tx.HistoryHead("")
		if err != nil && !errors.Is(err, as.ErrNotFound) {
			return err
		}
		return errors.Join(
			tx.InsertTicket(as.Ticket{Digest: as.Digest(id), Process: as.ProcessID(id), ExpiresAt: killTime}),
			tx.AppendEvent(as.Event{Seq: seq + 1, Subject: id, Hash: []byte{1}}),
		)
	}
}

func spendKillTicket(id string) func(as.Tx) error {
	return func(tx as.Tx) error {
		_, err := tx.SpendTicket(as.Digest(id), killTime.Add(-time.Hour))
		return err
	}
}

// verify checks that everything acknowledged is there, that what was spent
// cannot be spent again, and that no Update is there by half.
func verify(t *testing.T, s *sqlite.Store, acknowledged map[string]bool) {
	t.Helper()
	told := map[string]bool{}
	err := s.View(context.Background(), func(r as.Reader) error {
		events, err := r.Events("", 0, 1<<30)
		for i, e := range events {
			told[e.Subject] = true
			if _, err := r.Ticket(as.Digest(e.Subject)); err != nil {
				t.Errorf("event %d is there, its ticket is not: %v", i, err)
			}
			if e.Seq != int64(i)+1 {
				t.Errorf("event %d has the number %d", i, e.Seq)
			}
		}
		for line := range acknowledged {
			word, id, _ := strings.Cut(line, " ")
			ticket, err := r.Ticket(as.Digest(id))
			if err != nil || !told[id] || word == "spent" && ticket.SpentAt.IsZero() {
				t.Errorf("%s was acknowledged: error %v, event %v, spent at %v", line, err, told[id], ticket.SpentAt)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for line := range acknowledged {
		if id, spent := strings.CutPrefix(line, "spent "); spent {
			if err := s.Update(context.Background(), spendKillTicket(id)); !errors.Is(err, as.ErrNotFound) {
				t.Errorf("what was spent before the kill was spent again: %v", err)
			}
			return // one for each kill will do
		}
	}
}
