package as

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// What is done in several steps (a passkey's challenge and its answer, the way to an
// OpenID provider and back, the first start) is a ceremony: what has to be known at
// the second step is sealed and given to the browser, and spent by one insertion
// when it comes back. So nothing is written for who only looks at a page.

// CeremonyKind says what a ceremony is for; one kind never passes as another.
type CeremonyKind string

// The kinds of ceremony.
const (
	CeremonySignIn   CeremonyKind = "passkey sign-in"
	CeremonyRegister CeremonyKind = "passkey registration"
	CeremonyProvider CeremonyKind = "provider"
	CeremonyForm     CeremonyKind = "form" // what somebody filled in before they had to sign in again
	CeremonyOnce     CeremonyKind = "once" // a page whose form is good once
	ceremonyFirstRun CeremonyKind = "first run"
)

// sealedCeremony is a ceremony as it is sealed.
type sealedCeremony struct {
	Kind    CeremonyKind `json:"k"`
	Browser []byte       `json:"b"` // digest of the browser's handle
	Expires int64        `json:"e"` // milliseconds
	Data    []byte       `json:"d"`
}

// BeginCeremony seals data for the second step of a ceremony, which only the browser
// with this handle can take ("" for any), once and within the time.
func (s *Server) BeginCeremony(kind CeremonyKind, browser string, data []byte, within time.Duration) string {
	plain, err := json.Marshal(sealedCeremony{kind, s.vault.digest(aBrowser, browser), s.now().Add(within).UnixMilli(), data})
	if err != nil {
		panic("as: " + err.Error()) // texts, bytes and numbers
	}
	return encode(s.vault.seal(aCeremony, plain))
}

// Ceremony is one that was begun here and has not ended. It is not spent yet.
type Ceremony struct {
	Data []byte

	digest Digest
	until  time.Time
}

// OpenCeremony opens what BeginCeremony has sealed. What is of another kind or
// browser, is over or is none of ours is ErrNotFound.
func (s *Server) OpenCeremony(kind CeremonyKind, browser, sealed string) (Ceremony, error) {
	raw, ok := decode(sealed)
	if !ok {
		return Ceremony{}, ErrNotFound
	}
	plain, err := s.vault.open(aCeremony, raw)
	if err != nil {
		return Ceremony{}, ErrNotFound
	}
	var c sealedCeremony
	if err := json.Unmarshal(plain, &c); err != nil {
		return Ceremony{}, err
	}
	until := time.UnixMilli(c.Expires).UTC()
	if c.Kind != kind || string(c.Browser) != string(s.vault.digest(aBrowser, browser)) || !s.now().Before(until) {
		return Ceremony{}, ErrNotFound
	}
	return Ceremony{Data: c.Data, digest: s.vault.digest(aCeremony, sealed), until: until}, nil
}

// SpendCeremony spends a ceremony by itself, for what goes on over the network. One
// that was spent is ErrNotFound.
func (s *Server) SpendCeremony(ctx context.Context, c Ceremony) error {
	return s.Store.Update(ctx, func(tx Tx) error { return spendCeremony(tx, c) })
}

func spendCeremony(tx Tx, c Ceremony) error {
	err := tx.InsertSpent(c.digest, c.until)
	if errors.Is(err, ErrExists) {
		return ErrNotFound
	}
	return err
}
