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
var begun = map[as.RoleKind][2]told{
	as.RoleGuardian: {
		{page.Sentence("%s became a guardian here"), page.Sentence("You became a guardian here")},
		{page.Sentence("%s made %s a guardian here"), page.Sentence("You made %s a guardian here")},
	},
	as.RoleDelegate: {
		{page.Sentence("%s began to act here"), page.Sentence("You began to act here")},
		{page.Sentence("%s let %s act here"), page.Sentence("You let %s act here")},
	},
	as.RoleViewer: {
		{page.Sentence("%s began to look at everything here"), page.Sentence("You began to look at everything here")},
		{page.Sentence("%s let %s look at everything here"), page.Sentence("You let %s look at everything here")},
	},
}

// The history says of who gave up a role, and of what it does not know.
var (
	roleGivenUp = told{page.Sentence("%s gave up what they may do here"), page.Sentence("You gave up what you may do here")}
	something   = told{page.Sentence("%s did something"), page.Sentence("You did something")}
)

// told is what an event tells, as a sentence that begins with who did it, and as another
// for the reader who did it. What only an app or a service does has none for the reader.
type told struct{ said, you string }

// happened is what an event tells, and the sign beside it.
type happened struct {
	dot, icon string
	told
}

// ofWhom are the events of which it is said whom they concern, and no thing.
var ofWhom = []string{
	as.EventRequestApproved, as.EventRequestDenied, as.EventRequestAside, as.EventPartyBlocked,
	as.EventGroupCreated, as.EventGroupRenamed, as.EventMemberAdded, as.EventMemberRemoved,
}

var happenings = map[string]happened{
	as.EventResourceRegistered:   {"", "add", told{said: page.Sentence("%s put %s under protection here")}},
	as.EventResourceUpdated:      {"", "change", told{said: page.Sentence("%s described %s anew")}},
	as.EventResourceDeregistered: {"", "delete", told{said: page.Sentence("%s took %s away from here")}},
	as.EventShareCreated:         {"yes", "yes", told{page.Sentence("%s opened %s to %s"), page.Sentence("You opened %s to %s")}},
	as.EventShareReplaced:        {"yes", "change", told{page.Sentence("%s changed what is open of %s to %s"), page.Sentence("You changed what is open of %s to %s")}},
	as.EventShareRestored:        {"yes", "undo", told{page.Sentence("%s opened %s to %s again"), page.Sentence("You opened %s to %s again")}},
	as.EventShareWithdrawn:       {"no", "no", told{page.Sentence("%s stopped sharing %s with %s"), page.Sentence("You stopped sharing %s with %s")}},
	as.EventShareGivenBack:       {"no", "undo", told{page.Sentence("%s gave %s back"), page.Sentence("You gave %s back")}},
	as.EventMemberLeft:           {"no", "group", told{page.Sentence("%s left a group here"), page.Sentence("You left a group here")}},
	as.EventSharesWithdrawn:      {"no", "no", told{page.Sentence("%s stopped several things at once"), page.Sentence("You stopped several things at once")}},
	as.EventEverythingStopped:    {"no", "stop", told{page.Sentence("%s stopped everything"), page.Sentence("You stopped everything")}},
	as.EventRequestSubmitted:     {"", "ask", told{said: page.Sentence("%s was used to ask for %s")}},
	as.EventRequestApproved:      {"yes", "yes", told{page.Sentence("%s said yes to what %s asked"), page.Sentence("You said yes to what %s asked")}},
	as.EventRequestDenied:        {"no", "no", told{page.Sentence("%s said no to what %s asked"), page.Sentence("You said no to what %s asked")}},
	as.EventRequestAside:         {"", "clock", told{page.Sentence("%s put off what %s asked"), page.Sentence("You put off what %s asked")}},
	as.EventPartyBlocked:         {"no", "no", told{page.Sentence("%s closed the door to what %s asks"), page.Sentence("You closed the door to what %s asks")}},
	as.EventPartyUnblocked:       {"", "ask", told{page.Sentence("%s lets somebody ask again"), page.Sentence("You let somebody ask again")}},
	as.EventGroupCreated:         {"", "group", told{page.Sentence("%s made the group %s"), page.Sentence("You made the group %s")}},
	as.EventGroupRenamed:         {"", "group", told{page.Sentence("%s gave the group %s another name"), page.Sentence("You gave the group %s another name")}},
	as.EventGroupDeleted:         {"no", "group", told{page.Sentence("%s took a group away, with all that was open to it"), page.Sentence("You took a group away, with all that was open to it")}},
	as.EventMemberAdded:          {"yes", "group", told{page.Sentence("%s put somebody into the group %s"), page.Sentence("You put somebody into the group %s")}},
	as.EventMemberRemoved:        {"no", "group", told{page.Sentence("%s took somebody out of the group %s"), page.Sentence("You took somebody out of the group %s")}},
	as.EventPermissionGranted:    {"seen", "see", told{said: page.Sentence("%s was let in to %s")}},
	as.EventPermissionRefused:    {"no", "shut", told{said: page.Sentence("%s was not let in")}},
	as.EventPATIssued:            {"", "service", told{said: page.Sentence("%s was connected")}},
	as.EventConnectionEnded:      {"no", "service", told{page.Sentence("%s ended a connection"), page.Sentence("You ended a connection")}},
	as.EventTokenRevoked:         {"no", "undo", told{said: page.Sentence("%s gave up what it had got")}},
	as.EventTicketReplayed:       {"no", "careful", told{said: page.Sentence("%s was stopped: it used a second time what is good once")}},
	as.EventCodeReplayed:         {"no", "careful", told{said: page.Sentence("%s was stopped: it used a second time what is good once")}},
	as.EventRefreshReplayed:      {"no", "careful", told{said: page.Sentence("%s was stopped: it used a second time what is good once")}},
	as.EventTicketMisused:        {"no", "careful", told{said: page.Sentence("%s was stopped: it used what was given to another app")}},
	as.EventPCTMisused:           {"no", "careful", told{said: page.Sentence("%s was stopped: it used what was given to another app")}},
	as.EventUntold:               {"", "note", told{said: page.Sentence("%s was refused more of the same")}},
	as.EventClientDeleted:        {"no", "service", told{said: page.Sentence("%s took away a service that deleted itself, with all that it protected here")}},
	as.EventInvited:              {"", "mail", told{page.Sentence("%s asked somebody to help"), page.Sentence("You asked somebody to help")}},
	as.EventUninvited:            {"no", "mail", told{page.Sentence("%s took back what somebody was asked"), page.Sentence("You took back what somebody was asked")}},
	as.EventDeclined:             {"no", "mail", told{page.Sentence("%s said no to helping"), page.Sentence("You said no to helping")}},
	as.EventRoleEnded:            {"no", "people", told{page.Sentence("%s ended what %s may do here"), page.Sentence("You ended what %s may do here")}},
	as.EventImported:             {"", "save", told{page.Sentence("%s brought things in from elsewhere"), page.Sentence("You brought things in from elsewhere")}},
}
