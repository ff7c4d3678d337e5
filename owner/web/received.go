package web

import (
	"html/template"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
)

// The pages of whoever others share with: what they can use, and what they have asked
// for. They are about the person, who need not have anything here.

// maxAsked is how many of the requests that somebody made are listed.
const maxAsked = 100

// received is a share as whoever may use it sees it.
type received struct {
	ID      policy.ShareID
	Space   as.SpaceID // whose it is
	Thing   template.HTML
	From    string
	Service template.HTML
	Through template.HTML // the one app it is good through; "" for any
	Site    string        // where that is; "" when it is not known
	Verbs   []verb
	Until   *page.Moment // nil: until it is taken back
	Why     string
	Group   bool // it is with a group, in which they are one of perhaps many
	Link    bool // they have it by a link, which this browser holds
}

func (s *Server) receivedOf(v *visit, list []as.Received) []received {
	out := make([]received, len(list))
	for i, one := range list {
		out[i] = received{
			ID: one.ID, Space: one.Space, Thing: v.thing(owner.ThingName{Name: one.Thing}).Name, From: one.SpaceName, Service: v.appOf(as.AppOf{Name: one.Service}),
			Verbs: s.verbs(v, one.Scopes), Until: v.Until(one.NotAfter), Why: one.Purpose, Group: one.Share.Group != "", Link: one.Link,
		}
		if one.Through.ID != "" {
			out[i].Through, out[i].Site = v.appOf(one.Through), one.Through.Site
		}
	}
	return out
}

// appOf is what an app or a service is called.
func (v *visit) appOf(app as.AppOf) template.HTML {
	return v.service(owner.App{ID: oauth.ClientID(app.ID), Name: app.Name})
}

// receivedFrom is what one owner has opened.
type receivedFrom struct {
	Name string
	List []received
	More string // where the rest is; "" when this is all
}

// received lists what others have opened to this person: some of every owner, or with
// "from" more of one.
func (s *Server) received(v *visit) error {
	data := struct {
		common
		Here   string
		Owners []receivedFrom
		Next   string
	}{common: s.common(v), Here: "received"}
	var list []as.ReceivedFrom
	if space := as.SpaceID(v.form["from"]); space != "" {
		one, err := s.AS.ReceivedFrom(v.ctx, v.account.ID, space, policy.ShareID(v.form["after"]))
		if err != nil {
			return err
		}
		list = []as.ReceivedFrom{one}
	} else {
		all, next, err := s.AS.Received(v.ctx, v.account.ID, as.SpaceID(v.form["after"]), v.Held()...)
		if err != nil {
			return err
		}
		if list = all; next != "" {
			data.Next = s.below("received", "after", string(next))
		}
	}
	for _, from := range list {
		one := receivedFrom{Name: from.SpaceName, List: s.receivedOf(v, from.List)}
		if from.Next != "" {
			one.More = s.below("received", "from", string(from.Space), "after", string(from.Next))
		}
		if len(one.List) > 0 {
			data.Owners = append(data.Owners, one)
		} else if one.More != "" {
			data.Next = one.More
		}
	}
	return s.show(v, "me", "received", page.Options{Done: v.done(s)}, data)
}

// giveBack ends for this person what a share gives them. A link is forgotten by this
// browser alone: it is for whoever has it.
func (s *Server) giveBack(v *visit) error {
	id := policy.ShareID(v.R.PathValue("id"))
	dropped := false
	for _, secret := range v.Held() {
		opens, err := s.AS.OpenLink(v.ctx, secret)
		if err == nil && opens.ID == id {
			v.Drop(secret)
			dropped = true
		}
	}
	if !dropped {
		if err := s.AS.GiveBack(v.ctx, v.account.ID, as.SpaceID(v.form["from"]), id); err != nil {
			return err
		}
	}
	v.tell("given-back", 0)
	v.Redirect(s.below("received"))
	return nil
}

// question is a request as whoever made it sees it.
type question struct {
	ID       as.RequestID
	App      template.HTML
	Plain    string // for the letters of the face
	Site     string // where the app is; "" when it is not known
	Service  template.HTML
	Why      string
	Sent     page.Moment
	Answered *page.Moment // nil: not yet
	Yes      bool
}

func (v *visit) question(q as.Asked) question {
	return question{
		ID: q.ID, App: v.appOf(q.App), Plain: q.App.Name, Site: q.App.Site, Service: v.appOf(as.AppOf{Name: q.Service}), Why: q.Why,
		Sent: v.At(q.CreatedAt), Answered: v.Until(q.DecidedAt), Yes: q.Status == as.RequestApproved,
	}
}

// questions lists what this person has asked for.
func (s *Server) questions(v *visit) error {
	list, err := s.AS.Asked(v.ctx, v.account.ID, maxAsked)
	if err != nil {
		return err
	}
	out := make([]question, len(list))
	for i, q := range list {
		out[i] = v.question(q)
	}
	return s.show(v, "me", "questions", page.Options{}, struct {
		common
		Here string
		List []question
	}{s.common(v), "asked", out})
}

// refreshEvery is how often a page that waits is loaded anew where there is no script
// and somebody has said so, in seconds.
const refreshEvery = "10"

// question is the page on which somebody waits for an answer. It opens by itself.
func (s *Server) question(v *visit) error {
	q, err := s.AS.ReadAsked(v.ctx, v.account.ID, as.RequestID(v.R.PathValue("id")))
	if err != nil {
		return err
	}
	data := struct {
		common
		Q     question
		Open  []received
		Mail  string // where the answer is written to; "" for nowhere
		Again string
		Often bool
	}{common: s.common(v), Q: v.question(q), Open: s.receivedOf(v, q.Open), Again: s.below("asked/" + string(q.ID))}
	if v.account.EmailVerified && v.account.Letters != as.LettersNone {
		data.Mail = v.account.Email
	}
	o := page.Options{}
	if q.Status == as.RequestPending {
		o.Live = data.Again + "/live"
		if data.Often = v.form["look"] == "often"; data.Often {
			v.W.Header().Set("Refresh", refreshEvery)
		}
	}
	return s.show(v, "me", "question", o, data)
}

// liveQuestion tells a page that waits that there is an answer.
func (s *Server) liveQuestion(v *visit) error {
	return stream(s, v, func() (as.RequestStatus, error) {
		q, err := s.AS.ReadAsked(v.ctx, v.account.ID, as.RequestID(v.R.PathValue("id")))
		return q.Status, err
	})
}
