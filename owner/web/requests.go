package web

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// standings are the lists of requests, by what has become of them.
var standings = []struct {
	name, said string
	status     as.RequestStatus
}{
	{"", page.Sentence("Waiting"), as.RequestPending},
	{"later", page.Sentence("Not now"), as.RequestAside},
	{"yes", page.Sentence("Answered with yes"), as.RequestApproved},
	{"no", page.Sentence("Answered with no"), as.RequestDenied},
}

// requests lists what waits for an answer, or what got one of the answers.
func (s *Server) requests(v *visit) error {
	status := as.RequestPending
	type standing struct {
		Said template.HTML
		Path string
		Now  bool
	}
	var lists []standing
	for _, one := range standings {
		here := standing{v.Say(one.said), s.below("requests"), one.name == v.form["list"]}
		if one.name != "" {
			here.Path = s.below("requests", "list", one.name)
		}
		if here.Now {
			status = one.status
		}
		lists = append(lists, here)
	}
	found, err := v.views.Requests(v.ctx, v.owner, status, owner.Page{After: v.form["after"]})
	if err != nil {
		return err
	}
	type row struct {
		*asked
		Names template.HTML
	}
	rows := make([]row, len(found.List))
	for i, q := range found.List {
		one := s.asked(v, q)
		rows[i] = row{one, one.names(v)}
	}
	return s.show(v, "requests", "requests", page.Options{Done: v.done(s)}, struct {
		common
		Lists    []standing
		Requests []row
		Waiting  bool // as opposed to those that were answered
		Next     string
	}{s.common(v), lists, rows, status == as.RequestPending, s.next(v, "requests", found.Next, "list", v.form["list"])})
}

// part is one thing that is asked for, with what might be done with it.
type part struct {
	thing
	Choices []choice
	Bare    string // the input that allows the thing where nothing in particular was asked for; "" otherwise
}

// request shows one request, with an answer to be filled in.
func (s *Server) request(v *visit) error { return s.askAnswer(v, http.StatusOK, "") }

func (s *Server) askAnswer(v *visit, status int, problem string) error {
	q, err := v.views.Request(v.ctx, v.owner, as.RequestID(v.R.PathValue("id")))
	if err != nil {
		return err
	}
	days := v.form["days"]
	if days == "" {
		days = ends[0]
	}
	one := s.asked(v, q)
	data := struct {
		common
		Ask        *asked
		Names      template.HTML
		Parts      []part
		Ends       []end
		Told, Apps bool // what is ticked beside the answers
		Decided    bool
		Approved   bool
		Later      bool // it was put off, and can still be answered
		Seen       seen // if all of it were allowed
	}{
		common: s.common(v), Ask: one, Names: one.names(v), Told: v.form["told"] != "", Apps: v.form["apps"] != "",
		Decided: !q.Status.Waits(), Approved: q.Status == as.RequestApproved, Later: q.Status == as.RequestAside,
	}
	for i, p := range q.Permissions {
		here := part{thing: one.Things[i]}
		for j, scope := range p.Scopes {
			input := answerInput(i, j)
			here.Choices = append(here.Choices, choice{s.verb(v, scope), input, v.form[input] == string(scope)})
		}
		if len(p.Scopes) == 0 {
			here.Bare = answerInput(i, 0)
		}
		data.Parts = append(data.Parts, here)
	}
	data.Ends = v.endings([]string{"1", "30", "90", "x"}, days)
	if !data.Decided {
		if data.Seen, err = s.seenIfAllowed(v, q, one); err != nil {
			return err
		}
	}
	o := page.Options{}
	if problem != "" {
		o.Problem = v.Say(problem)
	}
	return s.showAs(v, status, "requests", "request", o, data)
}

// seenIfAllowed is what whoever asks would be able to do if all of it were allowed.
func (s *Server) seenIfAllowed(v *visit, q owner.Request, one *asked) (seen, error) {
	supposed := as.Supposed{Party: q.Party(), App: q.Client}
	who := policy.Claim{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{supposed.Party.Value}}
	if supposed.Party.Kind == policy.PartySubject {
		who.Name, who.Issuer = "sub", []string{supposed.Party.Issuer}
	}
	for _, p := range q.Permissions {
		supposed.Wishes = append(supposed.Wishes, policy.Share{Resource: p.Resource, Scopes: p.Scopes, Claims: []policy.Claim{who}, Client: string(q.Client)})
	}
	shown, err := s.preview(v, supposed)
	return seen{v.Say("What %s would see if you allowed all of it", one.Who.Name), shown}, err
}

func answerInput(permission, scope int) string {
	return "do-" + strconv.Itoa(permission) + "-" + strconv.Itoa(scope)
}

// answer gives the answer: yes to what was ticked, not now, or never from them.
// Not now is silent unless the owner has them told; never is a no, which they are
// told as any no.
func (s *Server) answer(v *visit) error {
	id := as.RequestID(v.R.PathValue("id"))
	switch v.form["answer"] {
	case "allow":
		return s.allow(v, id)
	case "later":
		put, said := s.AS.SetAside, "later"
		if v.form["told"] != "" {
			put, said = s.AS.Refuse, "no"
		}
		if _, err := put(v.ctx, v.owner, id); err != nil {
			return err
		}
		v.tell(said, 0)
	case "never":
		block, err := s.AS.RefuseAndBlock(v.ctx, v.owner, id, v.form["apps"] != "")
		if err != nil {
			return err
		}
		v.tellOf("never", string(block.ID))
	default:
		return uma.NewError(uma.InvalidRequest, "This page does not know that answer.")
	}
	v.Redirect(s.below("requests"))
	return nil
}

func (s *Server) allow(v *visit, id as.RequestID) error {
	q, err := v.views.Request(v.ctx, v.owner, id)
	if err != nil {
		return err
	}
	var granted []uma.Permission
	for i, p := range q.Permissions {
		yes := uma.Permission{Resource: p.Resource}
		for j, scope := range p.Scopes {
			if v.form[answerInput(i, j)] == string(scope) {
				yes.Scopes = append(yes.Scopes, scope)
			}
		}
		if len(yes.Scopes) > 0 || len(p.Scopes) == 0 && v.form[answerInput(i, 0)] != "" {
			granted = append(granted, yes)
		}
	}
	end, ok := v.endOf(v.form["days"])
	switch {
	case len(granted) == 0:
		return s.askAnswer(v, http.StatusUnprocessableEntity, page.Sentence("Tick what may be done, or choose another answer."))
	case !ok:
		return s.askAnswer(v, http.StatusUnprocessableEntity, page.Sentence("Say until when."))
	}
	var wishes []policy.Share
	for _, p := range granted {
		wishes = append(wishes, policy.Share{Resource: p.Resource})
	}
	if must, err := s.mustProve(v, wishes...); err != nil {
		return err
	} else if must {
		return s.prove(v, "get", Path+"requests/"+string(id))
	}
	done, err := s.AS.Approve(v.ctx, v.owner, id, granted, end)
	if err != nil {
		return err
	}
	v.tell("yes", 0)
	if shares := slices.Compact(done.Shares); len(shares) == 1 {
		v.Redirect(s.below("shares/" + string(shares[0])))
		return nil
	}
	v.Redirect(s.below("people/" + q.Who.Key))
	return nil
}

// blocked lists those who may not ask any more.
func (s *Server) blocked(v *visit) error {
	found, err := v.views.Blocked(v.ctx, v.owner, owner.Page{After: v.form["after"]})
	if err != nil {
		return err
	}
	type row struct {
		ID    as.BlockID
		Who   who
		App   template.HTML // the one that they may not ask through; "" for any
		Since page.Moment
	}
	rows := make([]row, len(found.List))
	for i, b := range found.List {
		rows[i] = row{ID: b.ID, Who: v.who(b.Who), Since: v.At(b.CreatedAt)}
		if b.App.ID != "" {
			rows[i].App = v.app(b.App)
		}
	}
	return s.show(v, "people", "blocked", page.Options{Done: v.done(s)}, struct {
		common
		Blocked []row
		Next    string
	}{s.common(v), rows, s.next(v, "blocked", found.Next)})
}

// unblock lets somebody ask again.
func (s *Server) unblock(v *visit) error {
	if err := s.AS.Unblock(v.ctx, v.owner, as.BlockID(v.R.PathValue("id"))); err != nil {
		return err
	}
	v.tell("unblocked", 0)
	v.Redirect(s.below("blocked"))
	return nil
}
