package web

import (
	"html/template"
	"slices"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/uma"
)

// verb is one thing that may be done, as a page shows it.
type verb struct {
	Scope uma.Scope // for the value of a field; never shown
	page.Act
}

// verb says what a scope lets somebody do: in the operator's words, then in ours.
func (s *Server) verb(v *visit, scope uma.Scope) verb {
	return verb{scope, v.Act(string(scope))}
}

// verbs says each thing that may be done once, in the order in which people expect
// them.
func (s *Server) verbs(v *visit, scopes []uma.Scope) []verb {
	var out []verb
	for _, scope := range scopes {
		one := s.verb(v, scope)
		if !slices.ContainsFunc(out, func(other verb) bool { return other.Said == one.Said }) {
			out = append(out, one)
		}
	}
	slices.SortStableFunc(out, func(a, b verb) int { return a.Order - b.Order })
	return out
}

// listed joins what is said: see, add and change.
func (v *visit) listed(said []template.HTML) template.HTML {
	switch len(said) {
	case 0:
		return ""
	case 1:
		return said[0]
	}
	first := said[0]
	for _, one := range said[1 : len(said)-1] {
		first = v.Say("%s, %s", first, one)
	}
	return v.Say("%s and %s", first, said[len(said)-1])
}

// verbsSaid is what may be done, in one phrase.
func (s *Server) verbsSaid(v *visit, scopes []uma.Scope) template.HTML {
	var said []template.HTML
	for _, one := range s.verbs(v, scopes) {
		said = append(said, one.Said)
	}
	if see := v.Say("see"); slices.Contains(said, v.Say("see and keep a copy")) { // which says both
		said = slices.DeleteFunc(said, func(one template.HTML) bool { return one == see })
	}
	if len(said) == 0 {
		return v.Say("reach")
	}
	return v.listed(said)
}

// begun is what the history says of a role that somebody took on, or that was given to
// somebody.
var begun = map[as.RoleKind][2]string{
	as.RoleGuardian: {page.Sentence("%s became a guardian here"), page.Sentence("%s made %s a guardian here")},
	as.RoleDelegate: {page.Sentence("%s began to act here"), page.Sentence("%s let %s act here")},
	as.RoleViewer:   {page.Sentence("%s began to look at everything here"), page.Sentence("%s let %s look at everything here")},
}

// happened is what an event tells, as the words of a line that begins with who did
// it, and the sign beside it.
type happened struct{ dot, icon, said string }

// ofWhom are the events of which it is said whom they concern, and no thing.
var ofWhom = []string{
	as.EventRequestApproved, as.EventRequestDenied, as.EventRequestAside, as.EventPartyBlocked,
	as.EventGroupCreated, as.EventGroupRenamed, as.EventMemberAdded, as.EventMemberRemoved,
}

var happenings = map[string]happened{
	as.EventResourceRegistered:   {"", "add", page.Sentence("%s put %s under protection here")},
	as.EventResourceUpdated:      {"", "change", page.Sentence("%s described %s anew")},
	as.EventResourceDeregistered: {"", "delete", page.Sentence("%s took %s away from here")},
	as.EventShareCreated:         {"yes", "yes", page.Sentence("%s opened %s to %s")},
	as.EventShareReplaced:        {"yes", "change", page.Sentence("%s changed what is open of %s to %s")},
	as.EventShareRestored:        {"yes", "undo", page.Sentence("%s opened %s to %s again")},
	as.EventShareWithdrawn:       {"no", "no", page.Sentence("%s stopped sharing %s with %s")},
	as.EventShareGivenBack:       {"no", "undo", page.Sentence("%s gave %s back")},
	as.EventMemberLeft:           {"no", "group", page.Sentence("%s left a group here")},
	as.EventSharesWithdrawn:      {"no", "no", page.Sentence("%s stopped several things at once")},
	as.EventEverythingStopped:    {"no", "stop", page.Sentence("%s stopped everything")},
	as.EventRequestSubmitted:     {"", "ask", page.Sentence("%s was used to ask for %s")},
	as.EventRequestApproved:      {"yes", "yes", page.Sentence("%s said yes to what %s asked")},
	as.EventRequestDenied:        {"no", "no", page.Sentence("%s said no to what %s asked")},
	as.EventRequestAside:         {"", "clock", page.Sentence("%s put off what %s asked")},
	as.EventPartyBlocked:         {"no", "no", page.Sentence("%s closed the door to what %s asks")},
	as.EventPartyUnblocked:       {"", "ask", page.Sentence("%s lets somebody ask again")},
	as.EventGroupCreated:         {"", "group", page.Sentence("%s made the group %s")},
	as.EventGroupRenamed:         {"", "group", page.Sentence("%s gave the group %s another name")},
	as.EventGroupDeleted:         {"no", "group", page.Sentence("%s took a group away, with all that was open to it")},
	as.EventMemberAdded:          {"yes", "group", page.Sentence("%s put somebody into the group %s")},
	as.EventMemberRemoved:        {"no", "group", page.Sentence("%s took somebody out of the group %s")},
	as.EventPermissionGranted:    {"seen", "see", page.Sentence("%s was let in to %s")},
	as.EventPermissionRefused:    {"no", "shut", page.Sentence("%s was not let in")},
	as.EventPATIssued:            {"", "service", page.Sentence("%s was connected")},
	as.EventConnectionEnded:      {"no", "service", page.Sentence("%s ended a connection")},
	as.EventClientDeleted:        {"no", "service", page.Sentence("%s took away a service that deleted itself, with all that it protected here")},
	as.EventInvited:              {"", "mail", page.Sentence("%s asked somebody to help")},
	as.EventUninvited:            {"no", "mail", page.Sentence("%s took back what somebody was asked")},
	as.EventDeclined:             {"no", "mail", page.Sentence("%s said no to helping")},
	as.EventRoleEnded:            {"no", "people", page.Sentence("%s ended what %s may do here")},
	as.EventImported:             {"", "save", page.Sentence("%s brought things in from elsewhere")},
}
