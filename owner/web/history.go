package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/uma"
)

// day is what has happened on one day.
type day struct {
	Date  template.HTML
	Away  template.HTML
	Lines []line
}

// access is what somebody could do on a day of the past.
type access struct {
	Says  template.HTML
	Began page.Moment
	Ended *page.Moment
	How   template.HTML
}

// lane is when somebody could do anything, over so many days.
type lane struct {
	Who   who
	Spans [][2]int // from and how long, in days from the left
	On    bool     // on the day that the slider is at
}

// usesShown is how many lines of what was used a page of the history has.
const usesShown = 12

// laneDays is how far lanes go back. They show one day more: today.
const laneDays = 90

// history tells what has happened, newest first, and who could do what on a day.
func (s *Server) history(v *visit) error {
	f := owner.HistoryFilter{Thing: uma.ResourceID(v.form["thing"]), Person: v.form["person"], App: oauth.ClientID(v.form["app"])}
	h, err := v.views.History(v.ctx, v.owner, f, owner.Page{After: v.form["after"]})
	if err != nil {
		return err
	}
	query := []string{"thing", string(f.Thing), "person", f.Person, "app", string(f.App)}
	data := struct {
		common
		Thing, Person, App string
		About              template.HTML
		Days               []day
		Next               string
		Day, Last          string // of the field, as it has them
		Slide              int    // where the slider stands, in days after the first of the lanes
		SlideDay           template.HTML
		Slid               bool // by the slider
		Marked             bool // that day is among the lanes'
		Then               *page.Moment
		Access             []access
		Acting             []access // who could act in the space
		More               bool
		Lanes              []lane
		LaneDays           int
		CSV, JSON          string
		Used               []use
		UsedNext           string
	}{
		common: s.common(v), Thing: string(f.Thing), Person: f.Person, App: string(f.App), Next: s.next(v, "history", h.Next, query...), LaneDays: laneDays,
		CSV: s.below("history/export", append(query, "format", "csv")...), JSON: s.below("history/export", append(query, "format", "json")...),
	}
	if data.About, err = s.aboutOf(v, f); err != nil {
		return err
	}
	used, next, err := s.uses(v, owner.UsesQuery{Thing: f.Thing, Person: f.Person, App: f.App}, owner.Page{After: v.form["used"], Limit: usesShown})
	if err != nil {
		return err
	}
	data.Used = used
	if next != "" {
		data.UsedNext = s.below("history", append(query, "used", next)...) + "#used"
	}
	for _, l := range h.List {
		one := v.line(l)
		if n := len(data.Days); n == 0 || data.Days[n-1].Date != one.At.Date() {
			data.Days = append(data.Days, day{Date: one.At.Date(), Away: one.At.Away()})
		}
		last := &data.Days[len(data.Days)-1]
		last.Lines = append(last.Lines, one)
	}
	now := v.Now()
	// Before the day: what they have read of it is not read again.
	lanes, err := v.views.Lanes(v.ctx, v.owner, now.AddDate(0, 0, -laneDays), now, owner.Page{Limit: 12})
	if err != nil {
		return err
	}
	data.Last = v.At(now).Day()
	data.Day, data.Slide, data.SlideDay, data.Marked = data.Last, laneDays, v.At(now).Date(), true
	said := v.form["day"]
	if slid := v.form["slide"]; slid != "" {
		days, err := strconv.Atoi(slid)
		if err != nil || days < 0 || days > laneDays {
			return uma.NewError(uma.InvalidRequest, "This is no day.")
		}
		said, data.Slid = now.AddDate(0, 0, days-laneDays).Format(time.DateOnly), true
	}
	if said != "" {
		at, err := time.ParseInLocation(time.DateOnly, said, now.Location())
		if err != nil {
			return uma.NewError(uma.InvalidRequest, "This is no day.")
		}
		day := daysFrom(now, at)
		data.Slide, data.Marked = max(0, day), day >= 0
		if at = at.AddDate(0, 0, 1).Add(-time.Second); at.After(now) {
			at = now
		}
		found, err := v.views.At(v.ctx, v.owner, at, owner.DayQuery{Thing: f.Thing, Person: f.Person}, owner.Page{})
		if err != nil {
			return err
		}
		data.Day, data.Then, data.More = said, v.Until(at), found.Next != ""
		data.SlideDay = v.At(at).Date()
		for _, one := range found.Roles {
			name := v.Say("Somebody")
			if one.Email != "" {
				name = v.text(cmp.Or(one.Name, one.Email))
			}
			data.Acting = append(data.Acting, access{Says: v.Say(roleWords[one.Kind].could, name, v.space.Name), Began: v.At(one.Since), Ended: v.Until(one.Until)})
		}
		for _, one := range found.List {
			data.Access = append(data.Access, s.accessed(v, one))
		}
	}
	for _, l := range lanes.List {
		one := lane{Who: v.who(l.Who)}
		for _, span := range l.Spans {
			from, to := max(0, daysFrom(now, span.From)), daysFrom(now, span.To)
			if !span.To.Before(now) {
				to++ // it goes on; otherwise it was over at the end of its last day
			}
			one.Spans = append(one.Spans, [2]int{from, max(1, to-from)})
			one.On = one.On || data.Marked && from <= data.Slide && data.Slide < to
		}
		data.Lanes = append(data.Lanes, one)
	}
	return s.show(v, "history", "history", page.Options{Done: v.done(s)}, data)
}

// daysFrom is how many days after the left edge of the lanes the day of a time is; it is
// less than 0 for one before them.
func daysFrom(now, t time.Time) int {
	if t.IsZero() || t.After(now) {
		return laneDays
	}
	return laneDays - int(midnight(now).Sub(midnight(t.In(now.Location())))/(24*time.Hour))
}

// midnight is the beginning of a day, where every day has as many hours.
func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// aboutOf says what the history is narrowed to; "" for nothing.
func (s *Server) aboutOf(v *visit, f owner.HistoryFilter) (template.HTML, error) {
	switch {
	case f.Thing != "":
		t, err := v.views.Thing(v.ctx, v.owner, f.Thing)
		return v.thing(owner.ThingName{ID: t.ID, Name: t.Description.Name}).Name, err
	case f.Person != "":
		w, err := v.views.Who(v.ctx, v.owner, f.Person)
		return v.who(w).Name, err
	case f.App != "":
		return v.service(s.appNamed(v, f.App)), nil
	}
	return "", nil
}

// endings are how a promise has ended.
var endings = map[as.ShareEnd]string{
	as.EndReplaced: page.Sentence("changed"), as.EndWithdrawn: page.Sentence("stopped"),
	as.EndGivenBack: page.Sentence("given back"),
	as.EndGone:      page.Sentence("the thing is gone"), as.EndExpired: page.Sentence("ended by itself"),
}

func (s *Server) accessed(v *visit, a owner.Access) access {
	out := access{
		Says:  v.Say("<b>%s</b> could <em>%s</em> <b>%s</b>.", v.whom(a.Who, a.Through), s.verbsSaid(v, a.Can), v.thing(a.Thing).Name),
		Began: v.At(a.UpdatedAt), Ended: v.Until(a.Ended),
	}
	if how, ok := endings[a.How]; ok {
		out.How = v.Say(how)
	}
	return out
}

// export hands out the history, for whoever wants to keep it.
func (s *Server) export(v *visit) error {
	f := owner.HistoryFilter{Thing: uma.ResourceID(v.form["thing"]), Person: v.form["person"], App: oauth.ClientID(v.form["app"])}
	kinds := map[string]struct {
		format owner.ExportFormat
		media  string
	}{"csv": {owner.ExportCSV, "text/csv; charset=utf-8"}, "json": {owner.ExportJSON, "application/json"}}
	kind, ok := kinds[v.form["format"]]
	if !ok {
		return errNothing
	}
	if !v.proved() {
		s.signIn(v, v.R.URL.RequestURI())
		return nil
	}
	if _, err := s.aboutOf(v, f); err != nil {
		return err // before anything is sent
	}
	h := v.W.Header()
	h.Set("Content-Type", kind.media)
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="licet-history-%s.%s"`, v.At(v.Now()).Day(), v.form["format"]))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if err := v.views.Export(v.ctx, v.owner, f, kind.format, v.W); err != nil {
		s.Log.ErrorContext(v.ctx, "history not exported to its end", "error", err)
		panic(http.ErrAbortHandler) // what was sent is not whole, and the browser has to see that
	}
	return nil
}
