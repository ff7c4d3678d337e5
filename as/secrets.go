package as

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
	"time"
)

// Secrets are the server's own keys. They are kept apart from the database, so
// that a copy of the database alone lets nobody in.
type Secrets struct {
	// Digest keys the hashes under which bearer artefacts are stored. It is never
	// rotated: a new one would forget every token.
	Digest []byte
	// Seal encrypts sealed tickets, claims and private keys. The first seals; the
	// others only open what they sealed before they were replaced.
	Seal [][]byte
}

// keyBytes is the length of every key in Secrets.
const keyBytes = 32

// artefact says what kind of bearer artefact a digest is of, so that one kind
// never passes as another.
type artefact string

const (
	anTicket      artefact = "ticket"
	anAccess      artefact = "access token"
	aRefresh      artefact = "refresh token"
	aPCT          artefact = "pct"
	aCode         artefact = "code"
	anInteraction artefact = "interaction"
	aSession      artefact = "session"
	aLink         artefact = "link"
	anAssertion   artefact = "client assertion"
	aRegistration artefact = "registration access token"

	aPushedRequest artefact = "pushed request"
	aCount         artefact = "count"  // the name of what is counted
	aCursor        artefact = "cursor" // never stored
	aParty         artefact = "party"  // never stored
	aProof         artefact = "DPoP proof"
	aNonce         artefact = "DPoP nonce"
	aBrowser       artefact = "browser"   // the handle in the cookie of a browser that signs in
	aMailCode      artefact = "mail code" // with the browser's handle and the address
	aCeremony      artefact = "ceremony"  // sealed, and spent by its digest
	// aSessionAtClient is no secret: a digest of it is the sid of ID tokens.
	aSessionAtClient artefact = "session at a client"
)

// vault makes and recognises everything secret.
type vault struct {
	macs    sync.Pool // of hashers
	sealers []sealer
	rand    io.Reader
}

type sealer struct {
	id   [4]byte
	aead cipher.AEAD
}

func newVault(s Secrets, rand io.Reader) (*vault, error) {
	if len(s.Digest) != keyBytes {
		return nil, fmt.Errorf("as: the digest key has %d bytes, not %d", len(s.Digest), keyBytes)
	}
	if len(s.Seal) == 0 {
		return nil, errors.New("as: there is no sealing key")
	}
	v := &vault{rand: rand, macs: sync.Pool{New: func() any { return &hasher{mac: hmac.New(sha256.New, s.Digest)} }}}
	for _, key := range s.Seal {
		if len(key) != keyBytes {
			return nil, fmt.Errorf("as: a sealing key has %d bytes, not %d", len(key), keyBytes)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, err
		}
		id := sha256.Sum256(key)
		v.sealers = append(v.sealers, sealer{id: [4]byte(id[:4]), aead: aead})
	}
	return v, nil
}

// random returns n random bytes.
func (v *vault) random(n int) []byte {
	b := make([]byte, n)
	v.fill(b)
	return b
}

// fill makes all of b random. A source of randomness that fails leaves no safe way to
// go on.
func (v *vault) fill(b []byte) {
	if _, err := io.ReadFull(v.rand, b); err != nil {
		panic("as: no randomness: " + err.Error())
	}
}

// bearer makes a new bearer artefact of 256 random bits.
func (v *vault) bearer() string { return encode(v.random(bearerBytes)) }

const bearerBytes = 32

// dated makes a bearer artefact of 256 random bits that begins with the time it
// was issued, for what there is much of.
func (v *vault) dated(now time.Time) string {
	return encode(append(instantOf(now), v.random(bearerBytes)...))
}

// instantBytes is the length of an instant in ids and in dated artefacts.
const instantBytes = 6

// instantOf is an instant in milliseconds; later ones sort later.
func instantOf(at time.Time) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(at.UnixMilli())<<16)
	return b[:instantBytes]
}

// datedDigest is the digest of a dated artefact behind its time. What is issued
// at the same time so lies together in the store's index, and a batch of a
// hundred tokens touches a page or two instead of a hundred.
func (v *vault) datedDigest(kind artefact, secret string) Digest {
	raw, ok := decode(secret)
	if !ok || len(raw) != instantBytes+bearerBytes {
		return v.digest(kind, secret) // a signed RPT, or nothing that is stored
	}
	return v.digestBehind(raw[:instantBytes], kind, secret)
}

// digest hashes a bearer artefact with its kind.
func (v *vault) digest(kind artefact, secret string) Digest { return v.digestBehind(nil, kind, secret) }

func (v *vault) digestBehind(head []byte, kind artefact, secret string) Digest {
	h := v.macs.Get().(*hasher)
	defer v.macs.Put(h)
	h.text = append(append(append(h.text[:0], kind...), 0), secret...)
	h.mac.Reset()
	h.mac.Write(h.text)
	return h.mac.Sum(append(make([]byte, 0, len(head)+sha256.Size), head...))
}

// hasher is an HMAC under the digest key, and room for what it hashes.
type hasher struct {
	mac  hash.Hash
	text []byte
}

// seal encrypts plain for one use: what is sealed as one thing does not open as
// another.
func (v *vault) seal(as artefact, plain []byte) []byte {
	s := v.sealers[0]
	out := make([]byte, len(s.id)+s.aead.NonceSize(), len(s.id)+s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	nonce := out[copy(out, s.id[:]):]
	v.fill(nonce)
	return s.aead.Seal(out, nonce, plain, []byte(as))
}

var errUnsealable = errors.New("as: sealed by another key, for another use, or damaged")

func (v *vault) open(as artefact, sealed []byte) ([]byte, error) {
	for _, s := range v.sealers {
		head := len(s.id) + s.aead.NonceSize()
		if len(sealed) < head || [4]byte(sealed[:4]) != s.id {
			continue
		}
		plain, err := s.aead.Open(nil, sealed[len(s.id):head], sealed[head:], []byte(as))
		if err != nil {
			return nil, errUnsealable
		}
		return plain, nil
	}
	return nil, errUnsealable
}

// What is sealed besides tickets.
const (
	sealedClaims artefact = "claims"
	sealedReason artefact = "reason"
	sealedKey    artefact = "signing key"
	sealedLetter artefact = "letter"
)

var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// id makes an id: 48 bits of milliseconds, then 128 random bits, in an encoding
// that sorts like the bytes. Ids made later sort later, which keeps indexes
// compact; nothing relies on that order for a decision.
func (v *vault) id(now time.Time) string { return idOf(now, v.random(16)) }

// idOf makes the id of an instant and 128 bits.
func idOf(at time.Time, bits []byte) string {
	var room [instantBytes + 16]byte
	var id [(len(room)*8 + 4) / 5]byte
	idEncoding.Encode(id[:], append(append(room[:0], instantOf(at)...), bits[:16]...))
	return string(id[:])
}

var strictBase64 = base64.RawURLEncoding.Strict()

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode accepts exactly what encode makes. Go's decoder skips line breaks and,
// unless strict, ignores trailing bits: either would give one ticket several
// spellings and so several digests.
func decode(s string) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, false
	}
	b, err := strictBase64.DecodeString(s)
	return b, err == nil
}
