//go:build seeded

package seeded

import "os"

// Variable is the environment variable that names the mistake to make.
const Variable = "LICET_SEED"

// The switches of a build that is broken on purpose.
var (
	TicketNotSpent                 bool // a permission ticket can be presented again
	TicketNotRotated               bool // need_info and request_submitted hand out the ticket that was presented
	OwnerCheckMissing              bool // a PAT reaches the resources and RPTs of other owners
	NoPolicyPermits                bool // a resource without any share is permitted
	ScopeFilterMissing             bool // neither the client's registered scopes nor those of the resource bound what is granted
	PATLeaksBetweenResourceServers bool // a PAT reaches the owner's resources and RPTs at other resource servers
	PermissionsMissing             bool // an introspected RPT has no permissions
	UnsignedClaimTokenAccepted     bool // a claim token of the algorithm none is believed
	ForeignAudienceAccepted        bool // a claim token for somebody else is believed
	PCTNotBoundToClient            bool // a PCT works for every client
	RefreshRevivesWithdrawn        bool // refreshing gives back what was withdrawn
	WrongUpgraded                  bool // upgraded says the opposite
	ClaimsRedirectNotExact         bool // a registered claims redirection URI may be continued at will
	CSRFMissing                    bool // a form is believed from wherever it comes
	ZeroScopeGranted               bool // a resource without scopes is granted without a policy
	ArrayLosesEntries              bool // of several permissions in one request only the first counts
)

// Names are the mistakes by name.
var Names = map[string]*bool{
	"ticket-not-spent":                   &TicketNotSpent,
	"ticket-not-rotated":                 &TicketNotRotated,
	"owner-check-missing":                &OwnerCheckMissing,
	"no-policy-permits":                  &NoPolicyPermits,
	"scope-filter-missing":               &ScopeFilterMissing,
	"pat-leaks-between-resource-servers": &PATLeaksBetweenResourceServers,
	"permissions-missing":                &PermissionsMissing,
	"unsigned-claim-token-accepted":      &UnsignedClaimTokenAccepted,
	"foreign-audience-accepted":          &ForeignAudienceAccepted,
	"pct-not-bound-to-client":            &PCTNotBoundToClient,
	"refresh-revives-withdrawn":          &RefreshRevivesWithdrawn,
	"wrong-upgraded":                     &WrongUpgraded,
	"claims-redirect-not-exact":          &ClaimsRedirectNotExact,
	"csrf-missing":                       &CSRFMissing,
	"zero-scope-granted":                 &ZeroScopeGranted,
	"array-loses-entries":                &ArrayLosesEntries,
}

func init() {
	name := os.Getenv(Variable)
	if name == "" {
		return
	}
	mistake, known := Names[name]
	if !known {
		panic("seeded: " + Variable + " names " + name + ", which is no mistake that can be made")
	}
	*mistake = true
}
