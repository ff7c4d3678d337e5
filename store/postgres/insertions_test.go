package postgres_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/pgtest"
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
				tx.InsertGrant(as.Grant{ID: as.GrantID(id), Kind: as.GrantUMA, Space: as.SpaceID(id), CreatedAt: now}),
				tx.InsertPermission(as.Permission{ID: as.PermissionID(id), Grant: as.GrantID(id), Scopes: []uma.Scope{"view"}}),
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
			permissions, err := r.PermissionsOf(as.GrantID(id))
			if err != nil || len(permissions) != 1 || len(permissions[0].Scopes) != 1 {
				t.Fatalf("permissions %d are %+v: %v", i, permissions, err)
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
