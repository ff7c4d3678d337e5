package owner

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Views are the read models. They may be used concurrently, but for those OfOnePage.
type Views struct {
	AS *as.Server

	onPage map[as.SpaceID]*known // nil: each view looks everything up itself
}

// known is what has been looked up of a space, by one view or by all of one page.
type known struct {
	apps     map[oauth.ClientID]App
	names    map[uma.ResourceID]ThingName
	keys     map[policy.Party]string
	who      map[policy.Party]Who
	actors   map[string]Actor
	versions map[policy.ShareID][]as.ShareVersion
	requests map[as.RequestID]as.Request // zero: it is gone
	uses     map[useKey]as.Use           // the last of each; zero: there is none
	inForce  []as.Share                  // nil: not read yet
	within   versionsRead
}

// useKey is something that may have been used.
type useKey struct {
	of as.UseOf
	id string
}

func newKnown() *known {
	return &known{
		apps: map[oauth.ClientID]App{}, names: map[uma.ResourceID]ThingName{}, keys: map[policy.Party]string{}, who: map[policy.Party]Who{},
		actors: map[string]Actor{}, versions: map[policy.ShareID][]as.ShareVersion{},
		requests: map[as.RequestID]as.Request{}, uses: map[useKey]as.Use{},
	}
}

// versionsRead are all versions of shares of a space that were there within a time.
type versionsRead struct {
	from, to time.Time
	list     []as.ShareVersion
}

// OfOnePage are views that look each thing up once, however many of them one page is
// made of. They know nothing of what is changed after that, so they are for pages that
// change nothing, and each for one page.
func (v Views) OfOnePage() Views {
	v.onPage = map[as.SpaceID]*known{}
	return v
}

// Page asks for a page of a list.
type Page struct {
	After string // the Next of the page before; "" for the first
	Limit int    // 0: 50; at most MaxLimit
}

// MaxLimit is how much a page of a list has at the most.
const MaxLimit = 200

func (p Page) limit() int {
	if p.Limit <= 0 {
		return 50
	}
	return min(p.Limit, MaxLimit)
}

// App is an application or a service.
type App struct {
	ID   oauth.ClientID
	Name string // "" when it has none, or is not registered any more
}

// Who is one of those whom shares are for.
type Who struct {
	policy.Party
	Key   string // good in a path
	App   App    // for policy.PartyApp
	Group string // the name, for policy.PartyGroup; "" when it is gone
}

// ThingName is a thing by its name.
type ThingName struct {
	ID   uma.ResourceID
	Name string // "" when it has none, or was never known
	Gone bool   // it is not registered any more; Name is the last it had
}

// State is what has become of a share.
type State string

const (
	InForce State = "in_force" // it lets in, if its conditions hold
	Early   State = "early"    // it begins later
	Over    State = "over"     // it has ended by itself
)

// Sharing is a share as pages show it.
type Sharing struct {
	as.Share
	State    State
	Who      []Who // at least one
	Thing    ThingName
	Through  App       // the one application that whoever it is for has to use; zero: any
	LastUsed time.Time // zero: not within the time that uses are kept
}

// Opens says whether the share lets somebody in now. One under which the owner is asked
// each time lets in nobody.
func (s Sharing) Opens() bool { return s.State == InForce && !s.Ask }

// snapshot is one reading of a space.
type snapshot struct {
	as.Reader
	*known
	AS  *as.Server
	o   as.Owner
	now time.Time
}

func (v Views) read(ctx context.Context, o as.Owner, f func(*snapshot) error) error {
	k := v.onPage[o.Space]
	if k == nil {
		k = newKnown()
	}
	if v.onPage != nil {
		v.onPage[o.Space] = k
	}
	return v.AS.Store.View(ctx, func(r as.Reader) error {
		return f(&snapshot{Reader: r, known: k, AS: v.AS, o: o, now: v.AS.Now().UTC()})
	})
}

var (
	errNoThing  = uma.NewError(uma.NotFound, "There is no such page, or it is not yours to see.")
	errNoPast   = uma.NewError(uma.NotFound, "There is nothing to bring back.")
	errNoGroup  = uma.NewError(uma.NotFound, "There is no such group.")
	errNoPerson = uma.NewError(uma.NotFound, "There is nobody like that.")
)

// app finds an application once.
func (s *snapshot) app(id oauth.ClientID) (App, error) {
	if id == "" {
		return App{}, nil
	}
	if app, ok := s.apps[id]; ok {
		return app, nil
	}
	c, err := s.Client(id)
	if err != nil && !errors.Is(err, as.ErrNotFound) {
		return App{}, err
	}
	s.apps[id] = App{ID: id, Name: c.Name}
	return s.apps[id], nil
}

// partyKey is the Key of a Who.
func (s *snapshot) partyKey(p policy.Party) string {
	key, met := s.keys[p]
	if !met {
		key = s.AS.PartyKey(s.o, p)
		s.keys[p] = key
	}
	return key
}

func (s *snapshot) party(p policy.Party) (w Who, err error) {
	if w, ok := s.who[p]; ok {
		return w, nil
	}
	w = Who{Party: p, Key: s.partyKey(p)}
	if p.Kind == policy.PartyApp {
		w.App, err = s.app(oauth.ClientID(p.Value))
	}
	if p.Kind == policy.PartyGroup {
		var g as.Group
		if g, err = s.Group(s.o.Space, policy.GroupID(p.Value)); errors.Is(err, as.ErrNotFound) {
			err = nil // of the past
		}
		w.Group = g.Name
	}
	s.who[p] = w
	return w, err
}

// name notes what resources are called.
func (s *snapshot) name(list ...as.Resource) {
	for _, r := range list {
		s.names[r.ID] = ThingName{ID: r.ID, Name: r.Description.Name}
	}
}

// missing are those of the ids that have not been looked up.
func missing[ID comparable, T any](known map[ID]T, ids []ID) []ID {
	return slices.DeleteFunc(slices.Clone(ids), func(id ID) bool { _, is := known[id]; return is })
}

// learn finds the names of resources, also of those that are gone.
func (s *snapshot) learn(ids []uma.ResourceID) error {
	ids = missing(s.names, ids)
	found, err := s.ResourcesOf(s.o.Space, ids)
	if err != nil {
		return err
	}
	s.name(found...)
	for _, id := range ids {
		if _, known := s.names[id]; known {
			continue
		}
		was, err := s.LastOfResource(s.o.Space, id)
		if err != nil && !errors.Is(err, as.ErrNotFound) {
			return err
		}
		s.names[id] = ThingName{ID: id, Name: was.Description.Name, Gone: true}
	}
	return nil
}

func stateOf(s as.Share, now time.Time) State {
	switch {
	case !s.NotAfter.IsZero() && !now.Before(s.NotAfter):
		return Over
	case now.Before(s.NotBefore):
		return Early
	}
	return InForce
}

// sharings shows shares. It asks for all names and uses at once.
func (s *snapshot) sharings(shares []*as.Share) ([]Sharing, error) {
	var ids []uma.ResourceID
	var uses []string
	for _, share := range shares {
		ids = append(ids, share.Resource)
		uses = append(uses, string(share.ID))
	}
	if err := s.learn(ids); err != nil {
		return nil, err
	}
	used, err := s.lastUsed(as.UseOfShare, uses)
	if err != nil {
		return nil, err
	}
	out := make([]Sharing, len(shares))
	for i, share := range shares {
		out[i] = Sharing{Share: *share, State: stateOf(*share, s.now), Thing: s.names[share.Resource], LastUsed: used[string(share.ID)]}
		if out[i].Through, err = s.app(throughOf(*share)); err != nil {
			return nil, err
		}
		for _, p := range share.Parties() {
			w, err := s.party(p)
			if err != nil {
				return nil, err
			}
			out[i].Who = append(out[i].Who, w)
		}
	}
	return out, nil
}

func (s *snapshot) lastUsed(of as.UseOf, ids []string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	if len(ids) == 0 {
		return out, nil
	}
	list, err := s.LastUses(s.o.Space, of, ids)
	for _, u := range list {
		out[u.Of(of)] = u.LastAt
	}
	return out, err
}

// SharesInForce reads those of the whole space once: nobody changes them. Those on some
// resources are among them.
func (s *snapshot) SharesInForce(space as.SpaceID, on []uma.ResourceID) ([]as.Share, error) {
	if space != s.o.Space || on != nil && s.inForce == nil {
		return s.Reader.SharesInForce(space, on)
	}
	if s.inForce == nil {
		list, err := s.Reader.SharesInForce(space, nil)
		if err != nil {
			return nil, err
		}
		if s.inForce = list; list == nil {
			s.inForce = []as.Share{}
		}
	}
	if on == nil {
		return slices.Clip(s.inForce), nil
	}
	wanted := map[uma.ResourceID]bool{}
	for _, id := range on {
		wanted[id] = true
	}
	var out []as.Share
	for _, share := range s.inForce {
		if wanted[share.Resource] {
			out = append(out, share)
		}
	}
	return out, nil
}

// LastUses looks up once what of something was the last use.
func (s *snapshot) LastUses(space as.SpaceID, of as.UseOf, ids []string) (out []as.Use, err error) {
	if space != s.o.Space {
		return s.Reader.LastUses(space, of, ids)
	}
	unknown := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, known := s.uses[useKey{of, id}]; return known })
	found, err := s.Reader.LastUses(space, of, unknown)
	if err != nil {
		return nil, err
	}
	for _, id := range unknown {
		s.uses[useKey{of, id}] = as.Use{}
	}
	for _, u := range found {
		s.uses[useKey{of, u.Of(of)}] = u
	}
	for _, id := range ids {
		if u := s.uses[useKey{of, id}]; u.ID != "" {
			out = append(out, u)
		}
	}
	return out, nil
}

// shares are all shares of the space.
func (s *snapshot) shares() ([]*as.Share, error) {
	list, err := s.SharesInForce(s.o.Space, nil)
	return placesOf(list), err
}

// placesOf says where the shares of a list are: a share is large, and an owner has many.
func placesOf(shares []as.Share) []*as.Share {
	out := make([]*as.Share, len(shares))
	for i := range shares {
		out[i] = &shares[i]
	}
	return out
}

// live are the shares that are in force, or will be.
func live(shares []*as.Share, now time.Time) []*as.Share {
	return slices.DeleteFunc(slices.Clone(shares), func(s *as.Share) bool { return stateOf(*s, now) == Over })
}

// pageOf cuts a page out of a sorted list. list names the list and what narrows
// it; key is where an element stands, in the order of the list.
func pageOf[T any](v Views, o as.Owner, list string, all []T, key func(T) string, p Page) (page []T, next string, err error) {
	after, err := v.AS.OpenCursor(o, list, p.After)
	if err != nil {
		return nil, "", err
	}
	begin := 0
	if after != "" {
		begin, _ = slices.BinarySearchFunc(all, after, func(e T, after string) int { return cmp.Or(strings.Compare(key(e), after), -1) })
	}
	end := min(begin+p.limit(), len(all))
	page = all[begin:end]
	if end < len(all) {
		next = v.AS.Cursor(o, list, key(page[len(page)-1]))
	}
	return page, next, nil
}

// sortedPageOf is pageOf for a list in no order: where each element stands is found out
// once.
func sortedPageOf[T any](v Views, o as.Owner, list string, all []T, key func(T) string, p Page) (page []T, next string, err error) {
	type placed struct {
		of  T
		key string
	}
	sorted := make([]placed, len(all))
	for i, one := range all {
		sorted[i] = placed{one, key(one)}
	}
	slices.SortFunc(sorted, func(a, b placed) int { return compareText(a.key, b.key) })
	found, next, err := pageOf(v, o, list, sorted, func(one placed) string { return one.key }, p)
	for _, one := range found {
		page = append(page, one.of)
	}
	return page, next, err
}

// cut leaves a page of what was read with one element more than a page has, and the
// cursor of the next page, "" when this is the last. list and key are as for pageOf.
func cut[T any](v Views, o as.Owner, list string, found []T, key func(T) string, p Page) (page []T, next string) {
	limit := p.limit()
	if len(found) <= limit {
		return found, ""
	}
	return found[:limit], v.AS.Cursor(o, list, key(found[limit-1]))
}

// absent says e where a record was not found.
func absent(err error, e *uma.Error) error {
	if errors.Is(err, as.ErrNotFound) {
		return e
	}
	return err
}
