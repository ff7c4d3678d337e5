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
