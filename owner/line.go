package owner

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// ActorKind says who did what a line tells.
type ActorKind string

const (
	ActorPerson ActorKind = "person" // an account
	ActorApp    ActorKind = "app"    // an application or a service by itself
	ActorServer ActorKind = "server" // the operator, an import
)

// Actor is who did something.
type Actor struct {
	Kind ActorKind
	ID   string // of the account or client
	Name string // "" when it has none, or is gone
	// For is whose space it was done in, where somebody did it for another: "C for
	// D". "" where it was their own, or an application did it.
	For string
}

// Line is one event of the space.
type Line struct {
	Seq     int64
	At      time.Time
	Kind    string // as.EventShareCreated and its like
	Actor   Actor
	Things  []ThingName // that it is about
	Who     []Who       // those concerned, as far as a record still tells
	App     App         // through which, or which it is about; zero: none
	Through []App       // the applications that alone the shares it is about are good through
	Scopes  []uma.Scope
	Share   policy.ShareID
	Version int64        // of the share, which was made or ended; 0: none
	Request as.RequestID // that it is about
	Shares  int          // how many, where many were withdrawn at once
	Person  string       // the name or address of the account whose role it is about
	Role    as.RoleKind  // that it is about
	Undo    bool         // as.Server.Undo with Seq may bring something back
}

// eventDetail is what events tell besides their fixed fields.
type eventDetail struct {
	Resource    uma.ResourceID   `json:"resource"`
	Scopes      []uma.Scope      `json:"scopes"`
	Version     int64            `json:"version"`
	Client      oauth.ClientID   `json:"client"`
	Of          string           `json:"of"`
	Shares      json.RawMessage  `json:"shares"` // how many, or which
	Granted     []uma.Permission `json:"granted"`
	Permissions []struct {
		Resource uma.ResourceID `json:"resource_id"`
		Scopes   []uma.Scope    `json:"resource_scopes"`
	} `json:"permissions"`
	Subject string      `json:"subject"`
	Kind    as.RoleKind `json:"kind"`    // of a role; of other events something else
	EndsAt  int64       `json:"ends_at"` // of a role, in seconds; 0: without an end
}

// tell makes lines of those events that the filter lets through. What it has to
// look up it looks up once each.
func (s *snapshot) tell(events []as.Event, f HistoryFilter) ([]Line, error) {
	details := make([]eventDetail, len(events))
	var things []uma.ResourceID
	for i, e := range events {
		// What an event of another version tells in another form is left out.
		_ = json.Unmarshal([]byte(e.Detail), &details[i])
		things = append(things, aboutThings(e, details[i])...)
	}
	if err := s.learn(things); err != nil {
		return nil, err
	}
	var out []Line
	var shares []policy.ShareID
	var requests []as.RequestID
	which := map[int64]eventDetail{}
	for i, e := range events {
		l, err := s.line(e, details[i])
		if err != nil {
			return nil, err
		}
		if f.maybe(l) {
			out, which[l.Seq] = append(out, l), details[i]
			shares = append(shares, l.sharesOf(details[i])...)
			if l.Request != "" {
				requests = append(requests, l.Request)
			}
		}
	}
	if err := errors.Join(s.learnShares(shares), s.learnRequests(requests)); err != nil {
		return nil, err
	}
	for i := range out {
		if err := s.concerned(&out[i], which[out[i].Seq]); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(out, func(l Line) bool { return !f.lets(l) }), nil
}

// manyShares says whether the line may be about any number of shares at once, which it
// has ended.
func (l Line) manyShares() bool {
	return l.Kind == as.EventSharesWithdrawn || l.Kind == as.EventEverythingStopped
}

// sharesOf are the shares that a line is about.
func (l Line) sharesOf(d eventDetail) (ids []policy.ShareID) {
	switch {
	case l.Share != "":
		ids = append(ids, l.Share)
	case l.Kind == as.EventPermissionGranted:
		_ = json.Unmarshal(d.Shares, &ids) // an older event tells of none
	}
	return ids
}

// learnShares finds what shares were, and the names of their things.
func (s *snapshot) learnShares(ids []policy.ShareID) error {
	ids = missing(s.versions, ids)
	found, err := s.VersionsOf(s.o.Space, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		s.versions[id] = nil
	}
	var things []uma.ResourceID
	for _, v := range found {
		s.versions[v.ID] = append(s.versions[v.ID], v)
		things = append(things, v.Resource)
	}
	return s.learn(things)
}

// learnRequests finds requests, and the names of their things.
func (s *snapshot) learnRequests(ids []as.RequestID) error {
	ids = missing(s.requests, ids)
	found, err := s.RequestsOf(s.o.Space, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		s.requests[id] = as.Request{}
	}
	var things []uma.ResourceID
	for _, q := range found {
		s.requests[q.ID] = q
		for _, p := range q.Permissions {
			things = append(things, p.Resource)
		}
	}
	return s.learn(things)
}

func aboutThings(e as.Event, d eventDetail) (ids []uma.ResourceID) {
	switch e.Kind {
	case as.EventResourceRegistered, as.EventResourceUpdated, as.EventResourceDeregistered:
		ids = append(ids, uma.ResourceID(e.Subject))
	case as.EventSharesWithdrawn:
		if d.Of == "resource" {
			ids = append(ids, uma.ResourceID(e.Subject))
		}
	}
	if d.Resource != "" {
		ids = append(ids, d.Resource)
	}
	for _, p := range d.Granted {
		ids = append(ids, p.Resource)
	}
	for _, p := range d.Permissions {
		ids = append(ids, p.Resource)
	}
	return ids
}

// line is a line without who is concerned.
func (s *snapshot) line(e as.Event, d eventDetail) (Line, error) {
	l := Line{Seq: e.Seq, At: e.At, Kind: e.Kind, Scopes: d.Scopes}
	var err error
	if l.Actor, err = s.actor(e.Actor); err != nil {
		return l, err
	}
	if l.Actor.Kind == ActorApp {
		l.App = App{oauth.ClientID(l.Actor.ID), l.Actor.Name}
	}
	for _, id := range aboutThings(e, d) {
		l.addThing(s.names[id])
	}
	switch e.Kind {
	case as.EventMemberLeft:
		l.Actor.For = "" // nobody gives back for another
	case as.EventShareGivenBack:
		l.Actor.For = ""
		l.Share, l.Version = policy.ShareID(e.Subject), d.Version
	case as.EventShareCreated, as.EventShareReplaced, as.EventShareWithdrawn, as.EventShareRestored:
		l.Share, l.Version = policy.ShareID(e.Subject), d.Version
		l.Undo = e.Kind == as.EventShareReplaced || e.Kind == as.EventShareWithdrawn
	case as.EventSharesWithdrawn, as.EventEverythingStopped:
		_ = json.Unmarshal(d.Shares, &l.Shares)
		l.Undo = l.Shares > 0
		if d.Of == "app" {
			l.App, err = s.app(oauth.ClientID(e.Subject))
		}
	case as.EventRequestSubmitted, as.EventRequestApproved, as.EventRequestDenied, as.EventRequestAside:
		l.Request = as.RequestID(e.Subject)
	case as.EventPartyBlocked:
		var block as.Block
		block, err = s.Block(s.o.Space, as.BlockID(e.Subject))
		l.Request, err = block.Request, absentIsFine(err) // they may ask again
	case as.EventGroupCreated, as.EventGroupRenamed, as.EventMemberAdded, as.EventMemberRemoved:
		err = s.add(&l, policy.Party{Kind: policy.PartyGroup, Value: e.Subject})
	case as.EventConnectionEnded:
		l.App, err = s.app(d.Client)
	case as.EventDeclined:
		l.Actor.For = "" // they have said that they do not act for anybody here
	case as.EventRoleGranted, as.EventRoleEnded:
		l.Role = d.Kind
		if l.Actor.ID == e.Subject {
			l.Actor.For = "" // it is about themselves
			break
		}
		var holder Actor
		holder, err = s.actor(e.Subject)
		l.Person = holder.Name
	case as.EventPermissionGranted:
		for _, p := range d.Permissions {
			for _, scope := range p.Scopes {
				if !slices.Contains(l.Scopes, scope) {
					l.Scopes = append(l.Scopes, scope)
				}
			}
		}
	}
	return l, err
}

func (l *Line) addThing(t ThingName) {
	if !slices.Contains(l.Things, t) {
		l.Things = append(l.Things, t)
	}
}

// concerned adds who is concerned, from the records that the event is about: the
// history itself tells of nobody, so that an address can be erased.
func (s *snapshot) concerned(l *Line, d eventDetail) error {
	switch {
	case l.manyShares():
		ended, err := s.ShareVersions(s.o.Space, as.VersionFilter{EndedBy: l.Seq}, as.Page{Limit: maxVersions})
		if err != nil {
			return err
		}
		return s.concernedBy(l, ended)
	case l.Request != "":
		q := s.requests[l.Request]
		if q.ID == "" {
			return nil
		}
		if l.Kind != as.EventRequestApproved {
			for _, p := range q.Permissions {
				l.addThing(s.names[p.Resource])
			}
		}
		var err error
		if l.App, err = s.app(q.Client); err != nil {
			return err
		}
		shown, err := s.AS.Reveal(q)
		if err != nil {
			return err
		}
		return s.add(l, shown.Party())
	}
	for _, id := range l.sharesOf(d) {
		if err := s.concernedBy(l, s.versions[id]); err != nil {
			return err
		}
	}
	return s.add(l, as.PartyOf(d.Subject))
}

func (s *snapshot) add(l *Line, p policy.Party) error {
	if p == (policy.Party{}) {
		return nil
	}
	w, err := s.party(p)
	if err == nil && !slices.Contains(l.Who, w) {
		l.Who = append(l.Who, w)
	}
	return err
}

// maxVersions is of how many shares that ended at once it is told whom they
// concerned.
const maxVersions = 100

// concernedBy adds the parties and things of versions; of one share, those of the
// version that the line is about.
func (s *snapshot) concernedBy(l *Line, versions []as.ShareVersion) error {
	var ids []uma.ResourceID
	for _, v := range versions {
		if l.Version != 0 && v.Version != l.Version {
			continue
		}
		ids = append(ids, v.Resource)
		for _, p := range v.Parties() {
			if err := s.add(l, p); err != nil {
				return err
			}
		}
		if through := throughOf(v.Share); through != "" {
			app, err := s.app(through)
			if err != nil {
				return err
			}
			if !slices.Contains(l.Through, app) {
				l.Through = append(l.Through, app)
			}
		}
	}
	if err := s.learn(ids); err != nil {
		return err
	}
	for _, id := range ids {
		l.addThing(s.names[id])
	}
	return nil
}

// actor finds who did something, once.
func (s *snapshot) actor(id string) (Actor, error) {
	if a, ok := s.actors[id]; ok {
		return a, nil
	}
	a := Actor{Kind: ActorServer, ID: id}
	account, err := s.Account(as.AccountID(id))
	switch {
	case err == nil:
		a.Kind, a.Name = ActorPerson, cmp.Or(account.Name, account.Email)
		if a.For, err = s.ownerBut(account.ID); err != nil {
			return a, err
		}
	case absentIsFine(err) != nil:
		return a, err
	default:
		app, err := s.Client(oauth.ClientID(id))
		if absentIsFine(err) != nil {
			return a, err
		}
		if err == nil {
			a.Kind, a.Name = ActorApp, app.Name
		}
	}
	s.actors[id] = a
	return a, nil
}

// ownerBut is the name of the owner of the space, or "" when that is the account.
func (s *snapshot) ownerBut(id as.AccountID) (string, error) {
	roles, err := s.RolesIn(s.o.Space)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(roles, func(r as.Role) bool { return r.Kind == as.RoleOwner })
	if i < 0 || roles[i].Account == id {
		return "", nil
	}
	owner, err := s.Account(roles[i].Account)
	return owner.Name, absentIsFine(err)
}

// absentIsFine is nil for what is not there any more.
func absentIsFine(err error) error {
	if errors.Is(err, as.ErrNotFound) {
		return nil
	}
	return err
}
