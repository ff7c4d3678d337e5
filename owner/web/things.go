package web

import (
	"errors"
	"html/template"
	"net/url"
	"slices"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/uma"
)

// thingRow is one thing in a list.
type thingRow struct {
	thing
	what
	Lit  bool
	Whom template.HTML // who can do something with it; "" for nobody
	Used *page.Moment
}

func (s *Server) thingRow(v *visit, t owner.Thing) thingRow {
	out := thingRow{
		thing: v.thing(owner.ThingName{ID: t.ID, Name: t.Description.Name}), what: s.what(v, t), Lit: t.Lit(), Used: v.Until(t.LastUsed),
	}
	var names []template.HTML
	for _, one := range t.Sharings {
		for _, w := range one.Who {
			name := v.whom([]owner.Who{w}, one.Through)
			if one.Opens() && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	const named = 3
	switch n := len(names); {
	case n > named:
		out.Whom = v.Say("%s and %s", v.listed(names[:named]), v.Say("%d others", n-named))
	default:
		out.Whom = v.listed(names)
	}
	return out
}

// what is what a thing is, as far as this server knows.
type what struct {
	Icon    string        // where its picture is; "" for none
	Kind    template.HTML // what the operator calls things of its type; "" for no words
	Service template.HTML // where it is kept
	Told    string        // what its service says of it, in the service's own words
}

func (s *Server) what(v *visit, t owner.Thing) what {
	return what{s.iconOf(t), v.Kind(t.Description.Type), v.service(t.Service), t.Description.DescriptionIn(v.Language())}
}

// brief is how something long begins: what a service says of a thing may fill a page.
func brief(text string) string {
	const most = 240
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "…"
	}
	return text
}

// service is what a service is called.
func (v *visit) service(app owner.App) template.HTML {
	if app.Name == "" {
		return v.Say("a service without a name")
	}
	return v.text(app.Name)
}

// things lists everything, over all services.
func (s *Server) things(v *visit) error {
	q := owner.ThingsQuery{Search: v.form["q"], Service: oauth.ClientID(v.form["service"])}
	found, err := v.views.Things(v.ctx, v.owner, q, owner.Page{After: v.form["after"]})
	if err != nil {
		return err
	}
	type service struct {
		ID   oauth.ClientID
		Name template.HTML
		N    int64
		Now  bool
	}
	data := struct {
		common
		Search   string
		Service  oauth.ClientID
		Services []service
		Things   []thingRow
		Next     string
		All      int64
		Empty    template.HTML // what is said where nothing is known
		Whom     template.HTML // with whom one of them is to be shared; "" for nobody
		With     [2]string     // which says that in an address
		Back     string
	}{common: s.common(v), Search: q.Search, Service: q.Service, Empty: v.nothingKnown()}
	whom, name, value, err := s.with(v)
	if err != nil {
		return err
	}
	if name != "" {
		data.Whom, data.With, data.Back = v.who(whom).Name, [2]string{name, value}, s.below(map[string]string{"with": "people/", "group": "groups/"}[name]+value)
	}
	data.Next = s.next(v, "things", found.Next, "q", q.Search, "service", string(q.Service), name, value)
	for _, one := range found.Services {
		data.Services = append(data.Services, service{one.ID, v.service(one.App), one.Things, one.ID == q.Service})
		data.All += one.Things
	}
	for _, t := range found.List {
		data.Things = append(data.Things, s.thingRow(v, t))
	}
	return s.show(v, "things", "things", page.Options{}, data)
}

// next is the address of the page that follows in a list; "" when none does.
func (s *Server) next(v *visit, path, after string, query ...string) string {
	if after == "" {
		return ""
	}
	return s.below(path, append(query, "after", after)...)
}

// thing shows one thing: who can do what, and what has happened.
func (s *Server) thing(v *visit) error {
	id := uma.ResourceID(v.R.PathValue("id"))
	t, err := v.views.Thing(v.ctx, v.owner, id)
	if absent(err) {
		return s.elsewhere(v, id)
	}
	if err != nil {
		return err
	}
	lately, err := v.views.History(v.ctx, v.owner, owner.HistoryFilter{Thing: id}, owner.Page{Limit: thingLately})
	if err != nil {
		return err
	}
	used, err := s.lastUses(v, owner.UsesQuery{Thing: id})
	if err != nil {
		return err
	}
	past, err := s.past(v, t)
	if err != nil {
		return err
	}
	row := s.thingRow(v, t)
	var open, asking []sharing
	for _, one := range s.sharings(v, t.Sharings) {
		if one.Asks {
			asking = append(asking, one)
		} else {
			open = append(open, one)
		}
	}
	return s.show(v, "things", "thing", page.Options{Done: v.done(s)}, struct {
		common
		Used     []use
		Past     []once
		Thing    thingRow
		Says     template.HTML
		Sharings []sharing
		Asking   []sharing // for whom the question is put each time
		All      bool      // there are several to stop at once
		Verbs    []verb
		Lately   []line
		Type     string
		Scopes   []uma.Scope
		Since    page.Moment
	}{
		common: s.common(v), Used: used, Past: past, Thing: row, Says: v.thingSays(row), Sharings: open, Asking: asking, All: len(t.Sharings) > 1, Verbs: s.verbs(v, t.Description.Scopes),
		Lately: v.lines(lately.List), Type: t.Description.Type, Scopes: t.Description.Scopes, Since: v.At(t.CreatedAt),
	})
}

// elsewhere leads to a thing in another space in which the person has a role: services
// send people to the page of a thing (FedAuthz 3.2.1), whomever they act for just then.
// For whom they act is changed by a press and by no link.
func (s *Server) elsewhere(v *visit, id uma.ResourceID) error {
	for _, space := range v.spaces {
		o, role, err := s.AS.ActIn(v.ctx, v.account.ID, space.ID)
		if absent(err) {
			continue
		}
		if err != nil {
			return err
		}
		switch _, err := v.views.Thing(v.ctx, o, id); {
		case err == nil:
			return s.show(v, "things", "elsewhere", page.Options{}, struct {
				common
				Space  as.SpaceID
				Name   string
				Own    bool
				Acting string // for whom they act now; "" for themselves
				To     string
			}{s.common(v), space.ID, space.Name, role.Kind == as.RoleOwner, v.acting(), s.below("things/" + url.PathEscape(string(id)))})
		case !absent(err):
			return err
		}
	}
	return errNothing
}

// acting is for whom the person acts now; "" for themselves.
func (v *visit) acting() string {
	if v.space.Role.Kind == as.RoleOwner {
		return ""
	}
	return v.space.Name
}

// whose says a sentence about what is the person's own or, while they act for somebody,
// its twin that names them; the name comes last.
func (v *visit) whose(own, theirs string, args ...any) template.HTML {
	return v.Whose(v.acting(), own, theirs, args...)
}

// absent reports whether an error says that there is no such thing.
func absent(err error) bool {
	var e *uma.Error
	return errors.As(err, &e) && e.Code == uma.NotFound
}

// thingLately is how much of its history is shown beside a thing.
const thingLately = 8

func (v *visit) thingSays(t thingRow) template.HTML {
	if t.Whom == "" {
		return v.whose("Only you can see this.", "Only %s can see this.")
	}
	return v.Say("<b>%s</b> can get at this.", t.Whom)
}
