package web

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/policy"
)

// Who looks after the things of a space: those who have a role in it, with its end, and
// those who are asked to take one on.
//
//	GET  /app/roles                          who may do what here, and the questions
//	POST /app/roles/check                    the sentence; nothing has happened yet
//	POST /app/roles                          the invitation is on its way
//	POST /app/roles/{account}/end            the role has ended; so one leaves a space, too
//	POST /app/invitations/{id}/take-back     by who invites
//	POST /app/invitations/{id}/accept|decline by who is invited

// role is what one kind of role is called, and lets somebody do.
type role struct {
	Kind   as.RoleKind
	Called template.HTML
	Does   template.HTML
	On     bool
}

// roleWords say of each role what it is called, what its holder is told, what others
// are told, what it promises of somebody until a day or without an end, and what of the
// past.
var roleWords = map[as.RoleKind]struct{ name, mine, does, until, endless, could string }{
	as.RoleOwner: {page.Sentence("Owner"), page.Sentence("yours"), page.Sentence("It is all theirs."), "", "", ""},
	as.RoleGuardian: {
		page.Sentence("Guardian"), page.Sentence("you are the guardian"),
		page.Sentence("Acts for somebody who cannot: shares, answers and stops, and chooses who else may act or look."),
		page.Sentence("<b>%s</b> may <em>act as a guardian</em> for the things of <b>%s</b> until <b>%s</b>."),
		page.Sentence("<b>%s</b> may <em>act as a guardian</em> for the things of <b>%s</b> until you end it."),
		page.Sentence("<b>%s</b> could <em>act as a guardian</em> for the things of <b>%s</b>."),
	},
	as.RoleDelegate: {
		page.Sentence("Helper"), page.Sentence("you act for them"),
		page.Sentence("Shares, answers requests and stops. Chooses nobody else."),
		page.Sentence("<b>%s</b> may <em>share, answer and stop</em> for the things of <b>%s</b> until <b>%s</b>."),
		page.Sentence("<b>%s</b> may <em>share, answer and stop</em> for the things of <b>%s</b> until you end it."),
		page.Sentence("<b>%s</b> could <em>share, answer and stop</em> for the things of <b>%s</b>."),
	},
	as.RoleViewer: {
		page.Sentence("Looks on"), page.Sentence("you may look"),
		page.Sentence("Sees who can do what and what has happened, and changes nothing."),
		page.Sentence("<b>%s</b> may <em>look, and change nothing,</em> at the things of <b>%s</b> until <b>%s</b>."),
		page.Sentence("<b>%s</b> may <em>look, and change nothing,</em> at the things of <b>%s</b> until you end it."),
		page.Sentence("<b>%s</b> could <em>look, and change nothing,</em> at the things of <b>%s</b>."),
	},
}

// kinds are the roles that can be given, the most usual first.
var kinds = []as.RoleKind{as.RoleDelegate, as.RoleViewer, as.RoleGuardian}

func (v *visit) role(kind as.RoleKind) role {
	words := roleWords[kind]
	return role{Kind: kind, Called: v.Say(words.name), Does: v.Say(words.does)}
}

// holder is somebody who has a role here.
type holder struct {
	ID          as.AccountID
	Name, Email string
	Me          bool
	role
	Until *page.Moment
	Ends  bool // may be ended by who looks
}

// offered is an invitation that waits.
type offered struct {
	ID    as.InvitationID
	Email string
	role
	Until *page.Moment // the end of the role
	Gone  page.Moment  // the end of the invitation
	Ends  bool
}

// roleForm is what the questions were answered with.
type roleForm struct {
	Email string
	Kind  as.RoleKind
	Days  string // as in ends, "day", or "x" for no end
	Day   string
}

// roleEnds are how long a role may be for; usualEnd is for who says nothing else.
var roleEnds = []string{"30", "90", usualEnd, "x"}

const usualEnd = "365"

// roles lists who may do what here, and asks whether somebody else is to.
func (s *Server) roles(v *visit) error {
	return s.showRoles(v, http.StatusOK, roleForm{Kind: kinds[0], Days: usualEnd}, "")
}

func (s *Server) showRoles(v *visit, status int, form roleForm, problem string) error {
	data := struct {
		common
		roleForm
		Space   string
		Own     bool // the space of who looks
		Holders []holder
		Offered []offered
		Kinds   []role
		Ends    []end
		First   string // the first day that may be chosen
	}{common: s.common(v), roleForm: form, Space: v.space.Name, Own: v.space.Role.Kind == as.RoleOwner, Ends: v.endings(roleEnds, form.Days), First: v.At(v.Now().AddDate(0, 0, 1)).Day()}
	list, err := s.AS.RolesIn(v.ctx, v.owner)
	if err != nil {
		return err
	}
	mine := v.space.Role.Kind
	for _, one := range list {
		data.Holders = append(data.Holders, holder{
			ID: one.Account, Name: one.Name, Email: one.Email, Me: one.Account == v.account.ID, role: v.role(one.Kind), Until: v.Until(one.EndsAt),
			Ends: mine.Gives(one.Kind) && one.Account != v.account.ID,
		})
	}
	for i, one := range data.Holders {
		if one.Me && one.Kind == as.RoleOwner {
			data.Holders[i].Does = v.Say("It is all yours.")
		}
	}
	slices.SortStableFunc(data.Holders, func(a, b holder) int { return rank(a.Kind) - rank(b.Kind) })
	const most = 50
	waiting, err := s.AS.Invitations(v.ctx, v.owner, as.Page{Limit: most})
	if err != nil {
		return err
	}
	for _, one := range waiting {
		data.Offered = append(data.Offered, offered{one.ID, one.Email, v.role(one.Kind), v.Until(one.EndsAt), v.At(one.ExpiresAt), mine.Gives(one.Kind)})
	}
	for _, kind := range kinds {
		if mine.Gives(kind) {
			one := v.role(kind)
			one.On = kind == form.Kind
			data.Kinds = append(data.Kinds, one)
		}
	}
	o := page.Options{Done: v.done(s)}
	if problem != "" {
		o.Problem = v.Say(problem)
	}
	return s.showAs(v, status, "me", "roles", o, data)
}

// rank is the order of the roles: who may do most comes first.
func rank(kind as.RoleKind) int {
	return slices.Index([]as.RoleKind{as.RoleOwner, as.RoleGuardian, as.RoleDelegate, as.RoleViewer}, kind)
}

// wanted reads the questions' answers. problem says what is left to do.
func (s *Server) wanted(v *visit) (form roleForm, until time.Time, problem string) {
	form = roleForm{strings.TrimSpace(v.form["email"]), as.RoleKind(v.form["kind"]), v.form["days"], v.form["day"]}
	email, err := policy.CanonicalEmail(form.Email)
	ok := true
	if form.Days == "day" {
		var wrong error
		until, wrong = time.ParseInLocation(time.DateOnly, form.Day, v.Now().Location())
		until, ok = until.AddDate(0, 0, 1), wrong == nil
	} else {
		until, ok = v.endOf(form.Days)
	}
	mine := v.space.Role
	switch {
	case err != nil:
		problem = page.Sentence("Write the e-mail address of the person, such as bob@example.org.")
	case email == v.account.Email:
		problem = page.Sentence("You are here already. Write the address of somebody else.")
	case !mine.Kind.Gives(form.Kind):
		problem = page.Sentence("Say what they may do.")
	case !ok || !until.IsZero() && !until.After(v.Now()):
		problem = page.Sentence("Say until when.")
	case !mine.EndsAt.IsZero() && (until.IsZero() || until.After(mine.EndsAt)):
		problem = page.Sentence("You may act here no longer than that yourself. Choose an earlier day.")
	}
	return form, until, problem
}

// checkRole shows what somebody will be asked to take on, in one sentence.
func (s *Server) checkRole(v *visit) error {
	form, until, problem := s.wanted(v)
	if problem != "" || v.form["back"] != "" {
		status := http.StatusUnprocessableEntity
		if v.form["back"] != "" {
			status, problem = http.StatusOK, ""
		}
		return s.showRoles(v, status, form, problem)
	}
	if !v.proved() {
		return s.prove(v, "post", Path+"roles/check")
	}
	words := roleWords[form.Kind]
	says := v.Say(words.endless, form.Email, v.space.Name)
	if end := v.Until(until); end != nil {
		says = v.Say(words.until, form.Email, v.space.Name, end.Date())
	}
	return s.show(v, "me", "roles-check", page.Options{}, struct {
		common
		roleForm
		Role  role
		Says  template.HTML
		Until *page.Moment
	}{s.common(v), form, v.role(form.Kind), says, v.Until(until)})
}

// offerRole sends the invitation.
func (s *Server) offerRole(v *visit) error {
	form, until, problem := s.wanted(v)
	if problem != "" {
		return s.showRoles(v, http.StatusUnprocessableEntity, form, problem)
	}
	if !v.proved() {
		return s.prove(v, "post", Path+"roles/check")
	}
	if _, err := s.AS.Invite(v.ctx, v.owner, form.Email, form.Kind, until); err != nil {
		return err
	}
	v.tell("offered", 0)
	v.Redirect(s.below("roles"))
	return nil
}

// endRole ends a role here at once; one's own, too.
func (s *Server) endRole(v *visit) error {
	of := as.AccountID(v.R.PathValue("account"))
	space := v.owner
	if of == v.account.ID && v.form["space"] != "" { // one leaves a space without acting in it
		space.Space = as.SpaceID(v.form["space"])
	}
	if err := s.AS.EndRole(v.ctx, space, of); err != nil {
		return err
	}
	v.tell("role-ended", 0)
	if of == v.account.ID {
		v.Redirect(s.below("me"))
	} else {
		v.Redirect(s.below("roles"))
	}
	return nil
}

// takeBack takes an invitation back.
func (s *Server) takeBack(v *visit) error {
	if err := s.AS.Uninvite(v.ctx, v.owner, as.InvitationID(v.R.PathValue("id"))); err != nil {
		return err
	}
	v.tell("saved", 0)
	v.Redirect(s.below("roles"))
	return nil
}

// accept takes on the role that this person is asked to.
func (s *Server) accept(v *visit) error {
	if _, err := s.AS.AcceptInvitation(v.ctx, v.account.ID, as.InvitationID(v.R.PathValue("id"))); err != nil {
		return err
	}
	v.tell("accepted", 0)
	v.Redirect(s.below("me"))
	return nil
}

// decline turns it down.
func (s *Server) decline(v *visit) error {
	if err := s.AS.DeclineInvitation(v.ctx, v.account.ID, as.InvitationID(v.R.PathValue("id"))); err != nil {
		return err
	}
	v.tell("saved", 0)
	v.Redirect(s.below("me"))
	return nil
}
