package as

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"
)

func testVault(t *testing.T, seal ...byte) *vault {
	t.Helper()
	s := Secrets{Digest: bytes.Repeat([]byte{1}, keyBytes)}
	for _, b := range seal {
		s.Seal = append(s.Seal, bytes.Repeat([]byte{b}, keyBytes))
	}
	v, err := newVault(s, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Proves SEC-118.
func TestOneKindOfArtefactNeverPassesAsAnother(t *testing.T) {
	v := testVault(t, 2)
	kinds := []artefact{anTicket, anAccess, aRefresh, aPCT, aCode, anInteraction, aSession, sealedClaims, sealedKey}
	digests := map[string]artefact{}
	for _, kind := range kinds {
		d := string(v.digest(kind, "the same secret"))
		if other, seen := digests[d]; seen {
			t.Errorf("a %s has the digest of a %s", kind, other)
		}
		digests[d] = kind
		sealed := v.seal(kind, []byte("plain"))
		for _, as := range kinds {
			if _, err := v.open(as, sealed); (err == nil) != (as == kind) {
				t.Errorf("what was sealed as %s opens as %s: %v", kind, as, err)
			}
		}
	}
	// The border between the kind and the secret cannot be moved.
	if bytes.Equal(v.digest("pct", "x"), v.digest("pc", "tx")) || bytes.Equal(v.digest("pct", "x"), v.digest("pct\x00x", "")) {
		t.Error("two artefacts have one digest")
	}
}

func TestAReplacedKeyOpensAndNoLongerSeals(t *testing.T) {
	before, after, gone := testVault(t, 2), testVault(t, 3, 2), testVault(t, 3)
	sealed := before.seal(sealedClaims, []byte("plain"))
	if plain, err := after.open(sealedClaims, sealed); err != nil || string(plain) != "plain" {
		t.Errorf("what the replaced key sealed opens to %q, %v", plain, err)
	}
	if _, err := gone.open(sealedClaims, sealed); err == nil {
		t.Error("what a removed key sealed opens")
	}
	if _, err := before.open(sealedClaims, after.seal(sealedClaims, nil)); err == nil {
		t.Error("the replaced key still seals")
	}
	for i := range sealed {
		bent := bytes.Clone(sealed)
		bent[i] ^= 1
		if _, err := before.open(sealedClaims, bent); err == nil {
			t.Errorf("with byte %d changed it still opens", i)
		}
		if _, err := before.open(sealedClaims, sealed[:i]); err == nil {
			t.Errorf("cut to %d bytes it still opens", i)
		}
	}
}

func TestKeysOfAnotherLengthAreRefused(t *testing.T) {
	good := bytes.Repeat([]byte{1}, keyBytes)
	for name, s := range map[string]Secrets{
		"no digest key": {Seal: [][]byte{good}}, "a short digest key": {Digest: good[1:], Seal: [][]byte{good}},
		"no sealing key": {Digest: good}, "a short sealing key": {Digest: good, Seal: [][]byte{good[:16]}},
		"a second key that is long": {Digest: good, Seal: [][]byte{good, append(good, 1)}},
	} {
		if _, err := newVault(s, rand.Reader); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// What a sealed ticket holds comes back as it was, and nothing else is a
// sealed ticket, though it was sealed by this server.
func TestASealedTicketIsReadAsItWasWritten(t *testing.T) {
	in := sealedTicket{Space: "s", ResourceServer: "rs1"}
	for _, p := range we1() {
		in.Permissions = append(in.Permissions, permissionOf(p))
	}
	in.Permissions = append(in.Permissions, permissionOf(asks(resourceWith("bare"))))
	plain := in.marshal()
	var out sealedTicket
	if err := out.unmarshal(plain); err != nil || string(out.marshal()) != string(plain) || len(out.Permissions) != 4 {
		t.Fatalf("read back as %+v, %v", out, err)
	}
	for n := range plain {
		if err := new(sealedTicket).unmarshal(plain[:n]); err == nil {
			t.Errorf("cut to %d bytes it is still a ticket", n)
		}
	}
	if err := new(sealedTicket).unmarshal(append(plain, 0)); err == nil {
		t.Error("with a byte more it is still a ticket")
	}
	if err := new(sealedTicket).unmarshal(append([]byte{sealedTicketVersion + 1}, plain[1:]...)); err == nil {
		t.Error("a ticket of another version is read")
	}
}

// A dated artefact is found by its whole text only: the time in front of its
// digest orders, and opens nothing.
//
// Proves SEC-009.
func TestADatedArtefactIsFoundByItsWholeText(t *testing.T) {
	v := testVault(t, 2)
	early, late := time.UnixMilli(1_700_000_000_000), time.UnixMilli(1_700_000_000_001)
	var earlier, later []Digest
	for range 20 {
		earlier = append(earlier, v.datedDigest(anAccess, v.dated(early)))
		later = append(later, v.datedDigest(anAccess, v.dated(late)))
	}
	for _, a := range earlier {
		for _, b := range later {
			if bytes.Compare(a, b) >= 0 {
				t.Fatal("what is issued later does not lie behind what was issued earlier")
			}
		}
	}
	secret := v.dated(early)
	raw, _ := decode(secret)
	known := v.datedDigest(anAccess, secret)
	for name, forged := range map[string]string{
		"cut short": secret[:len(secret)-1], "longer": secret + "A", "another time": encode(append(instantOf(late), raw[instantBytes:]...)),
		"only the time": encode(raw[:instantBytes]), "without the time": encode(raw[instantBytes:]), "padded": secret + "=", "a line break": secret + "\n",
	} {
		if bytes.Equal(v.datedDigest(anAccess, forged), known) {
			t.Errorf("%s: the token is found", name)
		}
	}
	if bytes.Equal(v.datedDigest(aRefresh, secret), known) {
		t.Error("an access token is found as a refresh token")
	}
}
