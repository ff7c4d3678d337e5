package login

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// cost is the work of one argon2id hash (RFC 9106).
type cost struct {
	memory uint32 // KiB
	time   uint32 // passes
	lanes  uint8
}

// defaultCost is what new hashes cost: 19 MiB, which a small machine can spare
// and a cracker's card has to spend for each guess.
var defaultCost = cost{memory: 19 * 1024, time: 2, lanes: 1}

// The bounds of a hash that is read. One beyond them was not written by us, and
// a memory of gigabytes would be an outage.
const (
	maxMemory = 256 * 1024 // KiB
	maxTime   = 16
	maxLanes  = 16
	saltBytes = 16
	sumBytes  = 32
)

// The bounds of a password.
const (
	minPassword = 8    // characters
	maxPassword = 1024 // bytes
)

var (
	errPasswordLength = fmt.Errorf("login: a password has at least %d characters and at most %d bytes", minPassword, maxPassword)
	errHashForm       = errors.New("login: not an argon2id hash in PHC form")
)

// HashPassword hashes a password with argon2id and a salt from rand. The result
// is a PHC string, which carries its own parameters, so that they can be raised
// later without touching the hashes of before.
func HashPassword(password string, rand io.Reader) (string, error) {
	if utf8.RuneCountInString(password) < minPassword || len(password) > maxPassword {
		return "", errPasswordLength
	}
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", fmt.Errorf("login: salt: %w", err)
	}
	return phc(defaultCost, salt, defaultCost.sum(password, salt, sumBytes)), nil
}

// ValidHash says whether a PHC string is one that CheckPassword can work with.
func ValidHash(hash string) error {
	_, _, _, err := parsePHC(hash)
	return err
}

// CheckPassword says whether a password is the one of a PHC string. An error
// means that the string is none.
func CheckPassword(hash, password string) (bool, error) {
	c, salt, want, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	if len(password) > maxPassword {
		password = "" // fits no hash, after the same work
	}
	got := c.sum(password, salt, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (c cost) sum(password string, salt []byte, length uint32) []byte {
	return argon2.IDKey([]byte(password), salt, c.time, c.memory, c.lanes, length)
}

func phc(c cost, salt, sum []byte) string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, c.memory, c.time, c.lanes, enc.EncodeToString(salt), enc.EncodeToString(sum))
}

func parsePHC(s string) (c cost, salt, sum []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return cost{}, nil, nil, errHashForm
	}
	params := strings.Split(parts[3], ",")
	if len(params) != 3 {
		return cost{}, nil, nil, errHashForm
	}
	memory, ok1 := number(params[0], "m=", maxMemory)
	time, ok2 := number(params[1], "t=", maxTime)
	lanes, ok3 := number(params[2], "p=", maxLanes)
	enc := base64.RawStdEncoding.Strict()
	salt, err1 := enc.DecodeString(parts[4])
	sum, err2 := enc.DecodeString(parts[5])
	if !ok1 || !ok2 || !ok3 || err1 != nil || err2 != nil || len(salt) < 8 || len(sum) < 16 || len(sum) > 64 {
		return cost{}, nil, nil, errHashForm
	}
	return cost{memory: memory, time: time, lanes: uint8(lanes)}, salt, sum, nil
}

// number reads a parameter from 1 to most.
func number(s, name string, most uint32) (uint32, bool) {
	digits, found := strings.CutPrefix(s, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), found && err == nil && n > 0 && n <= uint64(most)
}
