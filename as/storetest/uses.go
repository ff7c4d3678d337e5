package storetest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

var uses = []rule{
	{"a use is read back as it was written, and uses alike add up", usesAddUp},
	{"whoever adds a use adds it", usesRace},
	{"uses are listed newest first, in pages and by what they are of", usesAreListed},
	{"the newest use of each is found", lastUsesAreFound},
	{"the uses of a grant add up", grantUsesAddUp},
	{"uses that an Update wrote which failed are not there", failedUsesAreUndone},
	{"a sweep of uses deletes what is older, so many at most", usesAreSwept},
}

// aUse is a use of the scene's, of a minute.
func (s *scene) aUse(minute int) as.Use {
	at := now.Add(time.Duration(minute) * time.Minute)
	return as.Use{
		ID: as.UseID(fmt.Sprintf("%04d-%s", minute, s.id("use"))), Space: s.space(), At: at, ResourceServer: s.server(), Resource: s.resource(),
		Share: s.share(), Client: s.client(), Subject: "i#s", Scopes: []uma.Scope{"view"}, N: 1, LastAt: at,
	}
}

func (s *scene) uses(f as.UseFilter) []as.Use {
	s.Helper()
	return must(s, func(r as.Reader) ([]as.Use, error) { return r.Uses(s.space(), f, 100) })
}

func usesAddUp(s *scene) {
	for how, f := range fillers {
		own := s.beside()
		var u as.Use
		f.fill(&u)
		u.ID, u.Space = as.UseID(own.id("use")), own.space()
		own.update(func(tx as.Tx) error { return tx.AddUse(u) })
		same(s, "a use ("+how+")", own.uses(as.UseFilter{}), []as.Use{stored(u)})
	}
	first := s.aUse(0)
	later, earlier := first, first
	later.N, later.LastAt = 5, now.Add(time.Second)
	earlier.N, earlier.LastAt = 7, now.Add(-time.Second)
	s.update(func(tx as.Tx) error { return errors.Join(tx.AddUse(first), tx.AddUse(later)) })
	s.update(func(tx as.Tx) error { return tx.AddUse(earlier) })
	want := first
	want.N, want.LastAt = 13, later.LastAt
	same(s, "what was added up", s.uses(as.UseFilter{}), []as.Use{want})
}

func usesRace(s *scene) {
	s.race(as.ErrNotFound, func(n int, tx as.Tx) error {
		u := s.aUse(0)
		u.LastAt = now.Add(time.Duration(n) * time.Second)
		return tx.AddUse(u)
	})
	got := s.uses(as.UseFilter{})
	if len(got) != 1 || got[0].N != racers || !got[0].LastAt.Equal(now.Add((racers-1)*time.Second)) {
		s.Errorf("%d have added one use each: got %+v", racers, got)
	}
}

func usesAreListed(s *scene) {
	other := s.beside()
	var all []as.Use
	for i := range 6 {
		u := s.aUse(i)
		u.N = int64(i + 1)
		if i%2 == 1 {
			u.Resource, u.Share, u.Client, u.Subject = "other", "other", "other", "other"
		}
		all = append(all, u)
	}
	s.update(func(tx as.Tx) error {
		for _, u := range append(slices.Clone(all), other.aUse(9)) {
			if err := tx.AddUse(u); err != nil {
				return err
			}
		}
		return nil
	})
	slices.Reverse(all)
	same(s, "all", s.uses(as.UseFilter{}), all)
	for i, want := range []as.UseFilter{
		{Resource: s.resource()}, {Share: s.share()}, {Client: s.client()}, {Subject: "i#s"},
		{Resource: s.resource(), Share: s.share(), Client: s.client(), Subject: "i#s"},
	} {
		same(s, fmt.Sprintf("those of the filter %d", i), s.uses(want), []as.Use{all[1], all[3], all[5]})
	}
	none(s, "those of two that are never together")(s.uses(as.UseFilter{Resource: s.resource(), Client: "other"}), nil)
	newer := all[2].ID
	same(s, "those after one", s.uses(as.UseFilter{After: newer}), all[:2])
	same(s, "those between two", s.uses(as.UseFilter{After: newer, Before: all[0].ID}), all[1:2])
	page := must(s, func(r as.Reader) ([]as.Use, error) { return r.Uses(s.space(), as.UseFilter{Before: all[1].ID}, 2) })
	same(s, "a page", page, all[2:4])
	count := func(f as.UseFilter) int64 {
		return must(s, func(r as.Reader) (int64, error) { return r.CountUses(s.space(), f) })
	}
	if a, b, c := count(as.UseFilter{}), count(as.UseFilter{Client: "other", After: newer}), count(as.UseFilter{Client: "nobody"}); a != 21 || b != 6 || c != 0 {
		s.Errorf("the uses are counted as %d, %d and %d, want 21, 6 and none", a, b, c)
	}
}

func lastUsesAreFound(s *scene) {
	other := s.beside()
	var ids []string
	want := map[string]as.Use{}
	s.update(func(tx as.Tx) error {
		ids = nil
		for i := range 5 {
			id := s.id(fmt.Sprint("n", i))
			ids = append(ids, id, id+"-never")
			for minute := range 2 {
				u := s.aUse(minute)
				u.ID += as.UseID(fmt.Sprintf("-%03d", i))
				u.Resource, u.Share, u.Client, u.Subject = uma.ResourceID(id), policy.ShareID(id), oauth.ClientID(id), id
				elsewhere := u
				elsewhere.ID, elsewhere.Space = "z"+u.ID, other.space()
				if err := errors.Join(tx.AddUse(u), tx.AddUse(elsewhere)); err != nil {
					return err
				}
				want[id] = u
			}
		}
		return nil
	})
	for _, of := range []as.UseOf{as.UseOfResource, as.UseOfShare, as.UseOfClient, as.UseOfSubject} {
		list := must(s, func(r as.Reader) ([]as.Use, error) { return r.LastUses(s.space(), of, ids) })
		got := map[string]as.Use{}
		for _, u := range list {
			got[u.Of(of)] = u
		}
		if len(list) != len(want) {
			s.Errorf("of %d %ss, the last uses of %d are found", len(want), of, len(list))
		}
		same(s, "the last uses of the "+string(of)+"s", got, want)
	}
	none(s, "the last uses of nothing")(must(s, func(r as.Reader) ([]as.Use, error) { return r.LastUses(s.space(), as.UseOfShare, nil) }), nil)
}

func grantUsesAddUp(s *scene) {
	used := as.GrantUse{Grant: s.grant(), N: 2, LastAt: now}
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.AddGrantUse(used), tx.AddGrantUse(as.GrantUse{Grant: s.grant(), N: 3, LastAt: now.Add(-time.Hour)}))
	})
	used.N = 5
	got := must(s, func(r as.Reader) ([]as.GrantUse, error) { return r.GrantUses([]as.GrantID{s.grant(), "never used"}) })
	same(s, "the uses of grants", got, []as.GrantUse{used})
}

func failedUsesAreUndone(s *scene) {
	failure := errors.New("no")
	s.refused(failure, "an Update that fails", func(tx as.Tx) error {
		return errors.Join(tx.AddUse(s.aUse(0)), tx.AddGrantUse(as.GrantUse{Grant: s.grant(), N: 1}), failure)
	})
	none(s, "uses")(s.uses(as.UseFilter{}), nil)
	none(s, "uses of grants")(must(s, func(r as.Reader) ([]as.GrantUse, error) { return r.GrantUses([]as.GrantID{s.grant()}) }), nil)
}

func usesAreSwept(s *scene) {
	s = s.alone()
	s.update(func(tx as.Tx) (err error) {
		for i := range 6 {
			err = errors.Join(err, tx.AddUse(s.aUse(i)), tx.AddGrantUse(as.GrantUse{Grant: as.GrantID(fmt.Sprint(i)), N: 1, LastAt: now.Add(time.Duration(i) * time.Minute)}))
		}
		return err
	})
	for _, want := range []int{4, 2, 0} {
		s.update(func(tx as.Tx) error {
			if n, err := tx.SweepUses(now.Add(3*time.Minute), 4); err != nil || n != want {
				return fmt.Errorf("a sweep deleted %d, want %d: %w", n, want, err)
			}
			return nil
		})
	}
	if left := s.uses(as.UseFilter{}); len(left) != 3 || !left[2].At.Equal(now.Add(3*time.Minute)) {
		s.Errorf("what is left: %+v", left)
	}
	left := must(s, func(r as.Reader) ([]as.GrantUse, error) {
		return r.GrantUses([]as.GrantID{"0", "1", "2", "3", "4", "5"})
	})
	if len(left) != 3 {
		s.Errorf("what is left of the uses of grants: %+v", left)
	}
}
