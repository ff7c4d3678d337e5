package postgres_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/pgtest"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// What is put off is carried out as it was said: nothing has to run again, and
// everything is there, of every kind and more of it than one statement takes.
func TestWhatIsPutOffRunsOnce(t *testing.T) {
	s := openNode(t, pgtest.Database(t))
	const many = 1100
	ran, now := 0, time.UnixMilli(1_700_000_000_000).UTC()
	err := s.Update(t.Context(), func(tx as.Tx) error {
		ran++
		for i := range many {
			id := fmt.Sprint("'\"{}\\,", i)
			err := errors.Join(
				tx.InsertSpace(as.Space{ID: as.SpaceID(id), Name: id, CreatedAt: now}),
				tx.InsertProcess(as.Process{ID: as.ProcessID(id), Remember: i%2 == 0, ExpiresAt: now}),
				tx.InsertTicket(as.Ticket{Digest: as.Digest(id), ExpiresAt: now}),
				tx.Issue(as.Grant{
					ID: as.GrantID("g" + id), Kind: as.GrantUMA, Space: as.SpaceID(id), CreatedAt: now, Renewable: true,
					Permissions: []as.Permission{{Scopes: []uma.Scope{"view"}, Share: policy.ShareID(id)}},
				}, as.AccessToken{Digest: as.Digest("g" + id), ExpiresAt: now}),
				tx.InsertAccessToken(as.AccessToken{Digest: as.Digest(id), Grant: as.GrantID(id), ExpiresAt: now}),
				tx.InsertRefreshToken(as.RefreshToken{Digest: as.Digest(id), Grant: as.GrantID(id), ExpiresAt: now}),
				tx.InsertPCT(as.PCT{Digest: as.Digest(id), ExpiresAt: now}),
				tx.AppendEvent(as.Event{Space: as.SpaceID(id), Seq: 1, Hash: []byte{byte(i)}}),
				tx.AddGrantUse(as.GrantUse{Grant: as.GrantID(fmt.Sprint(i % 3)), N: 1, LastAt: now}),
			)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || ran != 1 {
		t.Fatalf("it ran %d times: %v", ran, err)
	}
	err = s.View(t.Context(), func(r as.Reader) error {
		for i := range many {
			id := fmt.Sprint("'\"{}\\,", i)
			p, err := r.Process(as.ProcessID(id))
			if err != nil || p.Remember != (i%2 == 0) || p.Claims != nil || !p.ExpiresAt.Equal(now) {
				t.Fatalf("process %d is %+v: %v", i, p, err)
			}
			g, err := r.GrantState(as.GrantID("g" + id))
			if err != nil || len(g.Permissions) != 1 || g.Permissions[0].Share != policy.ShareID(id) || len(g.Permissions[0].Scopes) != 1 {
				t.Fatalf("grant %d is %+v: %v", i, g, err)
			}
			seq, hash, err := r.HistoryHead(as.SpaceID(id))
			if err != nil || seq != 1 || hash[0] != byte(i) {
				t.Fatalf("head %d is %d %x: %v", i, seq, hash, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A newer node may add a column to a table while an older one writes to it. What the
// older one puts off has to run again once, because its rows are not the table's any
// more; then they are again.
func TestWhatIsPutOffOutlastsANewColumn(t *testing.T) {
	database := pgtest.Database(t)
	s := openNode(t, database)
	now, n := time.UnixMilli(1_700_000_000_000).UTC(), 0
	runs := func() (ran int) {
		t.Helper()
		n++
		err := s.Update(t.Context(), func(tx as.Tx) error {
			ran++
			return tx.InsertAccessToken(as.AccessToken{Digest: as.Digest(fmt.Sprint(n)), ExpiresAt: now})
		})
		if err != nil {
			t.Fatal(err)
		}
		return ran
	}
	if ran := runs(); ran != 1 {
		t.Errorf("at first it ran %d times", ran)
	}
	pgtest.Exec(t, database, "alter table access_tokens add column something text not null default 'new'", "alter table access_tokens drop column something",
		"alter table access_tokens add column another bigint not null default 7")
	if ran := runs(); ran != 2 {
		t.Errorf("after another column was added it ran %d times", ran)
	}
	if ran := runs(); ran != 1 {
		t.Errorf("then it ran %d times", ran)
	}
	err := s.View(t.Context(), func(r as.Reader) error {
		for i := range n {
			if a, err := r.AccessToken(as.Digest(fmt.Sprint(i + 1))); err != nil || !a.ExpiresAt.Equal(now) {
				t.Errorf("token %d is %+v: %v", i+1, a, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
