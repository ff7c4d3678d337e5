package as_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// FuzzPresentTicket: whatever string is presented, only a ticket that was
// issued is one.
//
// Proves SEC-009.
func FuzzPresentTicket(f *testing.F) {
	w := newWorld(f, func(c *as.Config) {
		// The same keys in every process, so that what the fuzzer keeps stays
		// meaningful.
		c.Secrets = as.Secrets{Digest: bytes.Repeat([]byte{1}, 32), Seal: [][]byte{bytes.Repeat([]byte{2}, 32), bytes.Repeat([]byte{3}, 32)}}
	})
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	issued := map[string]bool{}
	issue := func(ticket uma.Ticket) string {
		issued[string(ticket)] = true
		return string(ticket)
	}
	sealed := issue(w.ticket(w.alice1, perm(album, "view")))
	stored := issue(w.storedTicket(w.alice1, perm(album, "view")))
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	w.must(err)
	for _, ticket := range []string{
		"", "A", sealed + "A", sealed[:len(sealed)-1], sealed[:43], stored + "\n", stored[1:], sealed + "=", stored + stored,
		base64.RawURLEncoding.EncodeToString(raw[:16]), base64.RawURLEncoding.EncodeToString(raw[:32]), base64.RawURLEncoding.EncodeToString(raw[:33]),
		base64.RawURLEncoding.EncodeToString(append(raw[:4:4], make([]byte, 60)...)), base64.StdEncoding.EncodeToString(raw), "\x00", "ÿ", "é",
	} {
		f.Add(ticket)
	}
	f.Fuzz(func(t *testing.T, ticket string) {
		if issued[ticket] {
			return
		}
		result, err := w.Redeem(w.ctx, w.c1, with(uma.Ticket(ticket)), "")
		if result != nil {
			t.Errorf("a ticket that nobody issued was answered with %T", result)
		}
		wantCode(t, err, uma.InvalidGrant)
		handle, err := w.BeginInteraction(w.ctx, w.c1, uma.Ticket(ticket), as.Interaction{RedirectURI: callback})
		if handle != "" {
			t.Error("a ticket that nobody issued opened a visit")
		}
		wantCode(t, err, uma.InvalidRequest)
	})
}
