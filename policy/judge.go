package policy

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cedar-policy/cedar-go"
	"github.com/licet/licet/uma"
)

// Outcome is what a judgement comes to. Of several shares the highest counts:
// what claims can settle the owner is not asked.
type Outcome int

const (
	Deny     Outcome = iota // the zero value: no conditions means no
	AskOwner                // the owner wants to be asked
	Need                    // further claims could change the outcome
	Permit
)

// A Question is one access to be judged: one scope of one resource, or with an
// empty Scope the resource without any scope.
type Question struct {
	Resource     uma.ResourceID
	ResourceType string
	Space        string
	Server       string // client id of the resource server
	Scope        uma.Scope
	Facts        []Fact
	// Groups are those, of the groups that the shares are with, which have a
	// verified e-mail address of the requesting party.
	Groups []GroupID
	// What the server itself knows. No claim can reach these.
	Now     time.Time
	Client  string
	Address string // of the client; "" when unknown
}

// A Verdict is the answer with its reasons.
type Verdict struct {
	Outcome  Outcome
	Shares   []ShareID           // the shares that decided; for Permit the one granted under
	Missing  []uma.RequiredClaim // for Need: never with the values that would satisfy
	NotAfter time.Time           // for Permit: when the permission ends; zero: without an end
	Reason   string              // a sentence a person can read; for the history, not for the requesting party
}

// Engine judges. It may be used concurrently.
type Engine struct {
	forbids map[cedar.PolicyID]*cedar.Policy
}

// New makes an engine with operator-wide Cedar policies, which may be "". They
// may forbid only: what is permitted is the owners' to say.
func New(forbids string) (*Engine, error) {
	set, err := cedar.NewPolicySetFromBytes("forbids", []byte(forbids))
	if err != nil {
		return nil, fmt.Errorf("policy: the operator's policies: %w", err)
	}
	for id, p := range set.All() {
		if p.Effect() != cedar.Forbid {
			return nil, fmt.Errorf("policy: the operator's %s permits; operator-wide policies may only forbid", id)
		}
	}
	return &Engine{forbids: maps.Collect(set.All())}, nil
}

// Judge answers one question by the shares on its resource. The order of the
// shares does not matter.
func (e *Engine) Judge(shares []Share, q Question) Verdict {
	forbidden, undecided := e.forbidden(q)
	if forbidden {
		return Verdict{Outcome: Deny, Reason: "A rule of the operator forbids this."}
	}
	v := combine(weighAll(shares, q))
	switch {
	case v.Outcome == Permit && (undecided || !e.allows(shares, v.Shares[0], q)):
		return Verdict{Outcome: Deny, Reason: "A rule of the operator, or the share itself, could not be evaluated."}
	case v.Outcome == AskOwner && undecided:
		return Verdict{Outcome: Deny, Reason: "A rule of the operator could not be evaluated."}
	}
	return v
}

// weighed is one share and what it comes to by itself.
type weighed struct {
	share   Share
	outcome Outcome
	missing []uma.RequiredClaim
}

func (s Share) weigh(q Question) (weighed, Obstacle) {
	if o := s.silent(q); o != NoObstacle {
		return weighed{share: s}, o
	}
	missing, possible := s.missing(q)
	switch {
	case !possible:
		return weighed{share: s}, ObstacleOther
	case len(missing) > 0:
		return weighed{s, Need, missing}, ObstacleNeeds
	case s.Ask && !named(q.Facts):
		return weighed{s, Need, []uma.RequiredClaim{{Name: "sub", FriendlyName: "Who you are"}}}, ObstacleAsk
	case s.Ask:
		return weighed{s, AskOwner, nil}, ObstacleAsk
	}
	return weighed{s, Permit, nil}, NoObstacle
}

// A Weighing is what one share comes to, for its owner.
type Weighing struct {
	Share    ShareID
	Obstacle Obstacle
	Missing  []uma.RequiredClaim // for ObstacleNeeds, and for ObstacleAsk while it is not known who it is
}

// An Explanation is a verdict with what each share on the resource comes to. A
// share without an obstacle under a verdict that does not permit is one that a
// rule of the operator keeps shut.
type Explanation struct {
	Verdict
	Forbidden bool // a rule of the operator forbids, or could not be evaluated
	Shares    []Weighing
}

// Explain is Judge with its reasons in words that a page can translate.
func (e *Engine) Explain(shares []Share, q Question) Explanation {
	x := Explanation{Verdict: e.Judge(shares, q)}
	best := Deny
	for _, s := range shares {
		w, o := s.weigh(q)
		best = max(best, w.outcome)
		x.Shares = append(x.Shares, Weighing{s.ID, o, w.missing})
	}
	x.Forbidden = x.Outcome < best
	return x
}

func weighAll(shares []Share, q Question) []weighed {
	var out []weighed
	for _, s := range shares {
		if w, _ := s.weigh(q); w.outcome != Deny {
			out = append(out, w)
		}
	}
	// The one that lasts longest comes first, then the older.
	slices.SortFunc(out, func(a, b weighed) int {
		return cmp.Or(compareEnds(b.share.NotAfter, a.share.NotAfter), cmp.Compare(a.share.ID, b.share.ID))
	})
	return out
}

// compareEnds orders ends; the zero time is no end and so the latest.
func compareEnds(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// combine takes the best outcome that any share gives.
func combine(all []weighed) Verdict {
	var v Verdict
	for _, w := range all {
		v.Outcome = max(v.Outcome, w.outcome)
	}
	for _, w := range all {
		if w.outcome != v.Outcome {
			continue
		}
		v.Shares = append(v.Shares, w.share.ID)
		v.Missing = addMissing(v.Missing, w.missing)
		if v.Outcome == Permit {
			v.NotAfter = w.share.NotAfter
			break
		}
	}
	v.Reason = reason(v)
	return v
}

func reason(v Verdict) string {
	ids := make([]string, len(v.Shares))
	for i, id := range v.Shares {
		ids[i] = string(id)
	}
	list := strings.Join(ids, ", ")
	switch v.Outcome {
	case Permit:
		return "Share " + list + " permits this."
	case Need:
		return "Share " + list + " may permit this, but more has to be known about the requesting party."
	case AskOwner:
		return "By share " + list + " the owner wants to be asked first."
	default:
		return "No share permits this."
	}
}

// forbidden says whether an operator's forbid matches; undecided, whether one
// could not be evaluated. Cedar would pass over a policy that fails.
func (e *Engine) forbidden(q Question) (forbidden, undecided bool) {
	if len(e.forbids) == 0 {
		return false, false
	}
	decision, diagnostic := cedar.Authorize(e.with(everything), entities(q), request(q))
	return decision == cedar.Deny, len(diagnostic.Errors) > 0
}

// allows says whether the one share, which was weighed already, permits under
// the operator's forbids. A plain share has nothing that weighing could get
// wrong; every other is asked of Cedar, too.
func (e *Engine) allows(shares []Share, id ShareID, q Question) bool {
	share := shares[slices.IndexFunc(shares, func(s Share) bool { return s.ID == id && s.speaksOf(q) })]
	return share.plain() && len(e.forbids) == 0 || e.cedarAllows(share, q)
}

func (e *Engine) cedarAllows(share Share, q Question) bool {
	decision, diagnostic := cedar.Authorize(e.with(compile(share)), entities(q), request(q))
	return decision == cedar.Allow && len(diagnostic.Errors) == 0
}

// rules are the operator's forbids and one policy that permits.
type rules struct {
	forbids map[cedar.PolicyID]*cedar.Policy
	permit  *cedar.Policy
}

func (e *Engine) with(permit *cedar.Policy) rules { return rules{e.forbids, permit} }

// All implements cedar.PolicyIterator.
func (r rules) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		if !yield("the share", r.permit) {
			return
		}
		for id, p := range r.forbids {
			if !yield(id, p) {
				return
			}
		}
	}
}
