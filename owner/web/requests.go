package web

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/uma"
)

// requests lists what waits for an answer and, below, what was answered.
func (s *Server) requests(v *visit) error {
	waiting, err := s.views.Requests(v.ctx, v.owner, as.RequestPending, owner.Page{After: v.form["after"]})
	if err != nil {
		return err
	}
	type row struct {
		*asked
		Names template.HTML
	}
	rows := func(list []owner.Request) []row {
		out := make([]row, len(list))
		for i, q := range list {
			one := s.asked(v, q)
			out[i] = row{one, one.names(v)}
		}
		return out
	}
	return s.show(v, "requests", "requests", page.Options{Done: v.done(s)}, struct {
		common
		Waiting []row
		Next    string
	}{s.common(v), rows(waiting.List), s.next(v, "requests", waiting.Next)})
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
	q, err := s.views.Request(v.ctx, v.owner, as.RequestID(v.R.PathValue("id")))
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
		Ask      *asked
		Names    template.HTML
		Parts    []part
		Ends     []end
		Decided  bool
		Approved bool
	}{common: s.common(v), Ask: one, Names: one.names(v), Decided: !q.Status.Waits(), Approved: q.Status == as.RequestApproved}
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
	o := page.Options{}
	if problem != "" {
		o.Problem = v.Say(problem)
	}
	return s.showAs(v, status, "requests", "request", o, data)
}

func answerInput(permission, scope int) string {
	return "do-" + strconv.Itoa(permission) + "-" + strconv.Itoa(scope)
}

// answer gives the answer: yes to what was ticked, or no.
func (s *Server) answer(v *visit) error {
	id := as.RequestID(v.R.PathValue("id"))
	switch v.form["answer"] {
	case "allow":
		return s.allow(v, id)
	case "no":
		if _, err := s.AS.Refuse(v.ctx, v.owner, id); err != nil {
			return err
		}
	default:
		return uma.NewError(uma.InvalidRequest, "This page does not know that answer.")
	}
	v.tell("answered", 0)
	v.Redirect(s.below("requests"))
	return nil
}

func (s *Server) allow(v *visit, id as.RequestID) error {
	q, err := s.views.Request(v.ctx, v.owner, id)
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
		return s.askAnswer(v, http.StatusUnprocessableEntity, page.Sentence("Tick what may be done, or say no."))
	case !ok:
		return s.askAnswer(v, http.StatusUnprocessableEntity, page.Sentence("Say until when."))
	}
	done, err := s.AS.Approve(v.ctx, v.owner, id, granted, end)
	if err != nil {
		return err
	}
	v.tell("answered", 0)
	if shares := slices.Compact(done.Shares); len(shares) == 1 {
		v.Redirect(s.below("shares/" + string(shares[0])))
		return nil
	}
	v.Redirect(s.below("people/" + q.Who.Key))
	return nil
}
