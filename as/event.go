package as

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The kinds of event. They are written in the transaction that does what they
// tell.
const (
	EventResourceRegistered   = "resource_registered"
	EventResourceUpdated      = "resource_updated"
	EventResourceDeregistered = "resource_deregistered"
	EventPATIssued            = "pat_issued"
	EventConnectionEnded      = "connection_ended"
	EventShareCreated         = "share_created"
	EventShareReplaced        = "share_replaced"
	EventShareWithdrawn       = "share_withdrawn"
	EventShareRestored        = "share_restored"   // a wish of before was made again; subject: the share that it is now
	EventSharesWithdrawn      = "shares_withdrawn" // several at once; see Target
	EventRequestSubmitted     = "request_submitted"
	EventRequestApproved      = "request_approved"
	EventRequestDenied        = "request_denied"
	EventPermissionGranted    = "permission_granted"
	EventPermissionRefused    = "permission_refused"
	EventTokenRevoked         = "token_revoked"
	EventTicketReplayed       = "ticket_replayed"
	EventTicketMisused        = "ticket_misused" // presented by another client
	EventCodeReplayed         = "code_replayed"
	EventRefreshReplayed      = "refresh_replayed"
	EventPCTMisused           = "pct_misused"
	EventEverythingStopped    = "everything_stopped"
	EventRoleGranted          = "role_granted"
	EventRoleEnded            = "role_ended"
	EventInvited              = "invited"
	EventUninvited            = "uninvited"
	EventDeclined             = "invitation_declined"
	EventRequestAside         = "request_set_aside"
	EventPartyBlocked         = "party_blocked"
	EventPartyUnblocked       = "party_unblocked"
	EventGroupCreated         = "group_created"
	EventGroupRenamed         = "group_renamed"
	EventGroupDeleted         = "group_deleted"
	EventMemberAdded          = "member_added"
	EventMemberRemoved        = "member_removed"
	EventShareGivenBack       = "share_given_back" // by whom it was for
	EventMemberLeft           = "member_left"      // a group, by themselves
	EventImported             = "imported"
	// Of people, in the server's own history.
	EventPasskeyAdded   = "passkey_added"
	EventPasskeyRemoved = "passkey_removed"
	EventPasskeyCloned  = "passkey_cloned" // its count did not rise
	EventIdentityLinked = "identity_linked"
	EventIdentityGone   = "identity_unlinked"
	EventFirstRun       = "first_run"

	// Of clients, in the server's own history; the last one also in every space that
	// the client was in.
	EventClientRegistered = "client_registered"
	EventClientUpdated    = "client_updated"
	EventClientDeleted    = "client_deleted"

	EventUntold = "untold" // more of a kind that a client causes by what is refused
)

// detail is what an event tells besides its fixed fields. Never a secret.
type detail map[string]any

// grantedDetail is the detail of EventPermissionGranted, of which there are most.
type grantedDetail struct {
	Permissions []grantedThing   `json:"permissions"`
	Process     ProcessID        `json:"process"`
	Reasons     []string         `json:"reasons"`
	Shares      []policy.ShareID `json:"shares"`
	Subject     string           `json:"subject"`
	Upgraded    bool             `json:"upgraded"`
}

// grantedThing is written as uma.Permission is.
type grantedThing struct {
	Resource uma.ResourceID `json:"resource_id"`
	Scopes   []uma.Scope    `json:"resource_scopes"` // never nil
}

// record appends an event to the history of a space. Its detail is a JSON object, or
// nil.
func (s *Server) record(tx Tx, space SpaceID, kind, actor, subject string, d any) error {
	_, err := s.recorded(tx, space, kind, actor, subject, d)
	return err
}

// recorded is record that returns the event's Seq.
func (s *Server) recorded(tx Tx, space SpaceID, kind, actor, subject string, d any) (int64, error) {
	seq, hash, err := tx.HistoryHead(space)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	text, err := json.Marshal(d)
	if err != nil {
		return 0, err
	}
	if string(text) == "null" {
		text = []byte("{}")
	}
	e := Event{
		Space: space, Seq: seq + 1, At: s.now(), Kind: kind, Actor: actor,
		Subject: subject, Detail: string(text), Prev: hash,
	}
	e.Hash = e.sum()
	return e.Seq, tx.AppendEvent(e)
}

// How often what a client is refused is told in a space: of each kind so much in
// that time, which begins with the first.
const (
	refusalsTold = 20
	refusalsIn   = time.Hour
)

// recordRefusal appends an event about something that a client was refused and
// that has changed nothing. Whoever has one used ticket can show it as often as
// they like, so it is told so often; the last of them is EventUntold, which says
// of what kind more may have come, and until when it is not told.
func (s *Server) recordRefusal(tx Tx, space SpaceID, kind, client, subject string, d any) error {
	now := s.now()
	name := "history\x00" + kind + "\x00" + string(space) + "\x00" + client
	c, err := tx.CountUp(s.vault.digest(aCount, name), refusalsTold, now, now.Add(refusalsIn))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case c.N == refusalsTold:
		return s.record(tx, space, EventUntold, client, "", detail{"kind": kind, "until": c.ExpiresAt.Unix()})
	default:
		return s.record(tx, space, kind, client, subject, d)
	}
}

// sum hashes the event and the hash before it. Every field is preceded by its
// length, so that no two events have the same bytes.
func (e Event) sum() []byte {
	all := make([]byte, 0, 1024) // which has room for most
	text := func(s string) {
		all = append(binary.BigEndian.AppendUint64(all, uint64(len(s))), s...)
	}
	number := func(n int64) {
		all = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(all, 8), uint64(n))
	}
	text(string(e.Space))
	number(e.Seq)
	number(e.At.UnixMilli())
	text(e.Kind)
	text(e.Actor)
	text(e.Subject)
	text(e.Detail)
	text(string(e.Prev))
	sum := sha256.Sum256(all)
	return sum[:]
}

// VerifyHistory reads the whole history of a space and reports the first event
// that was changed, removed or put in between.
func (s *Server) VerifyHistory(ctx context.Context, space SpaceID) error {
	return s.Store.View(ctx, func(r Reader) error {
		var prev Event
		for {
			events, err := r.Events(space, prev.Seq, 500)
			if err != nil || len(events) == 0 {
				return err
			}
			for _, e := range events {
				if e.Seq != prev.Seq+1 || string(e.Prev) != string(prev.Hash) || string(e.Hash) != string(e.sum()) {
					return fmt.Errorf("as: the history of space %q is broken at event %d", space, prev.Seq+1)
				}
				prev = e
			}
		}
	})
}
