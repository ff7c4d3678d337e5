package as

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

type still struct{ Store }

func (still) Watch(func([]Change)) {}

// However many changes there are, none is lost: what cannot be kept apart makes
// everything be forgotten.
func TestTooManyChangesForgetEverything(t *testing.T) {
	m := newMemory(still{})
	m.clients.put("c", oauth.Client{ID: "c"}, m.now(), m.hashes(ChangedClient("c")))
	for i := range maxChanged {
		m.forget([]Change{ChangedSpace(SpaceID(fmt.Sprint("other", i)))})
	}
	if _, ok := m.clients.get(m, "c"); !ok {
		t.Fatal("an entry that nothing concerned is gone: this test proves nothing")
	}
	m.forget([]Change{ChangedSpace("one more")})
	if _, ok := m.clients.get(m, "c"); ok {
		t.Error("an entry is older than what is known of the changes, and is still used")
	}
	if len(m.changed) > maxChanged {
		t.Errorf("%d changes are kept", len(m.changed))
	}
}

// What is full forgets what was not used lately, and stays what it says.
func TestAFullMemoryKeepsWhatIsUsed(t *testing.T) {
	m := newMemory(still{})
	now := time.UnixMilli(1_000_000)
	key := func(i int) packedKey { return packedKey{byte(i), byte(i >> 8), byte(i >> 16)} }
	body := make([]byte, 1000)
	used := []byte("used")
	m.answers.half = 64 << 10
	m.answers.put(m, key(0), used, m.now(), now.Add(time.Hour), nil)
	many := 2 * packedShards * m.answers.half / len(body) * 3 / 2
	for i := 1; i < many; i++ {
		m.answers.put(m, key(i), body, m.now(), now.Add(time.Hour), nil)
		if i%100 == 0 {
			if got, ok := m.answers.get(m, key(0), now, nil); !ok || string(got) != "used" {
				t.Fatalf("after %d others the answer that is used is %q, %v", i, got, ok)
			}
		}
	}
	if _, ok := m.answers.get(m, key(1), now, nil); ok {
		t.Error("nothing is ever forgotten")
	}
	for i := range m.answers.shards {
		s := &m.answers.shards[i]
		if len(s.young.bytes) > m.answers.half || len(s.old.bytes) > m.answers.half {
			t.Errorf("a table has %d and %d bytes", len(s.young.bytes), len(s.old.bytes))
		}
	}
}

// An answer with as many dependencies as an entry takes is voided by each of
// them.
func TestAnAnswerIsVoidedByEachOfItsDependencies(t *testing.T) {
	for i := range maxDependencies {
		m := newMemory(still{})
		var all []Change
		for j := range maxDependencies {
			all = append(all, ChangedGrant(GrantID(fmt.Sprint(j))))
		}
		now := time.UnixMilli(1_000_000)
		m.answers.put(m, packedKey{}, []byte("answer"), m.now(), now.Add(time.Hour), m.hashes(all...))
		m.forget([]Change{ChangedGrant("another")})
		if got, ok := m.answers.get(m, packedKey{}, now, nil); !ok || string(got) != "answer" {
			t.Fatalf("the answer is %q, %v", got, ok)
		}
		m.forget([]Change{all[i]})
		if _, ok := m.answers.get(m, packedKey{}, now, nil); ok {
			t.Errorf("dependency %d does not void the answer", i)
		}
	}
}

// However much is used at once, what is counted apart is bounded, and the rest is
// said to be lost.
func TestWhatIsSeenIsBounded(t *testing.T) {
	var l useLog
	const many = 2 * useShards * maxSeen
	for i := range many {
		key := packedKey{byte(i), byte(i >> 8), byte(i >> 16)}
		l.note(key, key[:], time.UnixMilli(1))
		l.note(key, key[:], time.UnixMilli(1))
	}
	if got := l.len(); got > useShards*maxSeen || got < useShards*maxSeen/2 {
		t.Errorf("%d are said to be counted apart", got)
	}
	seen, lost := l.take()
	n := lost
	for _, saw := range seen {
		n += saw.n
	}
	if len(seen) > useShards*maxSeen || lost == 0 || n != 2*many {
		t.Errorf("%d are counted apart, and %d of %d uses are counted or lost", len(seen), n, 2*many)
	}
	if seen, lost := l.take(); len(seen) != 0 || lost != 0 {
		t.Errorf("what was taken is still there: %d, %d", len(seen), lost)
	}
}

// What others call themselves is one short line in a letter, whatever it is.
func TestANameIsOneLine(t *testing.T) {
	for name, want := range map[string]string{
		"":                "",
		" Photo  frames ": "Photo frames",
		"Evil\r\nBcc: all@example.org\u2028\x00!": "Evil Bcc: all@example.org !",
		"turned\u202eround":                       "turned round",
		strings.Repeat("ü", 200):                  strings.Repeat("ü", 79) + "…",
	} {
		if got := oneLine(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

// A decision from memory is about the same shares as one from the store: no part of a
// wish is lost.
func TestSharesComeOutOfMemoryAsTheyWentIn(t *testing.T) {
	required := uma.RequiredClaim{ClaimTokenFormat: []string{"format"}, ClaimType: "type", FriendlyName: "name", Issuer: []string{"a", "b"}, Name: "email"}
	full := policy.Share{
		ID: "1", Resource: "r", Scopes: []uma.Scope{"view", "edit"}, Claims: []policy.Claim{{RequiredClaim: required, Values: []string{"x", ""}}, {RequiredClaim: required, Values: []string{}}},
		Group: "g", Link: true, Anyone: true, Client: "c", NotBefore: time.UnixMilli(1234).UTC(), NotAfter: time.UnixMilli(5678).UTC(), Purpose: "p", Terms: "t", Ask: true,
	}
	for _, whole := range []reflect.Value{reflect.ValueOf(full), reflect.ValueOf(full.Claims[0]), reflect.ValueOf(required)} {
		for i := range whole.NumField() {
			if whole.Field(i).IsZero() {
				t.Fatalf("%s of a %s is not tried", whole.Type().Field(i).Name, whole.Type())
			}
		}
	}
	asking := policy.Share{ID: "2", Resource: "r", Scopes: []uma.Scope{}, Ask: true}
	linked := policy.Share{ID: "3", Resource: "r", Scopes: []uma.Scope{"\x00\xff"}, Link: true}
	for _, want := range [][]Share{
		nil,
		{{Share: full, Space: "s", Version: 7, Generation: -1}},
		{{Share: asking, Space: "s", Version: 1, Generation: 1}, {Share: full, Space: "s"}, {Share: linked, Space: "s"}},
	} {
		if got := unpackShares("s", "r", packShares(want)); !reflect.DeepEqual(got, want) {
			t.Errorf("what went in is\n%+v\nand what came out\n%+v", want, got)
		}
	}
}

// A PAT from memory is bound to what it was bound to, and speaks for whom it spoke for.
func TestAPATComesOutOfMemoryAsItWentIn(t *testing.T) {
	bound := acceptedPAT{PAT: PAT{Space: "s\x00", ResourceServer: "rs", Grant: "\xff"}, boundTo: oauth.KeyConfirmation("k"), use: keyOf("g")}
	for _, want := range []acceptedPAT{bound, {PAT: PAT{Space: "s"}}} {
		if got := unpackPAT(packPAT(want)); got != want {
			t.Errorf("what went in is\n%+v\nand what came out\n%+v", want, got)
		}
	}
}
