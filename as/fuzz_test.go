package as_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
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

// FuzzImport: whatever file is imported, it is taken or it is told what is wrong
// with a row of it; the server is never at fault, and the permissions of those who
// are there already stay what they are.
func FuzzImport(f *testing.F) {
	w := newWorld(f)
	album := w.register(w.alice1, "album", "view")
	for row := range strings.Lines(smallImport) {
		f.Add(row)
	}
	f.Add(smallImport)
	f.Add(`{"kind":"resource","owner":"alice@example.com","resource_server":"rs1","description":{"resource_scopes":["view"]},"shares":[{"resource_id":"` + string(album) + `","resource_scopes":["view"],"anyone":true}]}`)
	f.Add(`{"kind":"account","email":"\u212aate@example.org"}`)
	f.Fuzz(func(t *testing.T, text string) {
		_, _, err := w.importAll("fuzz "+base64.RawURLEncoding.EncodeToString(random(12)), text)
		var row *as.RowError
		var refused *uma.Error
		if err != nil && !errors.As(err, &row) && !errors.As(err, &refused) && !errors.Is(err, bufio.ErrTooLong) {
			t.Errorf("%q: %v", text, err)
		}
		ticket, err := w.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(album, "view")})
		if err != nil {
			t.Fatal(err)
		}
		result, err := w.Redeem(w.ctx, w.c1, with(ticket), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, granted := result.(as.Granted); granted {
			t.Errorf("%q opens what is somebody's", text)
		}
	})
}

// FuzzCursor: whatever comes as the cursor of a list, it opens to a key that was
// sealed for this list and owner, or to none.
//
// Proves SEC-114.
func FuzzCursor(f *testing.F) {
	w := newWorld(f, func(c *as.Config) {
		c.Secrets = as.Secrets{Digest: bytes.Repeat([]byte{1}, 32), Seal: [][]byte{bytes.Repeat([]byte{2}, 32)}}
	})
	owner, other := as.Owner{Space: "space", Account: "account"}, as.Owner{Space: "another", Account: "account"}
	good := w.Cursor(owner, "policies", "key")
	for _, cursor := range []string{good, w.Cursor(other, "policies", "key of another"), w.Cursor(owner, "requests", "key of another list"), good[1:], good + "=", good + "A", "key", "\x00", "é"} {
		f.Add(cursor)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		after, err := w.OpenCursor(owner, "policies", cursor)
		switch {
		case err != nil:
			wantCode(t, err, uma.InvalidRequest)
			if after != "" {
				t.Errorf("%q is refused, and opens to %q", cursor, after)
			}
		case cursor == "" && after == "", after == "key": // the good one of this process, or of the one that fuzzes
		default:
			t.Errorf("%q, which nobody sealed, opens to %q", cursor, after)
		}
	})
}
