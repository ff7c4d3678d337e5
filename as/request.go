package as

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

var (
	errNoRequest      = uma.NewError(uma.NotFound, "There is no such request.")
	errRequestDecided = uma.NewError(Conflict, "The request has been decided already.")
)

// Conflict is the code of our own APIs for an act that comes too late.
const Conflict uma.Code = "conflict"

// PendingRequest is a request with who asks, as the owner may see it.
type PendingRequest struct {
	Request
	ClientName string // "" when the client is gone
	Facts      []policy.Fact
	Why        string // why they ask, in their own words and of one line; "" when it was not said
}

// Party is as whom the owner would know those who ask, if they said yes: see
// Share.Parties.
func (p PendingRequest) Party() policy.Party { return knownBy(p.Facts, p.Subject) }

// knownBy is the party of an address that was verified, and otherwise of a subject.
func knownBy(facts []policy.Fact, subject string) policy.Party {
	if address := addressOf(facts); address != "" {
		return policy.Party{Kind: policy.PartyEmail, Value: address}
	}
	return PartyOf(subject)
}

// PartyOf is the party of a subject, as grants, requests and uses name it; the
// zero Party for one who was not named by anybody.
func PartyOf(subject string) policy.Party {
	issuer, value, ok := strings.Cut(subject, "#")
	if !ok || issuer == "process" { // AMB-20
		return policy.Party{}
	}
	return policy.Party{Kind: policy.PartySubject, Value: value, Issuer: issuer}
}

// Requests returns a page of the space's requests with a status; "" for all.
func (s *Server) Requests(ctx context.Context, o Owner, status RequestStatus, page Page) ([]PendingRequest, error) {
	var list []PendingRequest
	err := s.Store.View(ctx, func(r Reader) error {
		found, err := r.Requests(o.Space, status, page)
		if err != nil {
			return err
		}
		list, err = s.allRevealed(r, found)
		return err
	})
	return list, err
}

// RequestsFrom returns what one requesting party, by its Subject, has asked of the
// space, newest first.
func (s *Server) RequestsFrom(ctx context.Context, o Owner, subject string, limit int) ([]PendingRequest, error) {
	var list []PendingRequest
	err := s.Store.View(ctx, func(r Reader) error {
		found, err := r.RequestsFrom(o.Space, subject, limit)
		if err != nil {
			return err
		}
		list, err = s.allRevealed(r, found)
		return err
	})
	return list, err
}

func (s *Server) allRevealed(r Reader, found []Request) ([]PendingRequest, error) {
	list := make([]PendingRequest, len(found))
	for i, q := range found {
		var err error
		if list[i], err = s.revealed(r, q); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// ReadRequest returns one request of the space.
func (s *Server) ReadRequest(ctx context.Context, o Owner, id RequestID) (PendingRequest, error) {
	var p PendingRequest
	err := s.Store.View(ctx, func(r Reader) error {
		q, err := r.Request(o.Space, id)
		if err != nil {
			return err
		}
		p, err = s.revealed(r, q)
		return err
	})
	return p, absent(err, errNoRequest)
}

// Reveal opens what is sealed in a request, for whoever read it inside the space it
// is of.
func (s *Server) Reveal(q Request) (PendingRequest, error) {
	facts, err := s.openFacts(q.Claims)
	if err != nil {
		return PendingRequest{}, err
	}
	why, err := s.openReason(q.Reason)
	return PendingRequest{Request: q, Facts: facts, Why: why}, err
}

func (s *Server) revealed(r Reader, q Request) (PendingRequest, error) {
	p, err := s.Reveal(q)
	if err != nil {
		return PendingRequest{}, err
	}
	c, err := r.Client(q.Client)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return PendingRequest{}, err
	}
	p.ClientName = c.Name
	return p, nil
}

// Approve answers a request with yes to all of it (granted is nil) or to a part.
// It makes one share for each resource, with exactly the one who asked, through
// the app that asked, until notAfter (zero: without an end). The process goes on
// by an ordinary assessment, so that withdrawing those shares later takes
// everything back.
func (s *Server) Approve(ctx context.Context, o Owner, id RequestID, granted []uma.Permission, notAfter time.Time) (PendingRequest, error) {
	return s.decide(ctx, o, id, func(tx Tx, p *PendingRequest) error {
		yes := granted
		if yes == nil {
			var err error
			if yes, err = stillOffered(tx, o.Space, p.Permissions); err != nil {
				return err
			}
		} else if err := partOf(yes, p.Permissions); err != nil {
			return err
		}
		if !notAfter.IsZero() && !notAfter.After(s.now()) {
			return uma.NewError(uma.InvalidRequest, "not_after has passed already.")
		}
		who, err := claimsOfSubject(p.Facts)
		if err != nil {
			return err
		}
		p.Status, p.Granted, p.Shares = RequestApproved, yes, nil
		for _, perm := range yes {
			share, err := s.createShare(tx, o, Share{KnownAs: addressOf(p.Facts), Share: policy.Share{
				Resource: perm.Resource, Scopes: perm.Scopes, Claims: who, Client: string(p.Client), NotAfter: notAfter,
			}})
			if err != nil {
				return err
			}
			p.Shares = append(p.Shares, share.ID)
		}
		return s.record(tx, o.Space, EventRequestApproved, o.actor(), string(id), detail{"granted": yes, "shares": p.Shares})
	})
}

// stillOffered is what of the permissions can still be granted: a resource
// server may have taken back a scope or a resource since they were asked for.
func stillOffered(tx Tx, space SpaceID, asked []uma.Permission) ([]uma.Permission, error) {
	var out []uma.Permission
	for _, p := range asked {
		res, err := tx.ResourceInSpace(space, p.Resource)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		offered := intersect(p.Scopes, res.Description.Scopes)
		if len(offered) > 0 || len(p.Scopes) == 0 {
			out = append(out, uma.Permission{Resource: p.Resource, Scopes: offered})
		}
	}
	if len(out) == 0 {
		return nil, uma.NewError(Conflict, "Nothing of what was asked for is registered any more.")
	}
	return out, nil
}

// Refuse answers a request with no. The process's next poll is final.
func (s *Server) Refuse(ctx context.Context, o Owner, id RequestID) (PendingRequest, error) {
	return s.decide(ctx, o, id, s.no(o))
}

// no is the act of saying no.
func (s *Server) no(o Owner) func(Tx, *PendingRequest) error {
	return func(tx Tx, p *PendingRequest) error {
		p.Status = RequestDenied
		return s.record(tx, o.Space, EventRequestDenied, o.actor(), string(p.ID), nil)
	}
}

// SetAside is "not now": the request waits no longer among those that do, and can
// still be answered. Whoever asked is told what they were told before, that it is
// pending, until their ticket ends; asking the same again does not bring it back.
func (s *Server) SetAside(ctx context.Context, o Owner, id RequestID) (PendingRequest, error) {
	return s.decide(ctx, o, id, func(tx Tx, p *PendingRequest) error {
		if p.Status == RequestAside {
			return nil
		}
		p.Status = RequestAside
		return s.record(tx, o.Space, EventRequestAside, o.actor(), string(id), nil)
	})
}

// decide changes a request that can still be answered; of two who decide at the same
// time one comes too late.
func (s *Server) decide(ctx context.Context, o Owner, id RequestID, act func(Tx, *PendingRequest) error) (PendingRequest, error) {
	var p PendingRequest
	err := s.manage(ctx, o, func(tx Tx) error {
		q, err := tx.Request(o.Space, id)
		if err != nil {
			return err
		}
		p, err = s.decideOne(tx, o, q, act)
		return err
	})
	s.posted()
	return p, absent(err, errNoRequest)
}

// decideOne is decide within a transaction. Who calls it calls posted after that.
func (s *Server) decideOne(tx Tx, o Owner, q Request, act func(Tx, *PendingRequest) error) (PendingRequest, error) {
	if !q.Status.Waits() {
		return PendingRequest{}, errRequestDecided
	}
	p, err := s.revealed(tx, q)
	if err != nil {
		return PendingRequest{}, err
	}
	if err := act(tx, &p); err != nil {
		return PendingRequest{}, err
	}
	if !p.Status.Waits() { // "not now" is told to nobody
		if err := s.tellRequester(tx, &p); err != nil {
			return PendingRequest{}, err
		}
	}
	p.DecidedBy, p.DecidedAt = o.Account, s.now()
	return p, absent(tx.DecideRequest(p.Request), errRequestDecided)
}

// partOf refuses to grant what was not asked for.
func partOf(granted, asked []uma.Permission) error {
	if len(granted) == 0 {
		return uma.NewError(uma.InvalidRequest, "Nothing is approved. Deny the request instead.")
	}
	seen := map[uma.ResourceID]bool{}
	for _, g := range granted {
		if seen[g.Resource] {
			return uma.NewError(uma.InvalidRequest, "A resource is named twice.")
		}
		seen[g.Resource] = true
		if !covers(asked, []uma.Permission{g}) {
			return uma.NewError(uma.InvalidRequest, "Only what was asked for can be approved.")
		}
	}
	return nil
}

// claimsOfSubject is the condition that exactly the requesting party of these
// facts meets. It says nothing else about that party: whoever asks later is told
// what a condition is about, though never its values.
func claimsOfSubject(facts []policy.Fact) ([]policy.Claim, error) {
	for _, f := range facts {
		if f.Name == "sub" {
			return []policy.Claim{{
				RequiredClaim: uma.RequiredClaim{Name: "sub", Issuer: []string{f.Issuer}},
				Values:        []string{f.Value},
			}}, nil
		}
	}
	return nil, errors.New("as: a request without a requesting party")
}
