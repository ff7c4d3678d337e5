package as

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Withdrawing much at once, and what that would mean.

// Target says which shares are meant, by exactly one member.
type Target struct {
	Share    policy.ShareID
	Resource uma.ResourceID // every share on a resource
	Person   policy.Party   // every share that names them, as Share.Parties does
	App      oauth.ClientID // every share that is good through one application only, and whatever it holds under others
}

var errTarget = uma.NewError(uma.InvalidRequest, "Say one share, resource, person or application.")

func (t Target) valid() bool {
	n := 0
	for _, said := range []bool{t.Share != "", t.Resource != "", t.Person != policy.Party{}, t.App != ""} {
		if said {
			n++
		}
	}
	return n == 1
}

// detail is what the history tells of a target. Who a person is it does not tell:
// the versions of the shares do, where an address can be erased.
func (t Target) detail() (subject string, d detail) {
	switch {
	case t.Share != "":
		return string(t.Share), detail{"of": "share"}
	case t.Resource != "":
		return string(t.Resource), detail{"of": "resource"}
	case t.App != "":
		return string(t.App), detail{"of": "app"}
	}
	return "", detail{"of": "person"}
}

// Parties lists whom the share is for, as its owner knows them: where an owner
// approved the request of somebody whose address was verified, that address.
func (s Share) Parties() []policy.Party {
	if s.KnownAs != "" {
		return []policy.Party{{Kind: policy.PartyEmail, Value: s.KnownAs}}
	}
	return s.Share.Parties()
}

// meant are the shares of a target: those that end, and those that go on
// without somebody, as they are now and with the wish that is left.
type meant struct {
	ends []Share
	less []narrowed
	from []Share // those among which they were found
}

type narrowed struct {
	share Share
	wish  policy.Share
}

func (m meant) all() []Share {
	out := slices.Clone(m.ends)
	for _, n := range m.less {
		out = append(out, n.share)
	}
	return out
}

func (t Target) find(r Reader, space SpaceID) (meant, error) {
	if !t.valid() {
		return meant{}, errTarget
	}
	if t.Share != "" {
		share, err := r.Share(space, t.Share)
		if err != nil {
			return meant{}, absent(err, errNoShare)
		}
		return meant{ends: []Share{share}}, nil
	}
	var on []uma.ResourceID
	if t.Resource != "" {
		on = []uma.ResourceID{t.Resource}
	}
	shares, err := r.SharesInForce(space, on)
	if err != nil {
		return meant{}, err
	}
	m := meant{from: shares}
	for _, s := range shares {
		switch {
		case t.Resource != "", t.App != "" && s.Client == string(t.App):
			m.ends = append(m.ends, s)
		case t.App == "" && slices.Contains(s.Parties(), t.Person):
			if wish, left := s.Without(t.Person); left && s.KnownAs == "" {
				m.less = append(m.less, narrowed{s, wish})
			} else {
				m.ends = append(m.ends, s)
			}
		}
	}
	return m, nil
}

// Withdrawn is what WithdrawAll or StopEverything did.
type Withdrawn struct {
	Event  int64 // its Seq, for Undo; 0 when there was nothing to do
	Shares int   // ended, or going on without the person
}

// WithdrawAll ends every share of a target, and with it what was granted under
// them, at once and in one transaction. A share that names others, too, goes on
// for them. An application also loses what it holds under shares that any
// application may use; it may ask for that anew.
func (s *Server) WithdrawAll(ctx context.Context, o Owner, t Target) (Withdrawn, error) {
	var done Withdrawn
	err := s.manage(ctx, o, func(tx Tx) error {
		done = Withdrawn{}
		m, err := t.find(tx, o.Space)
		if err != nil {
			return err
		}
		revoked := 0
		if t.App != "" {
			lately, err := s.GrantedLately(tx, o.Space)
			if err != nil {
				return err
			}
			if revoked, err = tx.RevokeGrantsOf(o.Space, t.App, idsOf(m.from), lately, s.now()); err != nil {
				return err
			}
		}
		n := len(m.ends) + len(m.less)
		if n+revoked == 0 {
			return nil
		}
		subject, d := t.detail()
		d["shares"] = n
		seq, err := s.recorded(tx, o.Space, EventSharesWithdrawn, o.actor(), subject, d)
		if err != nil {
			return err
		}
		done = Withdrawn{Event: seq, Shares: n}
		for _, one := range m.less {
			// Less is always possible, also where a scope is not registered any more.
			if err := s.putInPlace(tx, s.revised(o, one.share, one.wish), s.ending(o, EndReplaced, seq)); err != nil {
				return err
			}
		}
		return s.end(tx, o, m.ends, seq)
	})
	return done, err
}

// end ends shares by an event, with which Undo brings them back.
func (s *Server) end(tx Tx, o Owner, shares []Share, event int64) error {
	ids := idsOf(shares)
	if err := tx.KeepShares(o.Space, ids, s.ending(o, EndWithdrawn, event)); err != nil {
		return err
	}
	return tx.DeleteShares(o.Space, ids)
}

// StopEverything ends all there is in the space in one act: every share, every
// permission and every token, the protection API access tokens of its resource servers
// included. Undo brings back the shares, and nobody who was in.
func (s *Server) StopEverything(ctx context.Context, o Owner) (Withdrawn, error) {
	var done Withdrawn
	err := s.manage(ctx, o, func(tx Tx) error {
		done = Withdrawn{}
		if err := tx.BumpSpace(o.Space); err != nil {
			return err
		}
		if err := s.tellOfStop(tx, o.Space); err != nil {
			return err
		}
		shares, err := tx.SharesInForce(o.Space, nil)
		if err != nil {
			return err
		}
		seq, err := s.recorded(tx, o.Space, EventEverythingStopped, o.actor(), string(o.Space), detail{"shares": len(shares)})
		if err != nil {
			return err
		}
		done = Withdrawn{Event: seq, Shares: len(shares)}
		return s.end(tx, o, shares, seq)
	})
	s.posted()
	return done, err
}

// Impact is what withdrawing a target would mean.
type Impact struct {
	Shares    int         // that would end, or go on without the person
	Tokens    int64       // access tokens that would be dead
	LastUsed  time.Time   // of what would end; zero: not within Lifetimes.Uses
	Apps      []AppImpact // which hold something that would be dead, by name
	StillOpen []StillOpen // what the same people could do all the same; at most maxStillOpen
	MoreOpen  bool        // there is more of that
}

// AppImpact is an application that would lose something.
type AppImpact struct {
	Client   oauth.ClientID
	Name     string // "" when the client is gone
	Tokens   int64
	LastUsed time.Time // of anything of the space; zero: not within Lifetimes.Uses
}

// StillOpen is a scope of a resource that a party could use by other shares.
type StillOpen struct {
	Party    policy.Party
	Resource uma.ResourceID
	Scope    uma.Scope
	Shares   []policy.ShareID
}

const maxStillOpen = 50

// Impact computes what WithdrawAll would mean now. It changes nothing.
func (s *Server) Impact(r Reader, space SpaceID, t Target) (Impact, error) {
	var i Impact
	m, err := t.find(r, space)
	if err != nil {
		return i, err
	}
	i.Shares = len(m.ends) + len(m.less)
	if err := s.impactOnApps(r, space, t, m, &i); err != nil {
		return i, err
	}
	return i, s.stillOpen(r, space, t, m, &i)
}

// lately is how far back GrantedLately looks at the least: the lifetimes may have been
// longer before.
const lately = time.Hour

// GrantedLately lists the UMA grants of a space that may live although they cannot be
// renewed. The history tells them.
func (s *Server) GrantedLately(r Reader, space SpaceID) ([]GrantID, error) {
	const size = 500
	from := s.now().Add(-max(lately, s.Lifetimes.RPT, s.Lifetimes.SignedRPT))
	var out []GrantID
	for before := int64(0); ; {
		events, err := r.EventsBefore(space, before, size)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			if e.At.Before(from) {
				return out, nil
			}
			if e.Kind == EventPermissionGranted {
				out = append(out, GrantID(e.Subject))
			}
		}
		if len(events) < size {
			return out, nil
		}
		before = events[len(events)-1].Seq
	}
}

func (s *Server) impactOnApps(r Reader, space SpaceID, t Target, m meant, i *Impact) error {
	shares := m.all()
	if t.App != "" {
		shares = m.from
	}
	lately, err := s.GrantedLately(r, space)
	if err != nil {
		return err
	}
	live, err := r.LiveAccess(space, idsOf(shares), lately, s.now())
	if err != nil {
		return err
	}
	apps := map[oauth.ClientID]*AppImpact{}
	for _, l := range live {
		if t.App != "" && l.Client != t.App {
			continue
		}
		app := apps[l.Client]
		if app == nil {
			c, err := r.Client(l.Client)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			app = &AppImpact{Client: l.Client, Name: c.Name}
			apps[l.Client] = app
		}
		app.Tokens += l.Tokens
		i.Tokens += l.Tokens
	}
	if err := s.lastUses(r, space, t, m, apps, i); err != nil {
		return err
	}
	for _, app := range apps {
		i.Apps = append(i.Apps, *app)
	}
	slices.SortFunc(i.Apps, func(a, b AppImpact) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Client, b.Client))
	})
	return nil
}

// lastUses says when what would end was used last, and when each application last
// used anything of the space.
func (s *Server) lastUses(r Reader, space SpaceID, t Target, m meant, apps map[oauth.ClientID]*AppImpact, i *Impact) error {
	var ids []string
	for _, share := range m.all() {
		ids = append(ids, string(share.ID))
	}
	uses, err := r.LastUses(space, UseOfShare, ids)
	if err != nil {
		return err
	}
	for _, u := range uses {
		if u.LastAt.After(i.LastUsed) {
			i.LastUsed = u.LastAt
		}
	}
	ids = nil
	for id := range apps {
		ids = append(ids, string(id))
	}
	if uses, err = r.LastUses(space, UseOfClient, ids); err != nil {
		return err
	}
	for _, u := range uses {
		apps[u.Client].LastUsed = u.LastAt
		if t.App != "" && u.LastAt.After(i.LastUsed) {
			i.LastUsed = u.LastAt
		}
	}
	return nil
}

// stillOpen asks the judge about everybody whom the shares name, with the shares
// that would be left.
func (s *Server) stillOpen(r Reader, space SpaceID, t Target, m meant, i *Impact) error {
	affected := m.all()
	var on []uma.ResourceID
	for _, share := range affected {
		if !slices.Contains(on, share.Resource) {
			on = append(on, share.Resource)
		}
	}
	if len(on) == 0 {
		return nil
	}
	left, err := r.SharesInForce(space, on)
	if err != nil {
		return err
	}
	by := map[uma.ResourceID][]Share{}
	for _, share := range left {
		if slices.ContainsFunc(m.ends, func(e Share) bool { return e.ID == share.ID }) {
			continue
		}
		for _, n := range m.less {
			if n.share.ID == share.ID {
				share.Share = n.wish
			}
		}
		by[share.Resource] = append(by[share.Resource], share)
	}
	type question struct {
		party policy.Party
		of    uma.ResourceID
		scope uma.Scope
	}
	asked := map[question]bool{}
	for _, share := range affected {
		if len(by[share.Resource]) == 0 {
			continue
		}
		res, err := r.ResourceInSpace(space, share.Resource)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		for _, p := range share.Parties() {
			if t.Person != (policy.Party{}) && p != t.Person {
				continue
			}
			facts := s.factsOf(p, left)
			groups, err := supposedIn(r, p, by[share.Resource], facts)
			if err != nil {
				return err
			}
			judge := s.judgeWith(by, facts, groups, oauth.ClientID(share.Client), "")
			for _, scope := range orBare(share.Scopes) {
				v := judge(res, scope)
				key := question{p, res.ID, scope}
				if v.Outcome < policy.Need || asked[key] {
					continue
				}
				asked[key] = true
				if len(i.StillOpen) == maxStillOpen {
					i.MoreOpen = true
					return nil
				}
				i.StillOpen = append(i.StillOpen, StillOpen{p, res.ID, scope, v.Shares})
			}
		}
	}
	return nil
}

// orBare is the scopes, or for none the resource without a scope.
func orBare(scopes []uma.Scope) []uma.Scope {
	if len(scopes) == 0 {
		return []uma.Scope{""}
	}
	return scopes
}
