package as

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/licet/licet/policy"
)

// sealFacts and openFacts keep what is known about a person unreadable in the
// store (Grant 6.2).
func (s *Server) sealFacts(facts []policy.Fact) ([]byte, error) {
	if len(facts) == 0 {
		return nil, nil
	}
	plain, err := json.Marshal(facts)
	if err != nil {
		return nil, err
	}
	return s.vault.seal(sealedClaims, plain), nil
}

func (s *Server) openFacts(sealed []byte) ([]policy.Fact, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	plain, err := s.vault.open(sealedClaims, sealed)
	if err != nil {
		return nil, err
	}
	var facts []policy.Fact
	return facts, json.Unmarshal(plain, &facts)
}

// subjectOf names the requesting party that facts are about: the issuer and
// its "sub". "" when nobody is named.
func subjectOf(facts []policy.Fact) string {
	for _, f := range facts {
		if f.Name == "sub" {
			return f.Issuer + "#" + f.Value
		}
	}
	return ""
}

// addressOf is the e-mail address that the issuer of the "sub" has verified, in
// canonical form; "" when there is none.
func addressOf(facts []policy.Fact) string {
	for _, sub := range facts {
		for _, f := range facts {
			if sub.Name == "sub" && f.Name == "email" && f.Issuer == sub.Issuer {
				if address, err := policy.CanonicalEmail(f.Value); err == nil {
					return address
				}
			}
		}
	}
	return ""
}

// mergeFacts adds newer facts to older ones. Facts about two different people
// never mix: when the newer ones name somebody else, the older are dropped
// (Grant 5.2, requesting party switching). A newer fact replaces an older one of
// the same name and issuer.
func mergeFacts(older, newer []policy.Fact) []policy.Fact {
	if len(newer) == 0 {
		return older
	}
	was, is := subjectOf(older), subjectOf(newer)
	if was != "" && is != "" && was != is {
		return newer
	}
	out := slices.Clone(newer)
	for _, o := range older {
		replaced := slices.ContainsFunc(newer, func(n policy.Fact) bool {
			return n.Name == o.Name && n.Issuer == o.Issuer
		})
		if !replaced {
			out = append(out, o)
		}
	}
	sortFacts(out)
	return out
}

// freshFacts drops facts acquired too long ago (Grant 3.3.4: the authorization
// server answers for the freshness of persisted claims).
func freshFacts(facts []policy.Fact, now time.Time, age time.Duration) []policy.Fact {
	return slices.DeleteFunc(slices.Clone(facts), func(f policy.Fact) bool { return now.Sub(f.At) >= age })
}

func sortFacts(facts []policy.Fact) {
	slices.SortStableFunc(facts, func(a, b policy.Fact) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Issuer, b.Issuer), cmp.Compare(a.Value, b.Value))
	})
}
