package client

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/licet/licet/uma"
)

type userKey struct{}

// WithUser says for which local user requests with this context are made: the
// client's own name of the requesting party. RPTs are kept for each user apart.
// Without a user there is one requesting party, and no PCT is kept or sent,
// because nobody could tell whose it is (Grant 3.3.1, 5.2).
func WithUser(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, userKey{}, id)
}

func userOf(ctx context.Context) string {
	id, _ := ctx.Value(userKey{}).(string)
	return id
}

// Secret is a credential. It prints as a fingerprint.
type Secret string

func (s Secret) String() string   { return uma.Fingerprint(string(s)) }
func (s Secret) GoString() string { return s.String() }

// PCTs keeps one persisted claims token for each authorization server and
// user. Keep it as you keep passwords; it is for nobody but the authorization
// server it came from (Grant 5.2). It is used by many goroutines.
type PCTs interface {
	PCT(ctx context.Context, issuer, user string) (uma.PCT, error) // "" where there is none
	SavePCT(ctx context.Context, issuer, user string, pct uma.PCT) error
}

// Place is where RPTs are good, and for whom.
type Place struct {
	Origin string // of the resource server: scheme://host:port
	User   string // of WithUser; may be empty
}

// Token is an RPT with what the client needs to know to use it. The RPT itself
// is never looked into (Grant 1.3).
type Token struct {
	RPT       uma.RPT
	Issuer    string
	Refresh   Secret    // may be empty
	Bound     bool      // to Config.Key: it is shown with a proof (RFC 9449 7.1)
	ExpiresAt time.Time // zero: not told
	Uses      []string  // what it was sought for, as "GET /album/1", oldest first
}

// Tokens keeps the RPTs of each place. It is used by many goroutines.
type Tokens interface {
	Tokens(ctx context.Context, at Place) ([]Token, error)
	SaveTokens(ctx context.Context, at Place, tokens []Token) error
}

// The most that is kept of one place; the oldest goes first.
const (
	maxTokens = 16
	maxUses   = 64
)

func (t Token) expired(now time.Time) bool {
	return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt)
}

func (t Token) soughtFor(use string) bool { return slices.Contains(t.Uses, use) }

// best returns the index of the token that fits a use best, -1 if there is none
// at all. The one that was sought for this very use comes first, then the one
// that was sought for the nearest path, with the same method before another, and
// then the newest: things that lie together tend to have one owner.
func best(tokens []Token, use string) int {
	found, top := -1, -1
	for i, t := range tokens {
		score := 0
		for _, u := range t.Uses {
			score = max(score, nearness(u, use))
		}
		if score >= top {
			found, top = i, score
		}
	}
	return found
}

func nearness(a, b string) int {
	if a == b {
		return 1 << 20
	}
	methodA, pathA, _ := strings.Cut(a, " ")
	methodB, pathB, _ := strings.Cut(b, " ")
	segmentsA, segmentsB := strings.Split(pathA, "/"), strings.Split(pathB, "/")
	score := 0
	for score < len(segmentsA) && score < len(segmentsB) && segmentsA[score] == segmentsB[score] {
		score++
	}
	score *= 2
	if methodA == methodB {
		score++
	}
	return score
}

// keep adds a token that was sought for a use to what there is. An upgraded
// token takes the place of the one it contains; otherwise both are kept, as the
// new one does not contain the old one's permissions (Grant 3.3.5). A token that
// was refused for the only thing it was sought for is of no more use.
func keep(tokens []Token, added Token, use string, upgraded bool, before uma.RPT) []Token {
	var out []Token
	for _, t := range tokens {
		if t.RPT == before && upgraded || t.RPT == added.RPT {
			added.Uses = append(added.Uses, t.Uses...)
			continue
		}
		t.Uses = slices.DeleteFunc(slices.Clone(t.Uses), func(u string) bool { return u == use })
		if len(t.Uses) > 0 {
			out = append(out, t)
		}
	}
	added.Uses = slices.DeleteFunc(added.Uses, func(u string) bool { return u == use })
	added.Uses = last(append(added.Uses, use), maxUses)
	return last(append(out, added), maxTokens)
}

func last[T any](list []T, most int) []T {
	return list[max(0, len(list)-most):]
}

// Memory keeps PCTs and RPTs until the process ends. Its zero value is ready.
type Memory struct {
	mu     sync.Mutex
	pcts   map[[2]string]uma.PCT
	tokens map[Place][]Token
}

// maxPlaces bounds the memory of a client that serves many users.
const maxPlaces = 100_000

// PCT implements [PCTs].
func (m *Memory) PCT(_ context.Context, issuer, user string) (uma.PCT, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pcts[[2]string{issuer, user}], nil
}

// SavePCT implements [PCTs].
func (m *Memory) SavePCT(_ context.Context, issuer, user string, pct uma.PCT) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pcts = put(m.pcts, [2]string{issuer, user}, pct, maxPlaces)
	return nil
}

// Tokens implements [Tokens].
func (m *Memory) Tokens(_ context.Context, at Place) ([]Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tokens[at], nil
}

// SaveTokens implements [Tokens].
func (m *Memory) SaveTokens(_ context.Context, at Place, tokens []Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens = put(m.tokens, at, tokens, maxPlaces)
	return nil
}

// put sets a member of a bounded map. When the map is full any other member
// goes; what is kept here can be got again.
func put[K comparable, V any](m map[K]V, key K, value V, most int) map[K]V {
	if m == nil {
		m = map[K]V{}
	}
	if _, there := m[key]; !there && len(m) >= most {
		for k := range m {
			delete(m, k)
			break
		}
	}
	m[key] = value
	return m
}
