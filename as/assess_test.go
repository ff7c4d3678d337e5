package as

import (
	"slices"
	"testing"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The worked examples of the scope-set algorithm. Available: the photos have
// view, resize, print, download; the album has view, edit, download.

func scopes(s ...uma.Scope) []uma.Scope { return s }

func resourceWith(id uma.ResourceID, offered ...uma.Scope) Resource {
	return Resource{ID: id, Description: uma.ResourceDescription{Scopes: offered}}
}

var (
	photo1 = resourceWith("photo1", "view", "resize", "print", "download")
	photo2 = resourceWith("photo2", "view", "resize", "print", "download")
	album  = resourceWith("album", "view", "edit", "download")
)

func asks(r Resource, s ...uma.Scope) ticketResource {
	return ticketResource{Resource: r, TicketScopes: s}
}

// we1 is the ticket of WE-1.
func we1() []ticketResource {
	return []ticketResource{asks(album, "edit"), asks(photo1, "view"), asks(photo2, "view")}
}

type judge = func(Resource, uma.Scope) policy.Verdict

func always(o policy.Outcome) judge {
	return func(Resource, uma.Scope) policy.Verdict { return policy.Verdict{Outcome: o} }
}

// judging notes every question that is judged, and answers by answer.
func judging(asked *[]string, answer judge) judge {
	return func(r Resource, s uma.Scope) policy.Verdict {
		*asked = append(*asked, string(r.ID)+":"+string(s))
		return answer(r, s)
	}
}

// granted writes a decision's candidates as "resource:scope" in order.
func granted(d decision) []string {
	var out []string
	for _, c := range d.Candidates {
		for _, s := range c.Scopes {
			out = append(out, string(c.Resource.ID)+":"+string(s.Scope))
		}
	}
	slices.Sort(out)
	return out
}

func sorted(s ...string) []string {
	slices.Sort(s)
	return s
}

func wantDecision(t *testing.T, d decision, want conclusion, candidates ...string) {
	t.Helper()
	if d.Conclusion != want {
		t.Errorf("concluded %d, want %d", d.Conclusion, want)
	}
	if got := granted(d); !slices.Equal(got, sorted(candidates...)) {
		t.Errorf("granted %v, want %v", got, candidates)
	}
}

// Proves WE-1, GRANT-3.3.4-01, GRANT-3.3.4-02, GRANT-3.3.4-03, GRANT-3.3.4-05.
func TestOnlyWhatPolicyAllowsOfEveryRequestedSetIsACandidate(t *testing.T) {
	onlyPhoto1View := func(r Resource, s uma.Scope) policy.Verdict {
		if r.ID == "photo1" && s == "view" {
			return policy.Verdict{Outcome: policy.Permit}
		}
		return policy.Verdict{}
	}
	for _, way := range []struct {
		partial Partial
		want    conclusion
		cand    []string
	}{
		{PartialLast, concludeGranted, []string{"photo1:view"}},
		{PartialFirst, concludeGranted, []string{"photo1:view"}},
		{PartialNever, concludeDenied, []string{"photo1:view"}},
	} {
		var asked []string
		d := assess(assessment{
			Resources: we1(), RegisteredScopes: scopes("download"), RequestedScopes: scopes("download"),
			Partial: way.partial, Judge: judging(&asked, onlyPhoto1View),
		})
		wantDecision(t, d, way.want, way.cand...)
		want := sorted("album:edit", "album:download", "photo1:view", "photo1:download", "photo2:view", "photo2:download")
		if slices.Sort(asked); !slices.Equal(asked, want) {
			t.Errorf("the requested sets are %v, want %v", asked, want)
		}
	}
}

// WE-1 once more, where the owner of everything else wants to be asked.
//
// Proves WE-1.
func TestTheOwnerIsAskedForWhatIsNotGranted(t *testing.T) {
	d := assess(assessment{
		Resources: we1(), RegisteredScopes: scopes("download"), RequestedScopes: scopes("download"),
		Judge: func(r Resource, s uma.Scope) policy.Verdict {
			if r.ID == "photo1" && s == "view" {
				return policy.Verdict{Outcome: policy.Permit}
			}
			return policy.Verdict{Outcome: policy.AskOwner}
		},
	})
	if d.Conclusion != concludeAskOwner {
		t.Fatalf("concluded %d, want request_submitted", d.Conclusion)
	}
	var ask []string
	for _, p := range d.Ask {
		for _, s := range p.Scopes {
			ask = append(ask, string(p.Resource)+":"+string(s))
		}
	}
	slices.Sort(ask)
	if want := sorted("album:edit", "album:download", "photo1:download", "photo2:view", "photo2:download"); !slices.Equal(ask, want) {
		t.Errorf("the owner is asked for %v, want %v", ask, want)
	}
}

// Proves WE-2, GRANT-3.3.4-03, GRANT-3.3.4-04.
func TestARequestedScopeCountsOnlyWhereItIsOffered(t *testing.T) {
	small := resourceWith("album", "view", "edit")
	d := assess(assessment{
		Resources:        []ticketResource{asks(small, "edit"), asks(photo1, "view")},
		RegisteredScopes: scopes("download"), RequestedScopes: scopes("download"), Judge: always(policy.Permit),
		Partial: PartialNever,
	})
	wantDecision(t, d, concludeGranted, "album:edit", "photo1:view", "photo1:download")
}

// Proves WE-3, WE-3b, GRANT-3.3.1-11, GRANT-3.3.6-05.
func TestAScopeTheClientIsNotRegisteredForIsIgnoredOrRefused(t *testing.T) {
	lenient := assessment{Resources: we1(), RequestedScopes: scopes("download"), Judge: always(policy.Permit)}
	wantDecision(t, assess(lenient), concludeGranted, "album:edit", "photo1:view", "photo2:view")
	strict := lenient
	strict.StrictScopes = true
	wantDecision(t, assess(strict), concludeInvalidScope)

	// The resource server asked for the very scope.
	lenient = assessment{Resources: []ticketResource{asks(photo1, "view")}, RequestedScopes: scopes("view"), Judge: always(policy.Permit)}
	wantDecision(t, assess(lenient), concludeGranted, "photo1:view")
	strict = lenient
	strict.StrictScopes = true
	wantDecision(t, assess(strict), concludeInvalidScope)
}

// Proves WE-4, GRANT-3.3.6-04.
func TestAScopeThatNoResourceOffersIsInvalid(t *testing.T) {
	for _, requested := range [][]uma.Scope{scopes("rotate"), scopes("download", "rotate"), scopes("rotate", "view")} {
		d := assess(assessment{
			Resources: we1(), RegisteredScopes: scopes("rotate", "download", "view"), RequestedScopes: requested,
			Judge: func(Resource, uma.Scope) policy.Verdict {
				t.Error("policy was asked although the request is invalid")
				return policy.Verdict{Outcome: policy.Permit}
			},
		})
		wantDecision(t, d, concludeInvalidScope)
	}
}

// Proves WE-5.
func TestARequestedScopeReplacesTheBareResource(t *testing.T) {
	d := assess(assessment{
		Resources: []ticketResource{asks(album)}, RegisteredScopes: scopes("view", "edit"),
		RequestedScopes: scopes("view"), Judge: always(policy.Permit),
	})
	wantDecision(t, d, concludeGranted, "album:view")
}

// Proves WE-6a, GRANT-5.6-01.
func TestTheBareResourceIsNotGrantedByVacuousTruth(t *testing.T) {
	for _, way := range []Partial{PartialLast, PartialFirst, PartialNever} {
		a := assessment{Resources: []ticketResource{asks(album)}, Partial: way, Judge: always(policy.Deny)}
		wantDecision(t, assess(a), concludeDenied)
		a.Judge = always(policy.AskOwner)
		d := assess(a)
		wantDecision(t, d, concludeAskOwner)
		if len(d.Ask) != 1 || d.Ask[0].Scopes == nil || len(d.Ask[0].Scopes) != 0 {
			t.Errorf("the owner is asked for %v, want the album without any scope", d.Ask)
		}
	}
}

// Proves WE-6b.
func TestTheBareResourceIsGrantedByAPolicyForIt(t *testing.T) {
	var asked []string
	d := assess(assessment{Resources: []ticketResource{asks(album)}, Judge: judging(&asked, always(policy.Permit))})
	wantDecision(t, d, concludeGranted, "album:")
	if !slices.Equal(asked, []string{"album:"}) {
		t.Errorf("policy was asked about %v, want the album without a scope and nothing else", asked)
	}
}

// Proves WE-7.
func TestAScopeThatIsNoLongerRegisteredLeavesTheTicket(t *testing.T) {
	smaller := resourceWith("photo1", "view", "resize", "download")
	d := assess(assessment{Resources: []ticketResource{asks(smaller, "view", "print")}, Judge: always(policy.Permit), Partial: PartialNever})
	wantDecision(t, d, concludeGranted, "photo1:view")
}

// A ticket of which every scope is gone must not become one for the bare
// resource.
//
// Proves WE-7, GRANT-5.6-01.
func TestATicketWhoseScopesAreAllGoneIsNotOneForTheBareResource(t *testing.T) {
	empty := resourceWith("photo1")
	for _, way := range []Partial{PartialLast, PartialFirst, PartialNever} {
		d := assess(assessment{Resources: []ticketResource{asks(empty, "view")}, Judge: always(policy.Permit), Partial: way})
		wantDecision(t, d, concludeDenied)
	}
}

// Claims are not collected in vain: where all is wanted and a part is barred,
// the answer is final at once.
func TestClaimsAreNotCollectedInVain(t *testing.T) {
	barredAndCurable := func(r Resource, s uma.Scope) policy.Verdict {
		if r.ID == "album" {
			return policy.Verdict{}
		}
		return policy.Verdict{Outcome: policy.Need, Missing: []uma.RequiredClaim{{Name: "email"}}}
	}
	a := assessment{Resources: we1(), Judge: barredAndCurable, Partial: PartialNever}
	wantDecision(t, assess(a), concludeDenied)
	a.Partial = PartialLast
	d := assess(a)
	wantDecision(t, d, concludeNeedInfo)
	if len(d.Missing) != 1 || d.Missing[0].Name != "email" {
		t.Errorf("the claims asked for are %v, want email once", d.Missing)
	}
}

// need_info comes before request_submitted, and both before a part, unless the
// operator wants a part first.
func TestTheOrderOfTheAnswersIsTheDocumentedOne(t *testing.T) {
	mixed := func(outcomes map[uma.ResourceID]policy.Outcome) judge {
		return func(r Resource, _ uma.Scope) policy.Verdict {
			v := policy.Verdict{Outcome: outcomes[r.ID]}
			if v.Outcome == policy.Need {
				v.Missing = []uma.RequiredClaim{{Name: "email"}}
			}
			return v
		}
	}
	for _, c := range []struct {
		album, photo1, photo2 policy.Outcome
		last, first, never    conclusion
	}{
		{policy.Need, policy.AskOwner, policy.Permit, concludeNeedInfo, concludeGranted, concludeNeedInfo},
		{policy.Permit, policy.AskOwner, policy.Permit, concludeAskOwner, concludeGranted, concludeAskOwner},
		{policy.Permit, policy.Deny, policy.Permit, concludeGranted, concludeGranted, concludeDenied},
		{policy.AskOwner, policy.Deny, policy.Deny, concludeAskOwner, concludeAskOwner, concludeDenied},
		{policy.Permit, policy.Permit, policy.Permit, concludeGranted, concludeGranted, concludeGranted},
		{policy.Deny, policy.Deny, policy.Deny, concludeDenied, concludeDenied, concludeDenied},
	} {
		j := mixed(map[uma.ResourceID]policy.Outcome{"album": c.album, "photo1": c.photo1, "photo2": c.photo2})
		for way, want := range map[Partial]conclusion{PartialLast: c.last, PartialFirst: c.first, PartialNever: c.never} {
			if got := assess(assessment{Resources: we1(), Judge: j, Partial: way}).Conclusion; got != want {
				t.Errorf("album %d, photo1 %d, photo2 %d, partial %q: concluded %d, want %d", c.album, c.photo1, c.photo2, way, got, want)
			}
		}
	}
}

// Once the owner has answered, nobody asks the owner again.
func TestTheOwnerIsAskedOnce(t *testing.T) {
	a := assessment{Resources: we1(), Judge: always(policy.AskOwner), OwnerDecided: true}
	d := assess(a)
	wantDecision(t, d, concludeDenied)
	if len(d.Ask) > 0 {
		t.Errorf("the owner would be asked for %v again", d.Ask)
	}
}

func permissionOf(t ticketResource) uma.Permission {
	return uma.Permission{Resource: t.Resource.ID, Scopes: append([]uma.Scope{}, t.TicketScopes...)}
}
