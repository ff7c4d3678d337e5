package owner

import (
	"context"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// UsesQuery narrows what was used. A zero member does not.
type UsesQuery struct {
	Thing  uma.ResourceID
	Person string         // the Key of a Who
	App    oauth.ClientID // through it
	// Zone is where days begin; nil for UTC.
	Zone *time.Location
}

// Used says how often somebody used a thing through an application on one day: what
// really happened, beside what was decided.
type Used struct {
	Thing  ThingName
	Who    Who // of zero Kind where nobody said who they are
	App    App
	Scopes []uma.Scope
	N      int64
	LastAt time.Time
}

// Uses is a page of what was used, newest first, in whole days: it has more lines than
// its limit where the day that fills it has. It may have fewer, or none, although there
// is a Next, and a day may go on there: only so much is looked through for one.
type Uses struct {
	List []Used
	Next string
}

// usesRead is how many entries of the use log are read for one line of a page.
const usesRead = 20

// Uses lists what was really used of the space.
func (v Views) Uses(ctx context.Context, o as.Owner, q UsesQuery, p Page) (Uses, error) {
	list := "uses " + string(q.Thing) + " " + q.Person + " " + string(q.App)
	before, err := v.AS.OpenCursor(o, list, p.After)
	if err != nil {
		return Uses{}, err
	}
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	var out Uses
	most := usesRead * p.limit()
	err = v.read(ctx, o, func(s *snapshot) error {
		found, err := s.Uses(o.Space, as.UseFilter{Resource: q.Thing, Client: q.App, Before: as.UseID(before)}, most)
		if err != nil {
			return err
		}
		lines, last, err := s.used(found, q, p.limit())
		if err != nil {
			return err
		}
		out = Uses{List: lines}
		if last < len(found) || len(found) == most {
			out.Next = v.AS.Cursor(o, list, string(found[last-1].ID))
		}
		return nil
	})
	return out, err
}

// used puts entries of one day together, until days have limit lines. It returns of how
// many entries they tell.
func (s *snapshot) used(found []as.Use, q UsesQuery, limit int) (lines []Used, told int, err error) {
	type which struct {
		day      string
		resource uma.ResourceID
		client   oauth.ClientID
		who      policy.Party
	}
	type whose struct {
		share   policy.ShareID
		subject string
	}
	at, known := map[which]int{}, map[whose]policy.Party{}
	today := ""
	for i, u := range found {
		day := u.LastAt.In(q.Zone).Format(time.DateOnly)
		if day != today && len(lines) >= limit {
			return lines, i, nil
		}
		today = day
		if i%usesLearnt == 0 {
			if err := s.learnUsed(found[i:min(i+usesLearnt, len(found))]); err != nil {
				return nil, 0, err
			}
		}
		party, met := known[whose{u.Share, u.Subject}]
		if !met {
			if party, err = s.usedBy(u); err != nil {
				return nil, 0, err
			}
			known[whose{u.Share, u.Subject}] = party
		}
		if q.Person != "" && s.partyKey(party) != q.Person {
			continue
		}
		key := which{day, u.Resource, u.Client, party}
		n, begun := at[key]
		if !begun {
			one := Used{Thing: s.names[u.Resource]}
			if party != (policy.Party{}) {
				if one.Who, err = s.party(party); err != nil {
					return nil, 0, err
				}
			}
			if one.App, err = s.app(u.Client); err != nil {
				return nil, 0, err
			}
			n = len(lines)
			at[key], lines = n, append(lines, one)
		}
		line := &lines[n]
		line.N, line.LastAt = line.N+u.N, latest(line.LastAt, u.LastAt)
		for _, scope := range u.Scopes {
			if !slices.Contains(line.Scopes, scope) {
				line.Scopes = append(line.Scopes, scope)
			}
		}
	}
	return lines, len(found), nil
}

// usesLearnt is of how many entries it is looked up at once what they are about: a page
// may be full before the last.
const usesLearnt = 64

// learnUsed finds the shares and the things of entries.
func (s *snapshot) learnUsed(found []as.Use) error {
	var shares []policy.ShareID
	var things []uma.ResourceID
	for _, u := range found {
		shares, things = append(shares, u.Share), append(things, u.Resource)
	}
	if err := s.learnShares(shares); err != nil {
		return err
	}
	return s.learn(things)
}

// usedBy is who used something, as the owner knows them: whom the share was for where
// that is one person, the address of their account where they have one here, and
// otherwise what they are called where they signed in. It is zero where nobody said
// who they are.
func (s *snapshot) usedBy(u as.Use) (policy.Party, error) {
	for _, v := range s.versions[u.Share] {
		if parties := v.Parties(); len(parties) == 1 && parties[0].Kind == policy.PartyEmail {
			return parties[0], nil
		}
	}
	party := as.PartyOf(u.Subject)
	if party.Issuer != s.AS.Issuer {
		return party, nil
	}
	account, err := s.Account(as.AccountID(party.Value))
	if err != nil {
		return party, absentIsFine(err)
	}
	if account.EmailVerified {
		return policy.Party{Kind: policy.PartyEmail, Value: account.Email}, nil
	}
	return party, nil
}
