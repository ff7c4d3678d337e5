package as

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// A permission ticket has one of two forms, and its length tells which:
//
//	sealed   AES-GCM over what was asked; no row until it is presented, then a
//	         row that is inserted spent. Only the first ticket of a process.
//	stored   256 random bits; a row from the start, spent by one conditional
//	         write. Every ticket after the first, and large first ones.

// sealedTicket is the content of a sealed ticket.
type sealedTicket struct {
	Space          SpaceID
	ResourceServer oauth.ClientID
	Permissions    []uma.Permission
	ExpiresAt      time.Time
}

func (s *Server) sealTicket(t sealedTicket) uma.Ticket {
	return uma.Ticket(encode(s.vault.seal(anTicket, t.marshal())))
}

func (s *Server) storeTicket(tx Tx, p ProcessID, expires time.Time) (uma.Ticket, error) {
	secret := s.vault.bearer()
	err := tx.InsertTicket(Ticket{Digest: s.vault.digest(anTicket, secret), Process: p, ExpiresAt: expires})
	return uma.Ticket(secret), err
}

// The ways in which presenting a ticket fails. The client hears invalid_grant
// for each; the history tells them apart.
var (
	errTicketUnknown  = errors.New("as: no such ticket, or expired")
	errTicketReplayed = errors.New("as: ticket presented before")
	errTicketMisused  = errors.New("as: ticket of another client")
)

var errInvalidTicket = uma.NewError(uma.InvalidGrant, "The permission ticket is unknown, expired, used before, or was issued to another client.")

// presentTicket spends a ticket and returns its process, bound to the client
// that presented it. With errTicketReplayed and errTicketMisused the process
// is the one concerned. The ticket stays spent whatever the error.
func (s *Server) presentTicket(tx Tx, ticket uma.Ticket, client oauth.ClientID) (Process, error) {
	raw, ok := decode(string(ticket))
	if !ok || len(raw) < bearerBytes {
		return Process{}, errTicketUnknown
	}
	digest := s.vault.digest(anTicket, string(ticket))
	if len(raw) == bearerBytes {
		return s.presentStored(tx, digest, client)
	}
	return s.presentSealed(tx, raw, digest, client)
}

func (s *Server) presentSealed(tx Tx, raw []byte, digest Digest, client oauth.ClientID) (Process, error) {
	plain, err := s.vault.open(anTicket, raw)
	if err != nil {
		return Process{}, errTicketUnknown
	}
	var t sealedTicket
	if err := t.unmarshal(plain); err != nil {
		return Process{}, errTicketUnknown
	}
	now := s.now()
	if !now.Before(t.ExpiresAt) {
		return Process{}, errTicketUnknown
	}
	p := Process{
		ID: ProcessID(s.vault.id(now)), Space: t.Space, ResourceServer: t.ResourceServer, Client: client,
		Permissions: t.Permissions, CreatedAt: now, ExpiresAt: t.ExpiresAt,
	}
	err = tx.InsertTicket(Ticket{Digest: digest, Process: p.ID, ExpiresAt: t.ExpiresAt, SpentAt: now})
	if errors.Is(err, ErrExists) {
		return s.replayed(tx, digest)
	}
	if err != nil {
		return Process{}, err
	}
	return p, tx.InsertProcess(p)
}

func (s *Server) presentStored(tx Tx, digest Digest, client oauth.ClientID) (Process, error) {
	t, err := tx.SpendTicket(digest, s.now())
	if errors.Is(err, ErrNotFound) {
		return s.replayed(tx, digest)
	}
	if err != nil {
		return Process{}, err
	}
	p, err := tx.Process(t.Process)
	if errors.Is(err, ErrNotFound) {
		return Process{}, errTicketUnknown
	}
	if err != nil {
		return Process{}, err
	}
	err = tx.BindProcess(p.ID, client)
	if errors.Is(err, ErrNotFound) {
		return p, errTicketMisused
	}
	p.Client = client
	return p, err
}

// replayed tells a ticket that was spent from one that never was.
func (s *Server) replayed(tx Tx, digest Digest) (Process, error) {
	t, err := tx.Ticket(digest)
	if errors.Is(err, ErrNotFound) || err == nil && t.SpentAt.IsZero() {
		return Process{}, errTicketUnknown
	}
	if err != nil {
		return Process{}, err
	}
	p, err := tx.Process(t.Process)
	if errors.Is(err, ErrNotFound) {
		return Process{}, errTicketUnknown
	}
	if err != nil {
		return Process{}, err
	}
	return p, errTicketReplayed
}

// noteMisuse writes down what a bad presentation tells and draws the
// consequence the operator chose (Grant 5.5). It returns invalid_grant, or the
// error of the store.
func (s *Server) noteMisuse(tx Tx, p Process, cause error, client oauth.ClientID) (*uma.Error, error) {
	refusal := errInvalidTicket.Because(cause)
	switch {
	case errors.Is(cause, errTicketUnknown):
		return refusal, nil
	case errors.Is(cause, errTicketMisused):
		return refusal, s.record(tx, p.Space, EventTicketMisused, string(client), string(p.ID), nil)
	case errors.Is(cause, errTicketReplayed):
		revoke := s.RevokeOnReplay && p.Grant != ""
		if revoke {
			// What it led to may have ended and been swept away since.
			if err := tx.RevokeGrant(p.Grant, s.now()); err != nil && !errors.Is(err, ErrNotFound) {
				return nil, err
			}
		}
		return refusal, s.record(tx, p.Space, EventTicketReplayed, string(client), string(p.ID), detail{"revoked": revoke})
	default:
		return nil, cause
	}
}

// marshal writes the content in a short form: a ticket travels in a header.
func (t sealedTicket) marshal() []byte {
	b := []byte{sealedTicketVersion}
	b = binary.AppendUvarint(b, uint64(t.ExpiresAt.UnixMilli()))
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	text(string(t.Space))
	text(string(t.ResourceServer))
	b = binary.AppendUvarint(b, uint64(len(t.Permissions)))
	for _, p := range t.Permissions {
		text(string(p.Resource))
		b = binary.AppendUvarint(b, uint64(len(p.Scopes)))
		for _, scope := range p.Scopes {
			text(string(scope))
		}
	}
	return b
}

const sealedTicketVersion = 1

var errTicketForm = errors.New("as: not a sealed ticket of this version")

// unmarshal reads what marshal wrote. The content is authentic, since it was
// sealed by this server, but perhaps of another version.
func (t *sealedTicket) unmarshal(b []byte) error {
	if len(b) == 0 || b[0] != sealedTicketVersion {
		return errTicketForm
	}
	b = b[1:]
	var bad bool
	number := func() uint64 {
		n, size := binary.Uvarint(b)
		if size <= 0 {
			bad = true
			return 0
		}
		b = b[size:]
		return n
	}
	text := func() string {
		n := number()
		if bad || n > uint64(len(b)) {
			bad = true
			return ""
		}
		s := string(b[:n])
		b = b[n:]
		return s
	}
	t.ExpiresAt = time.UnixMilli(int64(number())).UTC()
	t.Space = SpaceID(text())
	t.ResourceServer = oauth.ClientID(text())
	for n := number(); n > 0 && !bad; n-- {
		p := uma.Permission{Resource: uma.ResourceID(text()), Scopes: []uma.Scope{}}
		for m := number(); m > 0 && !bad; m-- {
			p.Scopes = append(p.Scopes, uma.Scope(text()))
		}
		t.Permissions = append(t.Permissions, p)
	}
	if bad || len(b) > 0 {
		return errTicketForm
	}
	return nil
}
