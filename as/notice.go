package as

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// What people are told by mail about their spaces. What is to be told later is a
// message to the server itself in the outbox, under an id that says what it is about
// and when: planning it twice is planning it once, whatever node does it, and of all
// nodes that find it due one makes letters of it, in the transaction that deletes it.
// Who hears of it is decided then, by the roles and wishes of that time.

const (
	// lettersPerHour is how many requests an account hears of one by one in an hour.
	// What is beyond is put together at the full hour, so that no stranger can make us
	// fill a mailbox.
	lettersPerHour = 10
	// morning is when mail that can wait is sent, in UTC.
	morning = 8 * time.Hour
	day     = 24 * time.Hour
	// noticeOfEnding is how long before a share ends its owners hear of it, at least;
	// it is less than a day more.
	noticeOfEnding = 7 * day
	// reviewEvery is how often owners are asked to look at what they share.
	reviewEvery = 90 * day
	// digestMost is how many requests a digest counts; more are not counted.
	digestMost = 100
	// plannedLife is how long what is planned waits for a server that is down; a review
	// plans the next one, and waits for as long as it takes.
	plannedLife = 7 * day
	reviewLife  = 3650 * day
)

// Where pages are, below the issuer.
const (
	pathRequests = "/app/requests"
	pathPeople   = "/app/people"
	pathHome     = "/app/"
	pathMe       = "/app/me"
	pathRoles    = "/app/roles"
	pathAsked    = "/app/asked" // of who asks
)

// morningAfter is the next morning that is later than t.
func morningAfter(t time.Time) time.Time {
	at := t.UTC().Truncate(day).Add(morning)
	if !at.After(t) {
		at = at.Add(day)
	}
	return at
}

// morningBefore is the last morning that is not later than t.
func morningBefore(t time.Time) time.Time { return morningAfter(t).Add(-day) }

// oneLine is what somebody calls themselves, as a letter may say it: whoever reads it
// must not take it for the letter's own words.
func oneLine(s string) string {
	const most = 80
	line := []rune(spaced(s))
	if len(line) > most {
		line = append(line[:most-1], '…')
	}
	return string(line)
}

// spaced is a text as one line, without what cannot be seen.
func spaced(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
}

// SetLetters says how an account wants to be written to, and in which language, as
// BCP 47 has it; "" for no preference.
func (s *Server) SetLetters(ctx context.Context, id AccountID, l Letters, language string) error {
	switch l {
	case LettersAtOnce, LettersDaily, LettersNone:
	default:
		return uma.NewError(uma.InvalidRequest, "Letters come at once, daily, or not.")
	}
	if len(language) > maxLanguage {
		return uma.NewError(uma.InvalidRequest, "This is no language.")
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		a, err := tx.Account(id)
		if err != nil {
			return err
		}
		a.Letters, a.Language = l, language
		return tx.UpdateAccount(a)
	})
}

// maxLanguage is longer than the tag of any language that anybody speaks.
const maxLanguage = 35

// reader is an account that can be written to about a space.
func (a Account) reader() bool { return a.EmailVerified && !a.Disabled }

// readers are those who manage a space and can be written to.
func (s *Server) readers(r Reader, id SpaceID) ([]Account, error) {
	roles, err := r.RolesIn(id)
	if err != nil {
		return nil, err
	}
	var out []Account
	for _, role := range roles {
		if !role.manages(s.now()) {
			continue
		}
		a, err := r.Account(role.Account)
		if err != nil {
			return nil, err
		}
		if a.reader() {
			out = append(out, a)
		}
	}
	return out, nil
}

// write writes a letter to an account.
func (s *Server) write(tx Tx, a Account, l Letter) error {
	l.Language = a.Language
	return s.mail(tx, a.Email, l)
}

// tellOfRequest tells those who manage a space that somebody asks.
func (s *Server) tellOfRequest(tx Tx, q Request, c oauth.Client, facts []policy.Fact) error {
	if s.Mail == nil {
		return nil
	}
	space, err := tx.Space(q.Space)
	if err != nil {
		return err
	}
	readers, err := s.readers(tx, q.Space)
	if err != nil {
		return err
	}
	why, err := s.openReason(q.Reason)
	if err != nil {
		return err
	}
	now := s.now()
	for _, a := range readers {
		switch a.Letters {
		case LettersNone:
			continue
		case LettersDaily:
			err = s.planDigest(tx, a.ID, morningAfter(now))
		default:
			_, err = tx.CountUp(s.vault.digest(aCount, "requests told\x00"+string(a.ID)), lettersPerHour, now, now.Add(time.Hour))
			switch {
			case errors.Is(err, ErrNotFound):
				err = s.planDigest(tx, a.ID, now.Truncate(time.Hour).Add(time.Hour))
			case err == nil:
				err = s.write(tx, a, Letter{
					Kind: LetterRequest, Name: addressOf(facts), App: oneLine(c.Name), Space: oneLine(space.Name),
					Path: pathRequests + "/" + string(q.ID), Why: why,
				})
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tellRequester tells who asked what came of it, if they are known to read mail: that
// it was decided, and through which app they asked, which is what they know already.
func (s *Server) tellRequester(tx Tx, p *PendingRequest) error {
	l := Letter{Kind: LetterRefused, App: oneLine(p.ClientName)}
	if p.Status == RequestApproved {
		l.Kind = LetterAllowed
	}
	for _, f := range p.Facts {
		if f.Name != "sub" || f.Issuer != s.Issuer {
			continue
		}
		a, err := tx.Account(AccountID(f.Value))
		if errors.Is(err, ErrNotFound) || err == nil && (!a.reader() || a.Letters == LettersNone) {
			return nil
		}
		if err != nil {
			return err
		}
		l.Path = pathAsked + "/" + string(p.ID)
		return s.write(tx, a, l)
	}
	if to := addressOf(p.Facts); to != "" {
		return s.mail(tx, to, l)
	}
	return nil // nobody has told us where they read mail
}

// tellOfStop tells everybody who manages a space that everything was stopped.
func (s *Server) tellOfStop(tx Tx, id SpaceID) error {
	space, err := tx.Space(id)
	if err != nil {
		return err
	}
	readers, err := s.readers(tx, id)
	if err != nil {
		return err
	}
	for _, a := range readers {
		if err := s.write(tx, a, Letter{Kind: LetterStopped, Space: oneLine(space.Name), Path: pathHome}); err != nil {
			return err
		}
	}
	return nil
}

// tellOfInvitation writes to the address that a role is offered to. In which language
// is that of the account there, if there is one, or of whoever offers it.
func (s *Server) tellOfInvitation(tx Tx, i Invitation) error {
	space, err := tx.Space(i.Space)
	if err != nil {
		return err
	}
	from, err := tx.Account(i.InvitedBy)
	if err != nil {
		return err
	}
	l := Letter{Kind: LetterInvited, Name: oneLine(called(from)), Space: oneLine(space.Name), Role: i.Kind, Language: from.Language, Path: pathMe}
	to, err := tx.AccountByEmail(i.Email)
	switch {
	case err == nil && to.Language != "":
		l.Language = to.Language
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	return s.mail(tx, i.Email, l)
}

// tellOfRole tells the owners of a space that somebody has a role in it, or has it no
// more, and whoever had it of its end: all but the one who did that.
func (s *Server) tellOfRole(tx Tx, by Owner, role Role, kind LetterKind) error {
	space, err := tx.Space(role.Space)
	if err != nil {
		return err
	}
	holder, err := tx.Account(role.Account)
	if err != nil {
		return err
	}
	l := Letter{Kind: kind, Name: oneLine(called(holder)), Space: oneLine(space.Name), Role: role.Kind}
	if kind == LetterRoleEnded && holder.reader() && by.Account != holder.ID {
		if err := s.write(tx, holder, l); err != nil {
			return err
		}
	}
	l.Path = pathRoles
	readers, err := s.readers(tx, role.Space)
	if err != nil {
		return err
	}
	for _, a := range readers {
		of, err := tx.Role(a.ID, role.Space)
		if err == nil && of.Kind == RoleOwner && a.ID != by.Account {
			err = s.write(tx, a, l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// called is a person's name, or the address where there is none.
func called(a Account) string {
	if a.Name != "" {
		return a.Name
	}
	return a.Email
}

// plan writes down what is to be done once at a time. What is planned already is as
// it was.
func (s *Server) plan(tx Tx, m Message) error {
	err := tx.InsertMessage(m)
	if errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// planDigest plans a digest for an account. There is one for a time, which is in the
// future, so nothing is planned that was sent already.
func (s *Server) planDigest(tx Tx, id AccountID, at time.Time) error {
	return s.plan(tx, Message{
		ID: MessageID(fmt.Sprintf("digest-%s-%d", id, at.Unix())), Kind: MessageDigest, Recipient: string(id), DueAt: at, ExpiresAt: at.Add(plannedLife),
	})
}

// sendDigest tells an account what waits for it in all its spaces.
func (s *Server) sendDigest(ctx context.Context, m Message) error {
	var l Letter
	err := s.Store.View(ctx, func(r Reader) error {
		a, err := r.Account(AccountID(m.Recipient))
		if err != nil {
			return err
		}
		if !a.reader() || a.Letters == LettersNone {
			return errMoot
		}
		l = Letter{ID: m.ID, Kind: LetterDigest, To: a.Email, Language: a.Language, Path: pathRequests}
		roles, err := r.RolesOf(a.ID)
		if err != nil {
			return err
		}
		for _, role := range roles {
			if !role.manages(s.now()) {
				continue
			}
			waiting, err := r.Requests(role.Space, RequestPending, Page{Limit: digestMost})
			if err != nil {
				return err
			}
			l.Requests += len(waiting)
			if a.Letters == LettersDaily {
				n, err := s.countShares(r, role.Space, func(share Share) bool { return endsWithin(share, s.now(), s.now().Add(noticeOfEnding+day)) })
				if err != nil {
					return err
				}
				l.Ending += n
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if s.Mail == nil || l.Requests == 0 && l.Ending == 0 {
		return errMoot
	}
	if l.Requests == 0 {
		l.Path = pathPeople
	}
	return s.Mail(ctx, l)
}

// endsWithin says whether a share that is in force ends from one time on and before
// another.
func endsWithin(share Share, from, until time.Time) bool {
	return share.DormantSince.IsZero() && !share.NotAfter.IsZero() && !share.NotAfter.Before(from) && share.NotAfter.Before(until)
}

// countShares counts the shares of a space that are like this.
func (s *Server) countShares(r Reader, space SpaceID, like func(Share) bool) (int, error) {
	n, page := 0, Page{Limit: 500}
	for {
		shares, err := r.Shares(space, page)
		if err != nil || len(shares) == 0 {
			return n, err
		}
		for _, share := range shares {
			if like(share) {
				n++
			}
		}
		page.After = string(shares[len(shares)-1].ID)
	}
}

// endingBody is the body of a MessageEnding: shares end From then on and before Until.
type endingBody struct {
	From  int64 `json:"from"` // seconds
	Until int64 `json:"until"`
}

// planEnding plans that those who manage the space of a share hear of its end, with
// all others that end on that day. A share that is made for less than that is not
// told of.
func (s *Server) planEnding(tx Tx, share Share) error {
	if share.NotAfter.IsZero() {
		return nil
	}
	due := morningBefore(share.NotAfter.Add(-noticeOfEnding))
	if !s.now().Before(due) {
		return nil
	}
	from := due.Add(noticeOfEnding)
	body, err := json.Marshal(endingBody{from.Unix(), from.Add(day).Unix()})
	if err != nil {
		return err
	}
	return s.plan(tx, Message{
		ID: MessageID(fmt.Sprintf("ending-%s-%d", share.Space, due.Unix())), Kind: MessageEnding, Recipient: string(share.Space), Body: body,
		DueAt: due, ExpiresAt: from.Add(day),
	})
}

// tellOfEnding tells those who manage a space that shares end.
func (s *Server) tellOfEnding(ctx context.Context, m Message) error {
	var body endingBody
	if err := json.Unmarshal(m.Body, &body); err != nil {
		return err
	}
	return s.tellSpace(ctx, m, func(tx Tx, space Space, readers []Account) error {
		n, err := s.countShares(tx, space.ID, func(share Share) bool {
			return endsWithin(share, latest(s.now(), time.Unix(body.From, 0)), time.Unix(body.Until, 0))
		})
		if err != nil || n == 0 {
			return err
		}
		for _, a := range readers {
			if a.Letters == LettersDaily {
				err = s.planDigest(tx, a.ID, morningAfter(s.now()))
			} else if a.Letters != LettersNone {
				err = s.write(tx, a, Letter{Kind: LetterEnding, Space: oneLine(space.Name), Ending: n, Path: pathPeople})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// openSpace makes a space, and plans its first review.
func (s *Server) openSpace(tx Tx, space Space) error {
	if err := tx.InsertSpace(space); err != nil {
		return err
	}
	return s.planReview(tx, space.ID)
}

func (s *Server) planReview(tx Tx, id SpaceID) error {
	due := morningAfter(s.now().Add(reviewEvery - day))
	return s.plan(tx, Message{
		ID: MessageID(fmt.Sprintf("review-%s-%d", id, due.Unix())), Kind: MessageReview, Recipient: string(id), DueAt: due, ExpiresAt: due.Add(reviewLife),
	})
}

// tellOfReview asks those who manage a space to look at what they share, if they
// share anything, and plans the next time.
func (s *Server) tellOfReview(ctx context.Context, m Message) error {
	return s.tellSpace(ctx, m, func(tx Tx, space Space, readers []Account) error {
		if err := s.planReview(tx, space.ID); err != nil {
			return err
		}
		now := s.now()
		n, err := s.countShares(tx, space.ID, func(share Share) bool {
			return share.DormantSince.IsZero() && (share.NotAfter.IsZero() || now.Before(share.NotAfter))
		})
		if err != nil || n == 0 {
			return err
		}
		for _, a := range readers {
			if a.Letters == LettersNone {
				continue
			}
			if err := s.write(tx, a, Letter{Kind: LetterReview, Space: oneLine(space.Name), Shares: n, Path: pathPeople}); err != nil {
				return err
			}
		}
		return nil
	})
}

// tellSpace makes letters of what was planned for a space, in the transaction that
// deletes it: of a server that dies before, nothing is left, and after, everything.
func (s *Server) tellSpace(ctx context.Context, m Message, tell func(tx Tx, space Space, readers []Account) error) error {
	err := s.Store.Update(ctx, func(tx Tx) error {
		if err := tx.DeleteMessage(m.ID); err != nil {
			return err
		}
		space, err := tx.Space(SpaceID(m.Recipient))
		if err != nil {
			return err
		}
		readers, err := s.readers(tx, space.ID)
		if err != nil {
			return err
		}
		return tell(tx, space, readers)
	})
	s.posted()
	if errors.Is(err, ErrNotFound) {
		return errMoot
	}
	return err
}
