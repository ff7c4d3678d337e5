package mail

import (
	"fmt"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
)

// said is what a letter says, sentence by sentence.
type said struct {
	Subject string
	Lines   []string
	Code    string // shown large; "" for none
	Link    string // what the link is called; "" for a letter without one
}

// words says a letter in the language of its reader.
func words(l as.Letter) (said, error) {
	say := func(english string, args ...any) string { return page.Plain(l.Language, english, args...) }
	notYou := say(page.Sentence("If that was not you, sign in, sign out everywhere, and look at the ways to sign in."))
	switch l.Kind {
	case as.LetterCode, as.LetterFirstCode:
		w := said{Subject: say(page.Sentence("Your code is %s"), l.Code), Code: l.Code, Lines: []string{
			say(page.Sentence("Enter this code where you asked for it. It is good for ten minutes, and in that browser only.")),
		}}
		if l.Kind == as.LetterFirstCode {
			w.Lines = append(w.Lines, say(page.Sentence("There is no account for this address yet. Using the code makes one.")))
		}
		w.Lines = append(w.Lines, say(page.Sentence("If you did not ask for it, do nothing, and give the code to nobody.")))
		return w, nil
	case as.LetterNoAccount:
		return said{Subject: say(page.Sentence("There is no account for your address")), Lines: []string{
			say(page.Sentence("Somebody wanted to sign in with this address, and there is no account for it.")),
			say(page.Sentence("If it was you, try another address of yours. If not, do nothing.")),
		}}, nil
	case as.LetterPasskeyAdded:
		return said{Subject: say(page.Sentence("A passkey was added to your account")), Lines: []string{
			say(page.Sentence("From now on the passkey “%s” signs you in."), l.Name), notYou,
		}}, nil
	case as.LetterPasskeyCloned:
		return said{Subject: say(page.Sentence("There may be a copy of your passkey")), Lines: []string{
			say(page.Sentence("The passkey “%s” was used as if there were a second one like it. Remove it, and add a new one."), l.Name), notYou,
		}}, nil
	case as.LetterWithoutPasskey:
		return said{Subject: say(page.Sentence("Your account was opened without a passkey")), Lines: []string{
			say(page.Sentence("Somebody signed in to your account with a code from a mail.")), notYou,
		}}, nil
	case as.LetterIdentityLinked:
		return said{Subject: say(page.Sentence("A new way to sign in to your account")), Lines: []string{
			say(page.Sentence("From now on you can sign in through %s."), l.Name), notYou,
		}}, nil
	case as.LetterRequest:
		w := said{Subject: say(page.Sentence("Somebody asks you")), Link: say(page.Sentence("See the request"))}
		who := say(page.Sentence("Somebody asks for something of “%s”, through %s."), l.Space, l.App)
		if l.Name != "" {
			w.Subject = say(page.Sentence("%s asks you"), l.Name)
			who = say(page.Sentence("%s asks for something of “%s”, through %s."), l.Name, l.Space, l.App)
		}
		w.Lines = []string{who}
		if l.Why != "" {
			w.Lines = append(w.Lines, say(page.Sentence("They write: “%s”"), l.Why))
		}
		w.Lines = append(w.Lines, say(page.Sentence("Nothing is open before you say so.")))
		return w, nil
	case as.LetterDigest:
		w := said{Subject: say(page.Sentence("What waits for you")), Link: say(page.Sentence("See what waits"))}
		if l.Requests > 0 {
			w.Lines = append(w.Lines, say(page.Sentence("%d requests wait for your answer."), l.Requests))
		}
		if l.Ending > 0 {
			w.Lines = append(w.Lines, say(page.Sentence("%d things are shared until this or next week, and then no longer."), l.Ending))
		}
		return w, nil
	case as.LetterEnding:
		return said{Subject: say(page.Sentence("Something is shared for one more week")), Link: say(page.Sentence("See who can do what")), Lines: []string{
			say(page.Sentence("%d things of “%s” are shared for one more week, and then no longer."), l.Ending, l.Space),
			say(page.Sentence("If that is as you want it, do nothing.")),
		}}, nil
	case as.LetterReview:
		return said{Subject: say(page.Sentence("Who can use your things?")), Link: say(page.Sentence("See who can do what")), Lines: []string{
			say(page.Sentence("%d things of “%s” are shared. Have a look whether that is still as you want it."), l.Shares, l.Space),
		}}, nil
	case as.LetterStopped:
		return said{Subject: say(page.Sentence("Everything was stopped")), Link: say(page.Sentence("See what happened")), Lines: []string{
			say(page.Sentence("Nobody can use anything of “%s” at the moment: everything was stopped."), l.Space),
			say(page.Sentence("If that was not you, look at the history to see who it was.")),
		}}, nil
	case as.LetterInvited:
		w := said{Subject: say(page.Sentence("%s asks you to help"), l.Name), Link: say(page.Sentence("See what you are asked"))}
		switch l.Role {
		case as.RoleViewer:
			w.Lines = []string{say(page.Sentence("%s would like you to look at “%s” with them. You could see everything there and change nothing."), l.Name, l.Space)}
		case as.RoleGuardian:
			w.Lines = []string{say(page.Sentence("%s would like you to look after “%s” as a guardian. You would decide there who may see what."), l.Name, l.Space)}
		default:
			w.Lines = []string{say(page.Sentence("%s would like you to act for “%s”. You would decide there who may see what."), l.Name, l.Space)}
		}
		w.Lines = append(w.Lines, say(page.Sentence("Come in with this address to say yes or no. Nothing happens before you do.")))
		return w, nil
	case as.LetterRole:
		w := said{Subject: say(page.Sentence("%s can act for you"), l.Name), Link: say(page.Sentence("See who looks after your things"))}
		first := say(page.Sentence("From now on %s can decide at “%s” who may see what."), l.Name, l.Space)
		if l.Role == as.RoleViewer {
			w.Subject = say(page.Sentence("%s can look at your things"), l.Name)
			first = say(page.Sentence("From now on %s can see everything at “%s”, and change nothing."), l.Name, l.Space)
		}
		w.Lines = []string{first, say(page.Sentence("If you do not want this, end it there with one press."))}
		return w, nil
	case as.LetterRoleEnded:
		w := said{Subject: say(page.Sentence("%s does not act at “%s” any more"), l.Name, l.Space), Lines: []string{
			say(page.Sentence("What %s was allowed to do at “%s” has ended."), l.Name, l.Space),
		}}
		if l.Path != "" {
			w.Link = say(page.Sentence("See who looks after your things"))
		}
		return w, nil
	case as.LetterAllowed:
		return said{Subject: say(page.Sentence("The answer to your request is yes")), Link: say(page.Sentence("See the answer")), Lines: []string{
			say(page.Sentence("You asked for something through %s. Go back there: it is open to you now."), l.App),
		}}, nil
	case as.LetterRefused:
		return said{Subject: say(page.Sentence("Your request was answered")), Link: say(page.Sentence("See the answer")), Lines: []string{
			say(page.Sentence("You asked for something through %s. The answer is no."), l.App),
		}}, nil
	}
	return said{}, fmt.Errorf("mail: there are no words for a letter of the kind %q", l.Kind) // of a newer version
}
