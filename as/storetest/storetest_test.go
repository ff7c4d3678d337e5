package storetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/as/storetest"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/store/sqlite"
	"github.com/licet/licet/uma"
)

// breakage is a mistake that stores are known to make, and the rule that has to
// notice it.
type breakage struct {
	rule   string
	broken func(as.Store) as.Store
}

var breakages = map[string]breakage{
	"none": {"", func(s as.Store) as.Store { return s }},
	"looks whether a ticket is spent before it spends it": {"a ticket is spent once", func(s as.Store) as.Store {
		return &naive{Store: s, spent: map[string]bool{}}
	}},
	"keeps what a failed Update wrote": {"an Update that fails leaves nothing and returns its error", func(s as.Store) as.Store {
		return keeping{s}
	}},
	"reads without a snapshot": {"a View stays on its snapshot", func(s as.Store) as.Store {
		return reading{s, func(r as.Reader) as.Reader { return fresh{r, s} }}
	}},
	"finds a resource whatever its resource server": {"nothing of another space or resource server is read", func(s as.Store) as.Store {
		return reading{s, func(r as.Reader) as.Reader { return serverless{r} }}
	}},
	"forgets whether a share is dormant": {"a permission is read with what has become of its share", func(s as.Store) as.Store {
		return reading{s, func(r as.Reader) as.Reader { return undying{r} }}
	}},
	"forgets who is in a group": {"a permission is read with what has become of its member", func(s as.Store) as.Store {
		return reading{s, func(r as.Reader) as.Reader { return inseparable{r} }}
	}},
	"spends at the instant of expiry": {"what is spent at the instant it expires has expired", func(s as.Store) as.Store {
		return writing{s, func(tx as.Tx) as.Tx { return late{tx} }}
	}},
	"takes a key twice": {"of many who insert a key one does", func(s as.Store) as.Store {
		return writing{s, func(tx as.Tx) as.Tx { return careless{tx} }}
	}},
	"forgets a field": {"every field of every record is read back as it was written", func(s as.Store) as.Store {
		return writing{s, func(tx as.Tx) as.Tx { return forgetful{tx} }}
	}},
	"keeps changes to itself": {"every watcher hears of a change before its Update returns", func(s as.Store) as.Store {
		return silent{s}
	}},
	"has no time": {"the store's time goes on, and is about that of this machine", func(s as.Store) as.Store {
		return timeless{s}
	}},
	"lets an import go on from anywhere": {"an import goes on from where it is", func(s as.Store) as.Store {
		return writing{s, func(tx as.Tx) as.Tx { return leaping{tx} }}
	}},
	"does not revoke": {"what a revoked client was given has ended, and what it is given then has not", func(s as.Store) as.Store {
		return writing{s, func(tx as.Tx) as.Tx { return lenient{tx} }}
	}},
	"counts on and on": {"a count ends at its most, whoever counts", func(s as.Store) as.Store {
		return writing{s, func(tx as.Tx) as.Tx { return endless{tx} }}
	}},
	"delivers a message twice": {"of many who claim a message one does", func(s as.Store) as.Store {
		return writing{s, func(tx as.Tx) as.Tx { return eager{tx} }}
	}},
	"forgets how often something was used": {"a use is read back as it was written, and uses alike add up", func(s as.Store) as.Store {
		return writing{s, func(tx as.Tx) as.Tx { return once{tx} }}
	}},
	"sweeps what lives": {"a sweep deletes what has ended and nothing that lives", func(s as.Store) as.Store {
		return writing{s, func(tx as.Tx) as.Tx { return sweeper{tx} }}
	}},
}

// breakageName tells the test that it is the one with a broken store.
const breakageName = "LICET_TEST_BREAKAGE"

// The control of the law: the test runs itself with stores that make mistakes,
// and the rule that is against the mistake has to fail.
func TestTheLawNoticesBrokenStores(t *testing.T) {
	if name := os.Getenv(breakageName); name != "" {
		storetest.Run(t, func(t *testing.T, dir string) as.Store {
			s, err := sqlite.Open(context.Background(), filepath.Join(dir, "licet.db"))
			if err != nil {
				t.Fatal(err)
			}
			return breakages[name].broken(s)
		})
		return
	}
	for name, b := range breakages {
		t.Run(name, func(t *testing.T) {
			out, err := judge(name, b.rule)
			failed := strings.Contains(out, "--- FAIL: TestTheLawNoticesBrokenStores/"+strings.ReplaceAll(b.rule, " ", "_"))
			switch {
			case b.rule == "" && err != nil:
				t.Errorf("a sound store: %v\n%s", err, out)
			case b.rule != "" && (err == nil || !failed || strings.Contains(out, "panic:")):
				t.Errorf("the rule %q does not notice it: %v\n%s", b.rule, err, out)
			}
		})
	}
}

// judge holds the store with a breakage against one rule; "" is the whole law.
func judge(name, rule string) (string, error) {
	pattern := "^TestTheLawNoticesBrokenStores$"
	if rule != "" {
		pattern += "/^" + regexp.QuoteMeta(rule) + "$"
	}
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run="+pattern)
	cmd.Env = append(os.Environ(), breakageName+"="+name)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// reading and writing change what Views and Updates are given.
type reading struct {
	as.Store
	change func(as.Reader) as.Reader
}

func (s reading) View(ctx context.Context, f func(as.Reader) error) error {
	return s.Store.View(ctx, func(r as.Reader) error { return f(s.change(r)) })
}

type writing struct {
	as.Store
	change func(as.Tx) as.Tx
}

func (s writing) Update(ctx context.Context, f func(as.Tx) error) error {
	return s.Store.Update(ctx, func(tx as.Tx) error { return f(s.change(tx)) })
}

// silent tells nobody.
type silent struct{ as.Store }

func (silent) Watch(func([]as.Change)) {}

// naive looks first and spends then: what it saw may be old by then.
type naive struct {
	as.Store
	mu    sync.Mutex
	spent map[string]bool
}

func (s *naive) Update(ctx context.Context, f func(as.Tx) error) error {
	s.mu.Lock()
	seen := make(map[string]bool, len(s.spent))
	for d := range s.spent {
		seen[d] = true
	}
	s.mu.Unlock()
	time.Sleep(20 * time.Millisecond) // what was seen grows old in any case
	tried := &looker{seen: seen}
	err := s.Store.Update(ctx, func(tx as.Tx) error {
		tried.Tx = tx
		return f(tried)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range tried.spends {
		s.spent[d] = s.spent[d] || err == nil
	}
	return err
}

type looker struct {
	as.Tx
	seen   map[string]bool
	spends []string
}

func (l *looker) SpendTicket(d as.Digest, now time.Time) (as.Ticket, error) {
	if l.seen[string(d)] {
		return as.Ticket{}, as.ErrNotFound
	}
	if _, err := l.Tx.SpendTicket(d, now); err != nil && !errors.Is(err, as.ErrNotFound) {
		return as.Ticket{}, err
	}
	t, err := l.Ticket(d)
	t.SpentAt = time.Time{}
	l.spends = append(l.spends, string(d))
	return t, err
}

type timeless struct{ as.Store }

func (timeless) Now() time.Time { return time.Time{} }

type keeping struct{ as.Store }

func (s keeping) Update(ctx context.Context, f func(as.Tx) error) error {
	var own error
	err := s.Store.Update(ctx, func(tx as.Tx) error { own = f(tx); return nil })
	return errors.Join(own, err)
}

type fresh struct {
	as.Reader
	store as.Store
}

func (r fresh) Space(id as.SpaceID) (space as.Space, err error) {
	err = r.store.View(context.Background(), func(r as.Reader) (err error) {
		space, err = r.Space(id)
		return err
	})
	return space, err
}

type serverless struct{ as.Reader }

func (r serverless) Resource(space as.SpaceID, _ oauth.ClientID, id uma.ResourceID) (as.Resource, error) {
	return r.ResourceInSpace(space, id)
}

type undying struct{ as.Reader }

func (r undying) PermissionsOf(g as.Grant) ([]as.PermissionState, error) {
	list, err := r.Reader.PermissionsOf(g)
	for i := range list {
		list[i].ShareLive = true
	}
	return list, err
}

type inseparable struct{ as.Reader }

func (r inseparable) PermissionsOf(g as.Grant) ([]as.PermissionState, error) {
	list, err := r.Reader.PermissionsOf(g)
	for i := range list {
		list[i].MemberLive = true
	}
	return list, err
}

type late struct{ as.Tx }

func (tx late) SpendCode(d as.Digest, now time.Time) (as.Code, error) {
	return tx.Tx.SpendCode(d, now.Add(-time.Millisecond))
}

type careless struct{ as.Tx }

func (tx careless) InsertTicket(t as.Ticket) error {
	if err := tx.Tx.InsertTicket(t); !errors.Is(err, as.ErrExists) {
		return err
	}
	return nil
}

type forgetful struct{ as.Tx }

func (tx forgetful) InsertGrant(g as.Grant) error {
	g.AuthTime = time.Time{}
	return tx.Tx.InsertGrant(g)
}

type sweeper struct{ as.Tx }

func (tx sweeper) Sweep(before time.Time, limit int) (int, error) {
	return tx.Tx.Sweep(before.Add(time.Millisecond), limit)
}

type eager struct{ as.Tx }

func (tx eager) ClaimMessage(id as.MessageID, now, again time.Time) error {
	if err := tx.Tx.ClaimMessage(id, now, again); !errors.Is(err, as.ErrNotFound) {
		return err
	}
	_, err := tx.Message(id)
	return err
}

type leaping struct{ as.Tx }

func (tx leaping) AdvanceImported(i as.Imported, _ int64) error {
	was, err := tx.Imported(i.Name)
	if err != nil {
		return err
	}
	return tx.Tx.AdvanceImported(i, was.Rows)
}

// endless counts whatever the most is.
type endless struct{ as.Tx }

func (tx endless) CountUp(d as.Digest, _ int64, now, until time.Time) (as.Count, error) {
	return tx.Tx.CountUp(d, 1<<40, now, until)
}

// lenient only looks whether there is such a client.
type lenient struct{ as.Tx }

func (tx lenient) RevokeClient(id oauth.ClientID) error {
	_, err := tx.Client(id)
	return err
}

// once adds one use however many there were.
type once struct{ as.Tx }

func (tx once) AddUse(u as.Use) error {
	u.N = min(u.N, 1)
	return tx.Tx.AddUse(u)
}
