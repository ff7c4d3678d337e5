package owner

import (
	"context"
	"slices"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
)

// Group is one of the owner's groups of people.
type Group struct {
	as.Group
	Things int // that are open to it, now or later
}

// Groups is a page of groups, in the order in which they were made.
type Groups struct {
	List []Group
	Next string
}

// Groups lists the groups of the space.
func (v Views) Groups(ctx context.Context, o as.Owner, p Page) (Groups, error) {
	after, err := v.AS.OpenCursor(o, "groups", p.After)
	if err != nil {
		return Groups{}, err
	}
	var out Groups
	err = v.read(ctx, o, func(s *snapshot) error {
		out = Groups{}
		found, err := s.Groups(o.Space, as.Page{After: after, Limit: p.limit() + 1})
		if err != nil {
			return err
		}
		found, out.Next = cut(v, o, "groups", found, func(g as.Group) string { return string(g.ID) }, p)
		if len(found) == 0 {
			return nil
		}
		people, err := s.people()
		if err != nil {
			return err
		}
		for _, g := range found {
			one := Group{Group: g}
			if i := slices.IndexFunc(people, func(p *group) bool { return p.who.Kind == policy.PartyGroup && p.who.Value == string(g.ID) }); i >= 0 {
				one.Things = people[i].line().Things
			}
			out.List = append(out.List, one)
		}
		return nil
	})
	return out, err
}

// GroupView is a group with who is in it, and what is open to it.
type GroupView struct {
	Person
	Group   as.Group
	Members []as.Member
	Next    string // for the Page.After of more members
}

// Group shows one group of the space with a page of its members, and one of what is
// shared with it.
func (v Views) Group(ctx context.Context, o as.Owner, id policy.GroupID, p, shared Page) (GroupView, error) {
	list := "members " + string(id)
	after, err := v.AS.OpenCursor(o, list, p.After)
	if err != nil {
		return GroupView{}, err
	}
	var out GroupView
	err = v.read(ctx, o, func(s *snapshot) error {
		out = GroupView{}
		if out.Group, err = s.Group(o.Space, id); err != nil {
			return err
		}
		members, err := s.Members(o.Space, id, as.Page{After: after, Limit: p.limit() + 1})
		if err != nil {
			return err
		}
		out.Members, out.Next = cut(v, o, list, members, func(m as.Member) string { return string(m.ID) }, p)
		w, err := s.party(policy.Party{Kind: policy.PartyGroup, Value: string(id)})
		if err != nil {
			return err
		}
		shares, err := s.shares()
		if err != nil {
			return err
		}
		return v.show(s, s.groupOf(w, shares), shared, &out.Person)
	})
	return out, absent(err, errNoGroup)
}
