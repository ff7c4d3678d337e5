package as

import (
	"cmp"
	"encoding/binary"
	"errors"
	"time"

	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// A permission ticket has one of two forms, and its length tells which:
//
//	sealed   AES-GCM over what was asked; no row until it is presented, then the
//	         row of its process, or of the grant it leads to at once; the id of either is
//	         made from the ticket, and inserting it is spending the ticket. Only the first ticket of a process.
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

// storeTicket makes the next ticket of a process. With a challenge it is of use
// to nobody but who knows the code_verifier.
func (s *Server) storeTicket(tx Tx, p ProcessID, challenge string, expires time.Time) (uma.Ticket, error) {
	secret := s.vault.bearer()
	err := tx.InsertTicket(Ticket{Digest: s.vault.digest(anTicket, secret), Process: p, CodeChallenge: challenge, ExpiresAt: expires})
	return uma.Ticket(secret), err
}

// The ways in which presenting a ticket fails. The client hears invalid_grant
// for each; the history tells them apart.
var (
	errTicketUnknown  = errors.New("as: no such ticket, or expired")
	errTicketReplayed = errors.New("as: ticket presented before")
	errTicketMisused  = errors.New("as: ticket of another client")
	errTicketUnproved = errors.New("as: ticket without the code_verifier of its challenge")
)

var errInvalidTicket = uma.NewError(uma.InvalidGrant, "The permission ticket is unknown, expired, used before, was issued to another client, or does not go with the code_verifier.")

// noVerifier is what is known where a ticket comes through a browser: a ticket
// that is bound cannot be proved there.
const noVerifier = ""

// presented is the process of a ticket that a client presented. Until it is
// kept, a sealed ticket is not spent.
type presented struct {
	Process
	first bool // by a sealed ticket: there is no row yet
	kept  bool
}

// shown is a ticket that somebody has. A sealed one is open, and is of the
// process that begins with it.
type shown struct {
	ticket  uma.Ticket
	process Process // the zero Process: not sealed, or not by us
}

func (s *Server) openTicket(ticket uma.Ticket) shown {
	unsealed := shown{ticket: ticket}
	raw, ok := decode(string(ticket))
	if !ok || len(raw) <= bearerBytes {
		return unsealed
	}
	plain, err := s.vault.open(anTicket, raw)
	if err != nil {
		return unsealed
	}
	var t sealedTicket
	if err := t.unmarshal(plain); err != nil {
		return unsealed
	}
	return shown{ticket, Process{
		ID:    ProcessID(idOf(t.ExpiresAt, s.vault.digest(anTicket, string(ticket)))),
		Space: t.Space, ResourceServer: t.ResourceServer,
		Permissions: t.Permissions, CreatedAt: s.now(), ExpiresAt: t.ExpiresAt,
	}}
}

// presentTicket returns the process of a ticket, bound to the client that
// presented it. A stored ticket is spent by that, a sealed one by keeping the
// process. With errTicketReplayed, errTicketMisused and errTicketUnproved the
// process is the one concerned.
func (s *Server) presentTicket(tx Tx, t shown, client oauth.ClientID, verifier string) (presented, error) {
	if t.process.ID != "" {
		if !s.now().Before(t.process.ExpiresAt) {
			return presented{}, errTicketUnknown
		}
		t.process.Client = client
		p := presented{Process: t.process, first: true}
		if verifier != "" { // which no ticket of this form goes with
			err := s.keep(tx, &p)
			return p, cmp.Or(err, errTicketUnproved)
		}
		return p, nil
	}
	raw, ok := decode(string(t.ticket))
	if !ok || len(raw) != bearerBytes {
		return presented{}, errTicketUnknown
	}
	p, err := s.presentStored(tx, s.vault.digest(anTicket, string(t.ticket)), client, verifier)
	return presented{Process: p}, err
}

// keep writes the process down as it is now. For a sealed ticket this is what
// spends it, so it comes before anything else is written: of two that present
// the same ticket one finds the row there, and gets errTicketReplayed.
func (s *Server) keep(tx Tx, p *presented) error {
	if !p.first {
		p.kept = true
		return tx.UpdateProcess(p.Process)
	}
	return s.begin(tx, p, func() error { return tx.InsertProcess(p.Process) })
}

// begin spends a sealed ticket by inserting what it leads to: its process, or the grant
// that has the process's id. With errTicketReplayed the process is the one that began
// with the ticket before. A store may take it at first that the ticket is new, and run
// everything again if it was not; who shows one ticket again and again shall not cause
// that. So where it has been seen here, the store is asked.
func (s *Server) begin(tx Tx, p *presented, insert func() error) error {
	p.first, p.kept = false, true
	if s.memory.begun.again(s.memory, string(p.ID)) && !seeded.TicketNotSpent {
		if began, err := s.began(tx, p.Process); !errors.Is(err, ErrNotFound) {
			p.Process = began
			return cmp.Or(err, errTicketReplayed)
		}
	}
	err := insert()
	if errors.Is(err, ErrExists) && seeded.TicketNotSpent {
		return tx.UpdateProcess(p.Process)
	}
	if errors.Is(err, ErrExists) {
		if p.Process, err = s.began(tx, p.Process); err == nil {
			err = errTicketReplayed
		}
	}
	return err
}

// began is what has become of the process of a sealed ticket, or ErrNotFound.
func (s *Server) began(tx Tx, p Process) (Process, error) {
	began, err := tx.Process(p.ID)
	if !errors.Is(err, ErrNotFound) {
		return began, err
	}
	g, err := tx.GrantState(GrantID(p.ID))
	p.Grant = g.ID
	return p, err
}

func (s *Server) presentStored(tx Tx, digest Digest, client oauth.ClientID, verifier string) (Process, error) {
	t, err := tx.SpendTicket(digest, s.now())
	if errors.Is(err, ErrNotFound) && seeded.TicketNotSpent {
		t, err = tx.Ticket(digest)
	}
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
	if err != nil {
		return Process{}, err
	}
	p.Client = client
	if !t.provedBy(verifier) {
		return p, errTicketUnproved
	}
	return p, nil
}

// provedBy says whether a ticket goes with a code_verifier. One that is not bound
// goes with none: somebody took the challenge away on the way to the claims
// interaction endpoint (RFC 9700 4.8.2).
func (t Ticket) provedBy(verifier string) bool {
	if t.CodeChallenge == "" {
		return verifier == ""
	}
	return oauth.VerifyS256(verifier, t.CodeChallenge)
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
	case errors.Is(cause, errTicketMisused), errors.Is(cause, errTicketUnproved):
		return refusal, s.recordRefusal(tx, p.Space, EventTicketMisused, string(client), string(p.ID), nil)
	case errors.Is(cause, errTicketReplayed):
		revoked := false
		if s.RevokeOnReplay {
			var err error
			if revoked, err = s.revokeWhatItLedTo(tx, p.Grant); err != nil {
				return nil, err
			}
		}
		record := s.recordRefusal
		if revoked {
			record = s.record
		}
		return refusal, record(tx, p.Space, EventTicketReplayed, string(client), string(p.ID), detail{"revoked": revoked})
	default:
		return nil, cause
	}
}

// revokeWhatItLedTo revokes a grant, or what upgrades have replaced it by, and
// says whether there was anything to revoke. It may have ended and been swept away
// since.
func (s *Server) revokeWhatItLedTo(tx Tx, id GrantID) (bool, error) {
	for id != "" {
		g, err := tx.GrantState(id)
		if errors.Is(err, ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if g.Successor == "" {
			return g.RevokedAt.IsZero(), tx.RevokeGrant(id, s.now())
		}
		id = g.Successor
	}
	return false, nil
}

// marshal writes the content in a short form: a ticket travels in a header.
func (t sealedTicket) marshal() []byte {
	b := append(make([]byte, 0, 256), sealedTicketVersion) // which has room for most
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
