package web

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Sharing one thing: who, what, until when, why on one page; then the promise in one
// sentence, to be looked at; then it is in force, with a receipt.
//
//	GET  /app/share?thing=ID      the questions
//	POST /app/share/check         the sentence; nothing has happened yet
//	POST /app/share               it is in force
//	GET  /app/shares/{id}         the receipt

// shareForm is what the questions were answered with.
type shareForm struct {
	Who, Email, Domain, App string
	Days                    string // "1", "30", "90", or "x" for no end
	Why                     string
	Ask                     bool
	Choices                 []choice
}

// choice is one thing that may be done, to be ticked.
type choice struct {
	verb
	Input string
	On    bool
}

// ends are how long something may be shared, the first for who says nothing else.
var ends = []string{"30", "1", "7", "90", "365"}

// endOf is the end of so many days from now.
func (v *visit) endOf(days string) (time.Time, bool) {
	if days == "x" {
		return time.Time{}, true
	}
	if !slices.Contains(ends, days) {
		return time.Time{}, false
	}
	n, err := strconv.Atoi(days)
	return v.Now().AddDate(0, 0, n), err == nil
}

// end is one of the ends that can be chosen.
type end struct {
	Days string
	Said template.HTML
	At   *page.Moment // nil: until it is stopped
	On   bool
}

// endings are the ends to choose from, of which one is chosen.
func (v *visit) endings(days []string, chosen string) []end {
	out := make([]end, len(days))
	for i, d := range days {
		at, _ := v.endOf(d)
		out[i] = end{Days: d, At: v.Until(at), On: d == chosen, Said: v.Say("Until I stop it")}
		if n, err := strconv.Atoi(d); err == nil {
			out[i].Said = v.Say("%d days", n)
		}
	}
	return out
}

// wish reads the questions' answers. problem says what is left to do.
func (s *Server) wish(v *visit, t owner.Thing) (wish policy.Share, form shareForm, problem string) {
	form = shareForm{
		Who: v.form["who"], Email: v.form["email"], Domain: v.form["domain"], App: v.form["app"],
		Days: v.form["days"], Why: strings.TrimSpace(v.form["why"]), Ask: v.form["ask"] == "yes",
	}
	if form.Who == "" {
		form.Who = "person"
	}
	for i, scope := range t.Description.Scopes {
		input := "do-" + strconv.Itoa(i)
		form.Choices = append(form.Choices, choice{s.verb(v, scope), input, v.form[input] == string(scope)})
		if v.form[input] == string(scope) {
			wish.Scopes = append(wish.Scopes, scope)
		}
	}
	party, problem := v.partyOf()
	wish.Claims, wish.Client, wish.Resource = party.Claims, party.Client, t.ID
	wish.Purpose, wish.Ask = form.Why, form.Ask
	end, ok := v.endOf(form.Days)
	wish.NotAfter = end
	switch {
	case problem != "":
	case len(t.Description.Scopes) > 0 && len(wish.Scopes) == 0:
		problem = page.Sentence("Tick what may be done.")
	case !ok:
		problem = page.Sentence("Say until when.")
	case len(form.Why) > maxWhy:
		problem = page.Sentence("Say why in fewer words.")
	}
	return wish, form, problem
}

// maxWhy is how many bytes a reason may have.
const maxWhy = 500

// share asks the questions.
func (s *Server) share(v *visit) error {
	t, err := s.views.Thing(v.ctx, v.owner, uma.ResourceID(v.form["thing"]))
	if err != nil {
		return err
	}
	form := shareForm{Who: "person", Days: ends[0], Email: v.form["email"]}
	for i, scope := range t.Description.Scopes {
		one := choice{s.verb(v, scope), "do-" + strconv.Itoa(i), false}
		one.On = one.Icon == "see" || len(t.Description.Scopes) == 1
		form.Choices = append(form.Choices, one)
	}
	return s.askShare(v, http.StatusOK, t, form, "")
}

func (s *Server) askShare(v *visit, status int, t owner.Thing, form shareForm, problem string) error {
	type app struct {
		ID   oauth.ClientID
		Name template.HTML
	}
	data := struct {
		common
		Thing thingRow
		shareForm
		Ends []end
		Apps []app
	}{common: s.common(v), Thing: s.thingRow(v, t), shareForm: form, Ends: v.endings(append(slices.Clone(ends), "x"), form.Days)}
	people, err := s.views.People(v.ctx, v.owner, owner.PeopleQuery{Kind: policy.PartyApp}, owner.Page{Limit: 50})
	if err != nil {
		return err
	}
	for _, p := range people.List {
		data.Apps = append(data.Apps, app{p.App.ID, v.who(p.Who).Name})
	}
	o := page.Options{}
	if problem != "" {
		o.Problem = v.Say(problem)
	}
	return s.showAs(v, status, "things", "share", o, data)
}

// checkShare shows what will be permitted, in one sentence, before it is.
func (s *Server) checkShare(v *visit) error {
	t, err := s.views.Thing(v.ctx, v.owner, uma.ResourceID(v.form["thing"]))
	if err != nil {
		return err
	}
	wish, form, problem := s.wish(v, t)
	if problem != "" || v.form["back"] != "" {
		status := http.StatusUnprocessableEntity
		if v.form["back"] != "" {
			status, problem = http.StatusOK, ""
		}
		return s.askShare(v, status, t, form, problem)
	}
	one := s.wished(v, t, wish)
	return s.show(v, "things", "share-check", page.Options{}, struct {
		common
		Thing thingRow
		shareForm
		Sharing sharing
		Cannot  []verb // what stays closed
	}{s.common(v), s.thingRow(v, t), form, one, without(s.verbs(v, t.Description.Scopes), one.Verbs)})
}

// wished shows a wish that is not in force.
func (s *Server) wished(v *visit, t owner.Thing, wish policy.Share) sharing {
	one := owner.Sharing{Share: as.Share{Share: wish}, Thing: owner.ThingName{ID: t.ID, Name: t.Description.Name}}
	for _, p := range wish.Parties() {
		w := owner.Who{Party: p}
		if p.Kind == policy.PartyApp {
			w.App = s.appNamed(v, oauth.ClientID(p.Value))
		}
		one.Who = append(one.Who, w)
	}
	return s.sharing(v, one)
}

// appNamed is an app by its name, as far as it is known.
func (s *Server) appNamed(v *visit, id oauth.ClientID) owner.App {
	client, err := s.AS.FindClient(v.ctx, id)
	if err != nil {
		return owner.App{ID: id}
	}
	return owner.App{ID: id, Name: client.Name}
}

func without(all, some []verb) []verb {
	var out []verb
	for _, one := range all {
		if !slices.ContainsFunc(some, func(other verb) bool { return other.Said == one.Said }) {
			out = append(out, one)
		}
	}
	return out
}

// doShare makes it so. Whoever presses twice has shared once: a wish that is in
// force already is not made again.
func (s *Server) doShare(v *visit) error {
	t, err := s.views.Thing(v.ctx, v.owner, uma.ResourceID(v.form["thing"]))
	if err != nil {
		return err
	}
	wish, form, problem := s.wish(v, t)
	if problem != "" {
		return s.askShare(v, http.StatusUnprocessableEntity, t, form, problem)
	}
	for _, have := range t.Sharings {
		if v.Now().Sub(have.CreatedAt) < time.Minute && alike(have.Share.Share, wish) {
			v.Redirect(s.below("shares/" + string(have.ID)))
			return nil
		}
	}
	made, err := s.AS.CreateShare(v.ctx, v.owner, wish)
	if err != nil {
		return err
	}
	v.Redirect(s.below("shares/" + string(made.ID)))
	return nil
}

// alike says whether two wishes differ in nothing but the second in which they end.
func alike(a, b policy.Share) bool {
	return slices.Equal(a.Parties(), b.Parties()) && slices.Equal(a.Scopes, b.Scopes) && a.Purpose == b.Purpose && a.Ask == b.Ask &&
		a.NotAfter.Sub(b.NotAfter).Abs() < time.Minute
}

// receipt shows one share: what was promised, to whom, when and by whom.
func (s *Server) receipt(v *visit) error {
	one, err := s.views.Sharing(v.ctx, v.owner, policy.ShareID(v.R.PathValue("id")))
	if err != nil {
		return err
	}
	return s.show(v, "things", "receipt", page.Options{Done: v.done(s)}, struct {
		common
		Sharing sharing
		Given   page.Moment
		Version int64
	}{s.common(v), s.sharing(v, one), v.At(one.CreatedAt), one.Version})
}

// keep moves the end of a share.
func (s *Server) keep(v *visit) error {
	id := policy.ShareID(v.R.PathValue("id"))
	share, err := s.AS.ReadShare(v.ctx, v.owner, id)
	if err != nil {
		return err
	}
	end, ok := v.endOf(v.form["days"])
	if !ok {
		return uma.NewError(uma.InvalidRequest, "Say until when.")
	}
	wish := share.Share
	wish.NotAfter = end
	if _, err := s.AS.ReplaceShare(v.ctx, v.owner, id, share.Version, wish); err != nil {
		return err
	}
	v.Redirect(s.below("shares/" + string(id)))
	return nil
}
