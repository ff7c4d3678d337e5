//go:build !seeded

package seeded

// The switches of an ordinary build.
const (
	TicketNotSpent                 bool = false
	TicketNotRotated               bool = false
	OwnerCheckMissing              bool = false
	NoPolicyPermits                bool = false
	ScopeFilterMissing             bool = false
	PATLeaksBetweenResourceServers bool = false
	PermissionsMissing             bool = false
	UnsignedClaimTokenAccepted     bool = false
	ForeignAudienceAccepted        bool = false
	PCTNotBoundToClient            bool = false
	RefreshRevivesWithdrawn        bool = false
	WrongUpgraded                  bool = false
	ClaimsRedirectNotExact         bool = false
	CSRFMissing                    bool = false
	ZeroScopeGranted               bool = false
	ArrayLosesEntries              bool = false
)
