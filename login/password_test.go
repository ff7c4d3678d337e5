package login

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
)

// The vector is one of the reference implementation's own (RFC 9106's authors).
func TestHashesOfOtherImplementationsAreRead(t *testing.T) {
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, err := CheckPassword(reference, "password"); !ok || err != nil {
		t.Errorf("the right password: %v, %v", ok, err)
	}
	if ok, err := CheckPassword(reference, "Password"); ok || err != nil {
		t.Errorf("a wrong password: %v, %v", ok, err)
	}
}

func TestPasswordFitsItsOwnHashAlone(t *testing.T) {
	hash, err := HashPassword("correct horse", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("unexpected form or cost: %s", hash)
	}
	for password, want := range map[string]bool{
		"correct horse": true, "correct horse ": false, "Correct horse": false, "": false,
		"correct horse\x00": false, strings.Repeat("x", maxPassword+1): false,
	} {
		if got, err := CheckPassword(hash, password); got != want || err != nil {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	if again, err := HashPassword("correct horse", rand.Reader); err != nil || again == hash {
		t.Errorf("the same password twice has the same hash: there is no salt (%v)", err)
	}
}

func TestPasswordHasBounds(t *testing.T) {
	for password, good := range map[string]bool{
		"seven77": false, "eight888": true, "üüüüüüüü": true, "üüüü": false,
		strings.Repeat("x", maxPassword): true, strings.Repeat("x", maxPassword+1): false,
	} {
		if _, err := HashPassword(password, rand.Reader); (err == nil) != good {
			t.Errorf("a password of %d bytes: %v", len(password), err)
		}
	}
	if _, err := HashPassword("correct horse", bytes.NewReader(make([]byte, saltBytes-1))); err == nil {
		t.Error("a password was hashed without enough randomness")
	}
}

func TestDamagedHashIsAnErrorAndCostsNothing(t *testing.T) {
	good, err := HashPassword("correct horse", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{good, ""}, {"argon2id", "argon2i"}, {"v=19", "v=16"}, {"$v=19", ""}, {"m=19456", "m=0"}, {"m=19456", "m=4294967295"},
		{"m=19456", "m=4294967297"}, {"m=19456", "m=-1"}, {"m=19456,t=2", "t=2,m=19456"}, {"t=2", "t=0"}, {"t=2", "t=99"}, {"p=1", "p=0"},
		{"p=1", "p=257"}, {"p=1", "p=1,x=1"}, {good[len(good)-4:], "===="}, {good[len(good)-30:], ""},
	} {
		damaged := strings.Replace(good, c[0], c[1], 1)
		if ok, err := CheckPassword(damaged, "correct horse"); ok || err == nil {
			t.Errorf("%q for %q: %v, %v", c[1], c[0], ok, err)
		}
	}
}

// The work for an unknown account has to be the work for a known one. (A part
// of SEC-098; what is not told is shown in TestRefusalDoesNotTellWhy.)
func TestDecoyCostsWhatAHashCosts(t *testing.T) {
	c, salt, sum, err := parsePHC(decoy)
	if err != nil || c != defaultCost || len(salt) != saltBytes || len(sum) != sumBytes {
		t.Errorf("decoy: %+v, %d, %d, %v", c, len(salt), len(sum), err)
	}
}

func FuzzCheckPassword(f *testing.F) {
	f.Add("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password")
	f.Fuzz(func(t *testing.T, hash, password string) {
		if c, _, _, err := parsePHC(hash); err == nil && c.memory*c.time <= 1024 {
			if _, err := CheckPassword(hash, password); err != nil {
				t.Errorf("parsed and not checked: %v", err)
			}
		}
	})
}
