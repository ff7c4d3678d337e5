package web

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Stopping: what it will do is shown before it is done, it takes no more presses than
// sharing, and it can be undone.
//
//	GET  /app/stop?share=ID | thing=ID | person=KEY | app=ID | (everything)
//	POST /app/stop
//	POST /app/undo

// target reads what is to be stopped.
func (s *Server) target(v *visit) (as.Target, error) {
	switch {
	case v.form["share"] != "":
		return as.Target{Share: policy.ShareID(v.form["share"])}, nil
	case v.form["thing"] != "":
		return as.Target{Resource: uma.ResourceID(v.form["thing"])}, nil
	case v.form["person"] != "":
		who, err := v.views.Who(v.ctx, v.owner, v.form["person"])
		return as.Target{Person: who.Party}, err
	case v.form["app"] != "":
		return as.Target{App: oauth.ClientID(v.form["app"])}, nil
	}
	return everything, nil
}

// everything is the target that an address without any other means.
var everything as.Target

// stop shows what stopping will do.
func (s *Server) stop(v *visit) error {
	t, err := s.target(v)
	if err != nil {
		return err
	}
	type app struct {
		Key, Plain string // of its face
		Name       template.HTML
		Used       *page.Moment
	}
	data := struct {
		common
		Whole    bool
		Fields   [][2]string
		Back     string
		Whom     template.HTML
		Sharings []sharing
		Shares   int
		More     int // of Sharings
		Apps     []app
		Still    []sharing // what would still let the same people in
	}{common: s.common(v), Whole: t == everything, Back: s.below("")}
	for _, name := range []string{"share", "thing", "person", "app"} {
		if v.form[name] != "" {
			data.Fields = append(data.Fields, [2]string{name, v.form[name]})
		}
	}
	if t == everything {
		h, err := v.views.Home(v.ctx, v.owner, v.Now())
		if err != nil {
			return err
		}
		data.Shares, data.Whom = h.Shared, v.canSee(h)
		return s.show(v, "home", "stop", page.Options{}, data)
	}
	impact, err := v.views.Impact(v.ctx, v.owner, t)
	if err != nil {
		return err
	}
	ends, err := s.concerned(v, t)
	if err != nil {
		return err
	}
	data.Sharings, data.Shares, data.Still = s.sharings(v, ends), impact.Shares, s.sharings(v, impact.Still)
	data.More = max(0, impact.Shares-len(ends))
	for _, one := range impact.Apps {
		data.Apps = append(data.Apps, app{string(one.Client), one.Name, v.service(owner.App{ID: one.Client, Name: one.Name}), v.Until(one.LastUsed)})
	}
	if len(data.Sharings) > 0 {
		data.Back = s.below("things/" + string(data.Sharings[0].Thing.ID))
	}
	tab := "things"
	if t.Share == "" && t.Resource == "" {
		tab = "people"
	}
	return s.show(v, tab, "stop", page.Options{}, data)
}

// concerned are the shares that a target means.
func (s *Server) concerned(v *visit, t as.Target) ([]owner.Sharing, error) {
	switch {
	case t.Share != "":
		one, err := v.views.Sharing(v.ctx, v.owner, t.Share)
		return []owner.Sharing{one}, err
	case t.Resource != "":
		thing, err := v.views.Thing(v.ctx, v.owner, t.Resource)
		return thing.Sharings, err
	case t.App != "":
		app, err := v.views.App(v.ctx, v.owner, t.App, owner.Page{Limit: owner.MaxLimit})
		return app.Sharings, err
	}
	person, err := v.views.Person(v.ctx, v.owner, v.form["person"], owner.Page{Limit: owner.MaxLimit})
	return person.Sharings, err
}

// doStop stops it, at once.
func (s *Server) doStop(v *visit) error {
	t, err := s.target(v)
	if err != nil {
		return err
	}
	if t == everything {
		done, err := s.AS.StopEverything(v.ctx, v.owner)
		if err != nil {
			return err
		}
		if done.Shares == 0 {
			done.Event = 0 // there is nothing to bring back
		}
		v.tell("everything", done.Event)
		v.Redirect(s.below(""))
		return nil
	}
	done, err := s.AS.WithdrawAll(v.ctx, v.owner, t)
	if err != nil {
		return err
	}
	v.tell("stopped", done.Event)
	switch {
	case t.Share != "" && v.form["back"] != "":
		v.Redirect(v.Within(v.form["back"]))
	case t.Resource != "":
		v.Redirect(s.below("things/" + string(t.Resource)))
	case t.Person != policy.Party{}:
		v.Redirect(s.below("people/" + v.form["person"]))
	default:
		v.Redirect(s.below(""))
	}
	return nil
}

// mostUndone is more than any act ends.
const mostUndone = 10_001

// undo brings back what an act has ended. Nobody who had been let in is in again by
// it: they ask anew.
func (s *Server) undo(v *visit) error {
	event, err := strconv.ParseInt(v.form["event"], 10, 64)
	if err != nil || event <= 0 {
		return uma.NewError(uma.InvalidRequest, "There is nothing to bring back.")
	}
	ended, err := s.AS.ShareVersions(v.ctx, v.owner, as.VersionFilter{EndedBy: event}, as.Page{Limit: mostUndone})
	if err != nil {
		return err
	}
	var wishes []policy.Share
	for _, one := range ended {
		wishes = append(wishes, one.Share.Share)
	}
	if must, err := s.mustProve(v, wishes...); err != nil {
		return err
	} else if must {
		s.signIn(v, s.below("history"))
		return nil
	}
	shares, err := s.AS.Undo(v.ctx, v.owner, event)
	if err != nil {
		return err
	}
	v.tell("undone", 0)
	if len(shares) == 1 {
		v.Redirect(s.below("things/" + string(shares[0].Resource)))
		return nil
	}
	v.Redirect(s.below(""))
	return nil
}

// cookieDone carries what was just done to the page that tells of it.
const cookieDone = "licet-done"

func (v *visit) tell(what string, event int64) { v.tellOf(what, strconv.FormatInt(event, 10)) }

func (v *visit) tellOf(what, which string) { v.SetCookie(cookieDone, what+"."+which, 60) }

// dones are what a page says after an act and, where it is another sentence, after one
// for somebody else.
var dones = map[string]struct{ own, theirs string }{
	"stopped":    {own: page.Sentence("Stopped. It works from now on; what was copied before stays with who copied it.")},
	"everything": {page.Sentence("Everything is stopped. Services that kept your things have to be connected again."), page.Sentence("Everything is stopped. Services that kept %s's things have to be connected again.")},
	"undone":     {own: page.Sentence("It is open again. Whoever had it asks anew, by themselves.")},
	"yes":        {own: page.Sentence("You said yes. They get in by themselves.")},
	"later":      {own: page.Sentence("Not now. They go on waiting, and are told nothing.")},
	"no":         {own: page.Sentence("You said no, and they are told. They may ask again.")},
	"never":      {page.Sentence("You said no, and they are told. You are not asked by them any more."), page.Sentence("You said no, and they are told. %s is not asked by them any more.")},
	"unblocked":  {page.Sentence("They may ask you again."), page.Sentence("They may ask %s again.")},
	"out":        {own: page.Sentence("They are out, and lose at once what they had as one of the group.")},
	"no group":   {own: page.Sentence("The group is gone, and what was open to it is shut.")},
	"saved":      {own: page.Sentence("It is noted.")},
	"offered":    {own: page.Sentence("They have a mail now. Nothing happens before they say yes.")},
	"accepted":   {own: page.Sentence("You may act there now.")},
	"given-back": {own: page.Sentence("Given back. It is closed to you from now on.")},
	"role-ended": {own: page.Sentence("It has ended, at once.")},
}

// done is the toast of a page after an act, once.
func (v *visit) done(s *Server) *page.Done {
	cookie, found := v.Cookie(cookieDone)
	if !found {
		return nil
	}
	v.SetCookie(cookieDone, "", -1)
	what, which, _ := strings.Cut(cookie, ".")
	said, known := dones[what]
	if !known {
		return nil
	}
	d := &page.Done{Said: v.Say(said.own)}
	if said.theirs != "" {
		d.Said = v.Whose(v.acting(), said.own, said.theirs)
	}
	if !v.space.Role.Kind.Manages() {
		return d
	}
	if event, err := strconv.ParseInt(which, 10, 64); (what == "stopped" || what == "everything") && err == nil && event > 0 {
		d.Undo, d.Form, d.Name, d.With = s.below("undo"), v.token(), "event", which
	}
	if what == "never" {
		d.Undo, d.Form = s.below("blocked/"+url.PathEscape(which)+"/end"), v.token()
	}
	return d
}
