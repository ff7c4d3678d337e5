package web

import (
	"cmp"
	"html/template"
	"net/url"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// How pages show what room owner tells: persons with how sure we are of them, things,
// what is shared as a sentence, and what has happened.

// who is somebody with whom something is shared.
type who struct {
	Key    string        // good in a path; never an address
	Face   string        // "person" or "app"
	Tone   string        // what the colour of the face is of: one for each person and each app, on every page
	Name   template.HTML // as a sentence has it
	Plain  string        // for the letters of the face
	Sure   template.HTML // how we know who it is
	Weak   bool          // by a mailbox alone
	Things int
	Until  *page.Moment // nil: without an end
	Used   *page.Moment // nil: not lately
	Scopes int
}

// who shows one of those whom shares are for.
func (v *visit) who(w owner.Who) who {
	out := who{Key: w.Key, Face: "person", Tone: cmp.Or(w.Value, w.Key), Name: v.text(w.Value), Plain: w.Value}
	switch w.Kind {
	case policy.PartyEmail:
		out.Sure, out.Weak = v.Say("E-mail address checked"), true
	case policy.PartyDomain:
		out.Name, out.Plain = v.Say("anyone whose e-mail ends in @%s", w.Value), "@"
		out.Sure, out.Weak = v.Say("E-mail address checked"), true
	case policy.PartySubject:
		out.Name, out.Sure = v.Say("somebody who was told yes"), v.Say("Signed in by %s", v.provider(w.Issuer))
		out.Plain = "?"
	case policy.PartyClaim:
		switch w.Name {
		case "email":
			out.Name, out.Plain = v.Say("anyone with an e-mail address"), "@"
			out.Sure, out.Weak = v.Say("E-mail address checked"), true
		case "sub":
			out.Name, out.Sure = v.Say("anyone who signs in at %s", v.provider(w.Issuer)), v.Say("Signed in by %s", v.provider(w.Issuer))
			out.Plain = "@"
		default:
			out.Name, out.Sure, out.Plain = v.confirmed(w), v.Say("Proof checked"), w.Name
		}
	case policy.PartyApp:
		out.Face, out.Name, out.Plain, out.Sure = "app", v.app(w.App), w.App.Name, v.Say("App")
	case policy.PartyGroup:
		out.Sure = v.whose("A group of yours", "A group of %s's")
		out.Name, out.Plain = v.text(w.Group), w.Group
		if w.Group == "" {
			out.Name, out.Plain = v.Say("a group that is gone"), "?"
		}
	case policy.PartyLink:
		out.Name, out.Plain = v.Say("whoever has the link"), "*"
		out.Sure, out.Weak = v.Say("Nobody is asked who they are"), true
	case policy.PartyAnyone:
		out.Name, out.Plain, out.Sure, out.Weak = v.Say("anyone"), "*", v.Say("Nobody is asked who they are"), true
	}
	return out
}

// confirmed is whoever has something that is confirmed by somebody, in words.
func (v *visit) confirmed(w owner.Who) template.HTML {
	if w.Value == "" {
		return v.Say("anyone with a proof of %s", w.Name)
	}
	by := v.Say("a place that is trusted here")
	if w.Issuer != "" {
		by = v.provider(w.Issuer)
	}
	for _, q := range qualities {
		if q.claim == w.Name {
			return v.Say(q.said, w.Value, by)
		}
	}
	return v.Say("anyone whose “%s” is %s, as %s confirms", w.Name, w.Value, by)
}

// whom is all of those whom a share is for, with the app that they have to use, in one
// phrase.
func (v *visit) whom(list []owner.Who, through owner.App) template.HTML {
	names := make([]template.HTML, len(list))
	for i, w := range list {
		names[i] = v.who(w).Name
	}
	if through.ID == "" {
		return v.listed(names)
	}
	return v.Say("%s through %s", v.listed(names), v.app(through))
}

// app is an app by its name.
func (v *visit) app(a owner.App) template.HTML {
	if a.Name == "" {
		return v.Say("an app without a name")
	}
	return v.text(a.Name)
}

// text is what somebody else wrote, kept from turning the writing around it.
func (v *visit) text(s string) template.HTML {
	return template.HTML("<bdi>" + template.HTMLEscapeString(s) + "</bdi>")
}

// provider is where somebody signs in, by the name of its host.
func (v *visit) provider(issuer string) template.HTML {
	if issuer == v.issuer {
		return v.Say("this place")
	}
	if u, err := url.Parse(issuer); err == nil && u.Host != "" {
		return v.text(u.Host)
	}
	return v.text(issuer)
}

// whos shows lines of the list of people and apps.
func (v *visit) whos(list []owner.Party) []who {
	out := make([]who, len(list))
	for i, p := range list {
		out[i] = v.who(p.Who)
		out[i].Things, out[i].Scopes = p.Things, p.Scopes
		out[i].Until, out[i].Used = v.Until(p.Until), v.Until(p.LastUsed)
	}
	return out
}

// thing is a thing by its name.
type thing struct {
	ID   uma.ResourceID
	Name template.HTML
	Gone bool
}

func (v *visit) thing(t owner.ThingName) thing {
	if t.Name == "" {
		return thing{t.ID, v.Say("a thing without a name"), t.Gone}
	}
	return thing{t.ID, v.text(t.Name), t.Gone}
}

// sharing is one share as a page shows it.
type sharing struct {
	ID      policy.ShareID
	Thing   thing
	Who     []who
	Whom    template.HTML // all of them in one phrase
	Verbs   []verb
	Says    template.HTML // the promise, in one sentence
	Until   *page.Moment  // nil: until it is stopped
	Used    *page.Moment
	Through template.HTML // the one app that they have to use; "" for any
	Others  template.HTML // on the page of that app, who they are
	Why     string
	Asks    bool // the owner is asked each time
	Over    bool
	Early   *page.Moment // when it begins, if that is to come
}

func (s *Server) sharing(v *visit, one owner.Sharing) sharing {
	out := sharing{
		ID: one.ID, Thing: v.thing(one.Thing), Verbs: s.verbs(v, one.Scopes), Until: v.Until(one.NotAfter), Used: v.Until(one.LastUsed),
		Why: one.Purpose, Asks: one.Ask, Over: one.State == owner.Over,
	}
	if one.State == owner.Early {
		out.Early = v.Until(one.NotBefore)
	}
	var names []template.HTML
	for _, w := range one.Who {
		out.Who = append(out.Who, v.who(w))
		names = append(names, out.Who[len(out.Who)-1].Name)
	}
	out.Whom = v.listed(names)
	if one.Through.ID != "" {
		out.Through = v.app(one.Through)
	}
	out.Says = s.promise(v, v.whom(one.Who, one.Through), one.Scopes, out.Thing.Name, one.NotAfter, one.Purpose)
	return out
}

func (s *Server) sharings(v *visit, list []owner.Sharing) []sharing {
	out := make([]sharing, len(list))
	for i, one := range list {
		out[i] = s.sharing(v, one)
	}
	return out
}

// promise is the sentence that states what is permitted. Where a page shows it in the
// serif face, the machine enforces it.
func (s *Server) promise(v *visit, whom template.HTML, scopes []uma.Scope, what template.HTML, until time.Time, why string) template.HTML {
	verbs := s.verbsSaid(v, scopes)
	if v.acting() != "" {
		return s.promiseFor(v, whom, verbs, what, v.Until(until), why)
	}
	switch end := v.Until(until); {
	case end == nil && why == "":
		return v.Say("<b>%s</b> may <em>%s</em> <b>%s</b> until you stop it.", whom, verbs, what)
	case end == nil:
		return v.Say("<b>%s</b> may <em>%s</em> <b>%s</b> until you stop it, for this: <b>%s</b>.", whom, verbs, what, why)
	case why == "":
		return v.Say("<b>%s</b> may <em>%s</em> <b>%s</b> until <b>%s</b>.", whom, verbs, what, end.Date())
	default:
		return v.Say("<b>%s</b> may <em>%s</em> <b>%s</b> until <b>%s</b>, for this: <b>%s</b>.", whom, verbs, what, end.Date(), why)
	}
}

// promiseFor is the promise about a thing of somebody for whom the person acts.
func (s *Server) promiseFor(v *visit, whom, verbs, what template.HTML, end *page.Moment, why string) template.HTML {
	what = v.Say("%s's %s", v.acting(), what)
	switch {
	case end == nil && why == "":
		return v.Say("<b>%s</b> may <em>%s</em> <b>%s</b> until it is stopped.", whom, verbs, what)
	case end == nil:
		return v.Say("<b>%s</b> may <em>%s</em> <b>%s</b> until it is stopped, for this: <b>%s</b>.", whom, verbs, what, why)
	case why == "":
		return v.Say("<b>%s</b> may <em>%s</em> <b>%s</b> until <b>%s</b>.", whom, verbs, what, end.Date())
	default:
		return v.Say("<b>%s</b> may <em>%s</em> <b>%s</b> until <b>%s</b>, for this: <b>%s</b>.", whom, verbs, what, end.Date(), why)
	}
}

// line is one line of what has happened.
type line struct {
	Seq       int64
	At        page.Moment
	Dot, Icon string
	Said      template.HTML
	Undo      bool
}

func (v *visit) line(l owner.Line) line {
	kind := l.Kind
	if kind == as.EventSharesWithdrawn && l.Shares == 1 {
		kind = as.EventShareWithdrawn
	}
	h, known := happenings[kind]
	switch {
	case kind == as.EventRoleGranted && l.Person == "":
		h = happened{"yes", "people", begun[l.Role][0]}
	case kind == as.EventRoleGranted:
		h = happened{"yes", "people", begun[l.Role][1]}
	case kind == as.EventRoleEnded && l.Person == "":
		h.told = roleGivenUp
	case !known:
		h = happened{"", "note", something}
	}
	said, args := h.said, []any{v.actor(l.Actor)}
	if h.you != "" && v.did(l.Actor) {
		said, args = h.you, nil
	}
	if l.Person != "" {
		args = append(args, l.Person)
	}
	if l.Kind == as.EventShareGivenBack && len(l.Who) > 0 && l.Who[0].Person() && !slices.ContainsFunc(l.Who[1:], func(w owner.Who) bool { return w.Person() }) {
		said, args = h.said, []any{v.who(l.Who[0]).Name} // as the owner knows them
	}
	var things, whom, apps []template.HTML
	for _, t := range l.Things {
		things = append(things, v.thing(t).Name)
	}
	for _, w := range l.Who {
		whom = append(whom, v.who(w).Name)
	}
	for _, a := range l.Through {
		apps = append(apps, v.app(a))
	}
	if len(things) == 0 {
		things = []template.HTML{v.Say("something")}
	}
	if len(whom) == 0 {
		whom = []template.HTML{v.Say("somebody")}
	}
	rest := []template.HTML{v.listed(things), v.listed(whom)}
	if len(apps) > 0 {
		rest[1] = v.Say("%s, through %s", rest[1], v.listed(apps))
	}
	if slices.Contains(ofWhom, kind) {
		rest = rest[1:]
	}
	for _, more := range rest {
		if len(args) < places(said) {
			args = append(args, more)
		}
	}
	return line{Seq: l.Seq, At: v.At(l.At), Dot: h.dot, Icon: h.icon, Said: v.Say(said, args...), Undo: l.Undo}
}

func (v *visit) lines(list []owner.Line) []line {
	out := make([]line, len(list))
	for i, l := range list {
		out[i] = v.line(l)
	}
	return out
}

// places counts what is put into a sentence.
func places(sentence string) int {
	n := 0
	for i := 0; i+1 < len(sentence); i++ {
		if sentence[i] == '%' && sentence[i+1] == 's' {
			n++
		}
	}
	return n
}

// did says whether the reader did it, for themselves.
func (v *visit) did(a owner.Actor) bool {
	return a.Kind == owner.ActorPerson && a.ID == string(v.account.ID) && a.For == ""
}

// actor is who did it: a person, somebody for another, an app, or this server.
func (v *visit) actor(a owner.Actor) template.HTML {
	name := v.text(a.Name)
	switch {
	case a.Name == "":
		return v.Say("Somebody")
	case a.For != "":
		return v.Say("%s for %s", name, a.For)
	}
	return name
}

// asked is a request as a page shows it.
type asked struct {
	ID     as.RequestID
	Who    who
	App    template.HTML
	Things []thing
	Since  page.Moment
	Verbs  template.HTML
	Why    string // in their own words
}

func (s *Server) asked(v *visit, q owner.Request) *asked {
	out := &asked{ID: q.ID, Who: v.who(q.Who), App: v.app(q.App), Since: v.At(q.CreatedAt), Why: q.Why}
	var scopes []uma.Scope
	for i, t := range q.Things {
		out.Things = append(out.Things, v.thing(t))
		scopes = append(scopes, q.Permissions[i].Scopes...)
	}
	out.Verbs = s.verbsSaid(v, scopes)
	return out
}

// ThingNames are the names of what is asked for in one phrase.
func (a asked) names(v *visit) template.HTML {
	var names []template.HTML
	for _, t := range a.Things {
		names = append(names, t.Name)
	}
	return v.listed(names)
}
