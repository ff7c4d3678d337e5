package as

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"unicode/utf8"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The claims interaction endpoint (Grant 3.3.2, 3.3.3). The client's parameters
// are checked and the ticket is spent when the requesting party arrives; from
// then on the visit has a handle of its own, which lives in a cookie of that
// browser and nowhere in a URL.

// BeginInteraction spends the ticket and opens a visit, whose handle it
// returns. Of what is wanted the redirection URI, which must have been checked
// already, the state and the code_challenge are the caller's. An *uma.Error
// goes back to the client on that URI: invalid_request for a ticket that is
// unknown, expired, spent, or of another client (AMB-15), and, with the ticket as
// it was, for a client that has to bind its tickets and does not.
func (s *Server) BeginInteraction(ctx context.Context, c oauth.Client, ticket uma.Ticket, wanted Interaction) (handle string, err error) {
	if c.RequireTicketBinding && wanted.CodeChallenge == "" {
		return "", uma.NewError(uma.InvalidRequest, "This client has to send a code_challenge.")
	}
	handle = s.vault.bearer()
	shown := s.openTicket(ticket)
	err = s.settle(ctx, func(tx Tx) (*uma.Error, error) {
		p, err := s.presentTicket(tx, shown, c.ID, noVerifier)
		if err != nil {
			return s.noteMisuse(tx, p.Process, err, c.ID)
		}
		p.ExpiresAt = s.now().Add(s.Lifetimes.Interaction)
		if err := s.keep(tx, &p); err != nil {
			return s.noteMisuse(tx, p.Process, err, c.ID)
		}
		return nil, tx.InsertInteraction(Interaction{
			Digest: s.vault.digest(anInteraction, handle), Process: p.ID, Client: c.ID,
			RedirectURI: wanted.RedirectURI, State: wanted.State, HasState: wanted.HasState,
			CodeChallenge: wanted.CodeChallenge, ExpiresAt: p.ExpiresAt,
		})
	})
	var refusal *uma.Error
	if errors.As(err, &refusal) {
		return "", uma.NewError(uma.InvalidRequest, refusal.Description).Because(refusal.Cause)
	}
	return handle, err
}

// Visit is what the pages of the claims interaction endpoint show. Whose it is, what
// it is called and what of it was asked for are not in it: that is for whoever may
// have it, and until then nobody can tell who is at the browser.
type Visit struct {
	Client      oauth.Client
	Service     string // the name of the resource server that the client went to; "" when it has none
	RedirectURI string
	State       string
	HasState    bool
	// Linked says whether the browser holds a link to something that is asked for.
	Linked bool
	// Promises are what the requesting party is asked to agree to, once it is
	// known who it is.
	Promises []Promise
}

// Promise is a purpose to be stated or terms to be accepted.
type Promise struct {
	Name  string // policy.ClaimPurpose or policy.ClaimTerms
	Value string
}

// errNoVisit is the answer for a handle that is unknown, expired or done.
var errNoVisit = uma.NewError(uma.InvalidRequest, "This request has ended. Go back to the application and start again.")

// Visit returns an open visit. The account is who is signed in, "" for nobody, and
// the links are the secrets of those that the browser holds; promises are told only
// to somebody who has one or the other.
func (s *Server) Visit(ctx context.Context, handle string, account AccountID, links ...string) (Visit, error) {
	var v Visit
	err := s.Store.View(ctx, func(r Reader) error {
		i, err := r.Interaction(s.vault.digest(anInteraction, handle))
		if err != nil {
			return err
		}
		if !i.DoneAt.IsZero() || !s.now().Before(i.ExpiresAt) {
			return ErrNotFound
		}
		v = Visit{RedirectURI: i.RedirectURI, State: i.State, HasState: i.HasState}
		if v.Client, err = r.Client(i.Client); err != nil {
			return err
		}
		p, err := r.Process(i.Process)
		if err != nil {
			return err
		}
		service, err := r.Client(p.ResourceServer)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if v.Service = service.Name; account == "" && len(links) == 0 {
			return nil
		}
		facts, err := s.held(r, p, links)
		if err != nil {
			return err
		}
		v.Linked = len(facts) > 0
		if account != "" {
			known, err := s.accountFacts(r, account)
			if err != nil {
				return err
			}
			facts = append(facts, known...)
		}
		v.Promises, err = s.promises(r, p, facts)
		return err
	})
	return v, absent(err, errNoVisit)
}

// Said is what a requesting party says at the end of a visit.
type Said struct {
	Promised []Promise
	Why      string   // why they ask, for the owner to read; "" for nothing
	Remember bool     // they agree to a PCT
	Links    []string // the secrets of the links that the browser holds
}

// MaxWhy is how many characters a reason may have.
const MaxWhy = 300

// ErrLongWhy is of a reason that is too long. The visit goes on.
var ErrLongWhy = uma.NewError(uma.InvalidRequest, "What you write to the owner may have 300 characters. Make it shorter.")

// FinishInteraction ends a visit with success: the account's claims, and what was
// said, join the process, and the process's next ticket goes back to the client.
// Without an account ("") there has to be a link to something that is asked for;
// otherwise there is no such visit.
func (s *Server) FinishInteraction(ctx context.Context, handle string, account AccountID, said Said) (uma.Ticket, Interaction, error) {
	var ticket uma.Ticket
	var done Interaction
	reason, err := s.sealReason(said.Why)
	if err != nil {
		return "", done, err
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		var err error
		if done, err = tx.FinishInteraction(s.vault.digest(anInteraction, handle), s.now()); err != nil {
			return err
		}
		if c, err := tx.Client(done.Client); err != nil || c.Disabled {
			return cmp.Or(err, ErrNotFound)
		}
		p, err := tx.Process(done.Process)
		if err != nil {
			return err
		}
		gathered, err := s.held(tx, p, said.Links)
		if err != nil {
			return err
		}
		if account != "" || len(gathered) == 0 {
			known, err := s.accountFacts(tx, account)
			if err != nil {
				return err
			}
			gathered = append(gathered, known...)
		}
		for _, made := range said.Promised {
			gathered = append(gathered, policy.Fact{Name: made.Name, Value: made.Value, Issuer: s.Issuer, At: s.now()})
		}
		before, err := s.openFacts(p.Claims)
		if err != nil {
			return err
		}
		facts := mergeFacts(before, gathered)
		if p.Claims, err = s.sealFacts(facts); err != nil {
			return err
		}
		if p.Subject != "" && p.Subject != subjectOf(facts) {
			p.Request = "" // the owner was asked about somebody else
		}
		p.Subject, p.Remember, p.Reason = subjectOf(facts), said.Remember, reason
		p.ExpiresAt = s.now().Add(s.Lifetimes.Ticket)
		if err := tx.UpdateProcess(p); err != nil {
			return err
		}
		ticket, err = s.storeTicket(tx, p.ID, done.CodeChallenge, p.ExpiresAt)
		return err
	})
	return ticket, done, absent(err, errNoVisit)
}

// CancelInteraction ends a visit without success. There is no next ticket.
func (s *Server) CancelInteraction(ctx context.Context, handle string) (Interaction, error) {
	var done Interaction
	err := s.Store.Update(ctx, func(tx Tx) (err error) {
		done, err = tx.FinishInteraction(s.vault.digest(anInteraction, handle), s.now())
		return err
	})
	return done, absent(err, errNoVisit)
}

// sealReason keeps what somebody writes to an owner as one line, unreadable in the
// store.
func (s *Server) sealReason(why string) ([]byte, error) {
	why = spaced(why)
	switch n := utf8.RuneCountInString(why); {
	case n == 0:
		return nil, nil
	case n > MaxWhy:
		return nil, ErrLongWhy
	}
	return s.vault.seal(sealedReason, []byte(why)), nil
}

func (s *Server) openReason(sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	plain, err := s.vault.open(sealedReason, sealed)
	return string(plain), err
}

// accountFacts are the claims that this server itself can make about an
// account.
func (s *Server) accountFacts(r Reader, id AccountID) ([]policy.Fact, error) {
	account, err := r.Account(id)
	if err != nil {
		return nil, err
	}
	if account.Disabled {
		return nil, ErrNotFound
	}
	now := s.now()
	facts := []policy.Fact{{Name: "sub", Value: string(account.ID), Issuer: s.Issuer, At: now}}
	if account.EmailVerified {
		facts = append(facts, policy.Fact{Name: "email", Value: account.Email, Issuer: s.Issuer, At: now})
	}
	if account.Name != "" {
		facts = append(facts, policy.Fact{Name: "name", Value: account.Name, Issuer: s.Issuer, At: now})
	}
	return facts, nil
}

// promises finds the purposes and terms that stand between this person and a
// share. They are found by judging each share as if it asked for none: to
// somebody whom a share is not for, its terms are not told.
func (s *Server) promises(r Reader, p Process, facts []policy.Fact) ([]Promise, error) {
	resources, err := ticketResources(r, p)
	if err != nil {
		return nil, err
	}
	shares, err := sharesOn(r, resources)
	if err != nil {
		return nil, err
	}
	groups, err := membershipsIn(r, shares, facts)
	if err != nil {
		return nil, err
	}
	var out []Promise
	for _, t := range resources {
		for _, share := range shares[t.Resource.ID] {
			bare := share
			bare.Purpose, bare.Terms = "", ""
			if share.Purpose == "" && share.Terms == "" || !s.opensFor(bare, t, p.Client, facts, groups) {
				continue
			}
			if share.Purpose != "" {
				out = append(out, Promise{policy.ClaimPurpose, share.Purpose})
			}
			if share.Terms != "" {
				out = append(out, Promise{policy.ClaimTerms, share.Terms})
			}
		}
	}
	slices.SortFunc(out, func(a, b Promise) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	return slices.Compact(out), nil
}

// opensFor says whether one share alone would give this person anything of the
// resource.
func (s *Server) opensFor(share Share, t ticketResource, client oauth.ClientID, facts []policy.Fact, groups memberships) bool {
	judge := s.judgeWith(map[uma.ResourceID][]Share{t.Resource.ID: {share}}, facts, groups, client, "")
	for _, scope := range append([]uma.Scope{""}, share.Scopes...) {
		if o := judge(t.Resource, scope).Outcome; o == policy.Permit || o == policy.AskOwner {
			return true
		}
	}
	return false
}
