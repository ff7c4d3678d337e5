package endpoint

import (
	"errors"
	"time"

	"github.com/licet/licet/internal/limit"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// Limits are how much that is wrong, or that costs and comes from nobody in
// particular, is answered before the answer is 429 with Retry-After. What is
// right is never counted, except in Public and Registration. A zero member means its default;
// limit.Off is no limit. Each node counts by itself.
type Limits struct {
	// Client is what one client that has authenticated gets wrong: tickets, codes
	// and refresh tokens at the token endpoint, where with an empty budget nothing
	// is looked at any more, so that a ticket is not spent by being refused; and
	// with a bearer token, for each space by itself, resources and scopes, where
	// only what is wrong is refused. 600 a minute.
	Client limit.Rate
	// Address is what comes from one address (of IPv6: one /64) and is wrong, where
	// nobody has authenticated: credentials, bearer tokens, the tickets of public
	// clients and of browsers, and links. Right credentials are never refused for it. 300 a
	// minute.
	Address limit.Rate
	// Public is what public clients and browsers from one address ask for, right
	// or wrong, at the endpoints that write something down for them: token, pushed
	// requests, claims interaction. 3000 a minute.
	Public limit.Rate
	// Registration is how many clients one address registers without an initial
	// access token, right or wrong. 20 an hour.
	Registration limit.Rate
	// Refusals is how many of these refusals are answered at once, whoever gets them.
	// The others are answered late. 500 a second.
	Refusals limit.Rate
}

// budgets are the limits with what is left of them.
type budgets struct{ client, address, public, registration, refusals *limit.Budgets }

func newBudgets(l Limits) budgets {
	return budgets{
		client:  limit.New(l.Client.Or(limit.Rate{Count: 600, Per: time.Minute})),
		address: limit.New(l.Address.Or(limit.Rate{Count: 300, Per: time.Minute})),
		public:  limit.New(l.Public.Or(limit.Rate{Count: 3000, Per: time.Minute})),

		registration: limit.New(l.Registration.Or(limit.Rate{Count: 20, Per: time.Hour})),
		refusals:     limit.New(l.Refusals.Or(limit.Rate{Count: 500, Per: time.Second})),
	}
}

// counted are the errors that say that something shown or named is no good; what is
// too large is no good, too. An
// answer that a token is not active is none: a resource server cannot know what
// strangers show it.
var counted = map[uma.Code]bool{
	uma.InvalidClient: true, uma.InvalidGrant: true, uma.InvalidToken: true,
	uma.InvalidResourceID: true, uma.InvalidScope: true, uma.NotFound: true, oauth.InvalidDPoPProof: true,
}

// later is the refusal of somebody who has used up a budget.
type later struct{ wait time.Duration }

func (e later) Error() string { return "too many requests" }

// held are those that are refused late.
type held chan struct{}

const (
	// holdTime is how late a refusal is.
	holdTime = 250 * time.Millisecond
	// mostHeld is how many wait at once. The others are refused at once, and have to
	// connect again.
	mostHeld = 512
)

// hold lets a caller wait that has nothing left, when many are refused. Who asks
// again as soon as there is an answer would otherwise take as much of the server, for
// nothing, as those take who are answered. The caller may hang up meanwhile.
func (s *Server) hold(c *call) {
	if s.budgets.refusals.Spend(limit.Party{}, time.Now()).Wait == 0 {
		return
	}
	select {
	case s.held <- struct{}{}:
		defer func() { <-s.held }()
		late := time.NewTimer(holdTime)
		defer late.Stop()
		select {
		case <-late.C:
		case <-c.r.Context().Done():
		}
	default:
		c.w.Header().Set("Connection", "close")
	}
}

// admit refuses, before anything is looked at, whom a route would do work for in
// vain.
func (s *Server) admit(rt route, c *call) error {
	switch {
	case rt.caller == byClient && !c.client.Public():
		return s.answer(c, "client", limit.Party{Who: string(c.client.ID)}, s.budgets.client.Look)
	case rt.caller == byClient, rt.path == pathClaims, rt.path == pathOpen, rt.path == pathSignInTo, rt.path == pathSignInFrom:
		from := limit.Party{Who: limit.Network(c.r.RemoteAddr)}
		if err := s.answer(c, "address", from, s.budgets.address.Look); err != nil {
			return err
		}
		return s.answer(c, "public", from, s.budgets.public.Spend)
	case rt.caller == byNewcomer && c.initial.ID == "":
		return s.answer(c, "registration", limit.Party{Who: limit.Network(c.r.RemoteAddr)}, s.budgets.registration.Spend)
	default:
		return nil
	}
}

// count takes a failure from the budget of whoever caused it, and returns the
// error, or later when there was nothing left.
func (s *Server) count(c *call, err error) error {
	var e *uma.Error
	if !errors.As(err, &e) || !counted[e.Code] && !errors.Is(e, uma.ErrTooLarge) {
		return err
	}
	if refusal := s.spend(c); refusal != nil {
		return refusal
	}
	return err
}

// spend takes one from the budget of whoever calls.
func (s *Server) spend(c *call) error {
	who, name, from := s.budgets.client, "client", limit.Party{}
	switch {
	case c.pat.ResourceServer != "":
		from = limit.Party{Who: string(c.pat.ResourceServer), Where: string(c.pat.Space)}
	case c.owner.Client != "":
		from = limit.Party{Who: string(c.owner.Client), Where: string(c.owner.Space)}
	case c.client != nil && !c.client.Public():
		from = limit.Party{Who: string(c.client.ID)}
	default:
		who, name, from = s.budgets.address, "address", limit.Party{Who: limit.Network(c.r.RemoteAddr)}
	}
	return s.answer(c, name, from, who.Spend)
}

// answer asks a budget, and tells the operator of whom it refuses.
func (s *Server) answer(c *call, name string, from limit.Party, ask func(limit.Party, time.Time) limit.Answer) error {
	a := ask(from, s.AS.Now())
	if a.Refused > 0 {
		s.Log.WarnContext(c.r.Context(), "too many requests", "limit", name, "who", from.Who, "space", from.Where, "refused", a.Refused)
	}
	if a.Wait > 0 {
		return later{a.Wait}
	}
	return nil
}
